"""Training of CAPP: its batches are hard, its tables are the paper's, its files."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from data_pipelines.motion_cache import MotionClip, read_cache, write_cache
from experiments import capp_run, judge_capp, ship_judge
from experiments.capp_run import CappRun, Windows
from vasa_jax.errors import UsageError, UserError
from vasa_jax.metrics.capp import CappJudge
from vasa_jax.metrics.shipped import load_shipped
from vasa_jax.teachers.capp import FRAMES, CappConfig
from vasa_jax.training.config import from_json, load_config, to_json

CONFIG = Path(capp_run.__file__).parent / 'configs' / 'capp.py'
SMALL = CappConfig(width=8, heads=2, depth=1, audio_depth=1, embedding=75, audio_dim=4)


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
  """Six clips; frame i of clip c has the yaw i / 10 rad and the feature 10 c + i."""
  path = tmp_path_factory.mktemp('cache') / 'motion.npz'
  clips = []
  for c in range(6):
    motion = np.zeros((110, 60), np.float32)
    motion[:, 0] = np.arange(110) / 16
    motion[:, 1] = c / 8
    features = np.repeat(np.arange(110, dtype=np.float16)[:, None], 4, 1)
    clips.append(
      MotionClip(f'c{c}', features, motion, np.zeros(2), 1.0, np.ones(8) / 8, c == 5)
    )
  write_cache(path, clips)
  return str(path)


def run(cache, **more):
  settings = {'batch_size': 8, 'shifted': 4, 'augment': False, 'jitter': 0.0} | more
  return CappRun(model=SMALL, cache=cache, **settings)


def test_config_builds():
  config = load_config(CONFIG)
  assert from_json(CappRun, to_json(config)) == config


def test_windows_of_a_clip_are_apart_and_keep_their_sound(cache):
  batches = Windows(run(cache, shift=(3, 5)), read_cache(cache), 8, 0)
  for _ in range(3):
    batch = next(batches)
    assert batch['pose'].shape == (8, FRAMES, 3)
    yaw = np.radians(batch['pose'][..., 0]) * 16
    np.testing.assert_allclose(yaw, batch['features'][..., 0], atol=0.05)
    for clip in range(2):
      mine = slice(4 * clip, 4 * clip + 4)
      assert np.ptp(batch['pose'][mine, :, 1]) < 0.01  # of one clip
      starts = np.sort(batch['features'][mine, 0, 0])
      assert (np.diff(starts) >= 3).all() and (np.diff(starts) <= 5).all()
  again = Windows(run(cache, shift=(3, 5)), read_cache(cache), 8, 0)
  again.set_state(2)
  np.testing.assert_array_equal(next(again)['pose'], batch['pose'])


def test_mirror_and_stretch(cache):
  batch = next(Windows(run(cache, stretched=1.0), read_cache(cache), 8, 0))
  ratio = np.ptp(batch['stretched'][..., 0], 1) / np.ptp(batch['pose'][..., 0], 1)
  assert ((ratio < 0.61) | (ratio > 1.59)).all() and (ratio > 0.14).all()


def test_a_step_moves_both_encoders(cache):
  job = run(cache, stretched=0.5).job()
  params = job.init(jax.random.key(0))
  batch = next(job.batches(None, 0, 1))
  value, slope = jax.jit(jax.value_and_grad(lambda p: job.loss(p, batch, None)[0]))(
    params
  )
  assert 0 < float(value) < 50
  for part in ('pose_encoder', 'audio_encoder', 'sharpness'):
    assert sum(float(jnp.abs(x).sum()) for x in jax.tree.leaves(slope[part])) > 0
  figures = job.evaluate(params)
  assert {'shift_0', 'shift_4', 'scale_0.2', 'scale_3'} <= set(figures)
  assert figures['shift_0'] == pytest.approx(figures['scale_1'])


def test_settings_that_do_not_fit(cache):
  with pytest.raises(UsageError, match='model.audio_dim'):
    CappRun(cache=cache).job()
  with pytest.raises(UsageError, match='multiple of shifted'):
    run(cache, batch_size=6).job()
  with pytest.raises(UserError, match='make a larger cache'):
    Windows(run(cache, batch_size=32), read_cache(cache), 32, 0)


def test_run_to_file_and_back(cache, tmp_path, monkeypatch, capsys):
  from vasa_jax.training import checkpoint

  work = tmp_path / 'run'
  work.mkdir()
  (work / 'config.json').write_text(to_json(run(cache)))
  params = jax.tree.map(np.asarray, run(cache).job().init(jax.random.key(0)))
  monkeypatch.setattr(checkpoint, 'restore_params', lambda path: params)
  out = tmp_path / 'capp.safetensors'
  words = ['--about', 'nothing']
  assert ship_judge.main([str(work), '--out', str(out), *words]) == 0
  found = load_shipped(out)
  assert CappConfig(**found.config) == SMALL and found.about == 'nothing'
  wrong = ship_judge.main([str(tmp_path), '--out', str(out), *words])
  assert wrong == 1 and 'is no run of' in capsys.readouterr().err


class Perfect(CappJudge):
  """One, less a tenth for each frame of shift and each doubling of the motion."""

  def cosines(self, pose, features):
    shift = np.abs(features[:, 0, 0] - pose[:, 0, 1])
    size = np.abs(np.log2(np.maximum(np.abs(pose[:, 1, 0] - pose[:, 0, 0]), 1e-6)))
    return 1 - 0.1 * shift - 0.1 * size


def test_judge_writes_the_papers_tables(monkeypatch, tmp_path, capsys):
  t = np.arange(120, dtype=np.float64)
  pose = np.stack([t, t, 0 * t], 1)
  monkeypatch.setattr(judge_capp, 'load_judge', lambda net: Perfect(None, None))
  monkeypatch.setattr(judge_capp, 'acted', lambda *_: iter([(pose, t[:, None])] * 3))
  out = tmp_path / 'out'
  assert judge_capp.main(['--out', str(out)]) == 0
  table = json.loads((out / 'table.json').read_text())
  rows = {(row['table'], row['at']): row['mean'] for row in table['rows']}
  assert rows['shift', 0] == pytest.approx(1) and rows['shift', 4] == pytest.approx(0.6)
  assert table['facts']['fall kept'] and table['facts']['scale peaks at 1']
  assert (out / 'report.html').read_text().count('<svg') == 2
  assert '0.608' in capsys.readouterr().out
  monkeypatch.setattr(judge_capp, 'acted', lambda *_: iter([(pose[:80], t[:80, None])]))
  assert judge_capp.main(['--out', str(out)]) == 1
  assert 'as long as 83 frames' in capsys.readouterr().err
