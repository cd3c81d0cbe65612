"""Every way of a convolution against NumPy and each other, gradients included."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.nn import convolution
from vasa_jax.nn.blocks import Conv, upsample
from vasa_jax.nn.convolution import CONVOLUTIONS

# Places, kernel, stride: odd sizes, an even kernel, a stride larger than the rest.
CASES = [
  ((5, 4, 7), (3, 3, 3), 1),
  ((5, 4, 7), (3, 3, 3), 2),
  ((3, 2, 4), (1, 1, 1), 1),
  ((9, 6), (7, 7), 2),
  ((5, 7), (3, 3), 1),
  ((4, 5), (2, 2), 1),
  ((5, 7), (1, 1), 2),
]


def arrays(places, kernel, channels=3, features=4, seed=0):
  rng = np.random.default_rng(seed)
  x = rng.normal(size=(2, *places, channels)).astype(np.float32)
  w = rng.normal(size=(*kernel, channels, features)).astype(np.float32)
  return x, w / np.sqrt(np.prod(kernel) * channels)


def slow(x, kernel, stride):
  """'SAME' as TensorFlow defines it: as much before as after, the odd cell after."""
  axes = x.ndim - 2
  sizes = [-(-n // stride) for n in x.shape[1:-1]]
  wanted = np.zeros((len(x), *sizes, kernel.shape[-1]))
  low = [
    max((out - 1) * stride + k - n, 0) // 2
    for out, k, n in zip(sizes, kernel.shape, x.shape[1:-1], strict=False)
  ]
  for out in itertools.product(*map(range, sizes)):
    for tap in itertools.product(*map(range, kernel.shape[:axes])):
      at = [o * stride + t - b for o, t, b in zip(out, tap, low, strict=True)]
      if all(0 <= a < n for a, n in zip(at, x.shape[1:-1], strict=True)):
        wanted[:, *out] += x[:, *at] @ kernel[*tap]
  return wanted


@pytest.mark.parametrize('places, kernel, stride', CASES)
def test_all_ways_agree(places, kernel, stride):
  x, w = arrays(places, kernel)
  wanted = slow(x, w, stride)
  slope = np.cos(wanted).astype(np.float32)
  ways = CONVOLUTIONS | {'convolve': convolution.convolve}

  @jax.jit
  def run(x, w, slope):
    found = {}
    for name, how in ways.items():
      value, pull = jax.vjp(lambda x, w, how=how: how(x, w, stride), x, w)
      found[name] = value, *pull(slope)
    return found

  found = run(x, w, slope)
  _, by_x, by_kernel = found['direct']
  # XLA's own gradient against the sum that defines it.
  moved = np.random.default_rng(1).normal(size=w.shape)
  change = np.sum(slope * slow(x, moved, stride))
  assert np.sum(by_kernel * moved) == pytest.approx(change, rel=1e-4, abs=1e-3)
  for name, (value, *slopes) in found.items():
    np.testing.assert_allclose(value, wanted, atol=1e-5, err_msg=name)
    for one, other in zip(slopes, (by_x, by_kernel), strict=True):
      np.testing.assert_allclose(one, other, atol=1e-4, err_msg=name)


def test_low_precision_stays_close_and_keeps_its_type():
  low = [jnp.asarray(a, jnp.bfloat16) for a in arrays((3, 4, 5), (3, 3, 3))]
  wanted = slow(*(np.asarray(a, np.float32) for a in low), 1)

  @jax.jit
  def run(x, w):
    pairs = [jax.vjp(how, x, w) for how in CONVOLUTIONS.values()]
    return [(value, *pull(value)) for value, pull in pairs]

  for name, found in zip(CONVOLUTIONS, run(*low), strict=True):
    assert {a.dtype for a in found} == {jnp.dtype(jnp.bfloat16)}, name
    value = np.asarray(found[0], np.float32)
    np.testing.assert_allclose(value, wanted, atol=0.03, err_msg=name)


@pytest.mark.parametrize('places', [(4, 5), (3, 2, 4), (1, 1)])
def test_upsampling_first_gives_the_same(places):
  axes = len(places)
  x, w = arrays(places, (3,) * axes)

  def plain(x, w):
    return convolution.direct(upsample(x, (2,) * axes), w)

  @jax.jit
  def both(x, w):
    pairs = [jax.vjp(call, x, w) for call in (convolution.upsampled, plain)]
    return [(value, *pull(jnp.cos(value))) for value, pull in pairs]

  for found, wanted in zip(*both(x, w), strict=True):
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_upsampling_first_is_less_work():
  x, w = arrays((32, 32), (3, 3), 8, 8)

  def flops(call):
    return jax.jit(call).lower(x, w).cost_analysis()['flops']

  plain = flops(lambda x, w: convolution.direct(upsample(x, (2, 2)), w))
  assert flops(convolution.upsampled) < 0.5 * plain


def test_module_upsamples_for_every_kernel_it_may_have():
  x, _ = arrays((4, 6), (1, 1))
  large = upsample(jnp.asarray(x), (2, 2))
  for side in (1, 3):
    before, after = (Conv(4, (side, side), upsample=on) for on in (True, False))
    params = before.init(jax.random.key(0), x)
    assert jax.tree.structure(params) == jax.tree.structure(
      after.init(jax.random.key(0), large)
    )
    np.testing.assert_allclose(
      before.apply(params, x), after.apply(params, large), atol=1e-5
    )
  with pytest.raises(ValueError, match='3 wide or 1'):
    Conv(4, (5, 5), upsample=True).init(jax.random.key(0), x)


def test_choice_is_made_for_the_device_that_a_program_is_for():
  x, w = arrays((4, 6, 6), (3, 3, 3))
  traced = jax.jit(convolution.convolve).trace(x, w)
  count = {}
  for name in ('cpu', 'cuda'):
    text = traced.lower(lowering_platforms=(name,)).as_text()
    count[name] = text.count('stablehlo.convolution')
  assert count == {'cpu': 3, 'cuda': 1}
  # Nothing is left to be decided when it runs.
  assert 'conditional' not in traced.lower().compile().as_text()


def test_operations_are_those_of_the_definition():
  assert convolution.operations((2, 4, 6, 3), (3, 3, 3, 5)) == 2 * 2 * 24 * 9 * 3 * 5
  assert convolution.operations((1, 5, 5, 3), (3, 3, 3, 5), 2) == 2 * 9 * 9 * 3 * 5
