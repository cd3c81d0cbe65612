"""The face model: encode a portrait once, decode as many motions as wanted.

`encode` runs E_app, brings the volume to canonical space and refines it (G3D); all of
it once per portrait. `decode` is the per-frame part: warp to the driver's motion,
render.
"""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.face.config import FaceConfig
from vasa_jax.face.decoder import G2D, G3D, Trunk
from vasa_jax.face.encoders import AppearanceEncoder, IdentityEncoder, MotionEncoder
from vasa_jax.face.flow import WarpGenerator, to_canonical, to_posed
from vasa_jax.face.pixel_path import PixelCode, PixelEncoder, PixelPath, Rendering
from vasa_jax.face.prior import HeadTemplate
from vasa_jax.face.template import load_template
from vasa_jax.nn.blocks import largest_singular, standardised
from vasa_jax.types import Array, FaceCode, Motion

SPECTRAL_PARTS = ('appearance', 'warp_source', 'warp_driver', 'g3d', 'trunk', 'g2d')


class FaceModel(nn.Module):
  """Stage 1 of VASA-1 (section 3.1). Batch axes: portraits b, frames b."""

  config: FaceConfig

  def setup(self):
    c = self.config
    self.appearance = AppearanceEncoder(c)
    self.identity = IdentityEncoder(c)
    self.motion_encoder = MotionEncoder(c)
    self.warp_source = WarpGenerator(c)
    self.warp_driver = WarpGenerator(c)
    self.g3d = G3D(c)
    self.trunk = Trunk(c)
    if c.pixel_path is None:
      self.g2d = G2D(c)
    else:
      self.pixel_encoder = PixelEncoder(c)
      self.pixel_path = PixelPath(c)
      self.template = HeadTemplate.of(load_template())

  def motion(self, picture: Array, disguised: Array | None = None) -> Motion:
    """E_mtn: `(b, h, w, 3)` -> the picture's motion; see `MotionEncoder`."""
    return self.motion_encoder(picture, disguised)

  def encode(
    self, picture: Array, motion: Motion, vertices: Array | None = None
  ) -> FaceCode:
    """A portrait `(b, h, w, 3)` and its motion -> what does not move.

    Args:
      vertices: `(b, v, 3)` neutral head; only the pixel path asks for it.
    """
    z_id = self.identity(picture)
    posed = self.appearance(picture)
    offsets = self.warp_source(motion.z_dyn, z_id)
    canonical = to_canonical(posed, motion, offsets, self.config.pivot_depth)
    pixels = None
    if self.config.pixel_path is not None:
      features = self.pixel_encoder(picture)
      pixels = PixelCode(picture, features, vertices, motion)
    return FaceCode(v_app=self.g3d(canonical), z_id=z_id, pixels=pixels)

  def decode(self, code: FaceCode, motion: Motion) -> Rendering:
    """Renders `motion (b, ...)`; a code of batch 1 serves any number of frames."""
    frames = motion.z_pose.shape[0]
    code = jax.tree.map(lambda x: jnp.broadcast_to(x, (frames, *x.shape[1:])), code)
    offsets = self.warp_driver(motion.z_dyn, code.z_id)
    posed = to_posed(code.v_app, motion, offsets, self.config.pivot_depth)
    features = self.trunk(posed)
    if self.config.pixel_path is None:
      return Rendering(self.g2d(features))
    return self.pixel_path(features, code.pixels, motion, self.template)

  def __call__(self, picture: Array, vertices: Array | None, driver: Motion):
    """Everything once: initialises all parameters."""
    motion = self.motion(picture)
    return self.decode(self.encode(picture, motion, vertices), driver)


def without_spectral_norm(config: FaceConfig, params: dict) -> tuple[FaceConfig, dict]:
  """A config and parameters without it that give the same pictures.

  The singular values are those of the moment: for use, where nothing learns. Weight
  standardisation hides a kernel's scale, so the gain of each layer takes it.
  """
  if not config.spectral_norm:
    return config, params

  def fold(tree):
    if 'gain' not in tree:
      return {k: fold(v) if isinstance(v, dict) else v for k, v in tree.items()}
    kernel = jnp.asarray(tree['kernel'])
    matrix = standardised(kernel, jnp.asarray(tree['gain'])).reshape(
      -1, kernel.shape[-1]
    )
    sigma = largest_singular(matrix).clip(1e-5)
    return tree | {'gain': np.asarray(tree['gain'] / sigma)}

  folded = {k: fold(v) if k in SPECTRAL_PARTS else v for k, v in params.items()}
  return dataclasses.replace(config, spectral_norm=False), folded


def init_params(config: FaceConfig, key: Array) -> dict:
  """Random parameters, float32.

  Only what draws parameters is traced into the program: the net itself, which would
  take `paper` minutes to compile, is looked at for its shapes and not run.
  """
  model = FaceModel(config)

  def of(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)

  vertices = None
  if config.pixel_path is not None:
    vertices = of(1, *load_template().mean.shape)
  driver = Motion(of(1, 6), of(1, config.dyn_dim))
  picture = of(1, config.size, config.size, 3)

  def init(key):
    return model.lazy_init(key, picture, vertices, driver)['params']

  return jax.jit(init)(key)
