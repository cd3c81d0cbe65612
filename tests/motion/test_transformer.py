"""The transformer: sizes, nulls, equivariance, layouts."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.errors import UsageError
from vasa_jax.motion import config as config_lib
from vasa_jax.motion import step
from vasa_jax.motion.conditions import CONDITIONS, Conditions, Keep
from vasa_jax.motion.guidance import without
from vasa_jax.motion.transformer import MotionTransformer

TINY = config_lib.tiny()
init_params = jax.jit(step.init_params, static_argnums=0)
B = 3


def inputs(config, b=B):
  keys = iter(jax.random.split(jax.random.key(7), 8))

  def normal(*shape):
    return jax.random.normal(next(keys), shape)

  given = jnp.ones(b, bool)
  conditions = Conditions(
    previous_motion=normal(b, config.previous, config.motion_dim),
    previous_features=normal(b, config.previous, config.audio_dim),
    features=normal(b, config.window, config.audio_dim),
    gaze=normal(b, 2),
    distance=normal(b, 1),
    emotion=normal(b, 8),
    keep=Keep(given, given, jnp.ones((b, config.window), bool), given, given, given),
  )
  return normal(b, config.window, config.motion_dim), jnp.arange(b) * 300, conditions


def awake(params):
  """No parameter at zero, so that everything reaches the output."""
  rng = np.random.default_rng(3)
  return jax.tree.map(
    lambda x: np.float32(np.asarray(x) + 0.1 * rng.normal(size=x.shape)), params
  )


@pytest.fixture(scope='module', params=['channels joint', 'tokens cached'])
def net(request):
  layout, attention = request.param.split()
  config = dataclasses.replace(TINY, layout=layout, attention=attention)
  params = awake(init_params(config, jax.random.key(0))['params'])
  model = MotionTransformer(config)
  return config, jax.jit(lambda *args: model.apply({'params': params}, *args))


@pytest.mark.parametrize(
  'preset, low, high', [('paper', 27e6, 31e6), ('lite', 1e6, 10e6), ('tiny', 0, 1e6)]
)
def test_size_of_presets(preset, low, high):
  assert low <= step.count_params(getattr(config_lib, preset)()) <= high


def test_paper_is_as_published():
  paper = config_lib.paper()
  assert (paper.depth, paper.width, paper.heads) == (8, 512, 8)
  assert (paper.drop_condition, paper.drop_previous) == (0.1, 0.5)
  assert (paper.guidance_audio, paper.guidance_gaze) == (0.5, 1.0)
  assert paper.sampling_steps == 50 and paper.predict == 'x0'
  assert paper.velocity_weight == 0 and paper.layout == 'tokens'


def test_starts_at_the_mean():
  variables = {'params': init_params(TINY, jax.random.key(0))['params']}
  apply = jax.jit(MotionTransformer(TINY).apply)
  assert not np.any(apply(variables, *inputs(TINY)))


def test_batch_order_does_not_matter(net):
  config, apply = net
  x_t, t, conditions = inputs(config)
  order = jnp.array([2, 0, 1])
  turned = apply(*jax.tree.map(lambda x: x[order], (x_t, t, conditions)))
  np.testing.assert_allclose(turned, apply(x_t, t, conditions)[order], atol=2e-5)


@pytest.mark.parametrize('name', CONDITIONS)
def test_null_replaces_its_condition(net, name):
  config, apply = net
  x_t, t, conditions = inputs(config)
  plain, null = apply(x_t, t, conditions), apply(x_t, t, without(conditions, name))
  assert np.abs(plain - null).max() > 1e-2
  # What a null stands for is not heard any more.
  fields = {
    'previous': ('previous_motion', 'previous_features'), 'audio': ('features',)
  }.get(name, (name,))  # fmt: skip
  other = conditions.replace(**{f: getattr(conditions, f) + 1 for f in fields})
  assert np.abs(apply(x_t, t, other) - plain).max() > 1e-2
  np.testing.assert_array_equal(apply(x_t, t, without(other, name)), null)


def test_audio_is_null_by_frame(net):
  config, apply = net
  x_t, t, conditions = inputs(config)
  heard = jnp.ones((B, config.window), bool).at[:, 5:].set(False)
  cut = conditions.replace(keep=conditions.keep.replace(audio=heard))
  noisy = cut.replace(features=cut.features.at[:, 5:].add(3.0))
  np.testing.assert_array_equal(apply(x_t, t, cut), apply(x_t, t, noisy))
  early = cut.replace(features=cut.features.at[:, 4].add(3.0))
  assert np.abs(apply(x_t, t, cut) - apply(x_t, t, early)).max() > 1e-2


def test_diffusion_step_matters(net):
  config, apply = net
  x_t, t, conditions = inputs(config)
  assert np.abs(apply(x_t, t + 50, conditions) - apply(x_t, t, conditions)).max() > 1e-2


def test_conditions_are_encoded_once():
  """What `encode` and `denoise` make of a call is the call, in every arrangement."""
  x_t, t, conditions = inputs(TINY)
  for layout in ('tokens', 'channels'):
    for attention in ('joint', 'cached'):
      config = dataclasses.replace(TINY, layout=layout, attention=attention)
      params = awake(init_params(config, jax.random.key(0))['params'])
      model, params = MotionTransformer(config), {'params': params}
      apply = jax.jit(model.apply, static_argnames='method')
      context = apply(params, conditions, method='encode')
      found = apply(params, x_t, t, context, method='denoise')
      whole = apply(params, x_t, t, conditions)
      np.testing.assert_allclose(found, whole, atol=1e-6)
      # One set of keys and values a layer, of all conditions, or none.
      count = config.previous
      if layout == 'tokens':  # and gaze, distance, emotion, A_pre, A
        count += 3 + config.previous + config.window
      assert len(context.memory) == (config.depth if attention == 'cached' else 0)
      for seen in context.memory:
        assert seen.keys.shape[:2] == seen.values.shape[:2] == (B, count)


def test_cached_is_joint_under_a_mask():
  """Layer by layer: conditions attend to conditions, motion to everything."""
  config = dataclasses.replace(TINY, layout='tokens', attention='cached', depth=1)
  params = awake(init_params(config, jax.random.key(0))['params'])
  cached, joint = (
    MotionTransformer(dataclasses.replace(config, attention=kind))
    for kind in ('cached', 'joint')
  )
  # With one layer the motion has only ever seen conditions that saw nothing yet.
  args = {'params': params}, *inputs(config)
  found, wanted = (jax.jit(net.apply)(*args) for net in (cached, joint))
  np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_bfloat16_is_near(net):
  config, apply = net
  params = awake(init_params(config, jax.random.key(0))['params'])
  half = MotionTransformer(dataclasses.replace(config, dtype='bfloat16'))
  arguments = inputs(config)
  out = jax.jit(half.apply)({'params': params}, *arguments)
  plain = apply(*arguments)
  assert out.dtype == jnp.float32
  error = np.abs(out - plain).mean() / np.abs(plain).mean()
  assert 0 < error < 0.05


@pytest.mark.parametrize(
  'change',
  [
    {'layout': 'sideways'},
    {'schedule': 'none'},
    {'width': 65},
    {'heads': 3},
    {'previous': 9},
    {'previous': 0},
    {'dynamics_dim': 10},
    {'sampling_steps': 0},
    {'dtype': 'float16'},
    {'emotion_dim': 2},
    {'sampler': 'euler'},
  ],
)
def test_impossible_configs_say_so(change):
  with pytest.raises(UsageError, match=next(iter(change))):
    dataclasses.replace(TINY, **change)
