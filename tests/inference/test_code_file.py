import os

import jax
import numpy as np
import pytest

from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference.code_file import load_code, save_code


def test_code_file_round_trip(tiny_face, portrait_path, tmp_path):
  code = tiny_face.encode(portrait_path)
  path = tmp_path / 'me.npz'
  save_code(path, code, tiny_face.bundle, 'ff')
  again = load_code(path, tiny_face)
  assert jax.tree.structure(code) == jax.tree.structure(again)
  for a, b in zip(jax.tree.leaves(code), jax.tree.leaves(again), strict=True):
    np.testing.assert_array_equal(a, b)
  assert os.listdir(tmp_path) == ['me.npz']
  path.write_bytes(path.read_bytes()[:500])
  with pytest.raises(UserError, match='not a face code'):
    load_code(path, tiny_face)
  with pytest.raises(UsageError, match='.npz'):
    save_code(tmp_path / 'me.txt', code, tiny_face.bundle, 'ff')
