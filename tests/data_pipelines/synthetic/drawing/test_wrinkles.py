"""Creases come with their face units, on their side, and go with them."""

import dataclasses

import numpy as np
import pytest

from data_pipelines.synthetic import assets
from data_pipelines.synthetic.drawing import render, scene, wrinkles
from data_pipelines.synthetic.people import heads

SIDE = 128
GREY = np.full((8, 8, 3), 128, np.uint8)
REST, AHEAD = np.zeros(6), np.zeros(2)


def units(*names, amount=1.0):
  out = np.zeros(52, np.float32)
  for name in names:
    out[assets.UNITS.index(name)] = amount
  return out


@dataclasses.dataclass(frozen=True)
class Skin:
  """A skin with one bar of a crease in each of five bands of its texture."""

  albedo: np.ndarray
  wrinkles: np.ndarray
  gloss: np.ndarray
  wrinkle_depth: float = 1.0


def bands():
  out = np.zeros((wrinkles.GROUPS, 256, 256), np.uint8)
  for group in range(wrinkles.GROUPS):
    top = 20 + 45 * group
    out[group, top : top + 30 : 6] = 255
  return out


@pytest.fixture(scope='module')
def person():
  base = heads.sample_identity(16)
  gloss = np.full((256, 256), 128, np.uint8)
  return dataclasses.replace(base, skin=Skin(base.skin.albedo, bands(), gloss))


@pytest.fixture(scope='module')
def relief(person):
  return wrinkles.build_relief(person.skin, SIDE)


def creased(relief, values):
  out = relief.still.copy()
  wrinkles.crease(out, *relief, wrinkles.tension(values))
  return out.reshape(SIDE, SIDE, 3)


def band(group):
  return slice((20 + 45 * group) // 2 - 2, (50 + 45 * group) // 2 + 2)


def test_each_place_creases_with_its_units_only(relief):
  rest = relief.still.reshape(SIDE, SIDE, 3)
  cases = ('browInnerUp', 'browDownLeft', 'eyeSquintLeft', 'mouthUpperUpLeft')
  cases += ('mouthShrugLower',)
  for group, name in enumerate(cases):
    pull = wrinkles.tension(units(name))
    change = np.abs(creased(relief, units(name)) - rest).max((1, 2))
    assert pull[:, group].max() > 0.3
    assert change[band(group)].max() > 0.02
    for other in range(wrinkles.GROUPS):
      if pull[:, other].max() == 0:
        assert change[band(other)].max() == 0


def test_a_crease_darkens_and_grows_with_the_unit(relief):
  rest, half, full = (
    creased(relief, units('browInnerUp', amount=a))[band(0), :, 2].max()
    for a in (0.0, 0.5, 1.0)
  )
  assert rest < half < full <= 1


def test_left_and_right_are_apart():
  left = wrinkles.tension(units('mouthSmileLeft'))
  assert left[0].max() > 0.5 and left[1].max() == 0
  both = wrinkles.tension(units('browInnerUp', amount=1.4))
  np.testing.assert_array_equal(both[0], both[1])
  assert wrinkles.tension(np.ones(52)).max() <= 1


def test_the_left_of_the_texture_is_the_left_of_the_face(person):
  """A crease of the person's left shows in the picture's right half."""
  renderer = render.Renderer(96, 1)
  flat = dataclasses.replace(person.skin, wrinkles=np.zeros_like(person.skin.wrinkles))
  smile = units('eyeSquintLeft', 'cheekSquintLeft', amount=0.9)
  shots = []
  for skin in (flat, person.skin):
    renderer.load(dataclasses.replace(person, skin=skin), GREY)
    for values in (units(), smile):
      shot = renderer.frame(values, REST, AHEAD, scene.studio_light())
      shots.append(shot.picture.astype(int))
  resting = np.abs(shots[0] - shots[2]).sum(-1)
  smiling = np.abs(shots[1] - shots[3]).sum(-1)
  more = smiling - resting
  assert np.clip(more[:, 48:], 0, None).sum() > 4 * np.clip(more[:, :48], 0, None).sum()
  assert smiling.max() > 20


def test_a_creased_face_leaves_no_trace(person):
  renderer = render.Renderer(64, 1)
  renderer.load(person, GREY)
  light = scene.studio_light()
  before = renderer.frame(units(), REST, AHEAD, light).picture
  laughing = renderer.frame(units('mouthSmileLeft', 'browInnerUp'), REST, AHEAD, light)
  after = renderer.frame(units(), REST, AHEAD, light).picture
  np.testing.assert_array_equal(before, after)
  assert (laughing.picture != before).any()


def test_anger_and_laughter_redden_and_fear_pales():
  angry = units('browDownLeft', 'browDownRight', 'mouthPressLeft', 'mouthPressRight')
  laughing = units('mouthSmileLeft', 'mouthSmileRight', 'jawOpen')
  afraid = units('browInnerUp', 'eyeWideLeft', 'eyeWideRight')
  assert wrinkles.blush(units()) == 0
  assert wrinkles.blush(angry) > 0.2 < wrinkles.blush(laughing)
  assert wrinkles.blush(afraid) < -0.2
  places = wrinkles.blush_places()
  assert 0 <= places.min() and places.max() == 1 and 0.01 < (places > 0.3).mean() < 0.4


def test_blood_shows_in_the_cheeks(person):
  renderer = render.Renderer(64, 1)
  renderer.load(person, GREY)
  pictures = []
  for amount in (0.0, 1.0):
    values = units('browDownLeft', 'browDownRight', 'mouthPressLeft', 'mouthPressRight')
    shot = renderer.frame(values * amount, REST, AHEAD, scene.studio_light())
    pictures.append(shot.picture[36:42, 22:42].astype(float))
  redness = [p[..., 0].mean() / p[..., 1].mean() for p in pictures]
  assert redness[1] > 1.01 * redness[0]
