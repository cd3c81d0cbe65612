"""Rendered people as the head template sees them."""

import numpy as np
import pytest

from data_pipelines.synthetic import assets, pack_template, shape
from data_pipelines.synthetic.people import heads
from vasa_jax.face.template import EYEBALL, MOUTH, SKIN, load_template

UNSEEN = 2 << 40  # a person that the template was not made from


@pytest.fixture(scope='module')
def people():
  return [heads.sample_identity(UNSEEN + i) for i in range(3)]


def test_selection_is_the_templates_order(people):
  head, parts = load_template(), assets.load_assets().parts
  count = sum(len(index) for index in shape.selection().values())
  assert count == len(head.mean) == len(shape.template_vertices(people[0]))
  kinds = [
    np.full(len(index), {'skin': SKIN, 'eyes': EYEBALL}.get(name, MOUTH))
    for name, index in shape.selection().items()
  ]
  # Skin that lines the mouth counts as mouth; nothing else changes its kind.
  kinds = np.concatenate(kinds)
  changed = head.kind != kinds
  assert 0 < changed.sum() < 2000
  assert (kinds[changed] == SKIN).all() and (head.kind[changed] == MOUTH).all()
  for name, index in shape.selection().items():
    ids = parts[name].position_id[index]
    assert len(np.unique(ids)) == len(ids), 'a place is taken twice'


def test_64_coefficients_describe_an_unseen_person(people):
  head = load_template()
  for person in people:
    exact = shape.template_vertices(person)
    coefficients = shape.identity_shape(person)
    assert coefficients.shape == (64,) and coefficients.dtype == np.float32
    error = np.linalg.norm(head.vertices(coefficients) - exact, axis=-1)
    deviation = np.linalg.norm(head.mean - exact, axis=-1)
    # 0.031 model units are 0.01 of the crop.
    assert np.quantile(error, 0.99) < 0.031 and error.max() < 0.06
    assert error.mean() < 0.15 * deviation.mean()


def test_people_differ_by_unit_variance():
  shapes = np.stack([shape.identity_shape(heads.sample_identity(i)) for i in range(24)])
  assert 0.6 < shapes[:, :16].std() < 1.4
  assert np.abs(shapes.mean(0)).max() < 1.0


def test_same_person_same_vertices(people):
  again = heads.sample_identity(UNSEEN)
  np.testing.assert_array_equal(
    shape.template_vertices(again), shape.template_vertices(people[0])
  )


def test_eyes_sit_in_front_of_their_centres(people):
  head = load_template()
  for person in people:
    vertices = shape.template_vertices(person)
    assert (head.eye > 0).sum() == (head.kind == EYEBALL).sum()
    for side, centre in zip((1, 2), person.eye_centres - person.pivot, strict=True):
      ball = vertices[head.eye == side]
      reach = np.linalg.norm(ball - centre, axis=-1)
      assert reach.min() > 0.9 * reach.max(), 'not a sphere about its centre'
      assert ball[:, 2].max() - centre[2] > 0.9 * reach.max()


def test_barycentric_weights_rebuild_their_points():
  rng = np.random.default_rng(0)
  corners = rng.normal(size=(5, 3, 2))
  points = rng.normal(size=(4, 2))
  weights = pack_template._barycentric(points, corners)
  np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-9)
  rebuilt = np.einsum('ptk,tkc->ptc', weights, corners)
  np.testing.assert_allclose(
    rebuilt, np.broadcast_to(points[:, None], (4, 5, 2)), atol=1e-6
  )


def test_surface_samples_lie_in_triangles_facing_the_camera():
  head = load_template()
  np.testing.assert_allclose(head.surfel_weight.sum(1), 1, atol=2e-3)
  assert head.surfel_weight.min() > -1e-3
  np.testing.assert_allclose(head.landmark_weight.sum(1), 1, atol=2e-3)
  places = (head.mean[head.landmark_index] * head.landmark_weight[..., None]).sum(1)
  # Nose tip before the eyes' corners, mouth below them, chin lowest.
  nose, right, left, lips, chin = places[[1, 33, 263, 13, 152]]
  assert right[0] < nose[0] < left[0] and nose[2] > max(right[2], left[2])
  assert chin[1] < lips[1] < nose[1] < right[1]
