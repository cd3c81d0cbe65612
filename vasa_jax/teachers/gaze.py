"""A gaze net in the layout of L2CS-Net (Abdelrahman et al. 2022), and the gaze loss.

A torchvision ResNet-50 over the face and two heads of 90 bins, 4 degrees each. What
stage 1 compares are its features: MegaPortraits' L_gaze takes the L1 of a gaze net's
features with gradients inside the eyes only. Its own net was never published; this one
was, and is what the paper measures gaze with (section 4).
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.teachers.arcface import StoredNorm
from vasa_jax.teachers.vgg import DEVIATION, MEAN
from vasa_jax.types import Array

BIN_DEGREES = 4.0


@dataclasses.dataclass(frozen=True)
class GazeConfig:
  """Layout of the ResNet; `bins` of each head; `dtype` of the arithmetic."""

  stages: tuple[int, ...] = (3, 4, 6, 3)
  width: int = 64
  bins: int = 90
  side: int = 448
  dtype: Any = jnp.float32


class Gaze(NamedTuple):
  """What the net says of a face.

  angles: `(b, 2)` degrees, its yaw and pitch (as published: yaw to the subject's right
  is negative in Gaze360; compare, do not interpret). features: after each stage.
  """

  angles: Array
  features: tuple[Array, ...]


class _Bottleneck(nn.Module):
  width: int
  stride: int
  dtype: Any

  @nn.compact
  def __call__(self, x: Array) -> Array:
    def conv(features, side, stride, name):
      return nn.Conv(
        features, (side, side), (stride, stride), padding=side // 2, use_bias=False,
        dtype=self.dtype, name=name,
      )  # fmt: skip

    y = nn.relu(StoredNorm(name='bn1')(conv(self.width, 1, 1, 'conv1')(x)))
    y = nn.relu(StoredNorm(name='bn2')(conv(self.width, 3, self.stride, 'conv2')(y)))
    y = StoredNorm(name='bn3')(conv(4 * self.width, 1, 1, 'conv3')(y))
    if self.stride > 1 or x.shape[-1] != 4 * self.width:
      x = StoredNorm(name='downsample_bn')(
        conv(4 * self.width, 1, self.stride, 'downsample')(x)
      )
    return nn.relu(x + y)


class GazeNet(nn.Module):
  """Face `(b, h, w, 3)` RGB in [0, 1] -> Gaze."""

  config: GazeConfig = GazeConfig()

  @nn.compact
  def __call__(self, picture: Array) -> Gaze:
    c = self.config
    x = ((picture - jnp.asarray(MEAN)) / jnp.asarray(DEVIATION)).astype(c.dtype)
    x = nn.Conv(
      c.width, (7, 7), (2, 2), padding=3, use_bias=False, dtype=c.dtype, name='conv1'
    )(x)
    x = nn.relu(StoredNorm(name='bn1')(x))
    x = nn.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))
    features = []
    for stage, blocks in enumerate(c.stages, 1):
      for block in range(blocks):
        stride = 2 if stage > 1 and not block else 1
        x = _Bottleneck(
          c.width * 2 ** (stage - 1), stride, c.dtype, name=f'layer{stage}_{block}'
        )(x)
      features.append(x)
    x = x.mean((1, 2)).astype(jnp.float32)
    axis = jnp.arange(c.bins)
    angles = []
    for head in ('fc_yaw_gaze', 'fc_pitch_gaze'):
      share = nn.softmax(nn.Dense(c.bins, name=head)(x))
      angles.append(share @ axis * BIN_DEGREES - BIN_DEGREES * c.bins / 2)
    return Gaze(jnp.stack(angles, -1), tuple(features))


def from_torch(
  state: Mapping[str, np.ndarray], config: GazeConfig = GazeConfig(), epsilon=1e-5
) -> dict:
  """Parameters of `GazeNet` from a published state dict.

  Raises:
    UserError: an array is missing.
  """
  state = {name: np.asarray(value, np.float32) for name, value in state.items()}

  def norm(name):
    gain = state[f'{name}.weight'] / np.sqrt(state[f'{name}.running_var'] + epsilon)
    return {
      'gain': gain,
      'bias': state[f'{name}.bias'] - state[f'{name}.running_mean'] * gain,
    }

  def conv(name):
    return {'kernel': state[f'{name}.weight'].transpose(2, 3, 1, 0)}

  try:
    params = {'conv1': conv('conv1'), 'bn1': norm('bn1')}
    for stage, blocks in enumerate(config.stages, 1):
      for block in range(blocks):
        at = f'layer{stage}.{block}'
        made = {f'conv{i}': conv(f'{at}.conv{i}') for i in (1, 2, 3)}
        made |= {f'bn{i}': norm(f'{at}.bn{i}') for i in (1, 2, 3)}
        if not block:
          made['downsample'] = conv(f'{at}.downsample.0')
          made['downsample_bn'] = norm(f'{at}.downsample.1')
        params[f'layer{stage}_{block}'] = made
    for head in ('fc_yaw_gaze', 'fc_pitch_gaze'):
      params[head] = {
        'kernel': state[f'{head}.weight'].T,
        'bias': state[f'{head}.bias'],
      }
  except KeyError as error:
    raise UserError(f'the gaze weights lack {error.args[0]}') from None
  return params


def only_inside(picture: Array, mask: Array) -> Array:
  """The picture, with its gradient kept inside `mask (b, h, w, 1)` alone."""
  return picture * mask + jax.lax.stop_gradient(picture) * (1 - mask)


def gaze_loss(net: GazeNet, params, made: Array, real: Array, eyes: Array) -> Array:
  """L_gaze: L1 of the features, the gradient inside the eyes only.

  Args:
    net, params: the judge.
    made, real: `(b, h, w, 3)` faces in [0, 1].
    eyes: `(b, h, w, 1)` mask of both eyes, 0..1.
  """
  variables = {'params': params}
  ours = net.apply(variables, only_inside(made, eyes)).features
  theirs = net.apply(variables, jax.lax.stop_gradient(real)).features
  terms = [
    jnp.mean(jnp.abs(a.astype(jnp.float32) - jax.lax.stop_gradient(b)))
    for a, b in zip(ours, theirs, strict=True)
  ]
  return sum(terms) / len(terms)
