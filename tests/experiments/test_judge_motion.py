"""Scores of generated motion: each knows the perfect and the broken case."""

import json

import jax
import numpy as np
import pytest

from data_pipelines import motion_cache, motion_speech
from data_pipelines.motion_hearing import front_end
from data_pipelines.synthetic.acting.emotions import EMOTION_UNITS
from data_pipelines.synthetic.acting.rotations import eyes_towards
from data_pipelines.synthetic.acting.visemes import UNIT
from data_pipelines.synthetic.speaking.phones import SILENCE, Phone
from data_pipelines.synthetic.speaking.voices import split_of_voice
from experiments import judge_motion
from experiments.motion_judging import scores, speakers, sums, trials
from vasa_jax.audio import features
from vasa_jax.inference import bundle
from vasa_jax.motion import config as motion_config
from vasa_jax.motion.step import init_params
from vasa_jax.types import EMOTIONS, POSE_DIM

JAW, CLOSE = POSE_DIM + UNIT['jawOpen'], POSE_DIM + UNIT['mouthClose']


@pytest.fixture(scope='module')
def people():
  return list(speakers.speakers(3, voices=('formant',)))


def still(frames):
  return np.zeros((frames, 60), np.float32)


def test_speakers_are_of_the_test_split_and_whole(people):
  again = next(speakers.speakers(1, voices=('formant',)))
  np.testing.assert_array_equal(again.motion, people[0].motion)
  assert len({one.name for one in people}) == 3
  for one in people:
    assert split_of_voice(one.name.split()[1].removesuffix(':')) == 'test'
    assert one.motion.shape == one.again.shape and len(one.motion) >= 100
    assert -(-len(one.audio) // 640) == len(one.motion)
    assert one.phones[-1].end == pytest.approx(len(one.audio) / 16_000)
    assert abs(one.emotion.sum() - 1) < 1e-5


def test_the_truth_is_perfect_and_another_take_nearly(people):
  for one in people:
    truth = scores.closures(one.motion, one.phones, 0.5)
    assert truth.all() and scores.closures(one.again, one.phones, 0.5).all()
    r, best = scores.follows(one.motion, one.motion)
    assert r == pytest.approx(1) and best.lag == 0
    assert scores.follows(one.again, one.motion)[0] > 0.3
    assert np.abs(one.again - one.motion)[:, :3].max() > 0.02
  mean = people[0].motion.mean(0, keepdims=True).repeat(len(people[0].motion), 0)
  assert abs(scores.follows(mean, people[0].motion)[0]) < 1e-12
  late = np.concatenate([people[0].motion[:1].repeat(2, 0), people[0].motion[:-2]])
  r, best = scores.follows(late, people[0].motion)
  assert r < 0.8 and best.lag == 2 and best.r > 0.99


def test_closures_ask_for_closed_lips_in_time():
  phones = [Phone('aa', 0, 0.2), Phone('m', 0.2, 0.3), Phone('aa', 0.3, 0.6)]
  motion = still(15)
  motion[:, JAW] = 0.5
  assert not scores.closures(motion, phones).any()
  for frame, within, exact in ((6, True, True), (7, True, False), (9, False, False)):
    closed = motion.copy()
    closed[frame, CLOSE] = 0.5  # which takes the lower lip up by as much
    assert scores.closures(closed, phones).tolist() == [within]
    assert scores.closures(closed, phones, 0.5).tolist() == [exact]
  assert len(scores.closures(motion, [Phone('aa', 0, 0.6)])) == 0


def test_pauses_leave_their_edges_out():
  quiet = scores.pauses([Phone('aa', 0, 0.4), Phone(SILENCE, 0.4, 1.4)], 35)
  assert quiet.any() and not quiet[:13].any() and not quiet[29:].any()


def test_gaze_and_distance_are_read_through_the_head():
  rng = np.random.default_rng(0)
  motion = still(60)
  motion[:, :3] = rng.normal(0, 0.1, (60, 3))
  motion[:, -2:] = eyes_towards(motion[:, :6], np.tile([12.0, -7.0], (60, 1)))
  assert scores.gaze_error(motion, [12, -7]) < 0.1
  assert scores.gaze_error(motion, [2, -7]) == pytest.approx(10, abs=0.2)
  motion[:, 3] = np.log(1.1)
  assert scores.distance_error(motion, 1.1) == pytest.approx(0, abs=1e-4)
  assert scores.distance_error(motion, 1.0) == pytest.approx(10, abs=1e-3)


def test_emotion_amount_is_the_share_of_its_face():
  motion = still(10)
  units = 0.4 * EMOTION_UNITS['happiness']
  motion[:, 6:58] = units
  assert scores.emotion_amount(motion, still(10), 'happiness') == pytest.approx(0.4)
  assert scores.emotion_amount(motion, motion, 'happiness') == 0
  assert scores.emotion_amount(motion, still(10), 'sadness') < 0.2


def test_blinks_jitter_and_seams():
  motion = still(250)
  for start in (30, 100, 180):
    motion[start : start + 4, [14, 15]] = 1.0  # both lids
  motion[220:224, 14] = 1.0  # a wink is no blink
  assert UNIT['eyeBlinkLeft'] == 8 and scores.blinks(motion) == 18
  assert (
    scores.jitter(np.arange(9.0)) == 0 and scores.jitter(np.array([0, 1, 0.0])) == 2
  )
  motion[:, 0] = 0.01 * np.arange(250)
  assert scores.seam_jumps(motion[:30], 10, np.ones(60)) == pytest.approx([1, 1])
  motion[20:30, 0] += 0.01
  assert scores.seam_jumps(motion[:30], 10, np.ones(60)) == pytest.approx([1, 2])
  assert len(scores.seam_jumps(motion[:8], 10, np.ones(60))) == 0


def rows_of(motions, people):
  return [
    trials.talk_row(motion, one, 50, np.ones(60), 0.3)
    for motion, one in zip(motions, people, strict=True)
  ]


def test_the_sum_asks_for_both(people):
  truth = rows_of([one.motion for one in people], people)
  again = rows_of([one.again for one in people], people)
  frozen = rows_of([one.motion.mean(0, keepdims=True).repeat(len(one.motion), 0)
                    for one in people], people)  # fmt: skip
  out_of_step = rows_of([one.motion[::-1] for one in people], people)
  systems = {'truth': truth, 'model': again, 'still': frozen, 'reversed': out_of_step}
  lines = sums.sums(systems, baselines=['still', 'reversed'])
  found = {(line.system, line.metric): line for line in lines}
  assert found['truth', 'sum'].value == pytest.approx(2)
  assert (
    found['still', 'sync'].value < 0.1 and found['still', 'naturalness'].value < 0.1
  )
  assert found['reversed', 'naturalness'].value > 0.9 > found['reversed', 'sync'].value
  for name in ('still', 'reversed'):
    line = found[f'model - {name}', 'sum']
    expected = found['model', 'sum'].value - found[name, 'sum'].value
    assert line.value == pytest.approx(expected) and line.passed == (expected > 0)
  low, value, high = (
    getattr(found['model', 'sum'], n) for n in ('low', 'value', 'high')
  )
  assert low <= value <= high < 2


class Obedient:
  """Does as told, and counts its calls."""

  calls = 0

  def __call__(self, features, controls, seed):
    self.calls += 1
    motion = still(len(features))
    motion[:, 0] = 0.1 * seed + 0.01 * np.arange(len(features))
    motion[:, JAW] = 0.2 + 0.1 * np.sin(np.arange(len(features)))
    if controls.gaze is not None:
      asked = np.tile(controls.gaze, (len(motion), 1))
      motion[:, -2:] = eyes_towards(motion[:, :6], asked)
      motion[:, 3] = np.log(controls.distance[0])
    if controls.emotion is not None:
      for name, score in zip(EMOTIONS, controls.emotion, strict=True):
        motion[:, 6:58] += score * EMOTION_UNITS[name]
    return motion


def test_trials_reward_obedience(people):
  act, heard = Obedient(), np.zeros((100, 320), np.float32)
  row = trials.command_row(act, people[0], heard[:20], np.random.default_rng(0))
  assert row['gaze_error'] < 1 and row['distance_error'] < 1e-3
  rows = trials.emotion_rows(act, people[:2], [heard, heard])
  assert len(rows) == 7
  for row in rows:
    assert row['emotion_monotone'] == 1 and row['emotion_rises'] == 100
    assert row['emotion_gain'] == pytest.approx(1, abs=0.01)
  assert act.calls == 1 + 2 * (1 + 7 * 4)
  row = trials.seeds_row(act, people[0], heard)
  assert row['diversity'] == pytest.approx(np.degrees(0.1 * np.std([1, 2, 3])) / 3)
  assert row['mouth_agreement'] == pytest.approx(1)
  row = trials.silent_row(act, front_end(), 0)
  assert row['silent_mouth'] > 5 and row['silent_flap'] > 1


def test_the_command_writes_every_promise(tmp_path, capsys, monkeypatch):
  config = motion_config.tiny()
  params = init_params(config, jax.random.key(0))
  tiny = bundle.Bundle(None, None, config, params, name='tiny')
  load = bundle.load_bundle
  monkeypatch.setattr(
    bundle, 'load_bundle', lambda path: tiny if path == 'tiny' else load(path)
  )
  out = tmp_path / 'out'
  words = ['--weights', 'tiny', '--out', str(out), '--speeches', '2']
  words += ['--moods', '1', '--voices', 'formant', '--steps', '1']
  clips = motion_speech.speech_clips([1, 2], 0, ('formant',), 0)
  motion_cache.write_cache(tmp_path / 'c.npz', clips, *features.BYTE_SCALE)
  words += ['--baselines', str(tmp_path / 'c.npz'), '--against', 'older=tiny']
  assert judge_motion.main(words) == 0
  table = json.loads((out / 'table.json').read_text())
  said = {
    line['metric']: line for line in table['metrics'] if line['system'] == 'model'
  }
  promised = {name for name, metric in trials.METRICS.items() if metric.bar is not None}
  assert promised <= set(said) and set(said) == set(trials.METRICS)
  assert all(said[name]['passed'] is not None for name in promised)
  systems = {line['system'] for line in table['metrics']}
  rivals = {'mean pose', 'retrieval', 'older'}
  assert systems == {'truth', 'another take', 'model', *rivals} | {
    f'model - {name}' for name in rivals
  }
  sums_of = {
    line['system']: line for line in table['metrics'] if line['metric'] == 'sum'
  }
  assert (
    sums_of['model - older']['value'] == 0 and not sums_of['model - older']['passed']
  )
  assert '--steps 1' in table['facts']['command']
  assert {'table.md', 'report.html'} <= {file.name for file in out.iterdir()}
  assert 'missed' in capsys.readouterr().out.splitlines()[-1]
  assert judge_motion.main(['--weights', str(tmp_path), '--out', str(out)]) == 1
  assert capsys.readouterr().err.count('\n') == 1
  bad = [*words[:-1], 'older']
  assert judge_motion.main(bad) == 2 and 'NAME=DIR' in capsys.readouterr().err
  with pytest.raises(SystemExit) as stop:
    judge_motion.main(['--out', 'x', '--speeches', '1'])
  assert stop.value.code == 2
