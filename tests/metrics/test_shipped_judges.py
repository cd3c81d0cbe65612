"""The nets that come with the package: what must lower their scores."""

import numpy as np
import pytest

from vasa_jax.metrics.capp import CappJudge

POSE = np.cumsum(np.random.default_rng(0).normal(0, 0.4, (120, 3)), 0)


@pytest.fixture(scope='module')
def curves():
  """Scores of the shipped net on speakers of the test split, by the built-in voice."""
  from data_pipelines.motion_hearing import front_end
  from experiments.capp_run import curves
  from experiments.motion_judging.speakers import speakers

  ear = front_end('log-mel')
  clips = []
  for one in speakers(10, 7, ['formant']):
    heard = ear.hear(one.audio)[: len(one.motion)].astype(np.float32)
    clips.append(
      (np.degrees(one.motion[: len(heard), :3]), heard * ear.scale + ear.offset)
    )
  return {k: v.mean() for k, v in curves(CappJudge.shipped(), clips).items()}


def test_shifted_sound_lowers_the_score(curves):
  for sign in (-1, 1):
    row = [curves[f'shift {sign * n}'] for n in (0, 2, 4)]
    assert row[0] > row[1] > row[2] and row[0] - row[2] > 0.2


def test_scaled_motion_lowers_the_score_on_both_sides(curves):
  row = [curves[f'scale {x:g}'] for x in (0.2, 1, 3)]
  assert row[1] > row[0] and row[1] > row[2]


def test_same_input_same_score_and_a_common_turn_changes_nothing():
  judge = CappJudge.shipped()
  features = np.random.default_rng(3).standard_normal((100, 320)).astype(np.float32)
  pose = POSE[:100]
  one = judge.score(pose, features)
  assert judge.score(pose, features) == one
  assert judge.score(pose + [20, -5, 3], features) == pytest.approx(one, abs=1e-3)
