"""Samplers against distributions whose best prediction is known."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.motion import config as config_lib
from vasa_jax.motion import sampler
from vasa_jax.motion.objective import make_objective

TINY = config_lib.tiny()
DIFFUSION = make_objective(TINY)
FLOW = make_objective(dataclasses.replace(TINY, objective='flow'))
NOISE = jax.random.normal(jax.random.key(1), (1, 2000, 4))


def levels(objective, t, like):
  """Signal and noise at `t`, from what corruption does to one and to zero."""
  one, zero = jnp.ones_like(like), jnp.zeros_like(like)
  return objective.corrupt(one, t, zero), objective.corrupt(zero, t, one)


def gaussian(objective, mean, spread):
  """The best x0 for data N(mean, spread^2)."""

  def best(x_t, t):
    a, s = levels(objective, t, x_t)
    return mean + a * spread**2 / (a**2 * spread**2 + s**2) * (x_t - a * mean)

  return best


def mixture(objective, places=(-1.0, 2.0), spread=0.25):
  """The best x0 for data that is one of two Gaussians, value by value."""

  def best(x_t, t):
    a, s = levels(objective, t, x_t)
    wide = a**2 * spread**2 + s**2
    score = jnp.stack([-((x_t - a * m) ** 2) / (2 * wide) for m in places])
    x0 = jnp.stack([m + a * spread**2 / wide * (x_t - a * m) for m in places])
    return (jax.nn.softmax(score, 0) * x0).sum(0)

  return best


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def found(objective, data, steps, kind, spacing):
  return sampler.sample(objective, data(objective), NOISE, steps, kind, spacing)


def bell(objective):
  return gaussian(objective, 1.5, 0.3)


@pytest.mark.parametrize('kind', ['ddim', 'dpm++'])
def test_walks_to_the_oracle(kind):
  x0 = jax.random.normal(jax.random.key(0), (2, 8, 5))
  noise = jax.random.normal(jax.random.key(1), x0.shape)
  for objective in (DIFFUSION, FLOW):
    for steps, spacing in ((1, 'uniform'), (5, 'trailing'), (50, 'logsnr')):
      there = sampler.sample(objective, lambda *_: x0, noise, steps, kind, spacing)
      np.testing.assert_allclose(there, x0, atol=1e-5)


@pytest.mark.parametrize('objective', [DIFFUSION, FLOW])
def test_ddim_gives_the_data_their_mean_and_variance(objective):
  # eta 0 must map N(0, 1) to N(m, s^2), value by value along a straight line.
  made = found(objective, bell, 1000, 'ddim', 'uniform')
  np.testing.assert_allclose(made.mean(), 1.5, atol=0.01)
  np.testing.assert_allclose(made.std(), 0.3 * NOISE.std(), rtol=0.01)
  np.testing.assert_allclose(made, 1.5 + 0.3 * NOISE, atol=0.02)


def test_ddim_is_euler_on_straight_paths():
  predict, x = jax.jit(mixture(FLOW)), NOISE
  edges = np.linspace(1, 0, 6)
  for s, r in zip(edges[:-1], edges[1:], strict=True):
    v = (x - predict(x, jnp.array([1000 * s]))) / s
    x = x + (r - s) * v
  made = sampler.sample(FLOW, predict, NOISE, 5, 'ddim')
  np.testing.assert_allclose(made, x, atol=1e-4)


def test_the_second_order_step_is_dpm_solver_plus_plus():
  """Algorithm 2 of Lu et al. 2022, written out."""
  predict, path = jax.jit(mixture(DIFFUSION)), DIFFUSION.path(6, 'logsnr')
  a, s = np.append(path.signal, 1.0), np.append(path.noise, 1e-12)
  ratio, x, last = np.log(a / s), NOISE, None
  for i in range(6):
    x0 = predict(x, jnp.asarray(path.t[i : i + 1]))
    h = ratio[i + 1] - ratio[i]
    d = x0
    if 0 < i < 5:
      r = (ratio[i] - ratio[i - 1]) / h
      d = (1 + 1 / (2 * r)) * x0 - 1 / (2 * r) * last
    x, last = s[i + 1] / s[i] * x - a[i + 1] * np.expm1(-h) * d, x0
  made = sampler.sample(DIFFUSION, predict, NOISE, 6, 'dpm++', 'logsnr')
  np.testing.assert_allclose(made, x, atol=1e-4)


@pytest.mark.parametrize('data', [bell, mixture])
def test_dpm_needs_fewer_steps(data):
  exact = found(DIFFUSION, data, 1000, 'ddim', 'trailing')

  def error(steps, kind):
    made = found(DIFFUSION, data, steps, kind, 'logsnr')
    return float(jnp.abs(made - exact).mean())

  reached = {steps: error(steps, 'dpm++') for steps in (10, 20)}
  assert reached[20] < 0.6 * reached[10]
  for steps, best in reached.items():
    assert error(steps, 'ddim') > 2 * best
  assert error(20, 'ddim') > 1.3 * reached[10]  # half the steps


@pytest.mark.parametrize('kind, spacing', [('ddim', 'trailing'), ('dpm++', 'logsnr')])
def test_few_steps_do_not_waste_one(kind, spacing):
  exact = found(DIFFUSION, mixture, 1000, 'ddim', 'trailing')

  def error(kind, spacing):
    made = found(DIFFUSION, mixture, 4, kind, spacing)
    return float(jnp.abs(made - exact).mean())

  assert error(kind, spacing) < 0.8 * error('ddim', 'uniform')
