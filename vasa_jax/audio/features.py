"""Speech as the motion model hears it: log-mel frames in step with the video.

The paper takes features of a pretrained Wav2Vec2 (VASA-1 section 3.2); the small
presets take log-mel energies, which need no weights. Both are `(t, a)` at 25 Hz from 16
kHz mono, so either can stand in front of the same transformer.

Alignment. Video frame `i` shows the instant `40 i` ms. Its feature stacks four hops of
10 ms whose 25 ms windows are centred on `40 i - 15, -5, +5, +15` ms, so the stack is
centred on the instant itself and reaches 27.5 ms to either side:

    hop j = 4 i + k    centre 160 j - 240    window [160 j - 440, 160 j - 40) samples

Outside of the recording there is silence. A recording of `n` samples has
`ceil(n / 640)` frames.

Only numpy is needed, so that data workers can use this file; `log_mel` also runs inside
`jax.jit` when it is given `jax.numpy`.
"""

import dataclasses
import functools
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = 640
HOP = 160
HOPS = SAMPLES_PER_FRAME // HOP
WINDOW = 400
FFT = 512
BANDS = 80
FEATURE_DIM = HOPS * BANDS
LEAD = 440  # samples that frame 0 reaches back before sample 0
REACH = (HOPS - 1) * HOP + WINDOW  # samples that one frame covers: 880

FLOOR_DB = -80.0
TARGET_DB = -23.0
GATE_DB = -70.0  # blocks below this are silence, whatever the rest of the file does
RELATIVE_GATE_DB = 15.0  # pauses: this far below the mean of what passed the first gate
MAX_GAIN_DB = 40.0


@functools.cache
def mel_filters() -> np.ndarray:
  """Triangles on the mel scale up to 8 kHz, `(FFT // 2 + 1, BANDS)`, each of sum 1."""
  mel = np.linspace(0.0, 2595.0 * np.log10(1 + 8000 / 700), BANDS + 2)
  edges = 700.0 * (10 ** (mel / 2595.0) - 1)
  bins = np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT
  low, mid, high = edges[:-2], edges[1:-1], edges[2:]
  up = (bins[:, None] - low) / (mid - low)
  down = (high - bins[:, None]) / (high - mid)
  filters = np.maximum(0.0, np.minimum(up, down))
  # The lowest triangles are narrower than one bin and may catch none at all: give them
  # the nearest bin, or they would stay at the floor for every sound.
  nearest = np.argmin(np.abs(bins[:, None] - mid), axis=0)
  empty = filters.sum(axis=0) < 1e-3
  filters[nearest[empty], np.flatnonzero(empty)] = 1.0
  return (filters / filters.sum(axis=0)).astype(np.float32)


@functools.cache
def _taper() -> np.ndarray:
  # Scaled so that a full-scale sine has power 1 (0 dB) in its bin.
  taper = np.hanning(WINDOW + 1)[:WINDOW]
  return (taper / (0.5 * taper.sum())).astype(np.float32)


def as_float(samples: np.ndarray) -> np.ndarray:
  """int16 or float mono samples to float32 in [-1, 1]."""
  if samples.dtype == np.int16:
    return samples.astype(np.float32) / 32768.0
  return np.asarray(samples, np.float32)


