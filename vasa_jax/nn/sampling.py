"""Linear interpolation of a field at given places: four ways, one result.

`experiments/benchmarks/warp.py` measures them; `warp.py` uses the one that won. Each
takes a field `(b, [d,] h, w, c)` and positions `(b, ..., 3 or 2)` in cells, float32,
last axis of the field (x) first, and gives `(b, ..., c)`, zero outside.

- `rows`: all corners in one gather of channel rows, contracted with their weights. It
  holds 8 neighbours of every sample at once.
- `corners`: one corner after the other, added up; nothing is kept for the gradient but
  the inputs, and it is taken in pieces of `PIECE` numbers: an eighth of the memory.
- `packed`: the 8 neighbours of each cell are laid beside each other first; then one
  gather of rows eight times as long.
- `map_coordinates`: `jax.scipy.ndimage`, channel by channel: a judge of the others.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import ndimage

from vasa_jax.types import Array

# Neighbours that the gradient of `corners` holds at once, in numbers.
PIECE = 2**23


def _split(position: Array) -> tuple[Array, Array]:
  """Cell below and fraction, both with the slowest axis first."""
  position = position.astype(jnp.float32)[..., ::-1]
  low = jnp.floor(position)
  return low.astype(jnp.int32), position - low


def _corner(low: Array, fraction: Array, step: Array, sizes) -> tuple[Array, Array]:
  """Flat row and weight (0 outside) of the corner `step (n,)` of 0 and 1."""
  sizes = np.asarray(sizes)
  cell = low + step
  share = jnp.where(step == 1, fraction, 1 - fraction)
  inside = (cell >= 0) & (cell < sizes)
  weight = jnp.prod(jnp.where(inside, share, 0.0), -1)
  strides = np.append(np.cumprod(sizes[:0:-1])[::-1], 1)
  flat = jnp.sum(jnp.clip(cell, 0, sizes - 1) * strides, -1)
  return flat, weight


def _take(rows: Array, flat: Array) -> Array:
  """`rows (b, n, c)` at `flat (b, ...)`: `(b, ..., c)`."""
  taken = jnp.take_along_axis(
    rows, flat.reshape(flat.shape[0], -1, 1), 1, mode='promise_in_bounds'
  )
  return taken.reshape(*flat.shape, rows.shape[-1])


def _steps(axes: int) -> np.ndarray:
  return np.array(list(itertools.product((0, 1), repeat=axes)), np.int32)


def sample_rows(field: Array, position: Array) -> Array:
  """All neighbours at once."""
  sizes = field.shape[1:-1]
  rows = field.reshape(field.shape[0], -1, field.shape[-1])
  low, fraction = _split(position)
  pairs = [_corner(low, fraction, step, sizes) for step in _steps(len(sizes))]
  index, weight = (jnp.stack(x, -1) for x in zip(*pairs, strict=True))
  return jnp.einsum('...nc,...n->...c', _take(rows, index), weight.astype(field.dtype))


@jax.custom_vjp
def sample_corners(field: Array, position: Array) -> Array:
  """One neighbour after the other. The gradient is that of `sample_rows`."""
  sizes = field.shape[1:-1]
  rows = field.reshape(field.shape[0], -1, field.shape[-1])
  low, fraction = _split(position)
  total = jnp.zeros((), field.dtype)
  for step in _steps(len(sizes)):
    flat, weight = _corner(low, fraction, step, sizes)
    total += _take(rows, flat) * weight[..., None].astype(field.dtype)
  return total


def _corners_forward(field, position):
  return sample_corners(field, position), (field, position)


def _corners_backward(kept, slope):
  field, position = kept
  batch, axes, channels = field.shape[0], position.shape[-1], field.shape[-1]
  count = position.size // axes // batch
  pieces = 1
  while (
    2**axes * batch * (count // pieces) * channels > PIECE and count % (2 * pieces) == 0
  ):
    pieces *= 2

  def cut(x):
    x = x.reshape(batch, pieces, count // pieces, x.shape[-1])
    return jnp.swapaxes(x, 0, 1)

  def add(total, piece):
    at, slope = piece
    by_field, by_position = jax.vjp(sample_rows, field, at)[1](slope)
    return total + by_field.astype(jnp.float32), by_position

  start = jnp.zeros(field.shape, jnp.float32)
  pairs = cut(position), cut(slope)
  if pieces == 1:
    by_field, by_position = add(start, jax.tree.map(lambda x: x[0], pairs))
  else:
    by_field, by_position = jax.lax.scan(add, start, pairs)
    by_position = jnp.swapaxes(by_position, 0, 1)
  return by_field.astype(field.dtype), by_position.reshape(position.shape)


sample_corners.defvjp(_corners_forward, _corners_backward)


def sample_packed(field: Array, position: Array) -> Array:
  """One gather of rows that hold all neighbours of a cell."""
  sizes = field.shape[1:-1]
  batch, channels = field.shape[0], field.shape[-1]
  # A border of zeros all round, so that the cell below may be -1.
  padded = jnp.pad(field, ((0, 0), *((1, 1) for _ in sizes), (0, 0)))
  wide = [size + 1 for size in sizes]
  parts = [
    jax.lax.dynamic_slice(padded, (0, *map(int, step), 0), (batch, *wide, channels))
    for step in _steps(len(sizes))
  ]
  rows = jnp.stack(parts, -2).reshape(batch, -1, len(parts) * channels)
  low, fraction = _split(position)
  near = jnp.all((low >= -1) & (low < np.asarray(sizes)), -1)
  strides = np.append(np.cumprod(wide[:0:-1])[::-1], 1)
  flat = jnp.sum(jnp.clip(low + 1, 0, np.asarray(wide) - 1) * strides, -1)
  taken = _take(rows, flat).reshape(*flat.shape, len(parts), channels)
  weights = [
    jnp.prod(jnp.where(step == 1, fraction, 1 - fraction), -1)
    for step in _steps(len(sizes))
  ]
  weight = jnp.stack(weights, -1) * near[..., None]
  return jnp.einsum('...nc,...n->...c', taken, weight.astype(field.dtype))


def sample_map_coordinates(field: Array, position: Array) -> Array:
  """SciPy's function in JAX, once for each channel."""
  places = jnp.moveaxis(position.astype(jnp.float32)[..., ::-1], -1, 1)

  def one(field, place):  # (..., c), (axes, ...)
    def channel(x):
      return ndimage.map_coordinates(x, list(place), 1, mode='constant')

    return jax.vmap(channel, -1, -1)(field)

  return jax.vmap(one)(field, places)


SAMPLERS = {
  'rows': sample_rows,
  'corners': sample_corners,
  'packed': sample_packed,
  'map_coordinates': sample_map_coordinates,
}
