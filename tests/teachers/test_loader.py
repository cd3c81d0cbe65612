"""Reading weights: what goes in comes out, and nothing in a file can run."""

import os
import pickle

import numpy as np
import pytest
from safetensors.numpy import save_file

from vasa_jax.errors import UserError
from vasa_jax.teachers.loader import flatten, load_arrays, nest, save_npz

ARRAYS = {
  'a/kernel': np.arange(6, dtype=np.float32).reshape(2, 3),
  'a/b/bias': np.ones(2, np.float16),
}


def test_nest_and_flatten_are_inverse():
  tree = nest(ARRAYS)
  assert tree['a']['b']['bias'] is ARRAYS['a/b/bias']
  assert flatten(tree) == ARRAYS


@pytest.mark.parametrize('suffix', ['npz', 'safetensors', 'ckpt', 'pkl'])
def test_every_format_round_trips(tmp_path, suffix):
  path = tmp_path / f'w.{suffix}'
  if suffix == 'npz':
    save_npz(path, ARRAYS)
  elif suffix == 'safetensors':
    save_file(ARRAYS, path)
  else:
    path.write_bytes(pickle.dumps(nest(ARRAYS), protocol=4))
  loaded = load_arrays(path)
  assert sorted(loaded) == sorted(ARRAYS)
  for name, value in ARRAYS.items():
    assert loaded[name].dtype == value.dtype
    np.testing.assert_array_equal(loaded[name], value)
  assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_old_numpy_names_are_understood(tmp_path):
  path = tmp_path / 'old.ckpt'
  data = pickle.dumps(nest(ARRAYS), protocol=3)
  path.write_bytes(data.replace(b'numpy._core', b'numpy.core'))
  np.testing.assert_array_equal(load_arrays(path)['a/kernel'], ARRAYS['a/kernel'])


class Evil:
  def __init__(self, path):
    self.path = path

  def __reduce__(self):
    return os.mkdir, (str(self.path),)


@pytest.mark.parametrize('protocol', [0, 2, 4, 5])
def test_a_pickle_cannot_run_code(tmp_path, protocol):
  path, mark = tmp_path / 'evil.pkl', tmp_path / 'ran'
  path.write_bytes(pickle.dumps({'a': Evil(mark)}, protocol=protocol))
  with pytest.raises(UserError, match='mkdir'):
    load_arrays(path)
  assert not mark.exists()


def test_objects_in_arrays_are_refused(tmp_path):
  objects = np.array([{}], dtype=object)
  (tmp_path / 'o.pkl').write_bytes(pickle.dumps({'a': objects}))
  np.savez(tmp_path / 'o.npz', a=objects)
  for name in ('o.pkl', 'o.npz'):
    with pytest.raises(UserError, match='cannot read'):
      load_arrays(tmp_path / name)


@pytest.mark.parametrize('suffix', ['npz', 'safetensors', 'ckpt'])
@pytest.mark.parametrize('content', [b'', b'not weights at all', b'\x80\x04'])
def test_broken_files_are_one_line(tmp_path, suffix, content):
  path = tmp_path / f'w.{suffix}'
  path.write_bytes(content)
  with pytest.raises(UserError, match='cannot read the weights') as caught:
    load_arrays(path)
  assert '\n' not in str(caught.value)


def test_truncated_npz(tmp_path):
  path = tmp_path / 'w.npz'
  save_npz(path, ARRAYS)
  path.write_bytes(path.read_bytes()[:-40])
  with pytest.raises(UserError, match='cannot read'):
    load_arrays(path)


def test_missing_and_foreign_files(tmp_path):
  with pytest.raises(UserError, match='no weights file'):
    load_arrays(tmp_path / 'none.npz')
  (tmp_path / 'w.onnx').write_bytes(b'x')
  with pytest.raises(UserError, match='not a weights file'):
    load_arrays(tmp_path / 'w.onnx')
  (tmp_path / 'file').write_bytes(b'')
  with pytest.raises(UserError, match='cannot write'):
    save_npz(tmp_path / 'file' / 'w.npz', ARRAYS)
