"""Our small sync net: what a window sees and hears, and nothing more."""

import jax
import numpy as np
import pytest

from vasa_jax.teachers.lipsync import LipSync, LipSyncConfig, abstract_inputs

SMALL = LipSyncConfig(widths=(16, 16, 32), sound=16, embedding=8)


@pytest.fixture(scope='module')
def net():
  model = LipSync(SMALL)
  params = jax.jit(model.init)(jax.random.key(0), *abstract_inputs())['params']
  return jax.jit(lambda a, b: model.apply({'params': params}, a, b))


@pytest.fixture(scope='module')
def inputs():
  rng = np.random.default_rng(0)
  mouths = rng.uniform(0, 255, (2, 12, 48, 48)).astype(np.float32)
  return mouths, rng.standard_normal((2, 12, 320)).astype(np.float32)


def test_windows_are_of_five_frames_and_unit_length(net, inputs):
  lips, sound = (np.asarray(x) for x in net(*inputs))
  assert lips.shape == sound.shape == (2, 8, 8)
  for x in (lips, sound):
    np.testing.assert_allclose(np.linalg.norm(x, axis=-1), 1, rtol=1e-5)
  mouths, features = (x.copy() for x in inputs)
  mouths[0, 6] = 255 - mouths[0, 6]
  features[0, 6] += 1
  for before, after in zip((lips, sound), net(mouths, features), strict=True):
    apart = np.abs(np.asarray(after) - before).max(-1)
    assert (apart[0, 2:7] > 1e-4).all() and (apart[0, [0, 1, 7]] < 1e-6).all()
    assert apart[1].max() < 1e-6


def test_light_does_not_matter(net, inputs):
  mouths, features = inputs
  plain, _ = net(mouths, features)
  other, _ = net(0.4 * mouths + 30, features)
  # up to the grey level that keeps a black picture's gradient finite
  np.testing.assert_allclose(other, plain, atol=5e-3)


def test_similarities_are_of_one_clip(inputs):
  model = LipSync(SMALL)
  variables = jax.jit(model.init)(jax.random.key(0), *abstract_inputs())
  apply = jax.jit(model.apply, static_argnames='method')
  logits = apply(variables, *inputs, method='similarities')
  lips, sound = apply(variables, *inputs)
  wanted = np.exp(2.3) * lips[1] @ sound[1].T
  assert logits.shape == (2, 8, 8)
  np.testing.assert_allclose(logits[1], wanted, atol=1e-4)
