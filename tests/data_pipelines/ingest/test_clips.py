"""One video to clips: shots, people, squares, cuts."""

import numpy as np
import pytest

from data_pipelines import schema
from data_pipelines.ingest import crops, cutting
from data_pipelines.ingest.config import Config
from data_pipelines.ingest.outcome import Report, Source
from data_pipelines.ingest.picture import Picture, Square
from data_pipelines.ingest.shots import ShotCuts
from data_pipelines.ingest.tracks import STRIDE, Track
from data_pipelines.ingest.video_job import _Reading, read_video
from tests.data_pipelines.ingest import drawn_videos as drawn

CONFIG = Config(size=64, max_seconds=4.0)


def read(path, config=CONFIG, eyes=drawn.eyes, **more):
  """The report and the clips of a file."""
  clips: list[schema.Clip] = []
  report = read_video(Source('v', str(path), **more), config, eyes(), clips.append)
  for clip in clips:
    schema.check(clip)
  return report, clips


def test_a_speaker_becomes_clips_with_mouth_and_sound_together(tmp_path):
  path = drawn.speaker(tmp_path / 'a.mp4', 9.0)
  report, clips = read(path)
  assert report.reason is None and report.shots == 1 and report.seconds == 9.0
  assert [o.reason for o in report.outcomes] == [None] * len(clips)
  lengths = [len(clip) for clip in clips]
  assert sum(lengths) == 225 and all(50 <= n <= 100 for n in lengths)
  mouth, _ = drawn.talk(225)
  levels = np.concatenate([cutting.loudness(clip.audio) for clip in clips])
  assert np.corrcoef(levels, mouth)[0, 1] > 0.98
  pictures = [schema.decode_picture(f) for clip in clips for f in clip.frames]
  opening = drawn.labels(np.stack(pictures), None).mouth_open
  assert np.corrcoef(opening, mouth)[0, 1] > 0.9
  assert {clip.identity for clip in clips} == {'v-p0'}
  assert clips[1].clip_id == f'v-{lengths[0]:07d}-0'
  curve = np.array(report.outcomes[0].curve)
  assert curve.argmax() == 12 and curve.max() > 0.8


def test_what_is_held_does_not_grow_with_the_take(tmp_path):
  path = drawn.speaker(tmp_path / 'a.mp4', 40.0)
  held, heard, kept = [], [], []

  def note():
    tracks, waiting = reading.tracker.tracks, reading.tracker._waiting
    held.append(sum(map(len, tracks)) + len(waiting))
    heard.append(sum(len(block) for _, block in reading.sound._blocks))

  source, report = Source('v', str(path)), Report('v')
  reading = _Reading(source, CONFIG, drawn.eyes(), kept.append, note, report)
  reading.run()
  assert len(kept) > 9 and sum(map(len, kept)) == 1000
  # A clip, what must be left for another one, and the frames between two looks.
  most = CONFIG.max_frames + CONFIG.min_frames + 2 * STRIDE
  assert CONFIG.max_frames < max(held) <= most
  assert max(heard) <= (most + 25) * schema.SAMPLES_PER_FRAME


def test_the_face_lies_where_inference_would_put_it(tmp_path):
  path = drawn.speaker(tmp_path / 'a.mp4', 2.0, height=40.0)
  _, (clip,) = read(path)
  ys, xs = [], []
  for data in clip.frames:
    box = max(drawn._blocks(schema.decode_picture(data)).tolist(), key=lambda b: b[4])
    xs.append(box[0] + box[2] / 2)
    ys.append((box[1], box[1] + box[3]))
  top, bottom = np.mean(ys, 0) / 64
  assert np.mean(xs) / 64 == pytest.approx(0.5, abs=0.03)
  assert (top + bottom) / 2 == pytest.approx(0.58, abs=0.03)
  assert 1 / (bottom - top) == pytest.approx(2.48, abs=0.15)


def test_the_nets_bring_the_limit_of_their_descriptor():
  from data_pipelines.ingest import eyes
  from data_pipelines.perceive import identity

  limit = eyes.real_eyes().limit
  assert limit == identity.LIMIT[identity.kind()] < 0.6


