"""What the emotion judge is shown: a level, centred, grey face."""

import numpy as np
import pytest

from vasa_jax.metrics import emotion


@pytest.fixture(scope='module')
def face():
  """A picture with a bright dot at each eye, and a mesh with these corners."""
  points = np.zeros((468, 3))
  points[:, 0] = np.linspace(70, 130, 468)
  points[:, 1] = 100 + 30 * np.sin(np.arange(468))
  points[33], points[263] = (80, 90, 0), (120, 90, 0)
  picture = np.zeros((200, 200, 3), np.uint8)
  for x in (80, 120):
    picture[86:95, x - 4 : x + 5] = 255
  return picture, points


def test_crop_is_grey_and_spans_the_face(face):
  crop = emotion.crop_face(*face)
  assert crop.shape == (64, 64, 1) and crop.dtype == np.float32
  assert crop.min() == pytest.approx(-1, abs=1e-3) and crop.max() > 0.9
  columns = np.flatnonzero((crop[..., 0] > 0).any(0))
  rows = np.flatnonzero((crop[..., 0] > 0).any(1))
  # 60 px of face times the margin on 64 px, eyes 20 px off the middle.
  scale = 64 / (60 * emotion.MARGIN)
  assert columns.mean() == pytest.approx(31.5, abs=1)
  assert columns.max() - columns.min() == pytest.approx(49 * scale, abs=2)
  assert rows.mean() == pytest.approx(31.5 - 10 * scale, abs=1)


def test_a_rolled_face_is_shown_level(face):
  picture, points = face
  # A quarter turn of picture and mesh alike changes nothing for the net.
  turned = np.rot90(picture).copy()
  moved = np.stack([points[:, 1], 200 - points[:, 0], points[:, 2]], 1)
  np.testing.assert_allclose(
    emotion.crop_face(turned, moved), emotion.crop_face(picture, points), atol=0.05
  )


def test_reader_pads_its_batches(monkeypatch):
  from vasa_jax.teachers import fetch, graph

  def first_pixel(arrays):
    return lambda x: x[:, 0, 0, :1] * np.ones(7, np.float32)

  monkeypatch.setattr(fetch, 'load_fetched', lambda name: {})
  monkeypatch.setattr(graph, 'run_graph', first_pixel)
  crops = np.arange(33, dtype=np.float32)[:, None, None, None] * np.ones((1, 64, 64, 1))
  read = emotion.load_reader()(crops)
  np.testing.assert_array_equal(read[:, 3], np.arange(33))
  assert emotion.load_reader()(crops[:0]).shape == (0, 7)
