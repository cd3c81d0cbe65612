"""Speech features in, motion out: windows one after another, in constant memory."""

import functools
from collections.abc import Iterable, Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UsageError, UserError
from vasa_jax.motion import conditions as conditions_lib
from vasa_jax.motion import diffusion, sampler, windows
from vasa_jax.motion.conditions import Conditions, Keep, Stats, Wishes
from vasa_jax.motion.config import MotionConfig
from vasa_jax.motion.transformer import MotionTransformer
from vasa_jax.types import Array, Controls, Motion


def network_x0(
  config: MotionConfig, params: Mapping[str, Stats], levels: diffusion.Schedule
) -> sampler.Network:
  """The trained network as a function `(x_t, t, conditions) -> x0`."""
  model = MotionTransformer(config)

  def network(x_t: Array, t: Array, conditions: Conditions) -> Array:
    out = model.apply({'params': params['params']}, x_t, t, conditions)
    return diffusion.views(config.predict, out, x_t, t, levels).x0

  return network


def window_conditions(
  past: windows.Past, features: Array, count: Array, wishes: Wishes
) -> Conditions:
  """Conditions of one window, as a batch of one.

  Args:
    past: the frames before.
    features: `(w, a)`, of which the first `count` are real.
    wishes: the user's controls, normalised.
  """
  given = jnp.ones(1, bool)
  return Conditions(
    previous_motion=past.motion[None],
    previous_features=past.features[None],
    features=features[None],
    gaze=wishes.gaze[None],
    distance=wishes.distance[None],
    emotion=wishes.emotion[None],
    keep=Keep(
      previous=past.known[None],
      audio=(jnp.arange(features.shape[0]) < count)[None],
      gaze=given,
      distance=given,
      emotion=wishes.emotion_given[None],
    ),
  )


class MotionGenerator:
  """Samples motion for speech.

  The same seed, features and controls give the same motion, however the features are
  chunked. One program is compiled for each set of guided conditions and each number of
  steps; `traces` counts them.

  Args:
    config: as trained.
    params: `{'params': ..., 'stats': ...}` as `motion.step.init_params` lays them out.
  """

  def __init__(self, config: MotionConfig, params: Mapping[str, Stats]):
    self.config = config
    self.params = params
    self.levels = diffusion.schedule(config)
    self.defaults = {
      'steps': config.sampling_steps,
      'audio': config.guidance_audio,
      'gaze': config.guidance_gaze,
    }
    self.traces = 0
    self._window = jax.jit(self._sample, static_argnames=('steps', 'names'))

  def _sample(
    self,
    params: Mapping[str, Stats],
    past: windows.Past,
    features: Array,
    count: Array,
    wishes: Wishes,
    key: Array,
    weights: Array,
    *,
    steps: int,
    names: tuple[str, ...],
  ) -> tuple[Array, windows.Past]:
    self.traces += 1  # runs only while tracing
    config = self.config
    network = network_x0(config, params, self.levels)
    given = window_conditions(past, features, count, wishes)
    noise = jax.random.normal(key, (1, config.window, config.motion_dim))
    z = sampler.sample(
      functools.partial(
        self._guided, network=network, given=given, names=names, weights=weights
      ),
      noise,
      self.levels,
      steps,
    )[0]
    motion = conditions_lib.denormalise(z, params['stats'])
    return motion, windows.advance(z, features, config)

  def _guided(self, x_t, t, *, network, given, names, weights) -> Array:
    return sampler.guided(network, x_t, t, given, names, weights)

  def windows(
    self,
    feature_chunks: Iterable[np.ndarray],
    controls: Controls | None = None,
    key: Array | int = 0,
    steps: int | None = None,
    guidance_audio: float | None = None,
    guidance_gaze: float | None = None,
  ) -> Iterator[Motion]:
    """Motion of one window after another.

    Args:
      feature_chunks: `(t_i, a)` audio features at 25 Hz, chunks of any length.
      controls: gaze, distance, emotion; each may change over time as `(t, n)`.
      key: seed, or a `jax.random.key`.
      steps, guidance_audio, guidance_gaze: None takes the config's.

    Yields:
      `Motion` of `(t, 6)` and `(t, k)` numpy float32, W frames each, the last fewer.

    Raises:
      UsageError: impossible steps or controls, or features of another size.
      UserError: there is no audio at all.
    """
    config = self.config
    controls = controls or Controls()
    conditions_lib.check_controls(controls)
    given = {'steps': steps, 'audio': guidance_audio, 'gaze': guidance_gaze}
    wanted = {
      name: self.defaults[name] if value is None else value
      for name, value in given.items()
    }
    steps = wanted.pop('steps')
    if not 1 <= steps <= config.diffusion_steps:
      raise UsageError(f'steps={steps} must lie in 1..{config.diffusion_steps}')
    names = tuple(name for name, weight in wanted.items() if weight)
    weights = jnp.array([wanted[name] for name in names], jnp.float32)
    key = jax.random.key(key) if isinstance(key, int) else key
    return self._stream(feature_chunks, controls, key, steps, names, weights)

  def _stream(self, chunks, controls, key, steps, names, weights) -> Iterator[Motion]:
    config = self.config
    past, start = windows.no_past(config), 0
    for i, block in enumerate(windows.blocks(chunks, config.window)):
      if block.features.shape[1] != config.audio_dim:
        raise UsageError(
          f'these weights hear {config.audio_dim} audio features a frame, not '
          f'{block.features.shape[1]}'
        )
      motion, past = self._window(
        self.params,
        past,
        block.features,
        block.count,
        conditions_lib.wishes(
          controls, start, block.count, config, self.params['stats']
        ),
        jax.random.fold_in(key, i),
        weights,
        steps=steps,
        names=names,
      )
      start += block.count
      motion = conditions_lib.to_motion(np.asarray(motion)[: block.count], config)
      yield jax.tree.map(np.asarray, motion)
    if not start:
      raise UserError('the audio is empty: there is nothing to say')

  def generate(self, features: np.ndarray, *args, **kwargs) -> Motion:
    """Motion of a whole recording: `windows` of `features (t, a)`, joined."""
    parts = list(self.windows([features], *args, **kwargs))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
