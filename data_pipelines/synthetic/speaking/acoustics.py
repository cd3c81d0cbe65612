"""Rooms, microphones, lines and noise: what happens to a voice before it is recorded.

The direct sound arrives undelayed, so that phone times stay true. Rooms are shoe boxes
computed with image sources (Allen and Berkley, 1979) for the first reflections, and
noise that dies away exponentially for the late ones.
"""

import dataclasses
import functools
import math

import numpy as np

from data_pipelines.synthetic.speaking import formant
from data_pipelines.synthetic.speaking.phones import Phone
from data_pipelines.synthetic.speaking.speech import SAMPLE_RATE, Speech

_SPEED = 343.0  # of sound, m/s
_REFLECTIONS = 3  # images along each axis on each side
NOISES = ('none', 'white', 'pink', 'brown', 'hum', 'babble')


@dataclasses.dataclass(frozen=True)
class Room:
  """Place and equipment of a recording; drawn by `sample_room`.

  Attributes:
    response: `(taps,)` impulse response, its first tap is the direct sound, 1.
    tilt: dB an octave around 1 kHz.
    low: Hz below which the microphone hears little.
    high: Hz above which nothing passes (3400 = telephone).
    noise: one of `NOISES`.
    noise_db: of the noise against the voice, dB; the voice is 0.
    drive: how far loud parts are pressed together, 0 (not at all) to 3.
    bits: of the logarithmic quantiser (8 = telephone), 16 = none.
    level: peak of the result, 0..1.
  """

  response: np.ndarray
  tilt: float = 0.0
  low: float = 20.0
  high: float = 8000.0
  noise: str = 'none'
  noise_db: float = -60.0
  drive: float = 0.0
  bits: int = 16
  level: float = 0.6


def shoebox(
  size: np.ndarray, mouth: np.ndarray, ear: np.ndarray, absorb: float
) -> np.ndarray:
  """`(taps,)` first reflections of a box-shaped room, relative to the direct sound.

  Args:
    size: `(3,)` metres.
    mouth: `(3,)` metres from one corner.
    ear: `(3,)` likewise.
    absorb: share of energy that a wall swallows, 0..1.
  """
  n = np.arange(-_REFLECTIONS, _REFLECTIONS + 1)
  axes = []  # of each axis: where the images are, how often they met a wall
  for side, at in zip(size, mouth, strict=True):
    places = np.concatenate([2 * n * side + at, 2 * n * side - at])
    axes.append((places, np.concatenate([abs(2 * n), abs(2 * n - 1)])))
  grid = np.meshgrid(*(places for places, _ in axes), indexing='ij')
  walls = sum(np.meshgrid(*(count for _, count in axes), indexing='ij'))
  distance = np.sqrt(sum((g - e) ** 2 for g, e in zip(grid, ear, strict=True)))
  direct = float(np.linalg.norm(mouth - ear))
  delay = np.round((distance - direct) / _SPEED * SAMPLE_RATE).astype(int)
  strength = math.sqrt(1.0 - absorb) ** walls * direct / np.maximum(distance, 0.1)
  taps = np.zeros(int(delay.max()) + 1)
  np.add.at(taps, delay.ravel(), strength.ravel())
  taps[0] = 1.0
  return taps


