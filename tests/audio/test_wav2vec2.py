"""Wav2Vec2 and HuBERT against PyTorch (numbers by references/make_hearing.py)."""

import dataclasses
import json
import pathlib
import shutil

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from vasa_jax.audio.wav2vec2 import BASE, LARGE, Wav2Vec2, normalise, param_shapes
from vasa_jax.audio.wav2vec2_file import load_wav2vec2, read_config
from vasa_jax.errors import UserError

HERE = pathlib.Path(__file__).parent / 'references'
NETS = ('base', 'large', 'hubert')


@pytest.fixture(scope='module')
def found():
  with np.load(HERE / 'hearing.npz') as file:
    return dict(file)


def assert_close(ours, theirs):
  """Each layer within 1e-4 of its norm."""
  assert ours.shape == theirs.shape
  for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
    assert np.linalg.norm(a - b) < 1e-4 * np.linalg.norm(b), f'hidden state {i}'


@pytest.mark.parametrize('name', NETS)
def test_every_layer_of_a_padded_batch(name, found):
  weights = load_wav2vec2(HERE / name)
  lengths = found['lengths']
  counts = weights.config.frames(lengths)

  @jax.jit
  def both(params):
    given = {'params': params}, found['samples'], lengths
    everything = dataclasses.replace(weights.config, group_statistics='all')
    return Wav2Vec2(everything).apply(*given), Wav2Vec2(weights.config).apply(*given)

  padded, alone = (np.asarray(states) for states in both(weights.params))
  for i, n in enumerate(counts):
    # As transformers hears the padded batch, and as it hears each recording alone.
    assert_close(padded[:, i, :n], found[f'{name}_padded'][:, i, :n])
    assert_close(alone[:, i, :n], found[f'{name}_{i}'][:, 0])


def test_parameters_of_the_published_sizes():
  def count(config):
    return sum(leaf.size for leaf in jax.tree.leaves(param_shapes(config)))

  # Of Wav2Vec2Model(Wav2Vec2Config(...)): all but its mask embedding (hidden_size) and
  # the magnitudes of the weight norm (128), which the kernel has taken in.
  assert count(BASE) == 94_371_712 - 768 - 128
  assert count(LARGE) == 315_438_720 - 1024 - 128


def test_length_formula():
  assert [BASE.frames(n) for n in (400, 719, 720, 16_000)] == [1, 1, 2, 49]


def test_normalise():
  made = normalise(np.array([3.0, 5.0, 7.0]))
  np.testing.assert_allclose([made.mean(), made.var()], [0, 1], atol=1e-6)


def test_a_layout_is_read_from_the_published_files():
  config = load_wav2vec2(HERE / 'large').config
  assert config.do_stable_layer_norm and config.conv_bias
  assert config.feat_extract_norm == 'layer' and config.conv_dim == (12,) * 7
  assert read_config({}) == BASE
  assert not read_config({}, {'do_normalize': False}).do_normalize


@pytest.mark.parametrize(
  ('settings', 'message'),
  [
    ({'model_type': 'wavlm'}, 'describes wavlm'),
    ({'hidden_act': 'relu'}, "hidden_act='relu' is not supported"),
    ({'conv_pos_batch_norm': True}, 'conv_pos_batch_norm=True'),
    ({'hidden_size': 'wide'}, "hidden_size='wide' makes no sense"),
    ({'feat_extract_norm': 'batch'}, 'is not group or layer'),
  ],
)
def test_another_net_is_one_line(settings, message):
  with pytest.raises(UserError, match=message):
    read_config(settings)


def changed(tmp_path, change):
  """The base checkpoint with another state dict, in `tmp_path`."""
  shutil.copy(HERE / 'base' / 'config.json', tmp_path)
  state = load_file(HERE / 'base' / 'model.safetensors')
  change(state)
  save_file(state, tmp_path / 'model.safetensors')
  return tmp_path


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    (lambda s: s.pop('wav2vec2.encoder.layer_norm.bias'),
     'lacks encoder.layer_norm.bias'),
    (lambda s: s.update({'wav2vec2.adapter.x': np.ones(1)}),
     'does not have: adapter.x'),
    (lambda s: s.update({'wav2vec2.encoder.layer_norm.bias': np.ones(5)}),
     r'norm/bias has shape \(5,\)'),
    (lambda s: s.clear(), 'and 63 more'),
  ],
)  # fmt: skip
def test_names_and_shapes_that_do_not_fit_are_one_line(tmp_path, change, message):
  with pytest.raises(UserError, match=message) as caught:
    load_wav2vec2(changed(tmp_path, change))
  assert '\n' not in str(caught.value)


def test_missing_and_damaged_checkpoints(tmp_path):
  with pytest.raises(UserError, match='no weights at'):
    load_wav2vec2(tmp_path / 'none')
  with pytest.raises(UserError, match='holds none of model.safetensors'):
    load_wav2vec2(tmp_path)
  shutil.copy(HERE / 'base' / 'model.safetensors', tmp_path)
  with pytest.raises(UserError, match=r'no config\.json beside the weights'):
    load_wav2vec2(tmp_path)
  (tmp_path / 'config.json').write_text('[]')
  with pytest.raises(UserError, match='holds no settings'):
    load_wav2vec2(tmp_path)
  (tmp_path / 'config.json').write_text(json.dumps({'hidden_size': 24}))
  with pytest.raises(UserError, match='24 does not divide by num_conv_pos'):
    load_wav2vec2(tmp_path)
  (tmp_path / 'config.json').write_text(json.dumps({'hidden_size': 48}))
  with pytest.raises(UserError, match='lacks'):
    load_wav2vec2(tmp_path)
