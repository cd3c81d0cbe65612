"""H: the transformer encoder that predicts a clean motion window (VASA-1 section 3.2).

    tokens    [t, g, d, e, X_pre (k), A_pre (k), A (w), X_t (w)]
    channels  [t, g, d, e, X_pre + A_pre (k), A + X_t (w)]

Every token carries a learned type embedding. Frames also carry a learned embedding of
their time in -K .. W-1, the same for motion and for audio, so that a motion frame can
find its audio frame by content. A condition that is not given is replaced by a learned
null, per frame for the audio. Layers are pre-norm; the output layer starts at zero,
that is at the mean motion.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax.motion.conditions import Conditions
from vasa_jax.motion.config import MotionConfig
from vasa_jax.types import Array

_small = nn.initializers.normal(0.02)


def time_embedding(t: Array, size: int) -> Array:
  """Sines and cosines of the diffusion step. `(b,)` int to `(b, size)` float32."""
  rate = jnp.exp(-jnp.log(10_000.0) * jnp.arange(size // 2) / (size // 2))
  angle = t.astype(jnp.float32)[:, None] * rate
  return jnp.concatenate([jnp.sin(angle), jnp.cos(angle)], -1)


class EncoderLayer(nn.Module):
  """Pre-norm self-attention and feed-forward, `(b, n, width)` to the same."""

  config: MotionConfig

  @nn.compact
  def __call__(self, x: Array, deterministic: bool) -> Array:
    config = self.config
    drop = nn.Dropout(config.dropout, deterministic=deterministic)
    dtype = jnp.dtype(config.dtype)
    size = config.width // config.heads

    h = nn.LayerNorm(name='norm_attention')(x)
    qkv = nn.DenseGeneral((3, config.heads, size), dtype=dtype, name='qkv')(h)
    # [b, n, heads, size]
    h = jax.nn.dot_product_attention(qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2])
    h = nn.DenseGeneral(config.width, axis=(-2, -1), dtype=dtype, name='attended')(h)
    x = x + drop(h.astype(jnp.float32))

    h = nn.LayerNorm(name='norm_ffn')(x)
    h = nn.gelu(nn.Dense(config.ffn, dtype=dtype, name='ffn_in')(h))
    h = nn.Dense(config.width, dtype=dtype, name='ffn_out')(drop(h))
    return x + drop(h.astype(jnp.float32))


class MotionTransformer(nn.Module):
  """Predicts the window from its noised version and the conditions.

  Arguments of the call:
    x_t: `(b, w, m)` noised z-scored motion.
    t: `(b,)` int32 diffusion step.
    conditions: see `Conditions`.
    deterministic: False turns dropout on and needs an rng named 'dropout'.

  Returns `(b, w, m)` float32: x0, the noise, or v, as `config.predict` says.
  """

  config: MotionConfig

  @nn.compact
  def __call__(
    self, x_t: Array, t: Array, conditions: Conditions, deterministic: bool = True
  ) -> Array:
    config, keep = self.config, conditions.keep
    width, dtype = config.width, jnp.dtype(config.dtype)

    def dense(name: str, value: Array, size: int = width) -> Array:
      return nn.Dense(size, dtype=dtype, name=name)(value).astype(jnp.float32)

    def or_null(name: str, value: Array, given: Array) -> Array:
      null = self.param(f'null_{name}', _small, (width,))
      given = given.reshape(given.shape + (1,) * (value.ndim - given.ndim))
      return jnp.where(given, value, null)

    def typed(name: str, value: Array) -> Array:
      return value + self.param(f'type_{name}', _small, (width,))

    # 1. One token each: diffusion step, gaze, distance, emotion.
    time = nn.silu(dense('time_in', time_embedding(t, width), config.ffn))
    heads = [typed('time', dense('time_out', time))]
    for name in ('gaze', 'distance', 'emotion'):
      value = dense(name, getattr(conditions, name))
      heads.append(typed(name, or_null(name, value, getattr(keep, name))))
    heads = jnp.stack(heads, 1)

    # 2. Frames.
    frame = self.param('frame', _small, (config.previous + config.window, width))
    past, present = frame[: config.previous], frame[config.previous :]
    x_pre = or_null('x_pre', dense('x_pre', conditions.previous_motion), keep.previous)
    a_pre = or_null(
      'a_pre', dense('a_pre', conditions.previous_features), keep.previous
    )
    audio = or_null('audio', dense('audio', conditions.features), keep.audio)
    noised = dense('x_t', x_t)
    if config.layout == 'tokens':
      parts = [
        typed('x_pre', x_pre + past),
        typed('a_pre', a_pre + past),
        typed('audio', audio + present),
        typed('x_t', noised + present),
      ]
    else:
      parts = [
        typed('previous', x_pre + a_pre + past),
        typed('x_t', audio + noised + present),
      ]

    # 3. The encoder; the last W tokens are the window.
    x = jnp.concatenate([heads, *parts], 1)
    for i in range(config.depth):
      x = EncoderLayer(config, name=f'layer_{i}')(x, deterministic)
    x = nn.LayerNorm(name='norm_out')(x[:, -config.window :])
    return nn.Dense(config.motion_dim, kernel_init=nn.initializers.zeros, name='out')(x)
