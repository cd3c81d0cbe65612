"""Head pose: the paper's intensity of motion (delta P), and errors between poses.

Poses are `(t, 3)` yaw, pitch, roll in degrees. `found` `(t,)` marks the frames in which
a pose could be read; the others are left out, never filled in.

The paper gives delta P as the mean difference of pose angles between adjacent frames
(VASA-1 section 4.1) and leaves unit, norm and estimator open. Here: degrees a frame,
mean absolute difference over the three angles, poses read from the frames by one
estimator for all systems (`metrics.faces`). Nearer to real video is better, not higher.
"""

import numpy as np


def delta_p(pose: np.ndarray, found: np.ndarray | None = None) -> float:
  """Mean absolute change of the three angles between adjacent frames, degrees a frame.

  Returns:
    The mean; NaN where no two adjacent frames have a pose.
  """
  pose = np.asarray(pose, np.float64)
  found = np.ones(len(pose), bool) if found is None else np.asarray(found, bool)
  both = found[1:] & found[:-1]
  if not both.any():
    return float('nan')
  return float(np.mean(np.abs(wrap(np.diff(pose, axis=0))[both])))


def angle_error(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  """`(..., 3)`, `(..., 3)` to `(...)`: mean absolute difference of the three angles."""
  return np.mean(np.abs(wrap(np.asarray(a) - np.asarray(b))), axis=-1)


def geodesic_error(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  """`(..., 3)`, `(..., 3)` to `(...)`: the one angle from pose a to b, degrees."""
  relative = np.swapaxes(rotation(a), -1, -2) @ rotation(b)
  # Half the chord is precise at small angles, where arccos of the trace is not.
  chord = np.linalg.norm(relative - np.eye(3), axis=(-2, -1)) / np.sqrt(8)
  return np.degrees(2 * np.arcsin(np.clip(chord, 0, 1)))


def wrap(degrees: np.ndarray) -> np.ndarray:
  """Angles to [-180, 180)."""
  return (np.asarray(degrees) + 180) % 360 - 180


def rotation(pose: np.ndarray) -> np.ndarray:
  """`(..., 3)` degrees to `R = Ry(yaw) Rx(pitch) Rz(roll)`, `(..., 3, 3)`.

  x right in the picture, y up, z to the camera: yaw > 0 turns the nose to the picture's
  right, pitch > 0 looks down, roll > 0 is counter-clockwise on screen.
  """
  yaw, pitch, roll = np.moveaxis(np.radians(np.asarray(pose, np.float64)), -1, 0)
  cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
  cr, sr = np.cos(roll), np.sin(roll)
  rows = (
    (cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp),
    (cp * sr, cp * cr, -sp),
    (cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp),
  )
  return np.stack([np.stack(row, -1) for row in rows], -2)


def euler(matrix: np.ndarray) -> np.ndarray:
  """Inverse of `rotation`: `(..., 3, 3)` to `(..., 3)` degrees, |pitch| below 90."""
  pitch = np.arcsin(np.clip(-matrix[..., 1, 2], -1, 1))
  yaw = np.arctan2(matrix[..., 0, 2], matrix[..., 2, 2])
  roll = np.arctan2(matrix[..., 1, 0], matrix[..., 1, 1])
  return np.degrees(np.stack([yaw, pitch, roll], -1))
