"""The loss: drop rates, masks, statistics, overfit; every setting does something."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from vasa_jax.motion import conditions, generate, step, windows
from vasa_jax.motion import config as config_lib
from vasa_jax.types import EMOTIONS, Controls

TINY = config_lib.tiny()
init_params = jax.jit(step.init_params, static_argnums=0)


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
  return init_params(TINY, jax.random.key(0))


def test_first_loss_is_the_variance_of_the_data(params):
  config = dataclasses.replace(TINY, velocity_weight=0.0)
  batch = make_batch(config)
  value, metrics = jax.jit(step.make_loss(config))(params, batch, jax.random.key(0))
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
  key, loss = jax.random.key(0), jax.jit(step.make_loss(TINY))
  scaled, _ = loss({**params, 'stats': stats}, moved, key)
  np.testing.assert_allclose(scaled, loss(params, batch, key)[0], rtol=1e-4)
  slope = jax.jit(jax.grad(lambda p: loss(p, moved, key)[0]))
  grads = slope({**params, 'stats': stats})
  assert all(not np.any(g) for g in jax.tree.leaves(grads['stats']))
  assert np.any(grads['params']['out']['kernel'])


def test_masked_frames_do_not_count(params):
  batch = make_batch(TINY)
  batch['mask'][:, 5:] = 0
  other = {k: v.copy() for k, v in batch.items()}
  other['motion'][:, TINY.previous + 5 :] = 100.0
  loss, key = jax.jit(step.make_loss(TINY)), jax.random.key(0)
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
  for part in (keep.previous_motion, keep.previous_audio):
    np.testing.assert_allclose(part[4000:].mean(), 0.5, atol=0.03)
    assert not np.any(part[:4000])
  np.testing.assert_array_equal(keep.previous_motion, keep.previous_audio)
  np.testing.assert_allclose(keep.audio[:, 0].mean(), 0.9, atol=0.015)
  whole = keep.audio[:, -1].mean() / keep.audio[:, 0].mean()
  np.testing.assert_allclose(whole, 0.7, atol=0.02)
  # Only an end is missing, and never more than half.
  heard = np.asarray(keep.audio[keep.audio[:, 0]])
  assert np.all(np.diff(heard.astype(int), axis=1) <= 0)
  assert heard.sum(1).min() == TINY.window // 2


def test_x_pre_and_a_pre_may_be_dropped_apart():
  config = dataclasses.replace(TINY, drop_jointly=False)
  keep = step.draw_keep(config, make_batch(TINY, b=8000), jax.random.key(0))
  both = keep.previous_motion & keep.previous_audio
  np.testing.assert_allclose(keep.previous_audio.mean(), 0.5, atol=0.02)
  np.testing.assert_allclose(both.mean(), 0.25, atol=0.02)


def test_velocity_error():
  x0 = jax.random.normal(jax.random.key(0), (2, 6, 3))
  mask = jnp.ones((2, 6))
  spread = jnp.ones(3)
  assert step.velocity_error(x0 + 1.0, x0, mask, spread) < 1e-10
  jump = x0.at[:, 3:].add(2.0)
  one = step.velocity_error(jump, x0, mask, spread)
  np.testing.assert_allclose(one, 4 / 5, rtol=1e-5)
  np.testing.assert_allclose(
    step.velocity_error(jump, x0, mask, 2 * spread), one / 4, rtol=1e-5
  )
  hidden = mask.at[:, 3:].set(0)
  assert step.velocity_error(jump, x0, hidden, spread) < 1e-10


def test_normalisation():
  """Scales may be shared; errors of velocity stay in units of their own spread."""
  rng = np.random.default_rng(0)
  size = TINY.motion_dim
  stats = {
    'mean': rng.normal(size=size), 'std': rng.uniform(0.1, 2, size),
    'velocity': rng.uniform(0.1, 1, size), 'distance': np.array([0.1, 0.2]),
  }  # fmt: skip
  x = rng.normal(size=(5, size)).astype(np.float32)
  for kind in ('value', 'group', 'none'):
    config = dataclasses.replace(TINY, normalisation=kind)
    fitted = conditions.fitted_stats(config, stats)
    z = conditions.normalise(x, fitted)
    np.testing.assert_allclose(conditions.denormalise(z, fitted), x, atol=1e-5)
    unit = fitted['velocity'] * fitted['std']
    np.testing.assert_allclose(unit, stats['velocity'] * stats['std'], rtol=1e-5)
    different = len(np.unique(np.asarray(fitted['std'])))
    assert different == {'value': size, 'group': 2, 'none': 1}[kind]


def test_null_emotion_means_neutral():
  batch = make_batch(TINY, b=400)
  batch['emotion'][:200] = 1 / 8
  keep = step.draw_keep(TINY, batch, jax.random.key(0))
  assert np.all(keep.emotion[:200]) and not np.all(keep.emotion[200:])


def test_dropped_audio_is_not_heard(params):
  config = dataclasses.replace(TINY, drop_condition=1.0)
  batch = make_batch(config)
  loud = {**batch, 'features': batch['features'] + 1.0}
  # The last layer starts at zero, and a constant would sum its normed input to zero.
  rng = np.random.default_rng(0)
  woken = jax.tree.map(lambda x: x + 0.05 * rng.normal(size=x.shape), params['params'])
  woken = {**params, 'params': woken}
  key = jax.random.key(0)
  batch['has_previous'][:] = loud['has_previous'][:] = 0
  values = [step.make_loss(config)(woken, b, key)[0] for b in (batch, loud)]
  assert values[0] == values[1]
  heard = [step.make_loss(TINY)(woken, b, key)[0] for b in (batch, loud)]
  assert abs(heard[0] - heard[1]) > 1e-3


def fingerprint(config):
  """What a setting can change: parameters, the traced loss, a window and its options,
  the padded audio, the checks."""
  batch = jax.eval_shape(lambda: jax.tree.map(jnp.asarray, make_batch(config)))
  batch['emotion'] = jax.ShapeDtypeStruct((8, config.emotion_dim), jnp.float32)
  key = jax.eval_shape(lambda: jax.random.key(0))
  stats = conditions.identity_stats(config)
  stats['std'] = stats['std'].at[0].set(2.0)
  params = jax.eval_shape(lambda k: step.init_params(config, k), key)
  fitted = conditions.fitted_stats(config, stats)
  loss = jax.make_jaxpr(step.make_loss(config))(params, batch, key)
  x = np.full(config.motion_dim, -1, np.float32)
  limits = conditions.to_motion(x, config).z_dyn.tobytes()
  generator, asked = generate.MotionGenerator(config, params), []
  generator._window = lambda *args, **kwargs: (
    asked.append((np.asarray(args[2]).tobytes(), args[3], str(kwargs))),
    (np.zeros((config.window, config.motion_dim)), None),
  )[1]
  generator.params = {'stats': stats}
  asks = Controls(emotion=np.eye(config.emotion_dim)[0])
  generator.generate(np.ones((2, config.audio_dim), np.float32), asks)
  traced = str(jax.tree.leaves_with_path(params)), str(loss)
  scales = np.asarray(fitted['std']).tobytes()
  levels = np.asarray(generator.objective.path(4, config.spacing).signal).tobytes()
  past = windows.advance(
    x[None] * np.ones((config.window, 1)), np.zeros((9, 1)), config
  )
  z = jnp.zeros((1, config.window, config.motion_dim))
  bent = np.asarray(windows.joined(z, past, config)).tobytes()
  return traced, scales, levels, str(asked), limits, bent


@pytest.fixture(scope='module')
def plain():
  return fingerprint(FREE)


# What `null_is_neutral` and `anchored` forbid is tried without them.
FREE = dataclasses.replace(TINY, null_is_neutral=False, anchored=False)
CHANGES = {
  'width': 32, 'depth': 1, 'heads': 4, 'ffn': 64, 'dynamics_dim': 20, 'anchored': True,
  'audio_dim': 16, 'emotion_dim': 10, 'window': 6, 'previous': 2, 'layout': 'tokens',
  'attention': 'cached', 'positions': 'sines', 'step_enters': 'added', 'nulls': 'zero',
  'dropout': 0.3, 'normalisation': 'group', 'objective': 'flow', 'diffusion_steps': 100,
  'schedule': 'linear', 'predict': 'v', 'drop_condition': 0.2, 'drop_previous': 0.1,
  'drop_jointly': False, 'truncate': 0.7, 'truncate_most': 0.2, 'padding': 'repeat',
  'join_pose': 3, 'join_dynamics': 2, 'null_is_neutral': True,
  'velocity_weight': 0.1, 'gaze_scale': 5.0, 'distance': 'ratio',
  'guidance_audio': 2.0, 'guidance_gaze': 0.0,
  'guidance_distance': 1.0, 'guidance_emotion': 1.0, 'guidance_previous': 1.0,
  'sampling_steps': 7, 'sampler': 'dpm++', 'spacing': 'logsnr', 'dtype': 'bfloat16',
}  # fmt: skip
# What the paper leaves open (its digest's numbers), and the fields that decide it. The
# rest is decided elsewhere: 25 frames a second and the size of z_pose in `types`, how
# gaze is clustered (11) and emotion averaged (12) in `data_pipelines.motion_cache`.
OPEN = {
  1: 'window previous join_pose join_dynamics',
  3: 'diffusion_steps schedule sampler sampling_steps spacing',
  4: 'layout attention positions step_enters nulls ffn', 5: 'layout',
  6: 'hears audio_dim',
  7: 'dynamics_dim', 8: 'anchored', 9: 'normalisation', 10: 'distance',
  11: 'gaze_scale', 12: 'emotion_dim', 20: 'truncate truncate_most padding',
  21: 'drop_jointly',
  26: 'guidance_previous guidance_distance guidance_emotion',
}  # fmt: skip


@pytest.mark.parametrize('name', CHANGES)
def test_every_setting_changes_something(plain, name):
  assert fingerprint(dataclasses.replace(FREE, **{name: CHANGES[name]})) != plain


def test_all_settings_are_tested_and_explained():
  names = {field.name for field in dataclasses.fields(TINY)}
  # `hears` names what made the features: whoever reads a cache or a bundle obeys it
  # (tests/experiments/test_motion_run.py, tests/inference/test_bundle.py).
  assert names == set(CHANGES) | {'hears'}
  assert {name for chosen in OPEN.values() for name in chosen.split()} <= names
  told = type(TINY).__doc__
  assert not [name for name in names if not re.search(rf'\b{name}\b[^.]*:', told)]


def test_settings_mean_nothing_by_chance(plain):
  assert fingerprint(FREE) == plain


def test_memorises_eight_windows():
  config = dataclasses.replace(
    TINY, drop_condition=0.0, drop_previous=0.5, truncate=0.0, diffusion_steps=100
  )
  batch = make_batch(config)
  # Smooth motion that follows from its audio, as lips do.
  batch['motion'] = np.cumsum(batch['motion'], 1) / 4
  optimizer = optax.adam(3e-3)
  params = init_params(config, jax.random.key(0))
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
