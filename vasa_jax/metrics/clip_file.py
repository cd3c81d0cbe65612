"""Reads a finished video, of any system, as the metrics want it: 25 fps and 16 kHz."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.types import FPS, SAMPLE_RATE


def read_frames(path: Path) -> Iterator[np.ndarray]:
  """Yields `(h, w, 3)` uint8 RGB pictures at 25 fps, whatever the file's own rate.

  A picture is held or left out where the file is slower or faster, as a player would.

  Raises:
    UserError: no video in it, or it cannot be decoded.
  """
  import av

  try:
    with av.open(str(path)) as container:
      if not container.streams.video:
        raise UserError(f'{path} holds no pictures')
      stream = container.streams.video[0]
      # Not by frames: a thread that still decodes when a caller stops early may want to
      # log, for which it needs the interpreter, which waits for that thread.
      stream.thread_type = 'SLICE'
      start, shown, last, end = None, 0, None, 0.0
      for frame in container.decode(stream):
        start = frame.time if start is None else start
        now = frame.time - start
        while last is not None and shown / FPS < now - 1e-4:
          yield last
          shown += 1
        last = frame.to_ndarray(format='rgb24')
        end = now + 1 / float(stream.average_rate or FPS)
      while last is not None and shown / FPS < end - 1e-4:
        yield last
        shown += 1
  except (av.FFmpegError, OSError) as error:
    raise UserError(
      f'cannot read the video {path}: {error.strerror or error}'
    ) from error
  if shown == 0:
    raise UserError(f'{path} holds no pictures')


def read_sound(path: Path) -> np.ndarray | None:
  """The sound as `(n,)` float32 mono 16 kHz, sample 0 at the first picture's time.

  Returns:
    None if the file has no sound.

  Raises:
    UserError: it cannot be decoded.
  """
  import av

  try:
    with av.open(str(path)) as container:
      if not container.streams.audio:
        return None
      resampler = av.AudioResampler(format='flt', layout='mono', rate=SAMPLE_RATE)
      parts, start = [], None
      for frame in container.decode(audio=0):
        start = frame.time if start is None else start
        parts += [part.to_ndarray()[0] for part in resampler.resample(frame)]
      parts += [part.to_ndarray()[0] for part in resampler.resample(None)]
      shift = (start or 0.0) - _first_picture(container)
  except (av.FFmpegError, OSError) as error:
    raise UserError(
      f'cannot read the sound of {path}: {error.strerror or error}'
    ) from error
  sound = np.concatenate(parts) if parts else np.zeros(0, np.float32)
  late = round(shift * SAMPLE_RATE)
  return np.pad(sound, (late, 0)) if late > 0 else sound[-late:]


def _first_picture(container) -> float:
  """Time of the first picture in seconds; 0 without one."""
  streams = container.streams.video
  if not streams or streams[0].start_time is None:
    return 0.0
  return float(streams[0].start_time * streams[0].time_base)
