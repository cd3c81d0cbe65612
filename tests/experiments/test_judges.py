"""The judges' sums against closed forms, and the truth against the renderer."""

import numpy as np
import pytest

from experiments import judge_corpus
from experiments.judges import shots, sums
from vasa_jax.metrics import gaze
from vasa_jax.metrics.pose import rotation


def frame_row(i, found=True):
  inside = i < 8  # the last mouth is cut off, and would spoil the line
  return {
    'detected': True, 'found': found, 'truth_pose': np.array([i, -i, 2.0 * i]),
    'truth_eyes': np.array([3.0 * i, i]), 'truth_opening': 0.1 * i, 'jaw': 0.0,
    'closed': 1.0 if i == 3 else 0.0, 'picture': np.zeros((8, 8, 3), np.uint8),
    'pose': np.array([i + 1.0, -i, -2.0 * i]), 'gaze': np.array([i, -i]),
    'opening': 0.05 * i + 0.2 if inside else 9.0, 'mouth_inside': inside,
    'mark_error': 0.01 * i,
  }  # fmt: skip


def test_perception_of_known_rows():
  rows = [frame_row(i) for i in range(9)] + [frame_row(9, found=False)]
  result, worst = sums.perception(rows)
  assert result['mesh'] == 0.9 and result['detected'] == 1.0
  assert result['yaw_r'] == pytest.approx(1) and result['yaw_error'] == pytest.approx(1)
  assert result['roll_r'] == pytest.approx(-1)
  assert result['mouth_r'] == pytest.approx(1) and np.isnan(result['jaw_r'])
  assert result['gaze_x_r'] == pytest.approx(1)
  assert result['gaze_y_r'] == pytest.approx(-1)
  assert worst[0][0] == 'no face' and worst[1][0] == 'marks 0.08'


def test_identity_of_known_codes():
  def person(*values):
    codes = [None if v is None else np.eye(128)[0] * v for v in values]
    return {'codes': codes, 'portrait': np.zeros((8, 8, 3), np.uint8)}

  judged = [person(0.0, 0.5), person(0.5, 1.3), person(2.0, None), person(None, 0.1)]
  result, worst = sums.identity(judged)
  assert result['different_below'] == pytest.approx(1 / 3)
  assert result['same_below'] == pytest.approx(1 / 2)
  assert result['described'] == pytest.approx(6 / 8)
  assert worst[0][0] == 'alike 0.50' and len(worst) == 6


def test_confusion_counts_faces_not_found():
  blank = np.zeros((8, 8, 3), np.uint8)
  rows = [
    {'emotion': 'fear', 'variant': 0, 'picture': blank, 'read': 'fear'},
    {'emotion': 'fear', 'variant': 1, 'picture': blank, 'read': 'surprise'},
    {'emotion': 'fear', 'variant': 1, 'picture': blank},
    {'emotion': 'fear', 'variant': 0, 'picture': blank, 'read': 'fear'},
  ]
  result, worst = sums.emotion(rows)
  assert result['right']['fear'] == 0.5
  assert result['confusion']['fear']['no face'] == 0.25
  assert result['by_variant']['fear'] == {'0': 1.0, '1': 0.0}
  assert [word for word, _ in worst] == ['fear>surpri', 'fear>no fac']


@pytest.mark.parametrize('yaw, pitch, right, up', [(0, 0, 20, 0), (25, -10, -15, 8)])
def test_gaze_is_read_from_a_drawn_eye(yaw, pitch, right, up):
  turn = rotation(np.array([yaw, pitch, 5.0]))
  middles = np.array([[-30.0, 0, 0], [30.0, 0, 0]])
  corners = np.array([[[-15.0, 0, 0], [15, 0, 0]]]) + middles[:, None]
  width = 90.0
  a, b = np.radians((right, up))
  ray = np.array([np.sin(a) * np.cos(b), np.sin(b), np.cos(a) * np.cos(b)])
  ball, irises = gaze.BALL, np.zeros((2, 5, 3))
  points = np.zeros((468, 3))
  flip = np.array([1, -1, -1])

  def place(p):  # the head's frame to the picture's
    return (turn @ p) * flip + (100, 100, 0)

  for side, indices in enumerate(((33, 133), (362, 263))):
    out = -ball.outward if side == 0 else ball.outward
    centre = middles[side] + width * np.array([out, ball.up, -ball.deep])
    irises[side, 0] = place(centre + width * ball.radius * ray)
    for index, corner in zip(indices, corners[side], strict=True):
      points[index] = place(corner)
  read = gaze.read_gaze(points, irises, np.array([yaw, pitch, 5.0]))
  np.testing.assert_allclose(read, (right, up), atol=1e-6)


@pytest.fixture(scope='module')
def face():
  units = np.zeros((2, 52), np.float32)
  units[1, judge_corpus._unit('jawOpen')] = 0.8
  return shots.draw_faces(5, units, size=64, supersample=1, plain=True)


def test_truth_of_a_frontal_face(face):
  closed, opened = face.opening
  assert closed < 0.06 and opened > closed + 0.15
  assert not face.pose[:, :3].any() and not face.eyes.any()
  left, right, chin = (face.marks[0, i] for i in (33, 263, 152))
  assert left[0] < 0.5 < right[0] and chin[1] > left[1] + 0.1
  # Only what the jaw moves has moved.
  moved = np.linalg.norm(face.marks[1] - face.marks[0], axis=1)
  assert moved[152] > 0.01 and moved[168] < 1e-4


def test_lips_pressed_past_each_other_are_closed():
  points = np.zeros((2, 468, 3))
  points[:, 33, 0], points[:, 263, 0] = -1, 1
  for upper in (13, 82, 312):
    points[:, upper, 1] = 0.5, -0.5
  np.testing.assert_allclose(shots.lip_opening(points), (0.25, 0.0))


def test_truth_follows_the_corpus():
  """The landmarks are the renderer's own, camera and torso included."""
  from data_pipelines.synthetic import clips

  drawn = clips.render_stills(6, 2, 64, 1)
  found = shots.draw_stills(6, 2, 64, 1)
  np.testing.assert_array_equal(found.marks, drawn.landmarks)
  np.testing.assert_array_equal(found.pictures, drawn.pictures)
  assert np.abs(drawn.performance.body).max() > 0


def test_no_weights_is_said_at_once(tmp_path, monkeypatch, capsys):
  monkeypatch.setenv('VASA_CACHE', str(tmp_path))
  code = judge_corpus.main(['--only', 'emotion', '--out', str(tmp_path / 'o')])
  assert code == 1 and 'fetch_weights emotion' in capsys.readouterr().err
  assert judge_corpus.main(['--out', 'x', '--frames', '1']) == 2


def test_report_of_one_part(tmp_path):
  from experiments.judges import sums as module

  text = module.markdown(
    {'frames': 2, 'identities': 2, 'size': 8, 'seed': 0, 'identity': {
      'described': 1.0, 'different_below': 0.1, 'different_mean': 0.7,
      'same_below': 0.5, 'same_mean': 0.3}}
  )  # fmt: skip
  assert '| different people below 0.6 | 10.0% | <= 12.0% | yes |' in text
  assert '| same person below 0.6 | 50.0% | >= 98.0% | no |' in text
  module.write_sheet(tmp_path / 's.png', [('x', np.zeros((9, 9, 3), np.uint8))] * 13)
  assert (tmp_path / 's.png').stat().st_size > 0
