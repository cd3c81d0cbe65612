"""Sound from any audio or video file, as a stream.

A file is read twice: `AudioFile.survey` measures its length, loudness and digest, then
`AudioFile.chunks` gives the samples. Neither holds more than a chunk, so an hour of
speech needs as much memory as a second.
"""

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vasa_jax.audio.features import SAMPLE_RATE, SAMPLES_PER_FRAME, Loudness
from vasa_jax.errors import UserError

CHUNK_SECONDS = 2.0


class Survey(NamedTuple):
  """What the first pass over a file found.

  Attributes:
    samples: length at 16 kHz.
    gain: factor that brings the speech to the level the features expect.
    level: of the speech, dB below full scale; None if the file is silent.
    channels: of the source.
    rate: of the source, Hz.
    sha256: of the file's bytes.
  """

  samples: int
  gain: float
  level: float | None
  channels: int
  rate: int
  sha256: str

  @property
  def seconds(self) -> float:
    return self.samples / SAMPLE_RATE

  @property
  def frames(self) -> int:
    """Video frames at 25 Hz that cover the sound."""
    return math.ceil(self.samples / SAMPLES_PER_FRAME)


class AudioFile:
  """The first sound track of a file, decoded by FFmpeg (PyAV).

  Args:
    path: any audio or video file.

  Raises:
    UserError: no such file, not a media file, or no sound in it.
  """

  def __init__(self, path: str | Path):
    self.path = Path(path)
    with self._open() as container:
      stream = container.streams.audio[0]
      self.rate = stream.rate or SAMPLE_RATE
      self.channels = stream.codec_context.channels or 1

  def survey(self, allow_silence: bool = False) -> Survey:
    """Reads the whole file once.

    Args:
      allow_silence: a file with nothing above -70 dB is an error otherwise: a portrait
        that does not speak is rarely what was wanted.

    Raises:
      UserError: no sample in it, silent, or damaged from the start.
    """
    loudness, samples = Loudness(), 0
    for chunk in self.chunks():
      loudness.push(chunk[:, 0])
      samples += len(chunk)
    if samples == 0:
      raise UserError(f'{self.path}: the sound is 0 seconds long')
    if loudness.level is None and not allow_silence:
      raise UserError(
        f'{self.path}: the sound is silent; give a recording of speech, '
        'or --allow-silence for a face that only looks and blinks'
      )
    sha256 = digest(self.path)
    return Survey(
      samples, loudness.gain, loudness.level, self.channels, self.rate, sha256
    )

  def chunks(
    self,
    rate: int = SAMPLE_RATE,
    channels: int = 1,
    seconds: float = CHUNK_SECONDS,
  ) -> Iterator[np.ndarray]:
    """Yields `(n, channels)` float32 in [-1, 1]; n is constant but for the last chunk.

    Args:
      rate: Hz wanted.
      channels: 1 (mixed down) or 2.
      seconds: length of a chunk.
    """
    import av

    size = round(rate * seconds)
    layout = 'mono' if channels == 1 else 'stereo'
    held: list[np.ndarray] = []
    count = 0
    with self._open() as container:
      resampler = av.AudioResampler(format='fltp', layout=layout, rate=rate)
      for frame in self._frames(container):
        for part in resampler.resample(frame):
          block = part.to_ndarray().T
          held.append(np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0))
          count += len(block)
        if count >= size:
          whole = np.concatenate(held)
          while len(whole) >= size:
            yield np.ascontiguousarray(whole[:size])
            whole = whole[size:]
          # A copy, or the tail would keep the whole block alive.
          held, count = [whole.copy()], len(whole)
    if count:
      yield np.concatenate(held)

  def _frames(self, container):
    """Yields decoded frames, then None to flush the resampler.

    A damaged packet in the middle is skipped, as players do.
    """
    import av

    stream = container.streams.audio[0]
    stream.thread_type = 'SLICE'
    decoded = False
    try:
      for packet in container.demux(stream):
        try:
          frames = packet.decode()
        except av.error.InvalidDataError:
          continue
        for frame in frames:
          if frame.samples:
            decoded = True
            frame.pts = None  # Gaps in the time stamps are not filled.
            yield frame
    except av.error.FFmpegError as error:
      raise UserError(f'{self.path}: the sound cannot be decoded ({error})') from None
    if decoded:
      yield None

  def _open(self):
    import av

    try:
      container = av.open(str(self.path))
    except FileNotFoundError:
      raise UserError(f'{self.path}: no such file') from None
    except (av.error.FFmpegError, OSError, ValueError) as error:
      if self.path.is_file() and self.path.stat().st_size == 0:
        raise UserError(f'{self.path}: the file is empty') from None
      reason = getattr(error, 'strerror', None) or str(error)
      raise UserError(
        f'{self.path}: not a sound file that can be read ({reason}); '
        'give a WAV, MP3, FLAC, OGG, M4A or a video with sound'
      ) from None
    if not container.streams.audio:
      container.close()
      raise UserError(f'{self.path}: no sound in it; give a recording of speech')
    return container


def digest(path: str | Path) -> str:
  """Returns the sha256 of a file's bytes, in hex."""
  with open(path, 'rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()
