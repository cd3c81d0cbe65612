"""Two runs to a weights folder: what travels, what is said of missing pieces."""

import json

import jax
import numpy as np
import pytest

from experiments import carry, export
from experiments.face_run import FaceRun
from experiments.motion_run import MotionRun
from vasa_jax.errors import UserError
from vasa_jax.face import config as face_config
from vasa_jax.inference.bundle import load_bundle
from vasa_jax.motion import config as motion_config
from vasa_jax.training.checkpoint import Checkpoints
from vasa_jax.training.config import to_json


def fake_run(name, run, workdir):
  """A work folder as training leaves it, with made-up numbers."""
  abstract = carry.abstract_state(name, run)
  rng = np.random.default_rng(len(name))
  state = jax.tree.map(
    lambda a: np.asarray(rng.normal(1, 0.1, a.shape)).astype(a.dtype), abstract
  )
  workdir.mkdir(parents=True)
  (workdir / 'config.json').write_text(to_json(run))
  lines = [{'step': 3, 'eval/psnr': 1.0}, {'step': 5, 'loss': 2.0, 'eval/psnr': 21.25}]
  lines += [{'step': 5, 'loss': 0.5}, {'step': 6, 'eval/psnr': 99.0}]
  text = ''.join(json.dumps(line) + '\n' for line in lines)
  (workdir / 'metrics.jsonl').write_text(text + '{"step": 7, "eva')
  with Checkpoints(workdir) as checkpoints:
    checkpoints.save(5, state, {'step': 5}, {'seconds': 90.0})
    checkpoints.wait()
  return state


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
  """Folder of both runs, and their states."""
  folder = tmp_path_factory.mktemp('runs')
  face = FaceRun(model=face_config.tiny(), source='live', ema_decay=0.9, seed=4)
  motion = MotionRun(model=motion_config.tiny(), cache=str(folder / 'gone'))
  states = {
    'face': fake_run('face', face, folder / 'face'),
    'motion': fake_run('motion', motion, folder / 'motion'),
  }
  return folder, states


def call(runs, out, *words):
  folder = runs[0]
  return export.main(
    ['--face', str(folder / 'face'), '--motion', str(folder / 'motion'), '--out',
     str(out), *map(str, words)]
  )  # fmt: skip


@pytest.fixture(scope='module')
def table(tmp_path_factory):
  file = tmp_path_factory.mktemp('table') / 'table.json'
  line = {'system': 'model', 'low': 20.0, 'high': 24.0, 'clips': 9, 'unit': 'dB'}
  lines = [
    {'metric': 'psnr', 'value': 22.5, **line},
    {'metric': 'mouth_r', 'value': 0.41, **line, 'low': None, 'unit': ''},
    {'metric': 'identity', 'value': None, **line},
  ]
  facts = {'rendered': '9 people of seed 0', 'talks': 'portrait.jpg says voice.wav'}
  file.write_text(json.dumps({'metrics': lines, 'facts': facts}))
  return file


def test_weights_and_facts(runs, tmp_path, table, capsys):
  words = '--hardware', 'two cores', '--figures', table
  assert call(runs, tmp_path / 'w', *words) == 0
  assert 'face step 5, motion step 5' in capsys.readouterr().out
  bundle, states = load_bundle(tmp_path / 'w'), runs[1]
  # The face run keeps an average, which is shipped; the motion run keeps none.
  pairs = (
    (bundle.face_params, states['face'].ema),
    (
      bundle.motion_params,
      states['motion'].params,
    ),
  )
  for made, wanted in pairs:
    for a, b in zip(jax.tree.leaves(made), jax.tree.leaves(wanted), strict=True):
      np.testing.assert_allclose(a, b, rtol=2.0**-11, atol=0)
  for name, value in states['motion'].params['stats'].items():
    np.testing.assert_array_equal(bundle.motion_params['stats'][name], value)
  assert bundle.meta['face']['steps'] == 5 and bundle.meta['face']['seconds'] == 90
  # of the checkpoint's step: neither an older evaluation nor one that was lost
  assert bundle.meta['face']['figures'] == {'step': 5, 'psnr': 21.25}
  assert bundle.meta['face']['versions']['jax'] == jax.__version__
  card = (tmp_path / 'w' / 'MODEL_CARD.md').read_text()
  rendered, photograph = card.split('## Figures on a real photograph')
  assert '| psnr (dB) | model | 22.5 | 20 to 24 | 9 |' in rendered
  assert 'face run at step 5: psnr 21.25' in rendered
  assert '| mouth_r | model | 0.41 | one clip | 9 |' in photograph
  assert 'identity' not in card and '- Hardware: two cores' in card
  assert '1.5 min' in card and 'Apache-2.0' in card
  assert str(runs[0]) not in card + (tmp_path / 'w' / 'config.json').read_text()


