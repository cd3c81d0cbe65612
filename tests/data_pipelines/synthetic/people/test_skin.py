"""Painted skin: tones of all people, marks and creases where they belong."""

import dataclasses

import numpy as np
import pytest

from data_pipelines.synthetic.people import (
  brows,
  creases,
  makeup,
  skin,
  skin_map,
  stubble,
)
from data_pipelines.synthetic.people.traits import sample_traits, stream

PEOPLE = 12


@pytest.fixture(scope='module')
def skins():
  return [skin.paint_skin(sample_traits(seed)) for seed in range(PEOPLE)]


def luminance(linear):
  return np.asarray(linear) @ [0.2126, 0.7152, 0.0722]


def face_tone(painted):
  """Mean linear colour of the forehead and cheeks."""
  head = painted.albedo[skin_map.head(skin_map.SIDE)] / 255.0
  where = skin_map.regions()
  mask = where['cheeks'] + where['forehead'] > 0.5
  return (head[mask] ** skin.GAMMA).mean(0)


def grey_paint(value=0.6):
  shape = skin_map.regions()['lips'].shape
  return np.full((*shape, 3), value, np.float32)


def test_shapes_and_repeatability(skins):
  again = skin.paint_skin(sample_traits(3))
  for name in ('albedo', 'wrinkles', 'gloss'):
    value = getattr(again, name)
    assert value.dtype == np.uint8
    np.testing.assert_array_equal(value, getattr(skins[3], name))
  assert again.albedo.shape == (1024, 1024, 3)
  assert again.wrinkles.shape == (5, 256, 256) and again.gloss.shape == (256, 256)
  assert len({s.albedo.tobytes() for s in skins}) == PEOPLE


def test_tones_cover_the_six_types():
  """Of 200 people, every type is the nearest in luminance for at least eight."""
  tones = [skin.tone_of(sample_traits(seed)) for seed in range(200)]
  level = np.log(luminance(tones))
  types = np.log(luminance(skin.TONES**skin.GAMMA))
  nearest = np.abs(level[:, None] - types).argmin(1)
  assert np.bincount(nearest, minlength=6).min() >= 8
  assert types[-1] - 0.2 < level.min() and level.max() < types[0] + 0.2


def test_paint_has_the_tone_it_was_asked_for(skins):
  wanted = [luminance(skin.tone_of(sample_traits(seed))) for seed in range(PEOPLE)]
  found = [luminance(face_tone(s)) for s in skins]
  assert np.corrcoef(np.log(wanted), np.log(found))[0, 1] > 0.95
  assert all(0.6 < f / w < 1.4 for w, f in zip(wanted, found, strict=True))


def test_more_melanin_is_darker_and_more_blood_is_redder():
  person = sample_traits(1)

  def tone(**changes):
    return skin.tone_of(dataclasses.replace(person, **changes))

  levels = [luminance(tone(melanin=m)) for m in np.linspace(0, 1, 11)]
  assert (np.diff(levels) < 0).all()
  pale, ruddy = tone(melanin=0.1, redness=0.1), tone(melanin=0.1, redness=0.9)
  assert ruddy[0] / ruddy[1] > pale[0] / pale[1] * 1.1


def test_texels_know_where_they_are():
  at = skin_map.head_positions()
  lips = at[skin_map.regions()['lips'] > 0.7]
  assert np.abs(lips[:, 0]).max() < 0.3
  assert 6.4 < lips[:, 1].min() and lips[:, 1].max() < 6.82
  assert lips[:, 2].min() > 1.2
  assert (lips[:, 0] > 0).mean() == pytest.approx(0.5, abs=0.1)


def test_lipstick_stays_on_the_lips_and_shadow_on_the_lids():
  person = dataclasses.replace(sample_traits(2), makeup=1.0, melanin=0.2)
  paint = grey_paint()
  shine = makeup.apply_makeup(np.random.default_rng(0), person, paint)
  changed = np.abs(paint - 0.6).max(-1)
  where = skin_map.regions()
  assert changed[where['lips'] > 0.9].min() > 0.1
  elsewhere = sum(where[k] for k in ('lips', 'lids', 'lash_line', 'apples', 'brows'))
  assert changed[elsewhere < 1e-3].max() < 0.01
  assert np.abs(shine[where['lips'] == 0]).max() == 0
  bare = grey_paint()
  plain = dataclasses.replace(person, makeup=0.0)
  makeup.apply_makeup(np.random.default_rng(0), plain, bare)
  np.testing.assert_array_equal(bare, grey_paint())


