"""Scores of a sweep's runs as one table."""

import numpy as np
import pytest

from experiments import oracle_people, oracle_systems, oracle_table
from vasa_jax.errors import UsageError, UserError


def row(clip, asked, **scores):
  known = dict.fromkeys(
    (
      'pose_change',
      'pose_miss',
      'turn_share',
      'mouth_change',
      'mouth_asked',
      'identity',
      'identity_rest',
      'psnr',
    ),
    float('nan'),
  )
  return {'clip': clip, 'asked': asked, 'found': 1.0, **known, **scores}


@pytest.fixture
def rows():
  made = []
  for name, leak in (('a', 2.0), ('b', 4.0), ('c', 6.0)):
    made += [row(name, 'nothing', pose_change=leak + d) for d in (-1, 1)]
    made += [
      row(name, 'dynamics', mouth_asked=a, mouth_change=0.5 * a) for a in (0.1, 0.4)
    ]
    made.append(row(name, "stranger's motion", identity=0.5))
  made.append(row('c', 'pose'))  # nothing could be read
  return made


def test_means_are_over_people(rows):
  found = oracle_table.figures(rows)
  assert found['pose leak']['value'] == 4 and found['pose leak']['people'] == 3
  assert 2 <= found['pose leak']['low'] < 4 < found['pose leak']['high'] <= 6
  assert found['mouth moved']['value'] == pytest.approx(0.5)
  assert np.isnan(found['pose missed']['value'])
  assert found['pose missed']['people'] == 0


def test_change_is_between_the_same_people():
  found = oracle_table.change([1.0, 2.0, float('nan')], [2.0, 4.0, 100.0])
  assert found == {'value': -0.5, 'low': -0.5, 'high': -0.5}
  assert np.isnan(oracle_table.change([1.0], [2.0])['value'])


def test_table_has_a_line_a_run_and_compares(rows):
  less = [r | {'pose_change': r['pose_change'] / 2} for r in rows]
  table = {'none': oracle_table.figures(rows), 'less': oracle_table.figures(less)}
  text = oracle_table.markdown(table, 'none')
  lines = text.splitlines()
  assert lines[2].startswith('| none | 4 (') and lines[3].startswith('| less | 2 (')
  assert lines[-1].startswith('| less | -50 % (-50 to -50)')
  assert 'Change' not in oracle_table.markdown(table)


def test_pictures_are_averaged_to_the_models_size():
  picture = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
  small = oracle_people.averaged(picture, 2)
  assert small[0, 0].tolist() == np.rint(picture[:2, :2].mean((0, 1))).tolist()
  with pytest.raises(UserError, match='4 px, the model 3 px'):
    oracle_people.averaged(picture, 3)


def test_a_folder_without_runs_is_named(tmp_path):
  with pytest.raises(UsageError, match='holds no run'):
    oracle_systems.runs_in(tmp_path)
