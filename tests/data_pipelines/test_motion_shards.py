"""The large form of the motion cache: the same clips, windows and statistics."""

import pickle

import numpy as np
import pytest

from data_pipelines import motion_cache, motion_hearing, motion_shards, motion_speech
from data_pipelines.errors import UsageError, UserError
from data_pipelines.motion_cache import MotionClip
from data_pipelines.motion_windows import MotionWindows, read_ahead

LENGTHS = (40, 12, 100, 40, 30, 25, 60)
STORED = {'scale': 4 / 255, 'offset': -2.0}


def clip(i):
  rng = np.random.default_rng(i)
  return MotionClip(
    name=f'clip {i}: "ça\nva"',
    features=rng.integers(0, 256, (LENGTHS[i], 320)).astype(np.uint8),
    motion=rng.normal(size=(LENGTHS[i], 60)).astype(np.float32),
    gaze=np.array([i, -i], np.float32),
    distance=1 + i / 10,
    emotion=np.full(8, i, np.float32),
    held_out=i == 3,
  )


def make(numbers):
  """Number 1 has no clip."""
  for i in numbers:
    yield None if i == 1 else clip(i)


def write(folder, made=make, **more):
  return motion_shards.write_shards(
    folder, made, len(LENGTHS), shard_clips=2, **{**STORED, **more}
  )


@pytest.fixture(scope='module')
def both(tmp_path_factory):
  """The same clips in both forms."""
  folder = tmp_path_factory.mktemp('cache')
  assert write(folder / 'large') == 7
  clips = [c for c in make(range(7)) if c]
  motion_cache.write_cache(folder / 'a.npz', clips, *STORED.values())
  return [motion_cache.read_cache(folder / name) for name in ('a.npz', 'large')]


def same(a, b):
  return set(a) == set(b) and all(np.array_equal(a[name], b[name]) for name in a)


def test_both_forms_hold_the_same(both):
  small, large = both
  assert isinstance(large, motion_shards.ShardedCache)
  for name in ('frames', 'ends', 'gaze', 'distance', 'emotion', 'held_out'):
    np.testing.assert_array_equal(getattr(small, name), getattr(large, name))
  for name in ('feature_dim', 'motion_dim', 'hours', 'front_end'):
    assert getattr(small, name) == getattr(large, name)
  for i in range(6):
    one, two = small.clip(i), large.clip(i)
    assert one.name == two.name and one.held_out == two.held_out
    np.testing.assert_array_equal(one.features, two.features)
    np.testing.assert_array_equal(one.motion, two.motion)
  stats = [cache.moments().statistics() for cache in both]
  for name in stats[0]:
    np.testing.assert_allclose(stats[0][name], stats[1][name], rtol=1e-6)


def test_both_forms_give_the_same_batches(both):
  batches = [MotionWindows(cache, 8, 3, 6, seed=2) for cache in both]
  for _ in range(5):
    assert same(*(next(windows) for windows in batches))


@pytest.mark.parametrize('workers', [0, pytest.param(1, marks=pytest.mark.slow)])
def test_reading_ahead_changes_nothing_and_resumes(both, workers):
  plain = MotionWindows(both[1], 8, 3, 4, seed=5, augment=True)
  wanted = [next(plain) for _ in range(4)]
  ahead = read_ahead(MotionWindows(both[1], 8, 3, 4, seed=5, augment=True), 2, workers)
  assert all(same(next(ahead), batch) for batch in wanted)
  assert ahead.get_state() == plain.get_state() == {'step': 4}
  ahead.set_state({'step': 2})
  assert same(next(ahead), wanted[2])
  ahead.close()


def test_a_copy_reads_for_itself(both):
  both[1].clip(0)
  copy = pickle.loads(pickle.dumps(both[1]))
  np.testing.assert_array_equal(copy.clip(2).motion, both[1].clip(2).motion)


def test_long_clips_become_records_of_bounded_length(tmp_path, monkeypatch):
  monkeypatch.setattr(motion_shards, 'LONGEST', 45)
  write(tmp_path / 'a')
  made = motion_cache.read_cache(tmp_path / 'a')
  assert list(made.frames) == [40, 33, 34, 33, 40, 30, 25, 30, 30]
  parts = np.concatenate([made.clip(i).motion for i in (1, 2, 3)])
  np.testing.assert_array_equal(parts, clip(2).motion.astype(np.float16))
  assert made.clip(2).name.endswith('part 2 of 3')


