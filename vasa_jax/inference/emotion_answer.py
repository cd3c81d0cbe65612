"""Emotions by how much of them is seen.

Stage 2 is conditioned on scores, and what it shows does not grow evenly with them, nor
alike for all emotions: of the embedded weights a score of .19 shows a fifth of an angry
face and a twelfth of a surprised one. `experiments.emotion_answer` measures that and
writes it into the weights' `config.json`. Here a control is turned into the score that
shows so much.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.types import EMOTIONS

NAME = 'emotion_answer'  # in a weights folder's `meta`
NEUTRAL = EMOTIONS.index('neutral')
SHOWN = tuple(name for name in EMOTIONS if name != 'neutral')


class EmotionAnswer(NamedTuple):
  """What a motion model shows of each emotion.

  Attributes:
    scores: rising from 0 to 1.
    amounts: of each of `SHOWN` what is seen at each score, from 0; it never falls, and
      is most at 1. 1 is the whole face of the corpus.
  """

  scores: tuple[float, ...]
  amounts: Mapping[str, tuple[float, ...]]

  def evened(self, asked: np.ndarray) -> np.ndarray:
    """Controls `(..., 8)` to scores of which so much is seen.

    Args:
      asked: shares of `EMOTIONS`, in [0, 1]; at 1 as much is shown as the model can.

    Returns:
      `(..., 8)`: of one emotion the score that shows so much of it; of several, that of
      all of them together in the ratio that was asked for, each by its own curve.
      Neutral gets what is left of 1.
    """
    felt = np.array(asked, np.float32)
    felt[..., NEUTRAL] = 0
    total = np.minimum(felt.sum(-1), 1)
    scores = np.zeros_like(felt)
    for name, amounts in self.amounts.items():
      i, shown = EMOTIONS.index(name), np.asarray(amounts)
      alone = np.interp(total, shown / shown[-1], self.scores)
      scores[..., i] = felt[..., i] * (alone / np.maximum(total, 1e-6))
    scores[..., NEUTRAL] = np.maximum(1 - scores.sum(-1), 0)
    return scores


def answer_of(meta: Mapping[str, Any]) -> EmotionAnswer | None:
  """What a weights folder says of itself; None if it was not measured.

  Raises:
    UserError: it holds no curves that rise.
  """
  if NAME not in meta:
    return None
  try:
    scores = tuple(meta[NAME]['scores'])
    amounts = {name: tuple(meta[NAME]['amounts'][name]) for name in SHOWN}
    rising = (
      scores[0] == 0
      and scores[-1] == 1
      and bool(np.all(np.diff(scores) > 0))
      and all(_rises(curve, len(scores)) for curve in amounts.values())
    )
  except (KeyError, TypeError, ValueError, IndexError):
    rising = False
  if not rising:
    raise UserError(
      f'config.json of these weights: {NAME} does not rise from 0; measure it again '
      'with experiments.emotion_answer, or remove it'
    )
  return EmotionAnswer(scores, amounts)


def _rises(curve: tuple[float, ...], length: int) -> bool:
  whole = len(curve) == length and bool(np.isfinite(curve).all())
  return whole and curve[0] == 0 < curve[-1] and bool(np.all(np.diff(curve) >= 0))
