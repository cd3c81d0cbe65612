"""PyTorch files read without PyTorch (written by references/make_arcface.py)."""

import pathlib
import pickle
import zipfile

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.teachers.torch_file import load_torch

HERE = pathlib.Path(__file__).parent / 'references'


@pytest.mark.parametrize('name', ['small_zip.pt', 'small_legacy.pt'])
def test_both_formats(name):
  found = load_torch(HERE / name)
  assert set(found) == {
    *(f'state_dict.{k}' for k in ('weight', 'half', 'brain', 'count', 'tail')), 'param',
  }  # fmt: skip
  np.testing.assert_array_equal(
    found['state_dict.weight'], np.arange(6.0).reshape(2, 3).T
  )
  np.testing.assert_array_equal(found['state_dict.tail'], [4, 5, 6])
  np.testing.assert_array_equal(found['state_dict.brain'].astype(float), [0.5, 3])
  assert found['state_dict.half'].dtype == np.float16
  assert found['state_dict.count'] == 7 and found['state_dict.count'].shape == ()
  np.testing.assert_array_equal(found['param'], [1, 1])


def test_a_file_with_code_is_refused():
  with pytest.raises(UserError, match='it asks for torch.nn.modules.activation.ReLU'):
    load_torch(HERE / 'module.pt')


def test_no_name_outside_the_list_is_ever_called(tmp_path):
  class Bad:
    def __reduce__(self):
      return (tmp_path.joinpath('called').touch, ())

  file = tmp_path / 'bad.pt'
  with zipfile.ZipFile(file, 'w') as archive:
    archive.writestr('bad/data.pkl', pickle.dumps(Bad()))
  with pytest.raises(UserError, match='cannot read'):
    load_torch(file)
  assert not (tmp_path / 'called').exists()


@pytest.mark.parametrize('keep', [0, 10, 600])
def test_a_cut_file_is_one_line(tmp_path, keep):
  for name in ('small_zip.pt', 'small_legacy.pt'):
    file = tmp_path / name
    file.write_bytes((HERE / name).read_bytes()[:keep])
    with pytest.raises(UserError, match='cannot read the weights') as caught:
      load_torch(file)
    assert '\n' not in str(caught.value)
  with pytest.raises(UserError, match='no weights file'):
    load_torch(tmp_path / 'missing.pt')
