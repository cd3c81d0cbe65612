"""Emotions by how much of them is seen, frame by frame.

Stage 2 is conditioned on scores, and answers small ones by all or nothing: of a clip at
a score of .2 either nothing is seen or a quarter of the whole face, by chance. A score
is one a window, too. So two performances are made of the same noise, a calm one and one
that feels fully, and what is shown lies between them. Their heads and mouths go
together (docs/architecture.md); a mouth that is in time in both is so between them. Not
in VASA-1.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from vasa_jax.inference.directing.named_motion import UNITS
from vasa_jax.types import EMOTIONS, Motion

NEUTRAL = EMOTIONS.index('neutral')
CALM = np.eye(len(EMOTIONS), dtype=np.float32)[NEUTRAL]
BLINKS = [UNITS.index('eyeBlinkLeft'), UNITS.index('eyeBlinkRight')]
# Strengths between which blinks go over from the calm performance to the other: half a
# blink is none.
OVER = 0.42, 0.48


class Feeling(NamedTuple):
  """What is asked for, parted into how much and of what.

  Attributes:
    strength: `(1, 1)` or `(frames, 1)` in [0, 1].
    whole: `(8,)` or `(frames, 8)` scores of `EMOTIONS` at full strength, of sum 1.
  """

  strength: np.ndarray
  whole: np.ndarray


def parted(asked: np.ndarray) -> Feeling:
  """Parts scores into strength and emotion.

  Args:
    asked: `(8,)` or `(frames, 8)` shares of `EMOTIONS`, as `controls.to_arrays` makes.
  """
  felt = np.array(asked, np.float32)
  felt[..., NEUTRAL] = 0
  strength = felt.sum(-1, keepdims=True)
  known = np.flatnonzero(strength > 0)
  if not len(known):
    whole = np.broadcast_to(CALM, felt.shape)
  elif felt.ndim == 1:
    whole = felt / strength
  else:
    # What will be felt is felt fully in a whole window, however late it begins.
    scores, at = felt[known] / strength[known], np.arange(len(felt))
    whole = np.stack([np.interp(at, known, score) for score in scores.T], -1)
  return Feeling(strength.reshape(-1, 1).clip(0, 1), whole.astype(np.float32))


def between(
  calm: Iterator[Motion], felt: Iterator[Motion], strength: np.ndarray, named: bool
) -> Iterator[Motion]:
  """Yields windows of motion that lie between two performances.

  Args:
    calm, felt: windows of the same frames, made of the same noise.
    strength: `(n, 1)`: 0 is calm, 1 felt fully. After its last frame it holds.
    named: whether `z_dyn` are face units (anchored latents), so that blinks are known.
  """
  start = 0
  for one, other in zip(calm, felt, strict=True):
    rows = start + np.arange(len(one.z_pose))
    share = strength[np.minimum(rows, len(strength) - 1)]
    start += len(rows)
    z_dyn = _mixed(one.z_dyn, other.z_dyn, share)
    if named:
      low, high = OVER
      over = ((share - low) / (high - low)).clip(0, 1)
      z_dyn[:, BLINKS] = _mixed(one.z_dyn[:, BLINKS], other.z_dyn[:, BLINKS], over)
    yield Motion(z_pose=_mixed(one.z_pose, other.z_pose, share), z_dyn=z_dyn)


def _mixed(one: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
  return (one + share * (other - one)).astype(np.float32)
