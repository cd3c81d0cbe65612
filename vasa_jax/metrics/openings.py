"""How far mouth and eyes are open, from the 468-point mesh (NumPy alone).

Points are `(..., 468, 3)` in any one unit of length. Distances are taken in 3-D and
divided by a length of the same face, so turning the head or coming nearer does not open
a mouth. Data workers use this too, so nothing here may import jax.
"""

import numpy as np

OUTER_CORNERS = (33, 263)  # of the eyes, at the picture's left and right
INNER_LIPS = ((13, 14), (82, 87), (312, 317))
_EYES = (  # outer and inner corner, then pairs of upper and lower lid
  ((33, 133), ((159, 145), (158, 153), (160, 144))),
  ((263, 362), ((386, 374), (385, 380), (387, 373))),
)


def mouth_opening(points: np.ndarray) -> np.ndarray:
  """`(t, 468, 3)` to `(t,)`: gap of the inner lips over the width between the eyes."""
  gap = np.mean([_distance(points, *pair) for pair in INNER_LIPS], axis=0)
  return gap / np.maximum(_distance(points, *OUTER_CORNERS), 1e-6)


def eye_openings(points: np.ndarray) -> np.ndarray:
  """`(t, 468, 3)` to `(t, 2)`: lid gap over eye width; the eye at the left first."""
  ratios = []
  for corners, lids in _EYES:
    gap = np.mean([_distance(points, *pair) for pair in lids], axis=0)
    ratios.append(gap / np.maximum(_distance(points, *corners), 1e-6))
  return np.stack(ratios, -1)


def eye_opening(points: np.ndarray) -> np.ndarray:
  """`(t, 468, 3)` to `(t,)`: the mean of both eyes; open is about .3."""
  return eye_openings(points).mean(-1)


def _distance(points: np.ndarray, i: int, j: int) -> np.ndarray:
  return np.linalg.norm(points[..., i, :] - points[..., j, :], axis=-1)