def frames_for(samples: int) -> int:
  """How many video frames a recording of so many samples lasts."""
  return -(-samples // SAMPLES_PER_FRAME)


def _mel_frames(padded: Any, count: int, xp: ModuleType) -> Any:
  """`count` frames from samples that begin `LEAD` before the first frame's instant."""
  starts = np.arange(count * HOPS) * HOP
  index = starts[:, None] + np.arange(WINDOW)
  spectrum = xp.fft.rfft(padded[index] * _taper(), n=FFT, axis=-1)
  power = spectrum.real**2 + spectrum.imag**2
  bands = xp.matmul(power.astype(np.float32), mel_filters())
  floor = 10.0 ** (FLOOR_DB / 10)
  level = 10.0 * xp.log10(xp.maximum(bands, floor))
  # `where`, so that silence is exactly -2 and not a rounding error beside it.
  scaled = xp.where(bands > floor, (level - FLOOR_DB) / (-FLOOR_DB / 4) - 2.0, -2.0)
  return scaled.reshape(count, FEATURE_DIM).astype(np.float32)


def log_mel(samples: Any, gain: float = 1.0, xp: ModuleType = np) -> Any:
  """Log-mel features of a whole recording.

  Args:
    samples: `(n,)` float32 in [-1, 1], 16 kHz mono (see `as_float`).
    gain: factor on the samples, from `Loudness`.
    xp: `numpy`, or `jax.numpy` inside a traced function.

  Returns:
    `(ceil(n / 640), 320)` float32: four hops of 80 bands. -2 is the floor (-80 dB, what
    silence gives), 2 is a full-scale sine.
  """
  count = frames_for(samples.shape[0])
  after = count * SAMPLES_PER_FRAME + REACH - LEAD - samples.shape[0]
  return _mel_frames(xp.pad(samples, (LEAD, after)) * gain, count, xp)


class LogMelStream:
  """The same features from a recording that arrives in chunks of any length.

  Holds no more than one frame's reach of samples, whatever the length of the recording.
  A frame is given out as soon as its last sample (27.5 ms after its instant) is in.
  """

  def __init__(self, gain: float = 1.0):
    self.gain = gain
    self._held = np.zeros(LEAD, np.float32)
    self._samples = 0
    self._given = 0

  def push(self, samples: np.ndarray) -> np.ndarray:
    """Takes `(n,)` samples, returns the frames that are now complete, `(t, 320)`."""
    self._samples += len(samples)
    self._held = np.concatenate([self._held, as_float(samples)])
    ready = max(0, (len(self._held) - REACH) // SAMPLES_PER_FRAME + 1)
    return self._give(ready)

  def finish(self) -> np.ndarray:
    """The last frames, with silence after the end, `(t, 320)`."""
    rest = frames_for(self._samples) - self._given
    self._held = np.pad(self._held, (0, REACH))
    return self._give(rest)

  def _give(self, count: int) -> np.ndarray:
    self._given += count
    frames = _mel_frames(self._held * np.float32(self.gain), count, np)
    self._held = self._held[count * SAMPLES_PER_FRAME :]
    return frames


def stream_log_mel(
  chunks: Iterable[np.ndarray], gain: float = 1.0
) -> Iterator[np.ndarray]:
  """Features `(t_i, 320)` of chunks of samples, in constant memory."""
  stream = LogMelStream(gain)
  for chunk in chunks:
    # A caller may hand over an hour at once: work through it in pieces of 10 s.
    for start in range(0, len(chunk), 10 * SAMPLE_RATE):
      frames = stream.push(chunk[start : start + 10 * SAMPLE_RATE])
      if len(frames):
        yield frames
  frames = stream.finish()
  if len(frames):
    yield frames


@dataclasses.dataclass
class Loudness:
  """First pass over a recording: the level of its speech, pauses left out.

  The levels of 40 ms blocks are counted in half-decibel steps, so an hour needs as much
  memory as a second. As in ITU-R BS.1770, blocks must pass an absolute gate, then one
  that is relative to the mean of those that passed.
  """

  counts: np.ndarray = dataclasses.field(
    default_factory=lambda: np.zeros(241, np.int64)  # -120 .. 0 dB
  )
  power: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(241))
  _rest: np.ndarray = dataclasses.field(
    default_factory=lambda: np.zeros(0, np.float32), repr=False
  )

  def push(self, samples: np.ndarray) -> 'Loudness':
    """Counts `(n,)` samples; returns itself."""
    held = np.concatenate([self._rest, as_float(samples)])
    blocks = len(held) // SAMPLES_PER_FRAME
    body = held[: blocks * SAMPLES_PER_FRAME].reshape(blocks, SAMPLES_PER_FRAME)
    self._rest = held[blocks * SAMPLES_PER_FRAME :]
    power = np.mean(np.square(body, dtype=np.float64), axis=1)
    level = 10.0 * np.log10(np.maximum(power, 1e-12))
    step = np.clip(np.rint(2.0 * level).astype(int) + 240, 0, 240)
    np.add.at(self.counts, step, 1)
    np.add.at(self.power, step, power)
    return self

  @property
  def level(self) -> float | None:
    """RMS of the speech in dB below full scale; None where all is silence."""
    levels = np.arange(241) / 2.0 - 120.0

    def mean_above(gate: float) -> float | None:
      loud = levels >= gate
      if not self.counts[loud].any():
        return None
      return float(10.0 * np.log10(self.power[loud].sum() / self.counts[loud].sum()))

    first = mean_above(GATE_DB)
    return None if first is None else mean_above(max(GATE_DB, first - RELATIVE_GATE_DB))

  @property
  def gain(self) -> float:
    """Factor that brings the speech to -23 dB; 1 for silence, which stays silence."""
    if self.level is None:
      return 1.0
    return 10 ** (min(TARGET_DB - self.level, MAX_GAIN_DB) / 20)


def loudness(samples: np.ndarray) -> Loudness:
  """`Loudness` of a recording that is in memory."""
  return Loudness().push(samples)


# Features in memory are stored bytes times the first plus the second.
BYTE_SCALE = (4 / 255, -2.0)


def to_bytes(features: np.ndarray) -> np.ndarray:
  """Features to uint8 for storage (steps of 0.31 dB)."""
  return np.clip(np.rint((features + 2.0) * (255 / 4)), 0, 255).astype(np.uint8)


def from_bytes(stored: np.ndarray) -> np.ndarray:
  """What `to_bytes` stored, float32, within half a step."""
  scale, offset = BYTE_SCALE
  return stored.astype(np.float32) * np.float32(scale) + np.float32(offset)
