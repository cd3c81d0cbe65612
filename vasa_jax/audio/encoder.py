"""The transformer layer that Wav2Vec2, HuBERT and Whisper share, and their lengths."""

import functools
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax.types import Array

EPSILON = 1e-5
# Published norms subtract the mean before they square; flax's default does not, which
# costs digits where the mean is large.
LayerNorm = functools.partial(nn.LayerNorm, use_fast_variance=False)


def exact_gelu(x: Array) -> Array:
  """GELU with erf, as all of these nets were trained."""
  return jax.nn.gelu(x, approximate=False)


def conv_length(length, kernels: Sequence[int], strides: Sequence[int]):
  """Frames that unpadded convolutions make of `length` samples (ints or arrays)."""
  for kernel, stride in zip(kernels, strides, strict=True):
    length = (length - kernel) // stride + 1
  return length


def real(lengths: Array, most: int) -> Array:
  """`(b,)` lengths to `(b, most)` bool: which frames are real, not padding."""
  return jnp.arange(most) < lengths[:, None]


def pairs(frames: Array) -> Array:
  """50 Hz to 25 Hz, `(..., t, c)` to `(..., t // 2, c)`: the mean of two neighbours.

  That is linear interpolation at the instant half-way between them, by the same amount
  for every frame. (Stretching n frames onto n / 2 with both ends held, as is usual,
  drifts by up to one frame of 20 ms over a recording.)
  """
  half = frames.shape[-2] // 2
  shape = (*frames.shape[:-2], half, 2, frames.shape[-1])
  return frames[..., : 2 * half, :].reshape(shape).mean(-2)


class EncoderLayer(nn.Module):
  """Self-attention and feed-forward, `(b, t, c)` to the same.

  Attributes:
    pre_norm: norms before each half (Whisper, large Wav2Vec2) or after it (base).

  Arguments of the call:
    x: `(b, t, c)`.
    keep: `(b, t)` bool, the frames that may be attended to; None is all.
  """

  heads: int
  ffn: int
  pre_norm: bool
  epsilon: float = EPSILON

  @nn.compact
  def __call__(self, x: Array, keep: Array | None = None) -> Array:
    b, t, width = x.shape
    norm_attention = LayerNorm(self.epsilon, name='norm_attention')
    norm_ffn = LayerNorm(self.epsilon, name='norm_ffn')

    h = norm_attention(x) if self.pre_norm else x
    qkv = nn.Dense(3 * width, name='qkv')(h)
    qkv = qkv.reshape(b, t, 3, self.heads, width // self.heads)
    h = jax.nn.dot_product_attention(
      qkv[:, :, 0],
      qkv[:, :, 1],
      qkv[:, :, 2],
      mask=None if keep is None else keep[:, None, None, :],
    )
    x = x + nn.Dense(width, name='attended')(h.reshape(b, t, width))
    x = x if self.pre_norm else norm_attention(x)

    h = norm_ffn(x) if self.pre_norm else x
    h = exact_gelu(nn.Dense(self.ffn, name='ffn_in')(h))
    x = x + nn.Dense(width, name='ffn_out')(h)
    return x if self.pre_norm else norm_ffn(x)
