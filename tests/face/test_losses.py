"""The losses in closed form."""

import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.face import losses
from vasa_jax.nn.warp import screen_grid
from vasa_jax.types import Motion


def test_weighted_l1_counts_where_it_is_told():
  target = jnp.zeros((1, 2, 2, 3))
  predicted = target.at[0, 0, 0].set(0.4)
  assert losses.weighted_l1(predicted, target, jnp.ones((1, 2, 2, 1))) == pytest.approx(
    0.1
  )
  weight = jnp.ones((1, 2, 2, 1)).at[0, 0, 0].set(5.0)
  assert losses.weighted_l1(predicted, target, weight) == pytest.approx(0.25)
  # Only the ratios of weights matter.
  assert losses.weighted_l1(predicted, target, 3 * weight) == pytest.approx(0.25)


def test_gradient_l1_sees_edges_not_brightness():
  target = jnp.asarray(np.random.default_rng(0).random((1, 8, 8, 3)), jnp.float32)
  assert losses.gradient_l1(target + 0.3, target) < 1e-6
  step = target + (jnp.arange(8) >= 4)[None, None, :, None] * 0.5
  # One of 7 columns' differences at full, one of 3 at half resolution.
  assert losses.gradient_l1(step, target) == pytest.approx(0.5 / 7 + 0.5 / 3, rel=1e-4)


def test_flow_is_judged_at_the_points_both_pictures_show():
  # Zoom by 0.8 about the middle: source = 0.5 + 0.8 (driver - 0.5).
  grid = screen_grid(16)[None]
  flow = -0.2 * (grid - 0.5)
  places = np.random.default_rng(0).uniform(0.1, 0.9, (1, 30, 2)).astype(np.float32)
  driver = np.concatenate([places, np.ones((1, 30, 1), np.float32)], -1)
  source = np.concatenate([0.5 + 0.8 * (places - 0.5), driver[..., 2:]], -1)
  assert losses.flow_l1(flow, driver, source) < 1e-6
  off = losses.flow_l1(flow + jnp.array([0.03, -0.01]), driver, source)
  assert off == pytest.approx(0.04 * 30 / 31, rel=1e-4)
  # Hidden points and points beyond the picture do not count.
  driver[0, :10, 2] = 0
  driver[0, 10:20, 0] = 1.5
  source[0, :20] += 1
  assert losses.flow_l1(flow, driver, source) < 1e-6
  source[..., 2] = 0
  assert losses.flow_l1(flow + 1, driver, source) == 0
  source[..., 2], driver[..., 2] = 1, 0
  assert losses.flow_l1(flow + 1, driver, source) == 0


def test_motion_is_measured_in_scales():
  zero = Motion(jnp.zeros((1, 6)), jnp.zeros((1, 54)))
  assert losses.motion_l2(zero, zero) == 0
  pose = Motion(jnp.array([losses.POSE_SCALE]), zero.z_dyn)
  assert losses.motion_l2(pose, zero) == pytest.approx(0.6)
  units = jnp.zeros((1, 54)).at[0, 51].set(losses.UNIT_SCALE)
  eyes = jnp.zeros((1, 54)).at[0, 52].set(losses.EYE_SCALE)
  for dyn in (units, eyes):
    assert losses.motion_l2(Motion(zero.z_pose, dyn), zero) == pytest.approx(1 / 54)


def test_consistency_of_equal_pictures_is_zero():
  one = jnp.asarray(np.random.default_rng(0).random((2, 4, 4, 3)), jnp.float32)
  assert losses.consistency(one, one) == 0
  assert losses.consistency(one, one - 0.25) == pytest.approx(0.25)


def test_spots_lie_at_their_centres():
  spots = losses.spots(jnp.array([[[0.25, 0.75], [0.75, 0.25]]]), 32, 0.06)
  assert spots.shape == (1, 32, 32, 1)
  picture = np.asarray(spots[0, ..., 0])
  assert picture[24, 8] > 0.9 and picture[8, 24] > 0.9  # rows are y
  assert picture[8, 8] < 1e-3 and picture.max() <= 1
  # One standard deviation to the side: exp(-1/2).
  assert picture[24, 10] == pytest.approx(
    np.exp(-((2.5 / 32) ** 2 + (0.5 / 32) ** 2) / (2 * 0.06**2)), rel=1e-3
  )
  both = losses.spots(jnp.full((1, 5, 2), 0.5), 32, 0.06)
  assert np.max(both) == 1  # overlapping spots do not add up


def test_crops_are_centred_and_stay_inside():
  y, x = np.mgrid[:16, :16].astype(np.float32)
  picture = jnp.asarray(np.stack([x, y, 0 * x], -1))[None].repeat(3, 0)
  cut = losses.crops(picture, jnp.array([[0.5, 0.25], [0.0, 0.0], [1.0, 1.0]]), 6)
  assert cut.shape == (3, 6, 6, 3)
  corners = np.asarray(cut[:, 0, 0, :2])
  np.testing.assert_array_equal(corners, [[5, 1], [0, 0], [10, 10]])
