"""The file of a small judge."""

import dataclasses

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.metrics.shipped import load_shipped, save_shipped


@dataclasses.dataclass(frozen=True)
class Net:
  widths: tuple[int, ...] = (3, 4)
  kind: str = 'mean'


def test_round_trip_in_half_precision(tmp_path):
  path = tmp_path / 'judge.safetensors'
  values = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
  save_shipped(path, Net(), {'a': {'kernel': values}, 'b': np.ones(())}, 'nothing')
  found = load_shipped(path)
  assert Net(**found.config) == Net() and found.about == 'nothing'
  np.testing.assert_allclose(found.params['a']['kernel'], values, rtol=1e-3)
  assert found.params['b'] == 1 and found.params['b'].dtype == np.float32
  assert [p.name for p in tmp_path.iterdir()] == ['judge.safetensors']


def test_missing_and_damaged_files(tmp_path):
  with pytest.raises(UserError, match='no weights file'):
    load_shipped(tmp_path / 'none.safetensors')
  (tmp_path / 'bad.safetensors').write_bytes(b'nonsense' * 9)
  with pytest.raises(UserError, match='cannot read the weights'):
    load_shipped(tmp_path / 'bad.safetensors')
