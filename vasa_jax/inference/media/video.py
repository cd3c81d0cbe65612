"""Writes an MP4 with sound, frame by frame: H.264 (yuv420p, BT.709) and AAC.

The file grows under a temporary name beside the wanted one and takes that name only
when it is complete; after a failure or Ctrl-C nothing is left.
"""

import errno
import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np

from vasa_jax.audio.features import SAMPLE_RATE, SAMPLES_PER_FRAME
from vasa_jax.errors import UsageError, UserError

FPS = SAMPLE_RATE // SAMPLES_PER_FRAME
# An AAC packet holds 1024 samples: at 16 kHz its padding alone (64 ms) would be more
# than a video frame, at 44.1 and 48 kHz it is not.
SOUND_RATES = (44_100, 48_000)
# `veryfast` loses a sixth of the fine detail of a moving face, this a twelfth, for less
# than a millisecond more a frame of 256 px (docs/performance.md). x264's macroblock
# tree is not exact: now and then the same frames gave other bytes.
_DETAIL = {'preset': 'faster', 'tune': 'film', 'x264-params': 'mbtree=0'}
_MATRIX_709 = 1  # the number that H.264 and FFmpeg give to BT.709, three times


def check_output(path: str | Path) -> Path:
  """Returns the path if a video can be written there, before any work is done.

  Raises:
    UsageError: the name does not end in .mp4.
    UserError: no such folder, a folder of that name, or no right to write.
  """
  path = Path(path)
  if path.suffix.lower() not in ('.mp4', '.m4v'):
    raise UsageError(f'{path}: the video is an MP4; give a name that ends in .mp4')
  if path.is_dir():
    raise UserError(f'{path}: is a folder; give a file name')
  if not path.parent.is_dir():
    raise UserError(f'{path.parent}: no such folder; make it first')
  part = _part_name(path)
  try:
    part.open('wb').close()
    part.unlink()
  except OSError as error:
    raise UserError(f'{path}: cannot be written ({error.strerror})') from None
  return path


class VideoWriter:
  """Streams frames and sound into one file. Use as a context manager.

  Args:
    path: where the finished file goes; an older one is replaced.
    size: (height, width) of the frames in px. H.264 wants even sides: an odd side gets
      its last row or column twice.
    fps: frames a second.
    sound_rate: Hz of the sound, 44100 or 48000; None writes no sound.
    channels: of the sound, 1 or 2.
    tags: MP4 metadata.
    crf: x264 quality, smaller is better and larger.

  Raises:
    UserError: the file cannot be written, or the disk is full.
  """

  def __init__(
    self,
    path: str | Path,
    size: tuple[int, int],
    fps: int = FPS,
    *,
    sound_rate: int | None = 48_000,
    channels: int = 1,
    tags: Mapping[str, str] | None = None,
    crf: int = 18,
  ):
    if sound_rate is not None and sound_rate not in SOUND_RATES:
      raise ValueError(f'sound_rate must be one of {SOUND_RATES}, not {sound_rate}')
    self.path = check_output(path)
    self.size, self.fps = size, fps
    self.sound_rate, self.channels = sound_rate, channels
    self.frames = self.samples = 0
    self._tags, self._crf = dict(tags or {}), crf
    self._part = _part_name(self.path)
    self._container = None

  def __enter__(self) -> 'VideoWriter':
    import av

    height, width = self.size
    try:
      self._container = av.open(
        str(self._part), 'w', format='mp4', options={'movflags': '+faststart'}
      )
      self._container.metadata.update(self._tags)
      video = self._container.add_stream('libx264', rate=self.fps)
      video.width, video.height = width + width % 2, height + height % 2
      video.pix_fmt = 'yuv420p'
      # The number of threads changes the bytes: fixed, so that a run can be repeated.
      video.options = {'crf': str(self._crf), 'threads': '2', **_DETAIL}
      video.time_base = Fraction(1, self.fps)
      context = video.codec_context
      context.color_primaries = context.color_trc = context.colorspace = _MATRIX_709
      context.color_range = av.video.reformatter.ColorRange.MPEG
      self._video, self._sound = video, None
      if self.sound_rate is not None:
        layout = 'mono' if self.channels == 1 else 'stereo'
        self._sound = self._container.add_stream(
          'aac', rate=self.sound_rate, layout=layout
        )
        self._sound.bit_rate = 96_000 * self.channels
        self._resampler = av.AudioResampler('fltp', layout, self.sound_rate, 1024)
    except BaseException as error:
      self._drop()
      self._explain(error)
      raise
    return self

  def write(self, frames: np.ndarray) -> None:
    """Appends `(n, h, w, 3)` uint8 RGB frames."""
    import av

    even = [(0, side % 2) for side in self.size]
    for picture in frames:
      if picture.shape != (*self.size, 3) or picture.dtype != np.uint8:
        raise ValueError(
          f'frames must be uint8 {(*self.size, 3)}, not {picture.dtype} {picture.shape}'
        )
      picture = np.pad(picture, (*even, (0, 0)), mode='edge')
      frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format='rgb24')
      frame = frame.reformat(
        format='yuv420p',
        dst_colorspace=av.video.reformatter.Colorspace.ITU709,
        dst_color_range=av.video.reformatter.ColorRange.MPEG,
      )
      frame.pts, frame.time_base = self.frames, Fraction(1, self.fps)
      self.frames += 1
      self._mux(lambda frame=frame: self._video.encode(frame))

  def write_sound(self, samples: np.ndarray) -> None:
    """Appends `(n, channels)` float32 samples in [-1, 1] at `sound_rate`."""
    import av

    if samples.ndim != 2 or samples.shape[1] != self.channels:
      raise ValueError(f'sound must be (n, {self.channels}), not {samples.shape}')
    if not len(samples):
      return
    planes = np.ascontiguousarray(np.clip(samples, -1, 1).T.astype(np.float32))
    layout = 'mono' if self.channels == 1 else 'stereo'
    frame = av.AudioFrame.from_ndarray(planes, format='fltp', layout=layout)
    frame.sample_rate, frame.pts = self.sound_rate, self.samples
    frame.time_base = Fraction(1, self.sound_rate)
    self.samples += len(samples)
    for part in self._resampler.resample(frame):
      self._mux(lambda part=part: self._sound.encode(part))

  def __exit__(self, kind, error, trace) -> None:
    if kind is not None:
      self._drop()
      return
    try:
      if self._sound is not None and self.samples:
        for part in self._resampler.resample(None):
          self._mux(lambda part=part: self._sound.encode(part))
        self._mux(lambda: self._sound.encode(None))
      self._mux(lambda: self._video.encode(None))
      self._container.close()
      os.replace(self._part, self.path)
    except BaseException as error:
      self._drop()
      self._explain(error)
      raise

  def _mux(self, encode) -> None:
    try:
      for packet in encode():
        self._container.mux(packet)
    except OSError as error:
      self._explain(error)

  def _drop(self) -> None:
    """Closes what is open and removes the unfinished file."""
    try:
      if self._container is not None:
        self._container.close()
    except (OSError, ValueError):
      pass  # A full disk fails again while closing; the file goes anyway.
    finally:
      self._part.unlink(missing_ok=True)

  def _explain(self, error: BaseException) -> None:
    """Raises a `UserError` for a failure of the file system; lets others pass."""
    if isinstance(error, OSError):
      if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise UserError(f'{self.path}: the disk is full; nothing was written') from None
      raise UserError(f'{self.path}: cannot be written ({error.strerror})') from None


def _part_name(path: Path) -> Path:
  return path.with_name(f'.{path.name}.{os.getpid()}.part')
