"""The judge's sums, and the fit on looks whose truth is known."""

import numpy as np
import pytest

from data_pipelines.perceive import readout
from data_pipelines.perceive.geometry import fit_head
from experiments import fit_perception, judge_perception
from experiments.perception_clips import true_opening
from vasa_jax.metrics.faces import mean_mesh
from vasa_jax.metrics.pose import rotation


def test_spans_and_meetings():
  shut = np.array([0, 1, 1, 0, 0, 0, 0, 0, 1], bool)
  found = judge_perception.spans(shut)
  np.testing.assert_array_equal(found, [[1, 3], [8, 9]])
  late = np.array([[4, 5]])
  assert judge_perception.meeting(found, late) == 1  # one frame beside it is near
  assert judge_perception.meeting(found, late, near=1) == 0
  assert judge_perception.meeting(late, np.zeros((0, 2), int)) == 0


def test_summary_of_a_perfect_and_of_a_biased_reader():
  rng = np.random.default_rng(0)
  true = rng.normal(size=(50, 9))
  clip = {
    'read': true, 'true': true, 'visible': np.ones(50, bool), 'blinks': 2,
    'blinks found': 1, 'reported': 3, 'reported right': 2, 'speech': 0.5, 'ms': 4.0,
    'main gaze error': np.array([1.0, 2.0]),
  }  # fmt: skip
  found = judge_perception.summarise([clip])
  assert found['yaw']['r'] == pytest.approx(1) and found['yaw']['error'] == 0
  two = [clip, {**clip, 'read': true + 3}]
  found = judge_perception.summarise(two)
  assert found['pitch']['bias'] == pytest.approx(1.5)
  assert found['pitch']['r'] < 0.7  # a bias from clip to clip counts
  text = judge_perception.as_markdown(found)
  assert 'blinks found: 2 of 4' in text and '| yaw |' in text


def test_a_jaw_that_drops_opens_the_mouth():
  from data_pipelines.synthetic.acting.visemes import UNIT

  units = np.zeros((3, 52))
  units[1, UNIT['jawOpen']] = 0.3
  units[2, UNIT['jawOpen']] = 0.6
  opening = true_opening(units, np.zeros(64))
  assert opening[0] < 0.05 and opening[1] > opening[0] + 0.05
  assert opening[2] > opening[1] + 0.05


def _looks(people=60, frames=4):
  """Turned mean meshes; who has a long nose reads 6 degrees of pitch too few."""
  rng = np.random.default_rng(1)
  rows = []
  for person in range(people):
    nose = rng.normal()
    shape = mean_mesh().copy()
    shape[1:5, 2] += 0.05 * nose
    for _ in range(frames):
      angles = rng.normal(0, (15, 8, 6))
      points = shape @ rotation(angles).T * [0.1, -0.1, -0.1] + [0.5, 0.5, 0]
      width = 0.05
      lids, iris = np.zeros((2, 71, 3)), np.zeros((2, 5, 3))
      eyes = rng.normal(0, 0.15, 2)
      for side, pair in enumerate(((33, 133), (362, 263))):
        middle = points[list(pair)].mean(0)
        lids[side] = middle
        ends = (8, 0) if side == 0 else (0, 8)
        lids[side, ends[0], 0] -= width / 2
        lids[side, ends[1], 0] += width / 2
        lids[side, 3:6, 1] += 0.15 * width
        lids[side, 11:14, 1] -= 0.15 * width
        iris[side] = middle + [0.4 * width * eyes[0], -0.4 * width * eyes[1], 0]
      rows.append(
        {'points': points, 'lids': lids, 'iris': iris, 'score': 1.0, 'angles': angles,
         'eyes': eyes, 'shut': 0.0, 'seed': person, 'nose': nose}
      )  # fmt: skip
  looks = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
  looks['pose'] = fit_head(looks['points'])
  looks['pose'][:, 1] += 6 * looks.pop('nose')
  return looks


def test_the_fit_takes_a_persons_bias_away_on_people_it_never_saw():
  looks = _looks()
  read = fit_perception.left_out(looks)
  rough = fit_head(looks['points'])
  before = np.abs(rough[:, 1] - looks['pose'][:, 1]).mean()
  after = np.abs(read[:, 1] - looks['pose'][:, 1]).mean()
  assert before > 4 and after < 0.35 * before
  for i in (0, 1):
    assert np.corrcoef(read[:, 6 + i], looks['eyes'][:, i])[0, 1] > 0.95


def test_the_shipped_numbers_belong_to_this_reader():
  known = readout.load_calibration()
  assert known.basis.shape == (1404, readout.COMPONENTS)
  assert known.pose.shape == (11 + readout.COMPONENTS, 6)
  assert known.eyes.shape == (27, 2)
  # the readout corrects, it does not overrule: a straight head stays nearly straight
  points = (mean_mesh() * [0.12, -0.12, -0.12] + [0.5, 0.5, 0])[None]
  rough = fit_head(points)
  terms = readout.pose_terms(
    rough, readout.head_frame(points, rough), known.mean, known.basis
  )
  assert np.abs(terms @ known.pose)[0, :3].max() < 6
