import numpy as np
import pytest

from data_pipelines.synthetic.acting import (
  expression,
  gaze,
  lids,
  manner,
  prosody,
  spells,
)


def somebody(seed, seconds=40.0, emotion='neutral'):
  """Style, prosody and plan of somebody who listens."""
  rng = np.random.default_rng(seed)
  frames = int(seconds * 25)
  heard = prosody.listen(spells.silent_speech(seconds), frames)
  style = manner.draw_manner(rng)
  mood = expression.feel(rng, frames, heard, emotion)
  return rng, frames, style, heard, mood


@pytest.fixture(scope='module')
def looks():
  found = []
  for seed in range(30):
    rng, frames, style, heard, mood = somebody(seed)
    look = gaze.plan_gaze(rng, frames, style, heard, mood)
    found.append((style, heard, look, rng))
  return found


def test_large_saccades_are_longer_and_faster():
  size = np.array([1.0, 5, 10, 20])
  seconds = gaze.saccade_seconds(size)
  assert (np.diff(seconds) > 0).all() and (np.diff(size / seconds) > 0).all()
  assert 0.035 < gaze.saccade_seconds(np.array(10.0)) < 0.05


def test_eyes_rest_on_targets_most_of_the_time(looks):
  step = np.concatenate([
    np.linalg.norm(np.diff(look.target, axis=0), axis=1) for *_, look, _ in looks
  ])  # fmt: skip
  assert 0.7 < (step < 1e-6).mean() < 0.97
  shifts = [size for *_, look, _ in looks for _, size in look.shifts]
  per_second = len(shifts) / (len(looks) * 40)
  assert 1.0 < per_second < 3.0
  assert np.median(shifts) < 3.0 < 6.0 < np.max(shifts)
  # a saccade is over within three frames
  moving = step > 1e-6
  runs = np.diff(np.flatnonzero(np.diff(np.r_[False, moving, False])))[::2]
  assert np.percentile(runs, 95) <= 3


def test_most_of_the_time_goes_to_the_main_gaze(looks):
  near = [
    (np.linalg.norm(look.target - style.main_gaze, axis=1) < 3.5).mean()
    for style, _, look, _ in looks
  ]
  assert np.mean(near) > 0.7


def test_heads_follow_far_gaze_later_and_less():
  rng, frames, style, heard, mood = somebody(3)
  heard = heard._replace(pauses=tuple((i * 80.0, i * 80.0 + 30) for i in range(1, 11)))
  look = gaze.plan_gaze(rng, frames, style, heard, mood)
  away = look.target[:, 0] - style.main_gaze[0]
  assert np.abs(look.slow[:, 0]).max() <= np.abs(away).max() + 1e-9
  assert np.abs(np.diff(look.slow, axis=0)).max() < 0.4 * np.abs(np.diff(away)).max()
  lag = [np.corrcoef(away[: frames - k], look.slow[k:, 0])[0, 1] for k in range(8)]
  assert np.argmax(lag) >= 2


def test_blink_gaps_are_log_normal_and_in_the_range_of_people(looks):
  gaps, count = [], 0
  for style, heard, look, rng in looks:
    times = lids.blink_times(rng, 1000, style, heard, look, np.ones(1000))
    gaps += list(np.diff(times) / 25)
    count += len(times)
  assert 10 < count / (len(looks) * 40 / 60) < 25
  logs = np.log(gaps)
  assert 0.4 < logs.std() < 0.9
  assert np.median(gaps) < np.mean(gaps)  # a tail of long gaps
  assert min(gaps) > 9 / 25


def test_blinks_are_bound_to_large_shifts_and_ends_of_phrases(looks):
  style, heard, look, rng = looks[0]
  ends = tuple(prosody.Phrase(e - 40.0, e, 0.0, False) for e in range(60, 1000, 70))
  heard = heard._replace(phrases=ends)
  look = look._replace(shifts=())
  near = []
  for _ in range(20):
    for t in lids.blink_times(rng, 1000, style, heard, look, np.ones(1000)):
      near.append(min(abs(t - p.end) for p in ends) < 2)
  # by chance it would be one in eighteen
  assert np.mean(near) > 0.2


def test_a_blink_shuts_fully_closes_faster_than_it_opens():
  for start in np.linspace(10, 11, 7):
    shape = lids.blink(30, start, 1.0, 2.0, 1.2, 4.5)
    assert shape.max() > 0.99 and shape[:10].max() == 0 and shape[-5:].max() < 1e-6
    top = shape.argmax()
    assert (shape[:top] > 0.02).sum() < (shape[top + 1 :] > 0.02).sum()


def test_lids_follow_the_eyes():
  from data_pipelines.synthetic.acting.visemes import UNIT

  eyes = np.array([[0, 0.3], [0, -0.3], [0, 0.0]])
  units = np.zeros((3, 52))
  units[:, UNIT['eyeSquintLeft']] = 0.5
  lids.add_lids(units, eyes, np.array([0, 0, 1.0]))
  up, down = UNIT['eyeLookUpLeft'], UNIT['eyeLookDownLeft']
  assert units[0, up] > 0.4 and units[0, down] == 0
  assert units[1, down] > 0.4 and units[1, up] == 0
  assert units[2, UNIT['eyeBlinkLeft']] == units[2, UNIT['eyeBlinkRight']] == 1
  assert units[2, UNIT['eyeSquintLeft']] == 0 and units[0, UNIT['eyeSquintLeft']] == 0.5


def test_some_blinks_are_partial(looks):
  peaks = []
  for style, heard, look, rng in looks:
    shut = lids.close_lids(rng, 1000, style, heard, look, np.ones(1000))
    inner = shut[1:-1]
    peaks += list(inner[(inner > shut[:-2]) & (inner >= shut[2:]) & (inner > 0.2)])
  peaks = np.array(peaks)
  assert 0.02 < (peaks < 0.65).mean() < 0.5
  assert (peaks > 0.99).mean() > 0.5
