"""Hours of speech with acted motion, without rendering a frame.

Stage 2 never touches pixels, and with anchored latents the labels of a performance are
the latents. What is heard is changed after the lips are set: length and pitch of the
throat, room, microphone, noise; the trained ear must also understand real recordings.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from data_pipelines.motion_cache import MotionClip, main_gaze
from data_pipelines.synthetic.acting.performance import EMOTIONS, Performance, perform
from data_pipelines.synthetic.speaking.acoustics import in_a_room, stretch
from data_pipelines.synthetic.speaking.sentences import sentence
from data_pipelines.synthetic.speaking.speech import (
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
    voices: names or programs as in `speech.check_voices`; none is all quick ones.
    workers: processes; 0 makes the clips in this one.

  Raises:
    UserError: a voice is not on this machine.
  """
  # the neural voice takes as long as it speaks, so that it must be asked for
  quick = tuple(v for v in available_voices() if not v.startswith('kokoro:'))
  names = check_voices(tuple(voices)) if voices else quick
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
