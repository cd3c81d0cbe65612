"""Commands as processes of their own: signals and clusters belong to processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOY = 'tests/training/toy.py'


def start(*words, devices=1, module='experiments.train') -> subprocess.Popen:
  """The command, running, in a group of its own with all that it starts."""
  environment = os.environ | {
    'JAX_PLATFORMS': 'cpu',
    'XLA_FLAGS': f'--xla_force_host_platform_device_count={devices}',
  }
  return subprocess.Popen(
    [sys.executable, '-m', module, *map(str, words)],
    cwd=ROOT,
    env=environment,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
    start_new_session=True,
  )


def finish(process, seconds=120) -> tuple[int, str, str]:
  """Exit code, output, errors; one that hangs is killed, for SIGTERM may be taken."""
  try:
    out, err = process.communicate(timeout=seconds)
  except subprocess.TimeoutExpired:
    process.kill()
    raise
  return process.returncode, out, err


def wait_until(true: Callable[[], object], what: str, seconds=120) -> None:
  """Looks every 2 ms, so that a kill comes at the moment it is meant for."""
  end = time.monotonic() + seconds
  while not true():
    assert time.monotonic() < end, f'{what} did not happen'
    time.sleep(0.002)


def wait_for(file: Path, seconds=120) -> None:
  """Until `file` has content."""
  wait_until(lambda: file.exists() and file.read_text(), f'{file}', seconds)
