"""A small SyncNet of our own: 48 px of grey mouth and log-mel, 128 values each.

The published SyncNet's weights are not ours to pass on. This net is small enough to be
learnt on two cores from the rendered corpus (`experiments/configs/syncnet.py`) and is
scored by the same protocol (`vasa_jax/metrics/sync.py`); its numbers are its own and
not those of the literature.

Windows are SyncNet's: five pictures and the 20 hops of 10 ms beside them. Vectors have
unit length, so that distances lie between 0 and 2.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vasa_jax.types import Array

SIDE = 48  # pixels of the mouth crop
WINDOW = 5  # pictures
HOPS, BANDS = 4, 80  # of `audio.features.log_mel`, a picture


@dataclasses.dataclass(frozen=True)
class LipSyncConfig:
  """Sizes of the net.

  Attributes:
    patch: pixels a side that are read at once; what a 3-D convolution of this stride
      would do, at a sixth of its time on a CPU.
    widths: channels of the patches, then of convolutions of stride 2; these are normed
      in 8 groups, so that much fewer leave nothing to tell a mouth by.
    sound: channels of the sound's convolutions over time.
    embedding: size of the vectors.
  """

  patch: int = 6
  widths: tuple[int, int, int] = (64, 64, 96)
  sound: int = 96
  embedding: int = 128


class LipNet(nn.Module):
  """Grey mouths `(b, t, 48, 48)`, any scale, to `(b, t - 4, d)` of unit length."""

  config: LipSyncConfig

  @nn.compact
  def __call__(self, mouths: Array) -> Array:
    c = self.config
    b, t, h, w = mouths.shape
    n, p = t - WINDOW + 1, c.patch
    x = jnp.stack([mouths[:, i : i + n] for i in range(WINDOW)], -1)
    x = x.reshape(b * n, h, w, WINDOW).astype(jnp.float32)
    x = x - x.mean((1, 2, 3), keepdims=True)
    # at least one grey level, so that a black picture has a gradient
    x = x / jnp.sqrt(jnp.square(x).mean((1, 2, 3), keepdims=True) + 1.0)
    # [bn, rows, p, columns, p, 5] -> [bn, rows, columns, p p 5]
    x = x.reshape(b * n, h // p, p, w // p, p, WINDOW).transpose(0, 1, 3, 2, 4, 5)
    x = x.reshape(b * n, h // p, w // p, -1)
    x = nn.relu(nn.Dense(c.widths[0], name='patches')(x))
    for i, width in enumerate(c.widths[1:]):
      x = nn.Conv(width, (3, 3), (2, 2), name=f'conv{i}')(x)
      x = nn.relu(nn.GroupNorm(num_groups=8, name=f'norm{i}')(x))
    x = nn.relu(nn.Dense(2 * c.embedding, name='fc1')(x.reshape(b * n, -1)))
    return unit(nn.Dense(c.embedding, name='fc2')(x)).reshape(b, n, -1)


class SoundNet(nn.Module):
  """Log-mel `(b, t, 320)` to `(b, t - 4, d)` of unit length; each hears 20 hops."""

  config: LipSyncConfig

  @nn.compact
  def __call__(self, features: Array) -> Array:
    c = self.config
    b, t, _ = features.shape
    x = features.reshape(b, t * HOPS, BANDS)
    # kernels and strides add up to 20 hops and a step of 4
    for i, (width, stride) in enumerate(((7, 1), (4, 2), (4, 2), (2, 1))):
      x = nn.Conv(c.sound, (width,), (stride,), 'VALID', name=f'conv{i}')(x)
      x = nn.relu(nn.LayerNorm(name=f'norm{i}')(x))
    x = nn.relu(nn.Dense(2 * c.embedding, name='fc1')(x))
    return unit(nn.Dense(c.embedding, name='fc2')(x))


class LipSync(nn.Module):
  """Both halves, and the sharpness that training learns."""

  config: LipSyncConfig = LipSyncConfig()

  def setup(self):
    self.lip_net, self.sound_net = LipNet(self.config), SoundNet(self.config)
    self.sharpness = self.param('sharpness', nn.initializers.constant(2.3), ())

  def __call__(self, mouths: Array, features: Array) -> tuple[Array, Array]:
    return self.lip(mouths), self.sound(features)

  def lip(self, mouths: Array) -> Array:
    return self.lip_net(mouths)

  def sound(self, features: Array) -> Array:
    return self.sound_net(features)

  def similarities(self, mouths: Array, features: Array) -> Array:
    """`(b, n, n)` cosines of every window of lips with every window of sound of its
    own clip, times the learned sharpness: the logits that are trained on."""
    lips, sound = self.lip(mouths), self.sound(features)
    scale = jnp.exp(jnp.minimum(self.sharpness, 4.6))  # at most 100
    return jnp.einsum('bnd,bmd->bnm', lips, sound) * scale


def unit(x: Array) -> Array:
  """To unit length over the last axis; zero stays zero, with a gradient."""
  return x / jnp.sqrt(jnp.sum(jnp.square(x), -1, keepdims=True) + 1e-8)


def abstract_inputs(frames: int = 8) -> tuple[Any, Any]:
  """Zeros of the shapes that `LipSync` is initialised with."""
  return jnp.zeros((1, frames, SIDE, SIDE)), jnp.zeros((1, frames, HOPS * BANDS))
