import numpy as np
import pytest

from data_pipelines.synthetic import assets
from data_pipelines.synthetic.acting import visemes
from data_pipelines.synthetic.acting.coarticulation import (
  ARTICULATORS,
  GESTURES,
  articulate,
)
from data_pipelines.synthetic.acting.visemes import UNIT
from data_pipelines.synthetic.speaking.phones import PHONES, SILENCE, Phone

AT = {name: i for i, name in enumerate(ARTICULATORS)}
UPPER_LIP, LOWER_LIP = 474, 493  # vertices on the midline that touch at rest


def say(names: str, seconds: float = 0.1, start: float = 0.0) -> list[Phone]:
  """Phones of one length, one after the other."""
  return [
    Phone(name, start + i * seconds, start + (i + 1) * seconds)
    for i, name in enumerate(names.split())
  ]


def grid(seconds):
  return np.arange(0, seconds, 0.005)


def lip_gap(units):
  """Opening on the midline of the base mesh, millimetres beyond rest."""
  mesh = assets.load_assets().units
  return 100 * units @ (mesh[:, UPPER_LIP, 1] - mesh[:, LOWER_LIP, 1])


def test_every_phone_has_a_gesture_in_range():
  glides = {'ay', 'aw', 'ey', 'ow', 'oy'}
  assert set(GESTURES) == set(PHONES) - glides
  for gesture in GESTURES.values():
    assert gesture.target.min() >= 0 and gesture.target.max() <= 1
    assert (gesture.dominance > 0).all()


def test_a_consonant_takes_the_rounding_of_its_vowel():
  two, tea = (articulate(say(f'sil t {v} sil'), grid(0.4)) for v in ('uw', 'iy'))
  middle_of_t = 30
  pucker, spread = AT['pucker'], AT['spread']
  assert two[middle_of_t, pucker] > 0.35 > 0.05 > tea[middle_of_t, pucker]
  assert tea[middle_of_t, spread] > 0.2 > two[middle_of_t, spread]


def test_rounding_starts_before_the_vowel_and_earlier_than_it_ends():
  track = articulate(say('sil ae t t uw t t ae sil'), grid(0.9))[:, AT['pucker']]
  centre = 90
  assert track.argmax() == pytest.approx(centre, abs=8)
  assert track[centre - 24] > 1.3 * track[centre + 24]


def test_sibilants_close_the_jaw_and_velars_leave_it():
  jaw = {
    c: articulate(say(f'aa {c} aa'), grid(0.3))[30, AT['jaw']] for c in ('s', 'k', 'b')
  }
  assert jaw['s'] < 0.3 < 0.4 < jaw['k']
  assert jaw['s'] < jaw['b'] < jaw['k'] + 0.1


def test_the_tongue_shows_in_th_more_than_in_l_and_n():
  tip = {
    c: articulate(say(f'ah {c} ah'), grid(0.3))[30, AT['tongue']]
    for c in ('th', 'l', 'n', 'k')
  }
  assert 0.15 < tip['th'] < 0.4
  assert tip['th'] > tip['l'] > tip['n'] > tip['k'] + 0.02
  assert tip['n'] > 0.02


def test_fast_speech_undershoots():
  slow, fast = (
    articulate(say('t aa t iy t aa t', s), grid(7 * s))[:, AT['jaw']]
    for s in (0.12, 0.045)
  )
  assert np.ptp(fast) < 0.75 * np.ptp(slow)


@pytest.mark.parametrize('seconds', [0.03, 0.05, 0.1])
def test_lips_close_in_fast_speech_too(seconds):
  phones = say('aa p aa b ae m aa w b ow m', seconds, 0.013)
  frames = int(12 * seconds * 25) + 2
  units = visemes.lips_of(phones, frames, np.full(frames, 1.2)).units
  gap = lip_gap(units)
  times = visemes.frame_times(frames)
  for name, start, end in phones:
    if name in 'pbm':
      near = np.abs(times - 0.5 * (start + end)) <= 0.5 / 25 + 1e-6
      assert near.any() and gap[near].min() < 0.05
  if seconds == 0.1:
    assert gap.max() > 8


