"""The head moves about the portrait's own stance."""

import numpy as np
import pytest

from vasa_jax.inference.stance import DISTANCE, EYES, MOST_EYES, held
from vasa_jax.types import Motion


def still(pose=(0, 0, 0, 0, 0, 0), eyes=(0, 0), frames=3):
  z_pose = np.tile(np.float32(pose), (frames, 1))
  z_dyn = np.zeros((frames, 54), np.float32)
  z_dyn[:, EYES] = eyes
  return Motion(z_pose, z_dyn)


def test_a_frontal_portrait_changes_nothing():
  asked = still((0.1, 0.05, 0.02, 0.2, 0.01, 0.01), (0.1, -0.1))
  (made,) = held(still(frames=1), iter([asked]))
  np.testing.assert_array_equal(made.z_pose, asked.z_pose)
  np.testing.assert_array_equal(made.z_dyn, asked.z_dyn)


def test_head_is_held_as_in_the_portrait_and_the_gaze_stays():
  own = still((0.3, -0.1, 0.05, 0.15, 0.02, -0.03), frames=1)
  asked = still((0.1, 0.02, 0, 0.2, 0, 0), (0.1, 0.05))
  (made,) = held(own, iter([asked]))
  np.testing.assert_allclose(
    made.z_pose[0], [0.4, -0.08, 0.05, 0.2, 0.02, -0.03], atol=1e-6
  )
  # To the first order gaze is yaw + eye yaw, and eye pitch - pitch.
  before = asked.z_pose[:, 0] + asked.z_dyn[:, EYES][:, 0]
  after = made.z_pose[:, 0] + made.z_dyn[:, EYES][:, 0]
  np.testing.assert_allclose(after, before, atol=1e-6)
  before = asked.z_dyn[:, EYES][:, 1] - asked.z_pose[:, 1]
  after = made.z_dyn[:, EYES][:, 1] - made.z_pose[:, 1]
  np.testing.assert_allclose(after, before, atol=1e-6)


def test_distance_is_a_control_of_its_own():
  (made,) = held(still((0, 0, 0, 0.4, 0, 0), frames=1), iter([still()]))
  assert np.all(made.z_pose[:, DISTANCE] == 0)


@pytest.mark.parametrize('side', [-1, 1])
def test_eyes_stay_in_their_corners(side):
  (made,) = held(still((side * 0.8, 0, 0, 0, 0, 0), frames=1), iter([still()]))
  np.testing.assert_allclose(made.z_dyn[:, EYES][:, 0], -side * MOST_EYES)
  # What the model itself asked for beyond that is left to it.
  (made,) = held(still(frames=1), iter([still(eyes=(side * 0.6, 0))]))
  np.testing.assert_allclose(made.z_dyn[:, EYES][:, 0], side * 0.6)
