"""Reads published Wav2Vec2 and HuBERT checkpoints, without PyTorch.

A checkpoint is a folder with `config.json` and `model.safetensors` or
`pytorch_model.bin`, as transformers saves them: wav2vec2-base(-960h), -large(-960h),
-large-lv60, -large-xlsr-53, xls-r, hubert-base-ls960, hubert-large-ls960. Heads for
pretraining or recognition are left out.
"""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vasa_jax.audio import published
from vasa_jax.audio.published import Row
from vasa_jax.audio.wav2vec2 import Wav2Vec2Config, param_shapes
from vasa_jax.errors import UserError

PREFIXES = ('wav2vec2.', 'hubert.')
# What stands beside the encoder in files made for pretraining, recognition, naming.
_HEADS = (
  'lm_head.', 'quantizer.', 'project_q.', 'project_hid.', 'classifier.', 'projector.',
  'masked_spec_embed', 'layer_weights',
)  # fmt: skip
# Settings that would make it another net, and the only value that is read.
_FIXED = {
  'hidden_act': 'gelu',
  'feat_extract_activation': 'gelu',
  'add_adapter': False,
  'adapter_attn_dim': None,
  'conv_pos_batch_norm': False,
}


class Wav2Vec2Weights(NamedTuple):
  """A checkpoint: the layout, and the nested parameters of `Wav2Vec2`."""

  config: Wav2Vec2Config
  params: dict


def read_config(
  settings: Mapping[str, Any], preprocessor: Mapping[str, Any] | None = None
) -> Wav2Vec2Config:
  """The layout that a published `config.json` describes.

  Args:
    settings: its content; what it leaves out is as in base.
    preprocessor: content of `preprocessor_config.json`, for `do_normalize`.

  Raises:
    UserError: it describes another net, or a variant that is not read.
  """
  kind = settings.get('model_type', 'wav2vec2')
  if kind not in ('wav2vec2', 'hubert'):
    raise UserError(f'config.json describes {kind}, not wav2vec2 or hubert')
  for name, only in _FIXED.items():
    if settings.get(name, only) != only:
      raise UserError(
        f'config.json: {name}={settings[name]!r} is not supported, only {only!r}'
      )
  given = {**settings}
  given['do_normalize'] = (preprocessor or {}).get('do_normalize', True)
  values = {}
  for field in dataclasses.fields(Wav2Vec2Config):
    if field.name in given and field.name != 'group_statistics':
      value = given[field.name]
      if isinstance(value, list):
        value = tuple(value)
      if type(value) is not type(field.default):
        raise UserError(f'config.json: {field.name}={value!r} makes no sense')
      values[field.name] = value
  config = Wav2Vec2Config(**values)
  if config.feat_extract_norm not in ('group', 'layer'):
    raise UserError(
      f'config.json: feat_extract_norm={config.feat_extract_norm!r} is not '
      'group or layer'
    )
  for name in ('num_attention_heads', 'num_conv_pos_embedding_groups'):
    parts = getattr(config, name)
    if parts < 1 or config.hidden_size % parts:
      raise UserError(
        f'config.json: hidden_size={config.hidden_size} does not divide by '
        f'{name}={parts}'
      )
  return config


def from_torch(
  state: Mapping[str, np.ndarray], config: Wav2Vec2Config, what: str = 'the weights'
) -> dict:
  """Parameters of `Wav2Vec2` from a published state dict.

  Args:
    state: published name to array, with or without `wav2vec2.` or `hubert.` before it.
    config: the layout.
    what: the file, for errors.

  Raises:
    UserError: names are missing or unknown, or shapes differ.
  """
  prefix = next((p for p in PREFIXES if any(n.startswith(p) for n in state)), '')
  kept = {
    name.removeprefix(prefix): value
    for name, value in state.items()
    if not name.removeprefix(prefix).startswith(_HEADS)
  }
  return published.convert(_rows(config, kept), kept, param_shapes(config), what)


def load_wav2vec2(path: str | os.PathLike) -> Wav2Vec2Weights:
  """Reads a checkpoint.

  Args:
    path: its folder, or the weights file in it.

  Raises:
    UserError: no checkpoint there, damaged, or of another net.
  """
  file = published.weights_file(Path(path))
  preprocessor = file.with_name('preprocessor_config.json')
  config = read_config(
    published.read_json(file.with_name('config.json')),
    published.read_json(preprocessor) if preprocessor.is_file() else None,
  )
  state = published.read_state(file)
  return Wav2Vec2Weights(config, from_torch(state, config, str(file)))


def _weight_norm(magnitude: np.ndarray, direction: np.ndarray) -> np.ndarray:
  """The positional kernel: one magnitude for each of its taps (`dim=2`)."""
  norm = np.sqrt(np.square(direction).sum((0, 1), keepdims=True))
  return published.conv(magnitude * direction / norm)


def _rows(config: Wav2Vec2Config, state: Mapping[str, Any]) -> list[Row]:
  rows = []
  for i in range(len(config.conv_dim)):
    theirs = f'feature_extractor.conv_layers.{i}'
    rows += published.conv_rows(
      f'extractor/conv_{i}', f'{theirs}.conv', config.conv_bias
    )
    if config.feat_extract_norm == 'layer' or i == 0:
      rows += published.norm_rows(f'extractor/norm_{i}', f'{theirs}.layer_norm')
  if config.feat_proj_layer_norm:
    rows += published.norm_rows('norm_projection', 'feature_projection.layer_norm')
  rows += published.dense_rows('projection', 'feature_projection.projection')

  at = 'encoder.pos_conv_embed.conv'
  names = (f'{at}.weight_g', f'{at}.weight_v')
  if names[0] not in state:  # files since PyTorch 2.1
    names = tuple(f'{at}.parametrizations.weight.original{i}' for i in (0, 1))
  rows.append(Row('positional/kernel', names, _weight_norm))
  rows.append(published.bias_row('positional', at))
  rows += published.norm_rows('norm', 'encoder.layer_norm')

  for i in range(config.num_hidden_layers):
    ours, theirs = f'layers_{i}', f'encoder.layers.{i}'
    attention = f'{theirs}.attention'
    rows += published.qkv_rows(
      f'{ours}/qkv', [f'{attention}.{name}_proj' for name in 'qkv']
    )
    rows += published.dense_rows(f'{ours}/attended', f'{attention}.out_proj')
    rows += published.norm_rows(f'{ours}/norm_attention', f'{theirs}.layer_norm')
    forward = f'{theirs}.feed_forward'
    rows += published.dense_rows(f'{ours}/ffn_in', f'{forward}.intermediate_dense')
    rows += published.dense_rows(f'{ours}/ffn_out', f'{forward}.output_dense')
    rows += published.norm_rows(f'{ours}/norm_ffn', f'{theirs}.final_layer_norm')
  return rows
