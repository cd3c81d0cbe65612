"""Encode once, decode any number of motions."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.face.autoencoder import FaceModel, init_params
from vasa_jax.face.config import tiny
from vasa_jax.types import FaceCode, Motion

CONFIG = tiny()
MODEL = FaceModel(CONFIG)


@jax.jit
def encode(params, picture, motion, vertices):
  return MODEL.apply({'params': params}, picture, motion, vertices, method='encode')


@jax.jit
def decode(params, code, motion):
  return MODEL.apply({'params': params}, code, motion, method='decode')


@pytest.fixture(scope='module')
def loud(params):
  """Parameters in which nothing is silent: zero kernels (offsets, paint) get values."""
  flat, tree = jax.tree.flatten(params)
  rng = np.random.default_rng(0)
  return jax.tree.unflatten(
    tree, [np.asarray(x) + np.float32(0.05 * rng.normal(size=x.shape)) for x in flat]
  )


@pytest.fixture(scope='module')
def portrait(batches, head):
  """The code of one person, and three motions."""
  batch = batches[0]
  picture = batch['source_picture'][:1].astype(np.float32) / 255
  source = Motion(batch['source_pose'][:1], batch['source_dyn'][:1])
  vertices = head.vertices(batch['shape'][:1])
  motions = Motion(
    np.concatenate([batch['driver_pose'][0], batch['driver_pose'][1, :1]]),
    np.concatenate([batch['driver_dyn'][0], batch['driver_dyn'][1, :1]]),
  )
  return picture, source, vertices, motions


@pytest.mark.slow
def test_one_by_one_is_all_at_once(loud, portrait):
  *source, motions = portrait
  code = encode(loud, *source)
  together = decode(loud, code, motions)
  assert together.picture.shape == (3, 64, 64, 3)
  for i in range(3):
    row = jax.tree.map(lambda x, i=i: x[i : i + 1], motions)
    np.testing.assert_allclose(
      decode(loud, code, row).picture[0], together.picture[i], atol=2e-5
    )
  # A code of its own for every frame, and another order.
  codes = jax.tree.map(lambda x: jnp.repeat(x, 3, 0), code)
  turned = jax.tree.map(lambda x: x[::-1], motions)
  np.testing.assert_allclose(
    decode(loud, codes, turned).picture, together.picture[::-1], atol=2e-5
  )
  assert np.abs(together.picture[0] - together.picture[2]).max() > 0.05


def test_parts_of_a_rendering_are_consistent(loud, portrait):
  *source, motions = portrait
  out = decode(loud, encode(loud, *source), motions)
  assert out.flow.shape == (3, 16, 16, 2) and out.mask.shape == (3, 64, 64, 1)
  assert np.all(np.isfinite(out.picture)) and np.all(np.isfinite(out.flow))
  for part in (out.warped, out.mask):
    assert part.min() >= 0 and part.max() <= 1
  blend = out.mask * out.warped + (1 - out.mask) * out.paint
  np.testing.assert_allclose(out.picture, blend, atol=1e-6)
  assert np.abs(out.paint - out.warped).max() > 0.05


def test_untrained_model_shows_the_portrait_at_its_own_motion(params, portrait):
  picture, motion, vertices, motions = portrait
  code = encode(params, picture, motion, vertices)
  three = jax.tree.map(lambda x: np.repeat(x, 3, 0), motion)
  own = decode(params, code, three)
  np.testing.assert_allclose(own.warped[0], picture[0], atol=2e-3)
  assert np.abs(own.flow).max() < 1e-4
  moved = decode(params, code, motions)
  assert np.abs(moved.warped - picture).max() > 0.1


def test_paper_path_decodes_without_template():
  config = dataclasses.replace(CONFIG, pixel_path=None, anchored=False, dyn_dim=12)
  model = FaceModel(config)
  # 64 px / patch 4 / 2 = 8 cells; one doubling gives 16 px, as configured.
  shapes = jax.eval_shape(lambda: init_params(config, jax.random.key(0)))
  assert 'g2d' in shapes and 'pixel_path' not in shapes
  picture = jnp.zeros((2, 64, 64, 3))

  def run(params):
    variables = {'params': params}
    motion = model.apply(variables, picture, method='motion')
    code = model.apply(variables, picture, motion, method='encode')
    return motion, code, model.apply(variables, code, motion, method='decode')

  motion, code, out = jax.eval_shape(run, shapes)
  assert motion.z_pose.shape == (2, 6) and motion.z_dyn.shape == (2, 12)
  assert isinstance(code, FaceCode) and code.pixels is None
  assert out.warped is None and out.picture.shape[0] == 2
