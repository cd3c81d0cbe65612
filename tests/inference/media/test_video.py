import errno
import os
import subprocess
import sys
import textwrap

import av
import numpy as np
import pytest

from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference.media.video import FPS, VideoWriter, check_output

COLOURS = np.array(
  [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255] * 3, [128] * 3, [200, 150, 120]]
)


def _pictures(count, height=48, width=48):
  bars = COLOURS[np.arange(width) * 6 // width].astype(np.uint8)
  return np.broadcast_to(bars, (count, height, width, 3))


def _sound(tone, seconds, channels=1, rate=48_000):
  return np.repeat(tone(seconds, rate)[:, None], channels, 1).astype(np.float32)


def test_tracks_codecs_and_tags(tmp_path, tone):
  path = tmp_path / 'a.mp4'
  with VideoWriter(path, (48, 48), tags={'comment': 'hello'}) as writer:
    writer.write(_pictures(30))
    writer.write_sound(_sound(tone, 1.2))
  with av.open(str(path)) as container:
    video, sound = container.streams
    assert (video.codec_context.name, sound.codec_context.name) == ('h264', 'aac')
    context = video.codec_context
    assert context.pix_fmt == 'yuv420p' and video.average_rate == FPS
    tags = (context.color_primaries, context.color_trc, context.colorspace)
    assert tags == (1, 1, 1) and context.color_range == 1  # BT.709, limited
    assert container.metadata['comment'] == 'hello'
    assert len(list(container.decode(video=0))) == 30
  head = path.read_bytes()
  assert head.index(b'moov') < head.index(b'mdat')  # starts before it is all there
  assert os.listdir(tmp_path) == ['a.mp4']


@pytest.mark.parametrize('rate', [44_100, 48_000])
@pytest.mark.parametrize('frames', [1, 26])
def test_sound_and_picture_last_as_long(tmp_path, tone, rate, frames):
  path = tmp_path / 'a.mp4'
  with VideoWriter(path, (32, 32), sound_rate=rate, channels=2) as writer:
    writer.write_sound(_sound(tone, frames / FPS, 2, rate))
    writer.write(_pictures(frames, 32, 32))
  with av.open(str(path)) as container:
    lengths = [float(s.duration * s.time_base) for s in container.streams]
    starts = [float(s.start_time * s.time_base) for s in container.streams]
  assert lengths[0] == pytest.approx(frames / FPS)
  assert abs(lengths[0] - lengths[1]) < 0.04
  assert starts == [0.0, 0.0]


def test_a_click_stays_beside_its_flash(tmp_path):
  """Picture and sound decoded again: both events at 0.6 s, within a frame."""
  path = tmp_path / 'a.mp4'
  pictures = np.zeros((30, 32, 32, 3), np.uint8)
  pictures[15] = 255
  sound = np.zeros((round(1.2 * 48_000), 1), np.float32)
  sound[28_800:29_280] = 0.8 * np.sin(np.arange(480) * 0.4)[:, None]
  with VideoWriter(path, (32, 32)) as writer:
    for i in range(3):
      writer.write(pictures[10 * i : 10 * i + 10])
      writer.write_sound(sound[19_200 * i : 19_200 * (i + 1)])
  with av.open(str(path)) as container:
    flash = max(container.decode(video=0), key=lambda f: f.to_ndarray()[:32].mean())
  with av.open(str(path)) as container:
    loud = max(container.decode(audio=0), key=lambda f: np.abs(f.to_ndarray()).mean())
  assert flash.time == pytest.approx(0.6)
  assert abs(loud.time - 0.6) < 0.04


def test_colours_survive(tmp_path):
  path = tmp_path / 'a.mp4'
  with VideoWriter(path, (96, 96), sound_rate=None) as writer:
    writer.write(_pictures(3, 96, 96))
  with av.open(str(path)) as container:
    got = next(container.decode(video=0)).to_ndarray(format='rgb24')
  np.testing.assert_allclose(got[48, 8::16].astype(int), COLOURS, atol=4)


def test_odd_sizes_repeat_the_border(tmp_path):
  path = tmp_path / 'a.mp4'
  with VideoWriter(path, (33, 47), sound_rate=None) as writer:
    writer.write(np.full((2, 33, 47, 3), 77, np.uint8))
  with av.open(str(path)) as container:
    got = next(container.decode(video=0)).to_ndarray(format='rgb24')
  assert got.shape == (34, 48, 3)
  np.testing.assert_allclose(got.astype(int), 77, atol=3)


def test_same_frames_same_bytes(tmp_path, tone):
  for name in 'ab':
    with VideoWriter(tmp_path / f'{name}.mp4', (32, 32)) as writer:
      writer.write(_pictures(9, 32, 32))
      writer.write_sound(_sound(tone, 0.3))
  assert (tmp_path / 'a.mp4').read_bytes() == (tmp_path / 'b.mp4').read_bytes()


@pytest.mark.parametrize('error', [KeyboardInterrupt, ValueError, SystemExit])
def test_nothing_is_left_after_a_failure(tmp_path, error):
  path = tmp_path / 'a.mp4'
  with pytest.raises(error), VideoWriter(path, (32, 32)) as writer:
    writer.write(_pictures(3, 32, 32))
    raise error
  assert os.listdir(tmp_path) == []


def test_an_older_video_survives_a_failure(tmp_path):
  path = tmp_path / 'a.mp4'
  path.write_bytes(b'old')
  with pytest.raises(KeyboardInterrupt), VideoWriter(path, (32, 32)) as writer:
    writer.write(_pictures(3, 32, 32))
    raise KeyboardInterrupt
  assert path.read_bytes() == b'old' and os.listdir(tmp_path) == ['a.mp4']


def test_wrong_frames_are_refused(tmp_path):
  path = tmp_path / 'a.mp4'
  with pytest.raises(ValueError, match='uint8'), VideoWriter(path, (32, 32)) as writer:
    writer.write(np.zeros((1, 32, 30, 3), np.uint8))
  with pytest.raises(ValueError, match='sound must be'):
    with VideoWriter(path, (32, 32)) as writer:
      writer.write_sound(np.zeros((9, 2), np.float32))


def test_output_that_cannot_be(tmp_path):
  (tmp_path / 'd.mp4').mkdir()
  with pytest.raises(UsageError, match='.mp4'):
    check_output(tmp_path / 'a.avi')
  with pytest.raises(UserError, match='no such folder'):
    check_output(tmp_path / 'none' / 'a.mp4')
  with pytest.raises(UserError, match='is a folder'):
    check_output(tmp_path / 'd.mp4')
  with pytest.raises(UserError, match='no such folder'):
    check_output(tmp_path / 'd.mp4' / '..' / 'x' / 'b.mp4')
  assert check_output(tmp_path / 'a.mp4') == tmp_path / 'a.mp4'
  assert os.listdir(tmp_path) == ['d.mp4']


def test_unwritable_folder():
  # Not even root may make files there.
  with pytest.raises(UserError, match='cannot be written'):
    check_output('/proc/self/a.mp4')


def test_full_disk(tmp_path):
  """A process whose files may not grow beyond 20 kB sees the same as on a full disk."""
  script = textwrap.dedent(
    f"""
    import resource, signal, sys
    import numpy as np
    from vasa_jax.inference.media.video import VideoWriter
    from vasa_jax.errors import UserError
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    noise = np.random.default_rng(0).integers(0, 255, (40, 128, 128, 3), np.uint8)
    try:
      with VideoWriter({str(tmp_path / 'a.mp4')!r}, (128, 128)) as writer:
        writer.write(noise)
    except UserError as error:
      sys.exit(str(error))
    """
  )
  done = subprocess.run(
    [sys.executable, '-c', script], capture_output=True, text=True, timeout=60
  )
  assert done.returncode == 1, done.stderr
  assert 'the disk is full; nothing was written' in done.stderr
  assert 'Traceback' not in done.stderr
  assert os.listdir(tmp_path) == []


def test_disk_that_fills_up_while_writing(tmp_path, monkeypatch):
  path = tmp_path / 'a.mp4'
  with pytest.raises(UserError, match='disk is full'):
    with VideoWriter(path, (32, 32)) as writer:

      def full(picture):
        raise OSError(errno.ENOSPC, 'No space left on device')

      writer._video = type('Stream', (), {'encode': staticmethod(full)})
      writer.write(_pictures(1, 32, 32))
  assert os.listdir(tmp_path) == []
