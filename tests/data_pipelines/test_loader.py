import dataclasses
import logging
import multiprocessing
import os
import signal
import time

import numpy as np
import pytest

from data_pipelines import loader, pairs
from data_pipelines.errors import UserError

KEYS = {
  'source_picture': ((16, 16, 3), np.uint8),
  'source_pose': ((6,), np.float32),
  'source_dyn': ((54,), np.float32),
  'source_points': ((384, 3), np.float32),
  'source_centres': ((3, 2), np.float32),
}


def person_of(picture):
  return np.round((picture[..., 0].mean((-1, -2)).astype(float) - 20) / 20).astype(int)


def frame_of(picture):
  return np.round((picture[..., 1].mean((-1, -2)).astype(float) - 20) / 15).astype(int)


def take(batches, count):
  return [next(batches) for _ in range(count)]


def assert_equal(one, two):
  assert one.keys() == two.keys()
  for name in one:
    np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def test_a_batch_holds_what_the_contract_says(corpus):
  batch = next(loader.face_pairs(corpus, 4, drivers=2, augment=False))
  for name, (shape, dtype) in KEYS.items():
    assert batch[name].shape == (4, *shape) and batch[name].dtype == dtype
    driver = batch[name.replace('source', 'driver')]
    assert driver.shape == (4, 2, *shape) and driver.dtype == dtype
  assert batch['shape'].shape == (4, 64)
  assert batch['stranger_picture'].shape == (4, 16, 16, 3)
  assert len(batch) == 12


def test_labels_belong_to_their_pictures(corpus):
  for batch in take(loader.face_pairs(corpus, 5, drivers=3, augment=False), 4):
    who = person_of(batch['source_picture'])
    np.testing.assert_array_equal(who, batch['shape'][:, 0])
    np.testing.assert_array_equal(person_of(batch['driver_picture']).T, [who] * 3)
    assert (person_of(batch['stranger_picture']) != who).all()
    for side in ('source', 'driver'):
      frame = frame_of(batch[f'{side}_picture'])
      np.testing.assert_allclose(batch[f'{side}_pose'][..., 0], frame / 100, atol=1e-6)
      np.testing.assert_allclose(batch[f'{side}_dyn'][..., 0], frame / 100, atol=1e-6)
      centres = batch[f'{side}_centres'].mean((-1, -2))
      np.testing.assert_allclose(centres, frame / 100, atol=1e-6)
    drawn = np.concatenate(
      [frame_of(batch['source_picture'])[:, None], frame_of(batch['driver_picture'])], 1
    )
    assert all(len(set(row)) == 4 for row in drawn)  # four different frames


def test_real_clips_are_for_models_that_learn_their_latents(tmp_path, drawn):
  seen = np.arange(12) % 3 > 0  # labels of the others must not be trusted
  clips = [
    dataclasses.replace(drawn.make_clip(person), truth=None, visible=seen)
    for person in range(3)
  ]
  real = drawn.write_corpus(tmp_path / 'real', clips)
  batches = loader.face_pairs(real, 3, drivers=2, augment=False, truth=False)
  rendered = drawn.write_corpus(tmp_path / 'rendered', [drawn.make_clip(0)])
  wanted = next(loader.face_pairs(rendered, 1, drivers=2))
  for batch in take(batches, 4):
    assert {k: (v.shape[1:], v.dtype) for k, v in batch.items()} == {
      k: (v.shape[1:], v.dtype) for k, v in wanted.items()
    }
    for side in ('source', 'driver'):
      frame = frame_of(batch[f'{side}_picture'])
      assert seen[frame].all()
      np.testing.assert_allclose(batch[f'{side}_pose'][..., 0], frame / 100, atol=1e-6)
      assert not batch[f'{side}_dyn'].any() and not batch[f'{side}_points'].any()
  with pytest.raises(UserError, match='is not rendered.*face_paper'):
    next(loader.face_pairs(real, 3, drivers=2))


