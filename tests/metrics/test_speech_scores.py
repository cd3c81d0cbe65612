"""One call for sync and CAPP of a finished video."""

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.metrics import speech_scores
from vasa_jax.metrics.faces import FaceTrack
from vasa_jax.metrics.speech_scores import SpeechJudges
from vasa_jax.metrics.sync import SyncScore


class Mouth:
  name, about, shift, shortest, smallest = 'own', 'a test', 15, 10, 20

  def crops(self, pictures, boxes):
    return np.stack([picture[0, 0, 0] for picture in pictures])

  def score(self, crops, samples):
    return SyncScore(0.4, 0.9, int(crops[0]), np.zeros(31), len(crops))


class Nod:
  name, about, stride = 'own', 'a test', 25

  def score(self, pose, features, found):
    assert features.shape == (len(pose), 320) and found.dtype == bool
    return 0.5 if found.all() else float('nan')


def track(n, found=True):
  points = 50 * np.random.default_rng(0).random((1, 468, 3)).repeat(n, 0)
  return FaceTrack(np.full(n, found), points, np.zeros((n, 3)))


def test_names_and_values():
  judges = SpeechJudges((Mouth(),), Nod())
  pictures = [np.full((4, 4, 3), 7, np.uint8)] * 30
  sound = np.random.default_rng(0).uniform(-0.1, 0.1, 30 * 640).astype(np.float32)
  assert judges.score(lambda: iter(pictures), track(30), sound) == {
    'sync_confidence_own': 0.4, 'sync_distance_own': 0.9, 'sync_offset_own': 7.0,
    'capp_own': 0.5,
  }  # fmt: skip
  assert judges.score(lambda: iter(pictures), track(30, False), sound) == {}
  assert 'sync own (a test)' in judges.about and 'every 25 frames' in judges.about
  assert SpeechJudges().about == ''


def test_published_net_is_added_from_its_file(tmp_path, monkeypatch):
  with pytest.raises(UserError, match='no weights file'):
    SpeechJudges().with_published(str(tmp_path / 'syncnet_v2.model'))
  monkeypatch.setattr(speech_scores.Published, 'load', lambda path: Mouth())
  assert len(SpeechJudges((Mouth(),)).with_published('file').sync) == 2
