"""Whole runs of stage 1 as typed: eight clips by heart, and a game of two players."""

import json

import jax
import numpy as np
import pytest

from experiments import eight_clips
from tests.experiments.children import finish, start
from vasa_jax.training.checkpoint import restore_params

OVERFIT = 'experiments/configs/overfit_tiny.py'


@pytest.fixture(scope='module')
def records(tmp_path_factory):
  folder = tmp_path_factory.mktemp('heart') / 'eight'
  assert eight_clips.main(['--out', str(folder)]) == 0
  return folder


@pytest.mark.slow
def test_tiny_learns_eight_clips_by_heart(records, tmp_path):
  """In as many steps as a slow machine makes in the run's 2.9 minutes."""
  words = '--config', OVERFIT, '--workdir', tmp_path, '--set', f'records={records}'
  code, _, err = finish(start(*words, 'steps=1400', 'minutes=none'), 1200)
  assert code == 0, err
  figures = json.loads((tmp_path / 'done.json').read_text())['metrics']
  assert figures['psnr'] >= 30.0, figures


@pytest.mark.slow
def test_generator_and_critic_resume_exactly(records, tmp_path):
  words = '--config', OVERFIT, '--compile-cache', tmp_path / 'cache'
  words += '--set', f'records={records}', 'minutes=none', 'schedule=constant'
  words += 'batch_size=2', 'drivers=1', 'ema_decay=0.9', 'log_every=1'
  words += 'losses.adversarial=1', 'losses.matching=10', 'losses.critic.channels=8,16'
  whole, cut = tmp_path / 'whole', tmp_path / 'cut'
  for workdir, steps in ((whole, 6), (cut, 3), (cut, 6)):
    code, _, err = finish(start(*words, f'steps={steps}', '--workdir', workdir), 600)
    assert code == 0, err
  one, two = restore_params(whole), restore_params(cut)
  assert 'critic' in one
  for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
    np.testing.assert_array_equal(a, b)
  lines = [
    [json.loads(line) for line in (folder / 'metrics.jsonl').read_text().splitlines()]
    for folder in (whole, cut)
  ]
  for a, b in zip(*lines, strict=True):
    for name in ('step', 'loss', 'critic', 'grad_norm', 'grad_norm_critic'):
      assert a[name] == b[name]
  assert all(row['grad_norm_critic'] > 0 for row in lines[0])
