"""Lips that close over teeth, on a mouth of known colours."""

import jax
import numpy as np
import pytest

from vasa_jax.inference.drawing.lip_skin import AJAR, CLEAR, FAR, closed
from vasa_jax.inference.drawing.rims import BINS, Rims

SIZE = 128
WIDTH = 0.5  # of the mouth, crop units
UPPER, LOWER, TEETH = (0.6, 0.2, 0.2), (0.2, 0.2, 0.6), (1.0, 1.0, 1.0)


def lips(gap, x=0.5, width=WIDTH):
  """A mouth `gap` widths open, level, with its middle in the picture's."""
  half = np.full(BINS, gap / 2, np.float32)
  return Rims(np.float32([x, 0.5]), np.float32([width, 0]), -half, half)


@pytest.fixture
def portrait():
  """Teeth between two lips of one colour each; they run on a little under the rims."""
  y = (np.arange(SIZE) + 0.5) / SIZE - 0.5
  gap = 0.2 * WIDTH / 2 + 0.5 * CLEAR * WIDTH
  rows = np.where(
    (y < -gap)[:, None], UPPER, np.where((y > gap)[:, None], LOWER, TEETH)
  )
  picture = np.broadcast_to(rows[:, None], (SIZE, SIZE, 3))
  return np.uint8(np.round(picture * 255))


def made(portrait, now, rest=None, face=0.5):
  line = (np.arange(SIZE) + 0.5) / SIZE
  place = np.stack(np.meshgrid(line, line), -1).astype(np.float32)
  face = np.full((SIZE, SIZE, 3), face, np.float32)
  given = face, rest or lips(0.2), now, place, portrait, np.float32(1 / SIZE)
  return np.asarray(jax.jit(closed)(*given))


def test_lips_that_meet_show_no_teeth(portrait):
  drawn = made(portrait, lips(0.0))
  column = drawn[:, SIZE // 2]
  middle, near = SIZE // 2, int(0.04 * WIDTH * SIZE)
  np.testing.assert_allclose(column[middle - near] / UPPER, 1, atol=0.15)
  np.testing.assert_allclose(column[middle + near - 1] / LOWER, 1, atol=0.15)
  assert column.max() < 0.65  # of teeth there is nothing
  # A shade lies where they meet.
  assert column[middle].sum() < 0.8 * column[middle + near - 1].sum()


def test_far_from_the_rims_nothing_is_drawn(portrait):
  drawn = made(portrait, lips(0.0))
  changed = np.abs(drawn - 0.5).max(-1) > 1e-4
  y, x = np.nonzero(changed)
  assert np.abs(y + 0.5 - SIZE / 2).max() <= FAR * WIDTH * SIZE
  assert np.abs(x + 0.5 - SIZE / 2).max() <= 0.6 * WIDTH * SIZE


@pytest.mark.parametrize('gap', [0.19, 0.2, 0.5])
def test_lips_that_do_not_close_are_left_alone(portrait, gap):
  np.testing.assert_array_equal(made(portrait, lips(gap)), 0.5)


def test_lips_that_are_shut_in_the_portrait_are_left_alone(portrait):
  np.testing.assert_array_equal(made(portrait, lips(0.0), lips(AJAR[0])), 0.5)


def test_skin_goes_with_a_mouth_that_moves_and_grows(portrait):
  drawn = made(portrait, lips(0.0, x=0.4, width=0.6))
  column = drawn[:, int(0.4 * SIZE)]
  near = int(0.04 * 0.6 * SIZE)
  np.testing.assert_allclose(column[SIZE // 2 - near] / UPPER, 1, atol=0.15)
  assert np.abs(drawn[:, int(0.78 * SIZE) :] - 0.5).max() < 1e-4
