"""The rigid 3-D warps: inverse of each other, and as the camera convention says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.face import flow
from vasa_jax.face.config import tiny
from vasa_jax.nn.warp import volume_grid
from vasa_jax.types import Motion

SHAPE = (8, 24, 24)
NO_OFFSETS = jnp.zeros((1, 4, 8, 8, 3))
GRID = volume_grid(*SHAPE)[None]


def motion(yaw=0.0, pitch=0.0, roll=0.0, log_ratio=0.0, tx=0.0, ty=0.0):
  pose = jnp.array([[yaw, pitch, roll, log_ratio, tx, ty]])
  return Motion(pose, jnp.zeros((1, 54)))


def blob(x, y, z, width=0.2):
  """A soft ball at `(x, y, z)` of the canonical box."""
  square = jnp.sum(jnp.square(GRID - jnp.array([x, y, z])), -1, keepdims=True)
  return jnp.exp(-square / (2 * width**2))


def centre(volume):
  return np.asarray((volume * GRID).sum((0, 1, 2, 3)) / volume.sum())


to_posed = jax.jit(flow.to_posed)
to_canonical = jax.jit(flow.to_canonical)


def moved(start, **pose):
  ball = blob(*start)
  return centre(to_posed(ball, motion(**pose), NO_OFFSETS)) - centre(ball)


def test_posed_and_canonical_coordinates_are_inverse():
  rng = np.random.default_rng(0)
  points = rng.uniform(-1, 1, (3, 2, 3, 4, 3)).astype(np.float32)
  pose = rng.normal(size=(3, 6)).astype(np.float32) * 0.3
  posed = flow.posed_coordinates(points, pose)
  assert np.abs(posed - points).max() > 0.2
  np.testing.assert_allclose(flow.canonical_coordinates(posed, pose), points, atol=1e-5)
  np.testing.assert_allclose(
    flow.posed_coordinates(points, np.zeros((3, 6), np.float32)), points, atol=1e-6
  )


def test_rest_pose_changes_nothing():
  ball = blob(0.2, -0.1, 0.3)
  for warp in (to_posed, to_canonical):
    np.testing.assert_allclose(warp(ball, motion(), NO_OFFSETS), ball, atol=1e-5)


def test_shift_is_in_crop_units():
  # The crop is 2 wide: a tenth of it are 0.2.
  np.testing.assert_allclose(moved((0, 0, 0), tx=0.1), [0.2, 0, 0], atol=0.01)
  np.testing.assert_allclose(moved((0, 0, 0), ty=0.1), [0, 0.2, 0], atol=0.01)


def test_turns_go_the_camera_conventions_way():
  front, crown = (0.0, 0.0, 0.5), (0.0, -0.4, 0.0)
  assert moved(front, yaw=0.4)[0] > 0.1  # nose to the picture's right
  assert moved(front, pitch=0.3)[1] > 0.05  # looks down
  assert moved(crown, roll=0.3)[0] < -0.1  # counter-clockwise
  # The neck pivot itself stays.
  np.testing.assert_allclose(moved(flow.PIVOT, yaw=0.4, pitch=0.2), 0, atol=0.02)


def test_distance_shrinks_about_the_middle_of_the_picture():
  ratio = 1.25
  shift = moved((0.4, 0, 0), log_ratio=np.log(ratio))
  assert shift[0] == pytest.approx(0.4 / ratio - 0.4, abs=0.01)
  assert moved((-0.4, 0, 0), log_ratio=np.log(ratio))[0] > 0.05
  near, far = (
    to_posed(blob(0, 0, 0), motion(log_ratio=x), NO_OFFSETS).sum() for x in (0, 0.2)
  )
  assert far < 0.7 * near


def test_source_pose_is_undone():
  ball = blob(0.1, -0.1, 0.2, width=0.3)
  pose = motion(0.3, -0.1, 0.2, 0.05, 0.04, -0.03)
  again = to_canonical(to_posed(ball, pose, NO_OFFSETS), pose, NO_OFFSETS)
  np.testing.assert_allclose(centre(again), centre(ball), atol=0.02)
  assert np.corrcoef(np.ravel(again), np.ravel(ball))[0, 1] > 0.97


def test_offsets_act_in_canonical_space():
  # Looking 0.2 to the right brings what is there 0.2 to the left, turned with the head.
  offsets = NO_OFFSETS.at[..., 0].set(0.2)
  ball = blob(0, 0, 0)
  shift = centre(to_posed(ball, motion(), offsets)) - centre(ball)
  np.testing.assert_allclose(shift, [-0.2, 0, 0], atol=0.02)
  quarter = motion(roll=np.pi / 2, ty=-0.25)
  turned = centre(to_posed(ball, quarter, offsets))
  plain = centre(to_posed(ball, quarter, NO_OFFSETS))
  np.testing.assert_allclose(turned - plain, [0, 0.2, 0], atol=0.03)


def test_one_portrait_serves_many_frames():
  ball = blob(0, 0, 0)
  poses = jnp.zeros((2, 6)).at[1, 4].set(0.1)
  both = flow.to_posed(
    ball, Motion(poses, jnp.zeros((2, 54))), jnp.zeros((2, 4, 8, 8, 3))
  )
  assert both.shape == (2, *SHAPE, 1)
  np.testing.assert_allclose(both[0], ball[0], atol=1e-5)
  assert centre(both[1:])[0] > 0.15


def test_generator_starts_without_offsets_and_depends_on_both_codes():
  config = tiny()
  net = flow.WarpGenerator(config)
  z_dyn, z_id = jnp.ones((1, 54)), jnp.ones((1, 4, 4, config.identity_channels))
  params = jax.jit(net.init)(jax.random.key(0), z_dyn, z_id)['params']
  apply = jax.jit(lambda p, *z: net.apply({'params': p}, *z))
  offsets = apply(params, z_dyn, z_id)
  assert offsets.shape == (1, *config.warp_shape, 3) and not np.any(offsets)
  last = params['Conv_3'] if 'Conv_3' in params else params[sorted(params)[-1]]
  kernel = jax.random.normal(jax.random.key(1), last['kernel'].shape)
  params = dict(params, Conv_3=dict(last, kernel=kernel))
  first = apply(params, z_dyn, z_id)
  assert np.any(first) and np.abs(first).max() <= 1
  rng = np.random.default_rng(0)
  other = rng.normal(size=z_dyn.shape), rng.normal(size=z_id.shape)
  assert np.abs(apply(params, jnp.asarray(other[0]), z_id) - first).max() > 1e-4
  assert np.abs(apply(params, z_dyn, jnp.asarray(other[1])) - first).max() > 1e-4
