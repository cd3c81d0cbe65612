"""How far eyes and mouth are open, and where iris and lids lie in the eye."""

import numpy as np

from data_pipelines.perceive.track import Track

# In the contour of the iris net: both corners, then the middles of upper and lower lid.
_INNER, _OUTER, _UPPER, _LOWER = 0, 8, (11, 12, 13), (3, 4, 5)
# A closed mouth reads as up to this much, by person; the clip's own 2nd percentile is
# taken off within this range. A mouth that never closes in a clip keeps its opening.
_CLOSED = 0.06
_CONTOUR = 16  # points of the lids; the others are the brow


def eye_openings(track: Track) -> np.ndarray:
  """`(t, 2)` lid gap over eye width, the eye at the picture's left first.

  The mean of two readings: the mesh follows a blink half-heartedly but is quiet, the
  contour of the iris net follows it far but jumps with glasses and shadows.
  """
  from vasa_jax.metrics.openings import eye_openings as of_mesh

  lids = np.asarray(track.lids[..., :2], np.float64)
  a, b = (lids[:, :, i] for i in (_INNER, _OUTER))
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


def in_eyes(track: Track) -> tuple[np.ndarray, np.ndarray]:
  """Irises and contours in the frames of their eyes.

  Returns:
    u, v, `(t, 2, 21)` each: five points of the iris, then 16 of the contour, from the
    middle of the eye along the line through its corners and upwards; 1 is its width.
  """
  lids = np.asarray(track.lids[:, :, :_CONTOUR, :2], np.float64)
  iris = np.asarray(track.iris[..., :2], np.float64)
  left, right = (
    np.stack([lids[:, 0, a], lids[:, 1, b]], 1)
    for a, b in ((_OUTER, _INNER), (_INNER, _OUTER))
  )
  across = (right - left)[:, :, None]
  width = np.maximum(np.square(across).sum(-1), 1e-12)
  away = np.concatenate([iris, lids], 2) - ((left + right) / 2)[:, :, None]
  u = (away * across).sum(-1) / width
  v = -(across[..., 0] * away[..., 1] - across[..., 1] * away[..., 0]) / width
  return u, v
