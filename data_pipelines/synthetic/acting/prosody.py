"""What heads and brows listen to: loudness, pitch, stresses, phrases, pauses."""

from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic.acting.curves import FPS, smooth
from data_pipelines.synthetic.speaking.phones import SILENCE, VOWELS
from data_pipelines.synthetic.speaking.speech import SAMPLE_RATE, Speech

SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
LOWEST, HIGHEST = 65.0, 480.0  # Hz, pitch that is looked for
_WINDOW = 1024  # samples, 64 ms: two periods of the lowest pitch
_PAUSE = 0.14  # seconds of silence that part phrases


class Stress(NamedTuple):
  """A stressed vowel: its middle in frames, strength 0..1."""

  frame: float
  strength: float


class Phrase(NamedTuple):
  """What is said in one go: first and last frame (fractional), and whether it asks.

  rise: semitones by which the pitch ends above its middle; large in questions.
  """

  start: float
  end: float
  rise: float
  asks: bool


class Prosody(NamedTuple):
  """Contours of `t` frames of 40 ms.

  energy: `(t,)` loudness in 0..1. f0: `(t,)` Hz, 0 where there is no voice. pitch:
  `(t,)` semitones above the speaker's median, carried through voiceless sounds and let
  go in pauses. silent: `(t,)` bool, no phone is spoken.
  """

  energy: np.ndarray
  f0: np.ndarray
  pitch: np.ndarray
  silent: np.ndarray
  stresses: tuple[Stress, ...]
  phrases: tuple[Phrase, ...]
  pauses: tuple[tuple[float, float], ...]  # first and last frame of silences


def energy_of(audio: np.ndarray, frames: int) -> np.ndarray:
  """`(t,)` loudness in 0..1: frames' root mean square over the clip's loud level."""
  padded = np.zeros(frames * SAMPLES_PER_FRAME)
  padded[: min(len(audio), len(padded))] = audio[: len(padded)]
  rms = np.sqrt(np.mean(padded.reshape(frames, -1) ** 2, axis=1))
  return np.clip(rms / max(np.percentile(rms, 95), 1e-4), 0.0, 1.0)


