"""The lips of a frame, drawn by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.inference.drawing import lips
from vasa_jax.inference.drawing.rims import rims

ALONG = np.linspace(-0.5, 0.5, len(lips.UPPER_LIP))


def _mouth(opening, width=0.2, middle=(0.5, 0.6), turn=0.0):
  """Rims with parabolas above and below the line between the corners."""
  arch = opening * (0.25 - ALONG**2) * 2  # half the opening on either side
  cosine, sine = np.cos(turn), np.sin(turn)
  turned = np.array([[cosine, sine], [-sine, cosine]])
  above, below = (
    np.stack([ALONG, side * arch], -1) @ turned * width + middle for side in (-1, 1)
  )
  return rims(jnp.asarray(above, jnp.float32), jnp.asarray(below, jnp.float32))


def _at(place, mouth, soft=0.004):
  return lips.between(mouth, jnp.asarray(place, jnp.float32), jnp.float32(soft))


def test_the_opening_is_that_of_the_middle():
  mouth = _mouth(0.4)
  highest = 0.4 * np.mean((0.25 - np.linspace(-1 / 6, 1 / 6, 9) ** 2) * 4)
  assert float(mouth.opening()) == pytest.approx(highest, rel=0.02)
  assert float(_mouth(0).opening()) == 0
  assert float(mouth.apart(mouth)) == 0
  assert float(_mouth(0.1).apart(mouth)) == pytest.approx(0.75 * highest / 2, rel=0.05)


@pytest.mark.parametrize('turn', [0.0, 0.4, -1.0])
def test_inside_is_between_the_rims(turn):
  mouth = _mouth(0.4, turn=turn)
  down = np.array([-np.sin(turn), np.cos(turn)])
  right = np.array([np.cos(turn), np.sin(turn)])
  middle = np.array([0.5, 0.6])
  inside = [middle, middle + 0.03 * down, middle - 0.03 * down, middle + 0.05 * right]
  outside = [middle + 0.05 * down, middle - 0.05 * down, middle + 0.11 * right]
  outside += [middle + 0.09 * right + 0.02 * down]
  np.testing.assert_allclose(_at(inside, mouth).inside, 1, atol=1e-6)
  np.testing.assert_allclose(_at(outside, mouth).inside, 0, atol=1e-6)
  depth = _at([middle - 0.03 * down, middle, middle + 0.03 * down], mouth).depth[:, 0]
  np.testing.assert_allclose(depth, [0.125, 0.5, 0.875], atol=0.02)


def test_nothing_is_inside_lips_that_touch_or_press():
  grid = np.stack(
    np.meshgrid(np.linspace(0.35, 0.65, 61), np.linspace(0.5, 0.7, 61)), -1
  )
  for opening in (0.0, -0.1):
    assert float(_at(grid, _mouth(opening)).inside.max()) == 0


def test_it_is_darker_at_the_rims_and_in_the_corners():
  middle, under, over, corner = _at(
    [[0.5, 0.6], [0.5, 0.562], [0.5, 0.638], [0.58, 0.6]], _mouth(0.4)
  ).light[:, 0]
  assert middle > 0.95 and under < over < middle and corner < middle


def test_a_mouth_seen_from_the_side_stays_finite():
  along = np.sin(np.linspace(-1.2, 2.4, len(lips.UPPER_LIP)))  # folds at its far end
  above, below = (np.stack([along, side * np.cos(along)], -1) for side in (-0.1, 0.1))
  mouth = rims(jnp.asarray(above), jnp.asarray(below))
  found = _at([[0.1, 0.0], [0.9, 0.05]], mouth)
  assert all(np.isfinite(part).all() for part in found)
