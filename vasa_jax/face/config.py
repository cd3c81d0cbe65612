"""Configuration of the face model: one dataclass, four presets.

The same modules serve all presets; what `lite` and `base` need beyond the paper (the
pixel path with its geometric prior, latents anchored to the corpus's labels) is a field
that is off in `paper`.
"""

import dataclasses

from vasa_jax.errors import UsageError
from vasa_jax.types import NUM_UNITS


@dataclasses.dataclass(frozen=True)
class PixelPathConfig:
  """The path that carries the portrait's own pixels (not in the paper).

  Attributes:
    prior_size: cells along a side of the geometric prior's grid.
    features: channels of the portrait's feature map at a quarter of the resolution.
    width: channels of the network that corrects the flow.
    blocks: its residual blocks.
    fine_width: channels at half the resolution, where pixels and paint are joined.
    prior: False replaces the template's flow by zeros (ablation).
  """

  prior_size: int = 128
  features: int = 32
  width: int = 48
  blocks: int = 2
  fine_width: int = 24
  prior: bool = True


@dataclasses.dataclass(frozen=True)
class FaceConfig:
  """The face encoder and decoder (VASA-1 section 3.1; MegaPortraits appendix A).

  Attributes:
    size: side of the square crop in pixels.
    patch: space-to-depth before the first convolution (1: none, as published).
    encoder_channels: width of each 2-D stage of the appearance encoder; every stage but
      the first halves the resolution.
    volume_depth, volume_channels: depth and channels of `v_app`.
    volume_blocks: 3-D residual blocks behind the reshape.
    identity_stages, identity_width, identity_bottleneck: the ResNet of `z_id`.
    identity_channels: channels of `z_id`.
    motion_size: side of the picture that the motion encoder sees.
    motion_stages, motion_width: the two ResNets of the motion encoder.
    dyn_dim: length of `z_dyn`.
    anchored: `z_pose` and `z_dyn` are trained to be the corpus's exact labels (head
      pose; 52 face units and the eyes), and the generator is driven by these labels
      while it trains. False: latents are learned through the pictures alone (paper).
    embedding: channels of the map that the warp generators start from (at 4 x 4).
    warp_channels: width of their 3-D stages.
    warp_shape: depth, height, width of the offset field.
    canonical_channels: widths of G3D's stages, outermost first.
    decoder_channels: widths of G2D: the trunk, then one per doubling of the resolution.
      With a pixel path the trunk's alone is used.
    decoder_blocks: residual blocks of the trunk.
    pixel_path: None in the paper.
    pivot_depth: where the neck pivot lies in the canonical box, -1 (back) to 1 (front).
      A neck is behind its face; 0, the value of `lite`, is what the first embedded
      weights were trained with.
    motion_zoom: how much of the picture the dynamics net sees: a window 1 / zoom wide,
      which follows the head; 0 shows it all of the picture, as it is.
    disguise: hides identity from the dynamics net in training (`face/augment.py`).
    source_skip: side of the kernel by which a residual block's input changes its width,
      in what runs once per portrait (E_app, G3D). 3 is MegaPortraits' figure, 1 its
      authors' later code, and what every frame pays for has (figure and budget part).
    spectral_norm: on all generator nets, where weights are standardised.
    remat: every residual block keeps its input alone and is computed again for its
      gradient: less memory, a third more time.
    dtype: compute type; parameters are float32 always.
  """

  size: int = 512
  patch: int = 1
  encoder_channels: tuple[int, ...] = (64, 128, 256, 512)
  volume_depth: int = 16
  volume_channels: int = 96
  volume_blocks: int = 6
  identity_stages: tuple[int, ...] = (3, 4, 6, 3)
  identity_width: int = 64
  identity_bottleneck: bool = True
  identity_channels: int = 512
  motion_size: int = 128
  motion_stages: tuple[int, ...] = (2, 2, 2, 2)
  motion_width: int = 64
  dyn_dim: int = 128
  anchored: bool = False
  embedding: int = 512
  warp_channels: tuple[int, ...] = (256, 128, 64, 32)
  warp_shape: tuple[int, int, int] = (16, 64, 64)
  canonical_channels: tuple[int, ...] = (192, 384, 512)
  decoder_channels: tuple[int, ...] = (512, 256, 128, 64)
  decoder_blocks: int = 8
  pixel_path: PixelPathConfig | None = None
  pivot_depth: float = 0.0
  motion_zoom: float = 0.0
  disguise: bool = False
  source_skip: int = 1
  spectral_norm: bool = False
  remat: bool = False
  dtype: str = 'float32'

  @property
  def volume_side(self) -> int:
    return self.size // self.patch // 2 ** (len(self.encoder_channels) - 1)

  def check(self) -> None:
    """Raises UsageError where the parts do not fit each other."""
    side = self.volume_side
    if self.size != side * self.patch * 2 ** (len(self.encoder_channels) - 1):
      raise UsageError(
        f'size={self.size} cannot be halved {len(self.encoder_channels) - 1} times '
        f'(encoder_channels) after patch={self.patch}'
      )
    if self.pixel_path is None:
      made = side * 2 ** (len(self.decoder_channels) - 1)
      if made != self.size:
        raise UsageError(
          f'decoder_channels={self.decoder_channels} lead from {side} to {made} px, '
          f'not to size={self.size}: one width for the trunk and one a doubling'
        )
    elif self.size // 4 % side or self.pixel_path.prior_size % (self.size // 4):
      raise UsageError(
        f'pixel_path: a quarter of size={self.size} must be a multiple of the volume '
        f'({side}) and divide prior_size={self.pixel_path.prior_size}'
      )
    if self.pixel_path and self.pixel_path.prior and self.dyn_dim < NUM_UNITS + 2:
      raise UsageError(
        f'pixel_path.prior moves a head by {NUM_UNITS} units and two eye angles, and '
        f'dyn_dim={self.dyn_dim}: set pixel_path.prior=false'
      )
    if max(self.warp_shape) > 4 * 2 ** len(self.warp_channels):
      raise UsageError(
        f'warp_shape={self.warp_shape} cannot be reached: {len(self.warp_channels)} '
        'warp_channels double 4 x 4 x 4'
      )


