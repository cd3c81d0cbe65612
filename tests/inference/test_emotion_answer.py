"""Emotions by how much of them is seen."""

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.inference.emotion_answer import NAME, SHOWN, EmotionAnswer, answer_of
from vasa_jax.types import EMOTIONS

SCORES = (0.0, 0.25, 0.5, 0.75, 1.0)
CURVE, LATE = (0.0, 0.02, 0.4, 0.55, 0.6), (0.0, 0.0, 0.1, 0.5, 0.9)
ANSWER = EmotionAnswer(SCORES, {**dict.fromkeys(SHOWN, CURVE), 'surprise': LATE})
HAPPY, ANGRY, NEUTRAL = (EMOTIONS.index(n) for n in ('happiness', 'anger', 'neutral'))


def _asked(**shares):
  asked = np.zeros(len(EMOTIONS), np.float32)
  for name, share in shares.items():
    asked[EMOTIONS.index(name)] = share
  asked[NEUTRAL] = 1 - asked.sum()
  return asked


@pytest.mark.parametrize('name', ['happiness', 'surprise'])
def test_what_is_seen_of_each_grows_evenly(name):
  levels = np.linspace(0, 1, 21)
  scores = ANSWER.evened(np.stack([_asked(**{name: level}) for level in levels]))
  own, curve = scores[:, EMOTIONS.index(name)], ANSWER.amounts[name]
  seen = np.interp(own, ANSWER.scores, curve)
  np.testing.assert_allclose(seen, curve[-1] * levels, atol=1e-6)
  np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-6)
  np.testing.assert_allclose(scores[:, NEUTRAL], 1 - own, atol=1e-6)


def test_nothing_and_all_of_it_stay():
  for asked in (_asked(), _asked(anger=1.0), _asked(anger=0.6, happiness=0.4)):
    np.testing.assert_allclose(ANSWER.evened(asked), asked, atol=1e-6)


def test_mixed_emotions_keep_their_ratio():
  scores = ANSWER.evened(_asked(happiness=0.3, anger=0.1))
  assert scores[HAPPY] == pytest.approx(3 * scores[ANGRY], rel=1e-5)
  assert scores[HAPPY] + scores[ANGRY] == pytest.approx(
    ANSWER.evened(_asked(happiness=0.4))[HAPPY], rel=1e-5
  )


def test_what_starts_late_is_asked_for_more_in_a_mixture():
  scores = ANSWER.evened(_asked(happiness=0.2, surprise=0.2))
  assert scores[EMOTIONS.index('surprise')] > scores[HAPPY] > 0


def test_weights_say_it_themselves():
  assert answer_of({}) is None
  amounts = {name: list(curve) for name, curve in ANSWER.amounts.items()}
  assert answer_of({NAME: {'scores': list(SCORES), 'amounts': amounts}}) == ANSWER


def _curves(curve, **others):
  return {**dict.fromkeys(SHOWN, curve), **others}


@pytest.mark.parametrize(
  'wrong',
  [
    None,
    {},
    {'scores': [0, 1]},
    {'scores': [0, 1], 'amounts': [0, 1]},
    {'scores': [0, 1], 'amounts': {'anger': [0, 1]}},
    {'scores': [0, 1], 'amounts': _curves([0, 0])},
    {'scores': [0, 1], 'amounts': _curves([0, 1], fear=[0.1, 1])},
    {'scores': [0, 0.5], 'amounts': _curves([0, 1])},
    {'scores': [0, 0.5, 1], 'amounts': _curves([0, 1])},
    {'scores': [0, 0.5, 1], 'amounts': _curves([0, 0.5, 1], fear=[0, 1, 0.9])},
    {'scores': [0, 'a'], 'amounts': _curves([0, 1])},
    {'scores': [], 'amounts': _curves([])},
    {'scores': [0, 1], 'amounts': _curves([0, float('inf')])},
  ],
)
def test_a_curve_that_does_not_rise_is_told(wrong):
  with pytest.raises(UserError, match='does not rise'):
    answer_of({NAME: wrong})
