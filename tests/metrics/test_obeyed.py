"""E_g and E_d: algebra, the condition's own definition, and pictures that move away."""

import cv2
import numpy as np
import pytest

from data_pipelines.motion_cache import main_gaze as condition
from data_pipelines.synthetic.acting.rotations import gaze_of
from vasa_jax.errors import UsageError
from vasa_jax.metrics import gaze, obeyed
from vasa_jax.metrics.faces import FaceTrack, mean_mesh, mesh_scale, track_faces
from vasa_jax.metrics.obeyed import Asked, parse_asked
from vasa_jax.metrics.pose import rotation


def seen(pose, eyes, scale=100.0):
  """A track of ideal meshes: the mean mesh turned, irises on the eyeballs."""
  t = len(pose)
  turn = rotation(pose)
  world = scale * mean_mesh() @ np.swapaxes(turn, -1, -2)
  points = world * (1, -1, -1) + (200, 200, 0)
  width = np.linalg.norm(points[:, 263] - points[:, 33], axis=1)
  irises = np.zeros((t, 2, 5, 3))
  for side, corners in enumerate(((33, 133), (362, 263))):
    out = -gaze.BALL.outward if side == 0 else gaze.BALL.outward
    ball = np.array([out, gaze.BALL.up, -gaze.BALL.deep])
    theta, phi = np.radians(eyes).T
    ray = np.stack(
      [np.cos(phi) * np.sin(theta), np.sin(phi), np.cos(phi) * np.cos(theta)], -1
    )
    local = ball + gaze.BALL.radius * ray
    shift = (turn @ local[..., None])[..., 0] * width[:, None]
    irises[:, side, 0] = points[:, corners].mean(1) + shift * (1, -1, -1)
  return FaceTrack(np.ones(t, bool), points, pose, irises)


def test_gaze_in_the_cameras_frame():
  rng = np.random.default_rng(0)
  pose = np.column_stack([rng.uniform(-15, 15, (20, 3))])
  eyes = rng.uniform(-12, 12, (20, 2))
  truth = gaze_of(np.radians(np.pad(pose, ((0, 0), (0, 3)))), np.radians(eyes))
  np.testing.assert_allclose(obeyed.gaze_track(seen(pose, eyes)), truth, atol=0.5)


def test_gaze_error_is_the_angle():
  eyes = np.tile([10.0, -5.0], (8, 1))
  eyes[0] = -20, 20  # one glance elsewhere is not the main gaze
  track = seen(np.zeros((8, 3)), eyes)
  found = [obeyed.gaze_error(track, (10.0 + more, -5.0)) for more in (0, 5, 15)]
  np.testing.assert_allclose(found, [0, 5, 15], atol=0.3)
  nobody = track._replace(found=np.zeros(8, bool))
  assert np.isnan(obeyed.gaze_error(nobody, (0.0, 0.0)))


def test_main_gaze_is_that_of_the_condition():
  rng = np.random.default_rng(1)
  for _ in range(20):
    directions = rng.normal(0, 8, (60, 2))
    np.testing.assert_allclose(
      obeyed.main_gaze(directions), condition(directions), atol=1e-5
    )
  gappy = np.concatenate([directions, np.full((3, 2), np.nan)])
  np.testing.assert_array_equal(obeyed.main_gaze(gappy), obeyed.main_gaze(directions))


def test_scale_of_a_head_does_not_know_its_pose():
  pose = np.array([[0.0, 0, 0], [40, -10, 20]])
  near, far = (seen(pose, np.zeros((2, 2)), s).points for s in (100.0, 50.0))
  np.testing.assert_allclose(mesh_scale(near) / mesh_scale(far), 2)
  np.testing.assert_allclose(*mesh_scale(near))


def test_distance_of_a_photograph_that_goes_away(portrait):
  side = portrait.shape[0]

  def away(ratio):
    small = cv2.resize(portrait, None, fx=1 / ratio, fy=1 / ratio)
    margin = side - small.shape[0]
    return cv2.copyMakeBorder(
      small, margin // 2, margin - margin // 2, margin // 2, margin - margin // 2,
      cv2.BORDER_REPLICATE,
    )  # fmt: skip

  track = track_faces([away(1.25)] * 2)
  errors = [
    obeyed.distance_error(track, side, portrait, asked) for asked in (1.25, 1.0, 0.8)
  ]
  assert errors[0] < 4 and 20 < errors[1] < 32 and errors[2] > 50
  wall = np.full_like(portrait, 99)
  assert np.isnan(obeyed.distance_error(track, side, wall, 1.0))


def test_what_may_be_asked():
  assert parse_asked({'gaze': [3, -4.5]}, 'x') == Asked((3.0, -4.5), None)
  assert parse_asked({'distance': 1.2}, 'x') == Asked(None, 1.2)
  for wrong in (
    {'gase': [0, 0]},
    {'gaze': 3},
    {'gaze': [1, 2, 3]},
    [],
    {'distance': -1},
  ):
    with pytest.raises(UsageError, match='clip a'):
      parse_asked(wrong, 'clip a')
