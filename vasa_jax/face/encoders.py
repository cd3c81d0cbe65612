"""Encoders: the posed appearance volume, the identity descriptor and the motion.

Rows E_app (volume branch), E_app (global branch) and E_mtn of the appendix of
MegaPortraits.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax.face.block import face_block
from vasa_jax.face.config import FaceConfig
from vasa_jax.face.crop import pose_crop
from vasa_jax.nn.blocks import (
  Conv,
  Norm,
  ResNet,
  average_pool,
  space_to_depth,
)
from vasa_jax.types import POSE_DIM, Array, Motion


class AppearanceEncoder(nn.Module):
  """E_app, volume branch: picture `(b, h, w, 3)` -> posed volume `(b, d, h, w, c)`."""

  config: FaceConfig

  @nn.compact
  def __call__(self, picture: Array) -> Array:
    c = self.config
    dtype = jnp.dtype(c.dtype)
    first, *rest = c.encoder_channels
    if c.patch > 1:
      x = Conv(first, (3, 3), standardise=False, dtype=dtype)(
        space_to_depth(picture, c.patch)
      )
    else:
      x = Conv(first, (7, 7), standardise=False, dtype=dtype)(picture)
    for channels in rest:
      x = average_pool(face_block(c, channels, source=True)(x), (2, 2))
    x = nn.relu(Norm(dtype)(x))
    x = Conv(
      c.volume_depth * c.volume_channels, (1, 1), spectral=c.spectral_norm, dtype=dtype
    )(x)
    b, h, w, _ = x.shape
    volume = x.reshape(b, h, w, c.volume_depth, c.volume_channels)
    volume = volume.transpose(0, 3, 1, 2, 4)  # b d h w c
    for _ in range(c.volume_blocks):
      volume = face_block(c, c.volume_channels, 3, source=True)(volume)
    return volume


class IdentityEncoder(nn.Module):
  """E_app, global branch: picture -> `z_id (b, 4, 4, c)`, a ResNet and a 4 x 4 pool."""

  config: FaceConfig

  @nn.compact
  def __call__(self, picture: Array) -> Array:
    c = self.config
    dtype = jnp.dtype(c.dtype)
    side = c.size // 2  # the descriptor is global: half the resolution is enough
    picture = average_pool(picture, (picture.shape[1] // side,) * 2)
    x = ResNet(
      c.identity_stages, c.identity_width, c.identity_bottleneck, c.patch, dtype
    )(picture)
    x = Conv(c.identity_channels, (1, 1), use_bias=False, dtype=dtype)(x)
    return average_pool(x, (x.shape[1] // 4, x.shape[2] // 4))


class MotionEncoder(nn.Module):
  """E_mtn: picture -> `Motion`, two separate ResNets for pose and dynamics.

  The pose net sees the whole picture. The dynamics net sees the face alone where the
  config asks for it: moved to the middle, turned upright and brought to one size by the
  pose that was found, so that none of it is left to be told by the dynamics.
  """

  config: FaceConfig

  @nn.compact
  def __call__(self, picture: Array, disguised: Array | None = None) -> Motion:
    """The motion of `picture (b, h, w, 3)`.

    Args:
      disguised: the same picture with its identity hidden (`augment.hide_identity`),
        for the dynamics net; None in use.
    """
    c = self.config
    side = c.motion_size

    def small(picture):
      shape = (picture.shape[0], side, side, 3)
      return jax.image.resize(picture, shape, 'linear', antialias=True)

    pose = self._head('pose', small(picture), POSE_DIM)
    seen = picture if disguised is None else disguised
    if c.motion_zoom:
      seen = pose_crop(seen, jax.lax.stop_gradient(pose), side, c.motion_zoom)
    else:
      seen = small(seen)
    return Motion(z_pose=pose, z_dyn=self._head('dynamics', seen, c.dyn_dim))

  def _head(self, name: str, picture: Array, size: int) -> Array:
    c = self.config
    net = ResNet(
      c.motion_stages, c.motion_width, False, c.patch, jnp.dtype(c.dtype), name=name
    )
    x = net(picture).astype(jnp.float32)
    # Flattened 4 x 4, not averaged: where a lip is matters (MegaPortraits' code).
    x = average_pool(x, (max(x.shape[1] // 4, 1), max(x.shape[2] // 4, 1)))
    x = x.reshape(x.shape[0], -1)
    return nn.Dense(size, kernel_init=nn.initializers.normal(0.01), name=f'{name}_out')(
      x
    )
