import os
from fractions import Fraction

import av
import jax
import numpy as np
import pytest

from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference import models
from vasa_jax.inference.media.provenance import read_provenance
from vasa_jax.inference.talking_face import _batches
from vasa_jax.types import Motion


def _motion(start, stop):
  ramp = np.arange(start, stop, dtype=np.float32)[:, None]
  return Motion(np.repeat(ramp, 6, 1), np.repeat(ramp, 54, 1))


def test_batches_cut_windows_of_any_length():
  windows = [_motion(0, 5), _motion(5, 6), _motion(6, 17)]
  cut = list(_batches(iter(windows), 4))
  assert [count for _, count in cut] == [4, 4, 4, 4, 1]
  assert all(m.z_pose.shape == (4, 6) and m.z_dyn.shape == (4, 54) for m, _ in cut)
  got = np.concatenate([m.z_pose[:count, 0] for m, count in cut])
  np.testing.assert_array_equal(got, np.arange(17))
  assert list(_batches(iter([]), 4)) == []


def test_frames_do_not_depend_on_batches(tiny_face, portrait_path):
  code = tiny_face.encode(portrait_path)
  rng = np.random.default_rng(0)
  motion = Motion(
    rng.normal(0, 0.1, (6, 6)).astype(np.float32),
    rng.uniform(0, 1, (6, 54)).astype(np.float32),
  )
  parts = [jax.tree.map(lambda x, s=s: x[s], motion) for s in (np.s_[:1], np.s_[1:])]
  got = list(tiny_face.frames(code, iter(parts)))
  assert [len(batch) for batch in got] == [4, 2]
  alone = tiny_face.face.decode(code, jax.tree.map(lambda x: x[2:6], motion))
  whole = np.concatenate(got)
  assert whole.shape == (6, 64, 64, 3) and whole.dtype == np.uint8
  difference = np.abs(whole[2:6].astype(int) - np.asarray(alone))
  assert difference.max() <= 1
  assert np.abs(whole[0].astype(int) - whole[1]).max() > 1  # motion matters


def test_video_is_whole(tiny_face, portrait_path, short_voice, tmp_path):
  out, seen = tmp_path / 'a.mp4', []
  talk = tiny_face.talk(
    portrait_path,
    short_voice,
    out,
    size=80,
    gaze=[5, 0],
    emotion={'happiness': 0.5},
    progress=lambda done, total: seen.append((done, total)),
  )
  assert os.listdir(tmp_path) == ['a.mp4']
  assert talk.frames == 18 and talk.seconds == pytest.approx(0.72)
  assert seen[-1] == (18, 18) and [d for d, _ in seen] == sorted({d for d, _ in seen})
  with av.open(str(out)) as container:
    video, sound = container.streams
    assert (video.frames, video.average_rate) == (18, Fraction(25))
    assert (video.width, video.height) == (80, 80)
    lengths = [float(s.duration * s.time_base) for s in (video, sound)]
  assert abs(lengths[0] - lengths[1]) < 0.04
  said = read_provenance(out)
  assert said == talk.provenance
  assert said['synthetic'] is True and said['settings']['controls']['gaze'] == [5, 0]
  assert said['weights'].startswith('tiny ')


def test_same_seed_same_video(
  tiny_face, portrait_path, short_voice, tmp_path, monkeypatch
):
  monkeypatch.setenv('SOURCE_DATE_EPOCH', '0')
  made = {}
  for name, seed in (('a', 3), ('b', 3), ('c', 4)):
    tiny_face.talk(portrait_path, short_voice, tmp_path / f'{name}.mp4', seed=seed)
    made[name] = (tmp_path / f'{name}.mp4').read_bytes()
  assert made['a'] == made['b'] != made['c']


def _leaves_nothing(folder, error, says, call):
  with pytest.raises(error, match=says or None) as caught:
    call(folder / 'out.mp4')
  assert '\n' not in str(caught.value)
  assert os.listdir(folder) == []


def test_bad_inputs_leave_nothing(
  tiny_face, portrait_path, voice_path, short_voice, tmp_path, wav
):
  inputs, folder = tmp_path / 'in', tmp_path / 'out'
  inputs.mkdir()
  folder.mkdir()
  silent = wav(inputs / 'silent.wav', np.zeros(16_000))
  empty = wav(inputs / 'empty.wav', np.zeros(0))
  for error, says, face, sound, more in (
    (UserError, 'not a picture', voice_path, voice_path, {}),
    (UserError, 'no such file', inputs / 'x.jpg', voice_path, {}),
    (UserError, 'no sound in it', portrait_path, portrait_path, {}),
    (UserError, 'silent', portrait_path, silent, {}),
    (UserError, '0 seconds', portrait_path, empty, {}),
    (UsageError, 'size must lie', portrait_path, short_voice, {'size': 4}),
    (UsageError, 'steps', portrait_path, short_voice, {'steps': 0}),
    (UsageError, 'unknown emotion', portrait_path, short_voice, {'emotion': {'x': 1}}),
  ):
    _leaves_nothing(
      folder, error, says,
      lambda out, f=face, s=sound, m=more: tiny_face.talk(f, s, out, **m),
    )  # fmt: skip
  with pytest.raises(UserError, match='no such folder'):
    tiny_face.talk(portrait_path, short_voice, folder / 'none' / 'a.mp4')


def test_ctrl_c_leaves_nothing(tiny_face, portrait_path, short_voice, tmp_path):
  def stop(done, total):
    raise KeyboardInterrupt

  _leaves_nothing(
    tmp_path, KeyboardInterrupt, '',
    lambda out: tiny_face.talk(portrait_path, short_voice, out, progress=stop),
  )  # fmt: skip


def test_an_input_is_never_overwritten(tiny_face, short_voice, tmp_path, picture):
  from PIL import Image

  path = tmp_path / 'me.mp4'
  Image.fromarray(picture).save(path, format='PNG')
  before = path.read_bytes()
  with pytest.raises(UsageError, match='is also an input'):
    tiny_face.talk(path, short_voice, path)
  assert path.read_bytes() == before


def test_silence_where_it_is_allowed(tiny_face, portrait_path, tmp_path, wav):
  silent = wav(tmp_path / 'silent.wav', np.zeros(3_000))
  talk = tiny_face.talk(portrait_path, silent, tmp_path / 'a.mp4', allow_silence=True)
  assert talk.frames == 5


def test_sizes_are_counted_without_computing():
  configs = models.preset('tiny')
  for part in ('face', 'motion'):
    size = models.size(part, configs[part])
    assert 0 < size.params == sum(size.parts.values()) < 1e6
  params = models.init('face', configs['face'], jax.random.key(0))
  wanted = {name: leaf.shape for name, leaf in models._named(params)}
  assert models.shapes('face', configs['face']) == wanted
  assert models.preset('huge') is None
