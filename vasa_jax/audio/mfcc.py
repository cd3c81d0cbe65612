"""MFCCs as the package `python_speech_features` makes them by default.

SyncNet was trained on these: 13 values every 10 ms, from 26 mel bands of 25 ms windows
without a taper, liftered, the first replaced by the log energy. Its numbers were made
from 16-bit samples, so the scale of the samples matters.
"""

import functools

import numpy as np

CEPSTRA = 13
STEP, WINDOW, FFT = 160, 400, 512  # samples of 16 kHz
_RATE, _BANDS, _LIFTER, _EMPHASIS = 16_000, 26, 22, 0.97
_TINY = np.finfo(float).eps


def mfcc(samples: np.ndarray) -> np.ndarray:
  """Cepstra of a recording.

  Args:
    samples: `(n,)` 16 kHz mono; int16, or float in [-1, 1], which is brought to the
      range of 16 bit.

  Returns:
    `(steps, 13)` float64; steps is 1 up to 400 samples, else 1 + ceil((n - 400) / 160):
    the last window is filled up with zeros.
  """
  samples = np.asarray(samples)
  if samples.dtype.kind == 'f':
    samples = np.clip(np.rint(samples * 32768.0), -32768, 32767)
  x = samples.astype(np.float64)
  x = np.concatenate([x[:1], x[1:] - _EMPHASIS * x[:-1]])
  steps = 1 + max(0, -(-(len(x) - WINDOW) // STEP))
  x = np.pad(x, (0, (steps - 1) * STEP + WINDOW - len(x)))
  windows = x[np.arange(steps)[:, None] * STEP + np.arange(WINDOW)]
  power = np.square(np.abs(np.fft.rfft(windows, FFT))) / FFT
  energy = power.sum(1)
  bands = power @ _filters().T
  logs = np.log(np.where(bands == 0, _TINY, bands))
  cepstra = logs @ _cosines().T * _lift()
  cepstra[:, 0] = np.log(np.where(energy == 0, _TINY, energy))
  return cepstra


@functools.cache
def _filters() -> np.ndarray:
  """`(26, 257)` triangles between whole bins of the spectrum, equal steps in mel."""
  mel = np.linspace(0.0, 2595 * np.log10(1 + _RATE / 2 / 700), _BANDS + 2)
  edges = np.floor((FFT + 1) * 700 * (10 ** (mel / 2595) - 1) / _RATE)
  bins = np.arange(FFT // 2 + 1)
  low, middle, high = (e[:, None] for e in (edges[:-2], edges[1:-1], edges[2:]))
  rising = (bins >= low) & (bins < middle)
  falling = (bins >= middle) & (bins < high)
  up = (bins - low) / np.maximum(middle - low, 1)
  down = (high - bins) / np.maximum(high - middle, 1)
  return np.where(rising, up, np.where(falling, down, 0.0))


@functools.cache
def _cosines() -> np.ndarray:
  """`(13, 26)` the orthonormal DCT-II."""
  k, n = np.arange(CEPSTRA)[:, None], np.arange(_BANDS)
  rows = np.cos(np.pi * k * (2 * n + 1) / (2 * _BANDS)) * np.sqrt(2 / _BANDS)
  rows[0] /= np.sqrt(2)
  return rows


@functools.cache
def _lift() -> np.ndarray:
  return 1 + _LIFTER / 2 * np.sin(np.pi * np.arange(CEPSTRA) / _LIFTER)
