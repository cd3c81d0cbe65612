import dataclasses

import cv2
import numpy as np
import pytest

from data_pipelines.synthetic.filming import style, stylise

SIDE = 96


@pytest.fixture(scope='module')
def picture():
  """A face-like drawing: an oval with eyes and a mouth before a soft ground."""
  rng = np.random.default_rng(0)
  image = cv2.resize(rng.uniform(60, 160, (5, 5, 3)).astype(np.float32), (SIDE, SIDE))
  cv2.ellipse(image, (48, 50), (28, 36), 0, 0, 360, (205, 160, 130), -1, cv2.LINE_AA)
  for x in (37, 59):
    cv2.ellipse(image, (x, 42), (6, 3), 0, 0, 360, (240, 240, 240), -1, cv2.LINE_AA)
    cv2.circle(image, (x, 42), 3, (40, 30, 20), -1, cv2.LINE_AA)
  cv2.ellipse(image, (48, 68), (11, 4), 0, 0, 360, (150, 60, 60), -1, cv2.LINE_AA)
  return np.clip(image, 0, 255).astype(np.uint8)


def hand(kind, seed=0):
  return dataclasses.replace(style.sample_style(np.random.default_rng(seed)), kind=kind)


@pytest.mark.parametrize('kind', style.ODDS)
def test_a_static_clip_stays_static_and_repeats(picture, kind):
  clip = np.stack([picture] * 3)
  out = stylise.stylise(clip, hand(kind), np.random.default_rng(1))
  assert out.shape == clip.shape and out.dtype == np.uint8
  assert (out == out[:1]).all()
  again = stylise.stylise(clip, hand(kind), np.random.default_rng(1))
  np.testing.assert_array_equal(out, again)
  assert (clip == picture).all()


@pytest.mark.parametrize('kind', style.ODDS)
def test_it_looks_other_but_shows_the_same(picture, kind):
  out = stylise.stylise(picture[None], hand(kind), np.random.default_rng(1))[0]
  assert np.abs(out.astype(float) - picture).mean() > 4
  # seen from afar (as by a detector), light and dark lie where they lay
  small = [
    cv2.GaussianBlur(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (0, 0), 2.0).astype(float)
    for p in (picture, out)
  ]
  inside = np.s_[34:76, 26:70]
  assert np.corrcoef(small[0][inside].ravel(), small[1][inside].ravel())[0, 1] > 0.35


def test_what_moves_changes_only_where_it_is(picture):
  moved = picture.copy()
  moved[60:76, 36:60] = np.roll(picture[60:76, 36:60], 3, 0)
  for kind in ('oil', 'pencil', 'cartoon', 'watercolour'):
    out = stylise.stylise(
      np.stack([picture, moved]), hand(kind), np.random.default_rng(1)
    ).astype(float)
    change = np.abs(out[1] - out[0]).mean(-1)
    assert change[60:76, 36:60].mean() > 1
    assert change[:30].mean() < 0.5, kind


def test_another_clip_has_another_canvas(picture):
  one, other = (
    stylise.stylise(picture[None], hand('oil'), np.random.default_rng(seed))
    for seed in (1, 2)
  )
  assert (one != other).mean() > 0.3


def test_the_size_changes_the_resolution_only(picture):
  large = cv2.resize(picture, (2 * SIDE, 2 * SIDE), interpolation=cv2.INTER_CUBIC)
  for kind in ('watercolour', 'cartoon', 'pastel', 'fresco'):
    one, other = (
      stylise.stylise(p[None], hand(kind), np.random.default_rng(1))[0]
      for p in (picture, large)
    )
    small = [
      cv2.resize(p, (12, 12), interpolation=cv2.INTER_AREA).astype(float)
      for p in (one, other)
    ]
    assert np.abs(small[0] - small[1]).mean() < 8, kind


def test_every_kind_is_drawn():
  kinds = [style.sample_style(np.random.default_rng(i)).kind for i in range(300)]
  assert set(kinds) == set(style.ODDS)
