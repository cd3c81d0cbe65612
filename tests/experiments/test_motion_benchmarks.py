"""The measurements of motion: what they print, and that they see what they look for."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments import sweep
from experiments.benchmarks import long_motion, motion

ABLATION = Path(motion.__file__).parents[1] / 'configs' / 'ablate_motion.py'


@pytest.mark.slow
def test_speed_prints_consistent_figures(capsys):
  words = '--preset tiny --steps 2 --repeats 1 --set layout=tokens attention=cached'
  assert motion.main(words.split()) == 0
  found = json.loads(capsys.readouterr().out)
  assert (found['preset'], found['frames'], found['evaluations_a_step']) == (
    'tiny',
    8,
    3,
  )
  assert found['window'] > 0
  assert found['real_time_factor'] * found['times_real_time'] == pytest.approx(
    1, rel=0.1
  )
  # 3 evaluations of 17 tokens, conditions; of 9, motion. Two operations a weight.
  assert 0 < found['step_gflop'] < found['encode_gflop'] < 0.05


def test_seams_are_seen():
  z = np.cumsum(np.full((40, 2), 0.1), 0)
  even = long_motion.seams(z, 8)
  assert even['ratio'] == pytest.approx(1)
  z[16:] += 0.5
  z[24:] += 0.5
  z[8:] += 0.5
  z[32:] += 0.5
  torn = long_motion.seams(z, 8)
  assert torn['ratio'] == pytest.approx(6) and torn['share_of_seams_above_twice'] == 1
  assert long_motion.seams(z[:8], 8) == {}


def test_mouth():
  still = np.zeros((5, 60))
  assert long_motion.mouth(still)['jaw_change'] == 0
  still[2] = np.nan
  assert not long_motion.mouth(still)['finite']


def test_features_are_repeated():
  chunks = list(long_motion.repeated(np.arange(6).reshape(3, 2), 7))
  assert np.concatenate(chunks)[:, 0].tolist() == [0, 2, 4, 0, 2, 4, 0]


def test_every_run_of_the_ablation_builds():
  items = sweep.items(str(ABLATION))
  names = {item.name for item in items}
  assert {'base', 'channels', 'cached', 'noise', 'v', 'flow', 'regression'} <= names
  assert {'linear', 'ddim_4', 'dpm_4', 'w50_k25'} <= names
  assert len({item.config.model for item in items}) == len(items)


@pytest.mark.parametrize(
  'main, words',
  [(motion.main, ['--steps', '0']), (long_motion.main, ['--minutes', '0'])],
)
def test_wrong_usage(main, words, capsys):
  with pytest.raises(SystemExit) as stop:
    main(words)
  assert stop.value.code == 2 and 'must be' in capsys.readouterr().err


def test_the_embedded_weights_listen_with_their_own_ear(capsys):
  assert long_motion.main(['--minutes', '0.1', '--steps', '2']) == 0
  found = json.loads(capsys.readouterr().out)
  assert found['speech']['frames'] == 150
  for name in ('speech', 'silence', 'noise', 'short'):
    assert found[name]['finite'], name
  assert found['silence']['jaw_deviation'] < found['speech']['jaw_deviation']
