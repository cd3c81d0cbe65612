"""Where the head is: rotation, distance and shift from the mesh, by geometry alone.

The rotation comes from the mesh's rigid part, turned onto the mean mesh of rendered
heads (Procrustes). Then the distance and the shift follow: the mean head of the
template, turned like that, is moved before the camera of `schema`'s conventions (24
degrees, `7.4 * ratio` from the point 0.8 over the neck's pivot) until its landmarks lie
on those of the picture. A head larger than the mean reads as nearer than it is: size
and distance cannot be told apart in one picture.
"""

import functools

import numpy as np

TAN_HALF_VIEW = np.tan(np.deg2rad(12.0))
REFERENCE_DISTANCE = 7.4
TARGET_HEIGHT = 0.8
_STEPS = 4


@functools.cache
def _mean_head() -> np.ndarray:
  """`(n, 3)` rigid landmarks of the mean head, model units relative to the pivot."""
  from vasa_jax.face.template import load_template
  from vasa_jax.metrics.faces import RIGID

  template = load_template()
  corners = template.mean[template.landmark_index[list(RIGID)]]
  weight = template.landmark_weight[list(RIGID)][..., None]
  return (corners * weight).sum(1).astype(np.float64)


def fit_head(points: np.ndarray) -> np.ndarray:
  """Head pose of a mesh, before any calibration.

  Args:
    points: `(t, 468, 3)` crop units, x right, y down, z away from the camera.

  Returns:
    `(t, 6)` float64: yaw, pitch, roll in degrees, log distance ratio, tx, ty.
  """
  from vasa_jax.metrics.faces import RIGID, mesh_pose
  from vasa_jax.metrics.pose import rotation

  angles = mesh_pose(points)
  x, y, z = np.moveaxis(_mean_head() @ np.swapaxes(rotation(angles), -1, -2), -1, 0)
  y = y - TARGET_HEIGHT
  seen_x, seen_y = np.moveaxis(
    np.asarray(points, np.float64)[:, list(RIGID), :2] - 0.5, -1, 0
  )
  distance = np.full(len(points), REFERENCE_DISTANCE)
  for _ in range(_STEPS):
    # Gauss-Newton in the distance, the shift being the mean of what is left.
    span = 2 * TAN_HALF_VIEW * (distance[:, None] - z)
    at_x, at_y = x / span, -y / span
    slope_x, slope_y = (-v * 2 * TAN_HALF_VIEW / span for v in (at_x, at_y))
    left_x, left_y = (_centred(a) for a in (seen_x - at_x, seen_y - at_y))
    slope_x, slope_y = _centred(slope_x), _centred(slope_y)
    up = (left_x * slope_x + left_y * slope_y).sum(1)
    down = (slope_x**2 + slope_y**2).sum(1)
    distance = np.clip(distance + up / np.maximum(down, 1e-12), 2.0, 60.0)
  span = 2 * TAN_HALF_VIEW * (distance[:, None] - z)
  shift = [(seen_x - x / span).mean(1), (seen_y + y / span).mean(1)]
  log_ratio = np.log(distance / REFERENCE_DISTANCE)
  return np.column_stack([angles, log_ratio, *shift])


def _centred(values: np.ndarray) -> np.ndarray:
  return values - values.mean(1, keepdims=True)
