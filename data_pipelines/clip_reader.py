"""Random access to the clips of a corpus, some of which may be damaged.

A record that cannot be decoded, or whose labels are not finite, is counted, named in
the log and replaced by another; more than a configured share of them stops the run. So
does at once a file of the corpus that is gone or has become shorter.
"""

import logging
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from data_pipelines import schema
from data_pipelines.errors import UserError

log = logging.getLogger(__name__)

TRIES = 8  # other clips tried in place of a damaged one
# What training reads of a clip and of its truth, beside pictures and sound.
_LABELS = 'pose', 'gaze', 'distance', 'emotion'
_TRUE_LABELS = 'units', 'eyes', 'points', 'shape'


class ClipReader:
  """Random access to the clips of a split; knows which of them are damaged.

  Args:
    folder: a corpus (`builder.find_dataset`).
    split: which part.
    bad_share: share of damaged records above which reading stops.
  """

  def __init__(self, folder: str | os.PathLike, split: str, bad_share: float = 0.01):
    from data_pipelines.builder import open_clips, split_shards

    self.source = open_clips(folder, split)
    self.bad_share = bad_share
    self.bad: set[int] = set()
    if not len(self.source):
      raise UserError(f'{folder}: split {split!r} has no clips')
    shards = split_shards(folder, split)
    self._sizes = {path: _size(path) for path in shards}
    self._check_files()

  def __len__(self) -> int:
    return len(self.source)

  def read(
    self, index: int, rng: np.random.Generator, use: Callable[[schema.Clip], Any]
  ) -> Any:
    """`use(clip)` of clip `index`, or of a random other one if that is damaged.

    What is drawn from `rng` in place of a damaged clip does not depend on whether the
    damage was known before: a resumed run, or another number of workers, which meet a
    damaged record later or sooner, see the same batches.

    Raises:
      UserError: too many records are damaged, or a file of the corpus is not whole.
    """
    for _ in range(TRIES):
      drawn = rng.bit_generator.state
      if index not in self.bad:
        try:
          return use(_sound(self.source[index]))
        except UserError:
          raise
        except Exception as error:  # whatever a broken file makes a decoder raise
          self._check_files()
          why = ' '.join(str(error).split())[:160]
          if index not in self.bad:  # another thread may have met it meanwhile
            self.bad.add(index)
            log.warning('record %d is damaged and skipped: %s', index, why)
          if len(self.bad) > self.bad_share * len(self):
            raise UserError(
              f'{len(self.bad)} of {len(self)} records are damaged, more than '
              f'{self.bad_share:.1%} (the last one: {why}); make the corpus again'
            ) from error
      rng.bit_generator.state = drawn
      index = int(rng.integers(len(self)))
    raise UserError(f'{TRIES} records in a row are damaged; make the corpus again')

  def _check_files(self) -> None:
    """Raises UserError where a file of the corpus is gone or shorter than at start."""
    for path, size in self._sizes.items():
      now = _size(path)
      if size < 0 or now < size:
        what = 'is gone' if now < 0 else f'has shrunk from {size} to {now} bytes'
        raise UserError(
          f'{path} {what}; bring it back, then run the same command again to go on'
        )


def _size(path: os.PathLike) -> int:
  """Bytes of a file; -1 where there is none."""
  try:
    return os.stat(path).st_size
  except OSError:
    return -1


def _sound(example: dict | None) -> schema.Clip:
  """The clip of an example.

  Raises:
    ValueError: it is none, or its labels are not finite: one NaN would end the run.
  """
  if example is None:
    raise ValueError('the file gives no record')
  clip = schema.from_example(example)
  labels = {name: getattr(clip, name) for name in _LABELS}
  if clip.truth is not None:
    labels |= {name: getattr(clip.truth, name) for name in _TRUE_LABELS}
  for name, values in labels.items():
    if not np.isfinite(values).all():
      raise ValueError(f'{name} is not finite')
  if (clip.distance <= 0).any():
    raise ValueError('a distance is not positive')
  return clip
