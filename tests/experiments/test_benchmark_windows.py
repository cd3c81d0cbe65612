"""The benchmark of motion windows prints what it promises."""

import json

import pytest

from experiments.benchmarks import motion_windows


def test_windows_are_counted(capsys):
  words = '--clips 6 --batch 4 --batches 2 --threads 1'
  assert motion_windows.main(words.split()) == 0
  found = json.loads(capsys.readouterr().out)
  # 125 frames of 768 + 134 values, and some conditions
  size = found['megabytes_per_second'] / found['windows_per_second'] * 1e6
  assert size == pytest.approx(125 * (768 + 134) * 4, rel=0.02)
  assert found['needed'] == pytest.approx(395.1, abs=0.1)
  assert found['batch'] == 4 and found['windows_per_second'] > 0


def test_wrong_usage(capsys, tmp_path):
  with pytest.raises(SystemExit) as stop:
    motion_windows.main(['--clips', '0'])
  assert stop.value.code == 2 and 'must be 1 or more' in capsys.readouterr().err
  assert motion_windows.main(['--cache', str(tmp_path / 'none')]) == 1
  assert 'no motion cache' in capsys.readouterr().err
