import dataclasses
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from PIL import Image

from vasa_jax.errors import UsageError, UserError
from vasa_jax.face import enlarge
from vasa_jax.face.config import paper, tiny
from vasa_jax.inference import models
from vasa_jax.inference.showing import screen
from vasa_jax.inference.showing.viewport import Viewport
from vasa_jax.types import Motion


@pytest.fixture(scope='module')
def portrait(tiny_face, portrait_path):
  return tiny_face.portrait(portrait_path)


@pytest.fixture(scope='module')
def code(tiny_face, portrait):
  return tiny_face.encode(portrait)


@pytest.fixture(scope='module')
def motion():
  rng = np.random.default_rng(0)
  pose, dyn = rng.normal(0, 0.05, (4, 6)), rng.uniform(0, 0.5, (4, 54))
  return Motion(pose.astype(np.float32), dyn.astype(np.float32))


def _shown(found, code, motion):
  return found.finish(np.asarray(found.decode(code, motion)))


def test_settings_are_checked_first():
  screen.check(tiny(), 64, False)
  screen.check(paper(), None, False)
  with pytest.raises(UsageError, match='leave out the size'):
    screen.check(tiny(), 512, True)
  for size in (63, 2049):
    with pytest.raises(UsageError, match='size must lie'):
      screen.check(tiny(), size, False)
  with pytest.raises(UserError, match='do not know where the head is'):
    screen.check(paper(), None, True)


def test_at_rest_the_crop_is_shown(tiny_face, portrait, code):
  found = screen.screen(tiny_face.face, portrait, code, 4)
  assert found.size == (64, 64)
  rest = jax.tree.map(lambda x: np.repeat(x, 4, 0), code.pixels.motion)
  shown = _shown(found, code, rest)
  # Random parameters paint something over the face; its surroundings stay.
  np.testing.assert_array_equal(shown[0, 0], portrait.crop[0])
  np.testing.assert_array_equal(shown[:, :, 0], portrait.crop[None, :, 0].repeat(4, 0))


@pytest.fixture(scope='module')
def untrained():
  """A net whose flow is the template's own."""
  config = tiny()
  return models.FaceNet(config, models.init('face', config, jax.random.key(0)))


@pytest.mark.parametrize('size', [None, pytest.param(100, marks=pytest.mark.slow)])
def test_at_rest_two_layers_and_a_finer_crop_are_the_crop(untrained, portrait, size):
  code = untrained.encode(portrait)
  found = screen.screen(untrained, portrait, code, 4, size)
  rest = jax.tree.map(lambda x: np.repeat(x, 4, 0), code.pixels.motion)
  shown = _shown(found, code, rest)[0]
  apart = np.abs(shown.astype(int) - portrait.cut(size or 64)).mean(-1)
  face = portrait.points.min(0) * len(shown), portrait.points.max(0) * len(shown)
  (left, top), (right, bottom) = np.array(face).astype(int)
  apart[top:bottom, left:right] = 0  # there it paints
  assert apart.mean() < 1.5


def test_models_without_a_prior_move_all_of_it(portrait):
  config = tiny()
  path = dataclasses.replace(config.pixel_path, prior=False)
  config = dataclasses.replace(config, pixel_path=path)
  net = models.FaceNet(config, models.init('face', config, jax.random.key(0)))
  code = net.encode(portrait)
  found = screen.screen(net, portrait, code, 4, 80)
  rest = jax.tree.map(lambda x: np.repeat(x, 4, 0), code.pixels.motion)
  shown = _shown(found, code, rest)
  crop = portrait.cut(80).astype(int)
  # Untrained, it is the portrait but for a share of blurred paint.
  assert shown.shape == (4, 80, 80, 3) and np.abs(shown[0] - crop).mean() < 12
  grey = portrait._replace(picture=np.full_like(portrait.picture, 128))
  other = _shown(screen.screen(net, grey, code, 4, 80), code, rest)
  assert np.abs(other.astype(int) - shown).mean() > 5


def test_a_moving_head_leaves_the_border_alone(tiny_face, portrait, code, motion):
  shown = _shown(screen.screen(tiny_face.face, portrait, code, 4), code, motion)
  np.testing.assert_array_equal(shown[2, 0], portrait.crop[0])
  assert np.abs(shown[2].astype(int) - portrait.crop).mean() > 1


