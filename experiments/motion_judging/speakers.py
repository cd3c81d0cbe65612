"""Held-out speakers with exact truth: the corpus's test split, acted and not drawn.

What `clips.render_clip` would do for a person of the test split, without the pictures:
a voice and a text that no training run hears, a room and a microphone, and a
performance whose motion and phone times are known.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from data_pipelines.motion_cache import main_gaze
from data_pipelines.motion_speech import motion_of, voices_for
from data_pipelines.synthetic.acting.performance import EMOTIONS, Performance, perform
from data_pipelines.synthetic.speaking.acoustics import record, sample_room
from data_pipelines.synthetic.speaking.phones import Phone
from data_pipelines.synthetic.speaking.speech import Speech
from data_pipelines.synthetic.speaking.voices import say, voices_of

# People of the test split that no other judge draws (`held_out`, `judge_corpus`).
FIRST_SEED = (2 << 40) + (11 << 24)
STRIDE = 1 << 16
SECONDS = 4.0  # a clip is at least so long: two windows of `lite`


@dataclasses.dataclass(frozen=True)
class Speaker:
  """A clip of `t` frames.

  Attributes:
    name: of the clip, with its voice and text.
    audio: `(n,)` float32, 16 kHz, as the microphone hears it.
    phones: what is said when, in seconds.
    motion: `(t, 60)` the truth.
    again: `(t, 60)` the same speech acted by another person in the same mood: as good
      as anything that is not the truth itself can be.
    gaze, distance, emotion: `(2,)` degrees, ratio, `(8,)`: the truth's own conditions.
  """

  name: str
  audio: np.ndarray
  phones: tuple[Phone, ...]
  motion: np.ndarray
  again: np.ndarray
  gaze: np.ndarray
  distance: float
  emotion: np.ndarray


class Acted(NamedTuple):
  """The seed's speech, performed: the truth, and another person's take of it."""

  said: Speech
  truth: Performance
  again: Performance


def act(seed: int, voices: Sequence[str], rng: np.random.Generator) -> Acted:
  """What a seed says and does; `rng` is the generator of that seed."""
  said = say(rng, 'test', voices, SECONDS)
  truth = perform(said, rng)
  mood = EMOTIONS[int(truth.emotion.mean(0).argmax())]
  return Acted(said, truth, perform(said, np.random.default_rng([seed, 1]), mood))


def speaker(seed: int, voices: Sequence[str]) -> Speaker:
  """The clip of a seed; a pure function of its arguments."""
  rng = np.random.default_rng(seed)
  said, acted, again = act(seed, voices, rng)
  return Speaker(
    name=f'test-{seed - FIRST_SEED:06d} {said.voice}: {said.text}',
    audio=record(said.audio, sample_room(rng), rng),
    phones=said.phones,
    motion=motion_of(acted),
    again=motion_of(again),
    gaze=main_gaze(acted.gaze),
    distance=float(np.exp(np.log(acted.distance).mean())),
    emotion=acted.emotion.mean(0),
  )


def speakers(
  count: int, seed: int = 0, voices: Sequence[str] = ()
) -> Iterator[Speaker]:
  """`count` speakers of a seed.

  Args:
    count: how many.
    seed: another one, other people.
    voices: names or programs; none is all quick ones of this machine.

  Raises:
    UserError: no voice of this machine belongs to the test split.
  """
  names = heard_voices(voices)
  for i in range(count):
    yield speaker(FIRST_SEED + STRIDE * seed + i, names)


def heard_voices(voices: Sequence[str] = ()) -> Sequence[str]:
  """Names of voices, of which some belong to the test split; see `speakers`."""
  names = voices_for(voices)
  voices_of('test', names)  # which fails where there are none
  return names
