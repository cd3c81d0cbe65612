"""The loss: drop rates, masks, statistics, overfit; every setting does something."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from vasa_jax.motion import conditions, diffusion, generate, step
from vasa_jax.motion import config as config_lib
from vasa_jax.types import EMOTIONS, Controls

TINY = config_lib.tiny()


def make_batch(config, b=8, seed=0):
  rng = np.random.default_rng(seed)
  frames = config.previous + config.window
  emotion = np.zeros((b, 8), np.float32)
  emotion[:, EMOTIONS.index('neutral')] = 1
  return {
    'features': rng.normal(size=(b, frames, config.audio_dim)).astype(np.float32),
    'motion': rng.normal(size=(b, frames, config.motion_dim)).astype(np.float32),
    'gaze': rng.normal(0, 10, (b, 2)).astype(np.float32),
    'distance': rng.uniform(0.9, 1.3, (b, 1)).astype(np.float32),
    'emotion': emotion,
    'mask': np.ones((b, config.window), np.float32),
    'has_previous': np.ones(b, np.float32),
  }


@pytest.fixture(scope='module')
def params():
  return jax.jit(lambda key: step.init_params(TINY, key))(jax.random.key(0))


def test_first_loss_is_the_variance_of_the_data(params):
  config = dataclasses.replace(TINY, velocity_weight=0.0)
  batch = make_batch(config)
  value, metrics = step.make_loss(config)(params, batch, jax.random.key(0))
  expected = (batch['motion'][:, config.previous :] ** 2).mean()
  np.testing.assert_allclose(value, expected, rtol=1e-5)
  np.testing.assert_allclose(metrics['x0'], expected, rtol=1e-5)


def test_statistics_normalise_and_are_not_trained(params):
  batch = make_batch(TINY)
  stats = {
    **params['stats'],
    'mean': jnp.full(TINY.motion_dim, 3.0),
    'std': jnp.full(TINY.motion_dim, 2.0),
  }
  moved = {**batch, 'motion': batch['motion'] * 2 + 3}
  key, loss = jax.random.key(0), step.make_loss(TINY)
  scaled, _ = loss({**params, 'stats': stats}, moved, key)
  np.testing.assert_allclose(scaled, loss(params, batch, key)[0], rtol=1e-4)
  grads = jax.grad(lambda p: loss(p, moved, key)[0])({**params, 'stats': stats})
  assert all(not np.any(g) for g in jax.tree.leaves(grads['stats']))
  assert np.any(grads['params']['out']['kernel'])


def test_masked_frames_do_not_count(params):
  batch = make_batch(TINY)
  batch['mask'][:, 5:] = 0
  other = {k: v.copy() for k, v in batch.items()}
  other['motion'][:, TINY.previous + 5 :] = 100.0
  loss, key = step.make_loss(TINY), jax.random.key(0)
  # The untrained network puts out zero whatever it sees.
  np.testing.assert_allclose(
    loss(params, batch, key)[0], loss(params, other, key)[0], rtol=1e-6
  )


def test_drop_rates():
  batch = make_batch(TINY, b=8000)
  batch['has_previous'][:4000] = 0
  config = dataclasses.replace(TINY, null_is_neutral=False, truncate=0.3)
  keep = step.draw_keep(config, batch, jax.random.key(0))
  for name in ('gaze', 'distance', 'emotion'):
    np.testing.assert_allclose(getattr(keep, name).mean(), 0.9, atol=0.015)
  np.testing.assert_allclose(keep.previous[4000:].mean(), 0.5, atol=0.03)
  assert not np.any(keep.previous[:4000])
  np.testing.assert_allclose(keep.audio[:, 0].mean(), 0.9, atol=0.015)
  whole = keep.audio[:, -1].mean() / keep.audio[:, 0].mean()
  np.testing.assert_allclose(whole, 0.7, atol=0.02)
  # Only an end is missing, and never more than half.
  heard = np.asarray(keep.audio[keep.audio[:, 0]])
  assert np.all(np.diff(heard.astype(int), axis=1) <= 0)
  assert heard.sum(1).min() == TINY.window // 2


def test_null_emotion_means_neutral():
  batch = make_batch(TINY, b=400)
  batch['emotion'][:200] = 1 / 8
  keep = step.draw_keep(TINY, batch, jax.random.key(0))
  assert np.all(keep.emotion[:200]) and not np.all(keep.emotion[200:])


def test_dropped_audio_is_not_heard(params):
  config = dataclasses.replace(TINY, drop_condition=1.0)
  batch = make_batch(config)
  loud = {**batch, 'features': batch['features'] + 1.0}
  woken = {**params, 'params': jax.tree.map(lambda x: x + 0.05, params['params'])}
  key = jax.random.key(0)
  batch['has_previous'][:] = loud['has_previous'][:] = 0
  values = [step.make_loss(config)(woken, b, key)[0] for b in (batch, loud)]
  assert values[0] == values[1]
  heard = [step.make_loss(TINY)(woken, b, key)[0] for b in (batch, loud)]
  assert heard[0] != heard[1]


def fingerprint(config):
  """What a setting can change: parameters, the traced loss, the sampler, the checks."""
  batch = jax.eval_shape(lambda: jax.tree.map(jnp.asarray, make_batch(config)))
  key = jax.eval_shape(lambda: jax.random.key(0))
  params = jax.eval_shape(lambda k: step.init_params(config, k), key)
  loss = jax.make_jaxpr(step.make_loss(config))(params, batch, key)
  levels = diffusion.schedule(config)
  x = np.full(config.motion_dim, -1, np.float32)
  limits = conditions.to_motion(x, config).z_dyn.tobytes()
  sampler = generate.MotionGenerator(config, params).defaults
  traced = str(jax.tree.leaves(params)), str(loss)
  return traced, levels.signal.tobytes(), str(sampler), limits


@pytest.fixture(scope='module')
def plain():
  return fingerprint(TINY)


CHANGES = {
  'width': 32, 'depth': 1, 'heads': 4, 'ffn': 64, 'audio_dim': 16, 'window': 6,
  'previous': 2, 'layout': 'tokens', 'dropout': 0.3, 'diffusion_steps': 100,
  'schedule': 'linear', 'predict': 'v', 'drop_condition': 0.2, 'drop_previous': 0.1,
  'truncate': 0.7, 'truncate_most': 0.2, 'null_is_neutral': False,
  'velocity_weight': 0.1, 'gaze_scale': 5.0, 'guidance_audio': 2.0,
  'guidance_gaze': 0.0, 'sampling_steps': 7, 'dtype': 'bfloat16', 'anchored': False,
}  # fmt: skip


@pytest.mark.parametrize('name', CHANGES)
def test_every_setting_changes_something(plain, name):
  assert fingerprint(dataclasses.replace(TINY, **{name: CHANGES[name]})) != plain


def test_all_settings_are_tested(plain):
  free = dataclasses.replace(TINY, anchored=False)
  assert fingerprint(dataclasses.replace(free, dynamics_dim=20)) != fingerprint(free)
  names = {field.name for field in dataclasses.fields(TINY)}
  assert names == {*CHANGES, 'dynamics_dim'}


def test_memorises_eight_windows():
  config = dataclasses.replace(
    TINY, drop_condition=0.0, drop_previous=0.5, truncate=0.0, diffusion_steps=100
  )
  batch = make_batch(config)
  # Smooth motion that follows from its audio, as lips do.
  batch['motion'] = np.cumsum(batch['motion'], 1) / 4
  optimizer = optax.adam(3e-3)
  params = step.init_params(config, jax.random.key(0))
  state, loss = optimizer.init(params), step.make_loss(config)

  @jax.jit
  def update(carry, key):
    params, state = carry
    (_, metrics), grads = jax.value_and_grad(loss, has_aux=True)(params, batch, key)
    updates, state = optimizer.update(grads, state)
    return (optax.apply_updates(params, updates), state), metrics['x0']

  carry, errors = (params, state), []
  for key in jax.random.split(jax.random.key(1), 300):
    carry, error = update(carry, key)
    errors.append(float(error))
  assert np.mean(errors[-20:]) < 0.1 * np.mean(errors[:3])
  # And what is sampled for its audio is its motion.
  generator = generate.MotionGenerator(config, carry[0])
  for i in range(3):
    names = ('gaze', 'distance', 'emotion')
    made = generator.generate(
      batch['features'][i, config.previous :],
      Controls(**{name: batch[name][i] for name in names}),
      guidance_audio=0.0,
      guidance_gaze=0.0,
    )
    truth = batch['motion'][i, config.previous :, :6]
    assert np.mean((made.z_pose - truth) ** 2) < 0.2 * np.mean(truth**2)
