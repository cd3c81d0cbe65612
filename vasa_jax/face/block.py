"""The residual block of the generator nets, as the config asks for it."""

import jax.numpy as jnp

from vasa_jax.face.config import FaceConfig
from vasa_jax.nn.blocks import ResBlock, rematerialised


def face_block(
  config: FaceConfig,
  features: int,
  ndim: int = 2,
  *,
  source: bool = False,
  upsample: bool = False,
) -> ResBlock:
  """A block of `features` channels in 2-D or 3-D; one is one stage of a resolution.

  Args:
    source: it runs once per portrait, not once per frame.
    upsample: its input is doubled along every side first.
  """
  block = rematerialised(ResBlock) if config.remat else ResBlock
  skip = config.source_skip if source else 1
  dtype = jnp.dtype(config.dtype)
  return block(features, ndim, dtype, config.spectral_norm, skip, upsample)
