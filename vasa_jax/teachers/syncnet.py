"""SyncNet (Chung and Zisserman 2016) as the community scores with it: `syncnet_v2`.

Five pictures of a face and the 0.2 s of sound beside them become two vectors of 1024
values; where lips and sound belong together they lie close. The layout is that of
joonson/syncnet_python's published state dict, channels last. Norms use their stored
statistics: the net is a judge and never trained here. The weights are the user's own
copy of the file; `load_syncnet` reads it without PyTorch.

    lip    5 x 224 x 224 -> 109 -> 54 -> 26 -> 13 -> 13 -> 13 -> 13 -> 6 -> 1 -> 1024
    sound  13 x 20 -> 11 x 9 -> 5 x 4 -> 1 -> 1024
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.teachers.arcface import StoredNorm
from vasa_jax.teachers.loader import load_arrays
from vasa_jax.teachers.torch_file import SUFFIXES, load_torch
from vasa_jax.types import Array

SIDE = 224  # pixels of the face crop
FRAMES = 5  # pictures in a window
CEPSTRA, STEPS = 13, 20  # MFCCs a step of 10 ms, steps in a window
EMBEDDING = 1024


class Layer(NamedTuple):
  """A convolution, its norm and ReLU, and the pooling behind it.

  Attributes:
    name: ours.
    at: number of the convolution in the published `Sequential`; its norm comes next.
    features: channels out.
    kernel, stride, padding: of the convolution; three axes where it looks over time.
    pool: side of the max pooling, 0 for none.
    pool_stride, pool_padding: of it.
  """

  name: str
  at: int
  features: int
  kernel: tuple[int, ...]
  stride: tuple[int, ...]
  padding: tuple[int, ...]
  pool: int = 0
  pool_stride: tuple[int, int] = (2, 2)
  pool_padding: int = 0


# After the first layer one instant is left, so that the others are 2-D here although
# the published ones are 3-D with a kernel of 1 over time.
LIP = (
  Layer('lip1', 0, 96, (5, 7, 7), (1, 2, 2), (0, 0, 0), 3),
  Layer('lip2', 4, 256, (5, 5), (2, 2), (1, 1), 3, (2, 2), 1),
  Layer('lip3', 8, 256, (3, 3), (1, 1), (1, 1)),
  Layer('lip4', 11, 256, (3, 3), (1, 1), (1, 1)),
  Layer('lip5', 14, 256, (3, 3), (1, 1), (1, 1), 3),
  Layer('lip6', 18, 512, (6, 6), (1, 1), (0, 0)),
)
SOUND = (
  Layer('sound1', 0, 64, (3, 3), (1, 1), (1, 1)),
  Layer('sound2', 4, 192, (3, 3), (1, 1), (1, 1), 3, (1, 2)),
  Layer('sound3', 8, 384, (3, 3), (1, 1), (1, 1)),
  Layer('sound4', 11, 256, (3, 3), (1, 1), (1, 1)),
  Layer('sound5', 14, 256, (3, 3), (1, 1), (1, 1), 3),
  Layer('sound6', 18, 512, (5, 4), (1, 1), (0, 0)),
)
_HEADS = {'lip': 'netfclip', 'sound': 'netfcaud'}
_TRUNKS = {'lip': ('netcnnlip', LIP), 'sound': ('netcnnaud', SOUND)}


class _Block(nn.Module):
  layer: Layer

  @nn.compact
  def __call__(self, x: Array) -> Array:
    c = self.layer
    padding = [(p, p) for p in c.padding]
    x = nn.Conv(c.features, c.kernel, c.stride, padding, name='conv')(x)
    x = nn.relu(StoredNorm(name='norm')(x))
    if c.pool:
      steps = (1,) * (len(c.kernel) - 2)  # never over time
      around = [(0, 0)] * len(steps) + [(c.pool_padding, c.pool_padding)] * 2
      x = nn.max_pool(x, (*steps, c.pool, c.pool), (*steps, *c.pool_stride), around)
    return x


class _Head(nn.Module):
  @nn.compact
  def __call__(self, x: Array) -> Array:
    x = nn.relu(StoredNorm(name='norm')(nn.Dense(512, name='fc1')(x)))
    return nn.Dense(EMBEDDING, name='fc2')(x)


class SyncNet(nn.Module):
  """Both halves. Each method returns every layer's output by name, then 'out'."""

  def setup(self):
    self.lips = [_Block(layer, name=layer.name) for layer in LIP]
    self.sounds = [_Block(layer, name=layer.name) for layer in SOUND]
    self.lip_head, self.sound_head = _Head(), _Head()

  def __call__(self, pictures: Array, cepstra: Array) -> tuple[Array, Array]:
    return self.lip(pictures)['out'], self.sound(cepstra)['out']

  def lip(self, pictures: Array) -> dict[str, Array]:
    """Every window of five pictures.

    Args:
      pictures: `(b, t, 224, 224, 3)` in 0..255, channels blue, green, red; t >= 5.

    Returns:
      'out' `(b, t - 4, 1024)`; the layers `(b (t - 4), h, w, c)`, the first with time.
    """
    seen = {'lip1': self.lips[0](pictures.astype(jnp.float32))}
    x = seen['lip1']  # [b, t - 4, 54, 54, 96]
    b, n = x.shape[:2]
    x = x.reshape(b * n, *x.shape[2:])
    for block in self.lips[1:]:
      x = seen[block.layer.name] = block(x)
    seen['out'] = self.lip_head(x.reshape(b, n, -1))
    return seen

  def sound(self, cepstra: Array) -> dict[str, Array]:
    """MFCCs `(b, 13, 20)`, time last, to 'out' `(b, 1024)` and the layers."""
    seen = {}
    x = cepstra.astype(jnp.float32)[..., None]
    for block in self.sounds:
      x = seen[block.layer.name] = block(x)
    seen['out'] = self.sound_head(x.reshape(len(x), -1))
    return seen


