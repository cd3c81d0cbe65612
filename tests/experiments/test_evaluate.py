"""The command: what it writes, how it fails."""

import csv
import json

import jax
import numpy as np
import pytest

from experiments import evaluate
from vasa_jax.errors import UserError
from vasa_jax.inference.media.video import VideoWriter
from vasa_jax.metrics import faces


@pytest.fixture
def bare(monkeypatch, tmp_path):
  """A machine without the optional parts: the same everywhere."""

  def missing():
    raise UserError(faces.NO_DLIB)

  monkeypatch.setattr(faces, 'load_descriptor', missing)
  monkeypatch.setenv('VASA_CACHE', str(tmp_path / 'empty_cache'))


def film(path, frames=3, top=255):
  path.parent.mkdir(exist_ok=True)
  ramp = np.tile(np.linspace(0, top, 64).astype(np.uint8)[:, None, None], (1, 64, 3))
  with VideoWriter(path, (64, 64), sound_rate=None) as writer:
    writer.write(np.stack([ramp] * frames))


def test_videos_to_a_report(bare, tmp_path, capsys):
  for name in ('one', 'two'):
    film(tmp_path / f'{name}.mp4')
  out = tmp_path / 'report'
  command = ['--videos', str(tmp_path), '--out', str(out)]
  assert evaluate.main(command) == 0
  table = json.loads((out / 'table.json').read_text())
  assert [clip['clip'] for clip in table['clips']] == ['one', 'two']
  found = next(m for m in table['metrics'] if m['metric'] == 'mesh_found')
  assert found['value'] == 0 and found['passed'] is False and found['clips'] == 2
  assert 'vasa_jax[eval]' in table['facts']['not measured: identity']
  page = (out / 'report.html').read_text()
  assert page.count('data:image/jpeg') == 2
  assert 'frames with a face mesh' in capsys.readouterr().out
  assert evaluate.main(command) == 0
  assert json.loads((out / 'table.json').read_text()) == table


def test_videos_against_a_reference(bare, tmp_path, monkeypatch):
  """Distances with stand-ins for the nets: mean colours."""
  from vasa_jax.metrics import video_features

  def means(pictures):
    return np.asarray(pictures, np.float32).mean(tuple(range(1, pictures.ndim - 1)))

  monkeypatch.setattr(video_features, '_i3d', lambda: means)
  for i in range(5):
    film(tmp_path / 'made' / f'{i}.mp4', 25 + i, 160 + 9 * i)
    film(tmp_path / 'real' / f'{i}.mp4', 25 + i, 200 + 9 * i)
  out = tmp_path / 'report'
  command = ['--videos', str(tmp_path / 'made'), '--reference', str(tmp_path / 'real')]
  command += ['--out', str(out)]
  assert evaluate.main(command) == 0
  table = json.loads((out / 'table.json').read_text())
  fvd = {m['system']: m for m in table['metrics'] if m['metric'] == 'fvd25'}
  # Three channels are 20 darker on average, and spread alike.
  assert fvd['model']['value'] == pytest.approx(3 * 20**2, rel=0.05)
  assert fvd['model']['low'] < fvd['model']['value'] < fvd['model']['high']
  assert 'halves of the reference' in fvd and fvd['model']['clips'] == 5
  assert 'fetch_weights vgg16' in table['facts']['not measured: distances of pictures']
  assert '5 of model against 5' in table['facts']['FVD25']
  lines = list(csv.DictReader((out / 'table.csv').read_text().splitlines()))
  row = next(r for r in lines if (r['metric'], r['system']) == ('fvd25', 'model'))
  assert float(row['value']) == fvd['model']['value'] and row['bar'] == ''
  clips = list(csv.DictReader((out / 'clips.csv').read_text().splitlines()))
  assert [clip['clip'] for clip in clips] == list('01234')
  page = (out / 'report.html').read_text()
  assert '<figcaption>FVD25</figcaption>' in page and page.count('<svg') >= 2
  assert evaluate.main(command) == 0  # from what was kept
  again = json.loads((out / 'table.json').read_text())
  assert again['metrics'] == table['metrics']


def test_two_processes_say_what_one_does(bare, tmp_path):
  for name in ('one', 'two', 'three'):
    film(tmp_path / 'in' / f'{name}.mp4')
  (tmp_path / 'in' / 'broken.mp4').write_bytes(b'no video')
  tables = []
  for workers in ('1', '2'):
    out = tmp_path / workers
    command = ['--videos', str(tmp_path / 'in'), '--out', str(out)]
    assert evaluate.main([*command, '--workers', workers]) == 0
    tables.append((out / 'table.json').read_text())
  assert tables[0] == tables[1] and 'broken.mp4' in tables[0]


