"""Every setting of runs that train judges, and of a row of Table 5, is looked at."""

import dataclasses
import re
import shutil
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from data_pipelines import motion_hearing
from data_pipelines.motion_cache import MotionClip, write_cache
from experiments import syncnet_run
from experiments.capp_run import CappRun
from experiments.guidance import row
from experiments.guidance.row import GuidanceRun
from experiments.motion_judging import systems, trials
from experiments.syncnet_run import SyncRun, Talk
from tests.experiments.keys import engine
from tests.experiments.keys.traces import program, values
from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference.talking_face import TalkingFace
from vasa_jax.metrics import video_features
from vasa_jax.teachers.capp import CappConfig
from vasa_jax.teachers.lipsync import LipSyncConfig
from vasa_jax.training.config import apply_overrides, flatten_names

SYNC = {
  'model.patch': 12, 'model.widths': (16, 16, 40), 'model.sound': 16,
  'model.embedding': 12, 'windows': 6, 'held_out': 3, 'augment': True, 'seed': 1,
  'batch_size': 3,
}  # fmt: skip
CAPP = {
  'model.pose': 'angles', 'model.pooling': 'mean', 'model.width': 12,
  'model.heads': 4, 'model.depth': 2, 'model.audio_depth': 2, 'model.embedding': 150,
  'shifted': 2, 'shift': (3, 5), 'stretched': 0.5, 'jitter': 0.5, 'augment': True,
  'seed': 1, 'batch_size': 4,
}  # fmt: skip
# Of the engine's settings only these two mean something to a run's own functions.
ENGINE = {'seed', 'batch_size'}


def own_names(run):
  return {name for name in flatten_names(run) if name not in engine.CHANGES}


def reached(run):
  """First batch, parameters and program of a run."""
  job = run.job()
  batch = next(job.batches(None, 0, 1))
  shapes = jax.eval_shape(job.init, jax.random.key(0))
  return values(batch), str(shapes), program(job.loss, shapes, batch, None)


def test_every_setting_is_tried():
  assert own_names(SyncRun()) == set(SYNC) - ENGINE | {'records'}
  assert own_names(CappRun()) == set(CAPP) - ENGINE | {'cache', 'model.audio_dim'}
  assert {field.name for field in dataclasses.fields(GuidanceRun)} == set(ROW)


@pytest.fixture
def sync_run(monkeypatch):
  rng = np.random.default_rng(0)

  def talk(i):
    mouths = rng.integers(0, 255, (16, 56, 56)).astype(np.uint8)
    return Talk(f'{i}', mouths, rng.random((16, 320), np.float32), 'voice')

  known, read = [talk(i) for i in range(6)], []
  monkeypatch.setattr(
    syncnet_run, 'read_talks', lambda records, split: read.append(records) or known
  )
  small = LipSyncConfig(widths=(16, 16, 32), sound=8, embedding=8)
  return SyncRun(
    model=small, records='here', windows=4, held_out=1, batch_size=2, augment=False
  ), read


@pytest.mark.parametrize('name', SYNC)
def test_the_setting_of_the_sync_net_reaches_something(sync_run, name):
  run, _ = sync_run
  assert reached(apply_overrides(run, {name: SYNC[name]})) != reached(run)


def test_the_sync_net_reads_the_records_that_are_named(sync_run):
  run, read = sync_run
  dataclasses.replace(run, records='elsewhere').job()
  assert read == ['elsewhere']


@pytest.fixture(scope='module')
def capp(tmp_path_factory):
  path = tmp_path_factory.mktemp('cache') / 'motion.npz'
  rng, clips = np.random.default_rng(0), []
  for i in range(6):
    motion = rng.normal(size=(110, 60)).astype(np.float32)
    features = rng.normal(size=(110, 320)).astype(np.float16)
    clips.append(
      MotionClip(f'c{i}', features, motion, np.zeros(2), 1.0, np.ones(8) / 8, i == 5)
    )
  write_cache(path, clips)
  small = CappConfig(width=8, heads=2, depth=1, audio_depth=1, embedding=75)
  return CappRun(model=small, cache=str(path), batch_size=8, augment=False, jitter=0.0)


