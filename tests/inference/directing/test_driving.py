"""Pose and dynamics that are given: by name, by the portrait, by a video."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from data_pipelines.synthetic.assets import UNITS
from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference import models, talking_face
from vasa_jax.inference.directing import driving, named_motion
from vasa_jax.inference.finding import face_track
from vasa_jax.inference.finding.portrait import find_portrait
from vasa_jax.inference.media.provenance import read_provenance
from vasa_jax.inference.media.video import VideoWriter
from vasa_jax.types import Motion


@pytest.fixture(scope='module')
def own(portrait_path, tiny_face):
  portrait = tiny_face.portrait(portrait_path)
  return models.fit_source(tiny_face.bundle.face_config, portrait).motion


def write_video(path, pictures, fps=25):
  with VideoWriter(path, pictures[0].shape[:2], fps, sound_rate=None) as writer:
    writer.write(np.stack(pictures))
  return path


@pytest.fixture(scope='module')
def small(picture):
  """The shipped portrait, small, with room to move in."""
  face = find_portrait(picture, 128)
  padded = np.pad(face.crop, ((32, 32), (32, 32), (0, 0)), mode='edge')
  return np.repeat(np.repeat(padded, 2, 0), 2, 1)


@pytest.fixture(scope='module')
def clip(tmp_path_factory, small):
  """Eight frames at 12.5 a second: the face goes to the right."""
  pictures = [np.roll(small, 6 * i, axis=1) for i in range(8)]
  return write_video(tmp_path_factory.mktemp('drive') / 'd.mp4', pictures, 12)


def test_names_are_those_of_the_corpus():
  assert named_motion.UNITS == UNITS


def test_named_values_and_key_frames(own):
  keys = [{'time': 0, 'value': 0.0}, {'time': 0.4, 'value': 1.0}]
  values = {
    'pose': {'yaw': 20, 'distance': 1.2},
    'dynamics': {'jawOpen': keys, 'eye_pitch': -5},
  }
  made = named_motion.named_motion(values, own, 11)
  np.testing.assert_allclose(made.z_pose[:, 0], np.radians(20), atol=1e-6)
  np.testing.assert_allclose(made.z_pose[:, 3], np.log(1.2), atol=1e-6)
  jaw = UNITS.index('jawOpen')
  np.testing.assert_allclose(made.z_dyn[:, jaw], np.linspace(0, 1, 11), atol=1e-6)
  np.testing.assert_allclose(made.z_dyn[:, 53], np.radians(-5), atol=1e-6)
  rest = [i for i in range(54) if i not in (jaw, 53)]
  np.testing.assert_array_equal(made.z_dyn[3, rest], own.z_dyn[0, rest])
  np.testing.assert_array_equal(
    made.z_pose[3, [1, 2, 4, 5]], own.z_pose[0, [1, 2, 4, 5]]
  )


def test_a_short_track_goes_back_and_forth():
  track = np.arange(4)[:, None]
  seen = driving._there_and_back(track, np.arange(10))[:, 0]
  assert list(seen) == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]
  assert list(driving._there_and_back(track[:1], np.arange(3))[:, 0]) == [0, 0, 0]


def windows():
  for start in (0, 5):
    rows = np.arange(start, start + 5, dtype=np.float32)[:, None]
    yield Motion(np.repeat(rows, 6, 1), np.repeat(rows, 54, 1))


@pytest.mark.parametrize('parts', driving.PARTS)
def test_only_the_named_part_is_replaced(tiny_face, own, parts):
  made = driving.load_drive('portrait', parts, tiny_face.bundle, own, 10)
  asked = []

  def make():
    asked.append(1)
    return windows()

  got = list(made.motions(make, 10))
  pose = np.concatenate([m.z_pose for m in got])
  dyn = np.concatenate([m.z_dyn for m in got])
  assert len(pose) == len(dyn) == 10 and len(asked) == (parts != 'both')
  for name, rows, held in (('pose', pose, own.z_pose), ('dynamics', dyn, own.z_dyn)):
    if parts in (name, 'both'):
      np.testing.assert_array_equal(rows, np.repeat(held, 10, 0))
    else:
      np.testing.assert_array_equal(rows[:, 0], np.arange(10))


def test_eyes_make_up_for_a_given_pose(tiny_face, own, tmp_path):
  """Gaze is asked for as the camera sees it, wherever the head is told to point."""
  path = tmp_path / 'turn.json'
  path.write_text(json.dumps({'pose': {'yaw': 12, 'pitch': -5}}))
  pose = np.float32([[0.05, 0.02, 0, 0.1, 0, 0]]).repeat(5, 0)
  dyn = np.zeros((5, 54), np.float32)
  dyn[:, -2:] = 0.04, -0.03
  drive = driving.load_drive(path, 'pose', tiny_face.bundle, own, 5)
  (made,) = drive.motions(lambda: iter([Motion(pose, dyn)]), 5)
  np.testing.assert_allclose(made.z_pose[:, 0], np.radians(12), atol=1e-6)
  for axis, sign in ((0, 1), (1, -1)):  # head pitch points down, eye pitch up
    before = pose[:, axis] + sign * dyn[:, 52 + axis]
    after = made.z_pose[:, axis] + sign * made.z_dyn[:, 52 + axis]
    np.testing.assert_allclose(after, before, atol=1e-6)
  np.testing.assert_array_equal(made.z_dyn[:, :52], dyn[:, :52])


def test_motion_of_a_video(tiny_face, own, clip):
  frames = list(face_track.read_frames(clip))
  assert len(frames) in (16, 17)  # 12 a second become 25
  made = driving.load_drive(clip, 'both', tiny_face.bundle, own, 40)
  assert made.z_pose.shape == (len(frames), 6)
  assert made.z_dyn.shape == (len(frames), 54)
  assert 'back and forth' in made.notes[0]
  assert made.about['source'] == 'video' and len(made.about['sha256']) == 64
  x = made.z_pose[:, 4]
  # 42 px of a square that is 256 px wide, and nothing else moves much
  assert x[-1] - x[0] == pytest.approx(42 / 256, abs=0.03)
  assert np.ptp(made.z_pose[:, 5]) < 0.02 and np.ptp(made.z_pose[:, :3]) < 0.12


def test_other_weights_look_with_their_own_encoder(tiny_face, clip, monkeypatch):
  config = SimpleNamespace(anchored=False, size=tiny_face.size)
  bundle = SimpleNamespace(face_config=config, name='learned')
  seen = []

  def encoder(bundle):
    def encode(crops):
      seen.append(crops.shape)
      return np.zeros((len(crops), 134), np.float32)

    return encode

  monkeypatch.setattr(driving, 'motion_encoder', encoder)
  made = driving.load_drive(clip, 'both', bundle, None, 5)
  assert seen == [(5, 64, 64, 3)] and made.z_dyn.shape == (5, 128)
  with pytest.raises(UserError, match='no named motion'):
    driving.load_drive('portrait', 'pose', bundle, None, 5)


def test_a_face_that_is_lost_for_a_moment_stays(small):
  blank = np.full_like(small, 90)
  found = face_track.track_face([small, small, blank, small], 64)
  assert len(found) == 4
  np.testing.assert_array_equal(found[2].points, found[1].points)
  with pytest.raises(UserError, match='2 of 3 frames show no face'):
    face_track.track_face([blank, blank, small], 64, 'v')


def test_errors_are_one_line(tmp_path, tiny_face, own, small, voice_path):
  def drive(name, parts='both'):
    driving.load_drive(tmp_path / name, parts, tiny_face.bundle, own, 4)

  blank = np.full((96, 96, 3), 90, np.uint8)
  write_video(tmp_path / 'blank.mp4', [blank] * 3)
  write_video(tmp_path / 'two.mp4', [np.concatenate([small, small], 1)] * 2)
  (tmp_path / 'text.mp4').write_text('nothing')
  for name, value in (
    ('list', []), ('other', {'gaze': 1}), ('unit', {'dynamics': {'smile': 1}}),
    ('angle', {'pose': {'yaw': 99}}), ('number', {'pose': 3}),
    ('word', {'pose': {'yaw': 'left'}}),
  ):  # fmt: skip
    (tmp_path / f'{name}.json').write_text(json.dumps(value))
  (tmp_path / 'half.json').write_text('{')
  for name, error, says in (
    ('none.mp4', UserError, 'no such file'),
    ('blank.mp4', UserError, 'no face found in the driving video'),
    ('two.mp4', UserError, 'several faces'),
    ('text.mp4', UserError, 'not a video that can be read'),
    ('half.json', UserError, 'not valid JSON'),
    ('list.json', UserError, 'object with pose or dynamics'),
    ('other.json', UserError, 'object with pose or dynamics'),
    ('unit.json', UsageError, 'unknown value smile; there are the 52 ARKit names'),
    ('angle.json', UsageError, 'pose yaw: values must lie between -60 and 60'),
    ('number.json', UsageError, 'pose must be an object'),
    ('word.json', UsageError, 'not a number'),
  ):
    with pytest.raises(error, match=says) as caught:
      drive(name)
    assert '\n' not in str(caught.value)
  with pytest.raises(UsageError, match='there are pose, dynamics, both'):
    driving.check('portrait', 'mouth')
  with pytest.raises(UserError, match='no pictures in it'):
    driving.load_drive(voice_path, 'pose', tiny_face.bundle, own, 4)


def test_a_driven_video_says_so(tiny_face, portrait_path, short_voice, tmp_path):
  (tmp_path / 'f.json').write_text('{"pose": {"yaw": 25}}')
  made = []
  frames = tiny_face.frames

  def watched(code, motions, decode):
    motions = list(motions)
    made.append(motions)
    return frames(code, iter(motions), decode)

  tiny_face.frames = watched
  try:
    for drive in ('portrait', tmp_path / 'f.json'):
      out = tmp_path / 'a.mp4'
      tiny_face.talk(portrait_path, short_voice, out, drive=drive, drive_parts='pose')
      said = read_provenance(out)['settings']['drive']
      assert said['parts'] == 'pose'
  finally:
    del tiny_face.frames
  assert said['values'] == {'pose': {'yaw': 25}}
  still, turned = (np.concatenate([m.z_pose for m in one]) for one in made)
  assert np.ptp(still, 0).max() == 0
  np.testing.assert_allclose(turned[:, 0], np.radians(25), atol=1e-6)
  np.testing.assert_array_equal(turned[:, 1:], still[:, 1:])


@pytest.mark.parametrize('parts', [None, 'pose', 'dynamics', 'both'])
def test_lids_follow_eyes_that_are_generated(
  tiny_face, portrait_path, short_voice, tmp_path, monkeypatch, parts
):
  """However the head is moved; eyes of a film have their lids with them."""

  class Ready(Exception):
    pass

  def stop(motions):
    raise Ready

  asked = []
  monkeypatch.setattr(talking_face, 'Prefetch', stop)
  monkeypatch.setattr(
    talking_face, 'following_lids', lambda own, motions: asked.append(1) or motions
  )
  drive = {} if parts is None else {'drive': 'portrait', 'drive_parts': parts}
  with pytest.raises(Ready):
    tiny_face.talk(portrait_path, short_voice, tmp_path / 'a.mp4', **drive)
  assert len(asked) == (parts in (None, 'pose'))
