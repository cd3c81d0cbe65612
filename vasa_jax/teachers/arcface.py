"""ArcFace's face recogniser (Deng et al. 2019): the net behind l_cross_id and CSIM.

The improved ResNet of the published ArcFace models (`iresnet18` to `iresnet100`): norm
before each convolution, PReLU, 3-3 blocks, a flattened 7 x 7 map and a 512-d embedding.
`from_torch` takes the state dict of those files. Norms use their stored statistics: the
net is a judge and never trained here.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.types import Array

SIDE = 112  # pixels of the aligned crop that it was trained on


@dataclasses.dataclass(frozen=True)
class ArcFaceConfig:
  """Blocks of the four stages; `dtype` of the arithmetic."""

  stages: tuple[int, int, int, int] = (3, 4, 14, 3)
  widths: tuple[int, int, int, int] = (64, 128, 256, 512)
  embedding: int = 512
  dtype: Any = jnp.float32


IRESNET18 = ArcFaceConfig((2, 2, 2, 2))
IRESNET34 = ArcFaceConfig((3, 4, 6, 3))
IRESNET50 = ArcFaceConfig((3, 4, 14, 3))
IRESNET100 = ArcFaceConfig((3, 13, 30, 3))


class StoredNorm(nn.Module):
  """BatchNorm with stored statistics, folded into one gain and one bias."""

  @nn.compact
  def __call__(self, x: Array) -> Array:
    shape = (x.shape[-1],)
    gain = self.param('gain', nn.initializers.ones, shape)
    bias = self.param('bias', nn.initializers.zeros, shape)
    return x * gain.astype(x.dtype) + bias.astype(x.dtype)


class PReLU(nn.Module):
  """Leaky ReLU with a learned slope for each channel."""

  @nn.compact
  def __call__(self, x: Array) -> Array:
    slope = self.param('slope', nn.initializers.constant(0.25), (x.shape[-1],))
    return jnp.where(x >= 0, x, x * slope.astype(x.dtype))


class _Block(nn.Module):
  features: int
  stride: int
  dtype: Any

  @nn.compact
  def __call__(self, x: Array) -> Array:
    def conv(features, stride, name, side=3):
      return nn.Conv(
        features, (side, side), (stride, stride), padding=side // 2, use_bias=False,
        dtype=self.dtype, name=name,
      )  # fmt: skip

    y = conv(self.features, 1, 'conv1')(StoredNorm(name='bn1')(x))
    y = PReLU(name='prelu')(StoredNorm(name='bn2')(y))
    y = StoredNorm(name='bn3')(conv(self.features, self.stride, 'conv2')(y))
    if self.stride > 1 or x.shape[-1] != self.features:
      x = StoredNorm(name='downsample_bn')(
        conv(self.features, self.stride, 'downsample', side=1)(x)
      )
    return x + y


class ArcFace(nn.Module):
  """Aligned face `(b, 112, 112, 3)` RGB in [0, 1] -> unit embedding `(b, 512)`."""

  config: ArcFaceConfig = IRESNET50

  @nn.compact
  def __call__(self, picture: Array) -> Array:
    c = self.config
    x = (2 * picture - 1).astype(c.dtype)
    x = nn.Conv(
      c.widths[0], (3, 3), padding=1, use_bias=False, dtype=c.dtype, name='conv1'
    )(x)
    x = PReLU(name='prelu')(StoredNorm(name='bn1')(x))
    for stage, (blocks, width) in enumerate(zip(c.stages, c.widths, strict=True), 1):
      for block in range(blocks):
        stride = 1 if block else 2
        x = _Block(width, stride, c.dtype, name=f'layer{stage}_{block}')(x)
    x = StoredNorm(name='bn2')(x)
    x = x.reshape(x.shape[0], -1).astype(jnp.float32)
    x = StoredNorm(name='features')(nn.Dense(c.embedding, name='fc')(x))
    return x / jnp.linalg.norm(x, axis=-1, keepdims=True).clip(1e-6)


def config_of(state: Mapping[str, np.ndarray]) -> ArcFaceConfig:
  """The layout that a state dict belongs to."""
  blocks = [0, 0, 0, 0]
  for name in state:
    if name.startswith('layer') and name.endswith('.conv1.weight'):
      stage, block = name.removeprefix('layer').split('.')[:2]
      blocks[int(stage) - 1] = max(blocks[int(stage) - 1], int(block) + 1)
  if 0 in blocks or 'fc.weight' not in state:
    raise UserError('these are not the weights of an ArcFace iresnet')
  widths = tuple(state[f'layer{i}.0.conv1.weight'].shape[0] for i in range(1, 5))
  return ArcFaceConfig(tuple(blocks), widths, state['fc.weight'].shape[0])


def from_torch(state: Mapping[str, np.ndarray], epsilon: float = 1e-5) -> dict:
  """Parameters of `ArcFace` from a published state dict.

  Args:
    state: name to array, as `torch_file.load_torch` reads it.
    epsilon: of the published norms.

  Raises:
    UserError: an array is missing, or it is another net.
  """
  config = config_of(state)
  state = {name: np.asarray(value, np.float32) for name, value in state.items()}

  def norm(name):
    gain = state[f'{name}.weight'] / np.sqrt(state[f'{name}.running_var'] + epsilon)
    return {
      'gain': gain,
      'bias': state[f'{name}.bias'] - state[f'{name}.running_mean'] * gain,
    }

  def conv(name):
    return {'kernel': state[f'{name}.weight'].transpose(2, 3, 1, 0)}

  def slope(name):
    return {'slope': state[f'{name}.weight']}

  try:
    params = {'conv1': conv('conv1'), 'bn1': norm('bn1'), 'prelu': slope('prelu')}
    for stage, blocks in enumerate(config.stages, 1):
      for block in range(blocks):
        at = f'layer{stage}.{block}'
        made = {name: norm(f'{at}.{name}') for name in ('bn1', 'bn2', 'bn3')}
        made |= {name: conv(f'{at}.{name}') for name in ('conv1', 'conv2')}
        made['prelu'] = slope(f'{at}.prelu')
        if f'{at}.downsample.0.weight' in state:
          made['downsample'] = conv(f'{at}.downsample.0')
          made['downsample_bn'] = norm(f'{at}.downsample.1')
        params[f'layer{stage}_{block}'] = made
    # Their map is flattened channels first, ours channels last.
    weight = state['fc.weight']
    side = round((weight.shape[1] / config.widths[-1]) ** 0.5)
    weight = weight.reshape(-1, config.widths[-1], side, side).transpose(2, 3, 1, 0)
    params['bn2'] = norm('bn2')
    params['fc'] = {
      'kernel': weight.reshape(-1, weight.shape[-1]),
      'bias': state['fc.bias'],
    }
    params['features'] = norm('features')
  except KeyError as error:
    raise UserError(f'the ArcFace weights lack {error.args[0]}') from None
  return params