def from_torch(state: Mapping[str, np.ndarray], epsilon: float = 1e-5) -> dict:
  """Parameters of `SyncNet` from the published state dict.

  Args:
    state: name to array, as `torch_file.load_torch` reads it.
    epsilon: of the published norms.

  Raises:
    UserError: an array is missing or has another shape: it is another net.
  """

  def take(name, *shape):
    try:
      value = np.asarray(state[name], np.float32)
    except KeyError:
      raise UserError(f'the SyncNet weights lack {name}') from None
    if value.shape != shape:
      raise UserError(f'{name} is {value.shape} in these weights, SyncNet has {shape}')
    return value

  def norm(at, size):
    gain = take(f'{at}.weight', size) / np.sqrt(
      take(f'{at}.running_var', size) + epsilon
    )
    bias = take(f'{at}.bias', size) - take(f'{at}.running_mean', size) * gain
    return {'gain': gain, 'bias': bias}

  def dense(at, size, out):
    kernel = take(f'{at}.weight', out, size).T
    return {'kernel': kernel, 'bias': take(f'{at}.bias', out)}

  params = {}
  for half, (trunk, layers) in _TRUNKS.items():
    before = 3 if half == 'lip' else 1
    for layer in layers:
      at = f'{trunk}.{layer.at}'
      kernel = layer.kernel
      if half == 'lip' and len(kernel) == 2:
        kernel = (1, *kernel)
      weight = take(f'{at}.weight', layer.features, before, *kernel)
      weight = np.moveaxis(weight, (0, 1), (-1, -2))
      params[layer.name] = {
        'conv': {
          'kernel': weight.reshape(*layer.kernel, before, layer.features),
          'bias': take(f'{at}.bias', layer.features),
        },
        'norm': norm(f'{trunk}.{layer.at + 1}', layer.features),
      }
      before = layer.features
    at = _HEADS[half]
    params[f'{half}_head'] = {
      'fc1': dense(f'{at}.0', 512, 512),
      'norm': norm(f'{at}.1', 512),
      'fc2': dense(f'{at}.3', 512, EMBEDDING),
    }
  return params


def load_syncnet(path: str | os.PathLike) -> dict:
  """Parameters of `SyncNet` from the published `syncnet_v2.model`, or a copy of it.

  Raises:
    UserError: the file is missing, damaged, or of another net.
  """
  path = Path(path)
  return from_torch(load_torch(path) if path.suffix in SUFFIXES else load_arrays(path))
