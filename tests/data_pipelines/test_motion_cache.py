"""The motion cache, its windows, and the speech and records it is made of."""

import dataclasses

import numpy as np
import pytest

from data_pipelines import motion_cache, motion_records, motion_speech, schema
from data_pipelines.errors import UserError
from data_pipelines.motion_cache import MotionClip
from data_pipelines.motion_windows import MotionWindows, augment_log_mel
from data_pipelines.synthetic.acting.performance import EMOTIONS
from data_pipelines.synthetic.acting.visemes import UNIT
from data_pipelines.synthetic.speaking.acoustics import in_a_room, stretch
from data_pipelines.synthetic.speaking.speech import speak
from data_pipelines.synthetic.speaking.voices import split_of_voice

VOICES = ('formant',)


def clip(i, frames=40, held_out=False):
  """Frame f of clip i says so in its motion: (100 i + f) / 64."""
  rng = np.random.default_rng(i)
  motion = np.repeat((100 * i + np.arange(frames))[:, None] / 64, 60, 1)
  return MotionClip(
    name=f'clip {i}',
    features=rng.integers(0, 256, (frames, 320)).astype(np.uint8),
    motion=motion.astype(np.float32),
    gaze=np.array([i, -i], np.float32),
    distance=1 + i / 10,
    emotion=np.full(8, i, np.float32),
    held_out=held_out,
  )


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
  clips = [clip(0), clip(1, 12), clip(2, 100), clip(3, held_out=True)]
  path = tmp_path_factory.mktemp('cache') / 'a.npz'
  motion_cache.write_cache(path, clips, 4 / 255, -2.0)
  return motion_cache.read_cache(path)


def test_round_trip(cache):
  assert list(cache.ends) == [40, 52, 152, 192] and cache.hours == 192 / 90_000
  for i, frames in ((0, 40), (1, 12), (2, 100), (3, 40)):
    made, found = clip(i, frames), cache.clip(i)
    np.testing.assert_array_equal(found.motion, made.motion)
    np.testing.assert_allclose(found.features, made.features * (4 / 255) - 2, atol=1e-6)
    np.testing.assert_array_equal(found.gaze, made.gaze)
    assert found.held_out == (i == 3) and found.distance == np.float32(made.distance)


def test_large_caches_become_several_small_files(tmp_path, monkeypatch):
  monkeypatch.setattr(motion_cache, 'FILE_BYTES', 60_000)
  clips = [clip(i) for i in range(9)]
  files = motion_cache.write_cache(tmp_path / 'many', clips)
  assert len(files) == 3 and all(file.stat().st_size < 70_000 for file in files)
  joined = motion_cache.read_cache(tmp_path / 'many')
  for i in range(9):
    np.testing.assert_array_equal(joined.clip(i).motion, clip(i).motion)
  with pytest.raises(UserError, match='folder'):
    motion_cache.write_cache(tmp_path / 'one.npz', clips)


def test_broken_caches_say_so(tmp_path):
  with pytest.raises(UserError, match='no motion cache'):
    motion_cache.read_cache(tmp_path / 'none')
  with pytest.raises(UserError, match='no clip'):
    motion_cache.write_cache(tmp_path / 'a.npz', [])
  (file,) = motion_cache.write_cache(tmp_path / 'a.npz', [clip(0)])
  file.write_bytes(file.read_bytes()[:500])
  with pytest.raises(UserError, match='a.npz is not a whole'):
    motion_cache.read_cache(file)
  (tmp_path / 'file').write_text('')
  with pytest.raises(UserError, match='cannot write'):
    motion_cache.write_cache(tmp_path / 'file' / 'b.npz', [clip(0)])


def test_main_gaze_is_where_most_frames_look():
  rng = np.random.default_rng(0)
  main = np.array([9.9, -5.1])  # on the edges of two bins
  gaze = np.concatenate(
    [main + rng.normal(0, 0.5, (60, 2)), rng.uniform(-40, 40, (40, 2))]
  )
  np.testing.assert_allclose(motion_cache.main_gaze(gaze), main, atol=0.6)
  assert np.abs(gaze.mean(0) - main).max() > 1.0


def test_statistics_leave_held_out_clips_out(cache):
  stats = cache.moments().statistics()
  rows = np.concatenate([cache.clip(i).motion for i in (0, 1, 2)])
  np.testing.assert_allclose(stats['mean'], rows.mean(0), rtol=1e-5)
  np.testing.assert_allclose(stats['std'], rows.std(0), rtol=1e-5)
  logs = np.log([1.0, 1.1, 1.2])
  np.testing.assert_allclose(stats['distance'], [logs.mean(), logs.std()], rtol=1e-5)
  # Every step inside a clip is 1/64; the jump from clip to clip is none of them.
  assert np.all(stats['velocity'] == np.float32(0.1))