def paper() -> FaceConfig:
  """VASA-1 as published: 512 px, about 200 M parameters."""
  return FaceConfig(
    pivot_depth=-0.4,
    motion_zoom=1.5,
    disguise=True,
    source_skip=3,
    spectral_norm=True,
    remat=True,
  )


def lite() -> FaceConfig:
  """The embedded default: 256 px on two CPU cores."""
  return FaceConfig(
    size=256,
    patch=4,
    encoder_channels=(32, 64),
    volume_depth=8,
    volume_channels=16,
    volume_blocks=1,
    identity_stages=(1, 1, 1),
    identity_width=32,
    identity_bottleneck=False,
    identity_channels=64,
    motion_size=128,
    motion_stages=(1, 1, 1),
    motion_width=48,
    dyn_dim=54,
    anchored=True,
    embedding=64,
    warp_channels=(48, 24),
    warp_shape=(8, 16, 16),
    canonical_channels=(16,),
    decoder_channels=(64, 48),
    decoder_blocks=1,
    pixel_path=PixelPathConfig(),
  )


def base() -> FaceConfig:
  """`lite` grown for an accelerator: 512 px, the same latents, so the same stage 2."""
  return FaceConfig(
    size=512,
    patch=4,
    encoder_channels=(96, 192),
    volume_depth=16,
    volume_channels=32,
    volume_blocks=2,
    identity_stages=(2, 2, 2, 2),
    identity_bottleneck=False,
    identity_channels=256,
    dyn_dim=54,
    anchored=True,
    embedding=256,
    warp_channels=(128, 64, 32),
    warp_shape=(16, 32, 32),
    canonical_channels=(32, 64),
    decoder_channels=(256, 128),
    decoder_blocks=3,
    pixel_path=PixelPathConfig(
      prior_size=256, features=64, width=128, blocks=3, fine_width=48
    ),
  )


def tiny() -> FaceConfig:
  """For tests: compiles and steps in seconds."""
  return FaceConfig(
    size=64,
    patch=4,
    encoder_channels=(16, 16),
    volume_depth=4,
    volume_channels=16,
    volume_blocks=1,
    identity_stages=(1,),
    identity_width=8,
    identity_bottleneck=False,
    identity_channels=8,
    motion_size=32,
    motion_stages=(1,),
    motion_width=8,
    dyn_dim=54,
    anchored=True,
    embedding=8,
    warp_channels=(8,),
    warp_shape=(4, 8, 8),
    canonical_channels=(8,),
    decoder_channels=(16, 16),
    decoder_blocks=1,
    pixel_path=PixelPathConfig(
      prior_size=32, features=8, width=16, blocks=1, fine_width=8
    ),
  )


PRESETS = {'tiny': tiny, 'lite': lite, 'base': base, 'paper': paper}
