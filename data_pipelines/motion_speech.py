"""Hours of speech with acted motion, without rendering a frame.

Stage 2 never touches pixels, and with anchored latents the labels of a performance are
the latents. What is heard is changed after the lips are set: length and pitch of the
throat, room, microphone, noise; the trained ear must also understand real recordings.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from data_pipelines.motion_cache import MotionClip, main_gaze
from data_pipelines.synthetic.performance import EMOTIONS, Performance, perform
from data_pipelines.synthetic.phones import Phone
from data_pipelines.synthetic.sentences import sentence
from data_pipelines.synthetic.speech import (
  SAMPLE_RATE,
  Speech,
  available_voices,
  check_voices,
  speak,
)

HELD_OUT_EVERY = 20  # one clip of twenty is kept for evaluation
_HELD_OUT_WORLD = 1 << 20  # its sentences come from other seeds
# How often each program speaks where it is installed: flite's voices are the most
# natural; the formant voice of our own is for machines that have nothing else.
_SHARE = {'flite': 0.6, 'espeak': 0.4, 'formant': 1e-6}


def neutral_or_not(rng: np.random.Generator) -> str:
  """Emotion of a clip: neutral in half of them."""
  if rng.random() < 0.5:
    return 'neutral'
  return str(rng.choice([name for name in EMOTIONS if name != 'neutral']))


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


def motion_of(performance: Performance) -> np.ndarray:
  """`(t, 60)` anchored motion: pose, units, eyes."""
  parts = (performance.pose, performance.units, performance.eyes)
  return np.concatenate(parts, 1).astype(np.float32)


def speech_clip(seed: int, index: int, voices: Sequence[str]) -> MotionClip:
  """Clip number `index` of a cache: one to four sentences, spoken and acted.

  The same for the same arguments, whatever was made before. Features are log-mel,
  stored as bytes.
  """
  from vasa_jax.audio import features

  held_out = index % HELD_OUT_EVERY == 0
  rng = np.random.default_rng([seed, index, _HELD_OUT_WORLD * held_out])
  programs = sorted({voice.split(':')[0] for voice in voices})
  share = np.array([_SHARE.get(program, 0.1) for program in programs])
  program = rng.choice(programs, p=share / share.sum())
  voice = str(rng.choice([v for v in voices if v.split(':')[0] == program]))
  text = ' '.join(sentence(rng) for _ in range(rng.integers(1, 5)))
  speech = stretch(
    speak(text, voice, rng), float(np.exp(np.clip(rng.normal(0, 0.07), -0.15, 0.15)))
  )
  acted = perform(speech, rng, neutral_or_not(rng))
  heard = in_a_room(speech.audio, rng)
  frames = features.log_mel(heard, features.loudness(heard).gain)
  t = len(acted.pose)
  return MotionClip(
    name=f'speech-{seed}-{index} {voice}: {text}',
    features=features.to_bytes(frames[:t]),
    motion=motion_of(acted),
    gaze=main_gaze(acted.gaze),
    distance=float(np.exp(np.mean(np.log(acted.distance)))),
    emotion=acted.emotion.mean(0),
    held_out=held_out,
  )


def _work(arguments: tuple[int, int, tuple[str, ...]]) -> MotionClip:
  return speech_clip(*arguments)


def speech_clips(
  count: int, seed: int, voices: Sequence[str] = (), workers: int = 1
) -> Iterator[MotionClip]:
  """`count` clips in order; the same ones whatever the number of workers.

  Args:
    count: how many.
    seed: of sentences, voices and motion.
    voices: names or programs as in `speech.check_voices`; none is all there are.
    workers: processes; 0 makes the clips in this one.

  Raises:
    UserError: a voice is not on this machine.
  """
  names = check_voices(tuple(voices)) if voices else available_voices()
  jobs = [(seed, index, tuple(names)) for index in range(count)]
  if workers < 1:
    yield from map(_work, jobs)
    return
  # spawned, since a forked copy of a process that runs jax may hang
  with ProcessPoolExecutor(workers, mp_context=get_context('spawn')) as pool:
    try:
      yield from pool.map(_work, jobs, chunksize=4)
    finally:
      pool.shutdown(wait=True, cancel_futures=True)