def test_windows_are_cut_right(cache):
  windows = MotionWindows(cache, window=8, previous=3, batch=64)
  seen = set()
  for _ in range(10):
    batch = next(windows)
    assert batch['features'].shape == (64, 11, 320)
    for i in range(64):
      which = round(float(batch['gaze'][i, 0]))
      seen.add(which)
      frames = {0: 40, 1: 12, 2: 100}[which]
      place = np.rint(batch['motion'][i, :, 0] * 64).astype(int) - 100 * which
      first = place[3]
      expected = np.arange(first - 3, first + 8)
      inside = (expected >= 0) & (expected < frames)
      np.testing.assert_array_equal(place[inside], expected[inside])
      np.testing.assert_array_equal(batch['mask'][i], inside[3:])
      assert batch['has_previous'][i] == inside[0]
      assert batch['mask'][i].sum() >= 4
      heard = cache.clip(which).features[place]
      np.testing.assert_allclose(batch['features'][i], heard, atol=1e-6)
      assert batch['distance'][i, 0] == np.float32(1 + which / 10)
  assert seen == {0, 1, 2}
  held = next(MotionWindows(cache, 8, 3, 64, held_out=True))
  assert set(held['gaze'][:, 0]) == {3}


def same(a, b):
  return all(np.array_equal(a[name], b[name]) for name in a)


def test_windows_resume_exactly(cache):
  def start():
    return MotionWindows(cache, 8, 3, 4, seed=5, augment=True)

  one, two = start(), start()
  ahead = [next(one) for _ in range(4)]
  two.set_state({'step': 2})
  assert same(next(two), ahead[2]) and same(next(two), ahead[3])
  assert two.get_state() == one.get_state() == {'step': 4}
  assert not same(ahead[0], ahead[1])


def test_hosts_share_the_global_batch(cache):
  whole = next(MotionWindows(cache, 8, 3, 6, seed=1))
  parts = [next(MotionWindows(cache, 8, 3, 3, seed=1, host=h, hosts=2)) for h in (0, 1)]
  for name in whole:
    np.testing.assert_array_equal(whole[name][0::2], parts[0][name])
    np.testing.assert_array_equal(whole[name][1::2], parts[1][name])


def test_augmentation_changes_voices_mildly():
  rng = np.random.default_rng(0)
  band = np.arange(80)
  spectrum = 1.6 * np.exp(-0.5 * ((band - 30) / 6) ** 2) - 1.2
  plain = np.tile(spectrum, 4).astype(np.float32) + np.zeros((200, 5, 320), np.float32)
  made = augment_log_mel(plain, rng)
  assert made.shape == plain.shape and made.dtype == np.float32
  assert made.min() >= -2 and made.max() <= 2
  same_as_before = np.all(made == plain, axis=(1, 2)).mean()
  assert 0.1 < same_as_before < 0.3
  # The throat moves the peak to either side, by no more than its tenth.
  peaks = made[:, 0, :80].argmax(1)
  assert peaks.min() < 29 and peaks.max() > 31 and np.abs(peaks - 30).max() <= 8
  # What is loud stays loud: noise fills gaps only.
  loudest = made.max((1, 2)) - plain.max()
  assert np.abs(loudest).max() < 1.0 and loudest.std() > 0.05
  silent = augment_log_mel(np.full((200, 5, 320), -2, np.float32), rng)
  assert silent.min() == -2 and -0.9 < silent.mean((1, 2)).max() < -0.5


@pytest.fixture(scope='module')
def spoken():
  return [motion_speech.speech_clip(3, i, VOICES) for i in range(4)]


def test_speech_clips_are_whole(spoken):
  for i, made in enumerate(spoken):
    assert made.features.dtype == np.uint8 and made.motion.shape[1] == 60
    assert len(made.features) == len(made.motion) > 25
    assert made.held_out == (i == 0)
    assert made.emotion.shape == (8,) and abs(made.emotion.sum() - 1) < 1e-5
    assert 0.85 < made.distance < 1.35
    # The mouth moves with what is heard, in this frame and not four later.
    jaw = made.motion[:, 6 + UNIT['jawOpen']]
    loud = made.features.astype(float).mean(1)
    now = np.corrcoef(jaw, loud)[0, 1]
    assert now > 0.2 and now > np.corrcoef(jaw[4:], loud[:-4])[0, 1]
  assert len({made.name.split(': ')[1] for made in spoken}) == 4


def test_nobody_of_the_test_split_is_heard_and_held_out_speakers_are_apart(spoken):
  for made in spoken:
    voice = made.name.split(' ')[1].removesuffix(':')
    wanted = 'validation' if made.held_out else 'train'
    assert split_of_voice(voice) == wanted


def test_speech_does_not_depend_on_workers(spoken):
  for one, two in zip(
    spoken, motion_speech.speech_clips(4, 3, VOICES, workers=2), strict=True
  ):
    assert one.name == two.name
    np.testing.assert_array_equal(one.features, two.features)
    np.testing.assert_array_equal(one.motion, two.motion)


