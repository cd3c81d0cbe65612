"""FVD: windows, order of harm on a narrow random I3D, and on the published one."""

import cv2
import jax
import numpy as np
import pytest

from vasa_jax.inference.media.video import VideoWriter
from vasa_jax.metrics import fvd, video_features
from vasa_jax.metrics.evaluator import Clip
from vasa_jax.metrics.frechet import frechet_distance, kernel_distance
from vasa_jax.teachers import i3d

NARROW = i3d.I3DConfig(
  stem=(2, 2, 3),
  mixed=tuple((name, (2, 2, 2, 1, 1, 2)) for name, _ in i3d.KINETICS.mixed),
  classes=4,
)

LENGTH = 9  # frames; 25 take thrice as long and show the same


def drifting(seed, frames=25, side=64):
  """Blobs that drift, `(frames, side, side, 3)` uint8."""
  rng = np.random.default_rng(seed)
  noise = rng.standard_normal((side, 3 * side, 3)).astype(np.float32)
  field = cv2.GaussianBlur(noise, (0, 0), 2)
  field = 0.5 + field / field.std() / 6
  step = rng.uniform(0.5, 1.5)
  shown = [field[:, int(step * t) : int(step * t) + side] for t in range(frames)]
  return (255 * np.clip(np.stack(shown), 0, 1)).astype(np.uint8)


def blurred(clip, sigma):
  if sigma == 0:
    return clip
  return np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in clip])


@pytest.fixture(scope='module')
def narrow():
  blank = np.zeros((1, LENGTH, 224, 224, 3), np.float32)
  shapes = jax.eval_shape(i3d.I3D(NARROW).init, jax.random.key(1), blank)['params']
  random = np.random.RandomState(4)

  def weight(leaf):
    scale = np.sqrt(2 / max(np.prod(leaf.shape[:-1]), 1))
    return (random.standard_normal(leaf.shape) * scale).astype(np.float32)

  return fvd.make_features(jax.tree.map(weight, shapes), NARROW)


def logits(features, clips, length=LENGTH):
  windows = [w for clip in clips for w in fvd.windows(clip, length=length)]
  return features(np.stack(windows))


def test_fvd_rises_with_blur(narrow):
  clips = [drifting(seed) for seed in range(4)]
  real = logits(narrow, [drifting(100 + seed) for seed in range(4)])
  made = [logits(narrow, [blurred(c, s) for c in clips]) for s in (0, 2, 6)]
  for distance in (frechet_distance, kernel_distance):
    assert np.all(np.diff([distance(x, real) for x in made]) > 0)


def test_features_of_one_clip_do_not_depend_on_the_others(narrow):
  clips = [drifting(seed) for seed in range(2)]
  both, first = logits(narrow, clips), logits(narrow, clips[:1])
  np.testing.assert_array_equal(both[:1], first)
  assert np.abs(both[0] - both[1]).max() > 0


def test_windows_are_spread_without_overlap():
  frames = [np.full((8, 8, 3), i, np.uint8) for i in range(104)]

  def starts(count, shown=frames):
    found = list(fvd.windows(iter(shown), count))
    for window in found:
      assert window.shape == (25, 224, 224, 3)
      np.testing.assert_allclose(np.diff(window[:, 0, 0, 0]), 1, atol=1e-4)
    return [round(float(window[0, 0, 0, 0])) for window in found]

  assert starts(0) == [0, 25, 50, 75]
  assert starts(4) == [0, 25, 50, 75]
  assert starts(1) == [0] and starts(2) == [0, 50]
  assert starts(1, frames[:24]) == []


def test_a_long_video_is_thinned_as_it_is_read():
  long = (np.full((4, 4, 3), i // 25, np.uint8) for i in range(25 * 41))
  found = [round(float(w[0, 0, 0, 0])) for w in fvd.windows(long, 2)]
  assert found == [0, 16]  # every 16th is kept


def test_resizing_is_that_of_the_net():
  frame = drifting(0, 1, 100)[0]
  there = i3d.to_input(frame[None, None].astype(np.float32) / 255)[0, 0]
  np.testing.assert_allclose(fvd.shrink(frame) / 127.5 - 1, there, atol=2e-5)
  square = np.zeros((224, 224, 3), np.uint8)
  assert fvd.shrink(square).dtype == np.float32


@pytest.fixture
def folder(tmp_path, monkeypatch):
  def means(clips):
    assert clips.shape[1:] == (25, 224, 224, 3)
    return clips[:, :4].mean((2, 3, 4))

  monkeypatch.setattr(video_features, '_i3d', lambda: means)
  for name, frames in (('a', 60), ('b', 30), ('short', 10)):
    with VideoWriter(tmp_path / f'{name}.mp4', (64, 64), sound_rate=None) as writer:
      writer.write(drifting(0, frames))
  return tmp_path


def test_features_of_videos_are_kept(folder, monkeypatch):
  clips = [Clip(n, folder / f'{n}.mp4') for n in ('a', 'short', 'b')]
  found = video_features.collect(clips, video_features.Windows(), folder / 'kept')
  assert found.rows.shape == (3, 4) and found.clips.tolist() == [0, 0, 2]
  assert len(found.failures) == 1 and 'too short' in found.failures[0]

  def explode():
    raise AssertionError('computed again')

  monkeypatch.setattr(video_features, '_i3d', explode)
  again = video_features.collect(clips[::2], video_features.Windows(), folder / 'kept')
  np.testing.assert_array_equal(again.rows, found.rows)
  with pytest.raises(AssertionError):  # another protocol is another question
    video_features.collect(clips[:1], video_features.Windows(1), folder / 'kept')


@pytest.mark.slow
def test_fvd_of_the_published_net_rises_with_blur():
  from vasa_jax.teachers import fetch

  fetch.fetch('i3d')
  features = fvd.make_features(fetch.load_teacher('i3d'))
  clips = [drifting(seed, side=112) for seed in range(5)]
  real = logits(features, [drifting(100 + seed, side=112) for seed in range(5)], 25)
  made = [logits(features, [blurred(c, s) for c in clips], 25) for s in (0, 1.5, 4)]
  assert np.all(np.diff([frechet_distance(x, real) for x in made]) > 0)
