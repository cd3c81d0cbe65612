"""What may move: against where the template's vertices are, in both poses."""

import jax
import numpy as np
import pytest

from vasa_jax.face.prior import HeadTemplate, pose_head, project
from vasa_jax.face.template import load_template
from vasa_jax.inference.showing import matte
from vasa_jax.types import Motion

SIZE = 128
OWN = 0, 0, 0, 0.2, 0, 0


def _motion(*poses):
  pose = np.array(poses, np.float32)
  return Motion(pose, np.zeros((len(pose), 54), np.float32))


@pytest.fixture(scope='module')
def template():
  return load_template()


@pytest.fixture(scope='module')
def made(template):
  make = jax.jit(matte.matte, static_argnums=3)

  def of(own, *asked):
    vertices = template.mean[None]
    return np.asarray(make(vertices, _motion(own), _motion(*asked), SIZE))[..., 0]

  return of


def _cells(template, pose, which):
  """`(SIZE, SIZE)` bool: pixels in which those vertices lie."""
  head = HeadTemplate.of(template)
  posed = pose_head(head, template.mean[None], _motion(pose))
  screen = np.asarray(project(posed, np.array([pose], np.float32))[0])[0, which]
  places = np.floor(screen * SIZE).astype(int)
  places = places[(places >= 0).all(1) & (places < SIZE).all(1)]
  cells = np.zeros((SIZE, SIZE), bool)
  cells[places[:, 1], places[:, 0]] = True
  return cells


def test_both_heads_follow_whole(made, template):
  head = template.head_weight > 0.97
  asked = 0.3, 0.1, 0.1, 0.25, 0.05, -0.03
  found = made(OWN, asked)[0]
  inside = np.zeros_like(found, bool)
  inside[16:-16, 16:-16] = True  # the border fades
  for pose in (OWN, asked):
    cells = _cells(template, pose, head) & inside
    assert cells.sum() > 500 and found[cells].min() > 0.99


def test_hair_follows_and_shoulders_stay(made, template):
  found = made(OWN, OWN)[0]
  rows, columns = np.nonzero(_cells(template, OWN, template.head_weight > 0.97))
  middle = int(columns.mean())
  hat, chin = rows.min(), rows.max()
  # A hand above the skull goes with it, a collar does not.
  assert found[hat - 12, middle] > 0.9
  body = _cells(template, OWN, template.head_weight < 0.1)
  body[: chin + 16] = False
  assert body.sum() > 5 and found[body].max() < 0.15
  # The neck is in between.
  neck = found[chin : chin + 20, middle]
  assert (np.diff(neck) <= 1e-6).all() and 0.05 < neck[10] < 0.95


def test_no_edge_and_nothing_at_the_border(made):
  poses = OWN, (0.5, 0, 0.1, 0.2, 0.06, -0.03), (0, 0, 0, -0.3, 0, 0)
  found = made(OWN, *poses)
  assert found.min() >= 0 and found.max() <= 1
  assert not found[:, :2].any() and not found[:, :, -2:].any()
  assert not found[:, -2:].any() and not found[:, :, :2].any()
  steps = [np.abs(np.diff(found, axis=i)).max() for i in (1, 2)]
  # A flow of .06 of the crop that fades by so much a pixel hardly folds.
  assert max(steps) < 0.16


def test_a_body_that_goes_far_goes_whole(made, template):
  near, far = (0, 0, 0, 0.2, 0.1, 0), (0, 0, 0, 0.2, 0.24, 0)
  body = _cells(template, OWN, template.head_weight < 0.1)
  body[:96] = body[112:] = False
  leaning, walking = made(OWN, near, far)
  assert leaning[body].mean() < 0.5
  assert walking[body].mean() > 0.9


def test_what_leaves_the_picture_is_not_seen_on_the_other_side(made):
  away = made((0, 0, 0, 0.2, -2.0, 0), (0, 0, 0, 0.2, -2.0, 0))
  assert not away.any()
