"""Videos of any rate arrive at 25 fps and 16 kHz, sound and picture together."""

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.inference.media.video import VideoWriter
from vasa_jax.metrics.clip_file import read_frames, read_sound


def numbered(count):
  """`(count, 32, 32, 3)` frames whose grey says their number."""
  grey = (20 + 8 * np.arange(count)).astype(np.uint8)
  return np.tile(grey[:, None, None, None], (1, 32, 32, 3))


def numbers(path):
  greys = np.array([frame.mean() for frame in read_frames(path)])
  return np.rint((greys - 20) / 8).astype(int).tolist()


@pytest.mark.parametrize(
  ('fps', 'expected'),
  [
    (25, list(range(20))),
    (50, list(range(0, 20, 2))),
    (5, [i // 5 for i in range(100)]),
  ],
)
def test_frames_are_held_or_left_out(tmp_path, fps, expected):
  path = tmp_path / 'v.mp4'
  with VideoWriter(path, (32, 32), fps, sound_rate=None) as writer:
    writer.write(numbered(20))
  assert numbers(path) == expected
  assert read_sound(path) is None


@pytest.mark.parametrize(('rate', 'channels'), [(48_000, 1), (44_100, 2)])
def test_a_click_is_where_it_was(tmp_path, rate, channels):
  path = tmp_path / 'v.mp4'
  sound = np.zeros((rate, channels), np.float32)
  sound[rate * 6 // 10 : rate * 6 // 10 + rate // 100] = 0.8
  with VideoWriter(path, (32, 32), sound_rate=rate, channels=channels) as writer:
    writer.write(numbered(25))
    writer.write_sound(sound)
  heard = read_sound(path)
  assert heard.ndim == 1 and abs(len(heard) - 16_000) < 1_100
  middle = np.average(np.arange(len(heard)), weights=np.square(heard))
  assert abs(middle / 16_000 - 0.605) < 0.01


def test_what_is_no_video(tmp_path):
  path = tmp_path / 'v.mp4'
  path.write_bytes(b'not a video, but long enough to be looked at' * 9)
  for read in (lambda p: list(read_frames(p)), read_sound):
    with pytest.raises(UserError, match='v.mp4') as caught:
      read(path)
    assert '\n' not in str(caught.value)
  with pytest.raises(UserError, match='cannot read'):
    list(read_frames(tmp_path / 'none.mp4'))
