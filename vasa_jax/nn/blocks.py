"""Blocks that both the encoder and the decoder are made of, in 2-D and in 3-D.

Conventions of MegaPortraits' appendix A, which VASA-1 builds on: GroupNorm instead of
BatchNorm, weight standardisation on every convolution but the first and the last, a
residual block is [norm, ReLU, conv] twice. Channels last, parameters in float32,
arithmetic in `dtype`, statistics in float32.
"""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.nn.convolution import convolve, convolve_upsampled
from vasa_jax.types import Array


def num_groups(channels: int) -> int:
  """The largest divisor of `channels` up to 32 that leaves 4 channels a group."""
  return max(
    g for g in range(1, 33) if channels % g == 0 and (channels // g >= 4 or g == 1)
  )


def largest_singular(matrix: Array, iterations: int = 12) -> Array:
  """The spectral norm of `(m, n)` by power iteration, with its gradient.

  Stateless: it starts from the same vector every time, so that parameters stay the only
  state. As in spectral normalisation (Miyato et al. 2018) the singular vectors are held
  still: the gradient is `u v^T`, exact where they have converged.
  """
  still = jax.lax.stop_gradient(matrix)
  start = np.random.default_rng(0).normal(size=matrix.shape[1])

  def unit(x):
    return x / jnp.linalg.norm(x).clip(1e-12)

  # A loop, not unrolled: a net has a hundred kernels and a program must compile.
  v = jax.lax.fori_loop(
    0,
    iterations - 1,
    lambda _, v: unit(still.T @ unit(still @ v)),
    unit(jnp.asarray(start, matrix.dtype)),
  )
  u = unit(still @ v)
  v = unit(still.T @ u)
  return jax.lax.stop_gradient(u) @ (matrix @ jax.lax.stop_gradient(v))


@functools.cache
def rematerialised(block: type[nn.Module]) -> type[nn.Module]:
  """`block` that keeps its inputs alone and is run again for its gradient.

  The class keeps its name, so that parameters have the same paths with and without.
  """
  made = nn.remat(block)
  made.__name__ = block.__name__
  return made


def standardised(kernel: Array, gain: Array) -> Array:
  """Zero mean and unit length of each output filter, times its gain."""
  axes = tuple(range(kernel.ndim - 1))
  kernel = kernel - jnp.mean(kernel, axes, keepdims=True)
  fan_in = kernel.size // kernel.shape[-1]
  norm = jnp.sqrt(jnp.mean(jnp.square(kernel), axes, keepdims=True) * fan_in)
  return kernel / (norm + 1e-5) * gain


class Conv(nn.Module):
  """Convolution with optional weight standardisation (Qiao et al. 2019).

  Attributes:
    features: output channels.
    kernel: size along each spatial axis; its length gives the dimension.
    stride: the same along all axes.
    standardise: zero mean, unit variance over each output filter.
    spectral: divides a standardised kernel by its largest singular value, as a matrix
      from all inputs to the outputs. (Before the standardisation it would cancel out.)
    upsample: what `upsample(x, (2, ..))` would give, for less; kernels 3 wide or 1.
  """

  features: int
  kernel: tuple[int, ...]
  stride: int = 1
  standardise: bool = True
  use_bias: bool = True
  zero_init: bool = False
  spectral: bool = False
  upsample: bool = False
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array) -> Array:
    init = nn.initializers.zeros if self.zero_init else nn.initializers.he_normal()
    shape = (*self.kernel, x.shape[-1], self.features)
    kernel = self.param('kernel', init, shape, jnp.float32)
    if self.standardise:
      gain = self.param('gain', nn.initializers.ones, (self.features,), jnp.float32)
      kernel = standardised(kernel, gain)
      if self.spectral:
        matrix = kernel.reshape(-1, self.features)
        kernel = kernel / largest_singular(matrix).clip(1e-5)
    x = x.astype(self.dtype)
    if self.upsample:
      y = convolve_upsampled(x, kernel)
    else:
      y = convolve(x, kernel.astype(self.dtype), self.stride)
    if self.use_bias:
      bias = self.param('bias', nn.initializers.zeros, (self.features,), jnp.float32)
      y = y + bias.astype(self.dtype)
    return y


class GroupStatistics(nn.Module):
  """GroupNorm (Wu & He 2018) of float32 `(b, ..., c)`, with parameters of flax's names.

  Not `nn.GroupNorm`: that adds up a group's channels and places in one go. Here places
  are added up first, channel by channel, which XLA turns into vector loops (half the
  time on CPU at 512 px), and everything after the statistics is one multiplication and
  one addition a number, the condition's gain and bias included.
  """

  @nn.compact
  def __call__(self, x: Array, gain: Array | None, bias: Array | None) -> Array:
    batch, channels = x.shape[0], x.shape[-1]
    groups = num_groups(channels)
    scale = self.param('scale', nn.initializers.ones, (channels,), jnp.float32)
    shift = self.param('bias', nn.initializers.zeros, (channels,), jnp.float32)
    if gain is not None:
      scale, shift = scale * (1 + gain), shift * (1 + gain) + bias

    places = tuple(range(1, x.ndim - 1))

    def mean(x):
      each = jnp.mean(x, places).reshape(batch, groups, -1)
      return jnp.repeat(jnp.mean(each, -1), channels // groups, -1)

    middle = mean(x)
    variance = jnp.maximum(mean(jnp.square(x)) - jnp.square(middle), 0.0)
    scale = scale * jax.lax.rsqrt(variance + 1e-6)

    def wide(row):
      return row.reshape(-1, *(1,) * len(places), channels)

    return (x - wide(middle)) * wide(scale) + wide(shift)


class Norm(nn.Module):
  """GroupNorm in float32; with `condition` its gain and bias are adapted.

  The adaptive form is MegaPortraits' warp generator norm: gain and bias of each layer
  are a learned linear map of the summed embedding.
  """

  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array, condition: Array | None = None) -> Array:
    gain = bias = None
    if condition is not None:
      init = nn.initializers.normal(0.02)
      affine = nn.Dense(2 * x.shape[-1], kernel_init=init)(condition)
      gain, bias = jnp.split(affine, 2, -1)
    norm = GroupStatistics(name='GroupNorm_0')
    return norm(x.astype(jnp.float32), gain, bias).astype(self.dtype)


