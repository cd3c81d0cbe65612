"""Schedules, conversions, guidance, DDIM: algebra."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.motion.test_transformer import inputs
from vasa_jax.motion import config as config_lib
from vasa_jax.motion import diffusion, sampler

TINY = config_lib.tiny()
KINDS = ('x0', 'noise', 'v')


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


@pytest.fixture(scope='module')
def pair():
  x0, noise = jax.random.normal(jax.random.key(0), (2, 4, 8, 5))
  t = jnp.array([0, 100, 500, 900])
  return x0, noise, t


@pytest.mark.parametrize('kind', KINDS)
def test_conversions_agree(pair, kind):
  x0, noise, t = pair
  levels = diffusion.schedule(TINY)
  x_t = diffusion.corrupt(x0, t, noise, levels)
  said = diffusion.target(kind, x0, noise, t, levels)
  views = diffusion.views(kind, said, x_t, t, levels)
  # At step 0 the noise is 1/150 of the picture: dividing by it costs digits.
  np.testing.assert_allclose(views.x0, x0, atol=1e-4)
  np.testing.assert_allclose(views.noise, noise, atol=1e-3)
  np.testing.assert_allclose(
    views.v, diffusion.target('v', x0, noise, t, levels), atol=1e-3
  )


def test_corruption_has_the_right_moments():
  levels = diffusion.schedule(TINY)
  x0 = jnp.full((4, 4000, 5), 2.0)
  noise = jax.random.normal(jax.random.key(1), x0.shape)
  t = jnp.array([0, 300, 600, 999])
  x_t = diffusion.corrupt(x0, t, noise, levels)
  np.testing.assert_allclose(x_t.mean((1, 2)), 2 * levels.signal[t], atol=0.03)
  np.testing.assert_allclose(x_t.std((1, 2)), levels.noise[t], atol=0.03)


def test_velocity_error():
  x0 = jax.random.normal(jax.random.key(0), (2, 6, 3))
  mask = jnp.ones((2, 6))
  spread = jnp.ones(3)
  assert diffusion.velocity_error(x0 + 1.0, x0, mask, spread) < 1e-10
  jump = x0.at[:, 3:].add(2.0)
  one = diffusion.velocity_error(jump, x0, mask, spread)
  np.testing.assert_allclose(one, 4 / 5, rtol=1e-5)
  np.testing.assert_allclose(
    diffusion.velocity_error(jump, x0, mask, 2 * spread), one / 4, rtol=1e-5
  )
  hidden = mask.at[:, 3:].set(0)
  assert diffusion.velocity_error(jump, x0, hidden, spread) < 1e-10


def test_ddim_walks_to_the_oracle():
  levels = diffusion.schedule(TINY)
  x0 = jax.random.normal(jax.random.key(0), (2, 8, 5))
  noise = jax.random.normal(jax.random.key(1), x0.shape)
  for steps in (1, 5, 50):
    found = sampler.sample(lambda x_t, t: x0, noise, levels, steps)
    np.testing.assert_allclose(found, x0, atol=1e-5)


def test_ddim_gives_the_data_their_spread():
  # For data N(m, s^2) the best x0 is known; eta 0 must map N(0, 1) to N(m, s^2).
  levels, m, s = diffusion.schedule(TINY), 1.5, 0.3

  def best(x_t, t):
    a, n = diffusion.at(levels.signal, t, x_t), diffusion.at(levels.noise, t, x_t)
    return m + a * s**2 / (a**2 * s**2 + n**2) * (x_t - a * m)

  noise = jax.random.normal(jax.random.key(1), (1, 2000, 4))
  found = sampler.sample(best, noise, levels, 50)
  np.testing.assert_allclose(found.mean(), m, atol=0.02)
  np.testing.assert_allclose(found.std(), s, rtol=0.06)


def test_timesteps_span_the_schedule():
  for steps in (1, 2, 20, 1000):
    visited = sampler.timesteps(1000, steps)
    assert len(visited) == steps and visited[0] == 999
    assert steps == 1 or visited[-1] == 0 and np.all(np.diff(visited) < 0)


def linear_network(x_t, t, conditions):
  """Answers with what it was told, each condition in its own way."""
  keep = conditions.keep
  told = (keep.audio * conditions.features.mean(-1)).sum(1)
  told += keep.gaze * 10 * conditions.gaze.sum(-1) + t
  return x_t * 0.5 + told[:, None, None]


def test_guidance_is_equation_2():
  x_t, t, conditions = inputs(TINY)
  plain = linear_network(x_t, t, conditions)
  no_audio = linear_network(x_t, t, sampler.without(conditions, 'audio'))
  no_gaze = linear_network(x_t, t, sampler.without(conditions, 'gaze'))
  found = sampler.guided(
    linear_network, x_t, t, conditions, ('audio', 'gaze'), jnp.array([0.5, 1.5])
  )
  np.testing.assert_allclose(
    found, 3.0 * plain - 0.5 * no_audio - 1.5 * no_gaze, rtol=1e-4, atol=1e-3
  )


def test_no_guidance_is_the_conditional():
  x_t, t, conditions = inputs(TINY)
  calls = []

  def network(*args):
    calls.append(args[0].shape[0])
    return linear_network(*args)

  found = sampler.guided(network, x_t, t, conditions, (), jnp.zeros(0))
  np.testing.assert_array_equal(found, linear_network(x_t, t, conditions))
  sampler.guided(network, x_t, t, conditions, ('gaze',), jnp.ones(1))
  # One batched call each; conditions without weight cost nothing.
  assert calls == [3, 6]
