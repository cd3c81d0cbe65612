"""Tracks and crops of SyncNet's pipeline."""

import dataclasses

import numpy as np
from scipy.signal import medfilt

from vasa_jax.metrics import mouth_crop
from vasa_jax.metrics.face_crop import FaceBoxes, crop_face, face_boxes, running_median

CLOUD = np.random.default_rng(0).random((468, 3)).astype(np.float32)
CLOUD[0], CLOUD[1] = (0, 0, 0), (1, 1, 1)


def mesh(left, top, size):
  """`(t, 468, 3)`: the same cloud in boxes that begin at `left`, `top`."""
  corner = np.stack([left, top, np.zeros_like(left)], -1)
  return (corner[:, None] + np.asarray(size)[..., None, None] * CLOUD).astype(
    np.float32
  )


def test_median_as_scipy():
  x = np.random.default_rng(1).random(40)
  np.testing.assert_allclose(running_median(x), medfilt(x, 13))


def test_boxes_of_a_face_that_drifts():
  left = np.arange(60) / 2 + 30.0
  track = face_boxes(np.ones(60, bool), mesh(left, 0 * left + 20, 80.0))
  assert track.start == 0 and len(track) == 60
  np.testing.assert_allclose(track.centre[20], (30 + 10 + 40, 60), atol=1e-4)
  np.testing.assert_allclose(track.half[20], 40, atol=1e-4)


def test_gaps_are_bridged_and_jumps_end_a_track():
  left = np.where(np.arange(70) < 45, 40.0, 200.0)
  left[20] = 50.0
  points = mesh(left, 0 * left + 20, 80.0)
  found = np.ones(70, bool)
  found[10:18] = False
  points[10:18] = np.nan
  track = face_boxes(found, points)
  assert track.start == 0 and len(track) == 45  # then it is somewhere else
  assert np.isfinite(track.mesh).all()
  far = found.copy()
  far[8:40] = False  # more than 25 frames: two tracks, of 8 and of 5 frames
  assert len(face_boxes(far[:45], points[:45])) == 8
  assert face_boxes(np.zeros(70, bool), points) is None
  assert len(face_boxes(np.arange(70) == 30, points)) == 1


def test_crop_reaches_where_the_published_one_does():
  """Of a box of half side h: 1.4 h to the sides, h up, 1.8 h down, grey beyond."""
  y, x = np.mgrid[0:200, 0:200].astype(np.uint8)
  picture = np.stack([x, y, 0 * x], -1)
  boxes = FaceBoxes(
    0, np.array([[100.0, 90.0]]), np.array([40.0]), np.zeros((1, 468, 2))
  )
  crop = crop_face(picture, boxes, 0, 224).astype(float)
  np.testing.assert_allclose(crop[112, [0, -1], 0], (44, 155), atol=0.6)
  np.testing.assert_allclose(crop[[0, -1], 112, 1], (50, 161), atol=0.6)
  low = dataclasses.replace(boxes, centre=np.array([[10.0, 90.0]]))
  assert (crop_face(picture, low, 0, 224)[112, 0] == 110).all()


def test_mouth_is_the_same_at_every_size():
  y, x = np.mgrid[0:96, 0:96] / 96
  small = np.stack([127 + 120 * np.sin(9 * x + 5 * y)] * 3, -1).astype(np.uint8)
  large = np.kron(small, np.ones((4, 4, 1), np.uint8))
  square = np.array([50.3, 47.7, 40.0])
  a = mouth_crop.crop_mouth(small, square, 24).astype(float)
  b = mouth_crop.crop_mouth(large, 4 * square, 24).astype(float)
  assert np.abs(a - b).mean() < 2
  right = mouth_crop.crop_mouth(small, square + [40 / 24, 0, 0], 24)
  assert np.abs(right[:, :-1].astype(float) - a[:, 1:]).mean() < 2  # one pixel of 24


def test_mouth_squares_stand_still_while_the_jaw_moves():
  left = np.full(40, 30.0)
  points = mesh(left, left, 80.0)
  points[:, 17, 1] += 8 * (np.arange(40) % 4 < 2)  # the lower lip, 6 times a second
  squares = mouth_crop.mouth_squares(face_boxes(np.ones(40, bool), points))
  assert squares[:, 2].std() < 1e-6 and squares[:, 1].std() < 1.1
  np.testing.assert_allclose(squares[:, 2], mouth_crop.SHARE * 80, rtol=1e-5)