class ResBlock(nn.Module):
  """[norm, ReLU, conv] twice, added to the input (projected where widths differ).

  Attributes:
    skip: side of the projection's kernel.
    upsample: first doubles every side by repeating cells. Its norm and projection have
      the same values before as after, so they run before, and so does its first
      convolution (`convolution.upsampled`).
  """

  features: int
  ndim: int = 2
  dtype: Any = jnp.float32
  spectral: bool = False
  skip: int = 1
  upsample: bool = False

  @nn.compact
  def __call__(self, x: Array, condition: Array | None = None) -> Array:
    def conv(side, use_bias=True, upsample=False):
      return Conv(
        self.features, (side,) * self.ndim, use_bias=use_bias, spectral=self.spectral,
        upsample=upsample, dtype=self.dtype,
      )  # fmt: skip

    y = nn.relu(Norm(self.dtype)(x, condition))
    y = conv(3, upsample=self.upsample)(y)
    y = nn.relu(Norm(self.dtype)(y, condition))
    y = conv(3)(y)
    if x.shape[-1] != self.features:
      x = conv(self.skip, use_bias=False, upsample=self.upsample)(x)
    elif self.upsample:
      x = upsample(x, (2,) * self.ndim)
    return x + y


class ResNet(nn.Module):
  """ResNet trunk (He et al. 2016) with GroupNorm: `(b, h, w, 3)` -> `(b, h', w', c)`.

  Attributes:
    stages: blocks per stage; the first keeps the resolution, each later one halves it.
    width: channels of the first stage, doubled per stage.
    bottleneck: 1-3-1 blocks with fourfold output (ResNet-50), else 3-3 (ResNet-18).
  """

  stages: tuple[int, ...]
  width: int = 64
  bottleneck: bool = False
  patch: int = 1
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array) -> Array:
    if self.patch > 1:
      x = Conv(self.width, (3, 3), standardise=False, dtype=self.dtype)(
        space_to_depth(x, self.patch)
      )
    else:
      x = Conv(self.width, (7, 7), 2, standardise=False, dtype=self.dtype)(x)
      x = nn.max_pool(x, (3, 3), (2, 2), 'SAME')
    for stage, blocks in enumerate(self.stages):
      width = self.width * 2**stage
      for block in range(blocks):
        x = self._block(x, width, 2 if stage and not block else 1)
    return nn.relu(Norm(self.dtype)(x))

  def _block(self, x: Array, width: int, stride: int) -> Array:
    out = width * 4 if self.bottleneck else width
    y = nn.relu(Norm(self.dtype)(x))
    if x.shape[-1] != out or stride > 1:
      x = Conv(out, (1, 1), stride, use_bias=False, dtype=self.dtype)(y)
    if self.bottleneck:
      y = Conv(width, (1, 1), use_bias=False, dtype=self.dtype)(y)
      y = nn.relu(Norm(self.dtype)(y))
      y = Conv(width, (3, 3), stride, use_bias=False, dtype=self.dtype)(y)
    else:
      y = Conv(width, (3, 3), stride, use_bias=False, dtype=self.dtype)(y)
    y = nn.relu(Norm(self.dtype)(y))
    return x + Conv(out, (1, 1) if self.bottleneck else (3, 3), dtype=self.dtype)(y)


def average_pool(x: Array, factors: tuple[int, ...]) -> Array:
  """Mean over blocks of `factors` along the spatial axes."""
  shape, axes = [x.shape[0]], []
  for size, factor in zip(x.shape[1:-1], factors, strict=True):
    shape += [size // factor, factor]
    axes.append(len(shape) - 1)
  return x.reshape(*shape, x.shape[-1]).mean(tuple(axes))


def upsample(x: Array, factors: tuple[int, ...]) -> Array:
  """Nearest neighbour along the spatial axes (repeat: fast on TPU, unlike resize)."""
  for axis, factor in enumerate(factors, start=1):
    if factor > 1:
      x = jnp.repeat(x, factor, axis)
  return x


def space_to_depth(x: Array, n: int) -> Array:
  """`(b, h, w, c)` -> `(b, h / n, w / n, n n c)`."""
  b, h, w, c = x.shape
  x = x.reshape(b, h // n, n, w // n, n, c).transpose(0, 1, 3, 2, 4, 5)
  return x.reshape(b, h // n, w // n, n * n * c)


def depth_to_space(x: Array, n: int) -> Array:
  """Inverse of `space_to_depth` (pixel shuffle)."""
  b, h, w, c = x.shape
  x = x.reshape(b, h, w, n, n, c // (n * n)).transpose(0, 1, 3, 2, 4, 5)
  return x.reshape(b, h * n, w * n, c // (n * n))
