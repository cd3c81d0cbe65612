"""Pictures of teeth and tongue: what is drawn, and which teeth go with the jaw."""

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic import pack_mouth
from vasa_jax.inference.drawing.mouth_pictures import Box

BOX = Box(0.0, 1.0, 1.0, 0.0)
SIDE = BOX.rows  # a square


def _square(depth, colour, low=0.0, high=1.0, facing=1):
  """Two triangles that fill a square at a depth, in one colour."""
  corners = [(low, low), (high, low), (high, high), (low, high)]
  points = np.array([(*corner, depth) for corner in corners])
  order = [(0, 1, 2), (0, 2, 3)] if facing > 0 else [(0, 2, 1), (0, 3, 2)]
  texture = np.broadcast_to(np.array([*colour, 1.0]), (8, 8, 4))
  return points[order], np.ones((2, 3)), np.full((2, 3, 2), 0.5), texture


def test_the_nearest_face_that_looks_at_us_is_seen():
  red, green, blue = np.eye(3)
  made = pack_mouth.drawn(
    BOX,
    SIDE,
    [
      _square(0.0, red),
      _square(0.5, green, high=0.5),
      _square(0.9, blue, facing=-1),
    ],
  )
  assert made.shape == (SIDE, SIDE, 4)
  quarter, half = SIDE // 4, SIDE // 2
  # y goes up: low left is at the picture's bottom left.
  np.testing.assert_allclose(made[-quarter, quarter], [*green, 1], atol=1e-6)
  np.testing.assert_allclose(made[quarter, quarter], [*red, 1], atol=1e-6)
  np.testing.assert_allclose(made[half - 20, half + 20], [*red, 1], atol=1e-6)


def test_what_nothing_covers_is_clear():
  made = pack_mouth.drawn(BOX, SIDE, [_square(0.0, (1, 1, 1), high=0.5)])
  assert made[: SIDE // 2 - 2].max() == 0
  assert abs(made[..., 3].mean() - 0.25) < 0.01


def test_half_of_the_teeth_go_with_the_jaw(monkeypatch):
  monkeypatch.setattr(pack_mouth, 'PEOPLE', 3)
  part = assets_lib.load_assets().parts['teeth']
  jaw = pack_mouth.goes_with_jaw(part)
  assert 0.4 < jaw.mean() < 0.6
  places = pack_mouth.mean_parts()['teeth']
  row = pack_mouth.is_row(places, part)
  upper, lower = (
    places[part.triangles[row & which]][..., 1].mean() for which in (~jaw, jaw)
  )
  assert upper > lower + 0.1
  assert 0.9 < row.mean() < 1
