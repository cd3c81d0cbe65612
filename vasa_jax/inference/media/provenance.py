"""Says in every generated file, for machines and for people, that it is synthetic.

The statement is JSON in the MP4 `comment` tag and a sentence in `description`; both
survive a copy, and most players and `ffprobe` show them.
"""

import datetime
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vasa_jax.errors import UserError

# IPTC's term for a real picture that a trained model has changed or set in motion.
SOURCE_TYPE = (
  'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia'
)


def statement(
  *,
  version: str,
  weights: str,
  seed: int,
  portrait_sha256: str,
  audio_sha256: str,
  settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
  """Returns the statement for one generated file.

  Args:
    version: of vasa_jax.
    weights: name and digest of the weights.
    seed: of the run.
    portrait_sha256, audio_sha256: digests of the input files.
    settings: everything else that shaped the result.

  The date is now (UTC), or `SOURCE_DATE_EPOCH` where that is set, so that a run can be
  repeated to the byte.
  """
  epoch = os.environ.get('SOURCE_DATE_EPOCH')
  zone = datetime.timezone.utc  # noqa: UP017
  try:
    when = (
      datetime.datetime.fromtimestamp(int(epoch), zone)
      if epoch
      else datetime.datetime.now(zone)
    )
  except (ValueError, OverflowError, OSError):
    raise UserError(
      f'SOURCE_DATE_EPOCH={epoch!r} is not a number of seconds; unset it'
    ) from None
  return {
    'synthetic': True,
    'digital_source_type': SOURCE_TYPE,
    'generator': 'vasa_jax',
    'version': version,
    'weights': weights,
    'seed': seed,
    'portrait_sha256': portrait_sha256,
    'audio_sha256': audio_sha256,
    'created': when.strftime('%Y-%m-%dT%H:%M:%SZ'),
    'settings': dict(settings or {}),
  }


def to_tags(values: Mapping[str, Any]) -> dict[str, str]:
  """Returns the MP4 tags that carry a statement."""
  return {
    'comment': json.dumps(values, sort_keys=True, separators=(',', ':')),
    'description': (
      'Synthetic video: a still portrait was set in motion by a computer to match a '
      f'sound recording. Made by vasa_jax {values["version"]}.'
    ),
  }


def read_provenance(path: str | Path) -> dict[str, Any] | None:
  """Returns the statement in a media file, or None if it carries none.

  Raises:
    UserError: the file cannot be read as a media file.
  """
  import av

  try:
    with av.open(str(path)) as container:
      comment = container.metadata.get('comment', '')
  except (av.error.FFmpegError, OSError) as error:
    raise UserError(f'{path}: cannot be read as a video ({error.strerror})') from None
  try:
    values = json.loads(comment)
  except ValueError:
    return None
  known = isinstance(values, dict) and values.get('generator') == 'vasa_jax'
  return values if known else None
