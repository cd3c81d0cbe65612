"""CAPP (VASA-1 section 4.1): does a head move as its voice speaks? The net.

Three seconds of head pose and three seconds of speech become two vectors; training
makes those of one moment of one clip similar and all others not, as CLIP does with
pictures and texts. The paper fixes this much: the pose encoder is a transformer of six
layers from random weights, the audio encoder a pretrained Wav2Vec2, both learn. What it
leaves open (ambiguity 22 of our notes) are fields here.

The audio encoder is a small transformer over the features of any front end of
`audio.hearing`: of Wav2Vec2's for the paper's setting (frozen then), or of log-mel,
which needs no weights.
"""

import dataclasses
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UsageError
from vasa_jax.types import Array

FRAMES = 75  # 3 s at 25 a second (the paper's window)
# Degrees: about the deviation within a window and of a step from frame to frame.
SPREAD, STEP = 5.0, 0.6


@dataclasses.dataclass(frozen=True)
class CappConfig:
  """What CAPP is made of.

  Attributes:
    pose: 'angles': yaw, pitch, roll less their mean over the window, since where a head
      faces is no matter of speech; 'steps': their changes from frame to frame; 'both'.
    pooling: 'mean' over the frames, or 'frames': each frame gives `embedding / 75`
      values, side by side. Both see the whole window; 'frames' keeps the time apart, so
      that little data teaches when and not only how much.
    width, heads: of both transformers.
    depth, audio_depth: layers.
    embedding: size of the vectors; with 'frames' rounded down to a multiple of 75.
    audio_dim: size of an audio feature.
  """

  pose: Literal['angles', 'steps', 'both'] = 'both'
  pooling: Literal['frames', 'mean'] = 'frames'
  width: int = 32
  heads: int = 4
  depth: int = 6
  audio_depth: int = 2
  embedding: int = 600
  audio_dim: int = 320

  def __post_init__(self):
    if self.width % self.heads:
      raise UsageError(f'width={self.width} does not divide among {self.heads} heads')
    if self.pooling == 'frames' and self.embedding < FRAMES:
      raise UsageError(f"pooling='frames' wants embedding of at least {FRAMES}")


class _Layer(nn.Module):
  heads: int

  @nn.compact
  def __call__(self, x: Array) -> Array:
    width = x.shape[-1]
    h = nn.LayerNorm(name='norm_attention')(x)
    qkv = nn.DenseGeneral((3, self.heads, width // self.heads), name='qkv')(h)
    h = jax.nn.dot_product_attention(qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2])
    x = x + nn.DenseGeneral(width, axis=(-2, -1), name='attended')(h)
    h = nn.gelu(nn.Dense(4 * width, name='ffn_in')(nn.LayerNorm(name='norm_ffn')(x)))
    return x + nn.Dense(width, name='ffn_out')(h)


class Encoder(nn.Module):
  """`(b, 75, k)` to `(b, embedding)` of unit length."""

  config: CappConfig
  depth: int

  @nn.compact
  def __call__(self, x: Array) -> Array:
    c = self.config
    # A little convolution first: what moves or sounds is a change over a few frames.
    x = nn.Conv(c.width, (5,), name='enter')(x)
    place = self.param('place', nn.initializers.normal(0.02), (FRAMES, c.width))
    x = x + place
    for i in range(self.depth):
      x = _Layer(c.heads, name=f'layer{i}')(x)
    x = nn.LayerNorm(name='norm_out')(x)
    if c.pooling == 'mean':
      x = nn.Dense(c.embedding, name='out')(x.mean(1))
    else:
      x = nn.Dense(c.embedding // FRAMES, name='out')(x)
      x = (x - x.mean(1, keepdims=True)).reshape(len(x), -1)
    # zero (a head that does not move) stays zero, with a gradient
    return x / jnp.sqrt(jnp.sum(jnp.square(x), -1, keepdims=True) + 1e-8)


class Capp(nn.Module):
  """Both encoders and the learned temperature."""

  config: CappConfig = CappConfig()

  def setup(self):
    self.pose_encoder = Encoder(self.config, self.config.depth)
    self.audio_encoder = Encoder(self.config, self.config.audio_depth)
    # CLIP's: 1 / .07 at first
    self.sharpness = self.param(
      'sharpness', nn.initializers.constant(np.log(1 / 0.07)), ()
    )

  def __call__(self, pose: Array, features: Array) -> tuple[Array, Array]:
    return self.pose(pose), self.audio(features)

  def pose(self, pose: Array) -> Array:
    """`(b, 75, 3)` yaw, pitch, roll in degrees to `(b, e)` of unit length."""
    return self.pose_encoder(represent(pose, self.config.pose))

  def audio(self, features: Array) -> Array:
    """`(b, 75, a)` features at 25 Hz to `(b, e)` of unit length."""
    return self.audio_encoder(features)

  def logits(self, pose: Array, features: Array) -> Array:
    """`(b, b)`: cosines of every motion with every speech over the temperature."""
    poses, speeches = self.pose(pose), self.audio(features)
    return poses @ speeches.T * jnp.exp(jnp.minimum(self.sharpness, np.log(100.0)))


def represent(pose: Array, how: str) -> Array:
  """`(b, 75, 3)` degrees to what the encoder sees, about unit size."""
  angles = (pose - pose.mean(1, keepdims=True)) / SPREAD
  steps = jnp.diff(pose, axis=1, prepend=pose[:, :1]) / STEP
  parts = {'angles': [angles], 'steps': [steps], 'both': [angles, steps]}[how]
  return jnp.concatenate(parts, -1)
