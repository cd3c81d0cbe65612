"""VGG trunks (Simonyan and Zisserman 2015) and the perceptual loss of stage 1.

Pictures are `(b, h, w, 3)` RGB in [0, 1]; the ImageNet mean and deviation are applied
inside. Features are taken after the ReLU and named as in the papers: `relu3_3` is the
third convolution of the third block. Stage 1 compares pictures through VGG19 features
(MegaPortraits section 3.1, which VASA-1 section 3.1 follows); VGG16 is what can be
fetched with a clear origin (`fetch.py`), and both are the same module here.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.types import Array

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
STAGE1_LAYERS = ('relu1_2', 'relu2_2', 'relu3_3')


@dataclasses.dataclass(frozen=True)
class VGGConfig:
  """One trunk: convolutions per block and channels per block (3x3, stride 1, pad 1).

  `mean` and `deviation` bring RGB in [0, 1] to the range it was trained on.
  """

  depths: tuple[int, ...] = (2, 2, 3, 3, 3)
  widths: tuple[int, ...] = (64, 128, 256, 512, 512)
  mean: tuple[float, float, float] = MEAN
  deviation: tuple[float, float, float] = DEVIATION

  @property
  def layers(self) -> tuple[str, ...]:
    """Names of all features, shallow to deep."""
    return tuple(
      f'relu{block}_{i}'
      for block, depth in enumerate(self.depths, 1)
      for i in range(1, depth + 1)
    )


VGG16 = VGGConfig()
VGG19 = VGGConfig(depths=(2, 2, 4, 4, 4))
# VGGFace (Parkhi et al. 2015): VGG16 trained on faces, on bytes less their mean.
VGG_FACE = VGGConfig(
  mean=tuple(m / 255 for m in (129.186, 104.762, 93.594)), deviation=(1 / 255,) * 3
)


def normalise_picture(picture: Array, config: VGGConfig = VGG16) -> Array:
  """RGB in [0, 1] to the range the net was trained on."""
  return (picture - jnp.asarray(config.mean)) / jnp.asarray(config.deviation)


class VGG(nn.Module):
  """Computes the named features and nothing behind the deepest of them.

  Attributes:
    config: the trunk.
    layers: which features to return, for example `('relu1_2', 'relu3_3')`.
    dtype: of the convolutions; parameters stay float32.
  """

  config: VGGConfig = VGG16
  layers: tuple[str, ...] = STAGE1_LAYERS
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, picture: Array) -> dict[str, Array]:
    """`(b, h, w, 3)` in [0, 1] to {layer: `(b, h / 2^k, w / 2^k, c)`}."""
    known = self.config.layers
    unknown = [layer for layer in self.layers if layer not in known]
    if unknown or not self.layers:
      raise ValueError(f'no VGG layer {unknown}; there are {", ".join(known)}')
    last = max(known.index(layer) for layer in self.layers)
    x = normalise_picture(picture, self.config).astype(self.dtype)
    features = {}
    for layer in known[: last + 1]:
      block, i = layer.removeprefix('relu').split('_')
      if i == '1' and block != '1':
        x = nn.max_pool(x, (2, 2), strides=(2, 2))
      x = nn.Conv(
        self.config.widths[int(block) - 1], (3, 3), padding=1, dtype=self.dtype,
        name=f'conv{block}_{i}',
      )(x)  # fmt: skip
      x = nn.relu(x)
      if layer in self.layers:
        features[layer] = x
    return features


def normalise_channels(features: Array, epsilon: float = 1e-6) -> Array:
  """Scales each position's feature vector to unit length, smooth at zero.

  Without it a bright, busy region outweighs a face: raw features differ in scale by
  orders of magnitude between positions and between layers.
  """
  energy = jnp.sum(jnp.square(features), axis=-1, keepdims=True)
  return features * jax.lax.rsqrt(energy + epsilon)


def perceptual_terms(
  params: Mapping[str, Any],
  predicted: Array,
  target: Array,
  layers: Sequence[str] = STAGE1_LAYERS,
  *,
  config: VGGConfig = VGG16,
  normalise: bool = True,
  dtype: Any = jnp.float32,
) -> dict[str, Array]:
  """Mean absolute feature difference per layer; see `perceptual_loss`."""
  net = VGG(config, tuple(layers), dtype)
  variables = {'params': params}
  ours = net.apply(variables, predicted)
  # The target is data: its pass keeps no activations for the backward pass.
  theirs = jax.lax.stop_gradient(net.apply(variables, jax.lax.stop_gradient(target)))
  terms = {}
  for layer in layers:
    a, b = ours[layer].astype(jnp.float32), theirs[layer].astype(jnp.float32)
    if normalise:
      a, b = normalise_channels(a), normalise_channels(b)
      # Unit vectors of c channels have entries of order c^-1/2: the sum over channels,
      # scaled so, is comparable between layers.
      terms[layer] = jnp.mean(jnp.sum(jnp.abs(a - b), axis=-1)) / a.shape[-1] ** 0.5
    else:
      terms[layer] = jnp.mean(jnp.abs(a - b))
  return terms


def perceptual_loss(
  params: Mapping[str, Any],
  predicted: Array,
  target: Array,
  layers: Sequence[str] = STAGE1_LAYERS,
  weights: Sequence[float] | None = None,
  *,
  config: VGGConfig = VGG16,
  normalise: bool = True,
  dtype: Any = jnp.float32,
) -> Array:
  """Weighted sum over layers of the mean absolute feature difference (float32).

  Args:
    params: the trunk's parameters, {conv1_1: {kernel, bias}, ...}; layers behind the
      deepest one asked for may be missing (`trim`).
    predicted: `(b, h, w, 3)` in [0, 1]; the gradient flows here.
    target: same shape; treated as constant.
    layers: feature names.
    weights: one per layer; None is 1 each.
    config: VGG16 or VGG19.
    normalise: compare unit-length feature vectors (each term then is about .1 to 1).
    dtype: of the convolutions; bfloat16 pays on accelerators only.

  Returns:
    A scalar, 0 for equal pictures.

  Raises:
    ValueError: unknown layer, weights that do not match, or shapes that differ.
  """
  weights = (1.0,) * len(layers) if weights is None else tuple(weights)
  if len(weights) != len(layers):
    raise ValueError(f'{len(weights)} weights for {len(layers)} layers')
  if predicted.shape != target.shape:
    raise ValueError(f'pictures differ in shape: {predicted.shape}, {target.shape}')
  terms = perceptual_terms(
    params, predicted, target, layers,
    config=config, normalise=normalise, dtype=dtype,
  )  # fmt: skip
  return sum(w * terms[layer] for w, layer in zip(weights, layers, strict=True))


def from_torch(
  state: Mapping[str, np.ndarray], config: VGGConfig = VGG16
) -> dict[str, dict[str, np.ndarray]]:
  """Parameters of a trunk from a published state dict.

  Args:
    state: torchvision's names (`features.0.weight`) or VGGFace's (`conv1_1.weight`), as
      `torch_file.load_torch` reads them; the classifier behind the trunk is left out.
    config: the trunk.

  Raises:
    UserError: an array is missing or has another shape.
  """
  numbered, index = {}, 0
  for block, depth in enumerate(config.depths, 1):
    for i in range(1, depth + 1):
      numbered[f'conv{block}_{i}'] = f'features.{index}'
      index += 2  # a ReLU behind each convolution
    index += 1  # the pooling
  params, inside = {}, 3
  for name, number in numbered.items():
    width = config.widths[int(name.removeprefix('conv').split('_')[0]) - 1]
    at = number if f'{number}.weight' in state else name
    kernel, bias = (state.get(f'{at}.{part}') for part in ('weight', 'bias'))
    if kernel is None or kernel.shape != (width, inside, 3, 3) or bias is None:
      raise UserError(
        f'not the weights of this VGG: {name} ({number}) should be '
        f'{(width, inside, 3, 3)}, found '
        + ('nothing' if kernel is None else str(kernel.shape))
      )
    params[name] = {
      'kernel': np.asarray(kernel, np.float32).transpose(2, 3, 1, 0),
      'bias': np.asarray(bias, np.float32),
    }
    inside = width
  return params


def trim(
  params: Mapping[str, Any],
  layers: Sequence[str] = STAGE1_LAYERS,
  config: VGGConfig = VGG16,
) -> dict[str, Any]:
  """The parameters that `layers` need: 7 MB instead of 59 for the default three."""
  last = max(config.layers.index(layer) for layer in layers)
  names = [layer.replace('relu', 'conv') for layer in config.layers[: last + 1]]
  return {name: params[name] for name in names}
