"""The three sizes of the audio-to-motion model, and every choice the paper left open.

VASA-1 section 3.2 states: a transformer encoder of 8 layers, width 512, 8 heads; x0
prediction; conditions concatenated along time; drop rates 0.1 and 0.5; guidance 0.5 on
audio and 1.0 on gaze; 50 sampling steps. What it does not state is a field here, with
one line that says why the default is what it is.
"""

import dataclasses
import typing
from typing import Literal

from vasa_jax.errors import UsageError
from vasa_jax.types import NUM_UNITS, POSE_DIM


@dataclasses.dataclass(frozen=True)
class MotionConfig:
  """Everything that shapes the motion model, its training pairs and its sampler.

  Attributes:
    width, depth, heads, ffn: the transformer. FFN is not in the paper; 2048 is what
      fits its 29 M.
    dynamics_dim: size of `z_dyn`. Not in the paper; 54 for the anchored latents of
      `lite` (52 face units, eye yaw, eye pitch), 128 for learned ones: MegaPortraits'
      authors later found 512 oversized.
    anchored: `z_dyn` is the 52 named units and two eye angles: what is generated is
      kept in their range.
    audio_dim: size of an audio feature; 320 for log-mel, 768 for Wav2Vec2.
    window, previous: W and K frames. Not in the paper; 100 and 25 as JoyVASA. Half of
      it halves the latency.
    layout: 'tokens' gives audio frames tokens of their own, as the paper's wording
      suggests; 'channels' adds each audio frame to its motion frame, which halves the
      attention length and needs no learning of the alignment.
    dropout: not in the paper; none, except where the corpus is small.
    diffusion_steps, schedule: not in the paper; 1000 and cosine are the usual pair.
    predict: what the network puts out. 'x0' in the paper.
    drop_condition: chance that audio, gaze, distance or emotion is null, each alone.
    drop_previous: chance that X_pre and A_pre are null. Joint, since the first window
      has neither.
    truncate, truncate_most: the paper drops "the last few frames" of the audio at
      random: chance, and the largest share of the window. A third and a half are ours.
    null_is_neutral: the emotion is dropped in neutral clips alone, so that its null
      means "as the voice sounds". For corpora whose voices carry no emotion while the
      faces do; with real speech a plain drop learns the same thing.
    velocity_weight: weight of an added loss on frame-to-frame differences, each
      normalised by its own spread. The paper has none: 0.
    gaze_scale: degrees that become 1 at the network's input.
    guidance_audio, guidance_gaze, sampling_steps: defaults of the sampler.
    dtype: of the matrix products; norms, softmax and the loss stay float32.
  """

  width: int = 512
  depth: int = 8
  heads: int = 8
  ffn: int = 2048
  dynamics_dim: int = 128
  anchored: bool = False
  audio_dim: int = 768
  window: int = 100
  previous: int = 25
  layout: Literal['tokens', 'channels'] = 'tokens'
  dropout: float = 0.0
  diffusion_steps: int = 1000
  schedule: Literal['cosine', 'linear'] = 'cosine'
  predict: Literal['x0', 'noise', 'v'] = 'x0'
  drop_condition: float = 0.1
  drop_previous: float = 0.5
  truncate: float = 0.3
  truncate_most: float = 0.5
  null_is_neutral: bool = False
  velocity_weight: float = 0.0
  gaze_scale: float = 20.0
  guidance_audio: float = 0.5
  guidance_gaze: float = 1.0
  sampling_steps: int = 50
  dtype: Literal['float32', 'bfloat16'] = 'float32'

  def __post_init__(self):
    for name, kind in typing.get_type_hints(type(self)).items():
      choices = typing.get_args(kind)
      if choices and getattr(self, name) not in choices:
        raise UsageError(
          f'motion config: {name}={getattr(self, name)!r} is not one of '
          f'{", ".join(choices)}'
        )
    if self.width % self.heads or self.width % 2:
      raise UsageError(
        f'motion config: width={self.width} must be even and a multiple of '
        f'heads={self.heads}'
      )
    if not 0 < self.previous <= self.window:
      raise UsageError(
        f'motion config: previous={self.previous} must lie in 1..window={self.window}'
      )
    if self.anchored and self.dynamics_dim != NUM_UNITS + 2:
      raise UsageError(
        f'motion config: anchored dynamics have {NUM_UNITS + 2} values, not '
        f'dynamics_dim={self.dynamics_dim}'
      )
    if not 0 < self.sampling_steps <= self.diffusion_steps:
      raise UsageError(
        f'motion config: sampling_steps={self.sampling_steps} must lie in 1..'
        f'{self.diffusion_steps}'
      )

  @property
  def motion_dim(self) -> int:
    """Size of one frame of `x = [z_pose, z_dyn]`."""
    return POSE_DIM + self.dynamics_dim


def paper() -> MotionConfig:
  """VASA-1 as published: 8 layers, 512 wide, about 29 M parameters."""
  return MotionConfig()


def lite() -> MotionConfig:
  """The embedded default: 5.5 M parameters, faster than real time on two CPU cores."""
  return MotionConfig(
    width=256,
    depth=6,
    heads=4,
    ffn=1024,
    dynamics_dim=NUM_UNITS + 2,
    anchored=True,
    audio_dim=320,
    window=50,
    previous=10,
    layout='channels',
    dropout=0.1,
    null_is_neutral=True,
    velocity_weight=0.5,
    sampling_steps=20,
  )


def tiny() -> MotionConfig:
  """For tests: compiles and steps in seconds."""
  return dataclasses.replace(
    lite(),
    width=64,
    depth=2,
    heads=2,
    ffn=128,
    window=8,
    previous=3,
    dropout=0.0,
    sampling_steps=4,
  )