def test_numbers_of_the_framing_are_those_of_inference():
  from data_pipelines.ingest import eyes
  from vasa_jax.inference.finding import landmarks, portrait

  assert portrait.CROP_PER_FACE == eyes.CROP_PER_FACE
  assert portrait.CENTRE == eyes.CENTRE
  assert (landmarks.BROWS, landmarks.CHIN) == (eyes.BROWS, eyes.CHIN)


def narrow_eyes():
  """Descriptors of all faces are nearly parallel, as those of a net are."""

  def describe(crop):
    found = drawn.describe(crop)
    return None if found is None else np.append(found, 5) / np.sqrt(26)

  return drawn.eyes()._replace(describe=describe, limit=1 / np.sqrt(26))


@pytest.mark.parametrize('eyes', [drawn.eyes, narrow_eyes])
def test_two_people_are_told_apart_and_met_again_after_a_cut(tmp_path, eyes):
  mouth, sound = drawn.talk(200)
  frames = []
  for i in range(200):
    shot = i // 67  # 0: both, 1: the second alone elsewhere, 2: the first alone
    picture = drawn.scene(shot, 180, 320)
    if shot == 0:
      drawn.add_face(picture, 0, 80, 90, 40, mouth[i])
      drawn.add_face(picture, 1, 240, 90, 44, mouth[i])
    else:
      drawn.add_face(picture, 1 if shot == 1 else 0, 160, 95, 44, mouth[i])
    frames.append(picture)
  path = drawn.write(tmp_path / 'a.mp4', frames, sound=sound)
  report, clips = read(path, eyes=eyes)
  assert report.shots == 3
  assert [(c.clip_id, c.identity, len(c)) for c in clips] == [
    ('v-0000000-0', 'v-p0', 67),
    ('v-0000000-1', 'v-p1', 67),
    ('v-0000067-2', 'v-p0', 67),
    ('v-0000134-3', 'v-p1', 66),
  ]
  # the larger face of a shot comes first, so p0 is the blue one
  for clip in clips:
    who = drawn.describe(schema.decode_picture(clip.frames[5]))
    assert (who[2] > who[0]) == (clip.identity == 'v-p0')
  heard = np.concatenate([clips[0].audio, clips[2].audio, clips[3].audio])
  levels = cutting.loudness(heard)
  assert np.corrcoef(levels, mouth)[0, 1] > 0.98
  np.testing.assert_array_equal(clips[0].audio, clips[1].audio)


def test_a_named_folder_names_the_person(tmp_path):
  path = drawn.speaker(tmp_path / 'a.mp4', 2.0)
  _, (clip,) = read(path, person='id00012', licence='CC0-1.0')
  assert (clip.identity, clip.licence, clip.source) == ('id00012', 'CC0-1.0', 'v')


@pytest.mark.parametrize(
  ('change', 'reason'),
  [
    ({'height': 9.0}, 'resolution'),
    ({'height': 120.0}, 'cut off'),
    ({'silent': True}, 'no speech'),
    ({'mute': True}, 'no sound'),
    ({'fps': 12}, 'frame rate'),
    ({'second': True}, 'several faces'),
    ({'swap': True}, 'identity switch'),
    ({'still': True}, 'voice over'),
    ({'seconds': 1.0}, 'short'),
    ({'none': True}, 'no face'),
  ],
)
def test_every_reason_is_found(tmp_path, change, reason):
  count = round(25 * change.get('seconds', 3.0))
  mouth, sound = drawn.talk(count)
  if change.get('fps'):
    mouth, sound = drawn.talk(count, fps=change['fps'])
  frames = []
  for i in range(count):
    picture = drawn.scene(0, 180, 320)
    who = int(bool(change.get('swap')) and i > count / 2)
    opening = 0.3 if change.get('still') else mouth[i]
    if not change.get('none'):
      drawn.add_face(picture, who, 160, 90, change.get('height', 48.0), opening)
    if change.get('second'):
      drawn.add_face(picture, 1, 205, 90, 30, mouth[i])
    frames.append(picture)
  sound = None if change.get('mute') else sound * (not change.get('silent'))
  path = drawn.write(tmp_path / 'a.mp4', frames, sound=sound, fps=change.get('fps', 25))
  report, clips = read(path)
  found = [report.reason] if report.reason else [report.outcomes[0].reason]
  assert found == [reason]
  if reason != 'several faces':  # the second one stands alone well enough
    assert not clips


