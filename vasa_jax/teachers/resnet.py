"""The bottleneck ResNet of torchvision (He et al. 2016), trunk of several judges.

Written as a function that a `nn.compact` module calls, so that the names of its layers
stand at the top of that module's parameters. Norms use their stored statistics.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np

from vasa_jax.teachers.arcface import StoredNorm
from vasa_jax.types import Array

RESNET50 = (3, 4, 6, 3)


class Bottleneck(nn.Module):
  """1 x 1, 3 x 3 and 1 x 1 convolutions around a shortcut; `4 width` features out."""

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


def trunk(x: Array, stages: tuple[int, ...], width: int, dtype: Any) -> list[Array]:
  """Picture `(b, h, w, 3)`, normalised as the weights want it, to what each stage says.

  To be called inside a compact module.
  """
  x = nn.Conv(
    width, (7, 7), (2, 2), padding=3, use_bias=False, dtype=dtype, name='conv1'
  )(x.astype(dtype))
  x = nn.relu(StoredNorm(name='bn1')(x))
  x = nn.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))
  features = []
  for stage, blocks in enumerate(stages, 1):
    for block in range(blocks):
      stride = 2 if stage > 1 and not block else 1
      name = f'layer{stage}_{block}'
      x = Bottleneck(width * 2 ** (stage - 1), stride, dtype, name=name)(x)
    features.append(x)
  return features


def trunk_from_torch(
  state: Mapping[str, np.ndarray], stages: tuple[int, ...], prefix='', epsilon=1e-5
) -> dict:
  """Parameters of `trunk` from a torchvision state dict.

  Args:
    state: arrays by name, float32.
    stages: blocks of each stage.
    prefix: in front of the names, such as `backbone.`.

  Raises:
    KeyError: the name of an array that is missing.
  """

  def norm(name):
    name = prefix + name
    gain = state[f'{name}.weight'] / np.sqrt(state[f'{name}.running_var'] + epsilon)
    return {
      'gain': gain,
      'bias': state[f'{name}.bias'] - state[f'{name}.running_mean'] * gain,
    }

  def conv(name):
    return {'kernel': state[f'{prefix}{name}.weight'].transpose(2, 3, 1, 0)}

  params = {'conv1': conv('conv1'), 'bn1': norm('bn1')}
  for stage, blocks in enumerate(stages, 1):
    for block in range(blocks):
      at = f'layer{stage}.{block}'
      made = {f'conv{i}': conv(f'{at}.conv{i}') for i in (1, 2, 3)}
      made |= {f'bn{i}': norm(f'{at}.bn{i}') for i in (1, 2, 3)}
      if not block:
        made['downsample'] = conv(f'{at}.downsample.0')
        made['downsample_bn'] = norm(f'{at}.downsample.1')
      params[f'layer{stage}_{block}'] = made
  return params
