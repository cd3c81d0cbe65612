"""Warps: sampling a volume or a picture at given coordinates.

How a sample is put together from its neighbours is measured, not guessed: `SAMPLER` won
(`experiments/benchmarks/warp.py`; the ways are in `sampling.py`). All are portable, no
custom operation. Coordinates stay float32 in any compute type. Outside the field the
value is zero, as in MegaPortraits.
"""

import jax.numpy as jnp

from vasa_jax.nn.sampling import SAMPLERS
from vasa_jax.types import Array

SAMPLER = 'corners'


def warp_volume(volume: Array, grid: Array, how: str = SAMPLER) -> Array:
  """Samples a volume trilinearly.

  Args:
    volume: `(b, d, h, w, c)`.
    grid: `(b, ..., 3)` x, y, z in [-1, 1], where -1 and 1 are the outer faces of the
      first and the last cell (torch's `align_corners=False`).
    how: one of `SAMPLERS`.

  Returns:
    `(b, ..., c)`; zero outside.
  """
  sizes = jnp.array(volume.shape[3:0:-1], jnp.float32)
  return SAMPLERS[how](volume, (grid + 1) * sizes / 2 - 0.5)


def warp_picture(picture: Array, screen: Array) -> Array:
  """Samples `(b, h, w, c)` bilinearly at `screen (b, ..., 2)` x, y in crop units 0..1.

  The border is repeated: a portrait has no zeros behind its edge.
  """
  sizes = jnp.array(picture.shape[2:0:-1], jnp.float32)
  position = jnp.clip(screen * sizes - 0.5, 0.0, sizes - 1.0)
  return SAMPLERS[SAMPLER](picture, position)


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
