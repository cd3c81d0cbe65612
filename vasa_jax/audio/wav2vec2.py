"""Wav2Vec2 (Baevski et al. 2020) and HuBERT (Hsu et al. 2021): sound to hidden states.

The paper's audio features are a pretrained Wav2Vec2's (VASA-1 section 3.2). Both
published layouts, which HuBERT shares:

    base    group norm on the first convolution, no bias, norms after each half
    large   layer norm and bias on every convolution, norms before each half

    samples (b, n) -> 7 convolutions, 50 Hz (b, t, 512) -> projection, positional
    convolution -> transformer -> hidden states (layers + 1, b, t, c)

Recordings of unequal length share a batch: pad them with zeros and give their lengths.
`wav2vec2_file.py` reads the published files.
"""

import dataclasses
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vasa_jax.audio.encoder import (
  EPSILON,
  EncoderLayer,
  LayerNorm,
  conv_length,
  exact_gelu,
  real,
)
from vasa_jax.types import Array


@dataclasses.dataclass(frozen=True)
class Wav2Vec2Config:
  """The layout, under the names of the published `config.json`; defaults are base.

  Attributes:
    hidden_size, num_hidden_layers, num_attention_heads, intermediate_size: transformer.
    conv_dim, conv_kernel, conv_stride, conv_bias: the convolutions on the waveform.
    feat_extract_norm: 'group' after the first of them, or 'layer' after each.
    feat_proj_layer_norm: norm before the projection (all but a few HuBERTs).
    num_conv_pos_embeddings, num_conv_pos_embedding_groups: positional convolution.
    do_stable_layer_norm: norms before each half of a layer.
    do_normalize: it was trained on waveforms of mean 0 and variance 1.
    group_statistics: what the group norm of a padded batch is taken over. 'valid': each
      recording's own samples, so that a recording sounds the same beside any other.
      'all': padding too, as transformers does, for comparison.
  """

  hidden_size: int = 768
  num_hidden_layers: int = 12
  num_attention_heads: int = 12
  intermediate_size: int = 3072
  conv_dim: tuple[int, ...] = (512,) * 7
  conv_kernel: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
  conv_stride: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
  conv_bias: bool = False
  feat_extract_norm: Literal['group', 'layer'] = 'group'
  feat_proj_layer_norm: bool = True
  num_conv_pos_embeddings: int = 128
  num_conv_pos_embedding_groups: int = 16
  do_stable_layer_norm: bool = False
  layer_norm_eps: float = EPSILON
  do_normalize: bool = True
  group_statistics: Literal['valid', 'all'] = 'valid'

  def frames(self, samples):
    """Frames at 50 Hz of so many samples: `(n - 400) // 320 + 1` for published nets."""
    return conv_length(samples, self.conv_kernel, self.conv_stride)


BASE = Wav2Vec2Config()
LARGE = Wav2Vec2Config(
  hidden_size=1024,
  num_hidden_layers=24,
  num_attention_heads=16,
  intermediate_size=4096,
  conv_bias=True,
  feat_extract_norm='layer',
  do_stable_layer_norm=True,
)


def normalise(samples: np.ndarray) -> np.ndarray:
  """`(n,)` samples to mean 0 and variance 1, as published (`do_normalize`)."""
  samples = np.asarray(samples, np.float32)
  return (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)


class TimeNorm(nn.Module):
  """Group norm of one channel a group: each channel over its real frames.

  Arguments of the call:
    x: `(b, t, c)`.
    keep: `(b, t)` bool, the frames that count; None is all.
  """

  @nn.compact
  def __call__(self, x: Array, keep: Array | None) -> Array:
    scale = self.param('scale', nn.initializers.ones, (x.shape[-1],))
    bias = self.param('bias', nn.initializers.zeros, (x.shape[-1],))
    where = None if keep is None else keep[..., None]
    mean = x.mean(1, keepdims=True, where=where)
    variance = jnp.square(x - mean).mean(1, keepdims=True, where=where)
    return (x - mean) * (scale * lax.rsqrt(variance + EPSILON)) + bias


