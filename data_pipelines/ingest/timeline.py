"""The pictures of a file on a clock of 25 a second, whatever its own clock does.

The clock starts with the first whole picture. Picture i is the one on the screen at
(i + 1/2) / 25 s: the middle of its 640 samples of sound, so that rounded time stamps
(1 ms in Matroska, 1/90000 s in MPEG) cannot shift it. Variable frame rates, edit lists,
start offsets and negative time stamps all come down to that rule.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_pipelines.ingest.picture import Picture, from_frame
from data_pipelines.schema import FPS

MAX_PIXELS = 7680 * 4320 + 7680 * 64  # 8K, and the rows a codec rounds up to
# s; a longer gap in the time stamps is a cut, not a frozen picture: a quarter second,
# or three pictures of a slow file, but at most a second.
HOLD = (0.25, 1.0)
_END = 0.1  # s; what the last picture is shown at most


class BrokenFile(Exception):
  """The file holds no video that can be read; the message says why, in one line."""

  def __init__(self, message: str, reason: str = 'broken file'):
    super().__init__(' '.join(message.split())[:200])
    self.reason = reason

  def __reduce__(self):
    return type(self), (str(self), self.reason)


class Shown(NamedTuple):
  """A picture on the clock.

  Attributes:
    index: frames since the clock started; jumps where the file has a gap.
    picture: the planes; the same object as before where a picture is held.
    fresh: pictures that the file brought since the one before: 0 where held.
  """

  index: int
  picture: Picture
  fresh: int


class Timeline:
  """Decodes the pictures of one file, in order, with memory for one.

  Args:
    path: of the file.

  Attributes:
    zero: time of the first picture in the file's clock, s; None before it is decoded.
    decoded: pictures decoded so far.
    lost: damaged packets, and pictures dropped because of them.
    backwards: pictures whose time lies before that of the one before; left out.
    interlaced: pictures that are woven of two fields.
    seconds: length by the clock, known at the end.
    usual: s from picture to picture, as the file's head says.
  """

  def __init__(self, path: str | Path):
    self.path = Path(path)
    self.zero: float | None = None
    self.decoded = self.lost = self.backwards = self.interlaced = 0
    self.seconds = 0.0
    self.usual = 1 / FPS

  def __iter__(self) -> Iterator[Shown]:
    """Yields what is shown.

    Raises:
      BrokenFile: no such video, too large, or not one picture in it.
    """
    held, shown, fresh, last, lasts = None, 0, 0, 0.0, 1 / FPS
    for time, span, picture in self._pictures():
      hold = min(max(HOLD[0], 3 * self.usual), HOLD[1])
      if self.zero is None:
        self.zero = time
      now = time - self.zero
      if held is not None:
        if now <= last:
          self.backwards += 1
          continue
        until = last + _END if now - last > hold else now
        while (shown + 0.5) / FPS < until:
          yield Shown(shown, held, fresh)
          shown, fresh = shown + 1, 0
        if now - last > hold:
          shown, fresh = max(shown, math.ceil(now * FPS - 0.5)), 0
      held, last, lasts, fresh = picture, now, span, fresh + 1
    if held is None:
      raise BrokenFile('no picture in it can be decoded')
    while (shown + 0.5) / FPS < last + min(lasts, _END):
      yield Shown(shown, held, fresh)
      shown, fresh = shown + 1, 0
    self.seconds = last + min(lasts, _END)

  def _pictures(self) -> Iterator[tuple[float, float, Picture]]:
    """Yields (time, duration, picture) of whole pictures, in the order of showing."""
    import av

    container = open_container(self.path)
    with container:
      stream = container.streams.best('video')  # not the picture on a cover
      if stream is None:
        raise BrokenFile('no video in it')
      if stream.codec_context is None:
        raise BrokenFile('its video has a codec that is not known')
      check_size(stream.codec_context.width, stream.codec_context.height)
      stream.thread_type = 'NONE'  # a worker is one thread
      stream.codec_context.options = {
        'max_pixels': str(MAX_PIXELS), 'err_detect': 'explode',
      }  # fmt: skip
      rate = float(stream.average_rate or stream.guessed_rate or FPS)
      usual = self.usual = 1 / rate if 0 < rate < 1000 else 1 / FPS
      time, whole = -usual, True
      for frame in self._frames(container, stream, av):
        if frame is None or frame.is_corrupt:
          self.lost, whole = self.lost + 1, False
          continue
        # Pictures after damage are patched up from what is not there, until one that
        # needs no other.
        whole = whole or bool(frame.key_frame)
        if not whole:
          self.lost += 1
          continue
        check_size(frame.width, frame.height)
        time = time + usual if frame.time is None else float(frame.time)
        if not math.isfinite(time):
          continue
        try:
          picture = from_frame(frame)
        except (ValueError, av.error.FFmpegError) as error:
          raise BrokenFile(f'its pictures cannot be converted: {error}') from None
        self.decoded += 1
        self.interlaced += bool(frame.interlaced_frame)
        span = float(frame.duration * frame.time_base) if frame.duration else usual
        yield time, span if 0 < span < HOLD[1] else usual, picture

  def _frames(self, container, stream, av) -> Iterator:
    """Yields decoded frames, None for each packet that cannot be decoded."""
    damaged = 0
    packets = container.demux(stream)
    while True:
      try:
        packet = next(packets)
        frames = packet.decode()
      except StopIteration:
        return
      except av.error.EOFError:
        return
      except (av.error.FFmpegError, ValueError, OSError):
        damaged += 1
        # A container whose packets no longer come at all repeats its error for ever.
        if damaged > 1000:
          return
        yield None
        continue
      yield from frames


def open_container(path: Path):
  """An open `av` container.

  Raises:
    BrokenFile: no such file, empty, or no media file.
  """
  import av

  av.logging.set_level(av.logging.PANIC)
  try:
    return av.open(str(path), metadata_errors='replace')
  except FileNotFoundError:
    raise BrokenFile('no such file') from None
  except (av.error.FFmpegError, OSError, ValueError) as error:
    if path.is_file() and path.stat().st_size == 0:
      raise BrokenFile('the file is empty') from None
    why = getattr(error, 'strerror', None) or str(error)
    raise BrokenFile(f'not a video that can be read ({why})') from None


def check_size(width: int, height: int) -> None:
  """Raises BrokenFile for pictures larger than 8K, or without area."""
  if width * height > MAX_PIXELS:
    raise BrokenFile(f'{width} x {height} px are more than 8K', 'too large')
  if width < 0 or height < 0:
    raise BrokenFile(f'{width} x {height} px')


def is_new(shown: Shown) -> bool:
  """Whether the file brought a picture for this frame."""
  return shown.fresh > 0


def rate_of(fresh: np.ndarray) -> float:
  """Pictures a second that a stretch really has; `fresh` as in `Shown`, `(t,)`."""
  return float(np.minimum(fresh, 1).mean() * FPS)
