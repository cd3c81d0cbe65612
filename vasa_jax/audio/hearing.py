"""One interface to every audio front end: 16 kHz in, features at 25 Hz out.

    ear = hear('ear')  |  hear('log-mel')  |  hear('wav2vec2:FOLDER')  |  ...
    ear(samples)                (n,) -> (ceil(n / 640), ear.dim)
    ear.many([a, b, c])         a batch of unequal lengths
    ear.listen(chunks, gain)    the same of a recording that need not fit in memory
    ear.stream(gain, ahead=.2)  live: push(samples), then finish()

Frame i shows the instant 40 i ms, as a video frame does, whatever the ear. Log-mel
needs numpy alone; jax and a net are loaded when one is asked for.

A net looks both ways without bound, so its live form cannot equal the one that knows
the whole recording: every `chunk` of frames is heard once, with `before` seconds of
past and `ahead` seconds of future. `experiments/benchmarks/hearing.py` prints the
difference.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vasa_jax.audio import features
from vasa_jax.audio.features import SAMPLES_PER_FRAME, as_float, frames_for
from vasa_jax.errors import UsageError
from vasa_jax.types import FPS

if TYPE_CHECKING:
  from vasa_jax.audio.fronts import Front

# Of recordings too long for one piece: frames that are kept, and context on each side.
BODY, CONTEXT = 500, 125


class Listener(Protocol):
  """A recording that arrives piece by piece."""

  def push(self, samples: np.ndarray) -> np.ndarray:
    """Takes `(n,)` samples, returns the frames that are now complete, `(t, dim)`."""

  def finish(self) -> np.ndarray:
    """The last frames, with silence after the end, `(t, dim)`."""


class Ear(Protocol):
  """A front end.

  Attributes:
    dim: size of a feature.

  In all of them `gain` is a factor on the samples, from `features.Loudness`; None finds
  it in the recording.
  """

  dim: int

  def __call__(self, samples: np.ndarray, gain: float | None = None) -> np.ndarray:
    """Features of a whole recording, `(n,)` int16 or float to `(t, dim)` float32."""

  def many(self, recordings: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Features of several recordings, in one batch where that is faster."""

  def listen(
    self, chunks: Iterable[np.ndarray], gain: float = 1.0
  ) -> Iterator[np.ndarray]:
    """Features `(t_i, dim)` of chunks of samples, in constant memory, nothing live.

    The same as of the whole recording, up to its longest piece (30 s).
    """

  def stream(
    self, gain: float = 1.0, ahead: float = 0.2, before: float = 2.0, chunk: int = 5
  ) -> Listener:
    """Features while the recording goes on.

    Args:
      ahead: seconds of future that are waited for.
      before: seconds of past that are heard with every chunk.
      chunk: frames given out at a time.
    """


