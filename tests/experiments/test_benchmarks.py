"""The benchmark commands print what the README quotes."""

import json
import math

import pytest

from experiments.benchmarks import inference, jpeg, loader, rendering
from tests.data_pipelines.conftest import make_clip, write_corpus


def _printed(capsys) -> dict:
  return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_inference_prints_consistent_figures(capsys):
  assert inference.main('--preset tiny --batch 2 --repeats 1'.split()) == 0
  found = _printed(capsys)
  assert (found['weights'], found['batch']) == ('tiny', 2)
  times = [found[name] for name in ('fit', 'encode', 'prior', 'decode', 'window')]
  assert all(math.isfinite(time) and time > 0 for time in times)
  # Rounding to hundredths of a millisecond is all that may part the two.
  assert found['shown_frames_per_second'] * found['shown'] == pytest.approx(
    1e3, rel=0.02
  )
  assert found['motion_frames_per_second'] * found['window'] == pytest.approx(
    8e3, rel=0.02
  )


def test_rendering_prints_every_stage(capsys):
  words = '--size 32 --supersample 1 --people 1 --frames 2'
  assert rendering.main(words.split()) == 0
  found = _printed(capsys)
  assert (found.pop('size'), found.pop('supersample')) == (32, 1)
  stages = {'person', 'place', 'load', 'frame', 'speech', 'act', 'everything'}
  assert set(found) == stages | {'frames_per_second', 'everything_per_second'}
  assert all(time > 0 for time in found.values())


def test_missing_weights_are_one_line(tmp_path, capsys):
  assert inference.main(['--weights', str(tmp_path / 'none')]) == 1
  error = capsys.readouterr().err
  assert error.startswith('error: ') and error.count('\n') == 1


@pytest.mark.parametrize('main', [inference.main, rendering.main])
def test_wrong_usage(main, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['--repeats' if main is inference.main else '--people', '0'])
  assert stop.value.code == 2
  assert 'must be 1 or more' in capsys.readouterr().err


def test_loader_says_whether_input_keeps_up(records, tmp_path, capsys):
  run = tmp_path / 'run'
  run.mkdir()
  (run / 'config.json').write_text('{"drivers": 2}')
  row = {'samples_per_second': 4.0, 'data_wait': 0.01, 'goodput': 0.9}
  lines = [{'step': 0} | row | {'samples_per_second': 1.0}]
  lines += [{'step': 50 * i} | row for i in (1, 2, 3)]
  (run / 'metrics.jsonl').write_text('\n'.join(map(json.dumps, lines)))
  words = ['--records', str(records), '--workers', '0', '--batches', '5']
  assert loader.main([*words, '--run', str(run)]) == 0
  found = _printed(capsys)
  assert found['pairs_per_second']['0'] > 0 and found['cpu_ms'] > 0
  # The first line compiled: 4 sources a second, each with two drivers.
  assert (found['needed'], found['data_wait'], found['steps']) == (8.0, 0.01, 150)
  assert found['cores'] == pytest.approx(8.0 * found['cpu_ms'] / 1e3, abs=1e-3)
  assert loader.main([*words, '--run', str(tmp_path)]) == 1
  assert 'is not the folder of a run' in capsys.readouterr().err


@pytest.fixture
def records(tmp_path):
  """Four clips drawn with numpy."""
  clips = [make_clip(person) for person in range(4)]
  return write_corpus(tmp_path / 'records', clips)


def test_better_jpeg_is_larger_and_nearer(capsys):
  words = '--size 64 --people 1 --frames 1 --quality 60 95 --repeats 1'
  assert jpeg.main(words.split()) == 0
  rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
  assert [(r['colour'], r['quality']) for r in rows] == [
    ('420', 60), ('420', 95), ('444', 60), ('444', 95)
  ]  # fmt: skip
  for low, high in (rows[:2], rows[2:]):
    assert high['kilobytes'] > low['kilobytes']
    assert high['psnr'] > low['psnr'] + 3 and high['psnr_lips'] > low['psnr_lips']
  assert rows[3]['psnr'] > rows[1]['psnr']  # full colour is nearer
  assert all(row['decode'] > 0 for row in rows)
