"""Files that no camera makes cost a line each, never the run."""

import json
import time

import pytest

from data_pipelines import builder, prepare, schema
from data_pipelines.ingest import inputs
from data_pipelines.ingest.config import REASONS, Config
from tests.data_pipelines.ingest import drawn_videos as drawn
from tests.data_pipelines.ingest import hostile_videos as hostile

CONFIG = Config(size=64, min_sharpness=0.0)


def survive(tmp_path, count: int, workers: int) -> dict[str, dict]:
  """Runs them all; the report of each by its name."""
  base = drawn.speaker(tmp_path / 'base.mp4', 4.0)
  folder = tmp_path / 'videos'
  paths = hostile.make(folder, base, count)
  (folder / 'good.mp4').write_bytes(base.read_bytes())
  out = tmp_path / 'out'
  lines: list[str] = []
  prepare.prepare(
    inputs.find_videos([folder]), out, CONFIG,
    work=prepare.Work(workers, limit=120.0, silence=60.0),
    eyes=drawn.eyes, tell=lines.append,
  )  # fmt: skip
  assert len(lines) == count + 1 and all('\n' not in line for line in lines)
  reports = {}
  for path in (out / 'videos').glob('*.json'):
    report = json.loads(path.read_text())
    reports[report['key'].rsplit('-', 1)[0]] = report
  assert len(reports) == count + 1
  for path in paths:
    report = reports[path.stem]
    reasons = [o['reason'] for o in report['outcomes']]
    assert report['reason'] in REASONS or report['outcomes'], path
    assert all(reason is None or reason in REASONS for reason in reasons)
  assert any(o['reason'] is None for o in reports['good']['outcomes'])
  for example in builder.open_clips(out):
    clip = schema.from_example(example)
    assert {schema.decode_picture(f).shape for f in clip.frames} == {(64, 64, 3)}
  return reports


def test_a_few_of_each_kind(tmp_path):
  began = time.monotonic()
  reports = survive(tmp_path, 22, workers=0)
  assert time.monotonic() - began < 120
  found = {name[4:]: report for name, report in reports.items()}

  def reasons(name):
    return {o['reason'] for o in found[name]['outcomes']} | {found[name]['reason']}

  assert reasons('no_pictures') == reasons('only_sound') == {'broken file'}
  assert reasons('noise') == {'broken file'}
  assert reasons('one_pixel') == {'no face'}
  assert reasons('more_than_8k') == {'too large'}
  assert reasons('one_a_second') == {'frame rate', None}
  assert None in {o['reason'] for o in found['ten_tracks']['outcomes']}
  assert found['ten_tracks']['tracks'] == 10
  assert found['leaps']['reason'] is None and found['leaps']['shots'] == 4
  # its edit list hides the two seconds before zero
  assert found['negative_times']['seconds'] == pytest.approx(1.0)


@pytest.mark.slow
def test_two_hundred_of_them(tmp_path):
  survive(tmp_path, 200, workers=2)