def test_goes_on_where_it_stopped(tmp_path):
  def stops(numbers):
    for i in numbers:
      if i == 5:
        raise KeyboardInterrupt
      yield clip(i)

  with pytest.raises(KeyboardInterrupt):
    write(tmp_path / 'a', stops)
  with pytest.raises(UserError, match='2 of 4 shards .* not made yet'):
    motion_cache.read_cache(tmp_path / 'a')
  asked = []

  def rest(numbers):
    asked.extend(numbers)
    return make(numbers)

  assert write(tmp_path / 'a', rest) == 3 and asked == [4, 5, 6]
  assert write(tmp_path / 'a', rest) == 0 and asked == [4, 5, 6]
  assert len(motion_cache.read_cache(tmp_path / 'a').frames) == 7
  with pytest.raises(UserError, match='made of something else'):
    write(tmp_path / 'a', source={'seed': 1})


def test_damage_is_named(tmp_path):
  write(tmp_path / 'a')
  place = tmp_path / 'a' / 'motion-00001-of-00004'
  records = place.with_name(place.name + '.array_record')
  data = bytearray(records.read_bytes())
  # a record of shard 1, whichever of its bytes are text or compressed
  data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
  records.write_bytes(data)
  cache = motion_cache.read_cache(tmp_path / 'a')
  with pytest.raises(UserError, match='damaged .* delete its shard'):
    for i in range(6):
      cache.clip(i)
  index = place.with_name(place.name + '.index.npz')
  index.write_bytes(index.read_bytes()[:90])
  with pytest.raises(UserError, match='index.npz cannot be read'):
    motion_cache.read_cache(tmp_path / 'a')
  (tmp_path / 'a' / 'motion.json').write_text('{}')
  with pytest.raises(UserError, match='is no motion cache'):
    motion_cache.read_cache(tmp_path / 'a')
  with pytest.raises(UserError, match='has no clip'):
    write(tmp_path / 'b', lambda numbers: iter([None] * len(numbers)))
  (tmp_path / 'file').write_text('')
  with pytest.raises(UserError, match='cannot write'):
    write(tmp_path / 'file' / 'c')


def test_front_ends_by_name(tmp_path):
  ear = motion_hearing.front_end()
  sound = (0.1 * np.sin(np.arange(6400))).astype(np.float32)
  heard = ear.hear(sound)
  assert heard.shape == (10, 320) and heard.dtype == np.uint8 and ear.in_workers
  as_int = np.rint(sound * 32768).astype(np.int16)
  assert np.abs(ear.hear(as_int).astype(int) - heard).max() <= 2
  for name in ('mfcc', 'wav2vec2', 'whisper:'):
    with pytest.raises(UsageError, match='log-mel, wav2vec2:PATH'):
      motion_hearing.front_end(name)
  with pytest.raises(UserError, match='--features: .*none'):
    motion_hearing.front_end(f'wav2vec2:{tmp_path}/none')


def test_a_net_hears_in_the_main_process_what_workers_recorded(monkeypatch):
  """The "net": the mean of each frame's samples, as its only feature."""
  from vasa_jax.audio import hearing

  def ear(samples):
    samples = np.pad(samples, (0, -len(samples) % 640))
    return (
      100 * np.abs(samples.astype(np.float32) / 32768).reshape(-1, 640).mean(1)[:, None]
    )

  monkeypatch.setattr(hearing, 'hear', lambda spec: ear)
  net = motion_hearing.front_end('wav2vec2:here')
  assert net.name == 'wav2vec2' and not net.in_workers
  (made,) = motion_speech.speech_clips([1], 3, ('formant',), 0, net)
  (plain,) = motion_speech.speech_clips([1], 3, ('formant',), 0)
  np.testing.assert_array_equal(made.motion, plain.motion)
  assert made.features.shape == (len(made.motion), 1)
  assert made.features.dtype == np.float16
  loud = plain.features.astype(float).mean(1)
  assert np.corrcoef(loud, made.features[:, 0])[0, 1] > 0.5
  assert motion_hearing.half(np.array([1e9, -1e9])).tolist() == [65504.0, -65504.0]
