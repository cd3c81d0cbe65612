"""Reads the encoder of published Whisper checkpoints, without PyTorch.

Three layouts, told apart by what is in the file:

    transformers   folder with config.json, model.safetensors or pytorch_model.bin
    openai         one `.pt`
    CTranslate2    folder with model.bin, or that file (float weights only)

The decoder is left out.
"""

import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import ml_dtypes
import numpy as np

from vasa_jax.audio import published
from vasa_jax.audio.published import Row
from vasa_jax.audio.whisper import WhisperConfig, param_shapes
from vasa_jax.errors import UserError

_WEIGHTS = (*published.WEIGHTS, 'model.bin')
_HEAD = 64  # width of an attention head in every published size
_CT2_SPEC = 'WhisperSpec'
_CT2_TYPES = (
  np.float32, np.int8, np.int16, np.int32, np.float16, ml_dtypes.bfloat16,
)  # fmt: skip


class WhisperWeights(NamedTuple):
  """A checkpoint: the layout, and the nested parameters of `WhisperEncoder`."""

  config: WhisperConfig
  params: dict


class _Names(NamedTuple):
  """How a layout calls the parts of the encoder and of layer `{i}`."""

  stem: tuple[str, str, str]  # both convolutions, the final norm
  positions: str
  query: str
  key: str
  value: str
  out: str
  norm_attention: str
  ffn_in: str
  ffn_out: str
  norm_ffn: str


_TRANSFORMERS = _Names(
  ('conv1', 'conv2', 'layer_norm'),
  'embed_positions.weight',
  *(f'layers.{{i}}.self_attn.{n}_proj' for n in ('q', 'k', 'v', 'out')),
  'layers.{i}.self_attn_layer_norm',
  'layers.{i}.fc1',
  'layers.{i}.fc2',
  'layers.{i}.final_layer_norm',
)
_OPENAI = _Names(
  ('conv1', 'conv2', 'ln_post'),
  'positional_embedding',
  *(f'blocks.{{i}}.attn.{n}' for n in ('query', 'key', 'value', 'out')),
  'blocks.{i}.attn_ln',
  'blocks.{i}.mlp.0',
  'blocks.{i}.mlp.2',
  'blocks.{i}.mlp_ln',
)