def _response(rng: np.random.Generator) -> np.ndarray:
  """Of a room between a recording booth and a hall."""
  size = rng.uniform((2.5, 2.0, 2.2), (9.0, 7.0, 3.5))
  mouth = size * rng.uniform(0.25, 0.75, 3)
  away = rng.normal(size=3)
  reach = np.exp(rng.uniform(np.log(0.15), np.log(2.0)))
  ear = np.clip(mouth + away / np.linalg.norm(away) * reach, 0.1, size - 0.1)
  absorb = rng.uniform(0.25, 0.85)
  early = shoebox(size, mouth, ear, absorb)
  # Sabine's formula gives the time in which the late part loses 60 dB
  surface = 2 * (size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
  decay = float(np.clip(0.161 * np.prod(size) / (surface * absorb), 0.08, 0.9))
  length = int(min(decay, 0.6) * SAMPLE_RATE)
  late = rng.standard_normal(length) * 10 ** (
    -3 * np.arange(length) / (decay * SAMPLE_RATE)
  )
  onset = int(0.015 * SAMPLE_RATE)  # the first reflections come before it
  late[:onset] *= np.linspace(0, 1, onset) ** 2
  critical = 0.057 * math.sqrt(np.prod(size) / decay)  # here both parts are as loud
  late *= reach / critical / max(float(np.sqrt(np.sum(late**2))), 1e-9)
  early = early[:length] * np.exp(-np.arange(min(len(early), length)) / (0.03 * 16000))
  late[: len(early)] += early
  # who talks to a camera is never lost in the room
  late[0] = 0.0
  late *= min(1.0, 10 ** (rng.uniform(-14, -1) / 20) / float(np.sqrt(np.sum(late**2))))
  late[0] = 1.0
  return late


def sample_room(rng: np.random.Generator) -> Room:
  """A recording's place: half are clean, some on the telephone, some in a crowd."""
  dry = rng.random() < 0.4
  response = np.ones(1) if dry else _response(rng)
  phone = rng.random() < 0.12
  noise = str(rng.choice(NOISES, p=[0.25, 0.1, 0.25, 0.1, 0.1, 0.2]))
  return Room(
    response=response,
    tilt=float(rng.normal(0, 1.5)),
    low=float(rng.uniform(250, 350) if phone else rng.uniform(20, 120)),
    high=float(
      rng.uniform(3200, 3600)
      if phone
      else 8000.0
      if rng.random() < 0.6
      else rng.uniform(4000, 7500)
    ),
    noise=noise,
    noise_db=float(rng.uniform(-45, -12 if noise == 'babble' else -18)),
    drive=float(max(rng.normal(0.0, 0.8), 0.0)),
    bits=8 if phone or rng.random() < 0.05 else 16,
    level=float(np.exp(rng.uniform(np.log(0.1), np.log(0.95)))),
  )


@functools.lru_cache(maxsize=1)
def _crowd() -> np.ndarray:
  """`(6, 8 s)` voices that talk over each other; made once, always the same."""
  from data_pipelines.synthetic.speaking.languages import sentence

  talkers = []
  for number in range(6):
    rng = np.random.default_rng((number, 97))
    said = np.zeros(0)
    while len(said) < 8 * SAMPLE_RATE:
      voice = f's{int(rng.integers(formant.SPEAKERS)):02d}'
      part, _ = formant.synthesize(sentence(rng), voice, 1.1, 1.0, rng)
      said = np.concatenate([said, part / max(float(np.std(part)), 1e-9)])
    talkers.append(said[: 8 * SAMPLE_RATE])
  return np.stack(talkers)


def noise_of(kind: str, samples: int, rng: np.random.Generator) -> np.ndarray:
  """`(samples,)` noise of root mean square 1 (`none`: zeros).

  Raises:
    ValueError: `kind` is none of `NOISES`.
  """
  if kind == 'none':
    return np.zeros(samples)
  if kind in ('white', 'pink', 'brown'):
    slope = {'white': 0.0, 'pink': -0.5, 'brown': -1.0}[kind]
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum *= np.maximum(np.fft.rfftfreq(samples), 30 / SAMPLE_RATE) ** slope
    sound = np.fft.irfft(spectrum, samples)
  elif kind == 'hum':
    time = np.arange(samples) / SAMPLE_RATE
    mains = float(rng.choice([50.0, 60.0]))
    strengths = rng.uniform(0, 1, 8) / np.arange(1, 9)
    phases = rng.uniform(0, 2 * np.pi, 8)
    sound = 0.05 * rng.standard_normal(samples)
    for k in range(8):
      sound += strengths[k] * np.sin(2 * np.pi * mains * (k + 1) * time + phases[k])
  elif kind == 'babble':
    crowd = _crowd()
    sound = np.zeros(samples)
    for talker in crowd[: int(rng.integers(3, len(crowd) + 1))]:
      turned = np.roll(talker, int(rng.integers(len(talker))))
      sound += np.resize(turned, samples) * rng.uniform(0.3, 1.0)
  else:
    raise ValueError(f'noise {kind!r} is none of {", ".join(NOISES)}')
  return sound / max(float(np.sqrt(np.mean(sound**2))), 1e-9)


def _quantise(audio: np.ndarray, bits: int) -> np.ndarray:
  """Steps that grow with loudness (mu-law, ITU-T G.711's companding curve)."""
  mu = 255.0
  pressed = np.sign(audio) * np.log1p(mu * np.abs(audio)) / np.log1p(mu)
  steps = 2 ** (bits - 1)
  pressed = np.round(pressed * steps) / steps
  return np.sign(pressed) * np.expm1(np.abs(pressed) * np.log1p(mu)) / mu


def record(audio: np.ndarray, room: Room, rng: np.random.Generator) -> np.ndarray:
  """The same sound as a microphone in a room hears it.

  Args:
    audio: `(samples,)` mono, 16 kHz, in [-1, 1].
    room: place and equipment.
    rng: draws the noise.

  Returns:
    `(samples,)` float32 in [-1, 1]; nothing is delayed.
  """
  samples = len(audio)
  if not samples:
    return np.zeros(0, np.float32)
  # a power of two beyond the reverberation, so that nothing wraps around
  size = 1 << (samples + len(room.response) + 2048).bit_length()
  rate = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
  spectrum = np.fft.rfft(audio, size) * np.fft.rfft(room.response, size)
  heard = np.fft.irfft(spectrum, size)[:samples]
  loud = float(np.sqrt(np.mean(heard**2)))
  noise = noise_of(room.noise, samples, rng)
  heard = heard + noise * loud * 10 ** (room.noise_db / 20)
  # gains without phase: they delay nothing
  octaves = np.log2(np.maximum(rate, 50.0) / 1000.0)
  gain = 10 ** (room.tilt * octaves / 20)
  gain /= np.sqrt(1 + (room.low / np.maximum(rate, 1.0)) ** 8)
  if room.high < SAMPLE_RATE / 2:
    gain /= np.sqrt(1 + (rate / room.high) ** 16)
  heard = np.fft.irfft(np.fft.rfft(heard, size) * gain, size)[:samples]
  heard = heard / max(float(np.abs(heard).max()), 1e-6)
  if room.drive > 0:
    heard = np.tanh(heard * room.drive) / np.tanh(room.drive)
  heard = heard * room.level
  if room.bits < 16:
    heard = _quantise(heard, room.bits)
  return heard.astype(np.float32)


def stretch(speech: Speech, factor: float) -> Speech:
  """Plays a speech `factor` times slower: longer, lower, with a longer throat."""
  spectrum = np.fft.rfft(speech.audio)
  samples = round(len(speech.audio) * factor)
  audio = np.fft.irfft(spectrum, n=samples) * (samples / len(speech.audio))
  ratio = samples / len(speech.audio)
  phones = tuple(Phone(p.name, p.start * ratio, p.end * ratio) for p in speech.phones)
  return dataclasses.replace(speech, audio=audio.astype(np.float32), phones=phones)


def in_a_room(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """`(n,)` the same sound through a room, a microphone and some noise."""
  n = len(audio)
  size = 2 * n
  rate = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
  response = np.ones(len(rate), complex)
  if rng.random() < 0.4:  # room: a decaying tail, 20 to 8 dB below the direct sound
    tail = rng.standard_normal(SAMPLE_RATE // 2)
    tail *= np.exp(-np.arange(len(tail)) / (SAMPLE_RATE * rng.uniform(0.03, 0.12)))
    tail *= 10 ** (rng.uniform(-20, -8) / 20) / np.sqrt(np.sum(tail**2))
    response = response + np.fft.rfft(tail, size)
  # microphone: tilt over octaves around 1 kHz, and where it stops to hear
  octaves = np.log2(np.maximum(rate, 50.0) / 1000.0)
  response *= 10 ** (rng.normal(0, 1.5) * octaves / 20)
  response *= 1 / (1 + (rng.uniform(20, 120) / np.maximum(rate, 1.0)) ** 4)
  if rng.random() < 0.3:
    response *= 1 / (1 + (rate / rng.uniform(3200, 7000)) ** 8)
  heard = np.fft.irfft(np.fft.rfft(audio, size) * response, size)[:n]
  if rng.random() < 0.7:
    noise = np.fft.rfft(rng.standard_normal(n))
    noise *= np.maximum(np.fft.rfftfreq(n), 1e-3) ** rng.uniform(-1.0, 0.2)
    noise = np.fft.irfft(noise, n)
    loud = np.sqrt(np.mean(heard**2)) * 10 ** (rng.uniform(-55, -20) / 20)
    heard = heard + noise * loud / np.sqrt(np.mean(noise**2))
  return heard.astype(np.float32)
