"""Clip records to motion records: every clip encoded once."""

import logging
import os
from collections.abc import Callable, Iterator

import numpy as np

from data_pipelines import schema
from data_pipelines.errors import UserError
from data_pipelines.motion_cache import MotionClip, main_gaze

log = logging.getLogger(__name__)

HELD_OUT = 'validation'
SHORTEST = 25  # frames; a second is the least that says something about motion
BAD_SHARE = 0.01

Encode = Callable[[np.ndarray], np.ndarray]


def longest_visible(visible: np.ndarray) -> slice:
  """The longest stretch of frames whose labels can be trusted; may be empty."""
  edges = np.flatnonzero(np.diff(np.concatenate([[0], visible.astype(int), [0]])))
  starts, stops = edges[::2], edges[1::2]
  if not len(starts):
    return slice(0, 0)
  best = int(np.argmax(stops - starts))
  return slice(int(starts[best]), int(stops[best]))


def motion_clip(
  clip: schema.Clip, encode: Encode | None, held_out: bool
) -> MotionClip | None:
  """The motion record of a clip; None where it has no speech or is too short.

  Args:
    clip: any clip; without `encode` a rendered one.
    encode: `frames (t, s, s, 3)` uint8 -> `(t, m)` latents; None: the exact labels.
    held_out: kept for evaluation.

  Raises:
    UserError: exact labels are asked of a clip that was not rendered.
    ValueError: a frame cannot be decoded.
  """
  from vasa_jax.audio import features

  if clip.truth is not None and not clip.truth.voice:
    return None  # unrelated stills
  there = longest_visible(clip.visible)
  if there.stop - there.start < SHORTEST:
    return None
  if encode is None:
    motion = np.concatenate([clip.z_pose, clip.z_dyn], 1)[there]
  else:
    pictures = [schema.decode_picture(frame) for frame in clip.frames[there]]
    motion = encode(np.stack(pictures))
  audio = features.as_float(clip.audio)
  heard = features.log_mel(audio, features.loudness(audio).gain)
  return MotionClip(
    name=clip.clip_id,
    features=features.to_bytes(heard[there]),
    motion=motion.astype(np.float32),
    gaze=main_gaze(clip.gaze[there]),
    distance=float(np.exp(np.log(clip.distance[there]).mean())),
    emotion=clip.emotion[there].mean(0),
    held_out=held_out,
  )


def record_clips(
  folder: str | os.PathLike, encode: Encode | None = None, bad_share: float = BAD_SHARE
) -> Iterator[MotionClip]:
  """Motion records of the train split, then of the validation split, which is held out.

  Args:
    folder: a corpus of clip records.
    encode: see `motion_clip`.
    bad_share: share of damaged records that is tolerated; they are named in the log.

  Raises:
    UserError: no corpus, too many damaged records, or no clip with speech.
  """
  from data_pipelines.builder import open_clips

  sources = {'train': open_clips(folder, 'train')}
  try:
    sources[HELD_OUT] = open_clips(folder, HELD_OUT)
  except UserError:
    log.warning('%s has no split %r: no clip is held out', folder, HELD_OUT)
  for split, source in sources.items():
    bad = given = 0
    for i in range(len(source)):
      try:
        made = motion_clip(schema.from_example(source[i]), encode, split == HELD_OUT)
      except (ValueError, OSError, RuntimeError) as error:
        why = ' '.join(str(error).split())[:160]
        log.warning('record %d of %s is damaged and skipped: %s', i, split, why)
        bad += 1
        if bad > bad_share * len(source):
          raise UserError(
            f'{bad} of {len(source)} records of {split} are damaged, more than '
            f'{bad_share:.1%}; make the corpus again'
          ) from error
        continue
      if made is not None:
        given += 1
        yield made
    if split == 'train' and not given:
      raise UserError(f'{folder}: no clip of the train split has a second of speech')
