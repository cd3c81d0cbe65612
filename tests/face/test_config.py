"""The presets have the sizes they claim, and no key is without effect."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.errors import UsageError
from vasa_jax.face.autoencoder import FaceModel, init_params
from vasa_jax.face.config import FaceConfig, PixelPathConfig, lite, paper, tiny
from vasa_jax.face.judges import Judges
from vasa_jax.face.losses import LossConfig
from vasa_jax.face.step import make_loss
from vasa_jax.face.template import load_template
from vasa_jax.types import Motion

f32 = jnp.float32


def shapes_of(config):
  return jax.eval_shape(lambda: init_params(config, jax.random.key(0)))


def count(tree):
  return sum(x.size for x in jax.tree.leaves(tree))


def test_paper_is_vasa_1():
  config = paper()
  shapes = shapes_of(config)
  assert 180e6 < count(shapes) < 230e6
  model = FaceModel(config)

  def run(params, picture):
    variables = {'params': params}
    motion = model.apply(variables, picture, method='motion')
    code = model.apply(variables, picture, motion, method='encode')
    return motion, code, model.apply(variables, code, motion, method='decode')

  picture = jax.ShapeDtypeStruct((1, 512, 512, 3), f32)
  motion, code, out = jax.eval_shape(run, shapes, picture)
  assert code.v_app.shape == (1, 16, 64, 64, 96)
  assert code.z_id.shape == (1, 4, 4, 512)
  assert motion.z_dyn.shape == (1, 128)
  assert out.picture.shape == (1, 512, 512, 3) and out.warped is None


def test_lite_and_tiny_are_small():
  assert count(shapes_of(lite())) <= 10e6
  assert count(shapes_of(tiny())) < 1e6


def outline(config, method):
  """Parameter shapes and program of one method: all that a config can change."""
  model = FaceModel(config)
  picture = jax.ShapeDtypeStruct((1, config.size, config.size, 3), f32)
  vertices = None
  if config.pixel_path is not None:
    vertices = jax.ShapeDtypeStruct((1, *load_template().mean.shape), f32)
  motion = Motion(
    jax.ShapeDtypeStruct((1, 6), f32), jax.ShapeDtypeStruct((1, config.dyn_dim), f32)
  )
  inputs = {
    'motion': (picture,),
    'encode': (picture, motion, vertices),
    '__call__': (picture, vertices, motion),
  }[method]

  def init(*inputs):
    return model.init(jax.random.key(0), *inputs, method=method)

  params = jax.eval_shape(init, *inputs)
  shapes = jax.tree.map(lambda x: (x.shape, x.dtype), params)
  run = jax.make_jaxpr(lambda p, *inputs: model.apply(p, *inputs, method=method))

  def program():
    traced = run(params, *inputs)
    return f'{traced} {[np.asarray(x).tolist() for x in traced.consts]}'

  return shapes, program


BASE = dataclasses.replace(tiny(), canonical_channels=(8, 8))
PAPER_LIKE = dataclasses.replace(BASE, pixel_path=None)
CHANGES = {
  'size': (128, 'encode'),
  'patch': (2, 'encode'),
  'encoder_channels': ((16, 24), 'encode'),
  'volume_depth': (8, 'encode'),
  'volume_channels': (8, 'encode'),
  'volume_blocks': (2, 'encode'),
  'identity_stages': ((2,), 'encode'),
  'identity_width': (12, 'encode'),
  'identity_bottleneck': (True, 'encode'),
  'identity_channels': (16, 'encode'),
  'motion_size': (64, 'motion'),
  'motion_stages': ((2,), 'motion'),
  'motion_width': (16, 'motion'),
  'dyn_dim': (60, 'motion'),
  'embedding': (16, 'encode'),
  'warp_channels': ((8, 8), 'encode'),
  'warp_shape': ((8, 8, 8), 'encode'),
  'canonical_channels': ((8, 16), 'encode'),
  'decoder_channels': ((24, 16), '__call__'),
  'decoder_blocks': (2, '__call__'),
  'pixel_path': (PixelPathConfig(), '__call__'),
  'pivot_depth': (-0.4, 'encode'),
  'motion_zoom': (1.5, 'motion'),
  'spectral_norm': (True, 'encode'),
  'source_skip': (3, 'encode'),
  'remat': (True, 'encode'),
  'dtype': ('bfloat16', 'encode'),
}
PIXEL_CHANGES = {
  'prior_size': 64,
  'features': 16,
  'width': 24,
  'blocks': 2,
  'fine_width': 16,
  'prior': False,
}
_BASES = {}


def base_outline(config, method):
  """`outline` of an unchanged config, once: shapes, program."""
  if (config, method) not in _BASES:
    shapes, program = outline(config, method)
    _BASES[config, method] = shapes, program()
  return _BASES[config, method]


def assert_differs(config, changed, method):
  shapes, program = base_outline(config, method)
  other, other_program = outline(changed, method)
  assert other != shapes or other_program() != program


def test_lists_are_complete():
  keys = {field.name for field in dataclasses.fields(FaceConfig)}
  assert keys == {*CHANGES, 'anchored', 'disguise'}
  assert {f.name for f in dataclasses.fields(PixelPathConfig)} == set(PIXEL_CHANGES)


@pytest.mark.parametrize('key', CHANGES)
def test_every_key_changes_the_model(key):
  value, method = CHANGES[key]
  changed = dataclasses.replace(PAPER_LIKE, **{key: value})
  assert_differs(PAPER_LIKE, changed, method)


@pytest.mark.parametrize('key', PIXEL_CHANGES)
def test_every_pixel_path_key_changes_the_model(key):
  pixel_path = dataclasses.replace(BASE.pixel_path, **{key: PIXEL_CHANGES[key]})
  assert_differs(BASE, dataclasses.replace(BASE, pixel_path=pixel_path), '__call__')


@pytest.mark.slow
def test_anchored_and_loss_weights_change_the_loss():
  batch = {
    'source_picture': jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.uint8),
    'driver_picture': jax.ShapeDtypeStruct((1, 1, 32, 32, 3), jnp.uint8),
    'shape': jax.ShapeDtypeStruct((1, 64), f32),
  }
  labels = ('pose', (6,)), ('dyn', (54,)), ('points', (9, 3)), ('centres', (3, 2))
  for name, size in labels:
    batch[f'source_{name}'] = jax.ShapeDtypeStruct((1, *size), f32)
    batch[f'driver_{name}'] = jax.ShapeDtypeStruct((1, 1, *size), f32)
  batch['stranger_picture'] = batch['source_picture']
  config = dataclasses.replace(PAPER_LIKE, size=32, patch=1, motion_size=16)
  shapes = shapes_of(config)

  def program(config, **weights):
    def teacher(a, b):
      return jnp.mean(jnp.abs(a - b))

    judges = Judges(teacher, teacher, teacher, lambda a, b, m: teacher(a * m, b * m),
                    lambda x: x.mean((1, 2)))  # fmt: skip
    loss = make_loss(config, LossConfig(**weights), judges)
    return str(jax.make_jaxpr(loss)(shapes, batch, jax.random.key(0)))

  plain = program(config)
  assert program(dataclasses.replace(config, anchored=False)) != plain
  for name in ('pixel', 'gradient', 'perceptual', 'motion', 'eye_mouth', 'consistency'):
    assert program(config, **{name: 0.7}) != plain, name
  assert program(config, perceptual_crop=8) != plain
  for name in ('pyramid', 'face', 'gaze', 'identity', 'canonical'):
    assert program(config, **{name: 0.7}) != plain, name
  assert program(config, consistency_pyramid=0.7) != plain

  learned = dataclasses.replace(config, anchored=False)
  plain = program(learned)
  for name in ('contrastive', 'pose', 'mismatch', 'dyn_dropout'):
    assert program(learned, **{name: 0.7}) != plain, name
  assert program(dataclasses.replace(learned, disguise=True)) != plain
  one, two = (program(learned, mismatch=1.0, mismatch_margin=x) for x in (0.1, 0.6))
  assert one != two


@pytest.mark.parametrize(
  'change, told',
  [
    ({'decoder_channels': (16, 16)}, 'to 16 px, not to size=64'),
    ({'decoder_channels': (16, 16, 8, 8, 8)}, 'to 128 px'),
    ({'warp_shape': (4, 16, 16)}, '1 warp_channels double'),
    ({'size': 60}, 'cannot be halved 1 times'),
  ],
)
def test_parts_that_do_not_fit_are_named(change, told):
  good = dataclasses.replace(tiny(), pixel_path=None, decoder_channels=(16, 8, 8, 8))
  good.check()
  with pytest.raises(UsageError, match=told):
    make_loss(dataclasses.replace(good, **change), LossConfig())


def test_presets_fit():
  for preset in (tiny, lite, paper):
    preset().check()
  with pytest.raises(UsageError, match='prior_size=40'):
    dataclasses.replace(tiny(), pixel_path=PixelPathConfig(prior_size=40)).check()
  with pytest.raises(UsageError, match='dyn_dim=32: set pixel_path.prior=false'):
    dataclasses.replace(tiny(), anchored=False, dyn_dim=32).check()


def test_the_first_embedded_weights_keep_their_pivot():
  # Their config.json was written before the setting existed.
  assert lite().pivot_depth == FaceConfig().pivot_depth == 0.0
  assert paper().pivot_depth < -0.2
