"""Stage 1 as a run: configs, job, evaluation."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import face_run
from experiments.face_run import FaceRun
from vasa_jax.errors import UsageError, UserError
from vasa_jax.face import config as config_lib
from vasa_jax.face.autoencoder import init_params
from vasa_jax.face.losses import LossConfig
from vasa_jax.inference.bundle import EMBEDDED, load_bundle
from vasa_jax.metrics.oracle import OraclePair
from vasa_jax.teachers import fetch
from vasa_jax.training.config import apply_overrides, from_json, load_config, to_json
from vasa_jax.types import Motion

CONFIGS = sorted((Path(face_run.__file__).parent / 'configs').glob('face_*.py'))
SIZE = 64


@pytest.fixture
def no_teacher(monkeypatch):
  def missing(name):
    raise UserError(f'{name} is not here; run fetch_weights')

  monkeypatch.setattr(fetch, 'load_teacher', missing)


@pytest.fixture(scope='module')
def pairs():
  """Four pairs whose answer is the portrait itself."""
  rng = np.random.default_rng(0)
  picture = rng.integers(0, 255, (8, 8, 3), np.uint8)
  picture = np.kron(picture, np.ones((8, 8, 1), np.uint8))
  rest = Motion(np.zeros(6, np.float32), np.zeros(54, np.float32))
  return [
    OraclePair(f'{i}', picture, rest, picture, rest, np.zeros(64, np.float32))
    for i in range(4)
  ]


def test_all_presets_have_a_config():
  assert {f'face_{name}' for name in config_lib.PRESETS} <= {c.stem for c in CONFIGS}


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_configs_build(path, no_teacher, capsys):
  config = load_config(path)
  assert from_json(FaceRun, to_json(config)) == config
  assert config.model == config_lib.PRESETS[path.stem.removeprefix('face_')]()
  job = config.job()
  assert callable(job.loss) and callable(job.evaluate)
  # Without the teacher's weights a run says so, once, and goes on.
  assert ('perceptual loss is off' in capsys.readouterr().out) == bool(
    config.losses.perceptual
  )
  changed = apply_overrides(config, ['model.motion_width=24', 'losses.flow=3'])
  assert changed.model.motion_width == 24 and changed.losses.flow == 3.0
  with pytest.raises(UsageError, match='records'):
    apply_overrides(config, ['record=corpus'])


@pytest.mark.slow
def test_evaluation_knows_its_floors(pairs):
  model = config_lib.tiny()
  params = init_params(model, jax.random.key(0))
  figures = face_run.evaluate(model, params, pairs)
  assert set(figures) == {
    floor + measure
    for floor in ('', 'copy_', 'warp_')
    for measure in ('psnr', 'ssim', 'l1')
  }
  # The answer is the portrait: copying is perfect, and so is a flow of zero.
  assert figures['copy_psnr'] == 100 and figures['copy_l1'] == 0
  assert figures['warp_psnr'] > 40
  # Untrained, 12 % of the picture are paint: near, not equal.
  assert 15 < figures['psnr'] < 40 and 0 < figures['l1'] < 0.1
  sheet = face_run.preview(model, params, pairs)
  assert sheet.shape == (SIZE, 3 * SIZE, 3) and sheet.dtype == np.uint8
  np.testing.assert_array_equal(sheet[:, :SIZE], pairs[1].source)
  made = sheet[:, 2 * SIZE :].astype(float) / 255
  error = np.square(made - pairs[1].driver / 255).mean()
  assert -10 * np.log10(error) == pytest.approx(figures['psnr'], abs=0.1)


def test_held_out_people_are_drawn_once_and_repeat():
  once, again = (face_run.held_out_pairs(1, 32) for _ in range(2))
  assert len(once) == 3 and once[0].source.shape == (32, 32, 3)
  for one, other in zip(once, again, strict=True):
    np.testing.assert_array_equal(one.driver, other.driver)
    np.testing.assert_array_equal(one.shape, other.shape)
  assert np.any(once[0].driver != once[2].driver)


@pytest.mark.slow
def test_live_batches_fit_the_loss(no_teacher):
  run = FaceRun(
    model=config_lib.tiny(),
    losses=LossConfig(consistency=0.1),
    source='live',
    workers=1,
    pool=2,
    pool_start=2,
    batch_size=2,
  )
  job = run.job()
  batches = job.batches(None, 0, 1)
  try:
    batch = next(batches)
  finally:
    batches.close()
  assert batch['driver_picture'].shape == (2, 2, SIZE, SIZE, 3)
  params = jax.eval_shape(job.init, jax.random.key(0))
  value, scalars = jax.eval_shape(job.loss, params, batch, jax.random.key(0))
  assert value.shape == () and value.dtype == jnp.float32
  assert {'pixel', 'flow', 'psnr'} <= set(scalars)


@pytest.mark.parametrize('place', ['embedded', str(EMBEDDED)])
def test_a_run_may_start_from_a_weights_folder(place, no_teacher):
  run = FaceRun(model=config_lib.lite(), init_from=place, held_out=0)
  made = run.job().init(jax.random.key(0))
  shipped = load_bundle().face_params
  jax.tree.map(np.testing.assert_array_equal, dict(made), dict(shipped))


def test_weights_of_another_model_are_no_start(no_teacher):
  run = FaceRun(model=config_lib.tiny(), init_from='embedded', held_out=0)
  with pytest.raises(UserError, match='embedded holds another model'):
    run.job().init(jax.random.key(0))


def test_missing_records_are_named(no_teacher):
  run = FaceRun(model=config_lib.tiny(), records='/nowhere')
  with pytest.raises(Exception, match='/nowhere') as caught:
    run.job().batches(None, 0, 1)
  assert 'UserError' in type(caught.value).__name__


def test_missing_perceptual_weights_are_an_error():
  run = FaceRun(model=config_lib.tiny(), perceptual_weights='/nowhere/vgg16.npz')
  with pytest.raises(UserError, match='/nowhere/vgg16.npz'):
    run.job()
