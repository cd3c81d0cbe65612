"""Does the mouth move with the sound? Energy against opening, at all offsets.

This is not SyncNet: it knows no phones. One clip says little (head, breath and smile
move the mouth too); the sum over the clips of a video says by how many frames its sound
is shifted, or that nothing is related.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data_pipelines.ingest.cutting import loudness

REACH = 12  # frames to either side
_CLEAR = 4.0  # standard errors by which the best offset must stand out
_BETTER = 0.1  # correlation that it must gain over no offset


def curve(opening: np.ndarray, sound: np.ndarray) -> list[float]:
  """Correlation of mouth opening and loudness at offsets -12 .. 12 frames.

  Positive: the sound comes later than the mouth.

  Args:
    opening: `(t,)` mouth opening.
    sound: `(640 t,)` int16.

  Returns:
    25 numbers in -1..1; zeros where either does not move or the clip is too short.
  """
  level = np.log(1e-3 + loudness(sound))
  level, opening = _plain(level), _plain(np.asarray(opening, np.float64))
  count = len(level) - 2 * REACH
  if count < REACH:
    return [0.0] * (2 * REACH + 1)
  mouth = opening[REACH : REACH + count]
  return [_r(mouth, level[k : k + count]) for k in range(2 * REACH + 1)]


def _plain(values: np.ndarray) -> np.ndarray:
  """Without what is slower than a second: loudness and smiles drift."""
  values = np.nan_to_num(values)
  width = min(25, len(values))
  kernel = np.ones(width)
  mean = np.convolve(values, kernel, 'same') / np.convolve(
    np.ones(len(values)), kernel, 'same'
  )
  return values - mean


def _r(a: np.ndarray, b: np.ndarray) -> float:
  a, b = a - a.mean(), b - b.mean()
  spread = np.sqrt((a * a).sum() * (b * b).sum())
  return round(float((a * b).sum() / spread), 4) if spread > 1e-9 else 0.0


class Offset(NamedTuple):
  """What the clips of a video say together.

  Attributes:
    frames: by which the sound is late.
    r: mean correlation there; `r0`: without an offset.
    clear: the offset stands out of the noise, and gains over no offset.
  """

  frames: int
  r: float
  r0: float
  clear: bool


def offset(curves: Sequence[Sequence[float]], lengths: Sequence[int]) -> Offset:
  """The offset of a video.

  Args:
    curves: of its clips (`curve`).
    lengths: frames of the clips.
  """
  if not len(curves):
    return Offset(0, 0.0, 0.0, False)
  weight = np.maximum(np.asarray(lengths, float) - 2 * REACH, 0)
  if not weight.sum():
    return Offset(0, 0.0, 0.0, False)
  mean = (np.asarray(curves, float) * weight[:, None]).sum(0) / weight.sum()
  best = int(np.argmax(mean))
  # Both signals change about four times a second: so many frames are independent.
  error = 1 / np.sqrt(max(weight.sum() * 4 / 25, 1))
  gain = mean[best] - mean[REACH]
  clear = bool(mean[best] > _CLEAR * error and gain > _BETTER)
  return Offset(best - REACH, float(mean[best]), float(mean[REACH]), clear)
