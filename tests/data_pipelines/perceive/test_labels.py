"""A photograph that is turned, moved, mirrored and enlarged: labels must follow."""

import sys

import numpy as np
import pytest

from data_pipelines import schema
from data_pipelines.perceive import labels, track


@pytest.fixture(scope='module')
def plain(cut_out, read_crop):
  return read_crop(cut_out())


def test_labels_fit_a_record(plain, cut_out):
  t = 2
  frames = tuple([schema.encode_picture(cut_out())] * t)
  audio = np.zeros(t * schema.SAMPLES_PER_FRAME, np.int16)
  clip = schema.Clip(
    'a', 'b', 'c', 'd', frames, audio, plain.pose, plain.gaze, plain.distance,
    plain.emotion, plain.landmarks, plain.visible,
  )  # fmt: skip
  schema.check(clip)
  assert plain.visible.all()
  assert plain.landmarks.shape == (t, 468, 2) and plain.eye_open.shape == (t, 2)
  np.testing.assert_allclose(plain.emotion.sum(1), 1, atol=1e-5)
  assert {a.dtype for a in (plain.pose, plain.gaze, plain.distance)} == {
    np.dtype(np.float32)
  }


def test_she_looks_at_the_camera(plain):
  assert np.abs(plain.pose[0, :2]).max() < 8
  assert np.abs(plain.gaze[0]).max() < 10
  assert (plain.eye_open > 0.25).all()


def test_roll_follows_the_picture(plain, cut_out, read_crop):
  turned = read_crop(cut_out(turn=15))
  assert turned.pose[0, 2] - plain.pose[0, 2] == pytest.approx(15, abs=2)
  np.testing.assert_allclose(turned.pose[0, :2], plain.pose[0, :2], atol=4)


def test_a_mirror_turns_yaw_roll_and_gaze_around(plain, cut_out, read_crop):
  turned = read_crop(cut_out(turn=15))
  seen = read_crop(np.ascontiguousarray(cut_out(turn=15)[:, ::-1]))
  np.testing.assert_allclose(seen.pose[0, [0, 2]], -turned.pose[0, [0, 2]], atol=3)
  assert seen.gaze[0, 0] == pytest.approx(-turned.gaze[0, 0], abs=5)


def test_distance_follows_the_size(plain, cut_out, read_crop):
  small = read_crop(cut_out(zoom=0.75))
  ratio = small.distance[0] / plain.distance[0]
  assert ratio == pytest.approx(1 / 0.75, rel=0.05)


def test_shift_follows_the_place(plain, cut_out, read_crop):
  moved = read_crop(cut_out(right=0.1))
  assert moved.pose[0, 3] - plain.pose[0, 3] == pytest.approx(0.1, abs=0.01)
  assert moved.pose[0, 4] == pytest.approx(plain.pose[0, 4], abs=0.01)


def test_a_frame_without_a_face_lies_between_its_neighbours(cut_out):
  here, there = cut_out(), cut_out(right=0.06)
  clip = np.stack([here, here, np.zeros_like(here), there])
  read = labels.label_clip(clip)
  assert read.visible.tolist() == [True, True, False, True]
  middle = (read.landmarks[1] + read.landmarks[3]) / 2
  np.testing.assert_allclose(read.landmarks[2], middle, atol=1e-4)


def test_a_face_that_jumps_is_found_again(cut_out):
  clip = np.stack([cut_out(right=-0.25, zoom=0.6), cut_out(right=0.25, zoom=0.6)])
  seen = track.follow_face(clip)
  assert seen.visible.all()
  across = seen.points[:, :, 0].mean(1)
  assert across[1] - across[0] == pytest.approx(0.5, abs=0.03)


def test_nobody_there():
  read = labels.label_clip(np.full((3, 64, 64, 3), 90, np.uint8), np.zeros(9, np.int16))
  assert not read.visible.any() and read.landmarks.shape == (3, 468, 2)
  assert read.emotion[:, 5].tolist() == [1, 1, 1]
  assert read.emotion_by == 'not measured' and read.speech == 0
  assert read.conditions.main_distance == 1
  assert track.follow_face(np.zeros((1, 64, 64, 3), np.uint8)) is None


def test_conditions_leave_invisible_frames_out(plain):
  import dataclasses

  gaze = np.array([[10, 0], [-30, 20]], np.float32)
  distance = np.array([1.5, 9], np.float32)
  seen = dataclasses.replace(
    plain, gaze=gaze, distance=distance, visible=np.array([True, False])
  )
  np.testing.assert_allclose(seen.main_gaze, [10, 0])
  assert seen.main_distance == pytest.approx(1.5)
  assert seen.mean_emotion.sum() == pytest.approx(1)


def test_other_shapes_are_refused():
  with pytest.raises(ValueError, match='square'):
    labels.label_clip(np.zeros((2, 8, 9, 3), np.uint8))


def test_workers_need_no_jax():
  import subprocess

  code = (
    'import sys, numpy as np;'
    'from data_pipelines.perceive import labels, identity, quality;'
    'a = np.zeros((1, 64, 64, 3), np.uint8);'
    'labels.label_clip(a); identity._plain(a[0]); quality.sharpness(a[0]);'
    'from data_pipelines.perceive import emotion; emotion.load_reader();'
    'sys.exit("jax" in sys.modules or "tensorflow" in sys.modules)'
  )
  assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
