"""A convolution in 2-D or 3-D: several ways, one result.

`experiments/benchmarks/convolution.py` measures them; `convolve` uses what won. Each
takes `x (b, [d,] h, w, c)`, a kernel `([kd,] kh, kw, c, f)` and one stride for all
axes, pads as 'SAME' does, and gives `(b, ..., f)`.

- `direct`: XLA's own convolution, channels last.
- `channels_first`: the same in the layout that PyTorch has.
- `sliced`: the first spatial axis is folded into the batch; one convolution of a
  dimension less for each of its taps, added up.
- `stacked`: the same with the taps laid side by side as channels: one convolution of a
  dimension less over three times the channels, and three times the memory.
- `shifted`: one matrix product for each tap of the kernel, added up.
- `patches`: all taps side by side (im2col), one matrix product.
- `tapped`: `direct`; the gradient of its kernel is made of one matrix product a tap.
"""

import functools
import itertools
import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jax import lax

from vasa_jax.types import Array

_SPATIAL = {1: 'W', 2: 'HW', 3: 'DHW'}


def _padding(x: Array, kernel: Array, stride: int) -> list[tuple[int, int]]:
  strides = (stride,) * (x.ndim - 2)
  return lax.padtype_to_pads(x.shape[1:-1], kernel.shape[:-2], strides, 'SAME')


def direct(x: Array, kernel: Array, stride: int = 1) -> Array:
  """XLA's convolution."""
  spatial = _SPATIAL[x.ndim - 2]
  dims = (f'N{spatial}C', f'{spatial}IO', f'N{spatial}C')
  strides = (stride,) * len(spatial)
  return lax.conv_general_dilated(x, kernel, strides, 'SAME', dimension_numbers=dims)


def channels_first(x: Array, kernel: Array, stride: int = 1) -> Array:
  """XLA's convolution between two transpositions."""
  spatial = _SPATIAL[x.ndim - 2]
  dims = (f'NC{spatial}', f'OI{spatial}', f'NC{spatial}')
  y = lax.conv_general_dilated(
    jnp.moveaxis(x, -1, 1),
    jnp.moveaxis(kernel, (-1, -2), (0, 1)),
    (stride,) * len(spatial),
    'SAME',
    dimension_numbers=dims,
  )
  return jnp.moveaxis(y, 1, -1)


