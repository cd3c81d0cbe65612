"""A disk that is full: one line, nothing half written, and the run goes on later.

The limit on the size of a process's files stands in for the disk: it needs no rights,
and it also meets what is written outside Python, as orbax writes arrays.
"""

import contextlib
import dataclasses
import json
import resource
import sys

import jax
import numpy as np
import pytest

from tests.training import toy
from vasa_jax.errors import UserError
from vasa_jax.training import watch
from vasa_jax.training.checkpoint import Checkpoints, restore_params
from vasa_jax.training.loop import fit, prepare_workdir
from vasa_jax.training.writers import Writer

RUN = toy.ToyRun(
  net=toy.Net(width=30_000), ema_decay=0.9, save_every=2, schedule='constant'
)


@contextlib.contextmanager
def largest_file(size: int):
  """No file may become longer than `size` bytes."""
  old = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
  try:
    yield
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, old)


def _names(folder):
  return sorted(p.name for p in folder.iterdir())


def test_a_save_without_room_ends_the_run_and_loses_nothing(tmp_path, caplog):
  whole = fit(RUN, RUN.job(), tmp_path / 'whole')
  run = dataclasses.replace(RUN, steps=2, keep=1)
  fit(run, run.job(), tmp_path / 'run')
  run = dataclasses.replace(RUN, keep=1)
  with largest_file(300_000):  # a state has 3 MB
    with pytest.raises(UserError, match='cannot write a checkpoint') as caught:
      fit(run, run.job(), tmp_path / 'run')
  line = str(caught.value)
  assert line.endswith(
    'File too large; step 2 is safe; free space or fix the permission, then run the '
    'same command again to go on'
  )
  assert 'Traceback' not in caplog.text
  folder = tmp_path / 'run' / 'checkpoints'
  assert [name for name in _names(folder) if name.isdigit()] == ['2']
  assert restore_params(tmp_path / 'run')['first'].shape == (6, 30_000)
  again = fit(run, run.job(), tmp_path / 'run')
  assert again.finished
  assert _names(folder) == ['6']  # what was broken off is gone
  for a, b in zip(
    jax.tree.leaves(whole.params), jax.tree.leaves(again.params), strict=True
  ):
    np.testing.assert_array_equal(a, b)


def test_somebody_else_does_not_clear_away_a_save_under_way(tmp_path):
  begun = tmp_path / 'checkpoints' / '4.orbax-checkpoint-tmp'
  begun.mkdir(parents=True)
  with Checkpoints(tmp_path):
    assert begun.exists()
  with Checkpoints(tmp_path, tidy=True) as checkpoints:
    checkpoints.save(1, {'a': np.ones(2)}, None, {})
    checkpoints.wait()
  assert not begun.exists()


def test_figures_and_pictures_without_room(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'tensorboardX', None)  # whose files are its own
  writer = Writer(tmp_path, 0)
  for step in range(200):
    writer.figures(step, {'loss': 1.0})
  file = tmp_path / 'metrics.jsonl'
  before = file.read_text()
  with largest_file(len(before) + 10):
    with pytest.raises(UserError, match='metrics.jsonl: File too large; free space'):
      writer.figures(200, {'loss': 1.0})
    with pytest.raises(UserError, match='00000200_face.png: .*; free space'):
      writer.pictures(200, {'face': _noise(64)})
  assert not list((tmp_path / 'samples').iterdir())
  # The half line is dropped by the next start; what it rewrites is whole or as before.
  with largest_file(100):
    with pytest.raises(UserError, match='metrics.jsonl'):
      Writer(tmp_path, 199)
  assert file.read_text().startswith(before)
  Writer(tmp_path, 199)
  assert file.read_text() == before
  assert _names(tmp_path) == ['metrics.jsonl', 'samples']


def _noise(side: int) -> np.ndarray:
  return np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)


def test_a_config_without_room_stays_as_it_was(tmp_path):
  prepare_workdir(RUN, tmp_path)
  before = (tmp_path / 'config.json').read_text()
  longer = dataclasses.replace(RUN, steps=1000)
  with largest_file(100):
    with pytest.raises(UserError, match='cannot write to'):
      prepare_workdir(longer, tmp_path)
  assert (tmp_path / 'config.json').read_text() == before
  prepare_workdir(longer, tmp_path)
  assert json.loads((tmp_path / 'config.json').read_text())['steps'] == 1000
  assert _names(tmp_path) == ['config.json']


def test_a_bad_batch_without_room_is_no_error_of_its_own(tmp_path):
  with largest_file(1000):
    told = watch.dump_batch(tmp_path, 3, {'x': _noise(64)})
  assert told == '(not written: File too large)'
