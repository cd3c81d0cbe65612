"""The presets: bounded, distinct, with the muscles that their names promise."""

import numpy as np
import pytest

from data_pipelines.synthetic.acting.emotions import (
  EMOTION_UNITS,
  EMOTION_VARIANTS,
  EMOTIONS,
)
from data_pipelines.synthetic.acting.visemes import UNIT


def test_every_emotion_has_a_main_face_and_variants():
  assert set(EMOTION_UNITS) == set(EMOTION_VARIANTS) == set(EMOTIONS)
  for name in EMOTIONS:
    variants = EMOTION_VARIANTS[name]
    assert variants.ndim == 2 and variants.shape[1] == 52
    np.testing.assert_array_equal(EMOTION_UNITS[name], variants[0])
    assert variants.min() >= 0 and variants.max() <= 1.4
  assert not EMOTION_VARIANTS['neutral'].any()


@pytest.mark.parametrize(
  'name, units',
  [
    ('anger', 'browDownLeft'),
    ('disgust', 'noseSneerLeft mouthUpperUpLeft'),
    ('fear', 'browInnerUp eyeWideLeft mouthStretchLeft'),
    ('happiness', 'mouthSmileLeft cheekSquintLeft'),
    ('sadness', 'mouthFrownLeft browInnerUp'),
    ('surprise', 'browInnerUp browOuterUpLeft eyeWideLeft jawOpen'),
  ],
)
def test_faces_move_the_muscles_of_their_prototype(name, units):
  for unit in units.split():
    assert (EMOTION_VARIANTS[name][:, UNIT[unit]] > 0.3).all(), unit