def test_stubble_grows_where_beards_grow():
  person = dataclasses.replace(sample_traits(2), stubble=0.9)
  person = dataclasses.replace(person, hair_colour=np.full(3, 0.02))
  paint = grey_paint()
  gloss = stubble.apply_stubble(np.random.default_rng(0), person, paint)
  x, y, z = np.moveaxis(skin_map.head_positions(), -1, 0)
  x = np.abs(x)
  chin = (x < 0.15) & (y > 6.25) & (y < 6.4) & (z > 1.2)
  upper_lip = (x < 0.12) & (y > 6.76) & (y < 6.8) & (z > 1.3)
  brow, cheek = (y > 7.4) & (z > 1), (np.hypot(x - 0.4, y - 7.0) < 0.06) & (z > 0.9)
  dark = 0.6 - paint.mean(-1)
  assert min(dark[chin].mean(), dark[upper_lip].mean()) > 0.06
  assert max(np.abs(dark[brow]).max(), np.abs(dark[cheek]).max()) < 0.01
  assert gloss[chin].mean() < -0.2


def test_creases_are_where_they_belong_and_nowhere_else(skins):
  x, y, z = np.moveaxis(skin_map.positions(256), -1, 0)
  x, front = np.abs(x), z > 0.7
  places = {
    'forehead': (x < 0.7) & (y > 7.45) & (y < 8.05),
    'glabella': (x < 0.25) & (y > 7.2) & (y < 7.7),
    'eyes': (x > 0.1) & (x < 0.85) & (y > 6.95) & (y < 7.55),
    'cheeks': (x < 0.65) & (y > 6.4) & (y < 7.35),
    'chin': (x < 0.45) & (y > 6.1) & (y < 6.9),
  }
  head = np.zeros((256, 256), bool)
  head[skin_map.head(256)] = True
  for painted in skins:
    for name, depth in zip(creases.NAMES, painted.wrinkles, strict=True):
      assert depth.max() > 120, name
      assert depth[~(places[name] & front & head)].max() == 0, name


def test_creases_differ_between_people_and_deepen_with_age(skins):
  assert len({s.wrinkles.tobytes() for s in skins}) == PEOPLE
  person = sample_traits(0)

  def mean_depth(age):
    aged = dataclasses.replace(person, age=age)
    rngs = [stream(seed, topic='depth') for seed in range(40)]
    return np.mean([creases.depth_of(rng, aged) for rng in rngs])

  assert mean_depth(0.9) > 1.8 * mean_depth(0.1)


def test_noise_has_no_seams():
  """A shifted copy is as smooth across the fixed field's edge as elsewhere."""
  for kind in ('mottle', 'patches', 'shades'):
    field = skin_map._noise_bank()[kind]
    for axis in (0, 1):
      inside = np.abs(np.diff(field, axis=axis)).mean()
      ends = np.take(field, 0, axis) - np.take(field, -1, axis)
      assert np.abs(ends).mean() < 3 * inside


def test_gloss_is_highest_on_nose_and_forehead(skins):
  where = {k: v for k, v in skin_map.regions(256).items() if k in ('nose', 'front')}
  head = skin_map.head(256)
  nose = np.mean([s.gloss[head][where['nose'] > 0.5].mean() for s in skins])
  rest = np.mean([s.gloss[head][where['front'] > 0.5].mean() for s in skins])
  assert nose > 1.1 * rest


def test_brows_lie_above_the_eyes_and_differ():
  pieces = [brows.grow_brows(sample_traits(seed)) for seed in range(6)]
  assert len({p.texture.tobytes() for p in pieces}) == 6
  again = brows.grow_brows(sample_traits(2))
  np.testing.assert_array_equal(again.texture, pieces[2].texture)
  for piece in pieces:
    rows, columns = np.nonzero(piece.texture[..., 3] > 100)
    y = brows.HIGH - (rows + 0.5) / brows.TEXTURE[0] * (brows.HIGH - brows.LOW)
    x = ((columns + 0.5) / brows.TEXTURE[1] - 0.5) * 2 * brows.WIDE
    assert 7.34 < y.mean() < 7.5
    assert np.abs((x > 0).mean() - 0.5) < 0.15
    assert 0.25 < np.abs(x).mean() < 0.45
    triangles = piece.part.triangles
    assert 0 < len(triangles) < len(brows._patch().triangles)
    assert triangles.max() < len(piece.part.ref)
