"""Rotations of the head: Euler angles to matrices, and turning by a share of one."""

import jax.numpy as jnp

from vasa_jax.types import Array


def euler_matrix(yaw: Array, pitch: Array, roll: Array) -> Array:
  """`R = Ry(yaw) Rx(pitch) Rz(roll)`, radians, `(...)` -> `(..., 3, 3)`.

  x points right in the picture, y up, z to the camera: yaw > 0 turns the nose to the
  picture's right, pitch > 0 looks down, roll > 0 is counter-clockwise on screen.
  """
  cy, sy = jnp.cos(yaw), jnp.sin(yaw)
  cp, sp = jnp.cos(pitch), jnp.sin(pitch)
  cr, sr = jnp.cos(roll), jnp.sin(roll)
  rows = [
    [cy * cr + sy * sp * sr, -cy * sr + sy * sp * cr, sy * cp],
    [cp * sr, cp * cr, -sp],
    [-sy * cr + cy * sp * sr, sy * sr + cy * sp * cr, cy * cp],
  ]
  return jnp.stack([jnp.stack(row, -1) for row in rows], -2)


def rotation_vector(matrix: Array) -> tuple[Array, Array]:
  """Unit axis `(..., 3)` and angle `(...)` of rotation matrices `(..., 3, 3)`.

  Valid for angles below pi; the axis of the identity is +y (any axis will do).
  """
  trace = matrix[..., 0, 0] + matrix[..., 1, 1] + matrix[..., 2, 2]
  angle = jnp.arccos(jnp.clip((trace - 1) / 2, -1 + 1e-7, 1 - 1e-7))
  axis = jnp.stack(
    [
      matrix[..., 2, 1] - matrix[..., 1, 2],
      matrix[..., 0, 2] - matrix[..., 2, 0],
      matrix[..., 1, 0] - matrix[..., 0, 1],
    ],
    -1,
  )
  axis = axis + jnp.array([0.0, 1e-6, 0.0])
  return axis / jnp.linalg.norm(axis, axis=-1, keepdims=True), angle


def rotate(points: Array, axis: Array, angle: Array) -> Array:
  """Rodrigues: turns `(..., n, 3)` about `(..., 3)` by `(..., n)` radians."""
  axis = jnp.broadcast_to(axis[..., None, :], points.shape)
  cos, sin = jnp.cos(angle)[..., None], jnp.sin(angle)[..., None]
  along = jnp.sum(axis * points, -1, keepdims=True)
  return points * cos + jnp.cross(axis, points) * sin + axis * along * (1 - cos)
