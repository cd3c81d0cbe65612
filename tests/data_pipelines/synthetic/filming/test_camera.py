import dataclasses

import cv2
import numpy as np
import pytest

from data_pipelines.synthetic.filming import camera
from data_pipelines.synthetic.filming.camera import Camera, expose

SIDE = 64


@pytest.fixture(scope='module')
def clip():
  """Four frames of a textured square that moves to the right over a soft ground."""
  rng = np.random.default_rng(0)
  ground = cv2.resize(rng.uniform(30, 220, (8, 8, 3)).astype(np.float32), (SIDE, SIDE))
  square = cv2.resize(rng.uniform(0, 255, (6, 6, 3)).astype(np.float32), (24, 24))
  frames = []
  for t in range(4):
    frame = ground.copy()
    frame[20:44, 8 + 4 * t : 32 + 4 * t] = square
    frames.append(frame)
  return np.stack(frames).clip(0, 255).astype(np.uint8)


def run(clip, seed=0, **changes):
  return expose(clip, Camera(**changes), np.random.default_rng(seed)).astype(float)


def sharpness(pictures):
  return np.mean([cv2.Laplacian(p, cv2.CV_64F).var() for p in pictures])


def test_a_camera_that_does_nothing_changes_nothing(clip):
  np.testing.assert_array_equal(run(clip), clip)


def test_the_same_seed_gives_the_same_bytes(clip):
  for seed in range(20):
    one = camera.sample_camera(np.random.default_rng(seed))
    assert one == camera.sample_camera(np.random.default_rng(seed))
    first, second = (expose(clip, one, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == clip.shape and first.dtype == np.uint8


def test_pictures_given_are_not_changed(clip):
  before = clip.copy()
  for seed in range(10):
    expose(clip, camera.sample_camera(np.random.default_rng(seed)),
           np.random.default_rng(seed))  # fmt: skip
  np.testing.assert_array_equal(clip, before)


@pytest.mark.parametrize(
  'change',
  [
    [{'defocus': x} for x in (0.0, 0.006, 0.012, 0.03)],
    [{'softness': x} for x in (1.0, 1.7, 3.0)],
    [{'motion': x} for x in (0.0, 0.4, 0.9)],
    [{'sharpening': x} for x in (1.5, 0.7, 0.0)],
    [{'codec_scale': x, 'quality': 90} for x in (1.0, 0.6, 0.3)],
  ],
)
def test_detail_falls(clip, change):
  values = [sharpness(run(clip, **x)[1:]) for x in change]
  assert all(a > 1.02 * b for a, b in zip(values, values[1:], strict=False)), values


@pytest.mark.parametrize(
  'change',
  [
    [{'shot': x} for x in (0.01, 0.03, 0.08)],
    [{'read': x} for x in (0.01, 0.03, 0.08)],
    [{'quality': x} for x in (90, 40, 8)],
    [{'fringe': x} for x in (0.003, 0.01, 0.03)],
    [{'lift': x} for x in (0.02, 0.05, 0.1)],
    [{'vignette': x} for x in (0.1, 0.3, 0.6)],
    [{'exposure': -x} for x in (0.2, 0.6, 1.5)],
    [{'saturation': x} for x in (0.8, 0.5, 0.0)],
  ],
)
def test_more_of_an_effect_is_farther_from_the_picture(clip, change):
  values = [np.abs(run(clip, **x) - clip).mean() for x in change]
  assert values[0] > 0.1
  assert all(b > 1.2 * a for a, b in zip(values, values[1:], strict=False)), values


def test_exposure_makes_brighter_and_darker(clip):
  levels = [run(clip, exposure=x).mean() for x in (-1.5, -0.5, 0.0, 0.4, 0.9)]
  assert np.all(np.diff(levels) > 3)


def test_the_vignette_is_dark_at_the_corners_only(clip):
  ratio = run(clip, vignette=0.5) / np.maximum(clip, 1)
  assert ratio[:, 28:36, 28:36].mean() > 0.97
  assert ratio[:, :3, :3].mean() < 0.6


def test_black_and_white_and_sepia(clip):
  grey = run(clip, grey=1.0)
  assert np.abs(grey - grey[..., :1]).max() <= 1
  brown = run(clip, grey=1.0, sepia=1.0).mean((0, 1, 2))
  assert brown[0] > brown[1] > brown[2]


def test_noise_differs_by_frame_and_its_size_is_as_asked():
  flat = np.full((3, SIDE, SIDE, 3), 128, np.uint8)
  noisy = run(flat, read=0.04) - 128
  assert noisy.std() == pytest.approx(0.04 * 255, rel=0.1)
  assert abs(noisy.mean()) < 1
  for a, b in ((0, 1), (1, 2), (0, 2)):
    assert abs(np.corrcoef(noisy[a].ravel(), noisy[b].ravel())[0, 1]) < 0.2
  red, green = noisy[0, ..., 0].ravel(), noisy[0, ..., 1].ravel()
  assert np.corrcoef(red, green)[0, 1] > 0.2  # demosaicing mixes channels
  bright = np.full_like(flat, 220)
  dark = np.full_like(flat, 20)
  assert run(bright, shot=0.05).std() > 2 * run(dark, shot=0.05).std()


def test_only_the_noise_differs_by_frame(clip):
  still = np.repeat(clip[:1], 4, 0)
  for seed in range(20):
    one = camera.sample_camera(np.random.default_rng(seed))
    one = dataclasses.replace(one, shot=0.0, read=0.0)
    out = expose(still, one, np.random.default_rng(seed))
    assert (out == out[:1]).all()


def test_motion_smears_what_moves_and_nothing_in_stills(clip):
  blurred = run(clip, motion=0.9)
  np.testing.assert_array_equal(blurred[0], clip[0])  # nothing is known before it
  change = np.abs(blurred[2] - clip[2]).mean(-1)
  assert change[22:42, 14:42].mean() > 10 * change[:, 56:].mean() + 1
  stills = expose(clip, Camera(motion=0.9), np.random.default_rng(0), stills=True)
  np.testing.assert_array_equal(stills, clip)


def test_cameras_follow_their_priors():
  drawn = [camera.sample_camera(np.random.default_rng(seed)) for seed in range(600)]
  fov = np.array([c.fov for c in drawn])
  assert fov.min() >= 14 and fov.max() <= 40
  assert np.mean((fov > 20) & (fov < 28)) > 0.6
  assert np.abs([c.tilt for c in drawn]).max() <= 0.2
  assert 0.01 < np.mean([c.grey for c in drawn]) < 0.1
  clean = [c for c in drawn if c.quality > 90 and not c.motion and not c.defocus
           and abs(c.exposure) < 0.4 and c.read < 0.005 and not c.shot]  # fmt: skip
  assert 0.2 < len(clean) / len(drawn) < 0.35
