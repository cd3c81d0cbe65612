"""Held-out people who say something, filmed: the truth of Table 5, as videos.

One person of the corpus's test split for each speech. `real` is the person saying it,
`another take` the same speech acted by somebody else on the same face: as near to the
truth as anything that is not the truth can be.
"""

import dataclasses
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data_pipelines.motion_cache import main_gaze
from experiments.motion_judging.scores import gaze
from experiments.motion_judging.speakers import (
  FIRST_SEED,
  STRIDE,
  Speaker,
  act,
  heard_voices,
  speaker,
)
from vasa_jax.files import write_whole
from vasa_jax.types import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME

SOUND_RATE = 48_000


@dataclasses.dataclass(frozen=True)
class Person:
  """A speech and whoever says it.

  Attributes:
    name: of all files.
    seed: of speech and person.
    speaker: sound, phones, exact motion.
    voices: that were to choose from.
  """

  name: str
  seed: int
  speaker: Speaker
  voices: tuple[str, ...]

  def performance(self, take: str) -> Any:
    """The acting of `'real'` or `'another take'`."""
    acted = act(self.seed, self.voices, np.random.default_rng(self.seed))
    whole = acted.truth if take == 'real' else acted.again
    names = [field.name for field in dataclasses.fields(whole)]
    frames = len(self.speaker.motion)
    return dataclasses.replace(whole, **{n: getattr(whole, n)[:frames] for n in names})


def people(
  count: int, seed: int, voices: Sequence[str] = (), frames: int = 100
) -> Iterator[Person]:
  """The first `count` people of a seed, cut after `frames` frames.

  Raises:
    UserError: no voice of this machine belongs to the test split.
  """
  names = tuple(heard_voices(voices))
  for i in range(count):
    own = FIRST_SEED + STRIDE * seed + i
    yield Person(f'person_{i:03d}', own, shortened(speaker(own, names), frames), names)


def shortened(whole: Speaker, frames: int) -> Speaker:
  """The first frames of a clip, with the conditions that belong to them."""
  motion = whole.motion[:frames]
  return dataclasses.replace(
    whole,
    motion=motion,
    again=whole.again[:frames],
    audio=whole.audio[: len(motion) * SAMPLES_PER_FRAME],
    gaze=main_gaze(gaze(motion)),
    distance=float(np.exp(motion[:, 3].mean())),
  )


def film(person: Person, take: str, size: int, path: Path) -> None:
  """Renders a take into a video with its sound; one that is there is kept.

  Beside it `NAME.npz` holds what a portrait needs: `picture` `(s, s, 3)` uint8 of the
  first frame, its `pose` `(6,)` and `dyn` `(54,)`, and the person's `shape` `(64,)`.
  """
  beside = path.with_suffix('.npz')
  if path.is_file() and beside.is_file():
    return
  from data_pipelines.synthetic import clips

  acted = person.performance(take)
  shots = clips.render(person.seed, acted, size, plain=True, moving=False)
  path.parent.mkdir(parents=True, exist_ok=True)
  said = {'comment': '{"generator":"vasa_jax","rendered":true,"synthetic":true}'}
  write_video(path, [shots.pictures], size, person.speaker.audio, said)
  data = io.BytesIO()
  np.savez(
    data, picture=shots.pictures[0], pose=acted.pose[0], shape=shots.shape,
    dyn=np.concatenate([acted.units[0], acted.eyes[0]]),
  )  # fmt: skip
  write_whole(beside, data.getvalue())


def write_video(
  path: Path,
  pictures: Iterable[np.ndarray],
  size: int,
  audio: np.ndarray,
  tags: dict[str, str],
) -> None:
  """Batches of `(n, size, size, 3)` uint8 pictures and 16 kHz sound, as MP4."""
  from scipy.signal import resample_poly

  from vasa_jax.inference.media.video import VideoWriter

  sound = resample_poly(audio, SOUND_RATE // SAMPLE_RATE, 1).astype(np.float32)
  with VideoWriter(path, (size, size), sound_rate=SOUND_RATE, tags=tags) as writer:
    for batch in pictures:
      writer.write(batch)
    writer.write_sound(sound[: writer.frames * SOUND_RATE // FPS, None])
