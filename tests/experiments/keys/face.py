"""What the settings of stage 1 reach: parameters and the program of the loss."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.experiments.keys.traces import program
from vasa_jax.face.config import FaceConfig, PixelPathConfig, tiny
from vasa_jax.face.critic import CriticConfig
from vasa_jax.face.judges import Judges
from vasa_jax.face.losses import LossConfig, paper_losses
from vasa_jax.face.step import init_training, make_loss

BASE = dataclasses.replace(
  tiny(),
  pixel_path=PixelPathConfig(
    prior_size=16, features=8, width=16, blocks=1, fine_width=8
  ),
)
# Latents are learned, as in `paper`: some settings say nothing where they are labels.
LEARNED = dataclasses.replace(BASE, anchored=False, motion_zoom=1.5, disguise=True)
TOLD = LossConfig(perceptual_crop=32, consistency=0.1)
ALL = dataclasses.replace(
  paper_losses(), canonical=1.0, mismatch=1.0, dyn_dropout=0.2,
  critic=CriticConfig(channels=(8, 8)),
)  # fmt: skip

# Another value, and where it has to show: 'init' are the parameters' shapes, 'told' the
# loss under labels, 'learned' that of learned latents.
MODEL: dict[str, tuple[Any, str]] = {
  'size': (32, 'told'),
  'patch': (2, 'init'),
  'encoder_channels': ((16, 24), 'init'),
  'volume_depth': (2, 'init'),
  'volume_channels': (8, 'init'),
  'volume_blocks': (2, 'init'),
  'identity_stages': ((2,), 'init'),
  'identity_width': (16, 'init'),
  'identity_bottleneck': (True, 'init'),
  'identity_channels': (16, 'init'),
  'motion_size': (64, 'told'),
  'motion_stages': ((2,), 'init'),
  'motion_width': (16, 'init'),
  'dyn_dim': (64, 'init learned'),
  'anchored': (False, 'told'),
  'embedding': (16, 'init'),
  'warp_channels': ((16,), 'init'),
  'warp_shape': ((8, 8, 8), 'told'),
  'canonical_channels': ((16,), 'init'),
  'decoder_channels': ((24, 16), 'init'),
  'decoder_blocks': (2, 'init'),
  'pixel_path.prior_size': (32, 'told'),
  'pixel_path.features': (16, 'init'),
  'pixel_path.width': (24, 'init'),
  'pixel_path.blocks': (2, 'init'),
  'pixel_path.fine_width': (16, 'init'),
  'pixel_path.prior': (False, 'told'),
  'pivot_depth': (-0.4, 'told'),
  'motion_zoom': (2.0, 'learned'),
  'disguise': (False, 'learned'),
  'source_skip': (3, 'init'),
  'spectral_norm': (True, 'told'),
  'remat': (True, 'told'),
  'dtype': ('bfloat16', 'told'),
}
LOSSES: dict[str, tuple[Any, str]] = {
  'pixel': (2.0, 'told'),
  'gradient': (1.0, 'told'),
  'perceptual': (0.4, 'told'),
  'perceptual_crop': (16, 'told'),
  'warped': (0.4, 'told'),
  'paint': (0.6, 'told'),
  'flow': (5.0, 'told'),
  'motion': (0.04, 'told'),
  'consistency': (0.2, 'told'),
  'eye_mouth': (5.0, 'told'),
  'hidden': (5.0, 'told'),
  'pyramid': (10.0, 'learned'),
  'face': (2.0, 'learned'),
  'gaze': (2.0, 'learned'),
  'adversarial': (2.0, 'learned'),
  'matching': (20.0, 'learned'),
  'critic.channels': ((8, 16), 'critic'),
  'critic.scales': (1, 'critic'),
  'critic.dtype': ('bfloat16', 'learned'),
  'contrastive': (1.0, 'learned'),
  'identity': (5.0, 'learned'),
  'consistency_pyramid': (2.0, 'learned'),
  'pose': (2.0, 'learned'),
  'canonical': (2.0, 'learned'),
  'mismatch': (2.0, 'learned'),
  'mismatch_margin': (0.4, 'learned'),
  'dyn_dropout': (0.1, 'learned'),
}


def base_of(where: str) -> tuple[FaceConfig, LossConfig]:
  """The settings that a change is made to."""
  if where in ('learned', 'init learned', 'critic'):
    return LEARNED, ALL
  return BASE, TOLD


def trace(model: FaceConfig, losses: LossConfig, where: str) -> str:
  """Shapes of the parameters, or the program of the loss."""
  shapes = _shapes(model, losses)
  if where.startswith('init') or where == 'critic':
    return str(jax.tree.map(lambda leaf: (leaf.shape, str(leaf.dtype)), shapes))
  return program(
    make_loss(model, losses, _judges()), shapes, _batch(model), jax.random.key(0)
  )


@functools.cache
def _shapes(model: FaceConfig, losses: LossConfig):
  return jax.eval_shape(
    lambda key: init_training(model, losses, key), jax.random.key(0)
  )


def _judges() -> Judges:
  """Judges that compare plainly."""

  def distance(a, b):
    return jnp.mean(jnp.abs(a - b))

  return Judges(
    perceptual=distance,
    pictures=distance,
    faces=distance,
    gaze=lambda a, b, eyes: jnp.mean(eyes * jnp.abs(a - b)),
    identity=lambda x: x.mean((1, 2)),
  )


def _batch(model: FaceConfig):
  b, n = 2, 8

  def numbers(*shape):
    return jax.ShapeDtypeStruct(shape, np.float32)

  def pictures(*shape):
    return jax.ShapeDtypeStruct((*shape, model.size, model.size, 3), np.uint8)

  return {
    'source_picture': pictures(b), 'driver_picture': pictures(b, 1),
    'stranger_picture': pictures(b), 'shape': numbers(b, 64),
    'source_pose': numbers(b, 6), 'driver_pose': numbers(b, 1, 6),
    'source_dyn': numbers(b, 54), 'driver_dyn': numbers(b, 1, 54),
    'source_centres': numbers(b, 3, 2), 'driver_centres': numbers(b, 1, 3, 2),
    'source_points': numbers(b, n, 3), 'driver_points': numbers(b, 1, n, 3),
  }  # fmt: skip
