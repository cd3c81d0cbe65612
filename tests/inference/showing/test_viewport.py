import numpy as np
import pytest

from vasa_jax.inference.finding.portrait import find_portrait, load_picture
from vasa_jax.inference.showing.viewport import (
  SHARES,
  SLACK,
  WHOLE,
  made_up,
  shown,
  viewport,
)


@pytest.fixture(scope='module')
def portrait(portrait_path):
  return find_portrait(load_picture(portrait_path), 96)


def _within(portrait, left, top, wide, high):
  """The same portrait in a picture that reaches only so far, in crop units."""
  x, y = portrait.left + left * portrait.side, portrait.top + top * portrait.side
  x, y, wide, high = (
    round(v) for v in (x, y, wide * portrait.side, high * portrait.side)
  )
  picture = portrait.picture[y : y + high, x : x + wide]
  assert picture.shape[:2] == (high, wide)
  return portrait._replace(
    picture=np.ascontiguousarray(picture), left=portrait.left - x, top=portrait.top - y
  )


def test_what_the_picture_holds_is_shown_whole(portrait):
  assert viewport(portrait) == WHOLE
  assert WHOLE.drawn(300) == 300 and WHOLE.corner(300) == (0, 0)
  same = shown(portrait, 96)
  np.testing.assert_array_equal(same.crop, portrait.crop)
  np.testing.assert_allclose(
    same.landmarks.points, portrait.landmarks.points, atol=1e-4
  )
  assert (same.left, same.top, same.side) == pytest.approx(
    (portrait.left, portrait.top, portrait.side)
  )
  almost = _within(portrait, SLACK / 2, 0, 1 - SLACK, 1)
  assert viewport(almost) == WHOLE


def test_of_a_close_picture_nothing_made_up_is_shown(portrait):
  """The largest square inside it, whichever sides are missing."""
  for left, top, wide, high, share in (
    (0.0, 0.1, 1.0, 0.9, 8 / 9),
    (0.15, 0.05, 0.77, 0.95, 4 / 5),
    (0.1, 0.2, 0.8, 0.68, 8 / 11),
  ):
    close = _within(portrait, left, top, wide, high)
    found = viewport(close)
    assert found.share == share
    assert left - SLACK - 0.01 <= found.left
    assert found.left + share <= left + wide + SLACK + 0.01
    assert top - SLACK - 0.01 <= found.top
    assert found.top + share <= top + high + SLACK + 0.01
    assert shown(close, 96).beyond < 2 * SLACK / share + 0.02
    assert made_up(close) == pytest.approx(shown(close, 96).beyond, abs=0.01)
    # As near to the crop's middle as that allows.
    for start, low, span in ((found.left, left, wide), (found.top, top, high)):
      nearest = np.clip((1 - share) / 2, low - SLACK, low + span + SLACK - share)
      assert start == pytest.approx(nearest, abs=0.01)


def test_a_strip_is_shown_in_the_middle(portrait):
  strip = _within(portrait, 0.2, 0, 0.5, 1)
  found = viewport(strip)
  assert found.share == SHARES[-1]
  assert found.left + found.share / 2 == pytest.approx(0.45, abs=0.01)
  left = 0.0 <= found.left and found.left + found.share <= 1
  assert left and 0.1 < shown(strip, 96).beyond < strip.beyond


def test_what_is_shown_is_the_square_of_the_crop(portrait):
  """Pixels, landmarks and places in the picture go together."""
  close = _within(portrait, 0.2, 0.15, 0.72, 0.72)
  found, seen = viewport(close), shown(close, 60)
  drawn = found.drawn(60)
  x, y = found.corner(60)
  assert seen.crop.shape == (60, 60, 3) and max(x, y) + 60 <= drawn
  np.testing.assert_array_equal(seen.crop, close.cut(drawn)[y : y + 60, x : x + 60])
  for points in ('points', 'irises', 'eyes'):
    there = seen.to_picture(getattr(seen.landmarks, points)[..., :2].reshape(-1, 2))
    own = close.to_picture(getattr(close.landmarks, points)[..., :2].reshape(-1, 2))
    np.testing.assert_allclose(there, own, atol=1e-2)
  # Cut again out of the picture, it is the same to how pixels are counted.
  apart = np.abs(seen.cut(60).astype(int) - seen.crop)
  assert apart.mean() < 2
