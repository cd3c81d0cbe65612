"""The ahead-of-time check: figures of a small step, the table, the command."""

import json

import jax
import pytest

from experiments import aot
from vasa_jax.errors import UserError


def args(*more):
  return aot.parse(['--preset', 'tiny', '--dtype', 'float32', *more])


@pytest.mark.slow
def test_a_small_step_is_compiled_and_weighed():
  row = aot.compile_step(args('--mode', 'jit'), '1', 2)
  assert row['batch'] == 2 and row['devices'] == 1
  assert 0 < row['temporary_gib'] < row['total_gib'] < 0.2
  assert row['parameters_m'] < 1 and row['compile_s'] > 0


def test_shapes_are_those_of_the_loader():
  batch = aot.face_batch(16, 3)
  assert batch['driver_picture'].shape == (3, 1, 16, 16, 3)
  assert {x.shape[0] for x in jax.tree.leaves(batch)} == {3}


def test_table_says_what_holds_it():
  rows = [
    {'on': '1', 'batch': 1, 'total_gib': 12.0},
    {'on': '1', 'batch': 4, 'total_gib': 41.0},
    {'on': '1', 'batch': 8, 'total_gib': 81.0},
    {'on': 'v5e:2x2', 'batch': 1, 'total_gib': 12.0},
    {'on': 'v5e:2x2', 'batch': 4, 'refused': 'Ran out of memory'},
  ]
  head, *lines = aot.table(rows).splitlines()
  assert head.split() == ['on', 'batch', 'total_gib', 'fits']
  # A TPU has the memory it has.
  ends = [line.split(maxsplit=3)[-1] for line in lines]
  assert ends == ['16 40 80 GiB', '80 GiB', 'no', '16 GiB', 'no']


def test_slices_are_named_by_generation_and_chips(monkeypatch, capsys):
  assert args('--topology', 'v5e:2x2', 'v5p:2x2x1').topology
  for wrong in (['v5e'], ['v9:2x2'], ['v5e:2x2', '--mode', 'pmap']):
    with pytest.raises(SystemExit):
      args('--topology', *wrong)
    assert '--topology' in capsys.readouterr().err
  monkeypatch.setenv('TPU_LIBRARY_PATH', '/nowhere/libtpu.so')
  monkeypatch.setitem(__import__('sys').modules, 'libtpu', None)
  with pytest.raises(UserError, match='cannot compile for v5e:2x2.*libtpu'):
    aot.slice_devices('v5e:2x2')


def test_each_device_count_has_a_process(monkeypatch, tmp_path, capsys):
  calls = []

  class Process:
    returncode = 0

    def __init__(self, command, env, **_):
      devices = int(command[-1])
      calls.append((devices, env['XLA_FLAGS']))
      row = {'on': str(devices), 'devices': devices, 'batch': 1, 'total_gib': 1.0}
      self.stdout = ['a warning\n', aot.MARK + json.dumps(row) + '\n']

    def __enter__(self):
      return self

    def __exit__(self, *_):
      pass

  monkeypatch.setattr(aot.subprocess, 'Popen', Process)
  out = tmp_path / 'rows.json'
  assert aot.main(['--devices', '1', '4', '--batch', '1', '--json', str(out)]) == 0
  assert [devices for devices, _ in calls] == [1, 4]
  assert 'device_count=4' in calls[1][1]
  assert [row['devices'] for row in json.loads(out.read_text())] == [1, 4]
  assert 'fits' in capsys.readouterr().out
