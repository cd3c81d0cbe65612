"""One step: gradient, average of parameters, its own randomness."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from vasa_jax.errors import UserError
from vasa_jax.training.state import init_state
from vasa_jax.training.update import make_step


def _loss(params, batch, key):
  noise = jax.random.normal(key)
  return jnp.sum(params['w'] * batch['x']), {'noise': noise}


@pytest.fixture(scope='module')
def start():
  optimizer = optax.sgd(0.5)
  state = init_state({'w': jnp.array([1.0, 2.0])}, optimizer, 0.9)
  return optimizer, state, {'x': jnp.array([2.0, -4.0])}


def test_sgd_step_and_metrics_of_the_old_parameters(start):
  optimizer, state, batch = start
  new, metrics = make_step(_loss, optimizer, 0.9)(state, batch, jax.random.key(0))
  np.testing.assert_allclose(new.params['w'], [0.0, 4.0])
  assert float(metrics['loss']) == 1 * 2 - 2 * 4
  assert float(metrics['grad_norm']) == pytest.approx(np.sqrt(20))
  assert int(new.step) == 1


def test_average_follows_closely_at_first(start):
  optimizer, state, batch = start
  step = make_step(_loss, optimizer, 0.9)
  new, _ = step(state, batch, jax.random.key(0))
  # n = 0: decay = min(0.9, 1/10)
  np.testing.assert_allclose(new.ema['w'], [0.1, 0.1 * 2 + 0.9 * 4], rtol=1e-6)
  old = state.replace(step=jnp.int32(10**6))
  new, _ = step(old, batch, jax.random.key(0))
  np.testing.assert_allclose(new.ema['w'], [0.9, 0.9 * 2 + 0.1 * 4], rtol=1e-6)
  assert new.best_params is new.ema


def test_no_average_asked_for_none_kept(start):
  optimizer, _, batch = start
  state = init_state({'w': jnp.zeros(2)}, optimizer, 0.0)
  new, _ = make_step(_loss, optimizer)(state, batch, jax.random.key(0))
  assert new.ema is None and new.best_params is new.params


def test_randomness_follows_key_and_step(start):
  optimizer, state, batch = start
  step = make_step(_loss, optimizer, 0.9)

  def noise(state, seed):
    return float(step(state, batch, jax.random.key(seed)).metrics['noise'])

  later = state.replace(step=state.step + 1)
  assert noise(state, 0) == noise(state, 0)
  assert noise(state, 0) != noise(later, 0)
  assert noise(state, 0) != noise(state, 1)


def test_devices_under_a_named_axis_draw_differently(start):
  optimizer, state, batch = start

  def loss(params, batch, key):
    del batch
    return params['w'][0] * jax.random.normal(key), {}

  step = make_step(loss, optimizer)
  keys = jax.random.key(3)
  mapped = jax.vmap(
    lambda b: step(state, b, keys, axis_name='data').metrics['loss'], axis_name='data'
  )(jax.tree.map(lambda a: jnp.stack([a, a]), batch))
  own = [
    jax.random.normal(jax.random.fold_in(jax.random.fold_in(keys, 0), i))
    for i in range(2)
  ]
  assert float(own[0]) != float(own[1])
  np.testing.assert_allclose(mapped, np.mean(own), rtol=1e-6)


def test_micro_batches_give_the_update_of_the_whole():
  def loss(params, batch, key):
    error = jnp.mean(jnp.square(batch['x'] @ params['w'] - batch['y']))
    return error, {'error': error, 'noise': jax.random.normal(key)}

  rng = np.random.default_rng(0)
  batch = {
    'x': jnp.asarray(rng.normal(size=(12, 3)), jnp.float32),
    'y': jnp.asarray(rng.normal(size=12), jnp.float32),
  }
  optimizer = optax.sgd(0.5)
  state = init_state({'w': jnp.ones(3)}, optimizer, 0.0)
  key = jax.random.key(0)
  whole = make_step(loss, optimizer)(state, batch, key)
  parts = jax.jit(make_step(loss, optimizer, micro_batches=4))(state, batch, key)
  np.testing.assert_allclose(
    parts.state.params['w'], whole.state.params['w'], rtol=1e-5
  )
  for name in ('loss', 'error', 'grad_norm'):
    np.testing.assert_allclose(parts.metrics[name], whole.metrics[name], rtol=1e-5)
  assert abs(float(parts.metrics['noise'] - whole.metrics['noise'])) > 1e-3
  with pytest.raises(UserError, match='12 a device cannot be cut into micro_batches=5'):
    make_step(loss, optimizer, micro_batches=5)(state, batch, key)


def test_each_player_has_a_norm_of_its_own():
  optimizer = optax.sgd(0.5)
  state = init_state({'w': jnp.ones(2), 'critic': {'v': jnp.ones(3)}}, optimizer, 0.0)

  def loss(params, batch, key):
    del key
    value = jnp.sum(params['w'] * batch['x']) + 2 * jnp.sum(params['critic']['v'])
    return value, {}

  batch = {'x': jnp.array([2.0, -4.0])}
  _, metrics = make_step(loss, optimizer)(state, batch, jax.random.key(0))
  assert float(metrics['grad_norm']) == pytest.approx(np.sqrt(20))
  assert float(metrics['grad_norm_critic']) == pytest.approx(np.sqrt(12))