def test_clips_without_a_mesh_are_damaged(tmp_path, drawn):
  unseen = dataclasses.replace(drawn.make_clip(0), visible=np.zeros(12, bool))
  blank = dataclasses.replace(
    drawn.make_clip(1), landmarks=np.zeros((12, 0, 2), np.float32)
  )
  drawn.write_corpus(tmp_path, [unseen, blank, *map(drawn.make_clip, range(2, 8))])
  batches = loader.face_pairs(tmp_path, 4, drivers=1, augment=False, bad_share=0.3)
  for batch in take(batches, 4):
    assert (batch['shape'][:, 0] >= 2).all()
  with pytest.raises(UserError, match='damaged.*labels that can be trusted'):
    take(loader.face_pairs(tmp_path, 4, drivers=1, bad_share=0.2), 4)


def test_an_epoch_sees_every_clip_and_the_next_one_another_order(corpus):
  batches = loader.face_pairs(corpus, 5, drivers=1, augment=False)
  orders = [
    np.concatenate([b['shape'][:, 0] for b in take(batches, 2)]) for _ in range(2)
  ]
  for order in orders:
    assert sorted(order) == list(range(10))
  assert (orders[0] != orders[1]).any()


def test_source_and_drivers_get_the_same_colours():
  picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
  shots = np.stack([picture] * 3)
  out = pairs.jitter_colours(shots, np.random.default_rng(1))
  assert out.shape == shots.shape and out.dtype == np.uint8
  np.testing.assert_array_equal(out[0], out[1])
  np.testing.assert_array_equal(out[0], out[2])
  other = pairs.jitter_colours(shots, np.random.default_rng(2))
  assert (out != picture).mean() > 0.5 and (out != other).mean() > 0.5
  # grey stays ordered: more light in, more light out
  ramp = np.repeat(np.arange(0, 256, 16, dtype=np.uint8), 48).reshape(1, 16, 16, 3)
  grey = pairs.jitter_colours(ramp, np.random.default_rng(3))[0].mean((1, 2))
  assert (np.diff(grey) >= 0).all()


def test_hosts_share_the_global_batch(corpus):
  whole = loader.face_pairs(corpus, 4, drivers=1, seed=3)
  parts = [
    loader.face_pairs(corpus, 4, drivers=1, seed=3, host=h, hosts=2) for h in (0, 1)
  ]
  for _ in range(3):
    want = next(whole)
    have = [next(part) for part in parts]
    for name, values in want.items():
      np.testing.assert_array_equal(values[0::2], have[0][name])
      np.testing.assert_array_equal(values[1::2], have[1][name])


def test_resuming_is_exact_with_and_without_workers(corpus):
  def make(workers):
    return loader.face_pairs(corpus, 2, drivers=1, seed=5, workers=workers)

  straight = take(make(0), 6)
  first = make(0)
  take(first, 3)
  state = first.get_state()
  assert state == {'step': 3}
  resumed = make(2)  # goes on in worker processes
  resumed.set_state(state)
  for want in straight[3:5]:
    assert_equal(next(resumed), want)
  state = resumed.get_state()
  resumed.close()
  last = make(0)
  last.set_state(state)
  assert_equal(next(last), straight[5])


def test_another_seed_gives_other_batches(corpus):
  one, two = (next(loader.face_pairs(corpus, 4, 1, seed)) for seed in (0, 1))
  assert (one['source_pose'] != two['source_pose']).any()


def test_a_damaged_record_is_named_and_skipped(tmp_path, drawn, caplog):
  clips = [drawn.make_clip(person) for person in range(10)]
  clips[3] = b'this is no record'
  cut = tuple(frame[:-20] for frame in clips[6].frames)
  clips[6] = dataclasses.replace(clips[6], frames=cut)
  drawn.write_corpus(tmp_path, clips)
  batches = loader.face_pairs(tmp_path, 5, drivers=1, augment=False, bad_share=0.2)
  with caplog.at_level(logging.WARNING):
    seen = np.concatenate([b['shape'][:, 0] for b in take(batches, 4)])
  assert set(seen) <= {0, 1, 2, 4, 5, 7, 8, 9}
  named = [r.message for r in caplog.records if 'damaged' in r.message]
  assert len(named) == 2
  assert any('record 3 ' in m for m in named) and any('record 6 ' in m for m in named)


