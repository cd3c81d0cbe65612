"""The loss of stage 2 as a pure function, and the parameters it starts from.

A batch (numpy or jax, from `data_pipelines.motion_cache`):
    features      (b, k + w, a) float32 audio features; the first K frames are the past
    motion        (b, k + w, m) float32 z_pose and z_dyn
    gaze          (b, 2) degrees; distance (b, 1) ratio; emotion (b, 8) scores
    mask          (b, w) 1 where the window has a frame, 0 past the end of the clip
    has_previous  (b,) 1 where the K frames are real, 0 at the start of a clip
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from vasa_jax.motion import conditions as conditions_lib
from vasa_jax.motion.conditions import Conditions, Keep, Stats
from vasa_jax.motion.config import MotionConfig
from vasa_jax.motion.objective import make_objective
from vasa_jax.motion.transformer import MotionTransformer
from vasa_jax.types import EMOTIONS, POSE_DIM, Array

Batch = Mapping[str, Array]
Loss = Callable[[Any, Batch, Array], tuple[Array, dict[str, Array]]]


def init_params(
  config: MotionConfig, key: Array, stats: Stats | None = None
) -> dict[str, Any]:
  """`{'params': trained, 'stats': given}`; statistics that change nothing by default.

  Args:
    stats: of single values, see `conditions.identity_stats`; `config.normalisation`
      says what is made of them.

  The statistics live with the weights, in arrays of one axis that get no gradient and
  no weight decay, so that no file can part them from the weights they belong to.
  """
  x_t = jnp.zeros((1, config.window, config.motion_dim))
  given = conditions_lib.nothing(config)
  params = MotionTransformer(config).init(key, x_t, jnp.zeros(1), given)['params']
  stats = conditions_lib.identity_stats(config) if stats is None else stats
  return {'params': params, 'stats': conditions_lib.fitted_stats(config, stats)}


def count_params(config: MotionConfig) -> int:
  """Trained parameters of a config, without allocating them."""
  shapes = jax.eval_shape(lambda key: init_params(config, key), jax.random.key(0))
  return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(shapes['params']))


def draw_keep(config: MotionConfig, batch: Batch, key: Array) -> Keep:
  """Which conditions a training sample is given (VASA-1 section 3.2).

  Audio, gaze, distance and emotion are null with `drop_condition` each, X_pre and A_pre
  with `drop_previous`, and the last frames of the audio with `truncate`.
  """
  b, w = batch['mask'].shape
  keys = jax.random.split(key, 8)

  def kept(i: int, rate: float) -> Array:
    return jax.random.uniform(keys[i], (b,)) >= rate

  most = max(1, round(config.truncate_most * w))
  lost = jax.random.randint(keys[5], (b,), 1, most + 1) * ~kept(6, config.truncate)
  heard = jnp.arange(w) < (w - lost)[:, None]
  heard &= batch['mask'] > 0
  emotion = kept(4, config.drop_condition)
  if config.null_is_neutral:
    emotion |= batch['emotion'][:, EMOTIONS.index('neutral')] < 0.99
  real = batch['has_previous'] > 0
  moved = kept(0, config.drop_previous)
  return Keep(
    previous_motion=moved & real,
    previous_audio=(moved if config.drop_jointly else kept(7, config.drop_previous))
    & real,
    audio=heard & kept(1, config.drop_condition)[:, None],
    gaze=kept(2, config.drop_condition),
    distance=kept(3, config.drop_condition),
    emotion=emotion,
  )


def masked_mean(values: Array, mask: Array) -> Array:
  """Mean of `(b, w, m)` over the frames where `mask` `(b, w)` is 1."""
  total = (values * mask[..., None]).sum()
  return total / jnp.maximum(mask.sum() * values.shape[-1], 1.0)


def velocity_error(x0_hat: Array, x0: Array, mask: Array, spread: Array) -> Array:
  """Mean squared error of frame-to-frame differences, in units of their own spread.

  Args:
    x0_hat, x0: `(b, w, m)` z-scored motion.
    mask: `(b, w)`.
    spread: `(m,)` deviation of the differences of `x0` over the training set.
  """
  error = jnp.diff(x0_hat, axis=1) - jnp.diff(x0, axis=1)
  return masked_mean((error / spread) ** 2, mask[:, 1:] * mask[:, :-1])


def make_loss(config: MotionConfig) -> Loss:
  """`loss(params, batch, key) -> (value, metrics)`, averaged over the batch.

  Metrics: `x0` (mean squared error of the clean motion), `pose` and `dynamics` (its two
  parts) and `velocity`, all of z-scored motion.
  """
  model = MotionTransformer(config)
  objective = make_objective(config)

  def loss(params, batch, key):
    stats = jax.lax.stop_gradient(params['stats'])
    k, mask = config.previous, batch['mask']
    keep_key, t_key, noise_key, drop_key = jax.random.split(key, 4)

    # 1. The pair: clean motion and what the network is told.
    z = conditions_lib.normalise(batch['motion'], stats)
    x0 = z[:, k:]
    given = Conditions(
      previous_motion=z[:, :k],
      previous_features=batch['features'][:, :k],
      features=batch['features'][:, k:],
      gaze=conditions_lib.normalise_gaze(batch['gaze'], config),
      distance=conditions_lib.normalise_distance(batch['distance'], stats, config),
      emotion=batch['emotion'],
      keep=draw_keep(config, batch, keep_key),
    )

    # 2. Noise, prediction.
    t = objective.draw(t_key, len(x0))
    noise = jax.random.normal(noise_key, x0.shape)
    x_t = objective.corrupt(x0, t, noise)
    out = model.apply(
      {'params': params['params']},
      x_t,
      t,
      given,
      deterministic=not config.dropout,
      rngs={'dropout': drop_key},
    )

    # 3. Errors.
    value = masked_mean((out - objective.target(x0, noise, t)) ** 2, mask)
    x0_hat = objective.to_x0(out, x_t, t)
    squared = (x0_hat - x0) ** 2
    velocity = velocity_error(x0_hat, x0, mask, stats['velocity'])
    metrics = {
      'x0': masked_mean(squared, mask),
      'pose': masked_mean(squared[..., :POSE_DIM], mask),
      'dynamics': masked_mean(squared[..., POSE_DIM:], mask),
      'velocity': velocity,
    }
    if config.velocity_weight:
      value = value + config.velocity_weight * velocity
    return value, metrics

  return loss