def test_a_threshold_can_be_moved(tmp_path):
  frames = [drawn.scene(0, 180, 320) for _ in range(60)]
  for picture in frames:
    drawn.add_face(picture, 0, 160, 90, 48, 0.5)
  path = drawn.write(tmp_path / 'a.mp4', frames)
  assert not read(path)[1]
  _, (clip,) = read(path, Config(size=64, min_speech=0.0, min_mouth=0.0))
  assert not clip.audio.any() and len(clip) == 60


def test_a_cut_is_found_and_motion_is_none():
  rng = np.random.default_rng(0)
  scenes = [drawn.scene(seed, 27, 48)[..., 0].astype(np.float32) for seed in range(4)]
  cuts = ShotCuts()
  found = []
  for i in range(100):
    moved = np.roll(scenes[i // 25], i % 2, 1)  # a shaky camera
    found.append(cuts.push(moved + rng.normal(0, 3, moved.shape).astype(np.float32)))
  assert np.flatnonzero(found).tolist() == [25, 50, 75]
  jump = ShotCuts()  # the room stays, the head is elsewhere at once
  for i in range(30):
    picture = scenes[0].copy()
    at = 10 + 12 * (i >= 20) + i % 2
    picture[5:25, at : at + 12] = 220
    assert jump.push(picture) == (i == 20)
  fade = ShotCuts()  # the light goes out slowly
  assert not any(fade.push(scenes[0] * (1 - i / 60)) for i in range(50))


def track_of(squares, bounds=(1000.0, 800.0)) -> Track:
  plane = np.zeros((4, 4), np.uint8)
  picture = Picture(plane, plane, plane, '709', False)
  count = len(squares)
  squares = [Square(*map(float, s)) for s in squares]
  return Track(0, 0, bounds, 64, squares, [picture] * count, [1] * count, [])


def test_a_square_is_still_until_the_head_leaves_it():
  rng = np.random.default_rng(0)
  base = np.tile([500.0, 400.0, 300.0], (100, 1))
  nods = base + rng.normal(0, 8, base.shape)
  path = crops.square_path(track_of(nods))
  assert len(set(path)) == 1
  assert np.abs(np.array(path[0]) - base[0]).max() < 6
  assert all(v % 2 == 0 for v in (path[0].box[0], path[0].box[1], path[0].side))
  walk = nods + np.linspace(-150, 150, 100)[:, None] * [1, 0, 0]
  path = np.array(crops.square_path(track_of(walk)))
  ideal = base[:, 0] + np.linspace(-150, 150, 100)
  assert np.abs(path[:, 0] - ideal).max() < 15
  assert np.abs(np.diff(path[:, 0], 2)).max() < 1.0  # no jerks


def test_a_square_at_the_border_gives_way_a_little():
  inside = crops.fit_inside(Square(140, 400, 300), (1000, 800))
  assert inside == Square(150, 400, 300)
  large = crops.fit_inside(Square(500, 400, 900), (1000, 800))
  assert large == Square(500, 400, 800)
  huge = crops.fit_inside(Square(500, 400, 2000), (1000, 800))
  assert huge.side == pytest.approx(1560)
  assert crops.outside(huge, (1000, 800)) == pytest.approx(1 - 0.8e6 / 1560**2)
  assert crops.outside(inside, (1000, 800)) == 0


def test_a_take_is_cut_in_its_quietest_late_moment():
  sound = np.full(640 * 100, 1000, np.int16)
  sound[640 * 30 : 640 * 31] = 0
  sound[640 * 87 : 640 * 88] = 10
  assert cutting.cut_at(sound, 50) == 88
  assert cutting.cut_at(sound, 90) > 88
  assert cutting.cut_at(np.zeros_like(sound), 50) == 100