def test_small_videos_are_drawn_at_the_model_s_size(tiny_face, portrait, code, motion):
  large = _shown(screen.screen(tiny_face.face, portrait, code, 4), code, motion)
  found = screen.screen(tiny_face.face, portrait, code, 4, 48)
  wanted = Image.fromarray(large[1]).resize((48, 48), Image.Resampling.LANCZOS)
  np.testing.assert_array_equal(_shown(found, code, motion)[1], np.asarray(wanted))


def test_models_that_draw_every_pixel_are_resized(portrait):
  config = SimpleNamespace(size=64, pixel_path=None)
  pictures = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3)).astype(np.uint8)
  net = SimpleNamespace(config=config, decode=lambda code, motion: pictures)
  net.compile = lambda code, frames: None
  found = screen.screen(net, portrait, None, 2, 80)
  wanted = Image.fromarray(pictures[1]).resize((80, 80), Image.Resampling.LANCZOS)
  np.testing.assert_array_equal(_shown(found, None, None)[1], np.asarray(wanted))


def test_larger_ones_show_the_large_crop(tiny_face, portrait, code, motion):
  found = screen.screen(tiny_face.face, portrait, code, 4, 80)
  shown = _shown(found, code, motion)
  assert shown.shape == (4, 80, 80, 3) and shown.dtype == np.uint8
  grey = portrait._replace(picture=np.full_like(portrait.picture, 128))
  other = screen.screen(tiny_face.face, grey, code, 4, 80)
  assert np.abs(_shown(other, code, motion).astype(int) - shown).mean() > 5


def test_a_viewport_is_cut_out_of_the_larger_crop(tiny_face, portrait, code, motion):
  """Mouth and eyes too, which are drawn in squares of their own."""
  part = Viewport(0.05, 0.13, 4 / 5)
  found = screen.screen(tiny_face.face, portrait, code, 4, viewport=part)
  assert found.size == (64, 64)
  seen = _shown(found, code, motion).astype(int)
  whole = _shown(screen.screen(tiny_face.face, portrait, code, 4, 80), code, motion)
  x, y = part.corner(64)
  apart = np.abs(seen - whole[:, y : y + 64, x : x + 64])
  assert np.abs(whole[0].astype(int) - whole[1]).max() > 20  # it moves
  assert np.mean(apart > 1) < 1e-3  # `enlarge.sampled` may round anew


def test_viewports_of_models_that_draw_every_pixel(portrait):
  config = SimpleNamespace(size=64, pixel_path=None)
  pictures = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3)).astype(np.uint8)
  net = SimpleNamespace(config=config, decode=lambda code, motion: pictures)
  net.compile = lambda code, frames: None
  part = Viewport(0.25, 0.125, 0.5)
  found = screen.screen(net, portrait, None, 2, 32, part)
  np.testing.assert_array_equal(_shown(found, None, None), pictures[:, 8:40, 16:48])


def test_what_is_compiled_with_is_like_what_is_drawn(tiny_face, code, motion):
  config = tiny_face.bundle.face_config
  blank = enlarge.blank(4, config.size, config.pixel_path.prior_size)
  layers = tiny_face.face.layers(code, motion)
  kinds = [jax.tree.map(lambda x: (x.shape, str(x.dtype)), x) for x in (blank, layers)]
  assert kinds[0] == kinds[1]


def test_one_compilation_for_a_size(tiny_face, portrait, code, motion):
  screen.screen(tiny_face.face, portrait, code, 4, None, Viewport(0.1, 0.1, 0.8))

  screen_programs = screen._before_the_rest, screen._opened

  def programs():
    kept = tiny_face.face._layers, screen._moves, *screen_programs
    return [[made._cache_size() for made in one._programs.values()] for one in kept]

  before = programs()
  # Another place of the same size is another argument, not another program.
  part = Viewport(0.05, 0.2, 0.8)
  again = screen.screen(tiny_face.face, portrait, code, 4, None, part)
  _shown(again, code, motion)
  assert all(map(sum, before)) and programs() == before
