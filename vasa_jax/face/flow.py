"""The 3-D warps between the posed and the canonical space.

MegaPortraits equation 1: `v_(s->d) = w_(->d) o G3D( w_(s->) o v_s )`. Each warp joins a
rigid part, the head pose, and offsets of the facial dynamics predicted by a generator
with adaptive normalisation. Expression always acts in canonical space: towards the
canonical volume the pose is undone first and the offsets follow; towards the driver the
offsets come first and the pose follows. Sampling runs backwards, so both are composed
into one set of coordinates and the volume is gathered once.

Canonical coordinates are [-1, 1] along x (right), y (down) and z (to the camera) over
the reference crop; the neck pivot lies at `PIVOT`, at the depth that the config says.
"""

import math

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from vasa_jax.face.block import face_block
from vasa_jax.face.config import FaceConfig
from vasa_jax.face.template import FIELD_OF_VIEW, REFERENCE_DISTANCE, TARGET_HEIGHT
from vasa_jax.nn.blocks import Conv, Norm, upsample
from vasa_jax.nn.rotation import euler_matrix
from vasa_jax.nn.warp import volume_grid, warp_volume
from vasa_jax.types import Array, Motion

# Half the reference crop in model units: how far [-1, 1] reaches.
HALF_CROP = REFERENCE_DISTANCE * math.tan(FIELD_OF_VIEW / 2)
PIVOT = (0.0, TARGET_HEIGHT / HALF_CROP, 0.0)
_FLIP_Y = np.array([1.0, -1.0, 1.0], np.float32)  # rotations are written for y up


class WarpGenerator(nn.Module):
  """W_(s->) or W_(->d): offsets of the dynamics, `(b, d, h, w, 3)` in canonical space.

  The embedding is `z_dyn + z_id` as in MegaPortraits (a linear map of `z_dyn` to
  4 x 4 x c, summed with `z_id`, halved, 1 x 1 convolution); every norm is adapted by
  it.
  """

  config: FaceConfig

  @nn.compact
  def __call__(self, z_dyn: Array, z_id: Array) -> Array:
    c = self.config
    dtype = jnp.dtype(c.dtype)
    code = nn.Dense(16 * c.embedding, use_bias=False)(z_dyn).reshape(
      -1, 4, 4, c.embedding
    )
    spectral = c.spectral_norm
    identity = Conv(c.embedding, (1, 1), spectral=spectral)(z_id)
    x = Conv(c.embedding, (1, 1), spectral=spectral)((code + identity) * 0.5)
    condition = x.mean((1, 2))
    width = 2 * c.warp_channels[0]
    x = Conv(4 * width, (1, 1), spectral=spectral, dtype=dtype)(x)
    x = x.reshape(-1, 4, 4, 4, width).transpose(0, 3, 1, 2, 4)
    for channels in c.warp_channels:
      factors = [
        2 if now < full else 1
        for now, full in zip(x.shape[1:4], c.warp_shape, strict=True)
      ]
      x = upsample(face_block(c, channels, 3)(x, condition), tuple(factors))
    if x.shape[1:4] != tuple(c.warp_shape):
      raise ValueError(
        f'warp_shape={c.warp_shape} cannot be reached: {len(c.warp_channels)} '
        f'warp_channels double 4 x 4 x 4 to {x.shape[1:4]}'
      )
    x = nn.relu(Norm(dtype)(x))
    x = Conv(3, (3, 3, 3), standardise=False, zero_init=True, dtype=dtype)(x)
    return jnp.tanh(x.astype(jnp.float32))


def pivot_at(depth: float) -> Array:
  """The neck pivot at this canonical depth."""
  return jnp.array([*PIVOT[:2], depth])


def posed_coordinates(canonical: Array, z_pose: Array, depth: float = 0.0) -> Array:
  """Canonical points `(b, d, h, w, 3)` -> where the head pose puts them.

  Args:
    depth: of the neck pivot, `FaceConfig.pivot_depth`.
  """
  rotation = euler_matrix(*(z_pose[:, i] for i in range(3)))
  pivot = pivot_at(depth)
  centred = (canonical - pivot) * _FLIP_Y
  turned = jnp.einsum('bij,bdhwj->bdhwi', rotation, centred) * _FLIP_Y + pivot
  return _shrink(z_pose) * turned + _shift(z_pose)


def canonical_coordinates(posed: Array, z_pose: Array, depth: float = 0.0) -> Array:
  """Inverse of `posed_coordinates`."""
  rotation = euler_matrix(*(z_pose[:, i] for i in range(3)))
  pivot = pivot_at(depth)
  centred = ((posed - _shift(z_pose)) / _shrink(z_pose) - pivot) * _FLIP_Y
  return jnp.einsum('bji,bdhwj->bdhwi', rotation, centred) * _FLIP_Y + pivot


def _shrink(z_pose: Array) -> Array:
  return jnp.exp(-z_pose[:, 3]).reshape(-1, 1, 1, 1, 1)


def _shift(z_pose: Array) -> Array:
  shift = jnp.pad(2 * z_pose[:, 4:6], ((0, 0), (0, 1)))
  return shift[:, None, None, None]


def to_canonical(
  volume: Array, motion: Motion, offsets: Array, depth: float = 0.0
) -> Array:
  """w_(s->): the posed volume of the portrait brought to canonical space.

  Args:
    volume: `(b, d, h, w, c)`.
    offsets: `(b, d', h', w', 3)` of `WarpGenerator`, canonical units.
    depth: of the neck pivot.
  """
  grid = jnp.broadcast_to(volume_grid(*volume.shape[1:4]), (*volume.shape[:4], 3))
  bent = grid + warp_volume(offsets, grid)
  return warp_volume(volume, posed_coordinates(bent, motion.z_pose, depth))


def to_posed(
  volume: Array, motion: Motion, offsets: Array, depth: float = 0.0
) -> Array:
  """w_(->d): the canonical volume (b or 1) brought to the driver's motion (b)."""
  shape = (motion.z_pose.shape[0], *volume.shape[1:])
  grid = jnp.broadcast_to(volume_grid(*shape[1:4]), (*shape[:4], 3))
  canonical = canonical_coordinates(grid, motion.z_pose, depth)
  volume = jnp.broadcast_to(volume, shape)
  return warp_volume(volume, canonical + warp_volume(offsets, canonical))
