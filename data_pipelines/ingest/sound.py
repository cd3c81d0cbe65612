"""The sound of a file on the clock of its pictures: 16 kHz, mono, sample by sample.

Every decoded block lies where its time stamp says. Within a run of blocks the samples
are counted, because time stamps are rounded; where count and stamp drift apart by more
than half a picture, there is a gap (filled with silence) or an overlap (the later block
wins). So pictures and sound stay together however long the file is.
"""

import collections
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data_pipelines.ingest.timeline import BrokenFile, open_container
from data_pipelines.schema import FPS, SAMPLE_RATE

_DRIFT = 0.5 / FPS


class Sound:
  """Reads a file's sound forwards; memory for what has been asked for.

  The best track is taken: the default one, else the one with most channels.

  Args:
    path: of the file.
    zero: time in the file's clock that becomes sample 0, s.

  Attributes:
    there: whether a sample has been decoded (known after the first `read`).
    tracks: how many tracks the file has.
  """

  def __init__(self, path: str | Path, zero: float):
    self._zero = zero
    self._blocks: collections.deque[tuple[int, np.ndarray]] = collections.deque()
    self._end = -(1 << 62)
    self.there, self.tracks = False, 0
    self._source = self._decode(Path(path))

  def read(self, start: int, count: int) -> np.ndarray:
    """`(count,)` int16 from sample `start`; silence where there is nothing.

    What lies before `start` is forgotten: ask with rising `start`.
    """
    while self._end < start + count:
      block = next(self._source, None)
      if block is None:
        break
      self.there = True
      self._blocks.append(block)
      self._end = block[0] + len(block[1])
      self._forget(start)
    self._forget(start)
    out = np.zeros(count, np.int16)
    for at, samples in self._blocks:
      first, last = max(at, start), min(at + len(samples), start + count)
      if first < last:
        out[first - start : last - start] = samples[first - at : last - at]
    return out

  def _forget(self, start: int) -> None:
    while self._blocks and self._blocks[0][0] + len(self._blocks[0][1]) <= start:
      self._blocks.popleft()

  def _decode(self, path: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Yields (first sample, samples)."""
    import av

    with open_container(path) as container:
      self.tracks = len(container.streams.audio)
      stream = container.streams.best('audio')
      if stream is None or stream.codec_context is None:
        return
      stream.thread_type = 'NONE'
      anchor, counted, rate, kind, resampler, given = 0.0, 0, 0, None, None, 0
      for frame in itertools.chain(_frames(container, stream, av), [None]):
        stamp = None if frame is None or frame.time is None else float(frame.time)
        now = (frame.format.name, frame.layout.name, frame.rate) if frame else None
        there = anchor + counted / rate if rate else stamp or 0.0
        jump = stamp is not None and abs(stamp - there) > _DRIFT
        if resampler is not None and (now != kind or jump):
          rest = _samples(resampler.resample(None))
          if len(rest):
            yield round((anchor - self._zero) * SAMPLE_RATE) + given, rest
          resampler = None
        if frame is None:
          return
        if resampler is None:
          resampler = av.AudioResampler('s16', 'mono', SAMPLE_RATE)
          kind, rate, counted, given = now, frame.rate, 0, 0
          anchor = there if stamp is None else stamp
        counted += frame.samples
        frame.pts = None
        block = _samples(resampler.resample(frame))
        if len(block):
          yield round((anchor - self._zero) * SAMPLE_RATE) + given, block
        given += len(block)


def _frames(container, stream, av) -> Iterator:
  """Yields decoded blocks; packets that are damaged are left out."""
  damaged, packets = 0, container.demux(stream)
  while damaged < 1000:
    try:
      for frame in next(packets).decode():
        if frame.samples and frame.rate:
          yield frame
    except (StopIteration, av.error.EOFError):
      return
    except (av.error.FFmpegError, ValueError, OSError):
      damaged += 1


def _samples(frames) -> np.ndarray:
  parts = [frame.to_ndarray()[0] for frame in frames]
  return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def safe_sound(path: Path, zero: float) -> Sound | None:
  """The sound, or None where the file cannot be opened for it."""
  try:
    return Sound(path, zero)
  except BrokenFile:
    return None