def _taps(x: Array, kernel: Array, stride: int, axes: int) -> Iterator[Array]:
  """What each tap of the first `axes` spatial axes sees, padded there alone."""
  pads = _padding(x, kernel, stride)[:axes]
  sizes = [-(-n // stride) for n in x.shape[1 : 1 + axes]]
  x = jnp.pad(x, [(0, 0), *pads, *[(0, 0)] * (x.ndim - 1 - axes)])
  for tap in itertools.product(*map(range, kernel.shape[:axes])):
    # An even kernel may leave a border that no tap reaches; a large stride, too.
    ends = [at + (n - 1) * stride + 1 for at, n in zip(tap, sizes, strict=True)]
    yield lax.slice(
      x,
      (0, *tap, *[0] * (x.ndim - 1 - axes)),
      (x.shape[0], *ends, *x.shape[1 + axes :]),
      (1, *[stride] * axes, *[1] * (x.ndim - 1 - axes)),
    )


def sliced(x: Array, kernel: Array, stride: int = 1) -> Array:
  """One convolution of a dimension less for each tap of the first axis."""
  parts = [
    _one_less(part, kernel[tap], stride)
    for tap, part in enumerate(_taps(x, kernel, stride, 1))
  ]
  return functools.reduce(jnp.add, parts)


def stacked(x: Array, kernel: Array, stride: int = 1) -> Array:
  """One convolution of a dimension less, the taps of the first axis as channels."""
  wide = jnp.concatenate(list(_taps(x, kernel, stride, 1)), -1)
  kernel = jnp.moveaxis(kernel, 0, -3)
  return _one_less(
    wide, kernel.reshape(*kernel.shape[:-3], -1, kernel.shape[-1]), stride
  )


def _one_less(x: Array, kernel: Array, stride: int) -> Array:
  folded = x.reshape(-1, *x.shape[2:])
  y = direct(folded, kernel, stride)
  return y.reshape(*x.shape[:2], *y.shape[1:])


def shifted(x: Array, kernel: Array, stride: int = 1) -> Array:
  """A matrix product for each tap, added up."""
  flat = kernel.reshape(-1, *kernel.shape[-2:])
  parts = [
    part @ flat[i] for i, part in enumerate(_taps(x, kernel, stride, x.ndim - 2))
  ]
  return functools.reduce(jnp.add, parts)


def patches(x: Array, kernel: Array, stride: int = 1) -> Array:
  """All taps as channels, one matrix product."""
  wide = jnp.concatenate(list(_taps(x, kernel, stride, x.ndim - 2)), -1)
  return wide @ kernel.reshape(-1, kernel.shape[-1])


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def tapped(x: Array, kernel: Array, stride: int = 1) -> Array:
  """XLA's convolution forward; the kernel's gradient tap by tap."""
  return direct(x, kernel, stride)


def _tapped_forward(x, kernel, stride):
  return direct(x, kernel, stride), (x, kernel)


def _tapped_backward(stride, kept, slope):
  x, kernel = kept
  (by_x,) = jax.vjp(lambda x: direct(x, kernel, stride), x)[1](slope)
  rows = slope.reshape(-1, slope.shape[-1])
  by_kernel = [
    lax.dot_general(
      part.reshape(-1, part.shape[-1]),
      rows,
      (((0,), (0,)), ((), ())),
      preferred_element_type=jnp.float32,
    )
    for part in _taps(x, kernel, stride, x.ndim - 2)
  ]
  by_kernel = jnp.stack(by_kernel).reshape(kernel.shape).astype(kernel.dtype)
  return by_x, by_kernel


tapped.defvjp(_tapped_forward, _tapped_backward)

CONVOLUTIONS = {
  'direct': direct,
  'channels_first': channels_first,
  'sliced': sliced,
  'stacked': stacked,
  'shifted': shifted,
  'patches': patches,
  'tapped': tapped,
}


def upsampled(x: Array, kernel: Array) -> Array:
  """`direct(upsample(x, 2 along every axis), kernel)` for kernels 3 wide, for less.

  Of the three cells along an axis that an output sees, two are the same cell of `x`:
  each of the `2 ** n` outputs over a cell is a convolution of `x` by a kernel 2 wide,
  whose weights are sums of the 3. That is 4 of 9 operations in 2-D and 8 of 27 in 3-D.
  All of them are features of one convolution over `x` with a border of zeros; each is
  cut out where it belongs and they are laid between each other.

  Args:
    x: `(b, [d,] h, w, c)`.
    kernel: `([3,] 3, 3, c, f)`.

  Returns:
    `(b, [2 d,] 2 h, 2 w, f)`.
  """
  axes = x.ndim - 2
  features = kernel.shape[-1]
  # Output 0 over a cell sees (before, own, own), output 1 (own, own, after).
  fold = jnp.array([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], kernel.dtype)
  for axis in range(axes):
    # An axis of 3 becomes one of 2, and an axis of phases is added at the end.
    kernel = jnp.tensordot(kernel, fold, ((axis,), (2,)), precision='highest')
    kernel = jnp.moveaxis(kernel, -1, axis)
  # Rounded once, behind the sums. Phases go before features, which stay together.
  kernel = kernel.astype(x.dtype)
  kernel = jnp.moveaxis(kernel, axes + 1, -1)
  kernel = kernel.reshape(*kernel.shape[: axes + 1], -1)
  spatial = _SPATIAL[axes]
  dims = (f'N{spatial}C', f'{spatial}IO', f'N{spatial}C')
  y = lax.conv_general_dilated(
    x, kernel, (1,) * axes, [(1, 1)] * axes, dimension_numbers=dims
  )
  return _interleaved(y.reshape(*y.shape[:-1], *(2,) * axes, features), x.shape[1:-1])


def _interleaved(y: Array, sizes: tuple[int, ...]) -> Array:
  """`(b, n + 1 .., 2 .., f)` -> `(b, 2 n .., f)`: phase p of a cell is at cell + p."""
  axes = len(sizes)
  for axis, size in enumerate(sizes):
    # The phases of this axis are always the first left of the phase axes.
    at = 1 + axes
    both = jnp.moveaxis(y, at, 0)
    parts = [lax.slice_in_dim(both[p], p, p + size, axis=1 + axis) for p in (0, 1)]
    y = jnp.stack(parts, 2 + axis)
    y = y.reshape(*y.shape[: 1 + axis], 2 * size, *y.shape[3 + axis :])
  return y


def _in_2d_on_cpu(x: Array, kernel: Array, stride: int) -> Array:
  """XLA's code for 3-D on CPU is 1.5 to 14 times slower than its code for 2-D."""

  def ours(x, kernel):
    return sliced(x, kernel, stride)

  def plain(x, kernel):
    return direct(x, kernel, stride)

  # Decided where a program is made for a device, not where it is traced: programs for
  # accelerators are compiled on hosts without one.
  return lax.platform_dependent(x, kernel, cpu=ours, default=plain)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve(x: Array, kernel: Array, stride: int = 1) -> Array:
  """The convolution that the nets use: what was measured to be fastest.

  XLA's own, but for 3-D on CPU, which is `sliced`. Its gradient keeps the input alone,
  not the slices, and has no forward mode.
  """
  if x.ndim < 5 or kernel.shape[0] == 1:
    return direct(x, kernel, stride)
  return _in_2d_on_cpu(x, kernel, stride)


def _convolve_forward(x, kernel, stride):
  return convolve(x, kernel, stride), (x, kernel)


def _convolve_backward(stride, kept, slope):
  x, kernel = kept
  if x.ndim < 5 or kernel.shape[0] == 1:
    return jax.vjp(lambda *a: direct(*a, stride), x, kernel)[1](slope)

  def pull(how):
    return lambda x, kernel, slope: jax.vjp(lambda *a: how(*a, stride), x, kernel)[1](
      slope
    )

  return lax.platform_dependent(
    x, kernel, slope, cpu=pull(sliced), default=pull(direct)
  )


convolve.defvjp(_convolve_forward, _convolve_backward)


def convolve_upsampled(x: Array, kernel: Array) -> Array:
  """`convolve(upsample(x, 2 along every axis), kernel)`, kernels 3 wide or 1.

  A kernel 1 wide sees one cell: its outputs are repeated instead of its inputs.
  """
  if kernel.shape[:-2] == (3,) * (x.ndim - 2):
    return upsampled(x, kernel)
  if kernel.shape[:-2] != (1,) * (x.ndim - 2):
    raise ValueError(f'kernels must be 3 wide or 1, not {kernel.shape[:-2]}')
  y = convolve(x, kernel.astype(x.dtype))
  for axis in range(1, x.ndim - 1):
    y = jnp.repeat(y, 2, axis)
  return y


def operations(
  x_shape: tuple[int, ...], kernel_shape: tuple[int, ...], stride=1
) -> int:
  """Multiplications and additions of a convolution, padding included."""
  outputs = math.prod(-(-n // stride) for n in x_shape[1:-1]) * x_shape[0]
  return 2 * outputs * math.prod(kernel_shape)
