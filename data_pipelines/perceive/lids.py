"""How far eyes and mouth are open, and blinks."""

import numpy as np

from data_pipelines.perceive.track import Track

# In the contour of the iris net: both corners, then the middles of upper and lower lid.
_CORNERS, _UPPER, _LOWER = (0, 8), (11, 12, 13), (3, 4, 5)
# A closed mouth reads as up to this much, by person; the clip's own 2nd percentile is
# taken off within this range. A mouth that never closes in a clip keeps its opening.
_CLOSED = 0.06
BLINK_BELOW, BLINK_OVER = 0.78, 0.88  # shares of the usual opening
_USUAL = 50  # frames either side whose median is the usual opening
_LONGEST = 12  # frames: half a second; longer is an eye held shut


def eye_openings(track: Track) -> np.ndarray:
  """`(t, 2)` lid gap over eye width, the eye at the picture's left first.

  The mean of two readings: the mesh follows a blink half-heartedly but is quiet, the
  contour of the iris net follows it far but jumps with glasses and shadows.
  """
  from vasa_jax.metrics.openings import eye_openings as of_mesh

  lids = np.asarray(track.lids[..., :2], np.float64)
  a, b = (lids[:, :, i] for i in _CORNERS)
  across = b - a
  width = np.maximum(np.linalg.norm(across, axis=-1), 1e-6)
  gap = lids[:, :, _UPPER].mean(2) - lids[:, :, _LOWER].mean(2)
  # The part of the gap that is square to the line between the corners, upwards.
  square = across[..., 0] * gap[..., 1] - across[..., 1] * gap[..., 0]
  contour = np.sign(across[..., 0]) * -square / width**2
  return (contour.clip(0, 1) + of_mesh(track.points)) / 2


def mouth_opening(local: np.ndarray) -> np.ndarray:
  """`(t, 468, 3)` mesh in the head's frame (y up) to `(t,)`.

  Gap of the inner lips over the width between the outer eye corners, upwards: lips
  that are pressed past each other have less than 0.
  """
  from vasa_jax.metrics.openings import INNER_LIPS, OUTER_CORNERS

  gap = np.mean([local[:, a, 1] - local[:, b, 1] for a, b in INNER_LIPS], axis=0)
  left, right = (local[:, i] for i in OUTER_CORNERS)
  return gap / np.maximum(np.linalg.norm(left - right, axis=-1), 1e-6)


def from_own_rest(opening: np.ndarray) -> np.ndarray:
  """`(t,)` openings of one clip, so that the person's closed mouth is 0."""
  closed = np.clip(np.percentile(opening, 2), -_CLOSED, _CLOSED)
  return np.maximum(opening - closed, 0)


def blinks(eye_open: np.ndarray) -> np.ndarray:
  """`(t, 2)` openings to `(n, 2)` int: first frame of each blink and the one after it.

  Both eyes together fall below 78 % of their usual opening (the median over 4 s) and
  rise above 88 % again within half a second.
  """
  opening = np.asarray(eye_open, np.float64).mean(-1)
  usual = [
    np.median(opening[max(0, i - _USUAL) : i + _USUAL + 1]) for i in range(len(opening))
  ]
  ratio = opening / np.maximum(usual, 1e-6)
  found, start = [], None
  for i, value in enumerate(np.append(ratio, 1.0)):
    if start is None and value < BLINK_BELOW:
      start = i
    elif start is not None and value > BLINK_OVER:
      if i - start <= _LONGEST:
        found.append((start, i))
      start = None
  return np.array(found, int).reshape(-1, 2)
