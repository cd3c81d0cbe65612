"""Training of the small sync net: its loss, its batches, what its judge plants."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import judge_sync, syncnet_run
from experiments.syncnet_run import Stretches, SyncRun, Talk
from vasa_jax.errors import UserError
from vasa_jax.metrics.sync import SyncScore, score_sync
from vasa_jax.teachers.lipsync import LipSyncConfig
from vasa_jax.training.config import from_json, load_config, to_json

CONFIG = Path(syncnet_run.__file__).parent / 'configs' / 'syncnet.py'
SMALL = LipSyncConfig(widths=(16, 16, 32), sound=8, embedding=8)


def talks(count=4, frames=20):
  """Clips whose mouths and sound both say which frame it is."""
  made = []
  for i in range(count):
    mouths = np.repeat(np.arange(frames, dtype=np.uint8), 56 * 56)
    features = np.repeat(np.arange(frames, dtype=np.float32), 320) / 10
    made.append(
      Talk(f'clip{i}', mouths.reshape(-1, 56, 56), features.reshape(-1, 320), 'voice')
    )
  return made


def test_config_builds():
  config = load_config(CONFIG)
  assert from_json(SyncRun, to_json(config)) == config


def test_loss_against_numpy():
  logits = np.random.default_rng(0).standard_normal((2, 5, 5))
  power = np.exp(logits)
  own = np.stack([np.diag(one) for one in power])
  rows, columns = own / power.sum(-1), own / power.sum(-2)
  wanted = -np.mean(np.log(rows) + np.log(columns)) / 2
  assert float(syncnet_run.info_nce(jnp.asarray(logits))) == pytest.approx(wanted, 1e-5)
  right = jnp.eye(5)[None] * 9
  assert float(syncnet_run.named(right)) == 1
  assert float(syncnet_run.info_nce(right)) < 0.01


def test_stretches_keep_lips_and_sound_together():
  plain = Stretches(talks(), 3, 8, seed=0, augment=False)
  for _ in range(4):
    batch = next(plain)
    assert batch['mouths'].shape == (3, 12, 48, 48)
    np.testing.assert_allclose(
      batch['mouths'][:, :, 0, 0], 10 * batch['features'][:, :, 0], atol=1e-5
    )
  again = Stretches(talks(), 3, 8, seed=0, augment=False)
  again.set_state(3)
  np.testing.assert_array_equal(next(again)['mouths'], batch['mouths'])
  with pytest.raises(UserError, match='no clip has 34 frames'):
    Stretches(talks(), 3, 30, seed=0, augment=False)


def test_changed_mouths_stay_in_order():
  rng = np.random.default_rng(1)
  mouths = talks(1)[0].mouths * 10
  for _ in range(8):
    made = syncnet_run.changed(mouths, rng)
    assert made.shape == (20, 48, 48) and made.dtype == np.float32
    level = made.mean((1, 2))
    assert (np.diff(level) > 0).all()


def test_a_step_moves_both_halves_and_offsets_are_reported(monkeypatch):
  monkeypatch.setattr(syncnet_run, 'read_talks', lambda records, split: talks())
  run = SyncRun(model=SMALL, batch_size=2, windows=8, held_out=2, augment=False)
  job = run.job()
  params = job.init(jax.random.key(0))
  batch = next(job.batches(None, 0, 1))
  grad = jax.jit(jax.value_and_grad(lambda p: job.loss(p, batch, None)[0]))
  value, slope = grad(params)
  assert 0.5 * np.log(8) < float(value) < 3 * np.log(8)
  for part in ('lip_net', 'sound_net', 'sharpness'):
    assert sum(float(jnp.abs(x).sum()) for x in jax.tree.leaves(slope[part])) > 0
  with pytest.raises(UserError, match='too few to hold out'):
    SyncRun(model=SMALL, held_out=3).job()


@pytest.mark.parametrize('planted', [-5, 0, 7])
def test_planted_offsets_have_the_sign_of_the_score(planted):
  sound = np.random.default_rng(0).standard_normal((60, 8))
  lips, heard = syncnet_run.late_by(sound, sound, planted)
  assert score_sync(lips, heard).offset == planted
  clip = judge_sync.Heard('a', sound, np.repeat(np.arange(60), 640))
  moved = judge_sync.late(clip, planted)
  np.testing.assert_array_equal(moved.crops, lips)
  assert len(moved.samples) == 640 * len(lips)
  np.testing.assert_array_equal(sound[moved.samples[::640]], heard)


class Oracle:
  """Reads the planted offset from the crops and the samples."""

  name = 'oracle'

  def score(self, crops, samples):
    found = int(samples[0] - crops[0])
    return SyncScore(1.0, 0.5, found, np.zeros(31), len(crops))


def test_judge_writes_its_tables(monkeypatch, tmp_path, capsys):
  clips = [
    judge_sync.Heard(f'c{i}', np.arange(60), np.repeat(np.arange(60), 640))
    for i in range(4)
  ]
  monkeypatch.setattr(judge_sync, 'load_judge', lambda args: Oracle())
  monkeypatch.setattr(judge_sync, 'clips_of', lambda *_: iter(clips))
  out = tmp_path / 'out'
  assert judge_sync.main(['--records', 'r', '--out', str(out)]) == 0
  table = json.loads((out / 'table.json').read_text())
  assert table['share'] == 1 and len(table['clips']) == 4
  assert {row['found'] - row['planted'] for row in table['clips']} == {0}
  assert 'kept' in capsys.readouterr().out
  assert '<svg' in (out / 'report.html').read_text()