def f0_of(audio: np.ndarray, frames: int) -> np.ndarray:
  """`(t,)` pitch in Hz of each 40 ms frame, 0 where there is none.

  The first strong peak of the autocorrelation of a windowed frame, divided by that of
  the window (Boersma 1993), with the place of the peak refined by a parabola.
  """
  before = (_WINDOW - SAMPLES_PER_FRAME) // 2
  padded = np.zeros(frames * SAMPLES_PER_FRAME + _WINDOW)
  length = min(len(audio), frames * SAMPLES_PER_FRAME)
  padded[before : before + length] = audio[:length]
  at = np.arange(frames)[:, None] * SAMPLES_PER_FRAME + np.arange(_WINDOW)
  shots = padded[at]
  shots = shots - shots.mean(1, keepdims=True)
  window = np.hanning(_WINDOW)

  def correlate(x):
    return np.fft.irfft(np.abs(np.fft.rfft(x, 2 * _WINDOW)) ** 2)[..., : _WINDOW // 2]

  own = correlate(window)
  found = correlate(shots * window)
  power = found[:, :1].copy()
  found = found / np.maximum(power, 1e-12) / (own / own[0])
  low, high = int(SAMPLE_RATE / HIGHEST), int(SAMPLE_RATE / LOWEST)
  lags = np.arange(low, high + 1)
  inner = found[:, low : high + 1]
  peak = (inner >= found[:, low - 1 : high]) & (inner > found[:, low + 1 : high + 2])
  # of equal peaks the shortest period is meant: its multiples are peaks too
  score = np.where(peak, inner - 0.06 * np.log2(lags / low), -np.inf)
  best = score.argmax(1)
  rows = np.arange(frames)
  height = inner[rows, best]
  lag = lags[best]
  left, right = found[rows, lag - 1], found[rows, lag + 1]
  bend = np.minimum(left - 2 * height + right, -1e-9)
  exact = lag + np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
  loud = np.sqrt(power[:, 0]) > 0.12 * np.sqrt(np.percentile(power, 95))
  voiced = peak[rows, best] & (height > 0.5) & loud & (power[:, 0] > 1e-5)
  return np.where(voiced, SAMPLE_RATE / exact, 0.0)


def semitones(f0: np.ndarray) -> np.ndarray:
  """`(t,)` Hz to semitones above the median, 0 where there is no voice.

  Jumps of nearly an octave against the neighbours are errors of the estimate and are
  folded back.
  """
  voiced = np.flatnonzero(f0 > 0)
  out = np.zeros(len(f0))
  if not len(voiced):
    return out
  tones = 12.0 * np.log2(f0[voiced])
  centre = np.median(tones)
  tones = tones - centre
  tones = np.where(np.abs(tones) > 14.0, tones - 12.0 * np.sign(tones), tones)
  local = np.median(
    np.lib.stride_tricks.sliding_window_view(np.pad(tones, 2, mode='edge'), 5), axis=1
  )
  out[voiced] = np.where(np.abs(tones - local) > 6.0, local, tones)
  return out


def _carried(tones: np.ndarray, voiced: np.ndarray, silent: np.ndarray) -> np.ndarray:
  """Pitch through voiceless sounds, to zero in pauses, without corners."""
  if not voiced.any():
    return np.zeros(len(tones))
  at = np.arange(len(tones))
  full = np.interp(at, at[voiced], tones[voiced])
  return smooth(full * (1.0 - smooth(silent.astype(float), 2.0)), 1.2)


def listen(speech: Speech, frames: int) -> Prosody:
  """Prosody of a speech over `frames` frames."""
  energy = energy_of(speech.audio, frames)
  f0 = f0_of(speech.audio, frames)
  times = (np.arange(frames) + 0.5) / FPS
  silent = np.zeros(frames, bool)
  pauses, phrases, start = [], [], None
  tones = semitones(f0)
  for name, first, last in speech.phones:
    if name == SILENCE:
      silent |= (times >= first) & (times < last)
      if last - first >= _PAUSE:
        pauses.append((first * FPS, last * FPS))
        if start is not None:
          phrases.append((start * FPS, first * FPS))
          start = None
    elif start is None:
      start = first
  if start is not None:
    phrases.append((start * FPS, speech.phones[-1].end * FPS))
  pitch = _carried(tones, f0 > 0, silent)
  asked = speech.text.rstrip().endswith('?')
  told = []
  for i, (first, last) in enumerate(phrases):
    rise = _rise(tones, f0 > 0, first, last)
    told.append(Phrase(first, last, rise, rise > 3 or asked and i == len(phrases) - 1))
  return Prosody(
    energy, f0, pitch, silent, _stresses(speech, energy, pitch), tuple(told),
    tuple(pauses),
  )  # fmt: skip


def _rise(tones, voiced, first, last) -> float:
  """Semitones of a phrase's last quarter of a second above what went before."""
  edge = int(max(last - 6, first))
  tail = tones[edge : int(last) + 1][voiced[edge : int(last) + 1]]
  body = tones[int(first) : edge][voiced[int(first) : edge]]
  if len(tail) < 2 or len(body) < 4:
    return 0.0
  return float(tail[-3:].mean() - np.median(body))


def _stresses(speech, energy, pitch) -> tuple[Stress, ...]:
  """Long, loud and high vowels, a quarter of a second apart or more."""
  found: list[Stress] = []
  for name, start, end in speech.phones:
    if name not in VOWELS or name in ('ax', 'er') or end - start < 0.07:
      continue
    part = slice(int(start * FPS), int(end * FPS) + 1)
    loud = float(energy[part].max(initial=0.0))
    high = float(pitch[part].max(initial=-12.0))
    strength = (
      loud * min((end - start) / 0.16, 1.0) * np.clip(1 + 0.05 * high, 0.7, 1.2)
    )
    stress = Stress(0.5 * (start + end) * FPS, float(min(strength, 1.0)))
    if strength > 0.6 and (not found or stress.frame - found[-1].frame > 6):
      found.append(stress)
  return tuple(found)
