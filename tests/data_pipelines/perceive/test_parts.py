"""Detector, mesh, lids, sound, sharpness and identity, each on its own."""

import pathlib
import wave

import cv2
import numpy as np
import pytest

import vasa_jax
from data_pipelines.perceive import identity, lids, quality, readout, speech
from data_pipelines.perceive.detect import Detector
from data_pipelines.perceive.geometry import fit_head
from data_pipelines.perceive.mesh import Mesher
from data_pipelines.perceive.track import Track
from vasa_jax.metrics.faces import mean_mesh
from vasa_jax.metrics.pose import rotation

rng = np.random.default_rng(0)


def test_two_faces_and_none(cut_out):
  pair = np.concatenate([cut_out(zoom=0.7), cut_out(zoom=0.5)], 1)
  found = Detector().boxes(pair)
  assert len(found) == 2
  middle = [(f.box[0] + f.box[2]) / 2 for f in found]
  assert middle[0] < 256 < middle[1]  # the largest first
  assert found[0].points.shape == (6, 2) and found[0].score > 0.6
  noise = rng.integers(0, 255, (120, 160, 3)).astype(np.uint8)
  assert Detector().boxes(noise) == []


def test_tiles_find_a_small_face():
  small = cv2.resize(_portrait(), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
  frame = np.full((600, 800, 3), 128, np.uint8)
  frame[450:578, 600:728] = small
  found = Detector(tiles=True).boxes(frame)
  assert len(found) == 1 and found[0].box[0] > 600


def _portrait():
  path = pathlib.Path(vasa_jax.__file__).parent / 'examples' / 'portrait.jpg'
  return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def test_mesh_of_a_box_and_of_the_frame_before(cut_out):
  picture = cut_out(turn=25)
  mesher = Mesher()
  first = mesher.mesh(picture, Detector().boxes(picture)[0].box)
  again = mesher.follow(picture, first)
  np.testing.assert_allclose(again.points[:, :2], first.points[:, :2], atol=2)
  centre = again.iris[:, 0, :2]
  for eye, pair in zip(centre, ((33, 133), (362, 263)), strict=True):
    low, high = first.points[list(pair), 0]
    assert low < eye[0] < high
  assert Mesher(irises=False).mesh(picture, first.box).iris is None
  blank = np.zeros_like(picture)
  assert mesher.mesh(blank, first.box) is None and mesher.follow(blank, first) is None


def _posed(angles, scale=0.12):
  world = mean_mesh() @ rotation(angles).T
  return (world * scale * [1, -1, -1] + [0.5, 0.5, 0])[None]


@pytest.mark.parametrize('angles', [(0, 0, 0), (30, -10, 5), (-20, 15, -20)])
def test_geometry_of_the_mean_mesh(angles):
  found = fit_head(_posed(angles))[0]
  np.testing.assert_allclose(found[:3], angles, atol=1e-6)
  near = fit_head(_posed(angles, 0.15))[0]
  assert found[3] - near[3] == pytest.approx(np.log(0.15 / 0.12), abs=0.04)
  moved = _posed(angles) + [0.07, -0.04, 0]
  np.testing.assert_allclose(fit_head(moved)[0, 4:] - found[4:], [0.07, -0.04])


def test_head_frame_knows_no_pose():
  ours = mean_mesh() + rng.normal(0, 0.02, (468, 3))
  frames = []
  for angles, scale in (((0, 0, 0), 0.1), ((25, -12, 8), 0.13)):
    points = ((ours @ rotation(angles).T) * scale * [1, -1, -1] + [0.4, 0.6, 0])[None]
    frames.append(readout.head_frame(points, fit_head(points))[0])
  np.testing.assert_allclose(frames[0], frames[1], atol=1e-9)


def _track(points, lids_, iris):
  return Track(points, iris, lids_, np.ones(len(points), np.float32))


def test_shape_knows_neither_place_nor_size_nor_roll_nor_iris():
  lids_ = np.full((2, 71, 3), 0.5) + rng.normal(0, 0.05, (2, 71, 3))
  iris = rng.normal(0.5, 0.02, (1, 2, 5, 3))
  plain = _track(_posed((0, 0, 5)), lids_[None], iris)
  a = np.deg2rad(12)  # counter-clockwise on screen, y down
  spin = np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])

  def moved(points):
    return (points - [0.5, 0.5, 0]) @ spin.T * 1.3 + [0.42, 0.55, 0]

  other = _track(moved(plain.points), moved(plain.lids), iris + 0.02)
  first, second = readout.see(plain), readout.see(other)
  np.testing.assert_allclose(second.rough[0, 2], 17, atol=1e-6)
  np.testing.assert_allclose(second.shape, first.shape, atol=1e-6)
  assert first.shape.std() > 0.1
  taller = plain._replace(lids=plain.lids * [1, 1.2, 1])
  assert np.abs(readout.see(taller).shape - first.shape).max() > 0.05


