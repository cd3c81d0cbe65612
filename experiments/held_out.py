"""Talking heads that no model was trained on, rendered on the spot with their truth."""

from collections.abc import Iterator

import numpy as np

from vasa_jax.metrics.oracle import OraclePair
from vasa_jax.types import Motion

# The people of the corpus's test split (`synthesize.SPLIT_OFFSET`), where no corpus to
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
    person = _Person(FIRST_SEED + STRIDE * seed + i, size)
    source = person.picture(0)
    index = np.linspace(0, person.length - 1, frames + 1).round().astype(int)[1:]
    for t in index:
      yield OraclePair(
        person.name, source, person.motion(0), person.picture(t), person.motion(t),
        person.shape,
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
    person = _Person(FIRST_SEED + STRIDE * seed + STRIDE // 2 + i, size, stills=frames)
    if last is not None:
      for t in range(1, frames + 1):
        yield OraclePair(
          person.name, person.picture(0), person.motion(0), last.picture(t),
          last.motion(t), person.shape,
        )  # fmt: skip
    last = person


class _Person:
  """One identity with light, background and a performance; frames drawn on demand."""

  def __init__(self, seed: int, size: int, stills: int = 0):
    from data_pipelines.synthetic import performance, scene, sentences, speech
    from data_pipelines.synthetic.heads import sample_identity
    from data_pipelines.synthetic.render import Renderer
    from data_pipelines.synthetic.shape import identity_shape

    rng = np.random.default_rng(seed)
    identity = sample_identity(seed)
    self.name = f'rendered_{seed - FIRST_SEED:06d}'
    self.shape = identity_shape(identity)
    self._light = scene.sample_light(rng)
    self._renderer = Renderer(size)
    self._renderer.load(identity, scene.sample_background(rng, size))
    voices = [v for v in speech.available_voices() if v.startswith('formant:')]
    # The built-in synthesiser speaks on every machine: the numbers can be compared.
    text = sentences.sentence(rng)
    said = speech.speak(text, voices[int(rng.integers(len(voices)))], rng)
    self._played = performance.perform(said, rng)
    if stills:
      wide = performance.pose_for_stills(rng, 2 * stills + 2)
      # Half of them share one pose: each counts once. Frame 0 looks straight ahead.
      order = (
        np.sort(np.unique(wide.pose[1:], axis=0, return_index=True)[1])[:stills] + 1
      )
      # The talking frame stays the portrait.
      self._units = np.concatenate([self._played.units[:1], wide.units[order]])
      self._pose = np.concatenate([self._played.pose[:1], wide.pose[order]])
      self._eyes = np.concatenate([self._played.eyes[:1], wide.eyes[order]])
    else:
      played = self._played
      self._units, self._pose, self._eyes = played.units, played.pose, played.eyes
    self.length = len(self._pose)

  def picture(self, t: int) -> np.ndarray:
    return self._renderer.frame(
      self._units[t], self._pose[t], self._eyes[t], self._light
    ).picture

  def motion(self, t: int) -> Motion:
    return Motion(
      z_pose=np.asarray(self._pose[t], np.float32),
      z_dyn=np.concatenate([self._units[t], self._eyes[t]]).astype(np.float32),
    )