@pytest.mark.parametrize('workers', [0, pytest.param(1, marks=pytest.mark.slow)])
def test_too_many_damaged_records_stop_the_run(tmp_path, drawn, workers):
  clips = [drawn.make_clip(0), drawn.make_clip(1), b'bad', b'bad too']
  drawn.write_corpus(tmp_path, clips)
  batches = loader.face_pairs(tmp_path, 4, 1, bad_share=0.3, workers=workers)
  with pytest.raises(UserError, match='2 of 4 records are damaged') as caught:
    take(batches, 4)
  assert '\n' not in str(caught.value)
  batches.close()


def test_bad_arguments_are_one_line(corpus, tmp_path):
  with pytest.raises(UserError, match='cannot be shared'):
    loader.face_pairs(corpus, 3, hosts=2)
  with pytest.raises(UserError, match='count from 0'):
    loader.face_pairs(corpus, 4, host=2, hosts=2)
  with pytest.raises(UserError, match='no finished corpus'):
    loader.face_pairs(tmp_path, 4)


def test_windows_are_cut_at_the_same_place_in_sound_and_motion(corpus):
  batch = next(loader.talk_windows(corpus, 5, 2, batch=6))
  assert batch['audio'].shape == (6, 7 * 640) and batch['audio'].dtype == np.int16
  assert batch['motion'].shape == (6, 7, 60)
  frame = batch['audio'].reshape(6, 7, 640)[:, :, 0]
  np.testing.assert_allclose(batch['motion'][..., 0], frame / 100, atol=1e-6)
  np.testing.assert_allclose(batch['motion'][..., 6], frame / 100, atol=1e-6)
  assert (batch['mask'] == 1).all()
  np.testing.assert_array_equal(batch['gaze'], np.tile([3, -2], (6, 1)))
  assert batch['distance'].shape == (6, 1) and batch['emotion'].shape == (6, 8)
  assert len(set(frame[:, 0])) > 1  # not always the start


def test_a_short_clip_is_padded(corpus):
  batch = next(loader.talk_windows(corpus, 16, 0, batch=2))
  np.testing.assert_array_equal(batch['mask'], [[1] * 12 + [0] * 4] * 2)
  assert not batch['audio'][:, 12 * 640 :].any()
  np.testing.assert_array_equal(batch['motion'][:, 12], batch['motion'][:, 11])


def test_wait_fraction_measures_waiting():
  def slow():
    while True:
      time.sleep(0.02)
      yield 0

  waiting = loader.Timed(slow())
  take(waiting, 5)
  assert waiting.wait_fraction > 0.9
  working = loader.Timed(iter(range(9)))
  for _ in range(5):
    next(working)
    time.sleep(0.02)
  assert working.wait_fraction < 0.1


def test_a_label_that_is_not_finite_is_damage(tmp_path, drawn, caplog):
  clips = [drawn.make_clip(person) for person in range(10)]
  for person, field in ((2, 'pose'), (5, 'distance')):
    spoilt = getattr(clips[person], field).copy()
    spoilt[4] = np.nan if field == 'pose' else 0.0
    clips[person] = dataclasses.replace(clips[person], **{field: spoilt})
  points = clips[7].truth.points.copy()
  points[0, 0] = np.inf
  truth = dataclasses.replace(clips[7].truth, points=points)
  clips[7] = dataclasses.replace(clips[7], truth=truth)
  drawn.write_corpus(tmp_path, clips)
  batches = loader.face_pairs(tmp_path, 5, drivers=3, bad_share=0.3)
  with caplog.at_level(logging.WARNING):
    for batch in take(batches, 4):
      for name, values in batch.items():
        assert np.isfinite(values).all(), name
      assert not set(batch['shape'][:, 0]) & {2, 5, 7}
  told = ' '.join(r.message for r in caplog.records)
  for line in ('pose is not finite', 'a distance is not', 'points is not finite'):
    assert line in told


