"""A small formant synthesiser in numpy: source (glottal pulses, noise) and filter.

Intelligibility is not its aim: it makes sound whose loudness, voicing and spectrum
follow the phones, with exact phone times, on a machine that has no speech program. The
vocal tract is a cascade of two-pole resonators whose response is evaluated on a
Fourier grid every 5 ms and applied by overlap-add (source-filter theory; classic
formant tables).
"""

import dataclasses
import functools

import numpy as np

from data_pipelines.synthetic.speaking.phones import SILENCE, Phone
from data_pipelines.synthetic.speaking.sentences import text_phones

_RATE = 16_000
_HOP = 80  # 5 ms
_WINDOW = 320
_FFT = 1024


@dataclasses.dataclass(frozen=True)
class Speaker:
  """A throat and its habits.

  Attributes:
    pitch: usual fundamental in Hz.
    scale: of the formants; a short tract has them higher.
    breath: share of breath in the voice, 0..0.4.
    shimmer: how uneven the pulses are, 0..0.2.
    tilt: pole of the glottis, 0.8 (bright) to 0.95 (dull).
    lively: factor on the melody of speech.
    pace: speed factor.
  """

  pitch: float
  scale: float
  breath: float = 0.0
  shimmer: float = 0.05
  tilt: float = 0.9
  lively: float = 1.0
  pace: float = 1.0


_NAMED = {
  'child': Speaker(260.0, 1.25),
  'man': Speaker(112.0, 1.0),
  'woman': Speaker(195.0, 1.14),
}
SPEAKERS = 60
VOICES = (*sorted(_NAMED), *(f's{number:02d}' for number in range(SPEAKERS)))


@functools.cache
def speaker(name: str) -> Speaker:
  """The speaker behind one of `VOICES`; odd numbers are women, every tenth a child."""
  if name in _NAMED:
    return _NAMED[name]
  number = int(name[1:])
  rng = np.random.default_rng((number, 83))
  kind = 'child' if number % 10 == 5 else ('man', 'woman')[number % 2]
  pitch, scale = {
    'child': (rng.uniform(235, 310), rng.uniform(1.2, 1.32)),
    'man': (rng.uniform(82, 150), rng.uniform(0.92, 1.06)),
    'woman': (rng.uniform(155, 245), rng.uniform(1.07, 1.2)),
  }[kind]
  return Speaker(
    pitch=float(pitch),
    scale=float(scale),
    breath=float(rng.uniform(0.0, 0.35)),
    shimmer=float(rng.uniform(0.02, 0.15)),
    tilt=float(rng.uniform(0.84, 0.94)),
    lively=float(rng.uniform(0.5, 1.8)),
    pace=float(rng.uniform(0.85, 1.15)),
  )


# phone: seconds, (F1, F2, F3) in Hz, voicing 0..1, noise 0..1, noise centre in Hz.
_V, _Z = 1.0, 0.0
_TABLE = {
  'aa': (.13, (730, 1090, 2440), _V, _Z, 0), 'ae': (.13, (660, 1720, 2410), _V, _Z, 0),
  'ah': (.09, (640, 1190, 2390), _V, _Z, 0), 'ao': (.13, (570, 840, 2410), _V, _Z, 0),
  'ax': (.06, (500, 1400, 2400), _V, _Z, 0), 'eh': (.10, (530, 1840, 2480), _V, _Z, 0),
  'er': (.12, (490, 1350, 1690), _V, _Z, 0), 'ih': (.08, (390, 1990, 2550), _V, _Z, 0),
  'iy': (.11, (270, 2290, 3010), _V, _Z, 0), 'uh': (.08, (440, 1020, 2240), _V, _Z, 0),
  'uw': (.11, (300, 870, 2240), _V, _Z, 0), 'aw': (.17, (730, 1090, 2440), _V, _Z, 0),
  'ay': (.17, (730, 1200, 2440), _V, _Z, 0), 'ey': (.14, (500, 1900, 2500), _V, _Z, 0),
  'ow': (.14, (540, 950, 2400), _V, _Z, 0), 'oy': (.18, (560, 850, 2400), _V, _Z, 0),
  'b': (.07, (250, 900, 2200), .25, .12, 700), 'p': (.09, (250, 900, 2200), 0, .3, 700),
  'd': (.06, (280, 1700, 2600), .25, .7, 3500),
  't': (.08, (280, 1700, 2600), 0, 1.8, 3800),
  'g': (.07, (280, 1900, 2300), .25, .2, 1800),
  'k': (.09, (280, 1900, 2300), 0, 1.2, 1900),
  'm': (.07, (270, 1000, 2200), .45, _Z, 0), 'n': (.06, (270, 1600, 2500), .45, _Z, 0),
  'ng': (.08, (270, 1900, 2400), .45, _Z, 0), 'l': (.07, (340, 1100, 2600), .6, _Z, 0),
  'r': (.07, (380, 1200, 1650), .65, _Z, 0), 'w': (.07, (300, 700, 2200), .6, _Z, 0),
  'y': (.06, (280, 2200, 2900), .6, _Z, 0),
  'hh': (.06, (500, 1500, 2500), 0, .25, 1600),
  'f': (.10, (340, 1100, 2300), 0, .22, 5500),
  'v': (.06, (300, 1100, 2300), .4, .1, 5000),
  'th': (.09, (340, 1400, 2500), 0, .2, 5800),
  'dh': (.05, (300, 1400, 2500), .45, .06, 5000),
  's': (.11, (320, 1600, 2600), 0, 6.0, 6200),
  'z': (.08, (300, 1600, 2600), .4, 2.5, 6000),
  'sh': (.11, (320, 1800, 2500), 0, 4.5, 3200),
  'zh': (.08, (300, 1800, 2500), .4, 2.2, 3200),
  'ch': (.11, (320, 1800, 2500), 0, 3.6, 3300),
  'jh': (.09, (300, 1800, 2500), .3, 2.2, 3200),
  SILENCE: (.16, (500, 1500, 2500), 0, _Z, 0),
}  # fmt: skip
# What a diphthong ends as.
_GLIDES = {'aw': 'uw', 'ay': 'ih', 'ey': 'iy', 'ow': 'uw', 'oy': 'ih'}
_STOPS = ('b', 'p', 'd', 't', 'g', 'k', 'ch', 'jh')


