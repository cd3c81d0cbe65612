"""Traces that outlive the process: same results, and never those of other code."""

import functools
import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.inference import programs
from vasa_jax.types import Motion


@pytest.fixture
def folder(monkeypatch, tmp_path):
  monkeypatch.setattr(programs, '_folder', lambda: tmp_path)
  return tmp_path


class Counted:
  """A function of pytrees that knows how often it was traced."""

  def __init__(self):
    self.traces = 0

  def __call__(self, motion, weights, *, power=1):
    self.traces += 1
    return motion.replace(z_pose=motion.z_pose * weights['a'] ** power)


@pytest.fixture
def inputs():
  pose, dyn = np.ones((2, 6), np.float32), np.zeros((2, 4), np.float32)
  return Motion(pose, dyn), {'a': jnp.float32(3)}


def test_the_second_process_does_not_trace(folder, inputs):
  first, second = Counted(), Counted()
  found = programs.kept(first, 'x')(*inputs)
  assert isinstance(found, Motion) and (found.z_pose == 3).all()
  assert first.traces == 1 and len(list(folder.iterdir())) == 1
  again = programs.kept(second, 'x')(*inputs)
  jax.tree.map(np.testing.assert_array_equal, found, again)
  assert not second.traces


@pytest.mark.parametrize('change', ['about', 'static', 'shape', 'type', 'code'])
def test_what_a_program_depends_on_names_it(folder, inputs, monkeypatch, change):
  about, static, (motion, weights) = 'x', {}, inputs
  programs.kept(Counted(), about, ('power',))(motion, weights, power=1)
  if change == 'about':
    about = 'y'
  elif change == 'static':
    static = {'power': 2}
  elif change == 'shape':
    motion = jax.tree.map(lambda x: x[:1], motion)
  elif change == 'type':
    weights = {'a': np.int32(3)}
  else:
    monkeypatch.setattr(programs, '_sources', lambda: 'other')
  other = Counted()
  made = programs.kept(other, about, ('power',))
  found = made(motion, weights, **{'power': 1, **static})
  assert other.traces == 1 and len(list(folder.iterdir())) == 2
  assert (found.z_pose == (9 if change == 'static' else 3)).all()


def test_one_program_for_one_shape(folder, inputs):
  counted = Counted()
  made = programs.kept(counted, 'x')
  motion = inputs[0]
  for factor in (jnp.float32(1), jnp.float32(2), np.float32(3), 4.0):
    for given in (motion, jax.device_put(motion)):
      found = made(given, {'a': factor})
      assert (found.z_pose == float(factor)).all()
  assert counted.traces == 1 and len(made._programs) == 1


def test_a_damaged_file_is_made_again(folder, inputs):
  programs.kept(Counted(), 'x')(*inputs)
  (path,) = folder.iterdir()
  whole = path.read_bytes()
  middle = len(whole) // 2
  hole = whole[:middle] + bytes(64) + whole[middle + 64 :]
  for damage in (whole[:middle], hole, b'', b'nonsense' * 100):
    path.write_bytes(damage)
    counted = Counted()
    assert (programs.kept(counted, 'x')(*inputs).z_pose == 3).all()
    assert counted.traces == 1 and len(path.read_bytes()) > len(whole) // 2


def test_the_oldest_files_go(folder, inputs, monkeypatch):
  monkeypatch.setattr(programs, 'MOST', 3)
  for i in range(3):
    programs.kept(Counted(), i)(*inputs)
    for path in folder.iterdir():
      os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
  programs.kept(Counted(), 0)(*inputs)  # read again: no longer the oldest
  programs.kept(Counted(), 3)(*inputs)
  assert len(list(folder.iterdir())) == 3
  traced = []
  for i in (0, 2, 3, 1):
    counted = Counted()
    programs.kept(counted, i)(*inputs)
    traced.append(counted.traces)
  assert traced == [0, 0, 0, 1]


def test_notes_are_kept_too(folder, monkeypatch):
  made = []

  def make():
    made.append(1)
    return {'a': (1, 2)}

  assert programs.noted(make, 'x') == {'a': (1, 2)}
  assert programs.noted(make, 'x') == {'a': [1, 2]} and len(made) == 1
  programs.noted(make, 'y')
  monkeypatch.setattr(programs, '_folder', lambda: None)
  programs.noted(make, 'x')
  assert len(made) == 3


def test_shapes_are_those_that_were_noted(folder):
  from vasa_jax.inference import models

  config = models.preset('tiny')['motion']
  plain = models.shapes.__wrapped__('motion', config)
  again = models.shapes.__wrapped__('motion', config)
  assert plain == again and all(isinstance(shape, tuple) for shape in again.values())
  assert len(list(folder.iterdir())) == 1


def test_without_a_folder_or_a_disk_it_is_jit(monkeypatch, inputs, tmp_path):
  for place in (None, tmp_path / 'not there'):
    monkeypatch.setattr(programs, '_folder', lambda place=place: place)
    counted = Counted()
    made = programs.kept(counted, 'x')
    assert (made(*inputs).z_pose == 3).all() and (made(*inputs).z_pose == 3).all()
    assert counted.traces == 1


def test_only_in_the_folder_that_was_turned_on(monkeypatch, tmp_path):
  monkeypatch.setenv('VASA_CACHE', str(tmp_path))
  before = jax.config.jax_compilation_cache_dir
  try:
    jax.config.update('jax_compilation_cache_dir', None)
    assert programs._folder() is None
    jax.config.update('jax_compilation_cache_dir', str(tmp_path / 'compiled'))
    assert programs._folder() == tmp_path / 'compiled'
    monkeypatch.setattr(jax, 'default_backend', lambda: 'gpu')
    assert programs._folder() is None
  finally:
    jax.config.update('jax_compilation_cache_dir', before)


@pytest.mark.slow
def test_the_models_give_the_same(folder, tiny_face, portrait_path):
  from vasa_jax.inference import models

  net = models.FaceNet(tiny_face.bundle.face_config, tiny_face.bundle.face_params)
  portrait = tiny_face.portrait(portrait_path)
  code = net.encode(portrait)
  files = len(list(folder.iterdir()))
  plain = jax.jit(functools.partial(models._layers, net.config))
  still = jax.tree.map(lambda x: np.repeat(x, 4, 0), code.pixels.motion)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6),
    net.layers(code, still),
    plain(net.params, code, still),
  )
  assert files == 1 and len(list(folder.iterdir())) == 2


def test_the_sampler_gives_the_same(folder):
  """With keys, counts and nested conditions as arguments."""
  from vasa_jax.motion.config import tiny
  from vasa_jax.motion.generate import MotionGenerator
  from vasa_jax.motion.step import init_params

  config = tiny()
  params = init_params(config, jax.random.key(0))
  heard = np.random.default_rng(0).normal(size=(config.window + 3, config.audio_dim))
  wanted = MotionGenerator(config, params).generate(heard.astype(np.float32), key=1)
  jit = functools.partial(programs.kept, about=config)
  for traces in (1, 0):
    generator = MotionGenerator(config, params, jit)
    found = generator.generate(heard.astype(np.float32), key=1)
    jax.tree.map(
      lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), found, wanted
    )
    assert generator.traces == traces
