"""The schedule against its definition, and what the optimizer leaves alone."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests.training.toy import ToyRun
from vasa_jax.training.optimizer import learning_rate, make_optimizer, players
from vasa_jax.types import CRITIC


def test_schedule_follows_steps_or_the_clock():
  run = ToyRun(steps=100, learning_rate=2.0, warmup_steps=10, final_lr_ratio=0.1)
  assert float(learning_rate(run, 0)) == pytest.approx(0.2, rel=1e-3)
  assert float(learning_rate(run, 100)) == pytest.approx(0.2)
  half = 2.0 * (0.1 + 0.9 * 0.5)
  assert float(learning_rate(run, 50)) == pytest.approx(half)
  assert float(learning_rate(run, 20, clock=0.5)) == pytest.approx(half)
  assert float(learning_rate(run, 20, clock=1.0)) == pytest.approx(0.2)
  assert float(learning_rate(run, 50, clock=0.2)) == pytest.approx(half)
  rates = [float(learning_rate(run, s)) for s in range(10, 101)]
  assert all(a >= b for a, b in zip(rates, rates[1:], strict=False))


def test_constant_schedule():
  run = ToyRun(schedule='constant', learning_rate=0.3, warmup_steps=2)
  assert [float(learning_rate(run, s)) for s in (0, 1, 5)] == pytest.approx(
    [0.15, 0.3, 0.3]
  )


def test_sgd_step_is_gradient_times_rate_and_takes_the_clock():
  run = ToyRun(optimizer='sgd', learning_rate=0.5, clip_norm=0.0, final_lr_ratio=0.0)
  optimizer = make_optimizer(run)
  params = {'w': jnp.ones((2, 2))}
  grads = {'w': jnp.full((2, 2), 2.0)}
  state = optimizer.init(params)
  updates, _ = optimizer.update(grads, state, params, clock=jnp.float32(0.0))
  np.testing.assert_allclose(updates['w'], -1.0, rtol=1e-6)
  updates, _ = optimizer.update(grads, state, params, clock=jnp.float32(1.0))
  np.testing.assert_allclose(updates['w'], 0.0, atol=1e-7)


def test_clipping_limits_the_global_norm():
  run = ToyRun(optimizer='sgd', learning_rate=1.0, schedule='constant', clip_norm=1.0)
  optimizer = make_optimizer(run)
  params = {'a': jnp.zeros((3,)), 'b': jnp.zeros((1,))}
  grads = {'a': jnp.full((3,), 10.0), 'b': jnp.full((1,), -10.0)}
  updates, _ = optimizer.update(grads, optimizer.init(params), params)
  flat = np.concatenate([np.ravel(updates['a']), np.ravel(updates['b'])])
  assert np.linalg.norm(flat) == pytest.approx(1.0, rel=1e-5)


def test_decay_leaves_vectors_alone():
  run = ToyRun(learning_rate=0.1, schedule='constant', weight_decay=0.5)
  optimizer = make_optimizer(run)
  params = {'matrix': jnp.ones((2, 2)), 'vector': jnp.ones((2,))}
  zero = {'matrix': jnp.zeros((2, 2)), 'vector': jnp.zeros((2,))}
  updates, _ = optimizer.update(zero, optimizer.init(params), params)
  np.testing.assert_allclose(updates['matrix'], -0.05, rtol=1e-6)
  np.testing.assert_array_equal(updates['vector'], 0.0)


def _two_players(generator_scale):
  params = {
    'net': {'w': jnp.ones((4, 3)), 'b': jnp.ones((3,))},
    CRITIC: {'w': jnp.full((3, 2), 0.5)},
  }
  rng = np.random.default_rng(0)
  grads = [
    jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape), jnp.float32), params)
    for _ in range(3)
  ]
  for grad in grads:
    grad['net'] = jax.tree.map(lambda g: g * generator_scale, grad['net'])
  return params, grads


def _learn(run, params, grads):
  optimizer = make_optimizer(run)
  state = optimizer.init(params)
  for grad in grads:
    updates, state = optimizer.update(grad, state, params)
    params = optax.apply_updates(params, updates)
  return params


@pytest.mark.parametrize('rate', [1.0, 4.0])
def test_two_players_learn_as_with_an_optimizer_each(rate):
  """A loud generator must not take the critic's gradient away, nor the reverse."""
  run = ToyRun(learning_rate=0.1, weight_decay=0.1, beta1=0.5, critic_rate=rate)
  params, grads = _two_players(100.0)
  both = _learn(run, params, grads)
  own = dataclasses.replace(run, learning_rate=0.1 * rate)
  critic = _learn(own, params[CRITIC], [grad[CRITIC] for grad in grads])
  net = _learn(run, params['net'], [grad['net'] for grad in grads])
  for found, wanted in ((both[CRITIC], critic), (both['net'], net)):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
      np.testing.assert_allclose(a, b, rtol=1e-6)


def test_each_player_has_a_limit_of_its_own():
  run = ToyRun(optimizer='sgd', learning_rate=1.0, schedule='constant', clip_norm=1.0)
  params, (grads, *_) = _two_players(100.0)
  optimizer = make_optimizer(run)
  updates, _ = optimizer.update(grads, optimizer.init(params), params)
  parts = players(updates)
  assert float(optax.tree.norm(parts.generator)) == pytest.approx(1.0, rel=1e-5)
  assert float(optax.tree.norm(grads[CRITIC])) < 1.0  # short enough as it is
  np.testing.assert_allclose(parts.critic['w'], -grads[CRITIC]['w'], rtol=1e-6)
  assert CRITIC not in parts.generator