def synthesize(
  text: str, voice: str, tempo: float, lift: float, rng: np.random.Generator
) -> tuple[np.ndarray, list[Phone]]:
  """Says a text.

  Args:
    text: English.
    voice: one of `VOICES`.
    tempo: speed factor, 1 = usual.
    lift: pitch factor, 1 = usual.
    rng: lengths, intonation and noise.

  Returns:
    `(samples,)` float64 sound at 16 kHz of any loudness, and the phones with times.
  """
  who = speaker(voice)
  phones = _timed(text_phones(text), tempo * who.pace, rng)
  hops = int(round(phones[-1].end * _RATE / _HOP))
  contour = _intonation(phones, hops, who.pitch * lift, who.lively, rng)
  return sound(phones, contour, who, rng), phones


def sound(
  phones: list[Phone], contour: np.ndarray, who: Speaker, rng: np.random.Generator
) -> np.ndarray:
  """`(samples,)` float64: phones on a given melody.

  Args:
    phones: in order, without gaps from 0, their ends on whole hops of 5 ms.
    contour: `(hops,)` fundamental in Hz.
    who: the throat.
    rng: unevenness and noise.
  """
  formants, voicing, noise, centre = _tracks(phones, len(contour))
  phase = np.cumsum(np.repeat(contour / _RATE, _HOP))
  pulses = np.diff(np.floor(phase), prepend=0.0) * (
    1.0 + who.shimmer * rng.standard_normal(len(phase))
  )
  hiss = rng.standard_normal(len(phase)) * 0.5
  # breath is noise through the same throat; it is loudest while the glottis is open
  source = pulses * 20.0 + hiss * who.breath * 2.0 * (0.4 + 0.6 * (phase % 1.0))
  audio = _filter(source, voicing, _cascade(formants * who.scale, who.tilt))
  return audio + _filter(hiss, noise, _band(centre))


def _timed(words, tempo, rng) -> list[Phone]:
  """Phones with times: table lengths, longer at the end of a phrase, pauses around."""
  phones = [Phone(SILENCE, 0.0, float(rng.uniform(0.1, 0.25)))]
  for w, word in enumerate(words):
    last = w + 1 == len(words) or words[w + 1] == (SILENCE,)
    for name in word:
      length = (
        _TABLE[name][0] / tempo * rng.uniform(0.85, 1.2) * (1.25 if last else 1.0)
      )
      start = phones[-1].end
      phones.append(Phone(name, start, start + float(length)))
  end = phones[-1].end
  phones.append(Phone(SILENCE, end, end + float(rng.uniform(0.15, 0.3))))
  # whole hops, so that sound and times agree to the sample
  edges = (
    np.round(np.array([0.0, *(p.end for p in phones)]) * _RATE / _HOP) * _HOP / _RATE
  )
  edges = edges.tolist()
  return [Phone(p.name, edges[i], edges[i + 1]) for i, p in enumerate(phones)]


