"""The pose reader on turned meshes, the finder on a photograph and on a wall."""

import importlib.util
import sys
import types

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.metrics import faces
from vasa_jax.metrics.pose import geodesic_error, rotation
from vasa_jax.metrics.table import METRICS

from .conftest import turned

FLIP = np.array([1.0, -1, -1])


@pytest.mark.parametrize('pose', [(0, 0, 0), (35, 0, 0), (0, -20, 0), (-25, 15, 30)])
def test_pose_of_the_turned_mean_mesh(pose):
  world = faces.mean_mesh() @ rotation(pose).T
  pixels = 80 * world * FLIP + [128, 120, 4]
  np.testing.assert_allclose(faces.mesh_pose(pixels), pose, atol=1e-6)
  both = faces.mesh_pose(np.stack([pixels, 3 * pixels]))
  np.testing.assert_allclose(both, [pose, pose], atol=1e-6)


def test_pose_of_a_noisy_mesh_is_a_rotation():
  noise = np.random.default_rng(0).normal(0, 0.02, (468, 3))
  world = (faces.mean_mesh() + noise) @ rotation([20, 10, 0]).T
  assert geodesic_error(faces.mesh_pose(world * FLIP), [20, 10, 0]) < 3


def test_an_opening_jaw_does_not_nod():
  points = faces.mean_mesh().copy()
  low = np.setdiff1d(np.flatnonzero(points[:, 1] < -0.5), faces.RIGID)
  points[low] += [0, -0.3, 0]
  assert len(low) > 20
  np.testing.assert_allclose(faces.mesh_pose(points * FLIP), 0, atol=1e-6)


def test_average_undoes_the_rotations():
  poses = np.random.default_rng(1).uniform(-30, 30, (8, 3))
  matrices = rotation(poses)
  world = faces.mean_mesh() @ np.swapaxes(matrices, -1, -2)
  scale = np.linspace(20, 90, 8)[:, None, None]
  mean = faces.average_mesh(scale * world * FLIP + [3, 9, 1], matrices)
  np.testing.assert_allclose(mean, faces.mean_mesh(), atol=1e-6)


def test_track_follows_a_roll_and_loses_a_wall(portrait):
  wall = np.full_like(portrait, 128)
  track = faces.track_faces([turned(portrait, 0), wall, turned(portrait, 10)])
  assert track.found.tolist() == [True, False, True]
  assert np.isnan(track.points[1]).all() and np.isnan(track.pose[1]).all()
  assert 6 < track.pose[2, 2] - track.pose[0, 2] < 14
  assert np.abs(track.pose[0]).max() < 35


def test_no_frames():
  track = faces.track_faces([])
  assert track.points.shape == (0, 468, 3) and track.pose.shape == (0, 3)


def test_descriptor_missing_says_what_to_install(monkeypatch):
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(UserError, match='eval'):
    faces.load_descriptor()


@pytest.mark.parametrize('detects', [True, False])
def test_descriptor_uses_the_largest_face_or_the_mesh(
  monkeypatch, tmp_path, portrait, detects
):
  class Box:
    def __init__(self, left, top, right, bottom):
      self.edges = left, top, right, bottom

    def area(self):
      return (self.edges[2] - self.edges[0]) * (self.edges[3] - self.edges[1])

  boxes = [Box(0, 0, 9, 9), Box(0, 0, 60, 60)] if detects else []
  network = types.SimpleNamespace(
    compute_face_descriptor=lambda picture, shape: [float(v) for v in shape]
  )
  dlib = types.SimpleNamespace(
    rectangle=Box,
    get_frontal_face_detector=lambda: lambda picture, doublings: boxes,
    shape_predictor=lambda path: lambda picture, box: box.edges,
    face_recognition_model_v1=lambda path: network,
  )
  spec = types.SimpleNamespace(submodule_search_locations=[str(tmp_path)])
  monkeypatch.setitem(sys.modules, 'dlib', dlib)
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: spec)
  describe = faces.load_descriptor()
  edges = describe(portrait)
  if detects:
    assert edges.tolist() == [0, 0, 60, 60]
    return
  points = faces.find_mesh(portrait)
  np.testing.assert_allclose(edges[:2], points[:, :2].min(0), atol=1)
  np.testing.assert_allclose(edges[2:], points[:, :2].max(0), atol=1)
  assert describe(np.full_like(portrait, 90)) is None


def test_promise_on_identity_is_the_authors_limit():
  assert METRICS['identity'].bar == faces.SAME_PERSON
