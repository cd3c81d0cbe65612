import numpy as np
import pytest

from data_pipelines.synthetic.acting import performance, stills
from data_pipelines.synthetic.acting.visemes import UNIT, UNITS


@pytest.fixture(scope='module')
def drawn():
  return performance.pose_for_stills(np.random.default_rng(0), 2000)


@pytest.fixture(scope='module')
def free(drawn):
  """The frames that do not share the pose."""
  values, where, counts = np.unique(
    drawn.pose[:, 3], return_index=True, return_counts=True
  )
  assert counts.max() == 1000
  return where[counts == 1]


def test_poses_are_wide_with_a_tail(drawn, free):
  yaw, pitch, roll = drawn.pose[free, :3].std(0)
  assert 0.25 < yaw < 0.36 and 0.12 < pitch < 0.16 and 0.08 < roll < 0.12
  far = np.rad2deg(np.abs(drawn.pose[free, 0]))
  assert 40 < far.max() <= 45.01
  assert 0.06 < (far > 30).mean() < 0.2


def test_torsos_turn_within_the_neck(drawn, free):
  body, head = np.rad2deg(drawn.body[free]), np.rad2deg(drawn.pose[free, :3])
  assert (np.abs(body - head) <= np.rad2deg(stills.NECK) + 1e-3).all()
  assert 8 < body[:, 0].std() < 20 and 2 < body[:, 1:].std() < 8
  assert np.abs(body - head)[:, 0].max() > 25  # over the shoulder too
  assert np.corrcoef(body[:, 0], head[:, 0])[0, 1] > 0.4


@pytest.mark.parametrize('n', [2, 7, 20])
def test_half_share_pose_and_torso_and_frame_0_is_neutral(n):
  some = performance.pose_for_stills(np.random.default_rng(n), n)
  shared = np.unique(some.pose[:, 3:], axis=0, return_counts=True)[1]
  assert shared.max() == max(n // 2, 1)
  torsos = np.unique(some.body[1:], axis=0, return_counts=True)[1]
  assert torsos.max() >= n // 2 - 1
  assert not some.units[0].any() and not some.eyes[0].any()
  assert not some.pose[0, :3].any() and not some.gaze[0].any()
  assert not some.body[0].any()
  assert some.emotion[0, performance.EMOTIONS.index('neutral')] == 1


def test_units_eyes_and_lids_are_covered(drawn):
  u = drawn.units
  shut = u[:, UNIT['eyeBlinkLeft']] > 0.3
  assert 0.12 < shut.mean() < 0.27
  assert 0.15 < drawn.eyes[:, 0].std() < 0.22
  assert (np.abs(drawn.eyes) > 0.35).any(1).mean() > 0.03
  still = [i for n, i in UNIT.items() if n.startswith(('eyeLookIn', 'eyeLookOut'))]
  assert len(still) == 4 and not u[:, still].any()
  assert (np.delete(u, still, 1).max(0) > 0.6).all()  # all others move
  assert u.max() <= 1.4
  # lips never go through each other
  assert (u[:, UNIT['mouthClose']] <= u[:, UNIT['jawOpen']] + 1e-6).all()
  assert (u[:, UNIT['jawOpen']] > 0.7).mean() > 0.06


def test_grimaces_that_speech_never_makes(drawn):
  u = {name: drawn.units[:, UNIT[name]] for name in UNITS}
  lonely = np.abs(u['mouthSmileLeft'] - u['mouthSmileRight']) > 0.4
  wink = np.abs(u['eyeBlinkLeft'] - u['eyeBlinkRight']) > 0.4
  seen = {
    'one corner': lonely, 'wink': wink, 'puff': u['cheekPuff'] > 0.7,
    'tongue': u['tongueOut'] > 0.6, 'bite': u['mouthRollLower'] > 0.8,
    'aside': u['mouthLeft'] + u['mouthRight'] > 0.7, 'kiss': u['mouthPucker'] > 0.9,
  }  # fmt: skip
  for name, frames in seen.items():
    assert 0.003 < frames.mean() < 0.2, name


def test_mirroring_swaps_sides():
  assert UNITS[stills.MIRROR[UNIT['mouthLeft']]] == 'mouthRight'
  assert UNITS[stills.MIRROR[UNIT['eyeBlinkRight']]] == 'eyeBlinkLeft'
  assert stills.MIRROR[UNIT['jawOpen']] == UNIT['jawOpen']
  np.testing.assert_array_equal(stills.MIRROR[stills.MIRROR], np.arange(52))
