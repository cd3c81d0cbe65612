"""G3D, the U-Net on the canonical volume, and G2D, the picture generator.

Rows G_3D and G_2D of MegaPortraits' appendix A. Depth doubles while height and width
halve in G3D until the volume is a cube, then all three halve.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax.face.block import face_block
from vasa_jax.face.config import FaceConfig
from vasa_jax.nn.blocks import Conv, Norm, average_pool
from vasa_jax.types import Array


class G3D(nn.Module):
  """Refines the canonical volume; same shape in and out."""

  config: FaceConfig

  @nn.compact
  def __call__(self, volume: Array) -> Array:
    c = self.config
    dtype = jnp.dtype(c.dtype)
    x, skips = volume, []

    def block(channels):
      return face_block(c, channels, 3, source=True)

    for channels in c.canonical_channels[:-1]:
      x = block(channels)(x)
      skips.append(x)
      x = _down(x)
    x = block(c.canonical_channels[-1])(x)
    x = x + block(c.canonical_channels[-1])(x)
    for channels, skip in zip(
      reversed(c.canonical_channels[:-1]), reversed(skips), strict=True
    ):
      x = block(channels)(x)
      x = jax.image.resize(x, (*skip.shape[:4], channels), 'linear')
      x = x + block(channels)(skip)
    x = block(c.volume_channels)(x)
    x = nn.relu(Norm(dtype)(x))
    return Conv(c.volume_channels, (3, 3, 3), standardise=False, dtype=dtype)(x)


def _down(x: Array) -> Array:
  """Halves height and width; depth doubles until the volume is a cube, then halves."""
  _, depth, height, width, channels = x.shape
  if depth < height:
    x = average_pool(x, (1, 2, 2))
    shape = (x.shape[0], 2 * depth, height // 2, width // 2, channels)
    return jax.image.resize(x, shape, 'linear')
  return average_pool(x, (2, 2, 2))


class Trunk(nn.Module):
  """Projection P and the residual trunk of G2D: volume -> `(b, h, w, c)` features."""

  config: FaceConfig

  @nn.compact
  def __call__(self, volume: Array) -> Array:
    c = self.config
    dtype = jnp.dtype(c.dtype)
    b, d, h, w, channels = volume.shape
    flat = volume.transpose(0, 2, 3, 1, 4).reshape(b, h, w, d * channels)
    x = Conv(c.decoder_channels[0], (1, 1), spectral=c.spectral_norm, dtype=dtype)(flat)
    for _ in range(c.decoder_blocks):
      x = face_block(c, c.decoder_channels[0])(x)
    return x


class G2D(nn.Module):
  """The paper's picture generator: features to `(b, H, W, 3)` in [0, 1]."""

  config: FaceConfig

  @nn.compact
  def __call__(self, x: Array) -> Array:
    c = self.config
    dtype = jnp.dtype(c.dtype)
    for channels in c.decoder_channels[1:]:
      x = face_block(c, channels, upsample=True)(x)
    x = nn.relu(Norm(dtype)(x))
    x = Conv(3, (3, 3), standardise=False, dtype=dtype)(x)
    return nn.sigmoid(x.astype(jnp.float32))
