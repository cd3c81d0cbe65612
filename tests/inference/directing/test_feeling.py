"""Performances between a calm one and one that feels fully."""

import numpy as np
import pytest

from vasa_jax.inference.directing import feeling
from vasa_jax.inference.media.audio_file import AudioFile
from vasa_jax.types import EMOTIONS, NUM_UNITS, Motion

HAPPY, ANGRY = EMOTIONS.index('happiness'), EMOTIONS.index('anger')
BLINKS = feeling.BLINKS


def _scores(**shares):
  scores = np.zeros(len(EMOTIONS), np.float32)
  for name, share in shares.items():
    scores[EMOTIONS.index(name)] = share
  scores[feeling.NEUTRAL] = 1 - scores.sum()
  return scores


@pytest.fixture
def windows():
  rng = np.random.default_rng(0)

  def motion(t):
    pose, dyn = rng.normal(size=(t, 6)), rng.uniform(size=(t, NUM_UNITS + 2))
    return Motion(pose.astype(np.float32), dyn.astype(np.float32))

  return [motion(t) for t in (3, 4)], [motion(t) for t in (3, 4)]


def _joined(motions):
  motions = list(motions)
  parts = [np.concatenate([m.z_pose, m.z_dyn], -1) for m in motions]
  assert all(part.dtype == np.float32 for part in parts)
  return np.concatenate(parts)


def test_how_much_and_of_what():
  strength, whole = feeling.parted(_scores(happiness=0.3, anger=0.1))
  np.testing.assert_allclose(strength, [[0.4]], atol=1e-6)
  np.testing.assert_allclose(whole[[HAPPY, ANGRY]], [0.75, 0.25], atol=1e-6)
  assert whole.sum() == pytest.approx(1)
  strength, whole = feeling.parted(_scores())
  assert strength.item() == 0 and (whole == feeling.CALM).all()


def test_what_comes_late_is_the_whole_of_it_before():
  asked = [_scores(), _scores(anger=0.2), _scores(), _scores(happiness=1.0), _scores()]
  strength, whole = feeling.parted(np.stack(asked))
  np.testing.assert_allclose(strength[:, 0], [0, 0.2, 0, 1, 0], atol=1e-6)
  np.testing.assert_allclose(whole[:, ANGRY], [1, 1, 0.5, 0, 0], atol=1e-6)
  np.testing.assert_allclose(whole[:, HAPPY], [0, 0, 0.5, 1, 1], atol=1e-6)
  strength, whole = feeling.parted(np.stack([_scores()] * 3))
  assert not strength.any() and (whole == feeling.CALM).all() and len(whole) == 3


@pytest.mark.parametrize('strength', [0.0, 0.25, 0.5, 1.0])
def test_all_but_blinks_lies_between(windows, strength):
  calm, felt = windows
  made = _joined(feeling.between(calm, felt, np.full((1, 1), strength), True))
  one, other = _joined(calm), _joined(felt)
  wanted = one + strength * (other - one)
  columns = [6 + unit for unit in BLINKS]
  wanted[:, columns] = (one if strength < 0.4 else other)[:, columns]
  np.testing.assert_allclose(made, wanted, atol=1e-6)


def test_strength_changes_inside_a_window_and_then_holds(windows):
  calm, felt = windows
  strength = np.array([[0], [0], [1], [1], [0.5]], np.float32)
  made = _joined(feeling.between(calm, felt, strength, False))
  one, other = _joined(calm), _joined(felt)
  np.testing.assert_array_equal(made[:2], one[:2])
  np.testing.assert_allclose(made[2:4], other[2:4], atol=1e-6)
  np.testing.assert_allclose(made[4:], (one + other)[4:] / 2, atol=1e-6)


def test_performances_of_other_lengths_are_no_pair(windows):
  calm, felt = windows
  with pytest.raises(ValueError, match='shorter'):
    list(feeling.between(calm, felt[:1], np.ones((1, 1)), True))


def test_a_talking_face_lies_between(tiny_face, voice_path, monkeypatch):
  audio = AudioFile(voice_path)
  survey = audio.survey()
  runs = []
  plain = tiny_face.generator.windows
  monkeypatch.setattr(
    tiny_face.generator, 'windows', lambda *a, **k: runs.append(1) or plain(*a, **k)
  )

  def act(emotion):
    controls = {'emotion': emotion, 'distance': 1.0}
    made = _joined(tiny_face.motions(audio, survey, seed=1, controls=controls))
    assert len(made) == survey.frames
    return np.delete(made, [6 + unit for unit in BLINKS], 1)

  calm, felt = act({'neutral': 1}), act({'anger': 1})
  assert len(runs) == 2  # nothing is made that is not seen
  assert np.abs(felt - calm).max() > 1e-3
  np.testing.assert_allclose(act({'anger': 0.5}), (calm + felt) / 2, atol=1e-5)
  keys = [{'time': 0, 'value': {'anger': 0}}, {'time': 4, 'value': {'anger': 1}}]
  rising = act(keys)
  np.testing.assert_allclose(rising[0], calm[0], atol=1e-6)
  np.testing.assert_allclose(rising[100:], felt[100:], atol=1e-5)
  assert len(runs) == 6
