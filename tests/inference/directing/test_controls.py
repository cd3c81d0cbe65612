import json

import numpy as np
import pytest

from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference.directing.controls import read_file, to_arrays
from vasa_jax.types import EMOTIONS


def test_constants():
  made = to_arrays({'gaze': [10, -5], 'distance': 1.2, 'emotion': None}, 50)
  np.testing.assert_array_equal(made['gaze'], np.float32([10, -5]))
  np.testing.assert_array_equal(made['distance'], np.float32([1.2]))
  assert set(made) == {'gaze', 'distance'}


def test_key_frames_go_in_straight_lines():
  keys = [{'time': 0.2, 'value': 1.0}, {'time': 0.6, 'value': 1.4}]
  made = to_arrays({'distance': keys}, 25)['distance']
  assert made.shape == (25, 1) and made.dtype == np.float32
  np.testing.assert_allclose(made[:6, 0], 1.0)
  np.testing.assert_allclose(made[10, 0], 1.2)
  np.testing.assert_allclose(made[15:, 0], 1.4)


def test_emotions_by_name():
  scores = to_arrays({'emotion': {'happiness': 0.75}}, 1)['emotion']
  assert scores[EMOTIONS.index('happiness')] == 0.75
  assert scores[EMOTIONS.index('neutral')] == 0.25
  both = to_arrays({'emotion': {'happiness': 1.0, 'surprise': 1.0}}, 1)['emotion']
  assert both.sum() == pytest.approx(1) and both[EMOTIONS.index('surprise')] == 0.5


@pytest.mark.parametrize(
  ('asked', 'says'),
  [
    ({'gase': [0, 0]}, 'unknown control gase'),
    ({'gaze': [1]}, '2 numbers are needed, not 1'),
    ({'gaze': ['a', 'b']}, 'not a number'),
    ({'gaze': [99, 0]}, 'between -60 and 60'),
    ({'distance': float('nan')}, 'between 0.5 and 2'),
    ({'distance': 0}, 'between 0.5 and 2'),
    ({'emotion': {'hunger': 1}}, 'unknown emotion hunger; there are anger'),
    ({'emotion': {'happy': 0.1, 'joy': 0.2}}, 'happiness is given twice'),
    ({'emotion': {'fear': 2}}, 'not between 0 and 1'),
    ({'emotion': {'fear': 'much'}}, 'not a number'),
    ({'distance': [{'time': 0}]}, 'needs a "time" and a "value"'),
    ({'distance': [{'time': 1, 'value': 1}, {'time': 1, 'value': 2}]}, 'must rise'),
  ],
)
def test_wrong_controls(asked, says):
  with pytest.raises(UsageError, match=says):
    to_arrays(asked, 10)


def test_emotions_by_everyday_names():
  pairs = {
    'happy': 'happiness', 'Angry': 'anger', 'sad': 'sadness', 'surprised': 'surprise',
    'afraid': 'fear', 'disgusted': 'disgust', 'contemptuous': 'contempt',
  }  # fmt: skip
  for everyday, name in pairs.items():
    one, two = (
      to_arrays({'emotion': {n: 0.6}}, 1)['emotion'] for n in (everyday, name)
    )
    np.testing.assert_array_equal(one, two)
    assert one[EMOTIONS.index(name)] == np.float32(0.6)
  assert (
    to_arrays({'emotion': {'calm': 1}}, 1)['emotion'][EMOTIONS.index('neutral')] == 1
  )


def test_emotions_change_over_time():
  keys = [{'time': 0, 'value': {'sad': 1}}, {'time': 1, 'value': {'happy': 1}}]
  made = to_arrays({'emotion': keys}, 26)['emotion']
  assert made.shape == (26, 8)
  np.testing.assert_allclose(made.sum(1), 1, atol=1e-6)
  assert (np.diff(made[:, EMOTIONS.index('happiness')]) > 0).all()


def test_file(tmp_path):
  path = tmp_path / 'c.json'
  path.write_text(json.dumps({'gaze': [1, 2]}))
  assert read_file(path) == {'gaze': [1, 2]}
  path.write_text('[]')
  with pytest.raises(UserError, match='JSON object'):
    read_file(path)
  path.write_text('{')
  with pytest.raises(UserError, match='not valid JSON'):
    read_file(path)
  path.write_bytes(b'\xff\xfe')
  with pytest.raises(UserError, match='not valid JSON'):
    read_file(path)
  with pytest.raises(UserError, match='cannot be read'):
    read_file(tmp_path / 'none.json')
