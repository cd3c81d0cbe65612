"""What the settings of stage 2 reach: parameters, loss, sampler, what is handed out."""

import functools
from typing import Any

import jax
import numpy as np

from tests.experiments.keys.traces import digest, program, values
from vasa_jax.motion.config import MotionConfig, tiny
from vasa_jax.motion.generate import MotionGenerator
from vasa_jax.motion.step import init_params, make_loss
from vasa_jax.types import Controls

BASE = tiny()
# Another value, and where it has to show. Settings that fit only together with others
# bring these with them, in the base as well.
CHANGES: dict[str, tuple[Any, str]] = {
  'width': (32, 'init'),
  'depth': (1, 'init'),
  'heads': (4, 'init'),
  'ffn': (64, 'init'),
  'dynamics_dim': (20, 'init'),
  'anchored': (False, 'made'),
  'audio_dim': (32, 'init'),
  'emotion_dim': (7, 'init'),
  'window': (6, 'init'),
  'previous': (4, 'init'),
  'layout': ('tokens', 'init'),
  'attention': ('cached', 'loss'),
  'positions': ('sines', 'init'),
  'step_enters': ('added', 'loss'),
  'nulls': ('zero', 'init'),
  'dropout': (0.1, 'loss'),
  'normalisation': ('group', 'init'),
  'objective': ('flow', 'loss'),
  'diffusion_steps': (500, 'loss'),
  'schedule': ('linear', 'loss'),
  'predict': ('noise', 'loss'),
  'drop_condition': (0.2, 'loss'),
  'drop_previous': (0.3, 'loss'),
  'drop_jointly': (False, 'loss'),
  'truncate': (0.1, 'loss'),
  'truncate_most': (0.25, 'loss'),
  'padding': ('repeat', 'made'),
  'join_pose': (0, 'sampler'),
  'join_dynamics': (0, 'sampler'),
  'null_is_neutral': (False, 'loss'),
  'velocity_weight': (0.0, 'loss'),
  'gaze_scale': (10.0, 'loss'),
  'distance': ('ratio', 'loss'),
  'guidance_audio': (0.0, 'sampler'),
  'guidance_gaze': (2.0, 'made'),
  'guidance_distance': (1.0, 'sampler'),
  'guidance_emotion': (0.0, 'sampler'),
  'guidance_previous': (1.0, 'sampler'),
  'sampling_steps': (3, 'sampler'),
  'sampler': ('dpm++', 'sampler'),
  'spacing': ('trailing', 'sampler'),
  'dtype': ('bfloat16', 'loss'),
}
WITH = {
  'dynamics_dim': {'anchored': False},
  'emotion_dim': {'null_is_neutral': False},
}


def _stats(config: MotionConfig) -> dict[str, np.ndarray]:
  """Statistics in which every value differs."""
  from vasa_jax.motion.conditions import identity_stats

  rng = np.random.default_rng(0)
  given = identity_stats(config)
  return {
    name: rng.uniform(0.5, 2, np.shape(given[name])).astype(np.float32)
    for name in sorted(given)
  }


def init(config: MotionConfig) -> str:
  """The program that makes the parameters, and what becomes of the statistics."""
  stats = _stats(config)
  return program(lambda key: init_params(config, key, stats), jax.random.key(0))


@functools.cache
def _shapes(config: MotionConfig):
  return jax.eval_shape(lambda key: init_params(config, key), jax.random.key(0))


def loss(config: MotionConfig) -> str:
  """The program of the loss on a batch."""
  b, w, k = 2, config.window, config.previous

  def numbers(*shape):
    return jax.ShapeDtypeStruct(shape, np.float32)

  batch = {
    'features': numbers(b, k + w, config.audio_dim),
    'motion': numbers(b, k + w, config.motion_dim),
    'gaze': numbers(b, 2),
    'distance': numbers(b, 1),
    'emotion': numbers(b, config.emotion_dim),
    'mask': numbers(b, w),
    'has_previous': numbers(b),
  }
  return program(make_loss(config), _shapes(config), batch, jax.random.key(0))


def _generated(config: MotionConfig, keep: list) -> Any:
  """Motion of a speech of one and a half windows by a window that is all ones."""
  zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), _shapes(config))
  generator = MotionGenerator(config, {**zeros, 'stats': _stats(config)})

  def window(*args, **settings):
    keep.append((generator, args, settings))
    return 3 * np.ones((config.window, config.motion_dim), np.float32), args[1]

  generator._window = window
  frames = config.window + config.window // 2
  features = np.arange(frames)[:, None] * np.ones((1, config.audio_dim), np.float32)
  controls = Controls(
    gaze=np.array([5.0, 3.0]), distance=np.array([1.1]),
    emotion=np.eye(config.emotion_dim, dtype=np.float32)[0],
  )  # fmt: skip
  return generator.generate(features, controls, 0)


def sampler(config: MotionConfig) -> str:
  """The program of one window, as the generator asks for it."""
  calls: list = []
  _generated(config, calls)
  generator, args, settings = calls[0]
  weights = settings.pop('weights')
  run = functools.partial(generator._sample, **settings)
  return program(lambda *a: run(*a[:-1], weights=a[-1]), *args, weights)


def made(config: MotionConfig) -> str:
  """What windows are given, and what is handed out of them."""
  calls: list = []
  motion = _generated(config, calls)
  asked = []
  for _, args, settings in calls:
    (
      _,
      past,
      features,
      count,
      wishes,
      key,
    ) = args
    asked += [values(past), values((features, np.asarray(count))), values(wishes)]
    asked += [str(jax.random.key_data(key).tolist()), values(settings.pop('weights'))]
    asked.append(str(sorted(settings.items())))
  return digest(*asked, values(motion))
