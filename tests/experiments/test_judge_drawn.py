"""True pictures beside what is drawn anew."""

import json

import numpy as np
import pytest

from experiments import judge_drawn
from experiments.judge_drawn import PARTS, SIZE
from vasa_jax.metrics.faces import find_mesh
from vasa_jax.metrics.openings import mouth_opening


def test_people_show_what_the_part_needs():
  (who,) = judge_drawn.rendered(PARTS['lips'], 1)
  assert who.truth.shape == (2, SIZE, SIZE, 3)
  smile, calm = (
    mouth_opening(find_mesh(x)[None])[0] for x in (who.portrait, who.truth[0])
  )
  assert smile > 2 * calm  # teeth in the portrait, none in the truth
  (again,) = judge_drawn.rendered(PARTS['lips'], 1)
  np.testing.assert_array_equal(again.truth, who.truth)


def test_scores_are_of_the_box():
  part, box = PARTS['mouth'], np.s_[100:120, 90:150]
  truth = np.zeros((3, SIZE, SIZE, 3), np.uint8)
  beside, within = truth.copy(), truth.copy()
  beside[:, :90] = 200
  within[:, 100:110, 90:150] = 30
  made = {'truth': truth, 'model': beside, 'without': within}
  rows = judge_drawn.scored(part, 'somebody', made, box, None)
  assert [row.get('opens') for row in rows] == [None, 0.0, 15.0]

  def lpips(a, b):
    assert a.shape == (3, *judge_drawn.BOX[::-1], 3)
    return np.abs(a - b).mean((1, 2, 3))

  rows = judge_drawn.scored(part, 'somebody', made, box, lpips)
  assert rows[1]['opens_lpips'] == 0
  assert rows[2]['opens_lpips'] == pytest.approx(15 / 255, rel=0.01)


@pytest.mark.slow
def test_smiles_close(tmp_path):
  words = ['--out', str(tmp_path), '--people', '2', '--parts', 'lips']
  assert judge_drawn.main(words) == 0
  table = json.loads((tmp_path / 'table.json').read_text())
  gaps = {row['system']: row['value'] for row in table['metrics']
          if row['metric'] == 'lips_gap'}  # fmt: skip
  assert gaps['model'] < gaps['without']
  assert (tmp_path / 'lips.png').exists()


def test_people_are_counted(capsys):
  with pytest.raises(SystemExit):
    judge_drawn.main(['--out', 'x', '--people', '0'])
  assert '--people must be 1 or more' in capsys.readouterr().err
