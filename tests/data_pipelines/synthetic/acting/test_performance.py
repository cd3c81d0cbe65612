import itertools

import numpy as np
import pytest

from data_pipelines.inspect import count_blinks, delta_pose
from data_pipelines.synthetic import assets
from data_pipelines.synthetic.acting import performance, prosody, visemes
from data_pipelines.synthetic.acting.curves import smooth
from data_pipelines.synthetic.acting.visemes import UNIT
from data_pipelines.synthetic.drawing import render
from data_pipelines.synthetic.speaking import speech
from data_pipelines.synthetic.speaking.phones import Phone
from data_pipelines.synthetic.speaking.sentences import sentences

LIPS_PART = ('mouthLowerDownLeft', 'mouthUpperUpLeft', 'mouthFunnel')


def act(seed, emotion=None, text='My puppy bumped five big pots of jam above the map.'):
  rng = np.random.default_rng(seed)
  said = speech.speak(text, 'formant:man', rng)
  return said, performance.perform(said, rng, emotion)


@pytest.fixture(scope='module')
def many():
  """Sixty acted sentences."""
  texts = itertools.islice(sentences(0), 60)
  return [act(i, text=text) for i, text in enumerate(texts)]


def test_shapes_length_and_ranges():
  said, acted = act(0)
  t = -(-len(said.audio) // 640)
  for name, width in (
    ('units', 52),
    ('pose', 6),
    ('eyes', 2),
    ('gaze', 2),
    ('body', 3),
  ):
    values = getattr(acted, name)
    assert values.shape == (t, width) and values.dtype == np.float32
  for name in ('distance', 'viseme', 'energy'):
    assert getattr(acted, name).shape == (t,)
  assert acted.units.min() >= 0 and acted.units.max() <= 1
  np.testing.assert_allclose(acted.emotion.sum(1), 1, atol=1e-6)
  np.testing.assert_allclose(acted.distance, np.exp(acted.pose[:, 3]), rtol=1e-6)
  assert 0.9 <= acted.distance.min() and acted.distance.max() <= 1.3001


def test_acting_is_repeatable_and_has_a_life_of_its_own():
  (_, one), (_, two) = act(5), act(5)
  for name in vars(one):
    np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
  said = speech.speak('Hello there.', 'formant:man', np.random.default_rng(0))
  a, b = (performance.perform(said, np.random.default_rng(s)) for s in (1, 2))
  assert np.abs(a.pose - b.pose).max() > 0.01  # the same words, another head
  np.testing.assert_array_equal(a.viseme, b.viseme)


@pytest.mark.parametrize('emotion', performance.EMOTIONS)
def test_lips_close_and_bite_whatever_the_emotion(emotion):
  said, acted = act(1, emotion)
  closed = bitten = 0
  for name, start, end in said.phones:
    middle = int((start + end) / 2 * 25)  # the frame that shows the middle
    if name in 'pbm':
      shut = acted.units[middle]
      want = visemes.TARGETS['PP']
      for unit in LIPS_PART:
        np.testing.assert_allclose(shut[UNIT[unit]], want[UNIT[unit]], atol=1e-6)
      jaw = shut[UNIT['jawOpen']]
      assert jaw <= visemes.LOOSE_JAW + 1e-6
      assert shut[UNIT['mouthClose']] == jaw
      assert shut[UNIT['mouthPressLeft']] >= want[UNIT['mouthPressLeft']] - 1e-6
      closed += 1
    if name in 'fv':
      assert acted.units[middle, UNIT['mouthRollLower']] > 0.35
      bitten += 1
  assert closed >= 8 and bitten >= 3


def test_vowels_open_the_mouth_and_pauses_rest_it():
  phones = (
    Phone('sil', 0.0, 0.6), Phone('aa', 0.6, 0.9), Phone('s', 0.9, 1.0),
    Phone('uw', 1.0, 1.3), Phone('sil', 1.3, 2.0),
  )  # fmt: skip
  lips = visemes.lips_of(phones, 50, np.ones(50))
  jaw = lips.units[:, UNIT['jawOpen']]
  assert jaw[18] > 0.5 and jaw[24] < 0.3
  assert lips.units[28, UNIT['mouthPucker']] > 0.5
  for rest in (slice(0, 10), slice(38, 50)):
    assert lips.units[rest].max() < 0.05
  names = [visemes.VISEMES[i] for i in lips.viseme]
  assert names[5] == 'sil' and names[18] == 'aa' and names[28] == 'ou'
  with pytest.raises(ValueError, match='not a phone'):
    visemes.lips_of((Phone('zz', 0, 1),), 25, np.ones(25))


def test_louder_speech_opens_the_mouth_wider():
  phones = (Phone('aa', 0.0, 1.0),)
  quiet, loud = (
    visemes.lips_of(phones, 25, np.full(25, level)).units for level in (0.6, 1.2)
  )
  assert loud[12, UNIT['jawOpen']] > 1.5 * quiet[12, UNIT['jawOpen']]


def test_heads_move_as_heads_do(many):
  poses = [acted.pose for _, acted in many]
  degrees = [np.rad2deg(pose[:, :3]) for pose in poses]
  moved = np.mean([delta_pose(d) for d in degrees])
  assert 0.3 < moved < 0.5
  yaw, pitch, roll = np.concatenate(poses)[:, :3].std(0)
  assert 0.1 < yaw < 0.26 and 0.04 < pitch < 0.11 and 0.02 < roll < 0.07
  assert max(np.abs(np.diff(d, axis=0)).max() for d in degrees) < 6  # no jumps
  shift = np.concatenate(poses)[:, 4:]
  assert (shift.std(0) < 0.07).all() and (shift.std(0) > 0.02).all()


def test_eyes_blink_together_ten_to_twenty_five_times_a_minute(many):
  blinks, frames = 0, 0
  for _, acted in many:
    left, right = (
      acted.units[:, UNIT['eyeBlink' + side]] for side in ('Left', 'Right')
    )
    np.testing.assert_array_equal(left, right)
    blinks += count_blinks(left)
    frames += len(left)
  assert 10 < blinks / (frames / 25 / 60) < 25
  assert frames > 3000


def test_torsos_sway_within_degrees(many):
  torsos = np.rad2deg(np.concatenate([acted.body for _, acted in many]))
  assert (torsos.std(0) > 0.9).all() and (torsos.std(0) < 4).all()
  assert np.abs(torsos).max() < 16


def test_brows_follow_the_pitch_and_mouths_the_loudness(many):
  brows, mouths = [], []
  for said, acted in many:
    pitch = prosody.listen(said, len(acted.pose)).pitch
    brow = acted.units[:, UNIT['browInnerUp']]
    if pitch.std() > 0.3:
      brows.append(np.corrcoef(brow, pitch)[0, 1])
    jaw = acted.units[:, UNIT['jawOpen']]
    mouths.append(np.corrcoef(smooth(jaw, 1), smooth(acted.energy, 1))[0, 1])
  assert np.mean(brows) > 0.25
  assert np.mean(mouths) > 0.4


def test_eyes_fixate_jump_and_come_back(many):
  steps = np.concatenate([np.abs(np.diff(a.gaze, axis=0)).max(1) for _, a in many])
  assert np.median(steps) < 1.0  # degrees a frame: mostly still on the target
  assert (steps > 3).mean() > 0.01  # and saccades


def test_gaze_is_head_times_eyes_and_back():
  rng = np.random.default_rng(0)
  pose = rng.normal(0, 0.2, (50, 6))
  eyes = rng.normal(0, 0.12, (50, 2)).clip(-0.4, 0.4)
  gaze = performance.gaze_of(pose, eyes)
  np.testing.assert_allclose(performance.eyes_towards(pose, gaze), eyes, atol=1e-6)
  # a head turned to the right with straight eyes looks to the right; up stays up
  turned = np.array([[0.3, 0, 0, 0, 0, 0.0], [0, 0.2, 0, 0, 0, 0]])
  straight = performance.gaze_of(turned, np.zeros((2, 2)))
  np.testing.assert_allclose(straight, np.rad2deg([[0.3, 0], [0, -0.2]]), atol=1e-4)


def test_rotations_agree_with_the_renderer():
  angles = np.random.default_rng(1).normal(0, 0.5, (20, 3))
  want = np.stack([render.rotation(*a) for a in angles])
  np.testing.assert_allclose(performance.rotation_matrix(angles), want, atol=1e-12)


def test_noise_has_unit_spread_at_every_speed():
  for seconds in (0.3, 0.9):
    noise = performance.drift(np.random.default_rng(0), 20_000, seconds)
    assert abs(noise.std() - 1) < 0.08
    lag = int(seconds * 25)
    assert 0.2 < np.corrcoef(noise[:-lag], noise[lag:])[0, 1] < 0.6


def test_an_unknown_emotion_is_refused():
  with pytest.raises(ValueError, match='joy'):
    act(0, 'joy')


def test_emotion_shows_and_is_labelled():
  _, acted = act(3, 'happiness')
  index = performance.EMOTIONS.index('happiness')
  assert 0.2 <= acted.emotion[:, index].min() and acted.emotion[:, index].max() <= 0.9
  _, neutral = act(3, 'neutral')
  smile = UNIT['mouthSmileLeft']
  assert acted.units[:, smile].mean() > neutral.units[:, smile].mean() + 0.1
  assert (neutral.emotion[:, performance.EMOTIONS.index('neutral')] == 1).all()


def test_units_are_the_renderers():
  assert tuple(UNIT) == assets.UNITS
  assert all(target.shape == (52,) for target in visemes.TARGETS.values())
