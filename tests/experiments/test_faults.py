"""Faults that a run of days meets, as the one who typed the command would meet them.

The machine is switched off (kill -9), also in the middle of a save; a host of several
is lost. What ends in the loader and the renderer is in their own tests, a full disk in
`tests/training/test_full_disk.py`, a NaN in `tests/training/test_loop.py`.
"""

import json
import os
import random
import signal
import socket
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from data_pipelines.synthetic.synthesize import main as synthesize
from experiments.carry import read_checkpoint
from experiments.face_run import FaceRun
from tests.experiments.children import TOY, finish, start, wait_for, wait_until
from tests.training import toy
from vasa_jax.training.checkpoint import Checkpoints
from vasa_jax.training.config import from_json
from vasa_jax.training.optimizer import make_optimizer
from vasa_jax.training.state import init_state


def _rows(workdir: Path) -> list[dict]:
  return [json.loads(x) for x in (workdir / 'metrics.jsonl').read_text().splitlines()]


def _begun(workdir: Path) -> list[Path]:
  """Saves that are under way, or were broken off."""
  return list((workdir / 'checkpoints').glob('*orbax-checkpoint-tmp*'))


def _complete(workdir: Path) -> set[int]:
  folder = workdir / 'checkpoints'
  return {int(p.name) for p in folder.glob('*') if p.name.isdigit()}


def _kill(process, workdir: Path, when: str, later: float) -> bool:
  """Kills the run when it has got on: at once within a `save`, or `later` seconds.

  Returns:
    Whether a save was broken off.
  """
  # A broken-off save of an earlier start must not be taken for one of this.
  old, known = _complete(workdir), {p.stat().st_ino for p in _begun(workdir)}

  def saving():
    try:
      return any(p.stat().st_ino not in known for p in _begun(workdir))
    except FileNotFoundError:  # it was complete before we looked again
      return False

  if when == 'save':
    wait_until(saving, 'a save')
  else:
    wait_until(lambda: _complete(workdir) - old, 'a checkpoint')
    time.sleep(later)
  assert process.poll() is None, 'it ended before it could be killed'
  os.killpg(process.pid, signal.SIGKILL)
  process.communicate()
  return bool(_begun(workdir))


def _assert_same(one, other) -> None:
  assert one.step == other.step and one.loader == other.loader
  for a, b in zip(
    jax.tree.leaves(one.state), jax.tree.leaves(other.state), strict=True
  ):
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)


def _same_figures(one: Path, other: Path) -> None:
  """No line is lost, double or different, but for the times."""
  figures = [
    [(row['step'], row['loss'], row['grad_norm']) for row in _rows(folder)]
    for folder in (one, other)
  ]
  assert figures[0] == figures[1]


def _toy_state(workdir: Path):
  run = from_json(toy.ToyRun, (workdir / 'config.json').read_text())
  optimizer = make_optimizer(run)
  abstract = jax.eval_shape(
    lambda k: init_state(run.job().init(k), optimizer, run.ema_decay),
    jax.random.key(0),
  )
  with Checkpoints(workdir) as checkpoints:
    return checkpoints.restore(
      jax.tree.map(lambda a: np.empty(a.shape, a.dtype), abstract)
    )


def test_a_run_killed_in_a_save_goes_on_as_if_nothing_had_been(tmp_path):
  words = '--config', TOY, '--compile-cache', tmp_path / 'cache', '--set', 'steps=60'
  # 20 MB of state: a save takes long enough to be caught in it.
  words += 'net.width=200000', 'net.noise=0.1', 'ema_decay=0.9', 'save_every=4'
  whole, cut = tmp_path / 'whole', tmp_path / 'cut'
  code, _, err = finish(start(*words, '--workdir', whole))
  assert code == 0, err
  assert _kill(start(*words, '--workdir', cut), cut, 'save', 0.0)
  code, _, err = finish(start(*words, '--workdir', cut))
  assert code == 0, err
  assert not _begun(cut)  # what was broken off is cleared away
  _assert_same(_toy_state(whole), _toy_state(cut))
  _same_figures(whole, cut)


