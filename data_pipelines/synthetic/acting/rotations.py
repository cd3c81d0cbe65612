"""Where heads and eyes point (conventions of `schema.py`; numpy only).

x right in the picture, y up, z towards the camera; head rotation
`Ry(yaw) @ Rx(pitch) @ Rz(roll)`: yaw > 0 turns the nose to the picture's right,
pitch > 0 looks down, roll > 0 is counter-clockwise on screen.
"""

import numpy as np

MAX_EYE = 0.45  # radians, what the eyeballs of the rendered heads can turn


def rotation_matrix(angles: np.ndarray) -> np.ndarray:
  """`(..., 3)` yaw, pitch, roll in radians to `(..., 3, 3)` head rotations."""
  (cy, cp, cr), (sy, sp, sr) = (
    np.moveaxis(f(np.asarray(angles, np.float64)), -1, 0) for f in (np.cos, np.sin)
  )
  rows = (
    (cy * cr + sy * sp * sr, -cy * sr + sy * sp * cr, sy * cp),
    (cp * sr, cp * cr, -sp),
    (-sy * cr + cy * sp * sr, sy * sr + cy * sp * cr, cy * cp),
  )
  return np.stack([np.stack(row, -1) for row in rows], -2)


def euler_angles(rotation: np.ndarray) -> np.ndarray:
  """The inverse: `(..., 3, 3)` to `(..., 3)`, where |pitch| is below 90 degrees."""
  yaw = np.arctan2(rotation[..., 0, 2], rotation[..., 2, 2])
  pitch = -np.arcsin(np.clip(rotation[..., 1, 2], -1, 1))
  roll = np.arctan2(rotation[..., 1, 0], rotation[..., 1, 1])
  return np.stack([yaw, pitch, roll], -1)


def _direction(angles: np.ndarray) -> np.ndarray:
  """`(..., 2)` (right, up) in radians to `(..., 3)` unit vectors."""
  theta, phi = angles[..., 0], angles[..., 1]
  return np.stack(
    [np.sin(theta) * np.cos(phi), np.sin(phi), np.cos(theta) * np.cos(phi)], -1
  )


def _angles(direction: np.ndarray) -> np.ndarray:
  theta = np.arctan2(direction[..., 0], direction[..., 2])
  return np.stack([theta, np.arcsin(np.clip(direction[..., 1], -1, 1))], -1)


def gaze_of(pose: np.ndarray, eyes: np.ndarray) -> np.ndarray:
  """`(t, 2)` gaze in degrees in the camera's frame, from head pose and eye angles."""
  rotation = rotation_matrix(pose[..., :3])
  world = np.einsum('...ij,...j->...i', rotation, _direction(np.asarray(eyes, float)))
  return np.rad2deg(_angles(world)).astype(np.float32)


def eyes_towards(pose: np.ndarray, gaze: np.ndarray) -> np.ndarray:
  """`(t, 2)` eye angles (radians) that look along `gaze` (degrees), as far as they can.

  The inverse of `gaze_of` inside the range of the eyeballs: eyes hold a target while
  the head turns.
  """
  rotation = rotation_matrix(pose[..., :3])
  local = np.einsum('...ji,...j->...i', rotation, _direction(np.deg2rad(gaze)))
  return np.clip(_angles(local), -MAX_EYE, MAX_EYE)