def test_stretch_keeps_phones_in_step():
  speech = speak('Nobody moved.', 'formant:man', np.random.default_rng(0))
  slow = stretch(speech, 1.1)
  assert abs(len(slow.audio) / len(speech.audio) - 1.1) < 1e-3
  for a, b in zip(speech.phones, slow.phones, strict=True):
    assert a.name == b.name and abs(b.start - 1.1 * a.start) < 2e-3
  power = np.mean(slow.audio**2) / np.mean(speech.audio**2)
  assert abs(power - 1) < 0.02


def test_room_keeps_length_and_changes_sound():
  rng = np.random.default_rng(0)
  audio = (0.1 * rng.standard_normal(16_000)).astype(np.float32)
  heard = in_a_room(audio, rng)
  assert heard.shape == audio.shape and heard.dtype == np.float32
  assert 0.3 < np.corrcoef(audio, heard)[0, 1] < 0.9999


def test_unknown_voice():
  with pytest.raises(UserError, match='no voice'):
    next(motion_speech.speech_clips(1, 0, ('formant:nobody',)))
  with pytest.raises(UserError, match='belongs to validation'):
    next(motion_speech.speech_clips(1, 0, ('formant:man',)))


def rendered(frames=30, voice='formant:man'):
  """A clip with exact labels and tiny pictures."""
  rng = np.random.default_rng(0)
  picture = schema.encode_picture(rng.integers(0, 255, (8, 8, 3)).astype(np.uint8))
  emotion = np.zeros((frames, 8), np.float32)
  emotion[:, EMOTIONS.index('neutral')] = 1
  truth = schema.Truth(
    units=rng.random((frames, 52)).astype(np.float32),
    eyes=rng.normal(0, 0.1, (frames, 2)).astype(np.float32),
    body=np.zeros((frames, 3), np.float32),
    viseme=np.zeros(frames, np.int32),
    phones=('sil',),
    phone_times=np.array([[0, frames / 25]], np.float32),
    text='',
    voice=voice,
    language='en',
    identity_vector=np.zeros(4, np.float32),
    shape=np.zeros(64, np.float32),
    points=np.zeros((frames, 384, 3), np.float16),
    light=np.zeros(45, np.float32),
    camera='{}',
    style='',
    worn='',
    seed=0,
  )
  return schema.Clip(
    clip_id='one',
    identity='a',
    source='test',
    licence='CC0',
    frames=(picture,) * frames,
    audio=rng.integers(-3000, 3000, 640 * frames).astype(np.int16),
    pose=rng.normal(0, 5, (frames, 5)).astype(np.float32),
    gaze=np.zeros((frames, 2), np.float32) + [7.0, 1.0],
    distance=np.full(frames, 1.2, np.float32),
    emotion=emotion,
    landmarks=np.zeros((frames, 0, 2), np.float32),
    visible=np.ones(frames, bool),
    truth=truth,
  )


def test_record_becomes_its_exact_labels():
  clip = rendered()
  made = motion_records.motion_clip(clip, None, held_out=True)
  np.testing.assert_array_equal(made.motion[:, :6], clip.z_pose)
  np.testing.assert_array_equal(made.motion[:, 6:], clip.z_dyn)
  assert made.features.shape == (30, 320) and made.held_out
  np.testing.assert_allclose(made.gaze, [7, 1], atol=1e-5)
  assert abs(made.distance - 1.2) < 1e-6


def test_record_is_encoded_where_it_is_visible():
  clip = rendered(60)
  clip.visible[:10] = clip.visible[50:] = False
  made = motion_records.motion_clip(
    clip, lambda frames: np.full((len(frames), 9), frames.mean() / 255), False
  )
  assert made.motion.shape == (40, 9) and 0.3 < made.motion.mean() < 0.7
  clip.visible[30] = False
  assert motion_records.motion_clip(clip, None, False) is None


def test_stills_and_short_clips_are_left_out():
  assert motion_records.motion_clip(rendered(voice=''), None, False) is None
  assert motion_records.motion_clip(rendered(20), None, False) is None


def test_exact_labels_need_a_rendered_clip():
  with pytest.raises(UserError, match='not rendered'):
    motion_records.motion_clip(dataclasses.replace(rendered(), truth=None), None, False)


def test_damaged_records_are_counted(monkeypatch, caplog):
  good = schema.to_example(rendered())
  bad = {**good, 'pose': good['pose'][:3]}

  def opened(folder, split):
    return {'train': [good, bad, good], 'validation': [good]}[split]

  import data_pipelines.builder

  monkeypatch.setattr(data_pipelines.builder, 'open_clips', opened)
  records = motion_records.RecordClips('x', bad_share=0.5)
  made = list(records.clips())
  assert [c and c.held_out for c in made] == [False, None, False, True]
  assert len(records) == 4
  (last,) = records.clips([3])
  assert last.held_out
  assert 'record 1 of train is damaged' in caplog.text
  with pytest.raises(UserError, match='1 of 4 records'):
    list(motion_records.RecordClips('x', bad_share=0.1).clips())
