import numpy as np
import pytest

from data_pipelines.synthetic.acting import (
  expression,
  manner,
  performance,
  prosody,
  spells,
)
from data_pipelines.synthetic.acting.visemes import MOUTH, UNIT


def listen(seed, emotion='happiness', seconds=20.0, merry=True):
  rng = np.random.default_rng(seed)
  frames = int(seconds * 25)
  heard = prosody.listen(spells.silent_speech(seconds), frames)
  style = manner.draw_manner(rng)
  mood = expression.feel(rng, frames, heard, emotion)
  return spells.act_spells(rng, frames, style, heard, mood, merry)


@pytest.fixture(scope='module')
def listeners():
  return [listen(seed) for seed in range(40)]


def test_everything_happens_now_and_then(listeners):
  names = [name for acted in listeners for name, _ in acted.names]
  assert set(names) == {
    'nods', 'smile', 'chuckle', 'swallow', 'press', 'lick', 'flash',
  }  # fmt: skip
  per_minute = len(names) / (40 * 20 / 60)
  assert 5 < per_minute < 30


def test_chuckles_beat_at_four_to_five_a_second_with_a_smile_and_the_head_back():
  frames = 200
  for seed in range(5):
    acted = spells.Spells(
      np.zeros((frames, 52)), np.zeros((frames, 3)), np.zeros((frames, 3)),
      np.zeros(frames), (),
    )  # fmt: skip
    spells._chuckle(np.random.default_rng(seed), acted, 20, 150, None)
    jaw = acted.units[30:95, UNIT['jawOpen']]
    power = np.abs(np.fft.rfft(jaw - jaw.mean(), 1000))
    assert 3.8 < power.argmax() / 40 < 5.2
    assert 0.02 < jaw.min() and jaw.max() < 0.25
    assert acted.units[60, UNIT['mouthSmileLeft']] > 0.4
    assert acted.units[60, UNIT['eyeSquintLeft']] > 0.2
    assert acted.turn[60, 1] < -0.03
    assert acted.joy[60] > 0.7 and acted.joy[[0, -1]].max() == 0


def test_the_sad_and_the_told_do_not_chuckle():
  for acted in (listen(1, 'sadness'), listen(2, 'neutral', merry=False)):
    assert not {'smile', 'chuckle'} & {name for name, _ in acted.names}
    assert not acted.joy.any()


def test_short_silences_stay_empty():
  assert not listen(0, seconds=0.6).units.any()


def test_a_listening_clip_is_alive_with_the_mouth_at_rest():
  open_mouth, moved = [], []
  for seed in range(10):
    speech = spells.silent_speech(8.0)
    acted = performance.perform(speech, np.random.default_rng(seed), 'neutral')
    assert len(acted.pose) == 200 and not acted.energy.any()
    assert (acted.viseme == 0).all()
    open_mouth.append(acted.units[:, MOUTH].max(1) > 0.05)
    moved.append(np.abs(np.diff(np.rad2deg(acted.pose[:, :3]), axis=0)).mean())
    assert acted.units[:, UNIT['jawOpen']].max() < 0.2
  assert 0 < np.mean(open_mouth) < 0.3
  assert 0.08 < np.mean(moved) < 0.3
