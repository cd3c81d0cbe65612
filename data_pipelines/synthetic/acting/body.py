"""The torso under the head: sway, breathing, and a share of what the head does."""

from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic.acting.curves import FPS, drift, ease, smooth
from data_pipelines.synthetic.acting.expression import Mood
from data_pipelines.synthetic.acting.manner import Manner
from data_pipelines.synthetic.acting.prosody import Prosody

_SHARE = np.array([0.26, 0.1, 0.2])  # of slow head motion: yaw, pitch, roll
_SWAY = np.deg2rad([1.3, 0.8, 1.0])
_HOME = np.deg2rad([1.5, 0.9, 0.9])
_FARTHEST = np.deg2rad([14.0, 8.0, 7.0])


class Torso(NamedTuple):
  """turn: `(t, 3)` radians yaw, pitch, roll. rise: `(t,)` crop units that the head goes
  up with the breath, as the shoulders do."""

  turn: np.ndarray
  rise: np.ndarray


def breathe(frames: int, manner: Manner, prosody: Prosody) -> np.ndarray:
  """`(t,)` air in the chest, about -1..1: slow waves at rest; while talking, quick
  breaths in before phrases and a slow fall through them."""
  at = np.arange(frames)
  wave = 0.5 * np.sin(2 * np.pi * manner.breath * at / FPS + manner.phase)
  spoken = np.zeros(frames)
  before = -25.0
  for phrase in prosody.phrases:
    gap = min(phrase.start - before, 20.0)
    if gap > 6 or before < 0:  # there was time to breathe
      full = 0.3 + 0.035 * gap
      drawn = ease((at - phrase.start + 0.8 * gap) / (0.8 * gap))
      spoken += full * drawn * np.exp(-np.maximum(at - phrase.start, 0) / 45.0)
    before = phrase.end
  talking = smooth(1.0 - prosody.silent, 10.0)
  return wave * (1.0 - 0.6 * talking) + 0.8 * np.tanh(spoken)


def move_torso(
  rng: np.random.Generator,
  pose: np.ndarray,
  manner: Manner,
  prosody: Prosody,
  mood: Mood,
) -> Torso:
  """The torso below a head that moves by `pose` `(t, 6)`."""
  frames = len(pose)
  air = breathe(frames, manner, prosody)
  slow = np.stack([smooth(pose[:, k], 14.0) for k in range(3)], 1)
  sway = np.stack([drift(rng, frames, 2.2) for _ in range(3)], 1)
  turn = slow * _SHARE + manner.sway * (_SWAY * sway + rng.normal(0.0, _HOME))
  turn[:, 1] += mood.colour.lean - np.deg2rad(0.35) * air
  return Torso(_FARTHEST * np.tanh(turn / _FARTHEST), 0.0016 * air)
