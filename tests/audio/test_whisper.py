"""Whisper's encoder against PyTorch (numbers by references/make_hearing.py)."""

import pathlib
import struct

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.audio.whisper import WhisperEncoder, whisper_mel
from vasa_jax.audio.whisper_file import load_whisper
from vasa_jax.errors import UserError
from vasa_jax.teachers.torch_file import load_torch

HERE = pathlib.Path(__file__).parent / 'references'


@pytest.fixture(scope='module')
def found():
  with np.load(HERE / 'hearing.npz') as file:
    return dict(file)


def test_mel(found):
  voice = np.pad(found['samples'][1], (0, 8000))
  np.testing.assert_allclose(whisper_mel(voice), found['mel'], atol=1e-5)
  twin = jax.jit(lambda x: whisper_mel(x, xp=jnp))(voice)
  np.testing.assert_allclose(twin, found['mel'], atol=2e-4)


def test_a_fixed_peak_hears_pieces_as_the_whole(found):
  voice = np.pad(found['samples'][1], (0, 8000))
  whole = whisper_mel(voice, peak=1.0)
  part = whisper_mel(voice[3200:], peak=1.0)
  np.testing.assert_allclose(part[2:], whole[22:], atol=1e-5)
  assert whole.min() == pytest.approx((1.0 - 8 + 4) / 4)


def test_every_layer(found):
  weights = load_whisper(HERE / 'whisper')
  assert weights.config.encoder_attention_heads == 4
  states = WhisperEncoder(weights.config).apply(
    {'params': weights.params}, found['mel'][None]
  )
  for ours, theirs in zip(states, found['whisper'], strict=True):
    assert np.linalg.norm(ours - theirs) < 1e-4 * np.linalg.norm(theirs)


def test_padding_changes_nothing(found):
  weights = load_whisper(HERE / 'whisper')
  mel = found['mel'][:60]
  run = jax.jit(WhisperEncoder(weights.config).apply)
  batch = np.stack([found['mel'], np.concatenate([mel, np.full((40, 80), 9.0)])])
  padded = run({'params': weights.params}, batch, np.array([100, 60]))
  alone = run({'params': weights.params}, mel[None])
  np.testing.assert_allclose(padded[:, 1, :30], alone[:, 0], atol=2e-5)


def test_openai_file(found):
  weights = load_whisper(HERE / 'whisper.pt')
  ours = WhisperEncoder(weights.config).apply(
    {'params': weights.params}, found['mel'][None]
  )[-1]
  assert np.linalg.norm(ours - found['openai']) < 1e-4 * np.linalg.norm(ours)


def ctranslate2(state, spec='WhisperSpec'):
  """The bytes of a CTranslate2 file with openai's encoder in it."""
  norms = {'weight': 'gamma', 'bias': 'beta'}
  names = {
    'mlp.0': 'ffn/linear_0', 'mlp.2': 'ffn/linear_1', 'mlp_ln': 'ffn/layer_norm',
    'attn.out': 'self_attention/linear_1', 'attn_ln': 'self_attention/layer_norm',
  }  # fmt: skip
  arrays = {'encoder/num_heads': np.int16(1), 'decoder/x/weight': np.ones(2, 'f4')}
  for name, value in state.items():
    name = name.removeprefix('model_state_dict.encoder.')
    if name == 'positional_embedding':
      arrays['encoder/position_encodings/encodings'] = value
      continue
    place, _, end = name.rpartition('.')
    if place in ('conv1', 'conv2'):
      arrays[f'encoder/{place}/{end}'] = value
    elif place == 'ln_post':
      arrays[f'encoder/layer_norm/{norms[end]}'] = value
    elif place.startswith('blocks.'):
      _, i, part = place.split('.', 2)
      if part in names:
        end = norms[end] if part.endswith('ln') else end
        arrays[f'encoder/layer_{i}/{names[part]}/{end}'] = value
      elif part == 'attn.query':
        at = f'model_state_dict.encoder.blocks.{i}.attn'
        key = state.get(f'{at}.key.{end}', np.zeros_like(value))
        arrays[f'encoder/layer_{i}/self_attention/linear_0/{end}'] = np.concatenate(
          [value, key, state[f'{at}.value.{end}']]
        )

  def text(word):
    return struct.pack('<H', len(word) + 1) + word.encode() + b'\0'

  kinds = {'float32': 0, 'int16': 2, 'float16': 4}
  data = struct.pack('<I', 6) + text(spec) + struct.pack('<II', 3, len(arrays))
  for name, value in arrays.items():
    value = np.ascontiguousarray(value)
    shape = () if name == 'encoder/num_heads' else value.shape
    data += text(name) + struct.pack(f'<B{len(shape)}I', len(shape), *shape)
    data += struct.pack('<BI', kinds[str(value.dtype)], value.nbytes) + value.tobytes()
  return data


def test_ctranslate2_file_is_the_openai_file(tmp_path):
  state = load_torch(HERE / 'whisper.pt')
  data = ctranslate2({k: v for k, v in state.items() if '.encoder.' in k})
  (tmp_path / 'model.bin').write_bytes(data)
  ours, theirs = load_whisper(tmp_path), load_whisper(HERE / 'whisper.pt')
  assert ours.config == theirs.config
  jax.tree.map(np.testing.assert_array_equal, ours.params, theirs.params)
  for broken in (data[:5000], ctranslate2({}, 'TransformerSpec'), b''):
    (tmp_path / 'model.bin').write_bytes(broken)
    with pytest.raises(UserError, match='cannot read the weights') as caught:
      load_whisper(tmp_path)
    assert '\n' not in str(caught.value)


def test_other_nets_are_one_line():
  with pytest.raises(UserError, match='holds no Whisper encoder'):
    load_whisper(HERE / 'base')
  with pytest.raises(UserError, match='no weights at'):
    load_whisper(HERE / 'none')
