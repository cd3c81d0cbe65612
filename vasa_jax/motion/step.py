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
from vasa_jax.motion import diffusion
from vasa_jax.motion.conditions import Conditions, Keep, Stats
from vasa_jax.motion.config import MotionConfig
from vasa_jax.motion.transformer import MotionTransformer
from vasa_jax.types import EMOTIONS, POSE_DIM, Array

Batch = Mapping[str, Array]
Loss = Callable[[Any, Batch, Array], tuple[Array, dict[str, Array]]]


def init_params(
  config: MotionConfig, key: Array, stats: Stats | None = None
) -> dict[str, Any]:
  """`{'params': trained, 'stats': given}`; statistics that change nothing by default.

  The statistics live with the weights, in arrays of one axis that get no gradient and
  no weight decay, so that no file can part them from the weights they belong to.
  """
  b, k, w = 1, config.previous, config.window
  one = jnp.ones(b, bool)
  empty = Conditions(
    previous_motion=jnp.zeros((b, k, config.motion_dim)),
    previous_features=jnp.zeros((b, k, config.audio_dim)),
    features=jnp.zeros((b, w, config.audio_dim)),
    gaze=jnp.zeros((b, 2)),
    distance=jnp.zeros((b, 1)),
    emotion=jnp.zeros((b, len(EMOTIONS))),
    keep=Keep(one, jnp.ones((b, w), bool), one, one, one),
  )
  x_t, t = jnp.zeros((b, w, config.motion_dim)), jnp.zeros(b, jnp.int32)
  params = MotionTransformer(config).init(key, x_t, t, empty)['params']
  stats = conditions_lib.identity_stats(config) if stats is None else stats
  return {'params': params, 'stats': jax.tree.map(jnp.asarray, dict(stats))}


def count_params(config: MotionConfig) -> int:
  """Trained parameters of a config, without allocating them."""
  shapes = jax.eval_shape(lambda key: init_params(config, key), jax.random.key(0))
  return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(shapes['params']))


def draw_keep(config: MotionConfig, batch: Batch, key: Array) -> Keep:
  """Which conditions a training sample is given (VASA-1 section 3.2).

  Audio, gaze, distance and emotion are null with `drop_condition` each, X_pre and A_pre
  together with `drop_previous`, and the last frames of the audio with `truncate`.
  """
  b, w = batch['mask'].shape
  keys = jax.random.split(key, 7)

  def kept(i: int, rate: float) -> Array:
    return jax.random.uniform(keys[i], (b,)) >= rate

  most = max(1, round(config.truncate_most * w))
  lost = jax.random.randint(keys[5], (b,), 1, most + 1) * ~kept(6, config.truncate)
  heard = jnp.arange(w) < (w - lost)[:, None]
  heard &= batch['mask'] > 0
  emotion = kept(4, config.drop_condition)
  if config.null_is_neutral:
    emotion |= batch['emotion'][:, EMOTIONS.index('neutral')] < 0.99
  return Keep(
    previous=kept(0, config.drop_previous) & (batch['has_previous'] > 0),
    audio=heard & kept(1, config.drop_condition)[:, None],
    gaze=kept(2, config.drop_condition),
    distance=kept(3, config.drop_condition),
    emotion=emotion,
  )


def make_loss(config: MotionConfig) -> Loss:
  """`loss(params, batch, key) -> (value, metrics)`, averaged over the batch.

  Metrics: `x0` (mean squared error of the clean motion), `pose` and `dynamics` (its two
  parts) and `velocity`, all of z-scored motion.
  """
  model = MotionTransformer(config)
  levels = diffusion.schedule(config)

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
      distance=conditions_lib.normalise_distance(batch['distance'], stats),
      emotion=batch['emotion'],
      keep=draw_keep(config, batch, keep_key),
    )

    # 2. Noise, prediction.
    t = jax.random.randint(t_key, x0.shape[:1], 0, config.diffusion_steps)
    noise = jax.random.normal(noise_key, x0.shape)
    x_t = diffusion.corrupt(x0, t, noise, levels)
    out = model.apply(
      {'params': params['params']},
      x_t,
      t,
      given,
      deterministic=not config.dropout,
      rngs={'dropout': drop_key},
    )

    # 3. Errors.
    aim = diffusion.target(config.predict, x0, noise, t, levels)
    value = diffusion.masked_mean((out - aim) ** 2, mask)
    x0_hat = diffusion.views(config.predict, out, x_t, t, levels).x0
    squared = (x0_hat - x0) ** 2
    velocity = diffusion.velocity_error(x0_hat, x0, mask, stats['velocity'])
    metrics = {
      'x0': diffusion.masked_mean(squared, mask),
      'pose': diffusion.masked_mean(squared[..., :POSE_DIM], mask),
      'dynamics': diffusion.masked_mean(squared[..., POSE_DIM:], mask),
      'velocity': velocity,
    }
    if config.velocity_weight:
      value = value + config.velocity_weight * velocity
    return value, metrics

  return loss