def from_torch(
  state: Mapping[str, np.ndarray],
  heads: int | None = None,
  what: str = 'the weights',
) -> WhisperWeights:
  """The encoder in a state dict of transformers or of openai-whisper.

  Args:
    state: published name to array.
    heads: of the attention; None: one for each 64 of the width, as published.
    what: the file, for errors.

  Raises:
    UserError: it is another net, names are missing or unknown, or shapes differ.
  """
  kept = {
    name.partition('encoder.')[2]: value
    for name, value in state.items()
    if name.removeprefix('model_state_dict.').removeprefix('model.')
    .startswith('encoder.')
  }  # fmt: skip
  names = next((n for n in (_TRANSFORMERS, _OPENAI) if n.positions in kept), None)
  if names is None or 'conv1.weight' not in kept:
    raise UserError(f'{what}: holds no Whisper encoder')
  layers = {int(n.split('.')[1]) for n in kept if n.startswith(('layers.', 'blocks.'))}
  width, bands, _ = kept['conv1.weight'].shape
  ffn = kept.get(names.ffn_in.format(i=0) + '.bias', np.zeros(4 * width))
  config = WhisperConfig(
    d_model=width,
    encoder_layers=len(layers),
    encoder_attention_heads=heads or max(1, width // _HEAD),
    encoder_ffn_dim=len(ffn),
    num_mel_bins=bands,
    max_source_positions=len(kept[names.positions]),
  )
  params = published.convert(_rows(config, names), kept, param_shapes(config), what)
  return WhisperWeights(config, params)


def load_whisper(path: str | os.PathLike) -> WhisperWeights:
  """Reads the encoder of a checkpoint.

  Args:
    path: its folder, or the weights file.

  Raises:
    UserError: no checkpoint there, damaged, or of another net.
  """
  file = published.weights_file(Path(path), _WEIGHTS)
  if file.name == 'model.bin':
    return from_torch(_as_openai(read_ctranslate2(file)), None, str(file))
  heads, beside = None, file.with_name('config.json')
  if beside.is_file():
    heads = published.read_json(beside).get('encoder_attention_heads')
  return from_torch(published.read_state(file), heads, str(file))


def _rows(config: WhisperConfig, names: _Names) -> list[Row]:
  conv1, conv2, norm = names.stem
  rows = published.conv_rows('conv1', conv1) + published.conv_rows('conv2', conv2)
  rows += published.norm_rows('norm', norm)
  rows.append(Row('positions', (names.positions,)))
  for i in range(config.encoder_layers):

    def of(name, i=i):
      return getattr(names, name).format(i=i)

    ours = f'layers_{i}'
    rows += published.qkv_rows(
      f'{ours}/qkv', [of('query'), of('key'), of('value')], key_bias=False
    )
    rows += published.dense_rows(f'{ours}/attended', of('out'))
    for name in ('ffn_in', 'ffn_out'):
      rows += published.dense_rows(f'{ours}/{name}', of(name))
    for name in ('norm_attention', 'norm_ffn'):
      rows += published.norm_rows(f'{ours}/{name}', of(name))
  return rows


def read_ctranslate2(file: Path) -> dict[str, np.ndarray]:
  """All arrays of a CTranslate2 Whisper `model.bin`, by its own names.

  Raises:
    UserError: it cannot be read, or is no Whisper.
  """

  def number(stream: BinaryIO, kind: str) -> int:
    return struct.unpack(f'<{kind}', stream.read(struct.calcsize(kind)))[0]

  def text(stream: BinaryIO) -> str:
    return stream.read(number(stream, 'H')).rstrip(b'\0').decode()

  found = {}
  try:
    with file.open('rb') as stream:
      number(stream, 'I')  # version of the container
      if text(stream) != _CT2_SPEC:
        raise ValueError('it is no Whisper model of CTranslate2')
      number(stream, 'I')  # version of the model
      for _ in range(number(stream, 'I')):
        name = text(stream)
        shape = [number(stream, 'I') for _ in range(number(stream, 'B'))]
        dtype = np.dtype(_CT2_TYPES[number(stream, 'B')])
        data = stream.read(number(stream, 'I'))
        found[name] = np.frombuffer(data, dtype).reshape(shape)
  except (OSError, ValueError, IndexError, struct.error) as error:
    raise UserError(f'cannot read the weights in {file}: {error}') from error
  return found


def _as_openai(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
  """CTranslate2's encoder under openai's names."""
  parts = {
    'position_encodings/encodings': 'positional_embedding',
    'layer_norm/': 'ln_post.',
    'self_attention/layer_norm/': 'attn_ln.',
    'self_attention/linear_1/': 'attn.out.',
    'ffn/layer_norm/': 'mlp_ln.',
    'ffn/linear_0/': 'mlp.0.',
    'ffn/linear_1/': 'mlp.2.',
  }
  ends = {'gamma': 'weight', 'beta': 'bias'}
  made = {}
  for name, value in arrays.items():
    if not name.startswith('encoder/') or not value.ndim:
      continue  # numbers without axes are settings
    rest = name.removeprefix('encoder/')
    block = ''
    if rest.startswith('layer_') and rest[6].isdigit():
      layer, _, rest = rest.partition('/')
      block = f'blocks.{layer.removeprefix("layer_")}.'
    head, _, end = rest.rpartition('/')
    end = ends.get(end, end)
    if head == 'self_attention/linear_0':  # queries, keys, values in one
      q, k, v = np.split(value, 3)
      made |= {f'{block}attn.query.{end}': q, f'{block}attn.value.{end}': v}
      if end != 'bias':  # the key's is zero
        made[f'{block}attn.key.{end}'] = k
    elif rest in parts:
      made[parts[rest]] = value
    else:
      made[block + parts.get(f'{head}/', f'{head}.') + end] = value
  return {f'encoder.{name}': value for name, value in made.items()}
