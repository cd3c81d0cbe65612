"""CAPP's net: six layers, what it does not look at, what it refuses."""

import dataclasses

import jax
import numpy as np
import pytest

from vasa_jax.errors import UsageError
from vasa_jax.teachers.capp import FRAMES, Capp, CappConfig, represent

SMALL = CappConfig(width=8, heads=2, depth=2, audio_depth=1, embedding=150, audio_dim=6)


def inputs():
  rng = np.random.default_rng(0)
  pose = np.cumsum(rng.normal(0, 0.5, (3, FRAMES, 3)), 1).astype(np.float32)
  return pose, rng.standard_normal((3, FRAMES, 6)).astype(np.float32)


@pytest.mark.parametrize('pooling', ['frames', 'mean'])
@pytest.mark.parametrize('pose', ['angles', 'steps', 'both'])
def test_vectors_have_unit_length_and_forget_where_the_head_faces(pooling, pose):
  net = Capp(dataclasses.replace(SMALL, pooling=pooling, pose=pose))
  angles, features = inputs()
  variables = net.init(jax.random.key(0), angles, features)
  a, b = net.apply(variables, angles, features)
  assert a.shape == b.shape == (3, 150)
  for x in (a, b):
    np.testing.assert_allclose(np.linalg.norm(x, axis=-1), 1, rtol=1e-5)
  turned = net.apply(variables, angles + np.float32([30, -10, 5]), method='pose')
  np.testing.assert_allclose(turned, a, atol=2e-4)
  wider = np.asarray(net.apply(variables, 2 * angles, method='pose'))
  assert np.abs(wider - a).max() > 1e-3


def test_the_paper_has_six_layers_of_pose():
  net = Capp()
  shapes = jax.eval_shape(
    net.init, jax.random.key(0), np.zeros((1, FRAMES, 3)), np.zeros((1, FRAMES, 320))
  )['params']
  layers = [name for name in shapes['pose_encoder'] if name.startswith('layer')]
  assert len(layers) == 6


def test_steps_are_changes_between_frames():
  pose, _ = inputs()
  made = np.asarray(represent(pose, 'both'))
  assert made.shape == (3, FRAMES, 6)
  np.testing.assert_allclose(made[:, 1:, 3:] * 0.6, np.diff(pose, axis=1), atol=1e-5)
  np.testing.assert_allclose(made[..., :3].mean(1), 0, atol=1e-5)


def test_bad_sizes():
  with pytest.raises(UsageError, match='heads'):
    CappConfig(width=10, heads=4)
  with pytest.raises(UsageError, match='embedding'):
    CappConfig(embedding=64)
