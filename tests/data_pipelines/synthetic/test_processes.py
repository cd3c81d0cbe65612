"""Processes that share work out: none is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RUN = """
import pathlib, sys, time

def work(folder):
  import os
  pathlib.Path(folder, f'{os.getpid()}.pid').touch()
  time.sleep(0.5)

if __name__ == '__main__':
  jobs = [sys.argv[1]] * 40
  %s
  next(made)
  time.sleep(600)
"""
POOLS = {
  'in order': """
  from data_pipelines.synthetic.processes import InOrder
  made = InOrder(work, jobs, 2).__enter__()""",
  'of metrics': """
  from vasa_jax.metrics.processes import in_processes
  made = in_processes(work, jobs, 2)""",
}


def _lives(pid: int) -> bool:
  try:
    os.kill(pid, 0)
  except ProcessLookupError:
    return False
  return True


def _until(condition, seconds: float) -> bool:
  end = time.monotonic() + seconds
  while not condition() and time.monotonic() < end:
    time.sleep(0.02)
  return condition()


@pytest.mark.parametrize('pool', POOLS)
def test_workers_end_with_a_parent_that_is_killed(tmp_path, pool):
  file = tmp_path / 'run.py'
  file.write_text(RUN % POOLS[pool])
  environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
  command = [sys.executable, str(file), str(tmp_path)]
  with subprocess.Popen(command, env=environment) as parent:
    started = _until(lambda: len(list(tmp_path.glob('*.pid'))) == 2, 60)
    os.kill(parent.pid, signal.SIGKILL)
  assert started
  workers = [int(path.stem) for path in tmp_path.glob('*.pid')]
  assert _until(lambda: not any(map(_lives, workers)), 20)
