"""The head moves about the portrait's own stance."""

import numpy as np
import pytest

from vasa_jax.inference.directing.stance import (
  DISTANCE,
  EYES,
  MOST_EYES,
  REACH,
  SHIFT,
  held,
  levelled,
)
from vasa_jax.types import Motion


def still(pose=(0, 0, 0, 0, 0, 0), eyes=(0, 0), frames=3):
  z_pose = np.tile(np.float32(pose), (frames, 1))
  z_dyn = np.zeros((frames, 54), np.float32)
  z_dyn[:, EYES] = eyes
  return Motion(z_pose, z_dyn)


def gazes(motion):
  """Yaw and pitch of the eyes before the camera, to the first order."""
  head, eyes = motion.z_pose[:, :2], motion.z_dyn[:, EYES]
  return np.stack([head[:, 0] + eyes[:, 0], eyes[:, 1] - head[:, 1]])


def test_small_motion_of_a_frontal_portrait_stays_as_it_is():
  asked = still((0.03, 0.02, 0.01, 0.2, 0, 0), (0.1, -0.1))
  asked.z_pose[:, SHIFT] = [[0.005, -0.005], [0, 0], [-0.005, 0.005]]
  (made,) = held(still(frames=1), iter([asked]))
  np.testing.assert_allclose(made.z_pose, asked.z_pose, atol=2e-4)
  np.testing.assert_allclose(made.z_dyn, asked.z_dyn, atol=2e-4)


def test_head_is_held_as_in_the_portrait_and_the_gaze_stays():
  own = still((0.3, -0.1, 0.05, 0.15, 0.02, -0.03), frames=1)
  asked = still((0.05, 0.02, 0, 0.2, 0, 0), (0.1, 0.05))
  (made,) = held(own, iter([asked]))
  wanted = [0.35, -0.08, 0.05, 0.2, 0.02, -0.03]
  np.testing.assert_allclose(made.z_pose[0], wanted, atol=1e-3)
  np.testing.assert_allclose(gazes(made), gazes(asked), atol=1e-6)


@pytest.mark.parametrize('axis', [0, 1, 2, 4, 5])
def test_far_excursions_are_drawn_in(axis):
  pose = np.zeros((4, 6), np.float32)
  pose[:, axis] = REACH[axis] * np.array([-3, -0.5, 0.5, 3])
  asked = Motion(pose, np.zeros((4, 54), np.float32))
  (made,) = held(still(frames=1), iter([asked]))
  found = made.z_pose[:, axis] / REACH[axis]
  assert np.all(np.abs(found) < 1) and np.all(np.diff(found) > 0)
  assert found[2] > 0.45
  np.testing.assert_allclose(gazes(made)[:, 1:3], gazes(asked)[:, 1:3], atol=1e-6)


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


def shifted(track):
  """Motion whose head only moves across the picture: `(t, 2)`."""
  asked = still(frames=len(track))
  asked.z_pose[:, SHIFT] = track
  return asked


def test_framing_is_the_portraits_own():
  t = np.arange(100)[:, None] / 25
  sway = 0.004 * np.sin(2 * np.pi * t)
  track = np.float32([0.03, -0.04] + sway)
  own = still((0, 0, 0, 0, 0.02, -0.03), frames=1)
  made = held(own, iter([shifted(track[:50]), shifted(track[50:])]))
  found = np.concatenate([one.z_pose for one in made])[:, SHIFT]
  np.testing.assert_allclose(found, [0.02, -0.03] + sway, atol=2e-4)


def test_framing_that_wanders_is_followed_without_a_jerk():
  # Two seconds here, then thirty there, over one second.
  track = np.interp(np.arange(800), [50, 75], [0.03, -0.03])[:, None] * [1, 0]
  windows = (shifted(track[i : i + 50]) for i in range(0, 800, 50))
  found = [one.z_pose[:, 4] for one in held(still(frames=1), windows)]
  assert np.abs(found[0]).max() < 1e-6
  assert np.abs(found[2]).max() > 0.03  # a move is a move at first
  assert np.abs(found[-1]).max() < 0.002
  steps = np.abs(np.diff(np.concatenate(found)))
  assert steps.max() < 0.06 / 25 * 1.05


def test_portraits_rather_look_level():
  """Half of what is found of looking up or down, seen from the camera, is believed."""
  pose, dyn = np.zeros((1, 6), np.float32), np.zeros((1, 54), np.float32)
  pose[0, 1], dyn[0, 52:] = -0.2, [0.3, 0.1]  # chin up, and eyes up: .3 in all
  found = levelled(Motion(pose, dyn)).z_dyn
  np.testing.assert_allclose(found[0, 52:], [0.3, -0.05], atol=1e-6)
  assert dyn[0, 53] == np.float32(0.1) and not found[0, :52].any()