def _killed_often(words, tmp_path: Path, kills: int, least: int) -> tuple[Path, Path]:
  """Runs a command undisturbed and, elsewhere, killed `kills` times; both to the end.

  Args:
    least: saves that must have been broken off, or the test has not tested.
  """
  whole, cut = tmp_path / 'whole', tmp_path / 'cut'
  code, _, err = finish(start(*words, '--workdir', whole), 1800)
  assert code == 0, err
  draw, broken_off = random.Random(0), 0
  for i in range(kills):
    process = start(*words, '--workdir', cut)
    when = 'save' if i % 2 else 'any'
    broken_off += _kill(process, cut, when, draw.uniform(0, 0.2))
  assert broken_off >= least
  code, _, err = finish(start(*words, '--workdir', cut), 600)
  assert code == 0, err
  assert 'resumed at step' in err
  return whole, cut


@pytest.mark.slow
def test_ten_kills_end_in_the_same_parameters(tmp_path):
  words = '--config', TOY, '--compile-cache', tmp_path / 'cache', '--set', 'steps=400'
  words += 'net.width=100000', 'net.noise=0.1', 'ema_decay=0.9', 'save_every=4'
  whole, cut = _killed_often(words, tmp_path, kills=10, least=3)
  _assert_same(_toy_state(whole), _toy_state(cut))
  _same_figures(whole, cut)


@pytest.mark.slow
def test_tiny_killed_three_times_reads_its_records_as_if_undisturbed(tmp_path, capfd):
  records = tmp_path / 'records'
  made = '--clips 4 --size 64 --stills 1 --frames 6 --workers 1 --out'.split()
  assert synthesize([*made, str(records)]) == 0
  words = '--config', 'experiments/configs/face_tiny.py', '--compile-cache'
  words += tmp_path / 'cache', '--set', 'source=records', f'records={records}'
  words += 'batch_size=2', 'drivers=1', 'held_out=0', 'steps=60', 'log_every=2'
  words += 'save_every=4', 'ema_decay=0.9', 'workers=0'
  whole, cut = _killed_often(words, tmp_path, kills=3, least=1)
  run = from_json(FaceRun, (whole / 'config.json').read_text())
  _assert_same(*(read_checkpoint('face', run, folder) for folder in (whole, cut)))
  _same_figures(whole, cut)
  capfd.readouterr()


def _cluster(workdir, *words, heartbeat):
  with socket.socket() as probe:
    probe.bind(('localhost', 0))
    port = probe.getsockname()[1]
  return [
    start(
      *('--config', TOY, '--workdir', workdir, '--coordinator', f'localhost:{port}'),
      *('--processes', 2, '--process-id', i, '--heartbeat-seconds', heartbeat),
      *('--set', 'save_every=50', 'log_every=50', *words),
    )
    for i in range(2)
  ]


@pytest.mark.slow
@pytest.mark.parametrize('lost', [0, 1])
@pytest.mark.parametrize('how', [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_host_ends_the_other_and_the_run_goes_on(tmp_path, lost, how):
  processes = _cluster(tmp_path, 'steps=1000000', heartbeat=10)
  wait_for(tmp_path / 'metrics.jsonl')
  wait_until(lambda: _complete(tmp_path), 'a checkpoint')
  processes[lost].send_signal(how)
  begun = time.monotonic()
  code, _, err = finish(processes[1 - lost], 90)
  took = time.monotonic() - begun
  processes[lost].kill()
  processes[lost].communicate()
  if how == signal.SIGKILL:
    assert code == 1 and took < 30
    line = f'error: process {1 - lost} of 2: another process of this run was lost'
    assert line in err and 'Traceback' not in err, err
  else:  # JAX's own end: nobody answers within the heartbeat
    assert code != 0 and took < 60
    assert 'another task died' in err or 'was lost' in err, err
  step = max(_complete(tmp_path))
  words = '--config', TOY, '--workdir', tmp_path, '--set', 'save_every=50'
  words += 'log_every=50', f'steps={step + 50}'
  code, _, err = finish(start(*words, devices=2))
  assert code == 0 and f'resumed at step {step}' in err, err
  assert not _begun(tmp_path)
