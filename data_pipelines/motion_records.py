"""Clip records to motion records: every clip encoded once."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from data_pipelines import schema
from data_pipelines.errors import UserError
from data_pipelines.motion_cache import MotionClip, main_gaze
from data_pipelines.motion_hearing import FrontEnd, front_end

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
  clip: schema.Clip, encode: Encode | None, held_out: bool, ear: FrontEnd | None = None
) -> MotionClip | None:
  """The motion record of a clip; None where it has no speech or is too short.

  Args:
    clip: any clip; without `encode` a rendered one.
    encode: `frames (t, s, s, 3)` uint8 -> `(t, m)` latents; None: the exact labels.
    held_out: kept for evaluation.
    ear: how it is heard; None is log-mel.

  Raises:
    UserError: exact labels are asked of a clip that was not rendered.
    ValueError: a frame cannot be decoded.
  """
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
  heard = (front_end() if ear is None else ear).hear(clip.audio)
  return MotionClip(
    name=clip.clip_id,
    features=heard[there],
    motion=motion.astype(np.float32),
    gaze=main_gaze(clip.gaze[there]),
    distance=float(np.exp(np.log(clip.distance[there]).mean())),
    emotion=clip.emotion[there].mean(0),
    held_out=held_out,
  )


class RecordClips:
  """The motion records of a corpus: the train split, then the validation split, which
  is held out.

  Args:
    folder: a corpus of clip records.
    encode, ear: see `motion_clip`.
    bad_share: share of damaged records that is tolerated; they are named in the log.

  Raises:
    UserError: there is no corpus.
  """

  def __init__(
    self,
    folder: str | os.PathLike,
    encode: Encode | None = None,
    ear: FrontEnd | None = None,
    bad_share: float = BAD_SHARE,
  ):
    from data_pipelines.builder import open_clips

    self.encode, self.bad_share = encode, bad_share
    self.ear = front_end() if ear is None else ear
    self._sources = {'train': open_clips(folder, 'train')}
    try:
      self._sources[HELD_OUT] = open_clips(folder, HELD_OUT)
    except UserError:
      log.warning('%s has no split %r: no clip is held out', folder, HELD_OUT)
    self._bad = 0

  def __len__(self) -> int:
    """Records, whether there is speech in them or not."""
    return sum(len(source) for source in self._sources.values())

  def clips(self, numbers: Sequence[int] | None = None) -> Iterator[MotionClip | None]:
    """One motion record for each number; None where there is no second of speech.

    Args:
      numbers: which; None is all.

    Raises:
      UserError: too many records are damaged.
    """
    ends = np.cumsum([len(source) for source in self._sources.values()])
    splits = list(self._sources)
    for number in range(len(self)) if numbers is None else numbers:
      which = int(np.searchsorted(ends, number, 'right'))
      split = splits[which]
      i = number - (int(ends[which - 1]) if which else 0)
      try:
        clip = schema.from_example(self._sources[split][i])
        yield motion_clip(clip, self.encode, split == HELD_OUT, self.ear)
      except (ValueError, OSError, RuntimeError) as error:
        self._refuse(split, i, error)
        yield None

  def _refuse(self, split: str, i: int, error: Exception) -> None:
    why = ' '.join(str(error).split())[:160]
    log.warning('record %d of %s is damaged and skipped: %s', i, split, why)
    self._bad += 1
    if self._bad > self.bad_share * len(self):
      raise UserError(
        f'{self._bad} of {len(self)} records are damaged, more than '
        f'{self.bad_share:.1%}; make the corpus again'
      ) from error
