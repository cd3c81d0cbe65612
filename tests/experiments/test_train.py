"""The commands as typed: exit codes, one-line errors, resume, several processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from experiments import report, sweep, train
from tests.experiments.children import ROOT, TOY, finish, start, wait_for
from vasa_jax.training.checkpoint import restore_params


def _call(main, *words, capsys):
  code = main([str(word) for word in words])
  return code, *capsys.readouterr()


@pytest.fixture
def in_root(monkeypatch):
  monkeypatch.chdir(ROOT)


def test_train_writes_report_and_runs_again(tmp_path, capsys, in_root):
  words = '--config', TOY, '--workdir', tmp_path, '--set', 'steps=4', 'preview_every=2'
  code, out, _ = _call(train.main, *words, capsys=capsys)
  assert code == 0 and out == f'finished at step 4: {tmp_path}/report.html\n'
  page = (tmp_path / 'report.html').read_text()
  assert page.count('<svg') >= 5 and 'data:image/png;base64,' in page
  assert '<td>net.width</td><td>8</td>' in page
  assert 'http' not in page.replace('http://www.w3.org', '')
  assert len(list((tmp_path / 'samples').iterdir())) == 2
  done = json.loads((tmp_path / 'done.json').read_text())
  assert done['step'] == 4 and np.isfinite(done['metrics']['loss'])
  assert _call(train.main, *words, capsys=capsys)[0] == 0
  assert json.loads((tmp_path / 'done.json').read_text()) == done


@pytest.mark.parametrize(
  'words, code, line',
  [
    (['--set', 'net.widht=4'], 2, 'error: unknown setting net.widht; did you mean'),
    (['--set', 'steps=many'], 2, "error: steps='many': expected int"),
    (['--set', 'nan_at=1'], 1, 'error: loss became nan at step 1'),
    (['--set', 'batch_size=3'], 1, 'error: a batch of 3 a host does not divide over 4'),
    (['--set', 'net.width=-1'], 1, 'error: '),
    (['--processes', '2'], 2, 'error: --coordinator, --processes and --process-id'),
  ],
)
def test_errors_are_one_line(words, code, line, tmp_path, capsys, in_root):
  found = _call(
    train.main, '--config', TOY, '--workdir', tmp_path, *words, capsys=capsys
  )
  lines = [x for x in found[2].splitlines() if not x.startswith('step ')]
  assert found[0] == code
  assert len(lines) == 1 and lines[0].startswith(line), lines


def test_debug_shows_the_traceback(tmp_path, capsys, in_root):
  words = '--config', TOY, '--workdir', tmp_path, '--set', 'steps=x', '--debug'
  code, _, err = _call(train.main, *words, capsys=capsys)
  assert code == 2 and 'Traceback' in err and err.splitlines()[-1].startswith('error: ')


def test_another_config_in_the_same_workdir(tmp_path, capsys, in_root):
  words = '--config', TOY, '--workdir', tmp_path, '--set', 'steps=1'
  assert _call(train.main, *words, capsys=capsys)[0] == 0
  code, _, err = _call(train.main, *words, 'net.width=5', 'seed=2', capsys=capsys)
  assert code == 2 and 'net.width, seed differ' in err and len(err.splitlines()) == 1


def test_sigterm_saves_exits_0_and_resumes(tmp_path):
  words = '--config', TOY, '--workdir', tmp_path, '--set', 'log_every=20'
  process = start(*words, 'steps=1000000', '--stopped-code', 75)
  wait_for(tmp_path / 'metrics.jsonl')
  process.send_signal(signal.SIGTERM)
  code, out, err = finish(process)
  assert code == 75, err
  assert 'SIGTERM: saved at step' in err and 'Traceback' not in err
  step = max(int(p.name) for p in (tmp_path / 'checkpoints').iterdir())
  assert out.startswith(f'stopped at step {step}:') and step >= 20
  assert not (tmp_path / 'done.json').exists()
  code, out, err = finish(start(*words, f'steps={step + 5}'))
  assert code == 0 and out.startswith(f'finished at step {step + 5}:'), err
  assert f'resumed at step {step}' in err


def _port():
  with socket.socket() as probe:
    probe.bind(('localhost', 0))
    return probe.getsockname()[1]


def _cluster(workdir, *words, devices=2):
  port = _port()
  return [
    start(
      *('--config', TOY, '--workdir', workdir, '--coordinator', f'localhost:{port}'),
      *('--processes', 2, '--process-id', i, '--heartbeat-seconds', 10),
      *('--set', *words),
      devices=devices,
    )
    for i in range(2)
  ]


def test_two_processes_train_as_one(tmp_path, capsys, in_root):
  sgd = 'optimizer=sgd', 'schedule=constant', 'learning_rate=0.05', 'save_every=3'
  processes = _cluster(tmp_path / 'two', *sgd, 'steps=6')
  for process in processes:
    code, _, err = finish(process)
    assert code == 0, err
  steps = {p.name for p in (tmp_path / 'two' / 'checkpoints').iterdir()}
  assert steps == {'3', '6'}
  data = tmp_path / 'two' / 'checkpoints' / '6' / 'data'
  assert {p.name for p in data.glob('*.json')} == {
    'process_0-of-2.json',
    'process_1-of-2.json',
  }
  assert len((tmp_path / 'two' / 'metrics.jsonl').read_text().splitlines()) == 3

  # One process with four devices gives the same, and takes the run over.
  words = '--config', TOY, '--set', *sgd, '--workdir'
  assert _call(train.main, *words, tmp_path / 'one', capsys=capsys)[0] == 0
  one, two = restore_params(tmp_path / 'one'), restore_params(tmp_path / 'two')
  for name in one:
    np.testing.assert_allclose(one[name], two[name], rtol=0, atol=1e-6)
  both = []
  for folder in ('one', 'two'):
    more = '--set', 'steps=9', '--workdir', tmp_path / folder
    assert _call(train.main, *words[:-1], *more, capsys=capsys)[0] == 0
    both.append(restore_params(tmp_path / folder))
  for name in one:
    np.testing.assert_allclose(both[0][name], both[1][name], rtol=0, atol=1e-6)


@pytest.mark.slow
def test_sigterm_to_one_of_two_stops_both_at_one_step(tmp_path):
  processes = _cluster(tmp_path, 'steps=1000000', 'log_every=50', devices=1)
  wait_for(tmp_path / 'metrics.jsonl')
  processes[1].send_signal(signal.SIGTERM)
  ended = [finish(process) for process in processes]
  assert [code for code, _, _ in ended] == [0, 0], ended
  (step,) = [p.name for p in (tmp_path / 'checkpoints').iterdir()]
  assert f'stopped at step {step}:' in ended[0][1]


@pytest.mark.slow
def test_failure_of_one_process_ends_the_other(tmp_path):
  begun = time.monotonic()
  processes = _cluster(tmp_path, 'steps=1000000', 'fail_host=1', devices=1)
  ended = [finish(process) for process in processes]
  assert ended[1][0] == 1
  assert 'error: process 1 of 2: this host has no data' in ended[1][2]
  assert ended[0][0] not in (0, None)
  assert time.monotonic() - begun < 60


def test_sweep_skips_isolates_and_lists(tmp_path, capfd, in_root):
  words = TOY, '--workdir', tmp_path, '--set', 'steps=2', 'log_every=1'
  assert _call(sweep.main, *words, '--list', capsys=capfd)[:2] == (
    0,
    'narrow\tto do\tsteps=2 log_every=1 net.width=4\n'
    'broken\tto do\tsteps=2 log_every=1 nan_at=1\n'
    'wide\tto do\tsteps=2 log_every=1 net.width=16\n',
  )
  code, out, err = _call(sweep.main, *words, capsys=capfd)
  assert code == 1
  assert '1 of 3 runs failed: broken' in err.splitlines()[-1]
  assert restore_params(tmp_path / 'wide')['first'].shape == (6, 16)
  page = (tmp_path / 'report.html').read_text()
  assert '<td>narrow</td><td>done</td>' in page and '<th>net.width</th>' in page
  assert '<td>broken</td><td>not finished</td>' in page
  listed = _call(sweep.main, *words, '--list', capsys=capfd)[1]
  states = [line.split('\t')[1] for line in listed.splitlines()]
  assert states == ['done', 'begun', 'done']
  code, out, _ = _call(sweep.main, *words, '--only', 'wide', capsys=capfd)
  assert code == 0 and '[1/1] wide: done before' in out
  code, _, err = _call(sweep.main, *words, '--only', 'none', capsys=capfd)
  assert code == 2 and 'it has narrow, broken, wide' in err


def test_sweep_makes_several_at_a_time(tmp_path, capfd, in_root):
  words = TOY, '--workdir', tmp_path, '--set', 'steps=2', 'log_every=1'
  code, out, err = _call(sweep.main, *words, '--jobs', '3', capsys=capfd)
  assert code == 1 and '1 of 3 runs failed: broken' in err.splitlines()[-1]
  assert '[1/3] narrow: finished' in out and '[3/3] wide: finished' in out
  assert 'became nan' in (tmp_path / 'broken' / 'log.txt').read_text()
  listed = _call(sweep.main, *words, '--list', capsys=capfd)[1]
  states = [line.split('\t')[1] for line in listed.splitlines()]
  assert states == ['done', 'begun', 'done']
  # What is done is no task of a cluster's array.
  code, out, _ = _call(sweep.main, *words, '--slurm', capsys=capfd)
  assert code == 0 and '--array=0-0' in out and 'RUNS=(broken)' in out


def test_sweep_as_a_slurm_array(tmp_path, capfd, in_root):
  place = tmp_path / 'a folder'
  words = TOY, '--workdir', place, '--set', 'steps=2', 'net.width=9'
  code, out, _ = _call(sweep.main, *words, '--slurm', capsys=capfd)
  assert code == 0 and out.startswith('#!/bin/bash\n') and not place.exists()
  assert '#SBATCH --array=0-2' in out
  script = tmp_path / 'job.sh'
  # The task itself, with srun and python only said.
  script.write_text(out.replace('exec srun python', 'printf "%s|" python'))
  said = subprocess.run(
    ['bash', script], env={'SLURM_ARRAY_TASK_ID': '2', 'PATH': os.environ['PATH']},
    capture_output=True, text=True, check=True,
  ).stdout.split('|')  # fmt: skip
  assert said[:4] == ['python', '-m', 'experiments.sweep', str(TOY)]
  assert said[4:8] == ['--workdir', str(place), '--only', 'wide']
  assert said[8:-1] == ['--set', 'steps=2', 'net.width=9']


def test_report_of_nothing(tmp_path, capsys):
  assert _call(report.main, tmp_path, capsys=capsys)[0] == 2
  assert _call(report.main, tmp_path / 'no', capsys=capsys)[0] == 2


def test_training_needs_none_of_the_optional_packages(tmp_path):
  """As on a machine with numpy, numba, jax, flax, optax, orbax and OpenCV only."""
  blocked = 'av grain tensorflow_datasets array_record ai_edge_litert tqdm PIL '
  blocked += 'safetensors tensorboardX skimage'
  code = f"""
import sys
from importlib.abc import MetaPathFinder
class Block(MetaPathFinder):
  def find_spec(self, name, path=None, target=None):
    if name.partition('.')[0] in {blocked.split()!r}:
      raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Block())
from experiments.train import main
words = ['--config', {TOY!r}, '--workdir', {str(tmp_path)!r}, '--set', 'steps=1']
sys.exit(main(words))
"""
  environment = os.environ | {'JAX_PLATFORMS': 'cpu'}
  done = subprocess.run(
    [sys.executable, '-c', code],
    cwd=ROOT,
    env=environment,
    capture_output=True,
    text=True,
    timeout=120,
  )
  assert done.returncode == 0, done.stderr
