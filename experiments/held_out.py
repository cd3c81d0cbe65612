"""Talking heads that no model was trained on, rendered on the spot with their truth.

Without lens, sensor and codec, and never painted: noise that nobody can predict would
hide what the model gets wrong.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from vasa_jax.metrics.oracle import OraclePair
from vasa_jax.types import Motion

# The people of the corpus's test split (`recipe.SPLIT_OFFSET`), where no corpus to
# train on will ever reach; one `seed` holds as many as one there.
FIRST_SEED = 2 << 40
STRIDE = 1 << 24


def talking_pairs(
  clips: int, frames: int = 5, size: int = 256, seed: int = 0
) -> Iterator[OraclePair]:
  """Self pairs: the first frame of a talking clip, and `frames` later ones.

  Args:
    clips: people; each says one sentence under its own light.
    frames: drivers a clip, evenly spread.
    size: side of the pictures.
    seed: another seed, other people.
  """
  for i in range(clips):
    person = _Person.talking(FIRST_SEED + STRIDE * seed + i, size, frames)
    for t in range(1, frames + 1):
      yield OraclePair(
        person.name, person.pictures[0], person.motion(0), person.pictures[t],
        person.motion(t), person.shape,
      )  # fmt: skip


def cross_pairs(
  clips: int, frames: int = 3, size: int = 256, seed: int = 0
) -> Iterator[OraclePair]:
  """Each person's portrait with the motion of the one before, widely posed.

  The driver's poses are those of unrelated still frames (yaw deviates by .3 rad), which
  turn further than a talking head: a transfer that works near the front only must show.
  """
  last = None
  for i in range(clips + 1):
    seen = FIRST_SEED + STRIDE * seed + STRIDE // 2 + i
    person = _Person.posing(seen, size, frames)
    if last is not None:
      for t in range(1, frames + 1):
        yield OraclePair(
          person.name, person.pictures[0], person.motion(0), last.pictures[t],
          last.motion(t), person.shape,
        )  # fmt: skip
    last = person


@dataclasses.dataclass(frozen=True)
class _Person:
  """One identity in a few frames: the portrait, then the drivers."""

  name: str
  shape: np.ndarray
  pictures: np.ndarray  # (1 + frames, s, s, 3) uint8
  pose: np.ndarray  # (1 + frames, 6)
  dyn: np.ndarray  # (1 + frames, 54)

  @classmethod
  def talking(cls, seed: int, size: int, frames: int) -> '_Person':
    acted = _talk(seed)
    index = np.linspace(0, len(acted.pose) - 1, frames + 1).round().astype(int)
    return cls._filmed(seed, size, [_chosen(acted, index)])

  @classmethod
  def posing(cls, seed: int, size: int, frames: int) -> '_Person':
    from data_pipelines.synthetic.acting import performance

    wide = performance.pose_for_stills(np.random.default_rng(seed), 2 * frames + 2)
    # Half of them share one pose: each counts once. Frame 0 looks straight ahead.
    single = np.unique(wide.pose[1:], axis=0, return_index=True)[1]
    order = np.sort(single)[:frames] + 1
    return cls._filmed(seed, size, [_chosen(_talk(seed), [0]), _chosen(wide, order)])

  @classmethod
  def _filmed(cls, seed, size, performances) -> '_Person':
    from data_pipelines.synthetic import clips

    fields = [f.name for f in dataclasses.fields(performances[0])]
    acted = type(performances[0])(
      **{n: np.concatenate([getattr(p, n) for p in performances]) for n in fields}
    )
    shots = clips.render(seed, acted, size, plain=True, moving=False)
    return cls(
      name=f'rendered_{seed - FIRST_SEED:06d}',
      shape=shots.shape,
      pictures=shots.pictures,
      pose=np.asarray(shots.performance.pose, np.float32),
      dyn=np.concatenate([acted.units, acted.eyes], 1).astype(np.float32),
    )

  def motion(self, t: int) -> Motion:
    return Motion(z_pose=self.pose[t], z_dyn=self.dyn[t])


def _talk(seed: int):
  """The person says a sentence with the built-in voice, which every machine has."""
  from data_pipelines.synthetic.acting import performance
  from data_pipelines.synthetic.speaking import sentences, speech

  rng = np.random.default_rng(seed)
  voices = [v for v in speech.available_voices() if v.startswith('formant:')]
  text = sentences.sentence(rng)
  said = speech.speak(text, voices[int(rng.integers(len(voices)))], rng)
  return performance.perform(said, rng)


def _chosen(acted, index):
  """The frames `index` of a performance."""
  fields = [f.name for f in dataclasses.fields(acted)]
  return dataclasses.replace(acted, **{n: getattr(acted, n)[index] for n in fields})
