"""Schedules, conversions, the steps that are visited: algebra of the objectives."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.errors import UsageError
from vasa_jax.motion import config as config_lib
from vasa_jax.motion import diffusion, sampler
from vasa_jax.motion.objective import make_objective

TINY = config_lib.tiny()
OBJECTIVES = {
  'x0': {},
  'noise': {'predict': 'noise'},
  'v': {'predict': 'v'},
  'linear': {'predict': 'v', 'schedule': 'linear'},
  'flow': {'objective': 'flow'},
  'regression': {'objective': 'regression'},
}


def made(name, **changes):
  return make_objective(dataclasses.replace(TINY, **OBJECTIVES[name], **changes))


@pytest.mark.parametrize('kind', ['cosine', 'linear'])
@pytest.mark.parametrize('steps', [1000, 250])
def test_schedule(kind, steps):
  config = dataclasses.replace(TINY, schedule=kind, diffusion_steps=steps)
  levels = diffusion.schedule(config)
  assert levels.signal.shape == levels.noise.shape == (steps,)
  np.testing.assert_allclose(levels.signal**2 + levels.noise**2, 1, atol=1e-6)
  assert np.all(np.diff(levels.signal) < 0)
  assert levels.signal[0] > 0.99 and 0 < levels.signal[-1] < 0.01


def test_cosine_schedule_is_nichol_and_dhariwal():
  levels = diffusion.schedule(TINY)

  def kept(i):
    return np.cos((i / 1000 + 0.008) / 1.008 * np.pi / 2) ** 2

  for i in (0, 300, 900):
    np.testing.assert_allclose(levels.signal[i] ** 2, kept(i + 1) / kept(0), rtol=1e-5)


@pytest.mark.parametrize('name', OBJECTIVES)
def test_the_target_says_x0(name):
  objective = made(name)
  x0, noise = jax.random.normal(jax.random.key(0), (2, 4, 8, 5))
  t = jnp.array([0, 100, 500, 900])
  x_t = objective.corrupt(x0, t, noise)
  said = objective.target(x0, noise, t)
  # At the noisy end a prediction of the noise is divided by a signal of 0.1.
  np.testing.assert_allclose(objective.to_x0(said, x_t, t), x0, atol=1e-4)


@pytest.mark.parametrize('name', OBJECTIVES)
def test_corruption_has_the_moments_of_the_path(name):
  objective = made(name)
  x0 = jnp.full((4, 4000, 5), 2.0)
  rng = np.random.default_rng(1)
  path = objective.path(4, 'uniform')
  count = len(path.t)
  noise = rng.normal(size=(count, 4000, 5)).astype(np.float32)
  x_t = objective.corrupt(x0[:count], jnp.asarray(path.t), noise)
  spread = path.noise * (name != 'regression')
  np.testing.assert_allclose(x_t.mean((1, 2)), 2 * path.signal, atol=0.03)
  np.testing.assert_allclose(x_t.std((1, 2)), spread, atol=0.03)


@pytest.mark.parametrize('name', OBJECTIVES)
def test_drawn_times_cover_the_path(name):
  t = np.asarray(made(name).draw(jax.random.key(0), 4000))
  if name == 'regression':
    assert not t.any()
  else:
    np.testing.assert_allclose([t.min(), t.mean(), t.max()], [0, 500, 1000], atol=12)


def test_velocity_of_straight_paths_is_their_slope():
  objective = made('flow')
  x0, noise = jax.random.normal(jax.random.key(0), (2, 1, 8, 5))
  early, late = (objective.corrupt(x0, jnp.array([t]), noise) for t in (400.0, 600.0))
  v = objective.target(x0, noise, jnp.array([500.0]))
  np.testing.assert_allclose((late - early) / 0.2, v, atol=1e-4)


@pytest.mark.parametrize('name', ['x0', 'linear', 'flow'])
@pytest.mark.parametrize('spacing', ['uniform', 'trailing', 'logsnr'])
def test_visited_times_fall(name, spacing):
  for steps in (1, 2, 4, 50, 1000):
    path = made(name).path(steps, spacing)
    assert len(path.t) == steps
    assert np.all(np.diff(path.t) < 0) and np.all(path.t >= 0)
    assert np.all(np.diff(path.noise) < 0) and path.noise[0] > 0.85


def test_spacings():
  assert list(made('x0').path(4, 'uniform').t) == [999, 666, 333, 0]
  assert list(made('x0').path(4, 'trailing').t) == [999, 749, 499, 249]
  for name in ('x0', 'flow'):
    path = made(name).path(8, 'logsnr')
    even = np.diff(np.log(path.signal / path.noise))
    np.testing.assert_allclose(even, even.mean(), rtol=0.05)


def test_choices_of_diffusion_belong_to_diffusion():
  for objective in ('flow', 'regression'):
    with pytest.raises(UsageError, match='predict'):
      dataclasses.replace(TINY, objective=objective, predict='v')


def test_regression_asks_once():
  assert len(made('regression').path(50, 'uniform').t) == 1
  calls = []

  def predict(x_t, t):
    calls.append(1)
    assert x_t.shape == (1, 8, 5) and t.shape == (1,)
    return x_t + 3.0  # x_t is zero, whatever the noise

  noise = jax.random.normal(jax.random.key(0), (1, 8, 5))
  found = sampler.sample(made('regression'), predict, noise, 50)
  np.testing.assert_allclose(found, 3.0)
  assert len(calls) == 1