def test_known_damage_changes_no_batch(tmp_path, drawn):
  """A resumed run meets a damaged record later than the run that was cut off."""
  clips = [drawn.make_clip(person) for person in range(10)]
  for person in (1, 4, 8):
    cut = tuple(frame[:-20] for frame in clips[person].frames)
    clips[person] = dataclasses.replace(clips[person], frames=cut)
  drawn.write_corpus(tmp_path, clips)

  def make():
    return loader.face_pairs(tmp_path, 4, drivers=2, bad_share=0.5, threads=1)

  straight = take(make(), 12)
  for start in (3, 6, 9):
    resumed = make()
    resumed.set_state({'step': start})
    for want in straight[start:]:
      assert_equal(next(resumed), want)


def test_a_file_that_shrinks_under_the_run_is_named(tmp_path, drawn):
  drawn.write_corpus(tmp_path, [drawn.make_clip(person) for person in range(10)])
  (file,) = tmp_path.glob('*.array_record-*')
  size = file.stat().st_size
  batches = loader.face_pairs(tmp_path, 2, drivers=1, threads=1, prefetch=1)
  take(batches, 2)
  os.truncate(file, 1000)
  with pytest.raises(
    UserError, match=f'has shrunk from {size} to 1000 bytes'
  ) as caught:
    take(batches, 30)
  assert '\n' not in str(caught.value) and 'same command again' in str(caught.value)


def test_a_file_that_vanishes_is_named_where_it_is_missed(tmp_path, drawn):
  drawn.write_corpus(tmp_path, [drawn.make_clip(person) for person in range(10)])
  (file,) = tmp_path.glob('*.array_record-*')
  begun = loader.face_pairs(tmp_path, 2, drivers=1)
  waiting = loader.face_pairs(tmp_path, 2, drivers=1)
  want = take(loader.face_pairs(tmp_path, 2, drivers=1), 8)
  next(begun)
  file.unlink()
  for batch in want[1:]:  # an open file stays whole until it is closed
    assert_equal(next(begun), batch)
  gone = 'array_record-00000-of-00001 is gone; bring it back'
  with pytest.raises(UserError, match=gone):
    next(waiting)
  with pytest.raises(UserError, match=gone):
    loader.face_pairs(tmp_path, 2, drivers=1)


def test_pictures_of_another_size_are_told(corpus):
  assert next(loader.face_pairs(corpus, 2, size=16))['source_picture'].shape[1] == 16
  with pytest.raises(UserError, match='pictures are 16x16 px, 64 are wanted'):
    take(loader.face_pairs(corpus, 2, size=64), 3)


@pytest.mark.slow
@pytest.mark.parametrize('workers', [1, 2])
def test_a_killed_worker_ends_with_one_line(corpus, workers):
  batches = loader.face_pairs(corpus, 2, drivers=1, workers=workers)
  next(batches)
  begun = time.monotonic()
  os.kill(multiprocessing.active_children()[-1].pid, signal.SIGKILL)
  with pytest.raises(UserError, match='a loader process was killed') as caught:
    take(batches, 1000)
  assert time.monotonic() - begun < 30
  assert '\n' not in str(caught.value)
  state = batches.get_state()
  straight = loader.face_pairs(corpus, 2, drivers=1)
  straight.set_state(state)
  resumed = loader.face_pairs(corpus, 2, drivers=1, workers=workers)
  resumed.set_state(state)
  assert_equal(next(resumed), next(straight))
  resumed.close()
