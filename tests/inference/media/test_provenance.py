import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.inference.media.provenance import read_provenance, statement, to_tags
from vasa_jax.inference.media.video import VideoWriter


def _statement(**changes):
  values = {
    'version': '1.2',
    'weights': 'w 00ff',
    'seed': 7,
    'portrait_sha256': 'a' * 64,
    'audio_sha256': 'b' * 64,
    'settings': {'gaze': [1.5, -2], 'é': '"\n'},
  }
  return statement(**values | changes)


def test_round_trip_through_a_file(tmp_path):
  said = _statement()
  path = tmp_path / 'a.mp4'
  with VideoWriter(path, (32, 32), tags=to_tags(said), sound_rate=None) as writer:
    writer.write(np.zeros((2, 32, 32, 3), np.uint8))
  assert read_provenance(path) == said
  assert said['synthetic'] is True and said['seed'] == 7
  assert b'Synthetic video' in path.read_bytes()


def test_date(monkeypatch):
  monkeypatch.setenv('SOURCE_DATE_EPOCH', '86400')
  assert _statement()['created'] == '1970-01-02T00:00:00Z'
  monkeypatch.setenv('SOURCE_DATE_EPOCH', 'yesterday')
  with pytest.raises(UserError, match='SOURCE_DATE_EPOCH'):
    _statement()
  monkeypatch.delenv('SOURCE_DATE_EPOCH')
  assert _statement()['created'] > '2026'


def test_files_without_a_statement(tmp_path, voice_path):
  assert read_provenance(voice_path) is None
  path = tmp_path / 'a.mp4'
  with VideoWriter(path, (32, 32), tags={'comment': '[1]'}, sound_rate=None) as writer:
    writer.write(np.zeros((1, 32, 32, 3), np.uint8))
  assert read_provenance(path) is None
  path.write_bytes(b'nothing')
  with pytest.raises(UserError, match='cannot be read'):
    read_provenance(path)