def test_float32_and_an_old_card(runs, tmp_path):
  out = tmp_path / 'w'
  out.mkdir()
  (out / 'MODEL_CARD.md').write_text('old')
  assert call(runs, out, '--dtype', 'float32') == 0
  made = load_bundle(out).face_params
  for a, b in zip(
    jax.tree.leaves(made), jax.tree.leaves(runs[1]['face'].ema), strict=True
  ):
    np.testing.assert_array_equal(a, b)
  card = (out / 'MODEL_CARD.md').read_text()
  assert 'old' not in card and card.count('Not measured.') == 1
  assert 'Hardware' not in card


def test_from_carried_parts(runs, tmp_path):
  run = export.read_run('motion', runs[0] / 'motion').run
  found = carry.read_checkpoint('motion', run, runs[0] / 'motion')
  texts = carry.run_texts(runs[0] / 'motion', found, found.meta)
  files = carry.encode(found.state, exact=True)
  (tmp_path / 'box').mkdir()
  carry.write_parts(tmp_path / 'box', 'motion', files, texts)
  carried = export.read_run('motion', tmp_path / 'box')
  plain = export.read_run('motion', runs[0] / 'motion')
  assert carried.run == plain.run and carried.facts == plain.facts
  for a, b in zip(
    jax.tree.leaves(carried.params), jax.tree.leaves(plain.params), strict=True
  ):
    np.testing.assert_array_equal(a, b)


def test_compute_type_of_accelerators_stays_behind(runs, tmp_path):
  folder = tmp_path / 'copy'
  folder.mkdir()
  for item in (runs[0] / 'face').iterdir():
    (folder / item.name).symlink_to(item)
  text = (runs[0] / 'face' / 'config.json').read_text()
  (folder / 'config.json').unlink()
  assert text.count('"dtype": "float32"') == 2  # the model's, then its critic's
  text = text.replace('"dtype": "float32"', '"dtype": "bfloat16"', 1)
  (folder / 'config.json').write_text(text)
  assert call(runs, tmp_path / 'w', '--face', folder) == 0
  assert load_bundle(tmp_path / 'w').face_config == face_config.tiny()


def test_missing_pieces_are_one_line(runs, tmp_path, capsys):
  empty = tmp_path / 'empty'
  empty.mkdir()
  (tmp_path / 'begun').mkdir()
  (tmp_path / 'begun' / 'config.json').write_text(to_json(FaceRun()))
  (tmp_path / 'no.json').write_text('{"metrics": 3}')
  for words, says in (
    (['--face', tmp_path / 'none'], 'no such run'),
    (['--face', empty], 'not a run'),
    (['--face', tmp_path / 'begun'], 'holds no checkpoint'),
    (['--face', runs[0] / 'motion'], 'not a run of the face stage'),
    (['--figures', tmp_path / 'no.json'], 'no table of experiments.evaluate'),
    (['--figures', tmp_path / 'none.json'], 'no table of experiments.evaluate'),
  ):
    assert call(runs, tmp_path / 'w', *words) in (1, 2)
    said = capsys.readouterr().err
    assert said.count('\n') == 1 and says in said, said
  assert not (tmp_path / 'w').exists()


def test_data_of_the_motion_run_is_counted(tmp_path):
  from data_pipelines.motion_cache import MotionClip, write_cache

  clips = [
    MotionClip(
      str(i), np.zeros((4500, 320), np.uint8), np.zeros((4500, 60), np.float32),
      np.zeros(2), 1.0, np.zeros(8), held_out=i == 0,
    )
    for i in range(2)
  ]  # fmt: skip
  write_cache(tmp_path / 'c.npz', clips)
  run = MotionRun(cache=str(tmp_path / 'c.npz'))
  said = export.describe_data('motion', run)
  assert said == '2 clips, 0.10 hours of speech with its motion, 1 of them held out'


def test_damaged_meta_is_named(tmp_path):
  place = tmp_path / 'checkpoints' / '3' / 'meta'
  place.mkdir(parents=True)
  (place / 'metadata').write_text('{')
  with pytest.raises(UserError, match='metadata cannot be read'):
    export.newest_meta(tmp_path)
