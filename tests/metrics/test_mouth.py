"""Mouth and eyes on made-up faces and voices with a known answer."""

import numpy as np
import pytest

from vasa_jax.metrics import mouth
from vasa_jax.metrics.pose import rotation
from vasa_jax.types import FPS, SAMPLES_PER_FRAME

FRAMES = 150


def face(gap, lid=0.1):
  """`(t, 468, 3)`: eye corners 1 apart, eyes .35 wide, lips `gap`, lids `lid` open."""
  gap, lid = np.broadcast_arrays(np.asarray(gap, float), np.asarray(lid, float))
  points = np.zeros((len(gap), 468, 3))
  points[:, 33, 0], points[:, 263, 0] = -0.5, 0.5
  points[:, 133, 0], points[:, 362, 0] = -0.15, 0.15
  for upper, lower in ((13, 14), (82, 87), (312, 317)):
    points[:, upper, 1], points[:, lower, 1] = 0.6 - gap / 2, 0.6 + gap / 2
  for upper, lower in ((159, 145), (158, 153), (160, 144), (386, 374), (385, 380),
                       (387, 373)):  # fmt: skip
    points[:, upper, 1], points[:, lower, 1] = -lid / 2, lid / 2
  return points


def voice(level):
  """Noise whose loudness follows `level (t,)`."""
  noise = np.random.default_rng(0).standard_normal((len(level), SAMPLES_PER_FRAME))
  return (noise * np.asarray(level)[:, None] * 3000).astype(np.int16).ravel()


@pytest.fixture(scope='module')
def level():
  t = np.arange(FRAMES)
  syllables = np.clip(np.sin(t / 2.1) * np.sin(t / 7.3 + 1) + 0.3, 0, None)
  syllables[60:90] = 0
  return syllables


def test_opening_is_relative_to_the_face_and_blind_to_the_pose():
  plain = face([0.0, 0.1, 0.3])
  np.testing.assert_allclose(mouth.mouth_opening(plain), [0, 0.1, 0.3])
  np.testing.assert_allclose(mouth.eye_opening(plain), 0.1 / 0.35)
  turned = 250 * plain @ rotation([30, -10, 15]).T + [100, 50, 3]
  np.testing.assert_allclose(mouth.mouth_opening(turned), [0, 0.1, 0.3], atol=1e-9)
  np.testing.assert_allclose(mouth.eye_opening(turned), 0.1 / 0.35)


def test_envelope_follows_loudness_and_fits_any_length(level):
  sound = voice(level)
  envelope = mouth.speech_envelope(sound, FRAMES)
  assert np.corrcoef(envelope, np.sqrt(level))[0, 1] > 0.95
  np.testing.assert_allclose(
    mouth.speech_envelope(sound / 32768, FRAMES), envelope, rtol=1e-6
  )
  np.testing.assert_allclose(mouth.speech_envelope(7.5 * sound, FRAMES), envelope)
  assert len(mouth.speech_envelope(sound[:1000], FRAMES)) == FRAMES
  assert len(mouth.speech_envelope(sound, 10)) == 10
  assert not mouth.speech_envelope(np.zeros(5000), 8).any()


@pytest.mark.parametrize('lag', [-3, -1, 0, 2, 3])
def test_lag_is_found(level, lag):
  envelope = mouth.speech_envelope(voice(level), FRAMES)
  late = np.roll(envelope, lag)
  sync = mouth.mouth_sync(0.05 + 0.2 * late, envelope)
  assert sync.lag == lag and sync.r > 0.99


def test_rest_in_silence(level):
  envelope = mouth.speech_envelope(voice(level), FRAMES)
  sync = mouth.mouth_sync(0.02 + 0.2 * envelope, envelope)
  assert sync.silence == pytest.approx(0.02, abs=1e-6) and sync.speech > 0.1
  endless = mouth.mouth_sync(envelope, np.ones(FRAMES))
  assert np.isnan(endless.silence)


def test_a_mouth_that_does_its_own_thing(level):
  envelope = mouth.speech_envelope(voice(level), FRAMES)
  assert mouth.mouth_sync(np.full(FRAMES, 0.1), envelope).r == 0
  random = np.random.default_rng(3).standard_normal(FRAMES)
  assert mouth.mouth_sync(random, envelope).r < 0.3


def test_lost_frames_are_left_out(level):
  envelope = mouth.speech_envelope(voice(level), FRAMES)
  opening = 0.2 * envelope
  found = np.ones(FRAMES, bool)
  found[20:30] = False
  opening[20:30] = np.nan
  assert mouth.mouth_sync(opening, envelope, found).r > 0.99
  nothing = mouth.mouth_sync(opening, envelope, np.zeros(FRAMES, bool))
  assert np.isnan(nothing.r) and np.isnan(nothing.speech)
  with pytest.raises(ValueError, match='150'):
    mouth.mouth_sync(opening, envelope[:-1])


def test_blinks_are_counted():
  eyes = 0.3 + 0.01 * np.sin(np.arange(60 * FPS))
  for start in (100, 400, 900, 1300):
    eyes[start : start + 5] *= [0.7, 0.3, 0.1, 0.3, 0.7]
  assert mouth.blinks_per_minute(eyes) == pytest.approx(4)
  # A squint is not a blink, nor are eyes that stay closed.
  eyes[600:620] *= 0.75
  eyes[1100:1130] *= 0.1
  assert mouth.blinks_per_minute(eyes) == pytest.approx(4)
  assert mouth.blinks_per_minute(2 * eyes) == pytest.approx(4)


def test_blinks_without_a_face():
  eyes = np.full(50, 0.3)
  eyes[10:13] = 0.05
  found = np.ones(50, bool)
  found[8:16] = False
  assert mouth.blinks_per_minute(eyes, found) == 0
  assert mouth.blinks_per_minute(eyes) == pytest.approx(60 * FPS / 50)
  assert np.isnan(mouth.blinks_per_minute(eyes, np.zeros(50, bool)))
