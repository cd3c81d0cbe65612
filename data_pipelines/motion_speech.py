"""Hours of speech with acted motion, without rendering a frame.

Stage 2 never touches pixels, and with anchored latents the labels of a performance are
the latents. What is heard is changed after the lips are set: length and pitch of the
throat, room, microphone, noise; the trained ear must also understand real recordings.

Speakers and texts are those of the corpus's train split; the clips that are held out
have those of its validation split, and nobody of the test split is ever heard.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from data_pipelines.motion_cache import MotionClip, main_gaze
from data_pipelines.motion_hearing import FrontEnd, front_end
from data_pipelines.synthetic.acting.performance import EMOTIONS, Performance, perform
from data_pipelines.synthetic.processes import InOrder
from data_pipelines.synthetic.speaking import voices as voices_lib
from data_pipelines.synthetic.speaking.acoustics import (
  in_a_room,
  record,
  sample_room,
  stretch,
)
from data_pipelines.synthetic.speaking.speech import available_voices, check_voices

HELD_OUT_EVERY = 20  # one clip of twenty is kept for evaluation
_HELD_OUT_WORLD = 1 << 20  # its speeches come from other seeds
_SHORTEST = 2.0  # seconds


def neutral_or_not(rng: np.random.Generator) -> str:
  """Emotion of a clip: neutral in half of them."""
  if rng.random() < 0.5:
    return 'neutral'
  return str(rng.choice([name for name in EMOTIONS if name != 'neutral']))


def motion_of(performance: Performance) -> np.ndarray:
  """`(t, 60)` anchored motion: pose, units, eyes."""
  parts = (performance.pose, performance.units, performance.eyes)
  return np.concatenate(parts, 1).astype(np.float32)


def speech_clip(
  seed: int, index: int, voices: Sequence[str], heard: bool = True
) -> MotionClip:
  """Clip number `index` of a cache: a few sentences, spoken or sung, and acted.

  The same for the same arguments, whatever was made before. Features are log-mel
  bytes; without `heard` they are the samples, `(t, 640)` int16, for a net to hear.
  """
  held_out = index % HELD_OUT_EVERY == 0
  rng = np.random.default_rng([seed, index, _HELD_OUT_WORLD * held_out])
  split = 'validation' if held_out else 'train'
  seconds = float(rng.uniform(_SHORTEST, 10.0))
  said = voices_lib.say(rng, split, voices, seconds)
  said = stretch(said, float(np.exp(np.clip(rng.normal(0, 0.07), -0.15, 0.15))))
  acted = perform(said, rng, neutral_or_not(rng))
  # half through the microphones of the rendered clips, half through milder ones
  audio = said.audio
  if rng.random() < 0.5:
    audio = record(audio, sample_room(rng), rng)
  else:
    audio = in_a_room(audio, rng)
  t = len(acted.pose)
  features = front_end().hear(audio) if heard else samples_of(audio, t)
  return MotionClip(
    name=f'speech-{seed}-{index} {said.voice}: {said.text}',
    features=features[:t],
    motion=motion_of(acted),
    gaze=main_gaze(acted.gaze),
    distance=float(np.exp(np.mean(np.log(acted.distance)))),
    emotion=acted.emotion.mean(0),
    held_out=held_out,
  )


def samples_of(audio: np.ndarray, frames: int) -> np.ndarray:
  """`(frames, 640)` int16, silence where the sound has ended."""
  audio = np.clip(np.rint(audio * 32768.0), -32768, 32767).astype(np.int16)
  audio = audio[: frames * 640]
  return np.pad(audio, (0, frames * 640 - len(audio))).reshape(frames, 640)


def _work(arguments: tuple[int, int, tuple[str, ...], bool]) -> MotionClip:
  return speech_clip(*arguments)


def voices_for(names: Sequence[str] = ()) -> tuple[str, ...]:
  """The voices that these names or programs stand for; none is all quick ones.

  Raises:
    UserError: one is not on this machine.
  """
  if names:
    return check_voices(tuple(names), None)
  # the neural voice takes as long as it speaks, so that it must be asked for
  return tuple(v for v in available_voices(None) if not v.startswith('kokoro:'))


def speech_clips(
  numbers: int | Iterable[int],
  seed: int,
  voices: Sequence[str] = (),
  workers: int = 1,
  ear: FrontEnd | None = None,
) -> Iterator[MotionClip]:
  """Clips in order; the same ones whatever the number of workers.

  Args:
    numbers: how many, or which.
    seed: of sentences, voices and motion.
    voices: names or programs; none is all quick ones.
    workers: processes; 0 makes the clips in this one.
    ear: None is log-mel.

  Raises:
    UserError: a voice is not on this machine, or none of them belongs to a split.
  """
  names = voices_for(voices)
  for split in ('train', 'validation'):
    voices_lib.voices_of(split, names)  # said now, not by a worker
  ear = front_end() if ear is None else ear
  numbers = range(numbers) if isinstance(numbers, int) else numbers
  jobs = [(seed, index, names, ear.in_workers) for index in numbers]
  with InOrder(_work, jobs, workers) as made:
    for clip in made:
      if not ear.in_workers:
        heard = ear.hear(clip.features.reshape(-1))
        clip = dataclasses.replace(clip, features=heard[: len(clip.motion)])
      yield clip
