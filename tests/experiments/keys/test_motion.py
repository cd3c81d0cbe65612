"""Every setting of stage 2 reaches parameters, loss, sampler or data."""

import dataclasses
import functools
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from data_pipelines import motion_cache
from experiments import motion_run
from experiments.motion_run import MotionRun
from tests.experiments.keys import engine, motion
from tests.experiments.keys.traces import values
from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference.bundle import Bundle
from vasa_jax.motion.config import MotionConfig
from vasa_jax.training.config import flatten_names

OWN = (
  'cache', 'workers', 'threads', 'init_from', 'augment', 'held_out_windows',
  'held_out_clips',
)  # fmt: skip
# What a model hears with is asked by whoever makes or reads features: see below.
HEARS = 'hears'


def test_every_setting_is_tried():
  names = flatten_names(MotionConfig())
  assert set(motion.CHANGES) == set(names) - {HEARS}
  own = [n for n in flatten_names(MotionRun()) if n not in engine.CHANGES]
  assert own == [*(f'model.{n}' for n in names), *OWN]


@functools.cache
def trace(where, config):
  return getattr(motion, where)(config)


@pytest.mark.parametrize('name', motion.CHANGES)
def test_the_setting_of_the_model_reaches_something(name):
  value, where = motion.CHANGES[name]
  base = dataclasses.replace(motion.BASE, **motion.WITH.get(name, {}))
  changed = dataclasses.replace(base, **{name: value})
  assert changed != base
  assert trace(where, base) != trace(where, changed)


def test_a_copy_is_no_change():
  again = dataclasses.replace(motion.BASE)
  for where in ('init', 'loss', 'sampler', 'made'):
    assert getattr(motion, where)(again) == trace(where, motion.BASE)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """A run over six clips of noise, three of them held out."""

  def clips():
    for i in range(6):
      rng = np.random.default_rng(i)
      yield motion_cache.MotionClip(
        name=str(i),
        features=rng.integers(20, 230, (40, 320), np.uint8),
        motion=rng.normal(0, 0.1, (40, 60)).astype(np.float32),
        gaze=np.zeros(2, np.float32),
        distance=1.0,
        emotion=np.eye(8, dtype=np.float32)[5],
        held_out=i < 3,
      )

  path = tmp_path_factory.mktemp('cache') / 'cache.npz'
  motion_cache.write_cache(path, clips(), 4 / 255, -2.0)
  return MotionRun(model=motion.BASE, cache=str(path), batch_size=4)


def first_batch(run):
  return values(next(run._batches(motion_run._read(run.cache), None, 0, 1)))


def test_batches(run):
  base = first_batch(run)
  assert base == first_batch(run)
  for name, value in (('augment', False), ('seed', 1), ('batch_size', 2)):
    assert first_batch(dataclasses.replace(run, **{name: value})) != base
  # The pairs are cut by the model's own settings.
  for name, value in (('window', 6), ('previous', 4)):
    model = dataclasses.replace(run.model, **{name: value})
    assert first_batch(dataclasses.replace(run, model=model)) != base


def test_the_cache_is_the_one_that_is_named(run, tmp_path):
  with pytest.raises(UserError, match='elsewhere'):
    dataclasses.replace(run, cache=str(tmp_path / 'elsewhere')).job()


def test_what_it_hears_with_is_asked_of_the_cache_and_of_the_user(run):
  model = dataclasses.replace(run.model, hears='ear')
  with pytest.raises(UsageError, match='the model hears with ear'):
    dataclasses.replace(run, model=model).job()
  asked = [Bundle(None, None, config, None).hears for config in (run.model, model)]
  assert asked == ['log-mel', 'ear']


def test_where_it_starts(run, tmp_path):
  started = dataclasses.replace(run, init_from=str(tmp_path / 'elsewhere'))
  with pytest.raises(UserError, match='elsewhere'):
    started.job().init(jax.random.key(0))


def test_threads_and_workers_read_ahead(run, monkeypatch):
  """`data_pipelines.motion_windows.read_ahead`, for caches that are not in memory."""
  asked = []
  monkeypatch.setattr(motion_run, 'read_ahead', lambda *args: asked.append(args[1:]))
  monkeypatch.setattr(motion_run, 'MotionCache', SimpleNamespace)  # it is another kind
  for changes in ({}, {'threads': 9}, {'workers': 3}):
    changed = dataclasses.replace(run, **changes)
    changed._batches(motion_run._read(run.cache), None, 0, 1)
  assert asked == [(4, 0), (9, 0), (4, 3)]


def test_held_out_clips_and_windows(run, monkeypatch):
  """`motion_run.evaluate` and `listen`."""
  cache, windows = motion_run._read(run.cache), []
  monkeypatch.setattr(
    motion_run.MotionGenerator,
    'generate',
    lambda *_: motion_run.Motion(np.zeros((40, 6)), np.zeros((40, 54))),
  )

  def loss(params, batch, key):
    windows.append(len(batch['mask']))
    return 0.0, {}

  heard = []
  monkeypatch.setattr(
    motion_run, 'listen',
    lambda *args, listen=motion_run.listen: heard.append(listen(*args)) or heard[-1],
  )  # fmt: skip
  params = jax.tree.map(
    lambda leaf: np.zeros(leaf.shape, leaf.dtype), motion._shapes(run.model)
  )
  for changes in ({}, {'held_out_clips': 1}, {'held_out_windows': 5}):
    changed = dataclasses.replace(run, **changes)
    motion_run.evaluate(changed, cache, loss, params)
  assert windows == [64, 64, 5] and [len(one) for one in heard] == [3, 1, 3]