def test_closed_lips_may_hide_a_loose_jaw():
  units = visemes.lips_of(say('aa m aa', 0.12), 9, np.ones(9)).units
  shut = lip_gap(units).argmin()
  assert 0.05 < units[shut, UNIT['jawOpen']] <= visemes.LOOSE_JAW
  assert units[shut, UNIT['mouthClose']] == units[shut, UNIT['jawOpen']]


def test_a_bite_beside_a_closure_is_seen():
  phones = say('f ay v b ih g', 0.06)
  lips = visemes.lips_of(phones, 10, np.ones(10))
  bite = int(0.15 * 25)
  assert lips.contact[bite, 1] == 1
  assert lips.units[bite, UNIT['mouthUpperUpLeft']] > 0.15
  assert lips.units[bite, UNIT['mouthRollLower']] >= 0.44


def test_silence_rests_within_a_fifth_of_a_second_and_breathes_before_speech():
  phones = [*say('aa t ae'), Phone(SILENCE, 0.3, 1.3), Phone('aa', 1.3, 1.5)]
  track = articulate(phones, grid(1.5))
  jaw = track[:, AT['jaw']]
  assert track[100:180].max() < 0.02  # 0.5 s to 0.9 s: at rest
  breath = jaw[210:224].max()  # 1.05 s to 1.12 s: parted, nothing said yet
  assert breath > 0.06
  assert articulate(say('aa sil', 0.3), grid(0.6))[-1].max() < 0.01  # at the end, not


def test_a_final_stop_is_released():
  with_stop = articulate([Phone('t', 0, 0.1), Phone(SILENCE, 0.1, 0.6)], grid(0.6))
  without = articulate([Phone('n', 0, 0.1), Phone(SILENCE, 0.1, 0.6)], grid(0.6))
  after = 28  # 40 ms after the stop
  assert with_stop[after, AT['jaw']] > without[after, AT['jaw']] + 0.01
  assert with_stop[60, AT['jaw']] < 0.02


@pytest.mark.parametrize('seconds', [0.4, 1.0, 3.0])
def test_sung_vowels_stay_open_and_tremble(seconds):
  spoken = articulate(say('l aa l', 0.12), grid(0.36))[:, AT['jaw']].max()
  phones = [
    Phone('l', 0, 0.1), Phone('aa', 0.1, 0.1 + seconds),
    Phone('l', 0.1 + seconds, 0.2 + seconds),
  ]  # fmt: skip
  jaw = articulate(phones, grid(0.2 + seconds))[:, AT['jaw']]
  held = jaw[36:-40]
  assert held.min() > 0.85 * 0.62
  assert held.max() > spoken
  if seconds == 3.0:
    late = jaw[150:550]
    assert late.min() > 0.7
    power = np.abs(np.fft.rfft(late - late.mean()))
    assert 5 < power.argmax() / (len(late) * 0.005) < 6
    assert 0.02 < np.ptp(late) < 0.12


def test_an_unknown_phone_is_refused():
  with pytest.raises(ValueError, match='not a phone'):
    articulate([Phone('zz', 0, 1)], grid(1))


def test_a_sung_diphthong_glides_at_its_end_and_a_hum_stays_closed():
  phones = [Phone('ay', 0, 1.6), Phone('m', 1.6, 2.6), Phone('sil', 2.6, 3.0)]
  track = articulate(phones, grid(3.0))
  jaw, spread = track[:, AT['jaw']], track[:, AT['spread']]
  assert jaw[40:250].min() > 0.55  # until 1.25 s
  assert spread[310] > 0.15 > spread[200]
  units = visemes.lips_of(phones, 75, np.ones(75)).units
  assert lip_gap(units)[42:64].max() < 0.05  # 1.7 s to 2.55 s
  assert lip_gap(units)[10] > 12
