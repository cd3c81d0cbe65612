"""How far the eyes are shut, from three signs, and blinks.

The nets draw an open eye where there are lashes, glasses, shadow or few pixels, so that
the lid gap alone misses a quarter of the blinks. Three signs together find them:

* the outlines: a linear readout of irises, contours, the mesh's lids and the head's
  angles, fitted on rendered people who talk (`experiments.fit_perception`);
* change: the eye no longer looks as it usually does, in both eyes at once;
* paleness: a lid has less contrast than white, iris and lashes.

Each is taken from what is usual for this person at this time, so narrow eyes, make-up
and glasses cancel out.
"""

import numpy as np

from data_pipelines.perceive.lids import in_eyes
from data_pipelines.perceive.track import Track

BLINK_OVER, BLINK_BELOW = 0.65, 0.45  # of `closure`: a blink begins and ends
_CHANGE, _PALE = 0.75, 0.4  # weights of the second and the third sign
_USUAL, _BLOCK = 50, 25  # frames either side of a block whose median is usual
_LONGEST = 12  # frames: half a second; longer is an eye held shut
_DIM = 2.0  # levels of 255 added to a contrast: darkness has none to lose
# The rings of the mesh around both eyes.
_RINGS = (
  33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246,
  263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466,
)  # fmt: skip


def closure(
  track: Track, pose: np.ndarray, local: np.ndarray, weights: np.ndarray
) -> np.ndarray:
  """`(t,)` how far both eyes are shut: usually about 0, in a blink about 1.

  Args:
    track: of `t` frames of one person.
    pose, local: of `fit_head` and `readout.head_frame`.
    weights: `(183,)` of `lid_terms`; `Calibration.lids`.
  """
  read = less_usual(bounded(less_usual(lid_terms(track, pose, local))) @ weights)
  if track.eyes is None:
    return read
  changed = less_usual(_changes(track.eyes).min(1)).clip(-0.3, 1)
  level = np.log(track.eyes.std((-1, -2), dtype=np.float64) + _DIM)
  pale = -less_usual(level).mean(1).clip(-1, 1)
  return read + _CHANGE * changed + _PALE * pale


def blinks(shut: np.ndarray) -> np.ndarray:
  """`(t,)` of `closure` to `(n, 2)` int: first frame of each blink, the one after it.

  The eyes shut farther than .65 and are open to .45 again within half a second.
  """
  found, start = [], None
  for i, value in enumerate(np.append(shut, -np.inf)):
    if start is None and value > BLINK_OVER:
      start = i
    elif start is not None and value < BLINK_BELOW:
      if i - start <= _LONGEST:
        found.append((start, i))
      start = None
  return np.array(found, int).reshape(-1, 2)


def lid_terms(track: Track, pose: np.ndarray, local: np.ndarray) -> np.ndarray:
  """`(t, 183)` inputs of the readout of the lids.

  For both eyes iris and contour in the eye's frame (u, then v); the mesh's rings around
  the eyes in the head's frame; yaw, pitch, roll. All of about unit size.
  """
  u, v = in_eyes(track)
  rings = local[:, list(_RINGS)] / 0.05
  parts = (u / 0.1, v / 0.1, rings, pose[:, :3] / [20, 10, 10])
  return np.concatenate([part.reshape(len(pose), -1) for part in parts], 1)


def bounded(values: np.ndarray) -> np.ndarray:
  """Values with outliers held at 3."""
  return 3 * np.tanh(values / 3)


def less_usual(values: np.ndarray) -> np.ndarray:
  """`(t, ...)` values less their median over some five seconds around."""
  return values - usual(np.asarray(values, np.float64))


def usual(values: np.ndarray) -> np.ndarray:
  """`(t, ...)` medians, one for each second: over it and two seconds either side."""
  out = np.empty_like(values)
  for at in range(0, len(values), _BLOCK):
    out[at : at + _BLOCK] = np.median(
      values[max(at - _USUAL, 0) : at + _BLOCK + _USUAL], axis=0
    )
  return out


def _changes(eyes: np.ndarray) -> np.ndarray:
  """`(t, 2)` one less the correlation of each eye with how it usually looks, 0..2."""
  now = np.asarray(eyes, np.float64)
  then = usual(now)
  now, then = (p - p.mean((-1, -2), keepdims=True) for p in (now, then))
  power = (now**2).sum((-1, -2)) * (then**2).sum((-1, -2))
  return 1 - (now * then).sum((-1, -2)) / np.sqrt(power + 1e-6)