def test_what_was_asked_is_read_from_a_file(bare, tmp_path, capsys):
  film(tmp_path / 'one.mp4')
  asked = tmp_path / 'asked.json'
  command = ['--videos', str(tmp_path), '--out', str(tmp_path / 'r')]
  command += ['--asked', str(asked)]
  asked.write_text('{"one": {"gaze": [5, 0], "distance": 1.2}}')
  assert evaluate.main(command) == 0
  row = json.loads((tmp_path / 'r' / 'table.json').read_text())['clips'][0]
  assert row['gaze_error'] is None and row['distance_error'] is None  # no face
  for text, words in (
    ('{"two": {}}', 'holds no clip two'), ('[]', 'write'), ('{', 'cannot read'),
    ('{"one": {"gaze": 5}}', 'asked.json, one'),
  ):  # fmt: skip
    asked.write_text(text)
    assert evaluate.main(command) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize('what', ['videos', 'weights'])
def test_missing_input_is_one_line(bare, tmp_path, capsys, what):
  out = tmp_path / 'r'
  assert evaluate.main([f'--{what}', str(tmp_path / 'none'), '--out', str(out)]) == 1
  said = capsys.readouterr().err
  assert said.count('\n') == 1 and 'none' in said and not out.exists()


def test_wrong_usage(bare, tmp_path, capsys):
  for wrong in (
    [],
    ['--videos', 'a', '--weights', 'b'],
    ['--videos', 'a', '--clips=-1'],
  ):
    with pytest.raises(SystemExit) as caught:
      evaluate.main([*wrong, '--out', str(tmp_path)])
    assert caught.value.code == 2
  command = ['--weights', 'w', '--portraits', 'p', '--out', str(tmp_path / 'r')]
  assert evaluate.main(command) == 2
  assert 'belongs to --videos' in capsys.readouterr().err


def test_out_that_cannot_be_written(bare, tmp_path, capsys):
  film(tmp_path / 'one.mp4')
  (tmp_path / 'file').write_text('')
  command = ['--videos', str(tmp_path), '--out', str(tmp_path / 'file')]
  assert evaluate.main(command) == 1
  assert 'cannot write' in capsys.readouterr().err


def test_people_are_those_of_the_test_split():
  from data_pipelines.synthetic import recipe
  from experiments import held_out

  assert held_out.FIRST_SEED == recipe.SPLIT_OFFSET['test']
  assert held_out.STRIDE << 16 == recipe.SPLIT_OFFSET['validation']


def test_held_out_people_repeat_and_carry_their_labels():
  from experiments import held_out

  one, again = (next(held_out.talking_pairs(1, frames=1, size=32)) for _ in range(2))
  np.testing.assert_array_equal(one.driver, again.driver)
  assert one.source.shape == (32, 32, 3)
  cross = list(held_out.cross_pairs(1, frames=2, size=32))
  assert len(cross) == 2 and cross[0].driver_motion.z_dyn.shape == (54,)
  assert np.abs(cross[0].driver_motion.z_pose - cross[1].driver_motion.z_pose).max() > 0


@pytest.mark.slow
def test_weights_to_a_report(bare, tmp_path):
  """The whole path with untrained tiny weights: rendered people and a talking photo."""
  from vasa_jax.inference import models
  from vasa_jax.inference.bundle import Bundle, save_bundle

  configs = models.preset('tiny')
  params = {
    part: models.init(part, config, jax.random.key(0))
    for part, config in configs.items()
  }
  weights, out = tmp_path / 'weights', tmp_path / 'report'
  save_bundle(
    weights,
    Bundle(configs['face'], params['face'], configs['motion'], params['motion']),
  )
  command = ['--weights', str(weights), '--out', str(out), '--clips', '2', '--frames']
  command += ['1', '--talks', '1']
  assert evaluate.main(command) == 0
  table = json.loads((out / 'table.json').read_text())
  seen = {(m['system'], m['metric']) for m in table['metrics']}
  assert {('model', 'psnr'), ('copy', 'psnr'), ('model', 'mesh_found')} <= seen
  assert ('true picture', 'pose_error') in seen and ('model', 'lpips') not in seen
  assert len(list((out / 'talks').glob('*.mp4'))) == 1
  assert evaluate.main(command) == 0
  assert json.loads((out / 'table.json').read_text())['clips'] == table['clips']
