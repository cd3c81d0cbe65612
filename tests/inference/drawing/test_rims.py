"""Points of a head on the screen, and rims of an opening."""

import jax.numpy as jnp
import numpy as np

from vasa_jax.face.enlarge import Part, all_of
from vasa_jax.face.prior import HeadTemplate, pose_head, project
from vasa_jax.face.template import load_template
from vasa_jax.inference.drawing import rims
from vasa_jax.types import Motion


def test_points_lie_where_the_whole_head_has_them():
  template = load_template()
  rng = np.random.default_rng(0)
  z_pose = rng.normal(size=(3, 6)).astype(np.float32) * [0.2, 0.1, 0.2, 0.1, 0.02, 0.02]
  motion = Motion(np.float32(z_pose), rng.uniform(0, 0.5, (3, 54)).astype(np.float32))
  marks, others = (13, 14, 159, 263), np.array([5, 6000])
  found = rims.placed(rims.points(template.mean, marks, others), motion)
  vertices = np.repeat(template.mean[None], 3, 0)
  screen, _ = project(pose_head(HeadTemplate.of(template), vertices, motion), z_pose)
  at = screen[:, template.landmark_index[list(marks)]]
  at = (at * template.landmark_weight[list(marks)][..., None]).sum(2)
  # Landmarks hang on their triangles, which a turn bends by less than this.
  np.testing.assert_allclose(found[:, :4], at, atol=1e-3)
  np.testing.assert_allclose(
    found[:, 4], screen[:, 5], atol=2e-3
  )  # a neck follows less
  np.testing.assert_allclose(found[:, 5], screen[:, 6000], atol=1e-5)


def test_curves_between_their_bins_and_beyond():
  curve = jnp.linspace(0, 1, rims.BINS)
  at = jnp.array([[-0.7, -0.5], [0.013, 0.9]])
  np.testing.assert_allclose(rims.along(curve, at), [[0, 0], [0.513, 1]], atol=1e-6)
  colours = jnp.stack([curve, 1 - curve], -1)
  np.testing.assert_allclose(rims.along(colours, at)[1, 0], [0.513, 0.487], atol=1e-6)


def test_a_window_stays_inside_its_picture():
  start, place, fade = rims.window(jnp.array([0.5, 0.25]), all_of(100), 20)
  assert [int(x) for x in start] == [15, 40, 0]
  np.testing.assert_allclose(place[0, 0], [0.405, 0.155], atol=1e-6)
  np.testing.assert_allclose(place[2, 5], [0.455, 0.175], atol=1e-6)
  assert fade.max() == 1 and fade[10, 10] == 1
  assert max(fade[0].max(), fade[-1].max(), fade[:, 0].max(), fade[:, -1].max()) == 0
  for middle, expected in ((-0.3, 0), (1.4, 80)):
    found = rims.window(jnp.array([middle, middle]), all_of(100), 20)
    assert [int(x) for x in found.start[:2]] == [expected, expected]
  part = Part(x=30, y=10, side=60, whole=100)
  found = rims.window(jnp.array([0.5, 0.05]), part, 20)
  assert [int(x) for x in found.start[:2]] == [0, 10]
  np.testing.assert_allclose(found.place[0, 0], [0.405, 0.105], atol=1e-6)
