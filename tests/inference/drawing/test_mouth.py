"""The inside of a mouth: what must hold for any portrait."""

import jax
import numpy as np
import pytest

from vasa_jax.inference.directing.named_motion import UNITS
from vasa_jax.inference.drawing import mouth as mouth_lib
from vasa_jax.inference.drawing.rims import own_rims, placed, rims
from vasa_jax.types import Motion

SIZE = 256
JAW = UNITS.index('jawOpen')


@pytest.fixture(scope='module')
def mouth(sitter, fitted):
  return mouth_lib.mouth(sitter, *fitted, SIZE)


@pytest.fixture(scope='module')
def draw(sitter, fitted, mouth):
  """What is drawn into grey pictures for changes of the portrait's own motion."""
  drawn, (_, own) = jax.jit(mouth_lib.drawn), fitted
  fine = sitter.cut(3 * SIZE)

  def made(pose=(), units=(), below=0.5):
    z_pose, z_dyn = np.array(own.z_pose), np.array(own.z_dyn)
    for index, value in dict(pose).items():
      z_pose[0, index] += value
    for index, value in dict(units).items():
      z_dyn[0, index] += value
    pictures = np.full((1, SIZE, SIZE, 3), below, np.float32)
    return np.asarray(drawn(pictures, mouth, own, Motion(z_pose, z_dyn), fine))[0]

  return made


def test_at_rest_nothing_is_drawn(draw):
  np.testing.assert_array_equal(draw(), 0.5)
  np.testing.assert_allclose(draw(pose={4: 0.03}), 0.5, atol=1e-5)
  np.testing.assert_allclose(draw(pose={3: 0.05}), 0.5, atol=0.01)


def test_an_open_mouth_shows_teeth_and_what_is_behind(draw, sitter):
  made = draw(units={JAW: 0.4})
  changed = np.abs(made - 0.5).max(-1) > 0.05
  y, x = np.nonzero(changed)
  lips = sitter.points[[13, 14, 78, 308]] * SIZE
  assert 200 < changed.sum() < 0.05 * SIZE**2
  assert lips[:, 0].min() - 2 < x.min() and x.max() < lips[:, 0].max() + 2
  assert lips[:, 1].min() - 4 < y.min()
  bright = made[changed].mean(-1)
  assert np.quantile(bright, 0.9) > 0.6 and np.quantile(bright, 0.1) < 0.4


def test_the_smile_of_the_portrait_hangs_on_the_skull(draw, sitter):
  crop = sitter.crop / np.float32(255)
  made = draw(units={JAW: 0.4})
  top, bottom = (sitter.points[[13, 14]] * SIZE)[:, 1]
  middle = int(sitter.points[13, 0] * SIZE)
  rows = slice(int(top) + 2, int(bottom) - 1)
  columns = slice(middle - 8, middle + 9)
  # The upper teeth are where they were, though the lip below has gone.
  np.testing.assert_allclose(made[rows, columns], crop[rows, columns], atol=0.1)
  assert np.abs(made[int(bottom) + 4, columns] - 0.5).max() > 0.1  # drawn further down


def test_it_moves_with_the_head(draw):
  still, shifted = draw(units={JAW: 0.4}), draw({4: 16 / SIZE}, {JAW: 0.4})
  inside = np.abs(still - 0.5).max(-1) > 0.02
  np.testing.assert_allclose(shifted[:, 16:][inside[:, :-16]],
                             still[:, :-16][inside[:, :-16]], atol=0.03)  # fmt: skip


def test_it_fades_where_there_is_no_view(draw):
  np.testing.assert_array_equal(draw({0: mouth_lib.ASIDE[1] + 0.1}, {JAW: 0.4}), 0.5)


def test_mouths_fit_at_distances_that_stage_2_knows(monkeypatch, sitter, fitted, mouth):
  _, own = fitted
  pictures = np.full((1, SIZE, SIZE, 3), 0.5, np.float32)
  z_pose, z_dyn = np.array(own.z_pose), np.array(own.z_dyn)
  z_pose[0, 3], z_dyn[0, JAW] = np.log(0.9), 0.7
  asked = Motion(z_pose, z_dyn)

  def made():
    return jax.jit(mouth_lib.drawn)(pictures, mouth, own, asked, sitter.crop)

  narrow = made()
  monkeypatch.setattr(mouth_lib, 'REACH', 0.6)
  np.testing.assert_allclose(narrow, made(), atol=1e-5)


def test_closed_lips_hide_it(draw, sitter):
  """The portrait smiles: where its teeth were, lips meet."""
  made = draw(units={JAW: -0.3, UNITS.index('mouthClose'): 0.2})
  changed = np.abs(made - 0.5).max(-1) > 0.02
  crop = sitter.crop / np.float32(255)
  top, bottom = (sitter.points[[13, 14]] * SIZE).round().astype(int)[:, 1]
  middle = int(sitter.points[13, 0] * SIZE)
  teeth = crop[top + 2 : bottom - 1, middle - 8 : middle + 9]
  lips = made[changed]
  assert 200 < changed.sum() < 0.03 * SIZE**2
  # Where lips meet is darker than teeth, in the middle as elsewhere.
  assert np.quantile(lips.mean(-1), 0.98) < teeth.mean()
  between = made[
    (top + bottom) // 2 - 1 : (top + bottom) // 2 + 2, middle - 8 : middle + 9
  ]
  assert between.mean(-1).max() < 0.8 * teeth.mean()


def test_lips_that_meet_in_the_template_meet_in_the_portrait(fitted, mouth):
  """The portrait's lips are farther apart than those of the head that was fitted."""
  _, own = fitted
  z_dyn = np.array(own.z_dyn)
  z_dyn[0, : UNITS.index('tongueOut')] = 0
  at_rest, shut = (
    placed(mouth.points, motion)[0] for motion in (own, Motion(own.z_pose, z_dyn))
  )
  wider = np.array(mouth.lips)
  wider[len(wider) // 2 :, 1] += 0.01
  rest = rims(*np.split(wider, 2))
  count = len(wider)
  now = own_rims(shut[:count], at_rest[:count], wider)
  assert rest.opening() > 0.1
  assert now.opening() < 0.1 * rest.opening()


@pytest.mark.parametrize('which', [0, 1])
@pytest.mark.parametrize('yaw', [-0.3, 0.0, 0.3])
def test_maps_go_both_ways(fitted, mouth, which, yaw):
  _, own = fitted
  pose = own.z_pose + np.array([[yaw, 0.1, 0.1, 0, 0, 0]], np.float32)
  points = placed(mouth.points, own.replace(z_pose=pose))[0]
  found = mouth_lib._maps(mouth, points)[which]
  view = np.random.default_rng(0).uniform([-0.12, 0], [0.12, 0.3], (50, 2))
  there = mouth_lib._forth(found, np.float32(view))
  np.testing.assert_allclose(mouth_lib._back(found, there), view, atol=1e-3)
  # And teeth of the view come to lie on the template's.
  anchors = points[2 * len(mouth_lib.UPPER_LIP) :].reshape(2, -1, 2)[which]
  low, high = np.asarray(anchors.min(0)), np.asarray(anchors.max(0))
  front = np.asarray(mouth_lib._forth(found, np.zeros(2, np.float32) + [0, 0.15]))
  assert (front > low - 0.03).all() and (front < high + 0.03).all()
