"""Emotions by how much of them is seen."""

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.inference.emotion_answer import NAME, EmotionAnswer, answer_of
from vasa_jax.types import EMOTIONS

ANSWER = EmotionAnswer((0.0, 0.25, 0.5, 0.75, 1.0), (0.0, 0.02, 0.4, 0.55, 0.6))
HAPPY, ANGRY, NEUTRAL = (EMOTIONS.index(n) for n in ('happiness', 'anger', 'neutral'))


def _asked(**shares):
  asked = np.zeros(len(EMOTIONS), np.float32)
  for name, share in shares.items():
    asked[EMOTIONS.index(name)] = share
  asked[NEUTRAL] = 1 - asked.sum()
  return asked


def test_what_is_seen_grows_evenly():
  levels = np.linspace(0, 1, 21)
  scores = ANSWER.evened(np.stack([_asked(happiness=level) for level in levels]))
  seen = np.interp(scores[:, HAPPY], ANSWER.scores, ANSWER.amounts)
  np.testing.assert_allclose(seen, 0.6 * levels, atol=1e-6)
  np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-6)
  np.testing.assert_allclose(scores[:, NEUTRAL], 1 - scores[:, HAPPY], atol=1e-6)


def test_nothing_and_all_of_it_stay():
  for asked in (_asked(), _asked(anger=1.0), _asked(anger=0.6, happiness=0.4)):
    np.testing.assert_allclose(ANSWER.evened(asked), asked, atol=1e-6)


def test_mixed_emotions_keep_their_ratio():
  scores = ANSWER.evened(_asked(happiness=0.3, anger=0.1))
  assert scores[HAPPY] == pytest.approx(3 * scores[ANGRY], rel=1e-5)
  assert scores[HAPPY] + scores[ANGRY] == pytest.approx(
    ANSWER.evened(_asked(happiness=0.4))[HAPPY], rel=1e-5
  )


def test_weights_say_it_themselves():
  assert answer_of({}) is None
  meta = {NAME: {'scores': list(ANSWER.scores), 'amounts': list(ANSWER.amounts)}}
  assert answer_of(meta) == ANSWER


@pytest.mark.parametrize(
  'wrong',
  [
    None,
    {},
    {'scores': [0, 1]},
    {'scores': [0, 1], 'amounts': [0, 0]},
    {'scores': [0, 1], 'amounts': [0.1, 1]},
    {'scores': [0, 0.5], 'amounts': [0, 1]},
    {'scores': [0, 0.5, 1], 'amounts': [0, 1]},
    {'scores': [0, 'a'], 'amounts': [0, 1]},
    {'scores': [], 'amounts': []},
    {'scores': [0, 1], 'amounts': [0, float('inf')]},
  ],
)
def test_a_curve_that_does_not_rise_is_told(wrong):
  with pytest.raises(UserError, match='does not rise'):
    answer_of({NAME: wrong})
