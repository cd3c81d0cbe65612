"""Whisper's encoder (Radford et al. 2022) and the log-mel picture it looks at.

A pretrained net small enough for two CPU cores: tiny's encoder has 8 M parameters.

    samples (n,) -> log-mel, 100 Hz (m, bands) -> 2 convolutions, 50 Hz -> transformer

It was trained on recordings padded to 30 s. Any length up to that can be given without:
the positions simply end earlier. `whisper_file.py` reads the published files.
"""

import dataclasses
import functools
from types import ModuleType
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vasa_jax.audio.encoder import EncoderLayer, LayerNorm, exact_gelu, real
from vasa_jax.audio.features import SAMPLE_RATE
from vasa_jax.types import Array

HOP = 160
WINDOW = 400
RANGE = 8.0  # decades below the loudest band that are still heard
FLOOR = 1e-10


@dataclasses.dataclass(frozen=True)
class WhisperConfig:
  """The encoder's layout, under the names of `config.json`; defaults are tiny.

  Attributes:
    d_model, encoder_layers, encoder_attention_heads, encoder_ffn_dim: transformer.
    num_mel_bins: 80; 128 since large-v3.
    max_source_positions: frames at 50 Hz that it has positions for: 30 s.
  """

  d_model: int = 384
  encoder_layers: int = 4
  encoder_attention_heads: int = 6
  encoder_ffn_dim: int = 1536
  num_mel_bins: int = 80
  max_source_positions: int = 1500


@functools.cache
def mel_filters(bands: int = 80) -> np.ndarray:
  """Slaney's triangles of equal area up to 8 kHz, `(WINDOW // 2 + 1, bands)` float32.

  His mel scale is linear below 1 kHz (15 mel) and logarithmic above.
  """
  step = np.log(6.4) / 27
  top = 15 + np.log(8.0) / step
  mel = np.linspace(0.0, top, bands + 2)
  linear = mel * 200 / 3
  edges = np.where(mel < 15, linear, 1000 * np.exp(step * (mel - 15)))
  bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)[:, None]
  low, mid, high = edges[:-2], edges[1:-1], edges[2:]
  rise, fall = (bins - low) / (mid - low), (high - bins) / (high - mid)
  triangles = np.maximum(0.0, np.minimum(rise, fall))
  return (triangles * 2 / (high - low)).astype(np.float32)


def whisper_mel(
  samples: Any, bands: int = 80, peak: float | None = None, xp: ModuleType = np
) -> Any:
  """Log-mel as Whisper takes it, at 100 Hz; window m is centred on sample 160 m.

  Args:
    samples: `(..., n)` float32 in [-1, 1] at 16 kHz, n at least 201.
    bands: of the net.
    peak: decades of the loudest band, below which `RANGE` is kept; None: found in
      `samples`, as published. A fixed one makes windows of a recording agree.
    xp: `numpy`, or `jax.numpy` inside a traced function.

  Returns:
    `(..., n // 160, bands)` float32.
  """
  half = WINDOW // 2
  around = [(0, 0)] * (samples.ndim - 1) + [(half, half)]
  padded = xp.pad(samples, around, mode='reflect')
  count = samples.shape[-1] // HOP  # the published code drops the last window
  index = HOP * np.arange(count)[:, None] + np.arange(WINDOW)
  taper = np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)
  spectrum = xp.fft.rfft(padded[..., index] * taper, axis=-1)
  power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
  level = xp.log10(xp.maximum(xp.matmul(power, mel_filters(bands)), FLOOR))
  loudest = level.max((-2, -1), keepdims=True) if peak is None else peak
  level = xp.maximum(level, loudest - RANGE)
  return ((level + 4.0) / 4.0).astype(np.float32)


class WhisperEncoder(nn.Module):
  """Log-mel to the hidden states of every layer.

  Arguments of the call:
    mel: `(b, m, bands)` from `whisper_mel`, m even, at most twice the positions.
    lengths: `(b,)` int real windows of each, even; None: all. What is beyond is not
      attended to, so that a recording sounds the same beside a longer one. (The
      published encoder cannot do this: it always sees 30 s.)
    first: int, the position of the first frame at 50 Hz, for a piece of a recording.

  Returns `(layers + 1, b, m // 2, d_model)`: the transformer's input, then each layer's
  output, the last of them after the final norm, as transformers' `hidden_states`.
  """

  config: WhisperConfig = WhisperConfig()

  @nn.compact
  def __call__(
    self, mel: Array, lengths: Array | None = None, first: Array | int = 0
  ) -> Array:
    c = self.config
    x, keep = mel, None
    if lengths is not None:
      # The convolutions' own padding is zero: so is what lies beyond the end.
      inside = real(lengths, mel.shape[1])[..., None]
      keep = real(lengths // 2, mel.shape[1] // 2)
      x = jnp.where(inside, x, 0)
    x = exact_gelu(nn.Conv(c.d_model, (3,), padding=1, name='conv1')(x))
    if lengths is not None:
      x = jnp.where(inside, x, 0)
    x = exact_gelu(nn.Conv(c.d_model, (3,), (2,), padding=1, name='conv2')(x))
    positions = self.param(
      'positions', nn.initializers.normal(0.02), (c.max_source_positions, c.d_model)
    )
    states = [x + lax.dynamic_slice_in_dim(positions, first, x.shape[1])]
    for i in range(c.encoder_layers):
      layer = EncoderLayer(
        c.encoder_attention_heads, c.encoder_ffn_dim, True, name=f'layers_{i}'
      )
      states.append(layer(states[-1], keep))
    states[-1] = LayerNorm(name='norm')(states[-1])
    return jnp.stack(states)


def param_shapes(config: WhisperConfig) -> dict:
  """The nested parameters as shapes, nothing computed."""
  mel = jax.ShapeDtypeStruct((1, 8, config.num_mel_bins), jnp.float32)
  return jax.eval_shape(WhisperEncoder(config).init, jax.random.key(0), mel)['params']
