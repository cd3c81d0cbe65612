import dataclasses
import json
import resource
import signal

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data_pipelines import builder, schema
from data_pipelines.errors import UserError


def assert_same(a, b):
  for field in dataclasses.fields(a):
    one, two = getattr(a, field.name), getattr(b, field.name)
    if field.name == 'truth' and one is not None:
      assert_same(one, two)
    elif isinstance(one, np.ndarray):
      assert one.dtype == two.dtype, field.name
      np.testing.assert_array_equal(one, two, err_msg=field.name)
    else:
      assert one == two, field.name


def test_records_come_back_bit_for_bit_without_our_code(corpus, drawn):
  source = tfds.builder_from_directory(str(corpus)).as_data_source('train')
  assert len(source) == 10
  assert_same(schema.from_example(source[7]), drawn.make_clip(7))
  assert source[7]['audio'].dtype == np.int16


def test_a_clip_without_truth_and_with_landmarks(tmp_path, drawn):
  landmarks = np.random.default_rng(0).random((12, 5, 2)).astype(np.float32)
  clip = dataclasses.replace(drawn.make_clip(1), truth=None, landmarks=landmarks)
  drawn.write_corpus(tmp_path, [clip])
  back = schema.from_example(builder.open_clips(tmp_path)[0])
  assert_same(back, clip)
  with pytest.raises(UserError, match='no exact dynamics'):
    _ = back.z_dyn


def test_the_tfds_builder_writes_the_same_records(tmp_path, drawn):
  tfds.disable_progress_bar()
  clips = [drawn.make_clip(person) for person in (3, 4)]
  made = builder.Clips(data_dir=str(tmp_path), clips={'test': lambda: iter(clips)})
  made.download_and_prepare()
  source = builder.open_clips(tmp_path, 'test')
  back = {c.clip_id: c for c in map(schema.from_example, source)}
  assert set(back) == {'train-3', 'train-4'}
  assert_same(back['train-4'], clips[1])


def test_latents_follow_the_conventions(drawn):
  clip = drawn.make_clip(2)
  np.testing.assert_allclose(clip.z_pose[:, 0], np.arange(12) / 100, atol=1e-6)
  np.testing.assert_allclose(clip.z_pose[:, 3], np.arange(12) / 100, atol=1e-6)
  np.testing.assert_array_equal(clip.z_pose[:, 4:], 2)
  assert clip.z_dyn.shape == (12, 54) and clip.z_dyn.dtype == np.float32
  np.testing.assert_array_equal(clip.z_dyn[:, 52:], clip.truth.eyes)


@pytest.mark.parametrize('name', ['audio', 'pose', 'gaze', 'distance', 'visible'])
def test_contradicting_lengths_are_refused(drawn, name):
  clip = drawn.make_clip(0)
  short = dataclasses.replace(clip, **{name: getattr(clip, name)[1:]})
  with pytest.raises(ValueError, match=name):
    schema.to_example(short)


def test_pictures_survive_jpeg_and_damage_is_seen():
  y, x = np.mgrid[0:64, 0:64] * 3
  picture = np.stack([x, y, 255 - x], -1).astype(np.uint8)
  data = schema.encode_picture(picture)
  error = np.abs(schema.decode_picture(data).astype(int) - picture)
  assert error.mean() < 2.0  # and red is red: channels keep their order
  for damaged in (data[: len(data) // 2], b'', b'nonsense'):
    with pytest.raises(ValueError, match='whole JPEG'):
      schema.decode_picture(damaged)


def test_a_full_disk_leaves_nothing_behind(tmp_path):
  path = builder.shard_path(tmp_path, 'train', 0, 1)
  records = [bytes(np.random.default_rng(i).bytes(200_000)) for i in range(10)]
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
  try:
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
    with pytest.raises(UserError, match='cannot write') as caught:
      builder.write_shard(path, records)
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, old)
  assert '\n' not in str(caught.value)
  assert list(tmp_path.iterdir()) == []
  builder.write_shard(path, records)  # with room it works
  assert path.stat().st_size > 2_000_000


def test_opening_what_is_not_there(tmp_path, corpus):
  with pytest.raises(UserError, match='no finished corpus'):
    builder.open_clips(tmp_path)
  with pytest.raises(UserError, match='not a folder'):
    builder.open_clips(tmp_path / 'nowhere')
  with pytest.raises(UserError, match="no split 'test'; it has train"):
    builder.open_clips(corpus, 'test')


def test_the_catalogue_lists_only_complete_splits(tmp_path, drawn):
  drawn.write_corpus(tmp_path, [drawn.make_clip(1)])
  half = builder.shard_path(tmp_path, 'test', 0, 2)
  builder.write_shard(half, [builder.serializer()(drawn.make_clip(2))])
  builder.write_catalogue(tmp_path)
  info = json.loads((tmp_path / 'dataset_info.json').read_text())
  assert [split['name'] for split in info['splits']] == ['train']
