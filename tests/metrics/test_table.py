"""Bootstrap intervals, what counts as a clip, and the three files of a report."""

import json
import re

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.metrics.table import (
  Metric,
  bootstrap,
  markdown,
  summarise,
  write_report,
)

ROWS = [
  {'clip': 'a', 'system': 'model', 'psnr': 20.0, 'pose_error': 4.0},
  {'clip': 'a', 'system': 'model', 'psnr': 24.0, 'pose_error': float('nan')},
  {'clip': 'b', 'system': 'model', 'psnr': 28.0, 'pose_error': 9.0},
  {'clip': 'a', 'system': 'copy', 'psnr': 10.0},
]


def line(lines, system, metric):
  return next(x for x in lines if (x.system, x.metric) == (system, metric))


def test_bootstrap_covers_the_mean_as_often_as_it_says():
  random = np.random.default_rng(0)
  hits = 0
  for i in range(200):
    low, high = bootstrap(random.normal(3, 1, 40), resamples=300, seed=i)
    hits += low <= 3 <= high
  assert 0.88 <= hits / 200 <= 0.99
  few, many = (np.subtract(*bootstrap(random.normal(size=n))[::-1]) for n in (20, 2000))
  assert many < few / 5
  assert np.isnan(bootstrap(np.array([1.0]))).all()


def test_clips_are_the_unit():
  psnr = line(summarise(ROWS), 'model', 'psnr')
  assert psnr.value == 25 and psnr.clips == 2 and psnr.worst == 22  # not 24, 3, 20
  # Twenty frames of one clip do not narrow anything.
  lines = summarise(ROWS + 20 * [ROWS[2]])
  assert line(lines, 'model', 'psnr') == psnr


def test_promises_and_what_could_not_be_measured():
  lines = summarise(ROWS)
  assert line(lines, 'model', 'psnr').passed is True
  pose = line(lines, 'model', 'pose_error')
  assert pose.value == 6.5 and pose.worst == 9 and pose.passed is False
  floor = line(lines, 'copy', 'psnr')
  assert floor.bar is None and floor.passed is None and floor.clips == 1
  text = markdown(lines)
  assert '<= 5: MISSED' in text and '>= 22: kept' in text and 'one clip' in text


def test_report_files(tmp_path):
  picture = tmp_path / 's.jpg'
  picture.write_bytes(b'jpeg')
  out = tmp_path / 'new' / 'report'
  write_report(
    out, ROWS, title='Weights <x>', facts={'seed': 0}, strips={'a': picture},
    failures=['c.mp4: broken'],
  )  # fmt: skip

  def refuse(constant):
    raise AssertionError(constant)

  table = json.loads((out / 'table.json').read_text(), parse_constant=refuse)
  assert table['metrics'][0]['metric'] == 'psnr' and table['clips'][1]['psnr'] == 24
  assert table['clips'][1]['pose_error'] is None
  assert 'c.mp4: broken' in (out / 'table.md').read_text()
  page = (out / 'report.html').read_text()
  assert 'Weights &lt;x&gt;' in page and 'data:image/jpeg;base64,anBlZw==' in page
  assert not re.search(r'(src|href)="(?!data:)', page)  # nothing from elsewhere


def test_unwritable_folder(tmp_path):
  (tmp_path / 'file').write_text('')
  with pytest.raises(UserError, match='cannot write'):
    write_report(tmp_path / 'file', ROWS, title='t', facts={})


def test_a_promise_for_every_row_is_broken_by_one():
  metrics = {
    'r': Metric('r', '', 'higher', 0.4, always=True),
    'lag': Metric('lag', 'frames', 'real', (-1.0, 1.0), always=True),
    'mean_r': Metric('r', '', 'higher', 0.4),
  }
  rows = [
    {'clip': 'a', 'system': 'model', 'r': 0.9, 'lag': 0.0, 'mean_r': 0.9},
    {'clip': 'a', 'system': 'model', 'r': 0.3, 'lag': -2.0, 'mean_r': 0.3},
    {'clip': 'b', 'system': 'model', 'r': 0.8, 'lag': 1.0, 'mean_r': 0.8},
  ]
  r, lag, mean_r = summarise(rows, metrics)
  assert (r.passed, lag.passed, mean_r.passed) == (False, False, True)
  assert (r.worst, lag.worst, mean_r.worst) == (0.3, -2.0, pytest.approx(0.6))
  assert '>= 0.4 always: MISSED' in markdown([r], metrics)
  r, lag, _ = summarise([rows[0], rows[2]], metrics)
  assert r.passed and lag.passed
