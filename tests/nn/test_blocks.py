"""Blocks: their statistics, inverses and shapes."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.nn import blocks

KEY = jax.random.key(0)


def picture(shape=(2, 8, 8, 6), seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def test_standardised_filters_ignore_scale_and_offset():
  conv, x = blocks.Conv(5, (3, 3)), picture()
  params = conv.init(KEY, x)['params']
  wanted = conv.apply({'params': params}, x)
  moved = dict(params, kernel=3 * params['kernel'] + 0.7)
  np.testing.assert_allclose(conv.apply({'params': moved}, x), wanted, atol=1e-3)
  # A constant picture: each filter sums to zero, away from the padding.
  flat = conv.apply({'params': params}, jnp.ones_like(x))[:, 1:-1, 1:-1]
  np.testing.assert_allclose(flat, 0, atol=1e-5)
  # White noise in, unit variance out: the squares of a filter sum to 1.
  out = conv.apply({'params': params}, picture((1, 64, 64, 6)))[:, 1:-1, 1:-1]
  np.testing.assert_allclose(np.var(out, (0, 1, 2)), 1, atol=0.1)


def test_plain_convolution_is_linear_in_its_filter():
  conv, x = blocks.Conv(5, (3, 3, 3), standardise=False), picture((1, 4, 4, 4, 2))
  params = conv.init(KEY, x)['params']
  assert set(params) == {'kernel', 'bias'} and params['kernel'].shape == (3, 3, 3, 2, 5)
  twice = conv.apply({'params': dict(params, kernel=2 * params['kernel'])}, x)
  np.testing.assert_allclose(twice, 2 * conv.apply({'params': params}, x), atol=1e-5)


@pytest.mark.parametrize('channels, groups', [(512, 32), (64, 16), (24, 6), (3, 1)])
def test_groups_hold_four_channels_or_more(channels, groups):
  assert blocks.num_groups(channels) == groups


def test_norm_has_unit_groups_and_no_batch_statistics():
  norm = blocks.Norm()
  x = picture((3, 6, 6, 8)) * jnp.array([1.0, 10, 0.1])[:, None, None, None] + 4
  params = norm.init(KEY, x)
  y = norm.apply(params, x)
  parts = np.asarray(y).reshape(3, 36, 2, 4)  # two groups of four
  np.testing.assert_allclose(parts.mean((1, 3)), 0, atol=1e-4)
  np.testing.assert_allclose(parts.std((1, 3)), 1, atol=1e-3)
  np.testing.assert_allclose(norm.apply(params, x[1:2]), y[1:2], atol=1e-5)


def test_adaptive_norm_without_condition_is_the_plain_norm():
  norm, x = blocks.Norm(), picture()
  zero = jnp.zeros((2, 5))
  params = norm.init(KEY, x, zero)
  plain = {'params': {'GroupNorm_0': params['params']['GroupNorm_0']}}
  np.testing.assert_array_equal(norm.apply(params, x, zero), norm.apply(plain, x))
  # A condition scales and shifts whole channels of its own row.
  condition = zero.at[1].set(3.0)
  y, base = norm.apply(params, x, condition), norm.apply(params, x, zero)
  np.testing.assert_array_equal(y[0], base[0])
  flat, wanted = np.asarray(y[1]).reshape(-1, 6), np.asarray(base[1]).reshape(-1, 6)
  for c in range(6):
    gain, bias = np.polyfit(wanted[:, c], flat[:, c], 1)
    np.testing.assert_allclose(gain * wanted[:, c] + bias, flat[:, c], atol=1e-4)
  assert np.abs(flat - wanted).max() > 0.01


@pytest.mark.parametrize('ndim, features', [(2, 6), (2, 10), (3, 6)])
def test_residual_block_adds_to_its_input(ndim, features):
  x = picture((1, *(4,) * ndim, 6))
  block = blocks.ResBlock(features, ndim)
  params = block.init(KEY, x)['params']
  assert block.apply({'params': params}, x).shape == (*x.shape[:-1], features)
  silent = jax.tree.map(lambda p: p, params)
  silent['Conv_1']['gain'] = jnp.zeros(features)
  out = block.apply({'params': silent}, x)
  if features == 6:
    np.testing.assert_array_equal(out, x)
  else:
    assert 'Conv_2' in params and np.any(out)


@pytest.mark.parametrize(
  'settings, shape',
  [
    (dict(stages=(1, 1), width=8), (2, 4, 4, 16)),  # 32: stem 4, one halving
    (dict(stages=(1, 1), width=8, patch=4), (2, 4, 4, 16)),
    (dict(stages=(1, 1), width=8, bottleneck=True), (2, 4, 4, 64)),
    (dict(stages=(2,), width=8, patch=2), (2, 16, 16, 8)),
  ],
)
def test_resnet_shapes(settings, shape):
  net = blocks.ResNet(**settings)
  x = jnp.zeros((2, 32, 32, 3))
  params = jax.eval_shape(net.init, KEY, x)
  assert jax.eval_shape(net.apply, params, x).shape == shape


def test_resnet_50_has_its_published_size():
  net = blocks.ResNet((3, 4, 6, 3), bottleneck=True)
  params = jax.eval_shape(net.init, KEY, jnp.zeros((1, 64, 64, 3)))
  count = sum(x.size for x in jax.tree.leaves(params))
  assert 23.0e6 < count < 24.0e6  # 23.5 M without the classifier


def test_space_to_depth_and_back():
  x = picture((2, 8, 4, 3))
  deep = blocks.space_to_depth(x, 2)
  assert deep.shape == (2, 4, 2, 12)
  np.testing.assert_array_equal(deep[0, 1, 1].reshape(2, 2, 3), x[0, 2:4, 2:4])
  np.testing.assert_array_equal(blocks.depth_to_space(deep, 2), x)


def test_pool_and_upsample_are_inverse():
  x = picture((1, 2, 4, 4, 3))
  large = blocks.upsample(x, (1, 2, 2))
  assert large.shape == (1, 2, 8, 8, 3)
  for cell in large[0, 0, 2:4, 4:6].reshape(4, 3):
    np.testing.assert_array_equal(cell, x[0, 0, 1, 2])
  np.testing.assert_allclose(blocks.average_pool(large, (1, 2, 2)), x, atol=1e-6)
  np.testing.assert_allclose(
    blocks.average_pool(x, (2, 4, 4))[0, 0, 0, 0], x.mean((0, 1, 2, 3)), atol=1e-6
  )


def test_spectral_norm_is_the_largest_singular_value():
  rng = np.random.default_rng(0)
  for shape in ((72, 16), (9, 40), (5, 5), (27, 1)):
    matrix = rng.normal(size=shape).astype(np.float32)
    # A gap between the singular values, as trained kernels have.
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    s = s.max() * 0.8 ** np.arange(len(s))
    matrix = ((u * s) @ vt).astype(np.float32)
    wanted = np.linalg.svd(matrix)[1][0]
    value, slope = jax.value_and_grad(blocks.largest_singular)(jnp.asarray(matrix))
    assert value == pytest.approx(wanted, rel=2e-3)
    # d sigma / d matrix = u v^T
    np.testing.assert_allclose(slope, np.outer(u[:, 0], vt[0]), atol=0.03)
    assert blocks.largest_singular(jnp.asarray(matrix), 200) == pytest.approx(
      wanted, rel=1e-5
    )


def test_spectral_convolution_never_stretches():
  x = jax.random.normal(jax.random.key(0), (1, 8, 8, 12))
  plain, normed = (
    blocks.Conv(20, (1, 1), use_bias=False, spectral=on) for on in (False, True)
  )
  params = plain.init(jax.random.key(1), x)
  assert jax.tree.structure(params) == jax.tree.structure(
    normed.init(jax.random.key(1), x)
  )
  kernel = blocks.standardised(
    params['params']['kernel'], params['params']['gain']
  ).reshape(12, 20)
  sigma = np.linalg.svd(kernel)[1][0]
  assert sigma > 1.2
  np.testing.assert_allclose(
    normed.apply(params, x), plain.apply(params, x) / sigma, rtol=0.03, atol=1e-3
  )


def test_rematerialised_block_is_the_block():
  x = jax.random.normal(jax.random.key(0), (2, 4, 6, 6, 8))
  condition = jax.random.normal(jax.random.key(2), (2, 5))

  class Net(nn.Module):
    block: Any

    @nn.compact
    def __call__(self, x, condition):
      for _ in range(2):
        x = self.block(12, 3)(x, condition)
      return x

  nets = Net(blocks.ResBlock), Net(blocks.rematerialised(blocks.ResBlock))
  params = [jax.jit(net.init)(jax.random.key(1), x, condition) for net in nets]
  assert set(params[0]['params']) == {'ResBlock_0', 'ResBlock_1'}
  jax.tree.map(np.testing.assert_array_equal, *params)

  def run(net):
    def energy(params):
      return jnp.sum(jnp.square(net.apply(params, x, condition)))

    return jax.jit(jax.value_and_grad(energy))(params[0])

  (one, slopes), (two, again) = map(run, nets)
  assert one == pytest.approx(float(two), rel=1e-6)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), slopes, again
  )
  text = str(jax.make_jaxpr(lambda p: nets[1].apply(p, x, condition))(params[0]))
  assert 'remat' in text or 'checkpoint' in text


@pytest.mark.parametrize('shape', [(2, 6, 5, 12), (2, 2, 3, 4, 8)])
def test_norm_is_flax_group_norm_with_an_adapted_gain(shape):
  x = 3 * picture(shape) + 2
  condition = picture((2, 5), 1)
  norm = blocks.Norm()
  params = norm.init(KEY, x, condition)['params']
  assert set(params) == {'GroupNorm_0', 'Dense_0'}
  own = {
    'scale': 1 + picture(shape[-1:], 2) / 4, 'bias': picture(shape[-1:], 3)
  }  # fmt: skip
  params = params | {'GroupNorm_0': own}
  plain = nn.GroupNorm(blocks.num_groups(shape[-1]))

  def wanted(x, params):
    y = plain.apply({'params': params['GroupNorm_0']}, x)
    dense = params['Dense_0']
    affine = condition @ dense['kernel'] + dense['bias']
    gain, bias = jnp.split(affine.reshape(2, *(1,) * (x.ndim - 2), -1), 2, -1)
    return y * (1 + gain) + bias

  def found(x, params):
    return norm.apply({'params': params}, x, condition)

  @jax.jit
  def both(x, params):
    pairs = [jax.vjp(call, x, params) for call in (wanted, found)]
    return [(value, pull(jnp.cos(value))) for value, pull in pairs]

  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4),
    *both(x, params),
  )


@pytest.mark.parametrize('ndim, features', [(2, 6), (2, 4), (3, 4)])
def test_upsampling_block_is_the_block_behind_upsampling(ndim, features):
  x = picture((1, *(3,) * ndim, 6))
  large = blocks.upsample(x, (2,) * ndim)
  plain = blocks.ResBlock(features, ndim)
  before = blocks.ResBlock(features, ndim, upsample=True)

  @jax.jit
  def both(x, large):
    params = plain.init(KEY, large)
    found, wanted = before.apply(params, x), plain.apply(params, large)
    return before.init(KEY, x), params, found, wanted

  theirs, params, found, wanted = both(x, large)
  jax.tree.map(np.testing.assert_array_equal, theirs, params)
  np.testing.assert_allclose(found, wanted, atol=2e-5)
