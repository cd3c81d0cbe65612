"""Reads where the eyes of a picture look, from the mesh and the iris networks.

The iris sits on a ball behind the middle of the eye's corners: its offset on the
screen, taken back by the head's pose, is the direction. The ball's size and place are
fractions of the distance between the outer eye corners, fitted once on rendered people
that are not judged (`CALIBRATED_ON`); a fit of four numbers, not a network.
"""

from typing import NamedTuple

import numpy as np

from vasa_jax.metrics.pose import rotation

_CORNERS = ((33, 133), (362, 263))
CALIBRATED_ON = 'seeds 3 << 40 onwards, 139 frames of the corpus of 2026-11'


class Ball(NamedTuple):
  """The eyeball in widths between the outer eye corners, in the head's frame."""

  radius: float
  up: float  # its middle over the middle of the corners
  outward: float  # away from the nose
  deep: float  # behind


BALL = Ball(radius=0.158, up=0.022, outward=-0.012, deep=0.1)


def read_gaze(
  points: np.ndarray, irises: np.ndarray, pose: np.ndarray, ball: Ball = BALL
) -> np.ndarray:
  """Direction of the eyes in the head's frame.

  Args:
    points: `(468, 3)` mesh, px, y down, z away from the camera.
    irises: `(2, 5, 3)`, eye at the picture's left first, centre first.
    pose: `(3,)` yaw, pitch, roll of the head, degrees.

  Returns:
    `(2,)` degrees: to the picture's right, up; the mean of both eyes.
  """
  turn = rotation(np.asarray(pose))
  width = np.linalg.norm(points[263] - points[33])
  angles = []
  for side, (corners, iris) in enumerate(zip(_CORNERS, irises, strict=True)):
    middle = points[list(corners)].mean(0)
    shift = (iris[0, :2] - middle[:2]) * (1, -1) / width
    out = -ball.outward if side == 0 else ball.outward
    centre = turn @ np.array([out, ball.up, -ball.deep])
    flat = (shift - centre[:2]) / ball.radius
    length = np.linalg.norm(flat)
    flat *= min(1.0, 0.95 / max(length, 1e-6))
    ray = turn.T @ np.array([*flat, np.sqrt(1 - flat @ flat)])
    angles.append((np.arctan2(ray[0], ray[2]), np.arcsin(np.clip(ray[1], -1, 1))))
  return np.degrees(np.mean(angles, 0))
