"""Table 5 in miniature: what it is made of, and how it is laid out."""

import dataclasses
import json
from pathlib import Path

import jax
import numpy as np
import pytest

from experiments import guidance_run, sweep
from experiments.configs import ablate_guidance
from experiments.guidance import people as people_lib
from experiments.guidance import row, tables
from experiments.guidance.row import GuidanceRun
from experiments.motion_judging.scores import gaze_error
from vasa_jax.errors import UsageError

CONFIG = Path(ablate_guidance.__file__)
# Rows of the paper's Table 5: lambda_A, lambda_g, steps.
PAPER = {
  (0.0, 0.0, 50), (0.0, 1.0, 50), (0.0, 2.0, 50), (0.5, 1.0, 50), (1.0, 1.0, 50),
  (2.0, 1.0, 50), (0.5, 1.0, 10),
}  # fmt: skip


def test_rows_are_those_of_the_paper():
  runs = [item.config for item in sweep.items(str(CONFIG))]
  model = [run for run in runs if run.shows == 'model']
  found = {(r.guidance_audio, r.guidance_gaze, r.sampling_steps) for r in model}
  assert found == PAPER and len(model) == 7
  assert {run.shows for run in runs} == {'real', 'another take', 'model'}
  assert {run.seeds for run in runs} == {3}


def test_impossible_settings():
  with pytest.raises(UsageError, match='seeds'):
    GuidanceRun(seeds=0)


@pytest.fixture(scope='module')
def person():
  return next(people_lib.people(1, 0, ('formant',), 30))


def test_a_person_says_the_same_each_time(person):
  again = next(people_lib.people(1, 0, ('formant',), 30))
  np.testing.assert_array_equal(person.speaker.audio, again.speaker.audio)
  speaker = person.speaker
  assert speaker.motion.shape == (30, 60) and speaker.audio.shape == (30 * 640,)
  real, other = (person.performance(take) for take in ('real', 'another take'))
  np.testing.assert_array_equal(real.pose, speaker.motion[:, :6])
  np.testing.assert_array_equal(other.pose, speaker.again[:, :6])
  # What is commanded is what the truth itself does in these frames.
  assert gaze_error(speaker.motion, speaker.gaze) < 1e-3
  assert row._exact(person, 0, speaker.motion)['distance_error'] < 1e-3
  assert row._exact(person, 0, speaker.motion)['mouth_r'] == pytest.approx(1)


def result(shows='model', audio=0.5, steps=50, shift=0.0):
  settings = GuidanceRun(
    shows=shows, guidance_audio=audio, sampling_steps=steps, speeches=2, seeds=2
  )
  clips = [
    {'clip': c, 'seed': s, 'delta_p': 0.1 * s + 0.2 * i + shift, 'mouth_r': None}
    for s in range(2) for i, c in enumerate('ab')
  ]  # fmt: skip
  sets = [
    {'seed': 0, 'fvd25': 4.0, 'windows': 4},
    {'seed': 1, 'not measured: FVD25': 'x'},
  ]
  return {
    'settings': dataclasses.asdict(settings), 'weights': 'w', 'clips': clips,
    'sets': sets,
  }  # fmt: skip


def test_cells_are_means_over_seeds(tmp_path):
  rows = {
    'late': result(steps=10), 'weak': result(audio=0.0), 'truth': result('real'),
    'usual': result(shift=1.0),
  }  # fmt: skip
  for name, one in rows.items():
    (tmp_path / name).mkdir()
    (tmp_path / name / 'scores.json').write_text(json.dumps(one))
  text = tables.write_table(tmp_path).read_text()
  body = [line.split(' | ') for line in text.splitlines() if line.startswith('| ')]
  assert [line[0] for line in body[2:]] == ['| truth', '| weak', '| usual', '| late']
  heads = body[0]
  at = heads.index('Delta P, deg/frame')
  # Seeds .1 and .2, their deviation .071; the truth counts its clips alike.
  assert body[3][at] == '0.15 (0.071)' and body[4][at] == '1.15 (0.071)'
  assert 'mouth r' not in heads  # nobody could measure it
  assert 'FVD25 not measured: x' in text and '4 windows' in text
  kept = json.loads((tmp_path / 'table.json').read_text())
  assert kept['weak']['seeds']['delta_p'] == pytest.approx([0.1, 0.2])
  assert '<td>usual</td>' in (tmp_path / 'table.html').read_text()
  with pytest.raises(UsageError, match='scores.json'):
    tables.write_table(tmp_path / 'late' / 'x')


@pytest.mark.slow
def test_a_row_from_weights_to_scores(tmp_path, monkeypatch, capsys):
  """The whole row with untrained tiny weights, without FVD; and a second time."""
  from vasa_jax.inference import models
  from vasa_jax.inference.bundle import Bundle, save_bundle

  monkeypatch.setenv('VASA_CACHE', str(tmp_path / 'no_cache'))
  configs = models.preset('tiny')
  params = {
    part: models.init(part, config, jax.random.key(0))
    for part, config in configs.items()
  }
  weights = tmp_path / 'weights'
  save_bundle(
    weights,
    Bundle(configs['face'], params['face'], configs['motion'], params['motion']),
  )
  command = ['--config', str(CONFIG), '--workdir', str(tmp_path / 'runs' / 'row')]
  command += ['--set', f'weights={weights}', 'speeches=2', 'filmed=1', 'seeds=2']
  command += ['sampling_steps=2', 'frames=30', 'voices=formant']
  assert guidance_run.main(command) == 0
  scores = json.loads((tmp_path / 'runs' / 'row' / 'scores.json').read_text())
  assert len(scores['clips']) == 4
  assert 'fetch_weights i3d' in scores['sets'][0]['not measured: FVD25']
  assert len(list((tmp_path / 'runs').rglob('*.mp4'))) == 3  # one film, two seeds
  assert 'gaze_error_seen' in scores['clips'][0]
  before = (tmp_path / 'runs' / 'row' / 'scores.json').read_bytes()
  assert guidance_run.main(command) == 0
  assert (tmp_path / 'runs' / 'row' / 'scores.json').read_bytes() == before
