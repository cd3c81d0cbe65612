"""H: the transformer encoder that predicts a clean motion window (VASA-1 section 3.2).

    tokens    [g, d, e, X_pre (k), A_pre (k), A (w), t, X_t (w)]
    channels  [X_pre + A_pre (k), t, g + d + e + A + X_t (w)]

Every token carries a learned type embedding. Frames also carry an embedding of their
time in -K .. W-1, the same for motion and for audio, so that a motion frame can find
its audio frame by content. A condition that is not given is replaced by its null, per
frame for the audio. Layers are pre-norm; the output layer starts at zero, that is at
the mean motion.

Sampling calls the network many times under the same conditions. `encode` does once what
does not depend on the noised motion: the condition tokens and, where `attention` is
'cached', their keys and values in every layer. `denoise` does the rest.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct

from vasa_jax.motion.conditions import Conditions
from vasa_jax.motion.config import MotionConfig
from vasa_jax.types import Array

_small = nn.initializers.normal(0.02)


def sines(t: Array, size: int) -> Array:
  """Sines and cosines of a time. `(n,)` to `(n, size)` float32."""
  rate = jnp.exp(-jnp.log(10_000.0) * jnp.arange(size // 2) / (size // 2))
  angle = t.astype(jnp.float32)[:, None] * rate
  return jnp.concatenate([jnp.sin(angle), jnp.cos(angle)], -1)


@struct.dataclass
class KeysValues:
  """What later tokens attend to, each `(b, n, heads, size)`."""

  keys: Array
  values: Array


@struct.dataclass
class Context:
  """The conditions of a batch of windows, encoded.

  Attributes:
    tokens: `(b, n, width)` condition tokens; none where they are in `memory`.
    beside: `(b, w, width)` what is added to the noised frames: their time and, where
      the layout is 'channels', their audio, gaze, distance and emotion.
    memory: keys and values of the conditions, one a layer; empty for 'joint'.
  """

  tokens: Array
  beside: Array
  memory: tuple[KeysValues, ...] = ()


class EncoderLayer(nn.Module):
  """Pre-norm self-attention and feed-forward.

  Arguments of the call:
    x: `(b, n, width)`.
    deterministic: no dropout.
    memory: earlier tokens that are attended to as well.
    last: how many tokens, from the end, go on; the others are only attended to.

  Returns `(b, last, width)`, and the keys and values of `x`.
  """

  config: MotionConfig

  @nn.compact
  def __call__(
    self, x: Array, deterministic: bool, memory: KeysValues | None, last: int
  ) -> tuple[Array, KeysValues]:
    config = self.config
    drop = nn.Dropout(config.dropout, deterministic=deterministic)
    dtype = jnp.dtype(config.dtype)
    size = config.width // config.heads
    skip = x.shape[1] - last

    h = nn.LayerNorm(name='norm_attention')(x)
    qkv = nn.DenseGeneral((3, config.heads, size), dtype=dtype, name='qkv')(h)
    own = KeysValues(qkv[:, :, 1], qkv[:, :, 2])  # [b, n, heads, size]
    if not last:
      return x[:, skip:], own
    seen = own
    if memory is not None:
      seen = jax.tree.map(lambda *parts: jnp.concatenate(parts, 1), memory, own)
    h = jax.nn.dot_product_attention(qkv[:, skip:, 0], seen.keys, seen.values)
    h = nn.DenseGeneral(config.width, axis=(-2, -1), dtype=dtype, name='attended')(h)
    x = x[:, skip:] + drop(h.astype(jnp.float32))

    h = nn.LayerNorm(name='norm_ffn')(x)
    h = nn.gelu(nn.Dense(config.ffn, dtype=dtype, name='ffn_in')(h))
    h = nn.Dense(config.width, dtype=dtype, name='ffn_out')(drop(h))
    return x + drop(h.astype(jnp.float32)), own


class MotionTransformer(nn.Module):
  """Predicts the window from its noised version and the conditions.

  Arguments of the call:
    x_t: `(b, w, m)` noised z-scored motion.
    t: `(b,)` diffusion step, int or float.
    conditions: see `Conditions`.
    deterministic: False turns dropout on and needs an rng named 'dropout'.

  Returns `(b, w, m)` float32: x0, the noise, or v, as the objective says.
  """

  config: MotionConfig

  def setup(self):
    config = self.config
    width, dtype = config.width, jnp.dtype(config.dtype)

    def dense(size: int = width) -> nn.Dense:
      return nn.Dense(size, dtype=dtype)

    self.time_in, self.time_out = dense(config.ffn), dense()
    self.gaze, self.distance, self.emotion = dense(), dense(), dense()
    self.x_pre, self.a_pre, self.audio, self.x_t = dense(), dense(), dense(), dense()
    nulls = ('gaze', 'distance', 'emotion', 'x_pre', 'a_pre', 'audio')
    self.null = {
      name: self.param(f'null_{name}', _small, (width,))
      if config.nulls == 'learned'
      else jnp.zeros(width)
      for name in nulls
    }
    frames = ('x_pre', 'a_pre', 'audio', 'x_t')
    if config.layout == 'channels':
      frames = ('previous', 'x_t')
    step = ('time',) if config.step_enters == 'token' else ()
    self.type = {
      name: self.param(f'type_{name}', _small, (width,))
      for name in (*step, 'gaze', 'distance', 'emotion', *frames)
    }
    count = config.previous + config.window
    if config.positions == 'learned':
      self.frame = self.param('frame', _small, (count, width))
    else:
      self.frame = sines(jnp.arange(count), width)
    self.layer = [EncoderLayer(config) for _ in range(config.depth)]
    self.norm_out = nn.LayerNorm()
    self.out = nn.Dense(config.motion_dim, kernel_init=nn.initializers.zeros)

  def __call__(
    self, x_t: Array, t: Array, conditions: Conditions, deterministic: bool = True
  ) -> Array:
    context = self.encode(conditions, deterministic)
    return self.denoise(x_t, t, context, deterministic)

  def encode(self, conditions: Conditions, deterministic: bool = True) -> Context:
    """What of a call does not depend on `x_t` and `t`."""
    config, keep = self.config, conditions.keep

    def told(name: str, value: Array, given: Array) -> Array:
      value = getattr(self, name)(value).astype(jnp.float32)
      given = given.reshape(given.shape + (1,) * (value.ndim - given.ndim))
      return jnp.where(given, value, self.null[name])

    single = [
      told(name, getattr(conditions, name), getattr(keep, name)) + self.type[name]
      for name in ('gaze', 'distance', 'emotion')
    ]
    past, present = self.frame[: config.previous], self.frame[config.previous :]
    x_pre = told('x_pre', conditions.previous_motion, keep.previous_motion)
    a_pre = told('a_pre', conditions.previous_features, keep.previous_audio)
    audio = told('audio', conditions.features, keep.audio)
    beside = present + self.type['x_t']
    if config.layout == 'tokens':
      parts = [
        x_pre + past + self.type['x_pre'],
        a_pre + past + self.type['a_pre'],
        audio + present + self.type['audio'],
      ]
      beside = jnp.broadcast_to(beside, audio.shape)
    else:
      single, whole = [], sum(single)
      parts = [x_pre + a_pre + past + self.type['previous']]
      beside = beside + audio + whole[:, None]
    tokens = jnp.concatenate([one[:, None] for one in single] + parts, 1)
    if config.attention == 'joint':
      return Context(tokens, beside)
    memory, last = [], tokens.shape[1]
    for i, layer in enumerate(self.layer):
      last = last if i < config.depth - 1 else 0  # nothing comes after the last layer
      tokens, own = layer(tokens, deterministic, None, last)
      memory.append(own)
    return Context(tokens, beside, tuple(memory))

  def denoise(
    self, x_t: Array, t: Array, context: Context, deterministic: bool = True
  ) -> Array:
    """The prediction, from encoded conditions."""
    config = self.config
    time = nn.silu(self.time_in(sines(t, config.width)))
    time = self.time_out(time).astype(jnp.float32)[:, None]
    x = self.x_t(x_t).astype(jnp.float32) + context.beside
    if config.step_enters == 'token':
      x = jnp.concatenate([context.tokens, time + self.type['time'], x], 1)
    else:
      x = jnp.concatenate([context.tokens, time + x], 1)
    memory = context.memory or (None,) * config.depth
    for i, layer in enumerate(self.layer):
      last = x.shape[1] if i < config.depth - 1 else config.window
      x, _ = layer(x, deterministic, memory[i], last)
    return self.out(self.norm_out(x))