class LogMelEar:
  """`features.log_mel`: no weights, 27.5 ms of future, live and whole are one."""

  dim = features.FEATURE_DIM

  def __call__(self, samples: np.ndarray, gain: float | None = None) -> np.ndarray:
    samples = as_float(samples)
    return features.log_mel(samples, _gain(samples, gain))

  def many(self, recordings: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [self(one) for one in recordings]

  def listen(
    self, chunks: Iterable[np.ndarray], gain: float = 1.0
  ) -> Iterator[np.ndarray]:
    return features.stream_log_mel(chunks, gain)

  def stream(
    self, gain: float = 1.0, ahead: float = 0.2, before: float = 2.0, chunk: int = 5
  ) -> Listener:
    del ahead, before, chunk  # it needs no more than a frame's own reach
    return features.LogMelStream(gain)


class NetEar:
  """A pretrained net; see `fronts.py` for what it is given."""

  def __init__(self, front: 'Front'):
    self.front = front
    self.dim = front.dim

  def __call__(self, samples: np.ndarray, gain: float | None = None) -> np.ndarray:
    samples = as_float(samples)
    return self._join([samples], _gain(samples, gain))

  def many(self, recordings: Sequence[np.ndarray]) -> list[np.ndarray]:
    heard = [as_float(one) for one in recordings]
    heard = [one * np.float32(_gain(one, None)) for one in heard]
    counts = [frames_for(len(one)) for one in heard]
    short = [i for i, n in enumerate(counts) if 0 < n <= self.front.longest]
    pieces = [_piece(self.front, heard[i], 0, counts[i]) for i in short]
    made = dict(zip(short, self.front.hear(pieces) if pieces else [], strict=True))
    return [made[i] if i in made else self(one, 1.0) for i, one in enumerate(heard)]

  def listen(
    self, chunks: Iterable[np.ndarray], gain: float = 1.0
  ) -> Iterator[np.ndarray]:
    # Not more than one piece: nothing is given out until it is clear that more follows.
    longest = self.front.longest
    body = min(BODY, longest - 2 * CONTEXT) if longest > 3 * CONTEXT else longest // 3
    context = min(CONTEXT, (longest - body) // 2)
    stream = NetListener(self.front, gain, context, body, context, whole=longest)
    for chunk in chunks:
      # A caller may hand over an hour at once: work through it in pieces of 10 s.
      for start in range(0, len(chunk), 10 * features.SAMPLE_RATE):
        made = stream.push(chunk[start : start + 10 * features.SAMPLE_RATE])
        if len(made):
          yield made
    made = stream.finish()
    if len(made):
      yield made

  def stream(
    self, gain: float = 1.0, ahead: float = 0.2, before: float = 2.0, chunk: int = 5
  ) -> Listener:
    past, future = round(before * FPS), round(ahead * FPS)
    if min(past, future) < 0 or chunk < 1:
      raise UsageError('before and ahead must not be negative, chunk at least 1')
    if past + chunk + future > self.front.longest:
      raise UsageError(
        f'before, chunk and ahead are {past + chunk + future} frames together; this '
        f'net hears {self.front.longest} at once'
      )
    return NetListener(self.front, gain, past, chunk, future)

  def _join(self, chunks: Iterable[np.ndarray], gain: float) -> np.ndarray:
    parts = list(self.listen(chunks, gain))
    return np.concatenate([np.zeros((0, self.dim), np.float32), *parts])


class NetListener:
  """Hears a recording window by window: `past`, `body` frames to keep, `future`.

  Holds no more samples than one window and what was pushed last.

  Args:
    whole: nothing is given out before the recording is longer than this many frames;
      one that is not is heard in one piece at its end.
  """

  def __init__(
    self,
    front: 'Front',
    gain: float,
    past: int,
    body: int,
    future: int,
    whole: int = 0,
  ):
    self.front, self.gain = front, np.float32(gain)
    self.past, self.body, self.future, self.whole = past, body, future, whole
    self._held = np.zeros(0, np.float32)  # from frame `_start` on, after its lead
    self._start = 0
    self._samples = 0
    self._given = 0

  def push(self, samples: np.ndarray) -> np.ndarray:
    """Takes `(n,)` samples, returns the frames that are now complete, `(t, dim)`."""
    self._samples += len(samples)
    self._held = np.concatenate([self._held, as_float(samples) * self.gain])
    parts = []
    if self._samples > self.whole * SAMPLES_PER_FRAME:
      # A piece needs no sample beyond its last frame's end: see Front.
      while (
        self._given + self.body + self.future
      ) * SAMPLES_PER_FRAME <= self._samples:
        parts.append(self._give(self.body, self._given + self.body + self.future))
    return self._joined(parts)

  def finish(self) -> np.ndarray:
    """The last frames, with silence after the end, `(t, dim)`."""
    total = frames_for(self._samples)
    parts = []
    while self._given < total:
      rest = total - self._given
      alone = self._given == 0 and total <= self.whole
      count = rest if alone else min(self.body, rest)
      parts.append(self._give(count, min(total, self._given + count + self.future)))
    return self._joined(parts)

  def _give(self, count: int, end: int) -> np.ndarray:
    """The next `count` frames, heard in a piece that ends with frame `end`."""
    start = max(0, self._given - self.past)
    piece = _piece(self.front, self._held, start, end, self._start)
    (made,) = self.front.hear([piece], start)
    skip = self._given - start
    self._given += count
    # What the next window cannot reach is let go; one frame more covers every lead.
    keep = max(0, self._given - self.past - 1)
    if keep > self._start:
      self._held = self._held[(keep - self._start) * SAMPLES_PER_FRAME :]
      self._start = keep
    return made[skip : skip + count]

  def _joined(self, parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros((0, self.front.dim), np.float32), *parts])


def hear_live(ear: Ear, samples: np.ndarray, gain: float, **how) -> np.ndarray:
  """Features `(t, dim)` as `ear.stream(gain, **how)` makes them.

  What a generator that will be used live should be trained on.
  """
  listener = ear.stream(gain, **how)
  step = 10 * features.SAMPLE_RATE
  parts = [
    listener.push(samples[start : start + step])
    for start in range(0, len(samples), step)
  ]
  return np.concatenate([*parts, listener.finish()])


def _piece(
  front: 'Front', held: np.ndarray, start: int, end: int, first: int = 0
) -> np.ndarray:
  """Samples of frames [start, end) as `Front.hear` takes them.

  Args:
    held: samples from frame `first` on.
  """
  begin = (start - first) * SAMPLES_PER_FRAME - front.lead
  stop = begin + (end - start) * SAMPLES_PER_FRAME + front.rest
  inside = held[max(0, begin) : stop]
  left = max(0, -begin)
  return np.pad(inside, (left, stop - begin - left - len(inside)))


def _gain(samples: np.ndarray, gain: float | None) -> float:
  return features.loudness(samples).gain if gain is None else gain


def hear(
  spec: str = 'log-mel',
  layers: Sequence[int] = (-1,),
  interpolate: str = 'before',
) -> Ear:
  """The front end that a setting names.

  Args:
    spec: `log-mel`; `ear`, what the embedded weights hear with, or `ear:PATH`, that of
      other weights (`ear_file.py`); `wav2vec2:PATH`, `hubert:PATH`, `whisper:PATH` with
      the folder or file of a published checkpoint.
    layers: hidden states of a published net that make a feature, side by side; 0 is the
      transformer's input, -1 the last. The paper does not say which.
    interpolate: where wav2vec2 and hubert go from 50 to 25 Hz: 'before' the transformer
      or 'after' it; see `fronts.Wav2Vec2Front`. (Whisper's positions allow only after.)

  Raises:
    UsageError: there is no such front end or layer.
    UserError: the checkpoint cannot be read.
  """
  kind, _, path = spec.partition(':')
  if spec == 'log-mel':
    return LogMelEar()
  if kind == 'ear':
    from vasa_jax.audio.ear_file import EMBEDDED, load_ear
    from vasa_jax.audio.fronts import WhisperFront

    return NetEar(WhisperFront(load_ear(path or EMBEDDED)))
  if kind in ('wav2vec2', 'hubert') and path:
    from vasa_jax.audio.fronts import Wav2Vec2Front
    from vasa_jax.audio.wav2vec2_file import load_wav2vec2

    return NetEar(Wav2Vec2Front(load_wav2vec2(path), layers, interpolate))
  if kind == 'whisper' and path:
    from vasa_jax.audio.fronts import WhisperFront
    from vasa_jax.audio.whisper_file import load_whisper

    return NetEar(WhisperFront(load_whisper(path), layers))
  raise UsageError(
    f'no front end {spec!r}: say ear, log-mel, wav2vec2:PATH, hubert:PATH or '
    'whisper:PATH'
  )
