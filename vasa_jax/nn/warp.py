"""Warps: sampling a volume or a picture at given coordinates, by gathering rows.

A volume is flattened to rows of channels and the eight (four) neighbours of every
sample are taken in one gather; the weights then contract them. This is portable (no
custom op), fast on CPU and the form whose gradient measured fastest there. Coordinates
stay float32 in any compute type. Outside the field the value is zero, as in
MegaPortraits.
"""

import itertools

import jax.numpy as jnp

from vasa_jax.types import Array


def _sample(field: Array, position: Array) -> Array:
  """Linear interpolation at `position (b, ..., n)`, in cells, last axis first."""
  sizes = field.shape[1:-1]
  batch, channels = field.shape[0], field.shape[-1]
  rows = field.reshape(batch, -1, channels)
  position = position.astype(jnp.float32)
  low = jnp.floor(position)
  fraction = position - low
  low = low.astype(jnp.int32)
  index, weight = [], []
  for corner in itertools.product((0, 1), repeat=len(sizes)):
    flat, product = 0, 1.0
    # Axes run slowest first; coordinates are given fastest (x) first.
    for axis, (size, step) in enumerate(zip(sizes, corner, strict=True)):
      coordinate = len(sizes) - 1 - axis
      cell = low[..., coordinate] + step
      share = fraction[..., coordinate]
      share = share if step else 1 - share
      inside = (cell >= 0) & (cell < size)
      product = product * jnp.where(inside, share, 0.0)
      flat = flat * size + jnp.clip(cell, 0, size - 1)
    index.append(flat)
    weight.append(product)
  index, weight = jnp.stack(index, -1), jnp.stack(weight, -1)
  shape = index.shape[1:]
  taken = jnp.take_along_axis(rows, index.reshape(batch, -1, 1), 1, mode='clip')
  taken = taken.reshape(batch, *shape, channels)
  return jnp.einsum('...nc,...n->...c', taken, weight.astype(field.dtype))


def warp_volume(volume: Array, grid: Array) -> Array:
  """Samples a volume trilinearly.

  Args:
    volume: `(b, d, h, w, c)`.
    grid: `(b, ..., 3)` x, y, z in [-1, 1], where -1 and 1 are the outer faces of the
      first and the last cell (torch's `align_corners=False`).

  Returns:
    `(b, ..., c)`; zero outside.
  """
  sizes = jnp.array(volume.shape[3:0:-1], jnp.float32)
  return _sample(volume, (grid + 1) * sizes / 2 - 0.5)


def warp_picture(picture: Array, screen: Array) -> Array:
  """Samples `(b, h, w, c)` bilinearly at `screen (b, ..., 2)` x, y in crop units 0..1.

  The border is repeated: a portrait has no zeros behind its edge.
  """
  sizes = jnp.array(picture.shape[2:0:-1], jnp.float32)
  position = jnp.clip(screen * sizes - 0.5, 0.0, sizes - 1.0)
  return _sample(picture, position)


def volume_grid(depth: int, height: int, width: int) -> Array:
  """Cell centres of a volume in [-1, 1]: `(d, h, w, 3)`, x, y, z."""
  axes = [(jnp.arange(n) + 0.5) * 2 / n - 1 for n in (depth, height, width)]
  z, y, x = jnp.meshgrid(*axes, indexing='ij')
  return jnp.stack([x, y, z], -1)


def screen_grid(size: int) -> Array:
  """Pixel centres in crop units: `(h, w, 2)`, x right, y down."""
  axis = (jnp.arange(size) + 0.5) / size
  y, x = jnp.meshgrid(axis, axis, indexing='ij')
  return jnp.stack([x, y], -1)
