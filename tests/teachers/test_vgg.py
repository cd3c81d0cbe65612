"""The trunk against a slow NumPy convolution, and the perceptual loss as algebra."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.teachers.vgg import (
  DEVIATION,
  MEAN,
  VGG,
  VGG16,
  VGG19,
  VGGConfig,
  perceptual_loss,
  perceptual_terms,
  trim,
)

SMALL = VGGConfig(depths=(2, 2, 1), widths=(4, 6, 8))
LAYERS = ('relu1_2', 'relu2_2', 'relu3_1')


@pytest.fixture(scope='module')
def params():
  random = np.random.RandomState(1)
  net = VGG(SMALL, LAYERS)
  shapes = jax.eval_shape(net.init, jax.random.key(0), jnp.zeros((1, 16, 16, 3)))
  return jax.tree.map(
    lambda leaf: jnp.asarray(random.standard_normal(leaf.shape) * 0.3, jnp.float32),
    shapes['params'],
  )


@pytest.fixture(scope='module')
def loss(params):
  @jax.jit
  def loss(a, b):
    return perceptual_loss(params, a, b, LAYERS, config=SMALL)

  return loss


def picture(seed, side=16):
  shape = (2, side, side, 3)
  return np.random.RandomState(seed).uniform(0, 1, shape).astype(np.float32)


def slow_convolution(x, kernel, bias):
  """`(h, w, c)` by definition, zero padding of 1."""
  padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
  out = np.zeros((*x.shape[:2], kernel.shape[-1]))
  for i in range(x.shape[0]):
    for j in range(x.shape[1]):
      out[i, j] = np.tensordot(padded[i : i + 3, j : j + 3], kernel, 3) + bias
  return out


def test_features_against_slow_numpy(params):
  x = picture(0)[0]
  features = VGG(SMALL, LAYERS).apply({'params': params}, x[None])
  y = (x.astype(np.float64) - MEAN) / DEVIATION
  for name in ('1_1', '1_2', '2_1', '2_2', '3_1'):
    if name in ('2_1', '3_1'):
      y = y.reshape(y.shape[0] // 2, 2, y.shape[1] // 2, 2, -1).max((1, 3))
    layer = jax.tree.map(np.asarray, params[f'conv{name}'])
    y = np.maximum(slow_convolution(y, layer['kernel'], layer['bias']), 0)
    if f'relu{name}' in LAYERS:
      np.testing.assert_allclose(features[f'relu{name}'][0], y, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
  ('config', 'last', 'parameters'),
  [(VGG16, 'relu5_3', 14_714_688), (VGG19, 'relu5_4', 20_024_384)],
)
def test_full_size_trunks_have_the_published_size(config, last, parameters):
  net = VGG(config, (last,))
  x = jnp.zeros((1, 64, 64, 3))
  shapes = jax.eval_shape(net.init, jax.random.key(0), x)
  assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == parameters
  out = jax.eval_shape(net.apply, shapes, x)
  assert out[last].shape == (1, 4, 4, 512)


def test_loss_is_zero_only_for_equal_pictures_and_grows(loss):
  a, noise = picture(0), picture(1) - 0.5
  assert loss(a, a) == 0
  values = [float(loss(a + s * noise, a)) for s in (0.01, 0.1, 0.5)]
  assert 0 < values[0] < values[1] < values[2]


def test_weights_and_layers_add_up(params, loss):
  a, b = picture(0), picture(1)
  terms = perceptual_terms(params, a, b, LAYERS, config=SMALL)
  weighted = perceptual_loss(params, a, b, LAYERS, (1.0, 0.0, 2.0), config=SMALL)
  expected = terms['relu1_2'] + 2 * terms['relu3_1']
  np.testing.assert_allclose(weighted, expected, rtol=1e-6)
  np.testing.assert_allclose(loss(a, b), sum(terms.values()), rtol=1e-5)


def test_raw_features_are_the_mean_absolute_difference(params):
  a, b = picture(0), picture(1)
  net = VGG(SMALL, ('relu1_2',))
  fa, fb = (net.apply({'params': params}, x)['relu1_2'] for x in (a, b))
  value = perceptual_loss(params, a, b, ('relu1_2',), config=SMALL, normalise=False)
  np.testing.assert_allclose(value, jnp.mean(jnp.abs(fa - fb)), rtol=1e-6)


def test_gradient_reaches_the_prediction_only_and_lowers_the_loss(loss):
  a, b = jnp.asarray(picture(0)), jnp.asarray(picture(1))
  ours, theirs = jax.grad(loss, argnums=(0, 1))(a, b)
  assert np.isfinite(ours).all() and float(jnp.max(jnp.abs(theirs))) == 0
  assert loss(a - 0.01 * ours / jnp.max(jnp.abs(ours)), b) < loss(a, b)


def test_gradient_is_finite_where_features_vanish(params, loss):
  # A black picture through negative biases: all features are zero there.
  dead = jax.tree.map(lambda p: p if p.ndim > 1 else p - 100.0, params)
  value, gradient = jax.value_and_grad(
    lambda a, b: perceptual_loss(dead, a, b, LAYERS, config=SMALL)
  )(jnp.zeros((1, 16, 16, 3)), jnp.ones((1, 16, 16, 3)))
  assert value == 0 and np.isfinite(gradient).all()


def test_trim_keeps_just_enough(params):
  kept = trim(params, ('relu2_2',), SMALL)
  assert sorted(kept) == ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2']
  a, b = picture(0), picture(1)
  one = perceptual_loss(kept, a, b, ('relu2_2',), config=SMALL)
  two = perceptual_loss(params, a, b, ('relu2_2',), config=SMALL)
  assert one == two


def test_bad_questions_are_refused(params):
  a = picture(0)
  with pytest.raises(ValueError, match='relu9_9'):
    perceptual_loss(params, a, a, ('relu9_9',), config=SMALL)
  with pytest.raises(ValueError, match='2 weights'):
    perceptual_loss(params, a, a, ('relu1_2',), (1, 2), config=SMALL)
  with pytest.raises(ValueError, match='shape'):
    perceptual_loss(params, a, a[:, :8], ('relu1_2',), config=SMALL)