def _tracks(phones, hops):
  """Per hop: `(t, 3)` formants, voicing, noise level, noise centre."""
  formants = np.zeros((hops, 3))
  voicing, noise, centre = np.zeros(hops), np.zeros(hops), np.full(hops, 3000.0)
  for name, start, end in phones:
    a, b = (int(round(x * _RATE / _HOP)) for x in (start, end))
    _, values, voice, hiss, middle = _TABLE[name]
    goal = _TABLE[_GLIDES[name]][1] if name in _GLIDES else values
    along = np.linspace(0, 1, max(b - a, 1))[: b - a, None]
    formants[a:b] = np.array(values) * (1 - along) + np.array(goal) * along
    voicing[a:b] = voice
    noise[a:b] = hiss
    if name in _STOPS:  # closure first, burst in the last third
      burst = a + (2 * (b - a)) // 3
      noise[a:burst] = 0.0
      voicing[a:burst] *= 0.3
    if middle:
      centre[a:b] = middle
  kernel = np.hanning(9) / np.hanning(9).sum()
  padded = np.pad(formants, ((4, 4), (0, 0)), 'edge')
  formants = np.stack([np.convolve(padded[:, i], kernel, 'valid') for i in range(3)], 1)
  soft = np.hanning(5) / np.hanning(5).sum()
  voicing, noise = (np.convolve(x, soft, 'same') for x in (voicing, noise))
  return formants, voicing, noise, centre


def _intonation(phones, hops, pitch, lively, rng):
  """`(hops,)` fundamental in Hz: falls over the sentence, rises on long vowels."""
  along = np.linspace(0, 1, hops)
  contour = pitch * (1 + lively * (0.12 - 0.27 * along))
  time = np.arange(hops) * _HOP / _RATE
  for name, start, end in phones:
    if name in ('aa', 'ae', 'ao', 'ay', 'aw', 'ey', 'ow', 'iy', 'uw', 'oy'):
      lift = lively * rng.uniform(0.0, 0.18)
      contour = contour * (
        1 + lift * np.exp(-0.5 * ((time - (start + end) / 2) / 0.07) ** 2)
      )
  return contour


def _cascade(formants: np.ndarray, tilt: float) -> np.ndarray:
  """`(hops, 513)` response of resonators at the formants, with a voice's tilt."""
  z = np.exp(-2j * np.pi * np.arange(_FFT // 2 + 1) / _FFT)[None]
  response = (
    (1.0 - tilt) * 10.0 / (1.0 - tilt * z)
  )  # glottal tilt, lip radiation included
  centres = [
    *formants.T,
    np.full(len(formants), 3600.0),
    np.full(len(formants), 4600.0),
  ]
  for centre, width in zip(centres, (70.0, 90.0, 130.0, 250.0, 350.0), strict=True):
    radius = np.exp(-np.pi * width / _RATE)
    angle = 2 * np.pi * np.asarray(centre)[:, None] / _RATE
    a1, a2 = -2 * radius * np.cos(angle), radius**2
    response = response * (1 + a1 + a2) / (1 + a1 * z + a2 * z * z)
  return response


def _band(centre: np.ndarray) -> np.ndarray:
  """`(hops, 513)` real band of noise around a centre, a third of it wide."""
  frequency = np.arange(_FFT // 2 + 1)[None] * _RATE / _FFT
  return np.exp(-0.5 * ((frequency - centre[:, None]) / (centre[:, None] * 0.3)) ** 2)


def _filter(source: np.ndarray, level: np.ndarray, response: np.ndarray) -> np.ndarray:
  """Overlap-add of windowed source, times its level, times the response of its hop."""
  hops = len(level)
  padded = np.pad(source, (_WINDOW // 2, _WINDOW))
  at = np.arange(hops)[:, None] * _HOP + np.arange(_WINDOW)[None] + _HOP // 2
  window = np.hanning(_WINDOW + 1)[:-1] * (2.0 * _HOP / _WINDOW)
  spectrum = np.fft.rfft(padded[at] * window * level[:, None], _FFT)
  pieces = np.fft.irfft(spectrum * response, _FFT)
  out = np.zeros(hops * _HOP + _FFT + _WINDOW)
  for piece, start in zip(pieces, at[:, 0], strict=True):
    out[start : start + _FFT] += piece
  return out[_WINDOW // 2 : _WINDOW // 2 + hops * _HOP]
