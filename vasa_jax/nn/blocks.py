"""Blocks that both the encoder and the decoder are made of, in 2-D and in 3-D.

Conventions of MegaPortraits' appendix A, which VASA-1 builds on: GroupNorm instead of
BatchNorm, weight standardisation on every convolution but the first and the last, a
residual block is [norm, ReLU, conv] twice. Channels last, parameters in float32,
arithmetic in `dtype`, statistics in float32.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vasa_jax.types import Array


def num_groups(channels: int) -> int:
  """The largest divisor of `channels` up to 32 that leaves 4 channels a group."""
  return max(
    g for g in range(1, 33) if channels % g == 0 and (channels // g >= 4 or g == 1)
  )


class Conv(nn.Module):
  """Convolution with optional weight standardisation (Qiao et al. 2019).

  Attributes:
    features: output channels.
    kernel: size along each spatial axis; its length gives the dimension.
    stride: the same along all axes.
    standardise: zero mean, unit variance over each output filter.
  """

  features: int
  kernel: tuple[int, ...]
  stride: int = 1
  standardise: bool = True
  use_bias: bool = True
  zero_init: bool = False
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array) -> Array:
    init = nn.initializers.zeros if self.zero_init else nn.initializers.he_normal()
    shape = (*self.kernel, x.shape[-1], self.features)
    kernel = self.param('kernel', init, shape, jnp.float32)
    if self.standardise:
      axes = tuple(range(len(shape) - 1))
      kernel = kernel - jnp.mean(kernel, axes, keepdims=True)
      fan_in = kernel.size // self.features
      norm = jnp.sqrt(jnp.mean(jnp.square(kernel), axes, keepdims=True) * fan_in)
      gain = self.param('gain', nn.initializers.ones, (self.features,), jnp.float32)
      kernel = kernel / (norm + 1e-5) * gain
    spatial = 'HW' if len(self.kernel) == 2 else 'DHW'
    dims = (f'N{spatial}C', f'{spatial}IO', f'N{spatial}C')
    y = _convolve(x.astype(self.dtype), kernel.astype(self.dtype), self.stride, dims)
    if self.use_bias:
      bias = self.param('bias', nn.initializers.zeros, (self.features,), jnp.float32)
      y = y + bias.astype(self.dtype)
    return y


def _convolve(x, kernel, stride, dims):
  from jax import lax

  strides = (stride,) * (kernel.ndim - 2)
  return lax.conv_general_dilated(x, kernel, strides, 'SAME', dimension_numbers=dims)


class Norm(nn.Module):
  """GroupNorm in float32; with `condition` its gain and bias are adapted.

  The adaptive form is MegaPortraits' warp generator norm: gain and bias of each layer
  are a learned linear map of the summed embedding.
  """

  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array, condition: Array | None = None) -> Array:
    channels = x.shape[-1]
    y = nn.GroupNorm(num_groups(channels), dtype=jnp.float32)(x.astype(jnp.float32))
    if condition is not None:
      affine = nn.Dense(2 * channels, kernel_init=nn.initializers.normal(0.02))(
        condition
      )
      affine = affine.reshape(affine.shape[0], *(1,) * (x.ndim - 2), 2 * channels)
      gain, bias = jnp.split(affine, 2, -1)
      y = y * (1 + gain) + bias
    return y.astype(self.dtype)


class ResBlock(nn.Module):
  """[norm, ReLU, conv] twice, added to the input (projected where widths differ)."""

  features: int
  ndim: int = 2
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array, condition: Array | None = None) -> Array:
    kernel = (3,) * self.ndim
    y = nn.relu(Norm(self.dtype)(x, condition))
    y = Conv(self.features, kernel, dtype=self.dtype)(y)
    y = nn.relu(Norm(self.dtype)(y, condition))
    y = Conv(self.features, kernel, dtype=self.dtype)(y)
    if x.shape[-1] != self.features:
      x = Conv(self.features, (1,) * self.ndim, use_bias=False, dtype=self.dtype)(x)
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
