import dataclasses
import json
import os
import shutil

import jax
import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.inference import models
from vasa_jax.inference.bundle import load_bundle, save_bundle


@pytest.fixture
def copy(tiny_weights, tmp_path):
  return shutil.copytree(tiny_weights, tmp_path / 'w')


def test_round_trip(tiny_weights, tmp_path):
  first = load_bundle(tiny_weights)
  assert first.name == 'tiny' and len(first.digest) == 16
  assert first.meta == {'steps': 0}
  assert first.face_config == models.preset('tiny')['face']
  assert first.motion_config == models.preset('tiny')['motion']
  save_bundle(tmp_path / 'again', first)
  again = load_bundle(tmp_path / 'again')
  # float16 on disk is read as float32 and written back without further loss.
  assert again.digest == first.digest
  for a, b in zip(
    jax.tree.leaves(first.face_params), jax.tree.leaves(again.face_params), strict=True
  ):
    assert a.dtype == np.float32
    np.testing.assert_array_equal(a, b)
  assert sorted(os.listdir(tmp_path / 'again')) == [
    'MODEL_CARD.md', 'config.json', 'face.safetensors', 'motion.safetensors',
  ]  # fmt: skip


def test_float32_keeps_every_bit(tiny_weights, tmp_path):
  bundle = load_bundle(tiny_weights)
  odd = jax.tree.map(lambda x: x + np.float32(1e-6), bundle.face_params)
  bundle = dataclasses.replace(bundle, face_params=odd)
  save_bundle(tmp_path / 'w', bundle, dtype='float32')
  again = load_bundle(tmp_path / 'w').face_params
  for a, b in zip(jax.tree.leaves(odd), jax.tree.leaves(again), strict=True):
    np.testing.assert_array_equal(a, b)


def test_statistics_and_large_values_are_not_narrowed(tiny_weights, tmp_path):
  bundle = load_bundle(tiny_weights)
  params = jax.tree.map(np.copy, bundle.motion_params)
  params['stats']['mean'][0] = 1.0001
  params['params']['out']['kernel'][0, 0] = 1e6
  save_bundle(tmp_path / 'w', dataclasses.replace(bundle, motion_params=params))
  again = load_bundle(tmp_path / 'w').motion_params
  assert again['stats']['mean'][0] == np.float32(1.0001)
  assert again['params']['out']['kernel'][0, 0] == 1e6


def test_model_card_is_left_alone(copy):
  (copy / 'MODEL_CARD.md').write_text('mine')
  save_bundle(copy, load_bundle(copy))
  assert (copy / 'MODEL_CARD.md').read_text() == 'mine'


def _fails(folder, says):
  with pytest.raises(UserError, match=says) as caught:
    load_bundle(folder)
  assert '\n' not in str(caught.value)


@pytest.mark.parametrize('size', [0, 5, 500, -100])
def test_truncated(copy, size):
  file = copy / 'face.safetensors'
  file.write_bytes(file.read_bytes()[:size])
  _fails(copy, 'face.safetensors: damaged or cut off')


@pytest.mark.parametrize(
  'name', ['config.json', 'face.safetensors', 'motion.safetensors']
)
def test_missing_file(copy, name):
  (copy / name).unlink()
  _fails(copy, f'{name}: missing')


def test_missing_folder(tmp_path):
  _fails(tmp_path / 'none', 'no such weights folder')


def _edit(folder, change):
  file = folder / 'config.json'
  values = json.loads(file.read_text())
  change(values)
  file.write_text(json.dumps(values))


def test_weights_of_another_shape(copy):
  _edit(copy, lambda v: v['face'].update(identity_width=16))
  _fails(copy, r'has shape .* asks for')


def test_weights_of_another_depth(copy):
  _edit(copy, lambda v: v['motion'].update(depth=3))
  _fails(copy, 'layer_2.* is missing')
  _edit(copy, lambda v: v['motion'].update(depth=1))
  _fails(copy, 'layer_1.* is not part of the model')


def test_bad_config(copy):
  _edit(copy, lambda v: v['face'].update(volume_deph=3))
  _fails(copy, 'config.json: .*did you mean volume_depth')
  _edit(copy, lambda v: v.update(format=99))
  _fails(copy, 'format 99 is unknown')
  (copy / 'config.json').write_text('{"format": 1}')
  _fails(copy, 'config.json: damaged')
  (copy / 'config.json').write_text('{')
  _fails(copy, 'config.json: damaged')


def test_not_a_number(copy):
  bundle = load_bundle(copy)
  params = jax.tree.map(np.copy, bundle.face_params)
  jax.tree.leaves(params)[0].flat[0] = np.nan
  save_bundle(copy, dataclasses.replace(bundle, face_params=params))
  _fails(copy, 'no numbers')


def test_known_layout_is_not_traced_again(copy, monkeypatch):
  def never(*_):
    raise AssertionError('traced')

  monkeypatch.setattr(models, 'shapes', never)
  load_bundle(copy)
  _edit(copy, lambda v: v['layout'].update(face='other'))
  with pytest.raises(AssertionError, match='traced'):
    load_bundle(copy)


def test_saving_checks_what_it_writes(copy, tmp_path):
  bundle = load_bundle(copy)
  with pytest.raises(UserError, match='is missing'):
    save_bundle(tmp_path / 'new', dataclasses.replace(bundle, face_params={}))
  assert not (tmp_path / 'new').exists()
