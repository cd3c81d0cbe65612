import errno
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
  with pytest.raises(UserError, match='gone: no such folder'):
    save_code(tmp_path / 'gone' / 'me.npz', code, tiny_face.bundle, 'ff')


def test_a_full_disk_is_one_line_and_the_old_code_stays(
  tiny_face, portrait_path, tmp_path, monkeypatch
):
  code, path = tiny_face.encode(portrait_path), tmp_path / 'me.npz'
  path.write_bytes(b'old')

  def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setattr(os, 'replace', full)
  with pytest.raises(UserError, match=r'me.npz: cannot be written \(No space left'):
    save_code(path, code, tiny_face.bundle, 'ff')
  assert path.read_bytes() == b'old' and os.listdir(tmp_path) == ['me.npz']
