"""Whole runs: exact resume, signals, NaN, other machines, refusing disks."""

import dataclasses
import json
import os
import shutil
import signal
import time

import jax
import numpy as np
import pytest

from tests.training import toy
from vasa_jax.errors import UsageError, UserError
from vasa_jax.training import checkpoint
from vasa_jax.training.checkpoint import Checkpoints, restore_params
from vasa_jax.training.loop import RUN_AHEAD, fit
from vasa_jax.training.optimizer import make_optimizer
from vasa_jax.training.state import init_state

RUN = toy.ToyRun(ema_decay=0.9, net=toy.Net(noise=0.1), weight_decay=0.1)


def _fit(run, workdir):
  return fit(run, run.job(), workdir)


def _rows(file):
  return [json.loads(line) for line in file.read_text().splitlines()]


def _stopping(run, at, number=signal.SIGTERM):
  """`run`'s job, with a signal that arrives while batch `at` is being made."""
  job = run.job()

  class Batches(toy.ToyBatches):
    def __next__(self):
      if self._next == at:
        os.kill(os.getpid(), number)
      return super().__next__()

  return dataclasses.replace(job, batches=lambda s, h, n: Batches(run, s, h, n))


def _state(workdir, run):
  optimizer = make_optimizer(run)
  abstract = jax.eval_shape(
    lambda k: init_state(run.job().init(k), optimizer, run.ema_decay),
    jax.random.key(0),
  )
  target = jax.tree.map(lambda a: np.empty(a.shape, a.dtype), abstract)
  with Checkpoints(workdir) as checkpoints:
    return checkpoints.restore(target)


@pytest.fixture(scope='module')
def straight(tmp_path_factory):
  """Six steps without interruption."""
  workdir = tmp_path_factory.mktemp('straight')
  return workdir, _fit(RUN, workdir)


def test_what_a_run_leaves(straight):
  workdir, outcome = straight
  assert outcome.step == 6 and outcome.finished
  rows = _rows(workdir / 'metrics.jsonl')
  assert [row['step'] for row in rows] == [2, 4, 6]
  assert rows[-1].keys() >= {
    'loss', 'error', 'grad_norm', 'learning_rate', 'samples_per_second', 'data_wait',
    'save_wait', 'eval_wait', 'compile_wait', 'goodput', 'seconds', 'eval/size',
  }  # fmt: skip
  assert (workdir / 'samples' / '00000006_weights.png').exists()
  assert {p.name for p in (workdir / 'checkpoints' / '6').iterdir()} >= {
    'state',
    'data',
    'meta',
  }
  found = _state(workdir, RUN)
  assert found.meta['config']['net'] == {'width': 8, 'noise': 0.1}
  assert found.meta['versions']['jax'] == jax.__version__
  assert found.loader == {'next': 6, 'name': b'toy'}


def test_params_only_are_the_average(straight):
  workdir, outcome = straight
  params = restore_params(workdir)
  state = _state(workdir, RUN).state
  for name in ('first', 'last', 'bias'):
    np.testing.assert_array_equal(params[name], outcome.params[name])
    np.testing.assert_array_equal(params[name], state.ema[name])
  assert np.abs(params['first'] - state.params['first']).max() > 0


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_stop_saves_and_resume_is_exact(straight, tmp_path, number):
  seen = tmp_path / 'seen'
  run = dataclasses.replace(RUN, seen_file=str(seen))
  before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
  outcome = fit(run, _stopping(run, 2, number), tmp_path / 'run')
  assert (outcome.step, outcome.finished) == (3, False)
  assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
  outcome = _fit(run, tmp_path / 'run')
  assert (outcome.step, outcome.finished) == (6, True)
  assert [row[0] for row in _rows(seen)] == [0, 1, 2, 3, 4, 5]
  whole = _state(straight[0], RUN).state
  resumed = _state(tmp_path / 'run', RUN).state
  for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(resumed), strict=True):
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)


def test_finished_run_does_nothing_and_may_go_on(straight, tmp_path):
  run = dataclasses.replace(RUN, steps=2)
  _fit(run, tmp_path)
  lines = (tmp_path / 'metrics.jsonl').read_text()
  outcome = _fit(run, tmp_path)
  assert outcome.finished and outcome.metrics == {}
  assert (tmp_path / 'metrics.jsonl').read_text() == lines
  outcome = _fit(dataclasses.replace(run, steps=4), tmp_path)
  assert outcome.step == 4


@pytest.mark.parametrize(
  'first, then', [(('pmap', 4), ('pmap', 1)), (('fsdp', 4), ('jit', 2))]
)
def test_resume_on_other_devices(tmp_path, first, then):
  sgd = dataclasses.replace(
    RUN, optimizer='sgd', net=toy.Net(), fsdp_min_mib=0.0, steps=6, schedule='constant'
  )
  straight = _fit(sgd, tmp_path / 'straight')
  mode, devices = first
  run = dataclasses.replace(sgd, mode=mode, devices=devices)
  fit(run, _stopping(run, 2), tmp_path / 'run')
  mode, devices = then
  resumed = _fit(dataclasses.replace(sgd, mode=mode, devices=devices), tmp_path / 'run')
  assert resumed.step == 6
  for a, b in zip(
    jax.tree.leaves(straight.params), jax.tree.leaves(resumed.params), strict=True
  ):
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