class FeatureExtractor(nn.Module):
  """`(b, n)` samples to `(b, t, c)` at 50 Hz; frame j hears [320 j, 320 j + 400)."""

  config: Wav2Vec2Config

  @nn.compact
  def __call__(self, samples: Array, lengths: Array | None) -> Array:
    c = self.config
    x = samples[..., None]
    layers = zip(c.conv_dim, c.conv_kernel, c.conv_stride, strict=True)
    for i, (width, kernel, stride) in enumerate(layers):
      x = nn.Conv(
        width, (kernel,), (stride,), 'VALID', use_bias=c.conv_bias, name=f'conv_{i}'
      )(x)
      if c.feat_extract_norm == 'layer':
        x = LayerNorm(EPSILON, name=f'norm_{i}')(x)
      elif i == 0:
        keep = None
        if lengths is not None and c.group_statistics == 'valid':
          keep = real(conv_length(lengths, (kernel,), (stride,)), x.shape[1])
        x = TimeNorm(name='norm_0')(x, keep)
      x = exact_gelu(x)
    return x


class PositionalConv(nn.Module):
  """Relative position by a wide grouped convolution, `(b, t, c)` to the same."""

  config: Wav2Vec2Config

  @nn.compact
  def __call__(self, x: Array) -> Array:
    size = self.config.num_conv_pos_embeddings
    groups = self.config.num_conv_pos_embedding_groups
    width = x.shape[-1]
    kernel = self.param(
      'kernel', nn.initializers.he_normal(), (size, width // groups, width)
    )
    bias = self.param('bias', nn.initializers.zeros, (width,))
    # The published layer pads both sides by size // 2 and drops a last, even frame.
    padding = [(size // 2, size - 1 - size // 2)]
    # One convolution a group: XLA's grouped one is 2.4 times slower on a CPU.
    split = zip(jnp.split(x, groups, -1), jnp.split(kernel, groups, -1), strict=True)
    y = [
      lax.conv_general_dilated(
        part, weight, (1,), padding, dimension_numbers=('NWC', 'WIO', 'NWC')
      )
      for part, weight in split
    ]
    return exact_gelu(jnp.concatenate(y, -1) + bias)


class Wav2Vec2(nn.Module):
  """Samples to the hidden states of every layer.

  Arguments of the call:
    samples: `(b, n)` float32 at 16 kHz, zeros after each recording's end; `normalise`d
      one by one where the config says `do_normalize`.
    lengths: `(b,)` int samples of each recording; None: all are full.

  Returns `(layers + 1, b, t, c)`, t = `config.frames(n)`: the transformer's input, then
  each layer's output, the last of them after the final norm of the large layout, as
  transformers' `hidden_states`. Frames beyond a recording's end mean nothing.
  """

  config: Wav2Vec2Config

  def setup(self):
    c = self.config
    self.extractor = FeatureExtractor(c)
    if c.feat_proj_layer_norm:
      self.norm_projection = LayerNorm(c.layer_norm_eps)
    self.projection = nn.Dense(c.hidden_size)
    self.positional = PositionalConv(c)
    self.norm = LayerNorm(c.layer_norm_eps)
    self.layers = [
      EncoderLayer(
        c.num_attention_heads,
        c.intermediate_size,
        c.do_stable_layer_norm,
        c.layer_norm_eps,
      )
      for _ in range(c.num_hidden_layers)
    ]

  def __call__(self, samples: Array, lengths: Array | None = None) -> Array:
    features = self.extract(samples, lengths)
    counts = None if lengths is None else self.config.frames(lengths)
    return self.encode(features, counts)

  def extract(self, samples: Array, lengths: Array | None = None) -> Array:
    """The convolutions alone: `(b, n)` samples to `(b, t, conv_dim[-1])` at 50 Hz."""
    return self.extractor(samples, lengths)

  def encode(self, features: Array, counts: Array | None = None) -> Array:
    """The transformer alone, on features at 50 Hz or at any other rate.

    Args:
      features: `(b, t, conv_dim[-1])`.
      counts: `(b,)` real frames; None: all.

    Returns:
      `(layers + 1, b, t, hidden_size)`.
    """
    c = self.config
    x = self.norm_projection(features) if c.feat_proj_layer_norm else features
    x = self.projection(x)
    keep = None
    if counts is not None:
      keep = real(counts, x.shape[1])
      x = jnp.where(keep[..., None], x, 0)
    x = x + self.positional(x)
    x = x if c.do_stable_layer_norm else self.norm(x)
    states = [x]
    for layer in self.layers:
      states.append(layer(states[-1], keep))
    if c.do_stable_layer_norm:
      states[-1] = self.norm(states[-1])
    return jnp.stack(states)


def param_shapes(config: Wav2Vec2Config) -> dict:
  """The nested parameters as shapes, nothing computed."""
  samples = jax.ShapeDtypeStruct((1, 8000), jnp.float32)
  return jax.eval_shape(Wav2Vec2(config).init, jax.random.key(0), samples)['params']
