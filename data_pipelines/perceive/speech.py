"""How much of a sound is speech."""

import numpy as np

RATE = 16_000
_HOP = 320  # 20 ms
_WINDOW = 640  # 40 ms: three periods of the lowest voice
_PITCH = (70, 400)  # Hz
_VOICED = 0.55  # share of the energy that the best period explains
_FLOOR = 10 ** (-60 / 20)  # of full scale: below it nothing is heard
_RISE = 10 ** (8 / 20)  # over the quiet parts
_REACH = 6  # hops either side of a voiced one: consonants and short pauses, 120 ms


def speech_share(audio: np.ndarray) -> float:
  """Share of the time in which somebody speaks, 0 to 1.

  Speech is what has a pitch between 70 and 400 Hz and stands 8 dB over the quiet parts,
  with 120 ms around it. Noise and hum of constant level are refused; music with a
  melody is taken for a voice.

  Args:
    audio: `(n,)` int16, 16 kHz mono.
  """
  wave = np.asarray(audio, np.float32).ravel() / 32768
  if len(wave) < _WINDOW:
    return 0.0
  wave = wave - wave.mean()
  frames = np.lib.stride_tricks.sliding_window_view(wave, _WINDOW)[::_HOP]
  level = np.sqrt(np.square(frames).mean(1))
  quiet = np.percentile(level, 10)
  top = np.percentile(level, 95)
  # A clip without a pause has no quiet part: then its loud half counts.
  loud = level > max(_FLOOR, min(_RISE * quiet, 0.5 * top))
  voiced = loud & (_periodicity(frames) > _VOICED)
  # A hum has a pitch too, but no syllables, whose level moves by 6 dB at least.
  if voiced.any() and top < 2 * max(quiet, 1e-9) and _steady(level):
    return 0.0
  near = np.convolve(voiced, np.ones(2 * _REACH + 1), mode='same') > 0.5
  return float((near & (level > _FLOOR)).mean())


def _steady(level: np.ndarray) -> bool:
  return float(level.std() / max(level.mean(), 1e-9)) < 0.12


def _periodicity(frames: np.ndarray) -> np.ndarray:
  """`(n, 640)` windows to `(n,)` normalised autocorrelation at the best pitch."""
  size = 2 * _WINDOW
  spectrum = np.abs(np.fft.rfft(frames, size)) ** 2
  # Voices live below 1 kHz in this question; hiss above would hide them.
  spectrum[:, int(1000 * size / RATE) :] = 0
  auto = np.fft.irfft(spectrum, size)[:, :_WINDOW]
  lags = slice(RATE // _PITCH[1], RATE // _PITCH[0] + 1)
  # A window of n holds n - lag products: without this, low voices would lose.
  taper = 1 - np.arange(_WINDOW) / _WINDOW
  best = (auto[:, lags] / taper[lags]).max(1)
  return best / np.maximum(auto[:, 0], 1e-12)
