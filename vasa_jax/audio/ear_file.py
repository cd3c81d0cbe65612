"""An ear in a file of its own: the first layers of a Whisper encoder, 8 bits a weight.

What the embedded weights hear with. Lower layers know best what is being said just now
and upper ones what it means, so the upper ones are left out; a feature is what the
first layer that was left out would read, its own norm included, so that all values are
of order one. The fixed sines of the positions are computed: 4 MiB of
tiny's 31.

    python -m experiments.pack_ear WHISPER --layers 2 --out ear.safetensors
"""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np

from vasa_jax.audio.published import flat_shapes
from vasa_jax.audio.whisper import WhisperConfig, param_shapes
from vasa_jax.audio.whisper_file import WhisperWeights
from vasa_jax.errors import UsageError, UserError
from vasa_jax.files import write_whole
from vasa_jax.teachers.eight_bits import packed, unpacked
from vasa_jax.teachers.loader import flatten, nest

NAME = 'ear.safetensors'
EMBEDDED = Path(__file__).parents[1] / 'weights' / NAME
_KEY = 'whisper'  # of the file's metadata: the layout as JSON
_POSITIONS = 'positions'


def truncated(weights: WhisperWeights, layers: int) -> WhisperWeights:
  """The encoder without all but its first `layers`; its norm is the next one's.

  Raises:
    UsageError: it does not have more layers than that.
  """
  count = weights.config.encoder_layers
  if not 0 < layers < count:
    raise UsageError(f'this encoder has {count} layers: keep 1 to {count - 1}')
  params = {name: weights.params[name] for name in ('conv1', 'conv2', _POSITIONS)}
  for i in range(layers):
    params[f'layers_{i}'] = weights.params[f'layers_{i}']
  params['norm'] = weights.params[f'layers_{layers}']['norm_attention']
  config = dataclasses.replace(weights.config, encoder_layers=layers)
  return WhisperWeights(config, params)


def sines(length: int, width: int) -> np.ndarray:
  """Whisper's positions `(length, width)`: sines, then cosines, 1 to 10,000 frames."""
  rates = np.exp(-np.log(10_000) / (width // 2 - 1) * np.arange(width // 2))
  angles = np.arange(length)[:, None] * rates
  return np.concatenate([np.sin(angles), np.cos(angles)], 1).astype(np.float32)


def save_ear(path: str | os.PathLike, weights: WhisperWeights) -> None:
  """Writes the file, complete or not at all.

  Raises:
    UserError: it cannot be written, or the positions are not the sines.
  """
  from safetensors.numpy import save

  config = weights.config
  flat = flatten({k: v for k, v in weights.params.items() if k != _POSITIONS})
  fixed = sines(config.max_source_positions, config.d_model)
  if np.abs(fixed - weights.params[_POSITIONS]).max() > 1e-3:
    raise UserError('these positions were learned: this is no encoder of Whisper')
  data = save(packed(flat), {_KEY: json.dumps(dataclasses.asdict(config))})
  try:
    write_whole(path, data)
  except OSError as error:
    raise UserError(f'{path}: cannot be written ({error.strerror})') from None


def load_ear(path: str | os.PathLike) -> WhisperWeights:
  """Reads the file, or the one in a weights folder.

  Raises:
    UserError: there is none, or it is damaged.
  """
  from safetensors import SafetensorError, safe_open

  path = Path(path)
  path = path / NAME if path.is_dir() else path
  if not path.is_file():
    raise UserError(f'{path}: missing; get the weights again')
  try:
    with safe_open(path, 'np') as file:
      config = WhisperConfig(**json.loads((file.metadata() or {})[_KEY]))
      flat = unpacked({name: file.get_tensor(name) for name in file.keys()})
    flat[_POSITIONS] = sines(config.max_source_positions, config.d_model)
    wanted = flat_shapes(param_shapes(config))
    if {name: array.shape for name, array in flat.items()} != wanted:
      raise ValueError('its arrays are not those of its layout')
  except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
    raise UserError(f'{path}: damaged, or no ear ({error}); get it again') from None
  return WhisperWeights(config, nest(flat))
