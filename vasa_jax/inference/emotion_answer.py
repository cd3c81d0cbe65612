"""Emotions by how much of them is seen.

Stage 2 is conditioned on scores, and what it shows does not grow evenly with them: of
the embedded weights half a score shows three fifths of what a whole one does, a quarter
an eighth. `experiments.emotion_answer` measures that and writes it into the
weights' `config.json`. Here a control is turned into the score that shows so much.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.types import EMOTIONS

NAME = 'emotion_answer'  # in a weights folder's `meta`
NEUTRAL = EMOTIONS.index('neutral')


class EmotionAnswer(NamedTuple):
  """What a motion model shows of an emotion.

  Attributes:
    scores: rising from 0 to 1.
    amounts: shown at each, rising from 0; 1 is the whole face of the corpus.
  """

  scores: tuple[float, ...]
  amounts: tuple[float, ...]

  def evened(self, asked: np.ndarray) -> np.ndarray:
    """Controls `(..., 8)` to scores of which so much is seen.

    Args:
      asked: shares of `EMOTIONS`, in [0, 1]; at 1 as much is shown as the model can.

    Returns:
      `(..., 8)`: emotions keep their ratios, neutral gets what is left of 1.
    """
    felt = np.array(asked, np.float32)
    felt[..., NEUTRAL] = 0
    total = felt.sum(-1, keepdims=True)
    amounts = np.asarray(self.amounts) / self.amounts[-1]
    score = np.interp(np.minimum(total, 1), amounts, self.scores)
    scores = felt * (score / np.maximum(total, 1e-6))
    scores[..., NEUTRAL] = np.maximum(1 - scores.sum(-1), 0)
    return scores.astype(np.float32)


def answer_of(meta: Mapping[str, Any]) -> EmotionAnswer | None:
  """What a weights folder says of itself; None if it was not measured.

  Raises:
    UserError: it is no curve that rises.
  """
  if NAME not in meta:
    return None
  try:
    found = EmotionAnswer(*(tuple(meta[NAME][name]) for name in EmotionAnswer._fields))
    rising = all(
      len(curve) >= 2
      and curve[0] == 0
      and np.all(np.diff(curve) > 0)
      and np.isfinite(curve).all()
      for curve in found
    )
    rising = rising and len(found.scores) == len(found.amounts)
    rising = rising and found.scores[-1] == 1
  except (KeyError, TypeError, ValueError):
    rising = False
  if not rising:
    raise UserError(
      f'config.json of these weights: {NAME} does not rise from 0; measure it again '
      'with experiments.emotion_answer, or remove it'
    )
  return found
