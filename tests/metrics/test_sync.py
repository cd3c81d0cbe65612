"""SyncNet's protocol: against a slow rendition, and what it must find and lose."""

import jax
import numpy as np
import pytest

from vasa_jax.metrics import sync
from vasa_jax.metrics.face_crop import FaceBoxes
from vasa_jax.metrics.faces import FaceTrack
from vasa_jax.metrics.sync import offset_distances, score_sync
from vasa_jax.teachers import syncnet

RNG = np.random.default_rng(0)
THOUGHT = RNG.standard_normal((140, 16))


def pair(late=0, noise=0.3, n=90):
  """Vectors of lips that come `late` frames after the sound, `(n, 16)` each."""
  sound = THOUGHT[20 : 20 + n]
  lips = THOUGHT[20 - late : 20 - late + n]
  return lips + noise * np.random.default_rng(1).standard_normal(lips.shape), sound


def slow_curve(lips, sound, shift):
  """The published loop: one window, one offset at a time, zeros beyond the ends."""
  total = np.zeros(2 * shift + 1)
  for i, lip in enumerate(lips):
    for j in range(-shift, shift + 1):
      other = sound[i + j] if 0 <= i + j < len(sound) else np.zeros(lips.shape[1])
      total[j + shift] += np.sqrt(np.sum((lip - other + 1e-6) ** 2))
  return total / len(lips)


def test_against_the_slow_rendition():
  lips, sound = pair(late=3, n=40)
  found = score_sync(lips, sound)
  wanted = slow_curve(lips, sound, 15)
  np.testing.assert_allclose(found.curve, wanted, rtol=1e-12)
  assert found.distance == pytest.approx(wanted.min())
  assert found.confidence == pytest.approx(np.sort(wanted)[15] - wanted.min())
  assert found.offset == 15 - wanted.argmin() == 3 and found.windows == 40


@pytest.mark.parametrize('late', [-12, -5, 0, 1, 12])
@pytest.mark.parametrize('edges', ['zeros', 'inside'])
def test_finds_a_planted_offset(late, edges):
  assert score_sync(*pair(late), edges=edges).offset == late


def test_falls_with_strange_sound_and_beyond_the_reach():
  lips, sound = pair()
  strange = np.random.default_rng(5).standard_normal(sound.shape)
  mixed = []
  for share in (0.0, 0.4, 0.8):
    mine = sound.copy()
    mine[: int(share * len(sound))] = strange[: int(share * len(sound))]
    mixed.append(score_sync(lips, mine, edges='inside'))
  assert mixed[0].confidence > mixed[1].confidence > mixed[2].confidence > 0
  assert mixed[0].distance < mixed[1].distance < mixed[2].distance
  beyond = score_sync(*pair(late=18), edges='inside')
  assert beyond.confidence < 0.3 * mixed[0].confidence
  assert beyond.distance > 1.5 * mixed[0].distance


def test_does_not_change_with_a_common_rotation():
  lips, sound = pair(late=2)
  turn = np.linalg.qr(RNG.standard_normal((16, 16)))[0]
  a, b = score_sync(lips, sound), score_sync(lips @ turn, sound @ turn)
  assert a.offset == b.offset
  np.testing.assert_allclose(a.curve, b.curve, rtol=1e-5)


def test_zeros_beyond_the_ends_are_near():
  """Why 'inside' exists: to a unit vector zeros are nearer than any stranger."""
  lips = np.eye(40)
  distances = offset_distances(lips, np.roll(lips, 7, 0), 15)
  assert distances[0, 0] == pytest.approx(1, abs=1e-4)
  assert distances[20, 15] == pytest.approx(2**0.5, abs=1e-4)


def test_wrong_shapes_and_words():
  lips, sound = pair(n=12)
  with pytest.raises(ValueError, match='vectors of lips'):
    offset_distances(lips, sound[:-1])
  with pytest.raises(ValueError, match='too few'):
    score_sync(lips, sound, edges='inside')
  with pytest.raises(ValueError, match='edges is'):
    score_sync(lips, sound, edges='round')


class Seen:
  """A judge that notes what it is shown."""

  name, shortest, smallest = 'seen', 10, 20

  def crops(self, pictures, boxes: FaceBoxes):
    return np.stack([p[0, 0] for p in pictures])

  def score(self, crops, samples):
    self.shown, self.heard = crops[:, 0], samples
    return sync.SyncScore(1.0, 2.0, 0, np.zeros(31), len(crops))


def video(n=30, missing=5, size=60.0):
  """A track whose first frames have no face; picture i has the colour i."""
  mesh = np.full((n, 468, 3), np.nan, np.float32)
  mesh[missing:] = size * np.random.default_rng(0).random((468, 3)) + 10
  found = np.arange(n) >= missing
  pictures = [np.full((8, 8, 3), i, np.uint8) for i in range(n)]
  return pictures, FaceTrack(found, mesh, np.zeros((n, 3)))


def test_sound_and_pictures_of_a_track_stay_together():
  pictures, track = video()
  judge = Seen()
  samples = np.repeat(np.arange(27), 640).astype(np.float32)  # three frames short
  assert sync.score_video(judge, iter(pictures), track, samples).distance == 2
  np.testing.assert_array_equal(judge.shown, np.arange(5, 27))
  np.testing.assert_array_equal(judge.heard[::640], np.arange(5, 27))


def test_short_small_and_missing_tracks_are_not_scored():
  sound = np.zeros(30 * 640, np.float32)
  for pictures, track in (video(missing=20), video(size=15.0), video(missing=30)):
    assert sync.score_video(Seen(), pictures, track, sound) is None
  pictures, track = video()
  assert sync.score_video(Seen(), pictures, track, sound[: 640 * 14]) is None


def test_published_judge_pairs_windows_with_sound(monkeypatch):
  """Through the real net with random weights; the last batch is not full."""
  monkeypatch.setattr(sync, '_BATCH', 4)
  rng = np.random.default_rng(2)
  crops = rng.integers(0, 256, (11, 224, 224, 3), np.uint8)
  samples = rng.uniform(-0.5, 0.5, 11 * 640).astype(np.float32)
  net = syncnet.SyncNet()
  shapes = jax.eval_shape(
    net.init, jax.random.key(0), np.zeros((1, 5, 224, 224, 3)), np.zeros((1, 13, 20))
  )['params']

  def alive(x):
    fan = np.prod(x.shape[:-1]) if len(x.shape) > 1 else 4.0
    return (rng.standard_normal(x.shape) * np.sqrt(2 / fan)).astype(np.float32)

  params = jax.tree.map(alive, shapes)
  judge = sync.Published(params)
  lips, sound = judge.vectors(crops, samples)
  assert lips.shape == sound.shape == (6, 1024)

  # Window i sees pictures i to i + 4 and hears 0.2 s from its first picture on.
  other_crops, other_samples = crops.copy(), samples.copy()
  other_crops[7] = 0
  other_samples[7 * 640 + 400 :] = 0
  seen, heard = judge.vectors(other_crops, other_samples)
  changed = np.any(seen != lips, 1)
  np.testing.assert_array_equal(changed, [False] * 3 + [True] * 3)
  changed = np.any(heard != sound, 1)
  np.testing.assert_array_equal(changed, [False] * 3 + [True] * 3)
  with pytest.raises(ValueError, match='too few'):
    judge.vectors(crops[:5], samples)
