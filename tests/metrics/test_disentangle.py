"""What changed against what was asked, on systems whose faults are known."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.metrics.disentangle import Frame, Swap, driven, score_swaps
from vasa_jax.metrics.oracle import FaceAdapter
from vasa_jax.types import Motion


def motion(roll, dynamics):
  pose = np.array([0, 0, np.radians(roll), 0, 0, 0], np.float32)
  return Motion(pose, np.full(4, dynamics, np.float32))


def rolls(leak):
  """A system that turns the portrait by z_pose, and by `leak` of z_dyn's first."""

  def decode(code, asked):
    turned = []
    for picture, pose, dyn in zip(code, asked.z_pose, asked.z_dyn, strict=True):
      side = picture.shape[0]
      degrees = float(np.degrees(pose[2]) + leak * dyn[0])
      matrix = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0)
      turned.append(
        cv2.warpAffine(
          np.asarray(picture), matrix, (side, side), borderMode=cv2.BORDER_REFLECT
        )
      )
    return jnp.asarray(np.stack(turned))

  return FaceAdapter(lambda picture, own, shape: picture, decode)


@pytest.fixture(scope='module')
def swaps(portrait):
  common = {
    'name': 'anna', 'portrait': Frame(portrait, motion(0, 0)), 'shape': np.zeros(4),
  }  # fmt: skip
  donor = Frame(portrait, motion(10, 1))
  return [
    Swap('nothing', donor, 'dynamics', truth=portrait, **common),
    Swap('pose', donor, 'pose', identity=True, **common),
  ]


def test_a_latent_is_taken_alone():
  own, other = motion(1, 2), motion(3, 4)
  for taken, pose, dynamics in (
    ('pose', other, own), ('dynamics', own, other), ('motion', other, other),
  ):  # fmt: skip
    asked = driven(own, other, taken)
    assert asked.z_pose is pose.z_pose and asked.z_dyn is dynamics.z_dyn


def test_a_leak_is_told_from_a_head_that_obeys(swaps):
  dyn, pose = score_swaps(rolls(0.0), swaps, 'clean', batch=2)
  assert dyn['pose_change'] == pytest.approx(0, abs=1e-6)
  assert dyn['mouth_change'] == dyn['mouth_asked'] == 0 and dyn['psnr'] > 60
  assert pose['pose_change'] == pytest.approx(10, abs=1.5)
  assert pose['pose_asked'] == pytest.approx(10, abs=1e-3)
  assert dyn['turn_share'] == 0 and pose['turn_share'] == pytest.approx(1, abs=0.15)
  assert pose['pose_miss'] < 1.5 and np.isnan(pose['psnr'])

  dyn, pose = score_swaps(rolls(8.0), swaps, 'leaking', batch=3)
  assert dyn['pose_change'] == pytest.approx(8, abs=1.5)
  assert dyn['turn_share'] == pytest.approx(0.8, abs=0.15)
  assert dyn['pose_miss'] == pytest.approx(dyn['pose_change'], abs=1e-6)
  assert dyn['psnr'] < 30 and pose['pose_miss'] < 1.5


def test_learned_latents_are_read_from_the_pictures(swaps):
  """The labels lie, and nobody looks at them."""
  seen = []

  def perceive(picture):
    seen.append(picture.shape)
    n = picture.shape[0]
    return Motion(jnp.zeros((n, 6)), jnp.zeros((n, 4)))

  blind = rolls(0.0)
  adapter = FaceAdapter(blind.encode, blind.decode, perceive)
  rows = score_swaps(adapter, swaps, 'blind', batch=2)
  assert len(seen) == 2  # portraits, donors
  assert rows[1]['pose_change'] < 1e-6 and rows[1]['pose_miss'] > 8


def test_no_face_is_not_a_small_change(swaps):
  blank = FaceAdapter(lambda p, m, s: p, lambda code, m: jnp.full_like(code, 0.4))
  for row in score_swaps(blank, swaps, 'blank', batch=2):
    assert row['found'] == 0 and np.isnan(row['pose_change'])


def test_identity_is_asked_for_where_it_is_wanted(swaps):
  def describe(picture):
    assert picture.dtype == np.uint8 and picture.shape[0] == 256
    return picture.mean((0, 1)) / 255

  dyn, pose = score_swaps(rolls(0.0), swaps, 'clean', describe, batch=2)
  assert np.isnan(dyn['identity']) and 0 < pose['identity'] < 0.1
  assert pose['identity_rest'] == pytest.approx(0, abs=1e-3)
