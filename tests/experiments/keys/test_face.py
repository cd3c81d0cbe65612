"""Every setting of stage 1, of its losses, and of the runs beside it reaches something.

The traces of the net take a minute and a half together: slow. What a run itself reads
(files, workers, people) is fast.
"""

import dataclasses
import functools

import numpy as np
import pytest

import data_pipelines.loader
import data_pipelines.synthetic.live
from experiments import face_judges, face_run, identity_run, pose_run
from experiments.ablation_run import AblationRun
from experiments.face_run import FaceRun
from experiments.identity_run import IdentityRun, People
from experiments.pose_run import PoseRun
from tests.experiments.keys import engine, face
from tests.experiments.keys.traces import program, values
from vasa_jax.errors import UserError
from vasa_jax.face.config import FaceConfig, tiny
from vasa_jax.face.losses import LossConfig
from vasa_jax.training.config import apply_overrides, flatten_names

FACE_OWN = (
  'source', 'records', 'drivers', 'augment', 'workers', 'pool', 'pool_start',
  'perceptual_weights', 'judges.vgg19', 'judges.vgg_face', 'judges.arcface',
  'judges.gaze', 'init_from', 'held_out',
)  # fmt: skip
IDENTITY_OWN = (
  'records', 'stages', 'widths', 'embedding', 'scale', 'margin', 'held_out',
)  # fmt: skip


def own_names(run):
  return [name for name in flatten_names(run) if name not in engine.CHANGES]


def test_every_setting_is_tried():
  run = FaceRun(model=face.BASE)
  nested = [f'model.{n}' for n in face.MODEL] + [f'losses.{n}' for n in face.LOSSES]
  assert own_names(run) == [*nested, *FACE_OWN]
  assert own_names(AblationRun(model=face.BASE)) == [*nested, *FACE_OWN, 'off']
  assert own_names(IdentityRun()) == list(IDENTITY_OWN)
  model = [f'model.{n}' for n in face.MODEL]
  assert own_names(PoseRun(model=face.BASE)) == [*model, 'records', 'held_out']
  assert set(face.MODEL) == set(flatten_names(face.BASE))
  assert set(face.LOSSES) == set(flatten_names(LossConfig()))
  # A part that may be None is a setting of its own.
  assert isinstance(FaceConfig().pixel_path, type(None))


@functools.cache
def base(where):
  return face.trace(*face.base_of(where), where)


@pytest.mark.slow
@pytest.mark.parametrize('name', face.MODEL)
def test_the_setting_of_the_net_reaches_something(name):
  value, where = face.MODEL[name]
  model, losses = face.base_of(where)
  changed = apply_overrides(model, {name: value})
  assert changed != model
  assert face.trace(changed, losses, where) != base(where)


@pytest.mark.slow
@pytest.mark.parametrize('name', face.LOSSES)
def test_the_setting_of_the_losses_reaches_something(name):
  value, where = face.LOSSES[name]
  model, losses = face.base_of(where)
  changed = apply_overrides(losses, {name: value})
  assert changed != losses
  assert face.trace(model, changed, where) != base(where)


@pytest.mark.slow
def test_without_a_pixel_path_it_is_another_net():
  changed = dataclasses.replace(
    face.BASE, pixel_path=None, decoder_channels=(16, 16, 16, 16)
  )
  assert face.trace(changed, face.TOLD, 'init') != base('init')


@pytest.fixture
def run(monkeypatch):
  """A stage 1 run; what it asks of loader and renderer is kept in `asked`."""
  asked = []

  def pairs(*args, **settings):
    asked.append(('face_pairs', args, settings))

  class Live:
    def __init__(self, *args, **settings):
      asked.append(('LivePairs', args, settings))

    def fill(self, people):
      asked.append(('fill', people))

  monkeypatch.setattr(data_pipelines.loader, 'face_pairs', pairs)
  monkeypatch.setattr(data_pipelines.synthetic.live, 'LivePairs', Live)
  made = FaceRun(model=tiny(), losses=LossConfig(perceptual=0.0))
  return made, asked


@pytest.mark.parametrize(
  ('source', 'changes'),
  [
    (
      'records',
      {'source': 'live', 'records': 'x', 'drivers': 3, 'augment': False, 'workers': 2,
       'seed': 5, 'batch_size': 4},
    ),
    (
      'live',
      {'drivers': 3, 'augment': False, 'workers': 2, 'pool': 9, 'pool_start': 7,
       'seed': 5, 'batch_size': 4},
    ),
  ],
)  # fmt: skip
def test_batches_of_stage_1(run, source, changes):
  """`data_pipelines.loader.face_pairs` and `synthetic.live.LivePairs` take them."""
  made, asked = run
  made = dataclasses.replace(made, source=source)
  made._batches(None, 0, 1)
  before = str(asked)
  for name, value in changes.items():
    asked.clear()
    dataclasses.replace(made, **{name: value})._batches(None, 0, 1)
    assert str(asked) != before, name


