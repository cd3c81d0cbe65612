"""The head template as shipped."""

import numpy as np

from vasa_jax.face.template import MOUTH, SKIN, load_template
from vasa_jax.inference.directing.named_motion import UNITS
from vasa_jax.inference.drawing.eyelids import EYES
from vasa_jax.inference.drawing.lips import LOWER_LIP, UPPER_LIP


def test_shape_and_vertices_are_inverse(head):
  shape = np.random.default_rng(0).normal(size=64)
  np.testing.assert_allclose(head.shape_of(head.vertices(shape)), shape, atol=2e-3)
  many = head.vertices(np.stack([shape, 0 * shape]))
  np.testing.assert_allclose(many[0], head.vertices(shape), atol=1e-6)
  np.testing.assert_array_equal(many[1], head.mean)


def test_basis_is_orthogonal(head):
  flat = head.basis.reshape(64, -1)
  flat = flat / np.linalg.norm(flat, axis=1, keepdims=True)
  np.testing.assert_allclose(flat @ flat.T, np.eye(64), atol=1e-2)


def test_read_once_and_well_formed(head):
  assert load_template() is head
  vertices = len(head.mean)
  assert head.basis.shape == (64, vertices, 3) and head.units.shape == (52, vertices, 3)
  for index in (head.surfel_index, head.landmark_index):
    assert index.min() >= 0 and index.max() < vertices
  assert head.landmark_index.shape == (468, 3)
  assert head.head_weight.min() >= 0 and head.head_weight.max() <= 1
  assert (head.head_weight[head.kind == MOUTH] == 1).mean() > 0.99
  assert head.head_weight[head.kind == SKIN].min() < 0.3  # the neck stays
  assert not head.units[:, head.eye > 0].any()  # eyeballs turn, they do not bend


def test_the_jaw_takes_the_lower_lip_along_and_not_the_upper_one(head):
  """Touching lips are one place at rest: a landmark may be traced to the wrong one."""
  falls = head.units[UNITS.index('jawOpen'), ..., 1][head.landmark_index]
  falls = -(falls * head.landmark_weight).sum(1)
  inner = slice(1, -1)  # without the corners
  assert falls[list(LOWER_LIP)][inner].min() > 0.15
  assert falls[list(UPPER_LIP)][inner].max() < 0.08
  left, right = falls[list(LOWER_LIP)], falls[list(LOWER_LIP[::-1])]
  np.testing.assert_allclose(left, right, atol=0.02)


def test_lower_lids_lie_on_the_face(head):
  """Not on the back of the eye's socket, a third of a head's depth behind them."""
  depth = (head.mean[head.landmark_index, 2] * head.landmark_weight).sum(1)
  for upper, lower in EYES:
    assert np.abs(depth[list(upper)].mean() - depth[list(lower)].mean()) < 0.06
    assert depth[list(lower)].min() > 1.0
