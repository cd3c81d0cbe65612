"""Lids that shut: what must hold for any portrait."""

import jax
import numpy as np
import pytest

from vasa_jax.face.kinds import BLINKS
from vasa_jax.inference.drawing import eyelids as eyelids_lib
from vasa_jax.inference.drawing.rims import placed
from vasa_jax.types import Motion

SIZE = 256


@pytest.fixture(scope='module')
def draw(sitter, fitted):
  """What is drawn into pictures of one grey for eyes that close by so much."""
  vertices, motion = fitted
  lids = eyelids_lib.eyelids(sitter, vertices, SIZE)
  drawn, fine = jax.jit(eyelids_lib.drawn), sitter.cut(2 * SIZE)

  def made(left=0.0, right=0.0, pose=(), below=0.1, lids=lids):
    z_pose, z_dyn = np.array(motion.z_pose), np.array(motion.z_dyn)
    for index, value in dict(pose).items():
      z_pose[0, index] += value
    # eyeBlinkLeft is the eye at the picture's right.
    z_dyn[0, list(BLINKS)] += [right, left]
    pictures = np.full((1, SIZE, SIZE, 3), below, np.float32)
    return np.asarray(drawn(pictures, lids, motion, Motion(z_pose, z_dyn), fine))[0]

  return made


def _eye(sitter, which):
  lids = eyelids_lib.EYES[which]
  points = sitter.points[[mark for lid in lids for mark in lid]] * SIZE
  return points.min(0), points.max(0)


def test_open_eyes_are_left_alone(draw):
  turned = [{'pose': {i: value}} for i in (0, 1, 2) for value in (-0.25, 0.25)]
  for asked in ({}, {'left': 0.1, 'right': 0.1}, {'left': -0.3}, *turned):
    np.testing.assert_array_equal(draw(**asked), np.float32(0.1))


@pytest.mark.parametrize('which', [0, 1])
def test_each_eye_shuts_by_itself(draw, sitter, which):
  made = draw(**{('left', 'right')[which]: 0.75})
  y, x = np.nonzero(np.abs(made - 0.1).max(-1) > 0.02)
  low, high = _eye(sitter, which)
  wide, (middle_x, middle_y) = high[0] - low[0], (low + high) / 2
  assert abs(x.mean() - middle_x) < 0.15 * wide
  assert abs(y.mean() - middle_y) < 0.3 * wide
  reach = (eyelids_lib.OUTER[1] - 0.5) * wide + 2
  assert low[0] - reach < x.min() and x.max() < high[0] + reach
  assert np.ptp(x) > 0.8 * wide  # all of it


def test_a_shut_lid_is_skin_with_lashes_along_its_edge(draw, sitter):
  made = draw(left=0.75, right=0.75, below=0.0)
  low, high = _eye(sitter, 0)
  column = made[int(low[1]) - 2 : int(high[1]) + 6, int((low[0] + high[0]) / 2)]
  cheek = sitter.crop[int(high[1]) + 8, int((low[0] + high[0]) / 2)] / 255
  brightest = column[column.mean(-1).argmax()]
  np.testing.assert_allclose(brightest, cheek, atol=0.15)
  line = int(column[4:-2].mean(-1).argmin()) + 4
  assert column[line].mean() < 0.75 * brightest.mean()
  assert column[line - 3 : line - 1].mean() > 1.15 * column[line].mean()


def test_nothing_of_the_eye_is_left_below_lids_that_meet(sitter, fitted):
  """The flow squeezes the white of an eye to a line beside the lower lid."""
  vertices, motion = fitted
  lids = eyelids_lib.eyelids(sitter, vertices, SIZE)
  z_dyn = np.array(motion.z_dyn)
  z_dyn[0, list(BLINKS)] += 0.75
  asked = motion.replace(z_dyn=z_dyn)
  at_rest, points = (placed(lids.points, one)[0] for one in (motion, asked))
  fine, wide = sitter.cut(2 * SIZE), np.ptp(_eye(sitter, 0), axis=0)[0]
  squeezed = np.repeat(sitter.crop[None], 2, 0) / np.float32(255)
  for eye in range(2):
    now = eyelids_lib.eye_rims(eye, points, at_rest, lids.lids)
    assert now.opening() < 0.03
    x, y = (np.asarray(now.centre()) * SIZE).astype(int)
    squeezed[1, y : y + int(0.12 * wide), x - 3 : x + 4] = 1
  assert (squeezed[0] != squeezed[1]).any()
  drawn = jax.jit(eyelids_lib.drawn)
  plain, found = (drawn(x[None], lids, motion, asked, fine) for x in squeezed)
  np.testing.assert_allclose(found, plain, atol=0.02)


def test_a_near_eye_ends_nowhere(draw):
  made = np.abs(draw(left=0.75, right=0.75, pose={3: -0.5}, below=0.0)).max(-1)
  rows, columns = np.nonzero(made > 0)
  edges = made[rows.min()], made[rows.max()], made[:, columns.min()]
  assert max(edge.max() for edge in (*edges, made[:, columns.max()])) < 0.15


def test_it_begins_without_a_jump(draw):
  amounts = np.linspace(0.1, 0.7, 25)
  pictures = np.stack([draw(left=value)[::2, ::2] for value in amounts])
  steps = np.abs(np.diff(pictures, axis=0)).mean((1, 2, 3))
  assert steps.max() < 0.25 * steps.sum()


def test_eyes_that_are_shut_in_the_portrait_stay_as_they_are(draw, sitter, fitted):
  points = sitter.landmarks.points.copy()
  for upper, lower in eyelids_lib.EYES:
    points[list(upper)] = points[list(lower)]
  asleep = sitter._replace(landmarks=sitter.landmarks._replace(points=points))
  lids = eyelids_lib.eyelids(asleep, fitted[0], SIZE)
  np.testing.assert_array_equal(draw(left=0.7, lids=lids), np.float32(0.1))


def test_a_dark_brow_does_not_colour_the_lid(sitter, fitted):
  """Deep-set eyes have their brow where others have skin."""
  dark = sitter.crop.copy()
  for which in (0, 1):
    low, high = _eye(sitter, which)
    wide = high[0] - low[0]
    dark[int(low[1] - 0.5 * wide) : int(low[1] - 2), int(low[0]) : int(high[0])] = 30
  plain = eyelids_lib.eyelids(sitter, fitted[0], SIZE).skin
  found = eyelids_lib.eyelids(sitter._replace(crop=dark), fitted[0], SIZE).skin
  assert found.mean() > 0.85 * plain.mean()
