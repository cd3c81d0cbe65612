"""Rotations against hand-written matrices, delta P against hand-made motion."""

import numpy as np
import pytest

from vasa_jax.metrics.pose import angle_error, delta_p, euler, geodesic_error, rotation


def by_hand(yaw, pitch, roll):
  (cy, cx, cz), (sy, sx, sz) = (
    f(np.radians([yaw, pitch, roll])) for f in (np.cos, np.sin)
  )
  about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
  about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
  about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
  return about_y @ about_x @ about_z


def test_rotation_and_its_inverse():
  poses = np.random.default_rng(0).uniform(-80, 80, (50, 3))
  expected = np.stack([by_hand(*pose) for pose in poses])
  np.testing.assert_allclose(rotation(poses), expected, atol=1e-12)
  np.testing.assert_allclose(euler(rotation(poses)), poses, atol=1e-9)


def test_directions():
  nose = np.array([0, 0, 1.0])
  assert (rotation([20, 0, 0]) @ nose)[0] > 0  # to the picture's right
  assert (rotation([0, 20, 0]) @ nose)[1] < 0  # down
  assert (rotation([0, 0, 20]) @ np.array([1.0, 0, 0]))[1] > 0  # counter-clockwise


def test_geodesic_is_the_angle_of_a_single_turn():
  pose = np.array([10.0, -20.0, 5.0])
  for angle in (1e-4, 1.0, 90.0, 179.0):
    turned = euler(rotation(pose) @ rotation([0, 0, angle]))
    np.testing.assert_allclose(geodesic_error(pose, turned), angle, rtol=1e-6)


def test_angle_error_goes_round_the_circle():
  a, b = np.array([179.0, 0, 0]), np.array([-178.0, 0, 3])
  np.testing.assert_allclose(angle_error(a, b), 2.0)


def test_delta_p_of_steady_motion():
  t = np.arange(10.0)[:, None]
  assert delta_p(t * [3, 0, 0]) == pytest.approx(1.0)
  assert delta_p(t * [1, -2, 3]) == pytest.approx(2.0)
  assert delta_p(np.tile([5.0, 1, 2], (10, 1))) == 0
  # An offset changes nothing, the unit does.
  wild = np.random.default_rng(1).normal(size=(30, 3))
  assert delta_p(wild + 40) == pytest.approx(delta_p(wild))
  assert delta_p(2 * wild) == pytest.approx(2 * delta_p(wild))


def test_delta_p_does_not_bridge_lost_frames():
  pose = np.zeros((6, 3))
  pose[3:] = 30
  found = np.ones(6, bool)
  found[3] = False
  assert delta_p(pose, found) == 0
  pose[3] = np.nan
  assert delta_p(pose, found) == 0
  assert np.isnan(delta_p(pose, np.zeros(6, bool)))
  assert np.isnan(delta_p(pose[:1]))
