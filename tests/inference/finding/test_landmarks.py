import math

import numpy as np
import pytest
from PIL import Image

from vasa_jax.inference.finding.detector import find_faces
from vasa_jax.inference.finding.landmarks import EYE_CORNERS, find_landmarks
from vasa_jax.inference.finding.sampling import Square, cut


@pytest.fixture(scope='module')
def marks(picture):
  return find_landmarks(picture, find_faces(picture)[0])


def _distance(a, b):
  return float(np.linalg.norm(a[..., :2] - b[..., :2], axis=-1).mean())


def test_square_maps_there_and_back():
  square = Square(30.0, 50.0, 20.0, math.radians(35))
  points = np.random.default_rng(0).uniform(-1, 2, (9, 2))
  np.testing.assert_allclose(square.from_picture(square.to_picture(points)), points)
  # Without a turn, the corners are those of the box.
  np.testing.assert_allclose(
    Square(30, 50, 20).to_picture(np.array([[0, 0], [1, 1]])), [[20, 40], [40, 60]]
  )


@pytest.mark.parametrize('side', [16, 200])
def test_cut_shows_what_the_square_covers(side):
  """A picture whose colours are its coordinates, cut at two scales."""
  y, x = np.mgrid[0:256, 0:256] + 0.5
  ramp = np.stack([x, y, np.zeros_like(x)], -1).astype(np.uint8)
  square = Square(128.0, 120.0, float(side), math.radians(20))
  out = cut(Image.fromarray(ramp), square, 32).astype(float)
  grid = (np.stack(np.meshgrid(np.arange(32), np.arange(32)), -1) + 0.5) / 32
  wanted = square.to_picture(grid.reshape(-1, 2)).reshape(32, 32, 2) - 0.5
  np.testing.assert_allclose(out[2:-2, 2:-2, :2], wanted[2:-2, 2:-2], atol=1.3)


def test_face_is_laid_out_as_faces_are(marks):
  points = marks.points
  assert points.shape == (468, 3) and marks.score > 0.99
  assert points[33, 0] < points[133, 0] < points[362, 0] < points[263, 0]
  assert points[10, 1] < points[1, 1] < points[13, 1] < points[152, 1]
  assert points[1, 2] < points[234, 2]  # the nose is closer than the ear
  assert 85 < marks.face_height < 95


def test_irises_lie_between_the_eye_corners(marks):
  for side, (a, b) in enumerate(EYE_CORNERS):
    centre = marks.irises[side, 0, :2]
    a, b = marks.points[a, :2], marks.points[b, :2]
    share = np.dot(centre - a, b - a) / np.dot(b - a, b - a)
    assert 0.3 < share < 0.7
    assert np.linalg.norm(centre - (a + b) / 2) < 0.3 * np.linalg.norm(b - a)
    # The rim surrounds the centre.
    np.testing.assert_allclose(marks.irises[side, 1:, :2].mean(0), centre, atol=1.0)


def test_landmarks_move_with_the_picture(picture, marks):
  moved = np.roll(picture, (25, 40), axis=(0, 1))
  again = find_landmarks(moved, find_faces(moved)[0])
  shifted = marks.points + np.array([40, 25, 0], np.float32)
  assert _distance(again.points, shifted) < 1.0


def test_landmarks_turn_with_the_picture(picture, marks):
  angle = 30.0
  turned = np.asarray(Image.fromarray(picture).rotate(angle, Image.BICUBIC))
  again = find_landmarks(turned, find_faces(turned)[0])
  # PIL turns counter-clockwise on screen about the middle.
  c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
  flat = (marks.points[:, :2] - 256) @ np.array([[c, -s], [s, c]]) + 256
  assert _distance(again.points, flat) < 2.5
  assert abs(math.degrees(marks.roll - again.roll) - angle) < 3


def test_mirrored_picture_gives_mirrored_landmarks(picture, marks):
  mirrored = np.ascontiguousarray(picture[:, ::-1])
  again = find_landmarks(mirrored, find_faces(mirrored)[0])
  flipped = marks.irises[::-1] * [-1, 1, 1] + [512, 0, 0]
  assert _distance(again.irises[:, 0], flipped[:, 0]) < 2.0


def test_a_box_alone_is_enough(picture, marks):
  again = find_landmarks(picture, find_faces(picture)[0].box, passes=3, irises=False)
  assert _distance(again.points, marks.points) < 1.5
  assert np.isnan(again.irises).all()


def test_score_is_low_where_there_is_no_face(picture):
  assert find_landmarks(picture, np.array([350.0, 10, 470, 130])).score < 0.5