def test_means_are_of_each_track_and_of_visible_frames():
  terms = np.array([[1, 2.0], [1, 4], [1, 50], [1, 10]])
  out = readout.with_means(terms, np.array([0, 0, -1, 1]))
  np.testing.assert_allclose(out[:, :2], terms)
  np.testing.assert_allclose(out[:, 2], [3, 3, 3, 10])


def test_eyes_are_held_through_a_blink_and_single_frames_are_errors():
  right = np.r_[np.zeros(10), np.full(20, 0.2)]
  eyes = np.stack([right, np.zeros(30)], 1)
  spoilt = eyes.copy()
  spoilt[4] = 0.5  # one wild frame
  spoilt[16:21, 1] = -0.6  # the iris goes down with the lid
  found = readout._steadied(spoilt, np.array([[16, 21]]))
  np.testing.assert_allclose(found, eyes, atol=1e-12)
  whole = readout._steadied(eyes, np.array([[0, 30]]))  # nothing to hold on to
  np.testing.assert_allclose(whole, eyes)


def test_mouth_opens_upwards_only_and_closes_at_its_own_zero():
  local = np.repeat(mean_mesh()[None], 40, 0)
  lips = [13, 82, 312]
  below = [14, 87, 317]
  local[:, lips, 1] = local[:, below, 1] + 0.02  # this person's closed mouth
  local[10:20, lips, 1] += 0.3
  width = np.linalg.norm(mean_mesh()[33] - mean_mesh()[263])
  opening = lids.from_own_rest(lids.mouth_opening(local))
  np.testing.assert_allclose(opening[:10], 0, atol=1e-9)
  np.testing.assert_allclose(opening[10:20], 0.3 / width, rtol=1e-6)
  local[30:, lips, 1] -= 0.2  # pressed past each other
  assert lids.mouth_opening(local)[30:].max() < 0
  assert lids.from_own_rest(lids.mouth_opening(local))[30:].max() == 0


def test_a_voice_is_speech_and_noise_is_not():
  path = pathlib.Path(vasa_jax.__file__).parent / 'examples' / 'voice.wav'
  with wave.open(str(path)) as file:
    voice = np.frombuffer(file.readframes(1 << 20), np.int16)
  assert speech.speech_share(voice) > 0.8
  assert speech.speech_share((voice * 0.05).astype(np.int16)) > 0.6
  silence = np.zeros(len(voice), np.int16)
  half = speech.speech_share(np.concatenate([silence, voice]))
  assert half == pytest.approx(speech.speech_share(voice) / 2, abs=0.08)
  time = np.arange(48_000) / 16_000
  hum = 8000 * np.sin(2 * np.pi * 100 * time) + 300 * rng.normal(size=48_000)
  noise = 3000 * rng.normal(size=48_000)
  for sound in (silence, noise, hum, np.zeros(10)):
    assert speech.speech_share(sound.astype(np.int16)) == 0


def test_sharpness_falls_with_blur_and_with_enlarging(cut_out):
  sharp = _portrait()
  values = [quality.sharpness(sharp)]
  values += [quality.sharpness(cv2.GaussianBlur(sharp, (0, 0), s)) for s in (1, 2, 4)]
  assert all(a > b + 0.02 for a, b in zip(values, values[1:], strict=False))
  small = cv2.resize(sharp, (64, 64), interpolation=cv2.INTER_AREA)
  assert quality.sharpness(cv2.resize(small, (512, 512))) < values[0] - 0.1
  assert quality.sharpness(np.zeros((32, 32, 3), np.uint8)) <= 1


def test_plain_identity(cut_out, monkeypatch):
  monkeypatch.setattr(identity, '_net', lambda: None)
  one = identity.describe(cut_out())
  assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
  moved = cut_out(turn=8, zoom=0.9, right=0.05)
  dimmer = (moved * 0.9).astype(np.uint8)
  assert identity.same_person(one, identity.describe(dimmer))
  # another complexion: red and blue exchanged, light and dark too
  other = identity.describe(255 - cut_out()[..., ::-1])
  if other is not None:
    assert not identity.same_person(one, other)
  green = cut_out().astype(float) * [0.4, 1.0, 0.5]
  assert not identity.same_person(one, identity.describe(green.astype(np.uint8)))
  assert identity.describe(np.zeros((64, 64, 3), np.uint8)) is None
