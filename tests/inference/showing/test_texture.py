"""Copies that continue a picture into a hole."""

import numpy as np
import pytest

from vasa_jax.inference.drawing.fill import fill
from vasa_jax.inference.showing import texture

SIDE = 128


def _hole(left: int = 54, right: int = 74) -> np.ndarray:
  hole = np.zeros((SIDE, SIDE), bool)
  hole[44:84, left:right] = True
  return hole


def _continued(picture, hole, side=SIDE):
  """The smooth filling, and the copies at `side` with their flag."""
  smooth = fill(picture, 1 - hole.astype(np.float32))
  places = texture.search(smooth, hole, ~hole, np.ones(hole.shape, np.float32))
  step = side // SIDE
  crop = picture.repeat(step, 0).repeat(step, 1)
  return smooth, texture.drawn(crop, places), places


def _stripes() -> np.ndarray:
  """Eleven pixels apart, and slanting: no level's grid fits them."""
  y, x = np.mgrid[:SIDE, :SIDE]
  return np.sin((y + 0.4 * x) * 2 * np.pi / 11) > 0


def _checks() -> np.ndarray:
  y, x = np.mgrid[:SIDE, :SIDE]
  return (y // 8 + x // 8) % 2


@pytest.mark.parametrize('pattern', [_stripes, _checks])
def test_patterns_run_on_where_means_are_fog(pattern):
  picture = np.repeat(np.float32(pattern())[..., None], 3, -1)
  hole = _hole()
  # What lies in the hole must not matter.
  smooth, copies, _ = _continued(np.where(hole[..., None], 7, picture), hole)
  assert copies[hole][:, 3].all()
  means, found = (
    np.abs(x[hole][:, :3] - picture[hole]).mean() for x in (smooth, copies)
  )
  assert means > 0.3
  assert found < means / 4


def test_an_edge_is_where_it_is_in_a_larger_crop():
  picture = np.zeros((SIDE, SIDE, 3), np.float32)
  picture[61:] = 1
  hole = _hole()
  _, copies, places = _continued(picture, hole, 3 * SIDE)
  assert places.side == SIDE
  rows = copies[44 * 3 : 84 * 3, 54 * 3 : 74 * 3, 0].mean(1)
  assert rows[: (60 - 44) * 3].max() < 0.1
  assert rows[(62 - 44) * 3 :].min() > 0.9


def test_copies_are_pixels_of_what_may_be_copied():
  rng = np.random.default_rng(3)
  picture = rng.random((SIDE, SIDE, 3), np.float32) / 2
  hole, forbidden = _hole(), np.zeros((SIDE, SIDE), bool)
  forbidden[:, 90:] = True
  picture[hole | forbidden] = 1
  smooth = fill(picture, 1 - hole.astype(np.float32))
  wanted = np.ones((SIDE, SIDE), np.float32)
  places = texture.search(smooth, hole, ~(hole | forbidden), wanted)
  assert texture.drawn(picture, places)[..., :3].max() <= 0.5


def test_plain_stays_plain():
  picture = np.full((SIDE, SIDE, 3), 0.4, np.float32)
  hole = _hole()
  _, copies, _ = _continued(np.where(hole[..., None], 0.9, picture), hole)
  np.testing.assert_allclose(copies[hole][:, :3], 0.4, atol=1e-5)


def test_the_same_every_time():
  picture = np.random.default_rng(5).random((SIDE, SIDE, 3), np.float32)
  first, second = (_continued(picture, _hole())[1] for _ in range(2))
  np.testing.assert_array_equal(first, second)


def test_only_the_rim_and_what_is_wanted():
  picture = np.random.default_rng(5).random((SIDE, SIDE, 3), np.float32)
  hole = np.zeros((SIDE, SIDE), bool)
  hole[30:100, 30:100] = True
  smooth = fill(picture, 1 - hole.astype(np.float32))
  wanted = np.zeros((SIDE, SIDE), np.float32)
  wanted[:64] = 1
  places = texture.search(smooth, hole, ~hole, wanted)
  assert places.share[20, 16] == 1  # two coarse pixels from the rim
  assert places.share[31, 31] == 0  # fifteen
  assert not places.share[32:].any() and not places.share[:15].any()
  assert 0 < np.ptp(places.share) <= 1


def test_too_little_to_copy():
  picture = np.full((SIDE, SIDE, 3), 0.4, np.float32)
  hole = np.ones((SIDE, SIDE), bool)
  hole[:, :8] = False
  wanted = np.ones((SIDE, SIDE), np.float32)
  assert texture.search(picture, hole, ~hole, wanted) is None
  assert texture.search(picture, _hole(), ~_hole(), 0 * wanted) is None