def test_files_of_judges(monkeypatch):
  """`face_judges.load_judges` reads each of them, where a loss asks for it."""

  class Read(Exception):
    pass

  def read(path):
    raise Read(str(path))

  monkeypatch.setattr(face_judges, 'read_weights', read)
  losses = dataclasses.replace(face.ALL, perceptual=0.0)
  run = FaceRun(model=tiny(), losses=losses)
  run.job()  # without a name nothing is read
  for name in ('vgg19', 'vgg_face', 'arcface', 'gaze'):
    with pytest.raises(Read, match=f'file_of_{name}'):
      apply_overrides(run, {f'judges.{name}': f'file_of_{name}'}).job()
  named = dataclasses.replace(
    run, losses=LossConfig(), perceptual_weights='no_such_file.npz'
  )
  with pytest.raises(UserError, match='no_such_file'):
    named.job()


def test_where_it_starts_and_who_is_held_out(run, monkeypatch):
  made, _ = run
  asked = []

  def restore(folder):
    asked.append(folder)
    return {'another': 'model'}

  monkeypatch.setattr(face_run, 'restore_params', restore)
  monkeypatch.setattr(face_run, 'init_training', lambda *_: {})
  with pytest.raises(UserError, match='elsewhere holds another model'):
    dataclasses.replace(made, init_from='elsewhere').job().init(None)
  assert asked == ['elsewhere']

  monkeypatch.setattr(
    face_run, 'held_out_pairs', lambda people, size: asked.append(people)
  )
  monkeypatch.setattr(face_run, 'evaluate', lambda *_: {})
  dataclasses.replace(made, held_out=3).job().evaluate({})
  assert asked[1:] == [3]
  assert dataclasses.replace(made, held_out=0).job().evaluate({}) == {}


def test_switches_of_an_ablation(run, monkeypatch):
  monkeypatch.setattr(FaceRun, '_batches', lambda *_: iter(
    [{'source_picture': np.zeros((2, 4))}]
  ))  # fmt: skip
  made = AblationRun(model=tiny(), losses=LossConfig(perceptual=0.0), held_out=0)
  on = [
    next(dataclasses.replace(made, off=off).job().batches(None, 0, 1))['on'].sum()
    for off in ((), ('flow',))
  ]
  assert on[0] == on[1] + 2  # of each of two samples


@pytest.fixture
def people(monkeypatch):
  rng = np.random.default_rng(0)
  known = People(
    picture=rng.integers(0, 255, (8, 2, 16, 16, 3), np.uint8),
    pose=rng.normal(size=(8, 2, 6)).astype(np.float32),
    dyn=np.zeros((8, 2, 54), np.float32),
    shape=np.zeros((8, 64), np.float32),
  )
  read = []

  def read_people(records):
    read.append(records)
    return known

  monkeypatch.setattr(identity_run, 'read_people', read_people)
  monkeypatch.setattr(pose_run, 'read_people', read_people)
  return read


def test_the_judge_of_identity(people, monkeypatch):
  monkeypatch.setattr(identity_run, 'crops_of', lambda batch: batch['picture'] / 255)
  monkeypatch.setattr(identity_run, 'disturbed', lambda faces, key: faces)
  monkeypatch.setattr(identity_run, 'ID_SIDE', 16)
  made = IdentityRun(widths=(2, 2, 2, 2), embedding=4, held_out=2, batch_size=4)

  def reached(run):
    import jax

    job = run.job()
    batch = next(job.batches(None, 0, 1))
    shapes = jax.eval_shape(job.init, jax.random.key(0))
    return values(batch), str(shapes), program(job.loss, shapes, batch, None)

  before = reached(made)
  assert reached(dataclasses.replace(made)) == before
  for name, value in {
    'stages': (1, 1, 1, 2), 'widths': (2, 2, 2, 3), 'embedding': 6, 'scale': 8.0,
    'margin': 0.1, 'held_out': 3, 'seed': 1, 'batch_size': 3,
  }.items():  # fmt: skip
    assert reached(dataclasses.replace(made, **{name: value})) != before, name
  dataclasses.replace(made, records='elsewhere').job()
  assert people[-1] == 'elsewhere' != people[0]


def test_the_pose_net(people):
  made = PoseRun(model=tiny(), held_out=2, batch_size=64)

  def labels(run):
    return set(next(run.job().batches(None, 0, 1))['label'].tolist())

  assert labels(made) == set(range(6))  # two of eight are held out
  assert labels(dataclasses.replace(made, held_out=4)) == set(range(4))
  dataclasses.replace(made, records='elsewhere').job()
  assert people[-1] == 'elsewhere' != people[0]
