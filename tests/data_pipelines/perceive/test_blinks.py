"""Blinks: the rule, what is usual, and pictures of eyes that shut."""

import cv2
import numpy as np
import pytest

from data_pipelines.perceive import blinks, readout
from data_pipelines.perceive.detect import Detector
from data_pipelines.perceive.mesh import Mesher
from data_pipelines.perceive.track import eye_pictures, follow_face


def test_blinks_are_counted_and_held_eyes_are_not():
  shut = 0.05 * np.sin(np.arange(150) / 9)
  shut[20:25] = [0.5, 0.9, 1.0, 0.8, 0.5]  # begins above .65, ends below .45
  shut[60:63] = 0.7
  shut[80:84] = 0.6  # a squint
  shut[100:130] = 1.0  # for more than a second
  shut[147:] = 0.8  # the clip ends in one
  np.testing.assert_array_equal(blinks.blinks(shut), [[21, 25], [60, 63], [147, 150]])
  assert blinks.blinks(np.zeros(5)).shape == (0, 2)


def test_the_usual_is_of_the_seconds_around():
  values = np.r_[np.zeros(200), np.ones(200)]
  values[[20, 320]] += 5  # does not last
  around = blinks.usual(values)
  np.testing.assert_array_equal(around[:100], 0)
  np.testing.assert_array_equal(around[300:], 1)
  found = blinks.less_usual(np.stack([values, values + 3], 1))
  assert (found[20] == 5).all() and (found[320] == 5).all()
  assert blinks.usual(values[:7]).tolist() == [0] * 7


@pytest.fixture(scope='module')
def fit(cut_out):
  picture = cut_out()
  return Mesher().mesh(picture, Detector().boxes(picture)[0].box)


def lidded(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
  """The picture with skin painted over both eyes."""
  out = picture.copy()
  for left, right in ((33, 133), (362, 263)):
    ends = points[[left, right], :2]
    middle, width = ends.mean(0), np.linalg.norm(ends[1] - ends[0])
    cheek = picture[int(middle[1] + 0.6 * width), int(middle[0])].tolist()
    axes = (int(0.6 * width), int(0.3 * width))
    cv2.ellipse(out, tuple(map(int, middle)), axes, 0, 0, 360, cheek, -1)
  return cv2.GaussianBlur(out, (0, 0), 1.0)


def test_eyes_are_cut_out_upright_at_any_turn_and_size(cut_out, fit):
  one = eye_pictures(cut_out(), fit.points)
  assert one.shape == (2, 8, 18) and one.std() > 10
  other = cut_out(turn=20, side=384)
  turned = eye_pictures(
    other, Mesher().mesh(other, Detector().boxes(other)[0].box).points
  )
  for a, b in zip(one, turned, strict=True):
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.85


def test_covered_eyes_are_a_blink(cut_out, fit):
  open_ = cut_out()
  shut = lidded(open_, fit.points)
  frames = np.stack([open_] * 20 + [shut] * 4 + [open_] * 20)
  read = readout.read_track(follow_face(frames))
  np.testing.assert_array_equal(blinks.blinks(read.shut), [[20, 24]])
  assert np.abs(read.shut[:20]).max() < 0.1


def test_without_pictures_the_outlines_alone_are_read(cut_out, fit):
  frames = np.stack([cut_out()] * 10)
  track = follow_face(frames)
  track.lids[4, :, :16, 1] = track.lids[4, :, :16, 1].mean(1, keepdims=True)
  seen = readout.see(track._replace(eyes=None))
  weights = readout.load_calibration().lids
  shut = blinks.closure(track._replace(eyes=None), seen.rough, seen.local, weights)
  assert shut.argmax() == 4 and shut[4] > 0.1
