"""What a checkpoint says of itself, and the data positions of several hosts."""

import json

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.training.checkpoint import (
  Checkpoints,
  _from_json,
  _LoaderHandler,
  _LoaderSave,
  _to_json,
  git_commit,
  versions,
)


def test_loader_positions_keep_their_types():
  state = {
    'next': np.int64(3),
    'key': b'\x00\xff',
    'perm': np.arange(3, dtype=np.int32),
  }
  text = json.dumps([state, {'inner': [1.5, None, 'x']}], default=_to_json)
  found, inner = json.loads(text, object_hook=_from_json)
  assert found['next'] == 3 and found['key'] == b'\x00\xff'
  assert found['perm'].dtype == np.int32
  np.testing.assert_array_equal(found['perm'], [0, 1, 2])
  assert inner == {'inner': [1.5, None, 'x']}
  with pytest.raises(TypeError, match='loader state holds object'):
    json.dumps(object(), default=_to_json)


def test_positions_of_more_hosts_are_shared_only_if_equal(tmp_path):
  handler = _LoaderHandler()
  for i in range(2):
    (tmp_path / f'process_{i}-of-2.json').write_text('{"next": 4}')
  assert handler.restore(tmp_path) == {'next': 4}
  (tmp_path / 'process_1-of-2.json').write_text('{"next": 5}')
  with pytest.raises(UserError, match='resume with 2 processes'):
    handler.restore(tmp_path)
  handler.save(tmp_path, _LoaderSave({'next': 6}))
  assert handler.restore(tmp_path) == {'next': 6}  # this host's own


def test_target_that_does_not_fit_is_named(tmp_path):
  with Checkpoints(tmp_path) as checkpoints:
    assert checkpoints.latest() is None and checkpoints.restore({}) is None
    checkpoints.save(3, {'a': np.ones(2, np.float32)}, None, {'seconds': 1.5})
    checkpoints.wait()
    found = checkpoints.restore({'a': np.empty(2, np.float32)})
    assert found.step == 3 and found.loader is None and found.meta['seconds'] == 1.5
    np.testing.assert_array_equal(found.state['a'], 1.0)
    with pytest.raises(UserError, match='checkpoints/3 cannot be read'):
      checkpoints.restore({'b': np.empty(2, np.float32)})


def test_broken_off_save_is_not_a_checkpoint(tmp_path):
  (tmp_path / 'checkpoints' / '9.orbax-checkpoint-tmp').mkdir(parents=True)
  with Checkpoints(tmp_path) as checkpoints:
    assert checkpoints.latest() is None


def test_versions_and_commit():
  assert versions()['jax'] and versions()['numpy'] == np.__version__
  commit = git_commit()
  assert commit == '' or len(commit.removesuffix('+changes')) == 40