@pytest.mark.parametrize('name', CAPP)
def test_the_setting_of_capp_reaches_something(capp, name):
  assert reached(apply_overrides(capp, {name: CAPP[name]})) != reached(capp)


def test_capp_is_trained_on_the_cache_that_is_named(capp, tmp_path):
  with pytest.raises(UsageError, match='320 audio features.*wants 4'):
    apply_overrides(capp, {'model.audio_dim': 4}).job()
  with pytest.raises(Exception, match='elsewhere'):
    dataclasses.replace(capp, cache=str(tmp_path / 'elsewhere')).job()


ROW = {
  'weights': 'another', 'shows': 'another take', 'guidance_audio': 2.0,
  'guidance_gaze': 0.25, 'sampling_steps': 7, 'speeches': 4, 'filmed': 1, 'frames': 9,
  'seeds': 2, 'people_seed': 3, 'voices': ('formant',), 'features': 'log-mel',
  'windows': 5, 'films': 'elsewhere',
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch, tmp_path):
  """`asked(run)`: what a row asks of all that it calls, in order."""
  log = []

  def told(name, answer=None):
    def stub(*args, **settings):
      log.append((name, args, settings))
      return answer(*args, **settings) if callable(answer) else answer

    return stub

  def people(count, seed, voices, frames):
    speaker = SimpleNamespace(
      audio=np.zeros(640 * frames, np.float32), motion=np.zeros((frames, 60)),
      again=np.ones((frames, 60)),
    )  # fmt: skip
    return [SimpleNamespace(name=f'p{i}', speaker=speaker) for i in range(count)]

  config = SimpleNamespace(anchored=True)
  face = SimpleNamespace(
    bundle=SimpleNamespace(motion_config=config, name='w', digest=''), size=8,
    hears='ear', generator=None, frames=lambda *_: (),
  )  # fmt: skip
  system = SimpleNamespace(act=lambda *_: np.zeros((1, 60), np.float32))
  ear = SimpleNamespace(
    hear=lambda audio: np.zeros((len(audio) // 640, 2)), scale=1.0, offset=0.0
  )

  def collect(clips, kind, folder, progress):
    raise UserError('no weights here')

  monkeypatch.setattr(TalkingFace, 'load', told('load', face))
  monkeypatch.setattr(motion_hearing, 'front_end', told('ear', ear))
  monkeypatch.setattr(systems, 'of_generator', told('generator', system))
  monkeypatch.setattr(trials, 'own_controls', lambda _: None)
  monkeypatch.setattr(video_features, 'collect', told('collect', collect))
  monkeypatch.setattr(row, 'people', told('people', people))
  monkeypatch.setattr(row, 'film', told('film'))
  monkeypatch.setattr(row, 'write_video', told('video'))
  monkeypatch.setattr(row, '_portrait', lambda *_: (None, None))
  monkeypatch.setattr(row, '_tags', lambda *_: {})
  monkeypatch.setattr(row, '_exact', told('exact', lambda *_: {}))
  monkeypatch.setattr(row, '_look', told('look', lambda who, *_: [{} for _ in who]))

  def asked_by(run):
    folder = tmp_path / 'row'
    folder.mkdir()
    log.clear()
    row.score(run, folder)
    shutil.rmtree(folder)
    # Where things lie in memory is no answer.
    return re.sub(r' at 0x[0-9a-f]+', '', str(log))

  return asked_by


@pytest.mark.parametrize('name', ROW)
def test_the_setting_of_a_row_is_passed_on(asked, name):
  run = GuidanceRun(speeches=3, filmed=2, frames=6, seeds=1)
  before = asked(run)
  assert asked(run) == before
  assert asked(dataclasses.replace(run, **{name: ROW[name]})) != before