def test_nan_stops_and_names_the_step(tmp_path):
  run = dataclasses.replace(RUN, nan_at=4, save_every=1, log_every=100)
  with pytest.raises(UserError, match='loss became nan at step 4') as caught:
    _fit(run, tmp_path)
  assert '\n' not in str(caught.value)
  (kept,) = (tmp_path / 'bad_step_00000004').iterdir()
  assert str(kept) in str(caught.value)
  with np.load(kept) as batch:
    assert np.isnan(batch['x']).all() and batch['y'].shape == (8, 1)
  found = _state(tmp_path, run)
  assert found.step == 4  # four good updates, 0 to 3
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found.state))


def test_a_nan_is_found_soon_without_a_log_point(tmp_path):
  run = dataclasses.replace(RUN, nan_at=2, log_every=0, steps=1000)
  seen = tmp_path / 'seen'
  run = dataclasses.replace(run, seen_file=str(seen))
  with pytest.raises(UserError, match='at step 2'):
    _fit(run, tmp_path / 'run')
  assert len(_rows(seen)) <= 2 + RUN_AHEAD + 1


def test_a_step_that_is_compiled_again_is_told(tmp_path, capsys):
  job = RUN.job()

  class Shrinking(toy.ToyBatches):
    def __next__(self):
      batch = super().__next__()
      return jax.tree.map(lambda a: a[:4], batch) if self._next > 3 else batch

  job = dataclasses.replace(job, batches=lambda s, h, n: Shrinking(RUN, s, h, n))
  fit(dataclasses.replace(RUN, devices=1), job, tmp_path)
  told = [x for x in capsys.readouterr().err.splitlines() if 'compiled again' in x]
  assert len(told) == 1 and 'step 3' in told[0] and '(4, 6)' in told[0]


def test_profile_of_chosen_steps(tmp_path):
  _fit(dataclasses.replace(RUN, profile_at=2, profile_steps=2), tmp_path)
  assert list((tmp_path / 'profile').rglob('*.xplane.pb'))


def test_other_settings_are_refused(straight):
  run = dataclasses.replace(RUN, learning_rate=0.5, net=toy.Net(width=9, noise=0.1))
  with pytest.raises(UsageError, match='learning_rate, net.width differ'):
    _fit(run, straight[0])


def test_keep(tmp_path):
  _fit(dataclasses.replace(RUN, save_every=1, keep=2, steps=5), tmp_path)
  names = [p.name for p in (tmp_path / 'checkpoints').iterdir() if p.name.isdigit()]
  assert sorted(names) == ['4', '5']


def test_time_limit_ends_the_run_and_the_schedule(tmp_path):
  job = RUN.job()

  class Slow(toy.ToyBatches):
    def __next__(self):
      time.sleep(0.01)
      return super().__next__()

  run = dataclasses.replace(RUN, steps=10**6, minutes=0.03, log_every=5)
  job = dataclasses.replace(job, batches=lambda s, h, n: Slow(run, s, h, n))
  outcome = fit(run, job, tmp_path)
  assert outcome.finished and 5 < outcome.step < 10**6
  assert outcome.metrics['learning_rate'] == pytest.approx(1e-5, rel=0.01)
  assert outcome.metrics['seconds'] < 0.03 * 60 + 1.5
  # The last window may hold two steps and a moment in which the host did other work.
  rows = _rows(tmp_path / 'metrics.jsonl')
  waits = [row['data_wait'] for row in rows if 'data_wait' in row]
  assert len(waits) > 2 and 0.05 < np.median(waits) <= 1.0
  again = fit(run, job, tmp_path)
  assert again.finished and again.step == outcome.step


def test_data_that_ends(tmp_path):
  job = dataclasses.replace(
    RUN.job(), batches=lambda s, h, n: iter([next(toy.ToyBatches(RUN, s, h, n))])
  )
  with pytest.raises(UserError, match='the data ended at step 1 of 6'):
    fit(RUN, job, tmp_path)


def test_damaged_checkpoint(straight, tmp_path):
  workdir = tmp_path / 'run'
  shutil.copytree(straight[0], workdir)
  for file in (workdir / 'checkpoints' / '6' / 'state').rglob('*'):
    if file.is_file():
      file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
  for call in (lambda: _fit(RUN, workdir), lambda: restore_params(workdir)):
    with pytest.raises(UserError, match='delete that folder to start anew') as caught:
      call()
    assert '\n' not in str(caught.value)
    assert str(workdir / 'checkpoints' / '6') in str(caught.value)


def test_damaged_config_and_missing_checkpoint(tmp_path):
  with pytest.raises(UserError, match='no checkpoint'):
    restore_params(tmp_path)
  (tmp_path / 'config.json').write_text('{"run": "Toy')
  with pytest.raises(UserError, match='config.json is damaged'):
    _fit(RUN, tmp_path)


def test_workdir_that_cannot_be_written(tmp_path):
  (tmp_path / 'file').write_text('')
  with pytest.raises(UserError, match='cannot write to .*; choose another'):
    _fit(RUN, tmp_path / 'file' / 'run')


def test_disk_that_fills_up(tmp_path, monkeypatch):
  def full(self, directory, args):
    raise OSError(28, 'No space left on device')

  run = dataclasses.replace(RUN, save_every=2)
  fit(run, _stopping(run, 2), tmp_path)
  monkeypatch.setattr(checkpoint._LoaderHandler, 'save', full)
  with pytest.raises(UserError, match='No space left on device; .* is safe') as caught:
    _fit(run, tmp_path)
  assert '\n' not in str(caught.value)
  monkeypatch.undo()
  assert _fit(run, tmp_path).finished
