"""What was asked and what changed, of pictures whose change is known."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.metrics.disentangle import Frame, Swap
from vasa_jax.metrics.faces import find_mesh, mesh_pose
from vasa_jax.metrics.oracle import FaceAdapter, copy_source
from vasa_jax.metrics.pose import rotation
from vasa_jax.metrics.transfer import (
  FACTORS,
  changes,
  in_head_frame,
  matrix,
  read,
  score_transfers,
)
from vasa_jax.types import Motion


def rolled(picture, degrees):
  side = picture.shape[0]
  turn = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0)
  return cv2.warpAffine(picture, turn, (side, side), borderMode=cv2.BORDER_REFLECT)


def motion(roll):
  pose = np.array([0, 0, np.radians(roll), 0, 0, 0], np.float32)
  return Motion(pose, np.zeros(4, np.float32))


def describe(picture):
  """A person is the colour of the picture's middle."""
  side = picture.shape[0]
  middle = slice(side // 3, 2 * side // 3)
  return np.resize(picture[middle, middle].mean((0, 1)) / 255, 128)


@pytest.fixture(scope='module')
def mesh(portrait):
  return find_mesh(portrait)


def test_a_turned_head_keeps_its_face(mesh):
  here = in_head_frame(mesh, mesh_pose(mesh))
  world = np.diag([1.0, -1.0, -1.0])
  turn = world @ rotation(np.array([12.0, -8.0, 20.0])) @ world
  turned = 1.7 * mesh @ turn.T + np.array([30.0, -10.0, 0.0])
  there = in_head_frame(turned, mesh_pose(turned))
  np.testing.assert_allclose(there, here, atol=1e-3)
  assert np.linalg.norm(here[33] - here[263]) == pytest.approx(100)


def test_each_factor_is_read_by_its_own_judge(portrait):
  before = read(portrait, describe)
  same = changes(before, read(portrait, describe))
  assert same == pytest.approx(dict.fromkeys(FACTORS, 0.0), abs=1e-9)
  turned = changes(before, read(rolled(portrait, 10), describe))
  assert turned['pose'] == pytest.approx(10, abs=1.5)
  assert turned['expression'] < 6 and turned['gaze'] < 6
  redder = portrait.copy()
  redder[..., 0] = np.minimum(redder[..., 0].astype(int) + 25, 255)
  other = changes(before, read(redder, describe))
  assert other['identity'] > 0.3 and other['pose'] < 2
  assert np.isnan(changes(before, read(portrait))['identity'])  # nobody described
  blank = read(np.full_like(portrait, 90), describe)
  assert all(np.isnan(x) for x in changes(before, blank).values())


@pytest.fixture(scope='module')
def rows(portrait):
  turned = rolled(portrait, 10)
  base, other = Frame(portrait, motion(0)), Frame(turned, motion(10))
  darker = Frame((portrait * 0.8).astype(np.uint8), motion(0))

  def swap(asked, portrait, donor, truth, taken):
    return Swap(asked, donor, taken, 'anna', portrait, np.zeros(4), truth)

  swaps = [
    swap('pose', base, other, turned, 'pose'),
    swap('pose', other, base, portrait, 'pose'),
    swap('identity', darker, base, darker.picture, 'motion'),
  ]

  def decode(code, asked):
    pictures, own = code
    turn = np.degrees(np.asarray(asked.z_pose[:, 2] - own.z_pose[:, 2]))
    made = [
      rolled(np.asarray(p), float(d)) for p, d in zip(pictures, turn, strict=True)
    ]
    return jnp.asarray(np.stack(made))

  obedient = FaceAdapter(lambda picture, own, shape: (picture, own), decode)
  systems = {'obedient': obedient, 'copy': copy_source()}
  return score_transfers(systems, swaps, describe)


def test_who_obeys_is_like_the_truth_and_who_copies_changes_nobody(rows):
  assert [row['system'] for row in rows] == ['truth'] * 3 + ['obedient'] * 3 + [
    'copy'
  ] * 3
  table = {
    name: matrix([row for row in rows if row['system'] == name])
    for name in ('truth', 'obedient', 'copy')
  }
  for name in ('truth', 'obedient'):
    assert table[name]['pose']['pose']['value'] == pytest.approx(10, abs=1.5)
    assert table[name]['pose']['identity']['value'] < 0.2
    assert table[name]['identity']['identity']['value'] > 0.4
    assert table[name]['identity']['pose']['value'] < 2
  copied = table['copy']
  assert copied['pose']['pose']['value'] < 1e-9
  assert copied['identity']['identity']['value'] > 0.4  # it shows the other portrait
  assert copied['pose']['pose']['people'] == 1
  assert np.isnan(table['truth']['gaze']['pose']['value'])  # nobody asked
