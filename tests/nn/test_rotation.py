"""Rotations: algebra, directions, and the renderer's own matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from data_pipelines.synthetic.drawing import render
from vasa_jax.nn.rotation import euler_matrix, rotate, rotation_vector

ANGLES = np.random.default_rng(0).uniform(-1.2, 1.2, (20, 3)).astype(np.float32)


@pytest.fixture(scope='module')
def matrices():
  return np.asarray(euler_matrix(*jnp.asarray(ANGLES).T))


def test_orthonormal_and_right_handed(matrices):
  unit = np.broadcast_to(np.eye(3), matrices.shape)
  np.testing.assert_allclose(matrices @ matrices.swapaxes(1, 2), unit, atol=1e-6)
  np.testing.assert_allclose(np.linalg.det(matrices), 1, atol=1e-5)


def test_composed_of_yaw_pitch_roll(matrices):
  zero = jnp.zeros(len(ANGLES))
  yaw, pitch, roll = jnp.asarray(ANGLES).T
  parts = euler_matrix(yaw, zero, zero) @ euler_matrix(zero, pitch, zero)
  np.testing.assert_allclose(
    parts @ euler_matrix(zero, zero, roll), matrices, atol=1e-6
  )


def test_directions():
  # The nose looks at the camera (+z); the crown is up (+y).
  nose, crown = jnp.array([0.0, 0, 1]), jnp.array([0.0, 1, 0])
  assert (euler_matrix(0.3, 0.0, 0.0) @ nose)[0] > 0.2  # to the picture's right
  assert (euler_matrix(0.0, 0.3, 0.0) @ nose)[1] < -0.2  # down
  assert (euler_matrix(0.0, 0.0, 0.3) @ crown)[0] < -0.2  # counter-clockwise


def test_same_as_the_renderer(matrices):
  for angles, matrix in zip(ANGLES, matrices, strict=True):
    np.testing.assert_allclose(render.rotation(*angles), matrix, atol=1e-6)
    axis, angle = rotation_vector(matrix)
    vector = render.rotation_vector(matrix.astype(np.float64))
    np.testing.assert_allclose(axis * angle, vector, atol=1e-5)


def test_rodrigues_is_the_matrix(matrices):
  points = np.random.default_rng(1).normal(size=(20, 5, 3)).astype(np.float32)
  axis, angle = rotation_vector(matrices)
  turned = rotate(points, axis, jnp.broadcast_to(angle[:, None], (20, 5)))
  np.testing.assert_allclose(turned, points @ matrices.swapaxes(1, 2), atol=1e-5)
  back = rotate(turned, axis, -jnp.broadcast_to(angle[:, None], (20, 5)))
  np.testing.assert_allclose(back, points, atol=1e-5)


def test_shares_of_a_rotation_add_up():
  axis, angle = rotation_vector(euler_matrix(0.4, -0.3, 0.2))
  point = jnp.array([[0.3, 1.0, 0.5]])
  half = rotate(point, axis, angle[None] * 0.5)
  np.testing.assert_allclose(
    rotate(half, axis, angle[None] * 0.5), rotate(point, axis, angle[None]), atol=1e-6
  )
  np.testing.assert_array_equal(rotate(point, axis, jnp.zeros(1)), point)


def test_no_rotation_is_safe():
  def turned(angles):
    axis, angle = rotation_vector(euler_matrix(*angles))
    return rotate(jnp.array([[0.3, 1.0, 0.5]]), axis, angle[None])

  value = turned(jnp.zeros(3))
  np.testing.assert_allclose(value, [[0.3, 1.0, 0.5]], atol=1e-3)
  assert np.all(np.isfinite(jax.jacobian(turned)(jnp.zeros(3))))
