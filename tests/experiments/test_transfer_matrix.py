"""The questions of the matrix, its table, and systems that are not ours."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from data_pipelines.synthetic import oracle_set
from experiments import oracle_systems, transfer_matrix
from experiments.transfer_matrix import ASKED, main, transfers
from vasa_jax.errors import UsageError

THEIRS = """
from vasa_jax.metrics.oracle import copy_source

def get_adapter():
  return copy_source(), 4
"""


def shot(value, level):
  return SimpleNamespace(
    value=value, picture=np.full((8, 8, 3), level, np.uint8), shape=np.full(64, level),
    z_pose=np.full(6, level, np.float32), z_dyn=np.full(54, level, np.float32),
  )  # fmt: skip


@pytest.fixture
def oracle(monkeypatch):
  """Two people whose pictures are grey: the base 10, the changed ones 20 and up."""
  groups = []
  for number in range(2):
    base = shot(0.0, 10 + number)
    plan = {k: v for _, factors in ASKED.values() for k, v in factors.items()}
    for factor, values in (plan | {'identity': (1.0,)}).items():
      changed = tuple(shot(value, 20 + i) for i, value in enumerate(values))
      groups.append(SimpleNamespace(
        identity=number, factor=factor, base=base, changed=changed
      ))  # fmt: skip
  monkeypatch.setattr(oracle_set, 'load_oracle', lambda folder: iter(groups))


def test_every_factor_is_asked_both_ways(oracle):
  asked = transfers('oracle', 4)
  count = {name: sum(s.asked == name for s in asked) for name in (*ASKED, 'identity')}
  assert count == {'pose': 24, 'gaze': 16, 'expression': 16, 'identity': 2}
  for swap in asked:
    assert swap.portrait.picture.shape == (4, 4, 3)
    if swap.asked == 'identity':  # another person, moved like the one who was there
      assert swap.taken == 'motion' and swap.truth is swap.portrait.picture
      assert swap.shape[0] == 20 and swap.donor.picture.max() < 20
      # what was there before is asked about as a portrait too
      assert any(other.portrait is swap.donor for other in asked)
    else:
      assert swap.truth is swap.donor.picture
      assert {swap.truth.max() < 20, swap.portrait.picture.max() < 20} == {True, False}


def test_table():
  cell = {'value': 1.234, 'low': 1.0, 'high': 1.5, 'people': 3}
  missing = {'value': None, 'low': None, 'high': None, 'people': 0}
  row = {'pose': cell, 'gaze': missing, 'expression': missing, 'identity': missing}
  text = transfer_matrix.markdown(
    {'us': dict.fromkeys(('pose', 'gaze', 'expression', 'identity'), row)}
  )
  assert '| pose | **1.2 (1 to 1.5)** |  |  |  |' in text
  assert '| gaze | 1.2 (1 to 1.5) |' in text


def test_somebody_elses_model_is_asked_and_remembered(oracle, tmp_path, capsys):
  file, out = tmp_path / 'theirs.py', tmp_path / 'out'
  file.write_text(THEIRS)
  words = ['--adapter', f'theirs={file}', '--oracle', 'oracle', '--out', str(out)]
  assert main(words) == 0
  text = (out / 'matrix.md').read_text()
  assert [line for line in text.splitlines() if line.startswith('###')] == [
    '### truth', '### copy', '### theirs'
  ]  # fmt: skip
  kept = json.loads((out / 'theirs.json').read_text())
  assert len(kept['rows']) == 3 * 58
  kept['rows'] = [row | {'pose': 7.0} for row in kept['rows']]  # taken from here now
  (out / 'theirs.json').write_text(json.dumps(kept))
  assert main(words) == 0
  assert '**7 (7 to 7)**' in (out / 'matrix.md').read_text()
  capsys.readouterr()


@pytest.mark.parametrize(
  'words, told',
  [
    ('theirs', 'NAME=FILE'),
    ('theirs=nowhere.py', 'no such file'),
    ('theirs=empty.py', 'KeyError'),
    ('theirs=wrong.py', 'gave int, no adapter'),
  ],
)
def test_what_is_no_adapter_is_told(tmp_path, monkeypatch, words, told):
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'empty.py').write_text('')
  (tmp_path / 'wrong.py').write_text('def get_adapter():\n  return 1, 2\n')
  with pytest.raises(UsageError, match=told):
    oracle_systems.of_file(words)


def test_nobody_is_asked(tmp_path, capsys):
  assert main(['--oracle', 'x', '--out', str(tmp_path)]) == 2
  assert 'nobody would be asked' in capsys.readouterr().err
