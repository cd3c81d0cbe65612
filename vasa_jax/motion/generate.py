"""Speech features in, motion out: windows one after another, in constant memory."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UsageError, UserError
from vasa_jax.motion import conditions as conditions_lib
from vasa_jax.motion import guidance, sampler, windows
from vasa_jax.motion.conditions import CONDITIONS, Conditions, Keep, Stats, Wishes
from vasa_jax.motion.config import MotionConfig
from vasa_jax.motion.objective import make_objective
from vasa_jax.motion.transformer import MotionTransformer
from vasa_jax.types import Array, Controls, Motion


def window_conditions(
  past: windows.Past, features: Array, count: Array, wishes: Wishes
) -> Conditions:
  """Conditions of one window, as a batch of one.

  Args:
    past: the frames before.
    features: `(w, a)`, of which the first `count` are heard.
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
      previous_motion=past.known[None],
      previous_audio=past.known[None],
      audio=(jnp.arange(features.shape[0]) < count)[None],
      gaze=given,
      distance=given,
      emotion=wishes.emotion_given[None],
    ),
  )


class MotionGenerator:
  """Samples motion for speech.

  The same seed, features and controls give the same motion, however the features are
  chunked. One program is compiled for each set of guided conditions, number of steps
  and sampler; `traces` counts those that this process has traced.

  Args:
    config: as trained.
    params: `{'params': ..., 'stats': ...}` as `motion.step.init_params` lays them out.
    jit: what compiles the sampler, with `jax.jit`'s `static_argnames`.
  """

  def __init__(
    self,
    config: MotionConfig,
    params: Mapping[str, Stats],
    jit: Callable[..., Any] = jax.jit,
  ):
    self.config = config
    self.params = params
    self.model = MotionTransformer(config)
    self.objective = make_objective(config)
    self.traces = 0
    names = ('steps', 'names', 'kind', 'spacing')
    self._window = jit(self._sample, static_argnames=names)

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
    kind: str,
    spacing: str,
  ) -> tuple[Array, windows.Past]:
    self.traces += 1  # runs only while tracing
    config = self.config
    given = window_conditions(past, features, count, wishes)
    noise = jax.random.normal(key, (1, config.window, config.motion_dim))
    predict = self._predictor(params, given, names, weights)

    def going_on(x_t: Array, t: Array) -> Array:
      return windows.joined(predict(x_t, t), past, config)

    z = sampler.sample(self.objective, going_on, noise, steps, kind, spacing)[0]
    motion = conditions_lib.denormalise(z, params['stats'])
    return motion, windows.advance(z, features, config)

  def _predictor(
    self,
    params: Mapping[str, Stats],
    given: Conditions,
    names: tuple[str, ...],
    weights: Array,
  ) -> Callable[[Array, Array], Array]:
    """The guided network `(x_t (b, w, m), t (b,)) -> x0`, conditions encoded once."""
    variables, copies = {'params': params['params']}, 1 + len(names)
    joined = guidance.variants(given, names)
    context = self.model.apply(variables, joined, method='encode')

    def predict(x_t: Array, t: Array) -> Array:
      x_t, t = guidance.repeated(x_t, copies), guidance.repeated(t, copies)
      out = self.model.apply(variables, x_t, t, context, method='denoise')
      return guidance.combine(self.objective.to_x0(out, x_t, t), weights)

    return predict

  def windows(
    self,
    feature_chunks: Iterable[np.ndarray],
    controls: Controls | None = None,
    key: Array | int = 0,
    steps: int | None = None,
    guidance_audio: float | None = None,
    guidance_gaze: float | None = None,
    *,
    guidance_distance: float | None = None,
    guidance_emotion: float | None = None,
    guidance_previous: float | None = None,
    sampler: str | None = None,
    spacing: str | None = None,
  ) -> Iterator[Motion]:
    """Motion of one window after another.

    Args:
      feature_chunks: `(t_i, a)` audio features at 25 Hz, chunks of any length.
      controls: gaze, distance, emotion; each may change over time as `(t, n)`.
      key: seed, or a `jax.random.key`.
      steps, sampler, spacing, guidance_*: see `MotionConfig`; None takes the config's.

    Yields:
      `Motion` of `(t, 6)` and `(t, k)` numpy float32, W frames each, the last fewer.

    Raises:
      UsageError: impossible steps or controls, or features of another size.
      UserError: there is no audio at all.
    """
    config = self.config
    controls = controls or Controls()
    conditions_lib.check_controls(controls, config)
    chosen = {
      'sampling_steps': steps,
      'sampler': sampler,
      'spacing': spacing,
      'guidance_audio': guidance_audio,
      'guidance_gaze': guidance_gaze,
      'guidance_distance': guidance_distance,
      'guidance_emotion': guidance_emotion,
      'guidance_previous': guidance_previous,
    }
    chosen = {name: value for name, value in chosen.items() if value is not None}
    config = dataclasses.replace(config, **chosen)  # which checks them
    # Without a wish it is null anyway: leaving it out would change nothing.
    null = {'emotion'} if controls.emotion is None else set()
    names = tuple(n for n in CONDITIONS if config.guidance[n] and n not in null)
    weights = np.array([config.guidance[name] for name in names], np.float32)
    settings = {
      'weights': weights,
      'names': names,
      'steps': config.sampling_steps,
      'kind': config.sampler,
      'spacing': config.spacing,
    }
    key = jax.random.key(key) if isinstance(key, int) else key
    return self._stream(feature_chunks, controls, key, settings)

  def _stream(self, chunks, controls, key, settings) -> Iterator[Motion]:
    config = self.config
    past, start = windows.no_past(config), 0
    cut = windows.blocks(chunks, config.window, config.padding)
    for i, block in enumerate(cut):
      if block.features.shape[1] != config.audio_dim:
        raise UsageError(
          f'these weights hear {config.audio_dim} audio features a frame, not '
          f'{block.features.shape[1]}'
        )
      motion, past = self._window(
        self.params,
        past,
        block.features,
        block.count if config.padding == 'null' else config.window,
        conditions_lib.wishes(
          controls, start, block.count, config, self.params['stats']
        ),
        jax.random.fold_in(key, i),
        **settings,
      )
      start += block.count
      yield conditions_lib.to_motion(np.asarray(motion)[: block.count], config)
    if not start:
      raise UserError('the audio is empty: there is nothing to say')

  def generate(self, features: np.ndarray, *args, **kwargs) -> Motion:
    """Motion of a whole recording: `windows` of `features (t, a)`, joined."""
    parts = list(self.windows([features], *args, **kwargs))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
