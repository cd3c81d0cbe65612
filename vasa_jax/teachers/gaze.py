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
from vasa_jax.teachers.resnet import RESNET50, trunk, trunk_from_torch
from vasa_jax.teachers.vgg import DEVIATION, MEAN
from vasa_jax.types import Array

BIN_DEGREES = 4.0


@dataclasses.dataclass(frozen=True)
class GazeConfig:
  """Layout of the ResNet; `bins` of each head; `dtype` of the arithmetic."""

  stages: tuple[int, ...] = RESNET50
  width: int = 64
  bins: int = 90
  side: int = 448
  dtype: Any = jnp.float32


class Gaze(NamedTuple):
  """What the net says of a face.

  angles: `(b, 2)` degrees, its yaw and pitch in the sense of Gaze360: yaw > 0 looks to
  the LEFT of the picture, pitch > 0 up. features: after each stage.
  """

  angles: Array
  features: tuple[Array, ...]


class GazeNet(nn.Module):
  """Face `(b, h, w, 3)` RGB in [0, 1] -> Gaze."""

  config: GazeConfig = GazeConfig()

  @nn.compact
  def __call__(self, picture: Array) -> Gaze:
    c = self.config
    x = (picture - jnp.asarray(MEAN)) / jnp.asarray(DEVIATION)
    features = trunk(x, c.stages, c.width, c.dtype)
    x = features[-1]
    x = x.mean((1, 2)).astype(jnp.float32)
    axis = jnp.arange(c.bins)
    angles = []
    for head in ('fc_yaw_gaze', 'fc_pitch_gaze'):
      share = nn.softmax(nn.Dense(c.bins, name=head)(x))
      angles.append(share @ axis * BIN_DEGREES - BIN_DEGREES * c.bins / 2)
    return Gaze(jnp.stack(angles, -1), tuple(features))


def from_torch(
  state: Mapping[str, np.ndarray], config: GazeConfig = GazeConfig()
) -> dict:
  """Parameters of `GazeNet` from a published state dict.

  Raises:
    UserError: an array is missing.
  """
  state = {name: np.asarray(value, np.float32) for name, value in state.items()}
  try:
    params = trunk_from_torch(state, config.stages)
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
