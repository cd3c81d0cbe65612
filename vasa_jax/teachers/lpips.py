"""LPIPS (Zhang et al. 2018): learnt perceptual distance between two pictures.

Features of a frozen trunk are scaled to unit length per position, the squared
difference is weighted per channel by a learnt head, averaged over positions and summed
over five layers. 0 for equal pictures; about .05 is hard to see, .5 is another picture.
Version 0.1 of the heads, for VGG16 and AlexNet. AlexNet is the usual one for reports.
"""

from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax.teachers.vgg import VGG, VGG16, normalise_picture
from vasa_jax.types import Array

LAYERS = {
  'vgg16': ('relu1_2', 'relu2_2', 'relu3_3', 'relu4_3', 'relu5_3'),
  'alexnet': ('relu1', 'relu2', 'relu3', 'relu4', 'relu5'),
}


class AlexNet(nn.Module):
  """The five convolutions of AlexNet (torchvision's single-tower variant)."""

  @nn.compact
  def __call__(self, picture: Array) -> dict[str, Array]:
    """`(b, h, w, 3)` in [0, 1], at least 32 px a side, to {relu1..relu5: features}."""
    x = normalise_picture(picture)
    features = {}
    shapes = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1),
              (256, 3, 1, 1))  # fmt: skip
    for i, (width, side, stride, pad) in enumerate(shapes, 1):
      if i in (2, 3):
        x = nn.max_pool(x, (3, 3), strides=(2, 2))
      x = nn.Conv(
        width, (side, side), strides=(stride, stride), padding=pad, name=f'conv{i}'
      )(x)
      x = features[f'relu{i}'] = nn.relu(x)
    return features


class LPIPS(nn.Module):
  """Parameters: `trunk/...` and `heads/{layer}` of shape `(c,)`."""

  net: str = 'alexnet'

  @nn.compact
  def __call__(self, a: Array, b: Array) -> Array:
    """Two `(b, h, w, 3)` in [0, 1] to a distance `(b,)`."""
    layers = LAYERS[self.net]
    if self.net == 'vgg16':
      trunk = VGG(VGG16, layers, name='trunk')
    else:
      trunk = AlexNet(name='trunk')
    ours, theirs = trunk(a), trunk(b)
    heads = _Heads(name='heads')
    total = jnp.zeros(a.shape[0], jnp.float32)
    for layer in layers:
      difference = jnp.square(_unit(ours[layer]) - _unit(theirs[layer]))
      total += jnp.mean(heads(difference, layer), axis=(1, 2))
    return total


class _Heads(nn.Module):
  """One non-negative weight per channel and layer."""

  @nn.compact
  def __call__(self, difference: Array, layer: str) -> Array:
    weight = self.param(layer, nn.initializers.ones, (difference.shape[-1],))
    return difference @ weight


def _unit(features: Array) -> Array:
  # Outside the root, as in the published code: parity matters more here than a smooth
  # gradient at zero (`vgg.normalise_channels` is the one to train with).
  norm = jnp.sqrt(jnp.sum(jnp.square(features), axis=-1, keepdims=True))
  return features / (norm + 1e-10)


def make_lpips(
  params: Mapping[str, Any], net: str = 'alexnet'
) -> Callable[[Array, Array], Array]:
  """A compiled `distance(a, b) -> (b,)`; `params` from `fetch.load_teacher(net)`.

  Raises:
    ValueError: an unknown net, or at call time pictures that differ in shape.
  """
  if net not in LAYERS:
    raise ValueError(f'no LPIPS for {net}; there are {", ".join(LAYERS)}')
  model = LPIPS(net)
  variables = {'params': params}
  compiled = jax.jit(lambda a, b: model.apply(variables, a, b))

  def distance(a: Array, b: Array) -> Array:
    if a.shape != b.shape:
      raise ValueError(f'pictures differ in shape: {a.shape}, {b.shape}')
    return compiled(a, b)

  return distance
