"""Fitting the template to landmarks that it projected itself."""

import time

import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.face import fit, prior
from vasa_jax.nn.rotation import euler_matrix
from vasa_jax.types import Motion


def motion(rng, eyes=(0.0, 0.0)):
  units = rng.random(52) * 0.5 * (rng.random(52) < 0.15)
  pose = rng.normal(size=6) * [0.3, 0.15, 0.1, 0.05, 0.03, 0.03]
  return pose + fit.POSE_MEAN, np.concatenate([units, eyes])


def seen(head, template, shape, pose, dyn):
  """Landmarks `(468, 2)` and irises `(2, 2)` of a head that the prior poses."""
  vertices = head.vertices(shape).astype(np.float32)
  now = Motion(
    jnp.asarray(pose, jnp.float32)[None], jnp.asarray(dyn, jnp.float32)[None]
  )
  screen, _ = prior.project(prior.pose_head(template, vertices[None], now), now.z_pose)
  screen = np.asarray(screen[0])
  marks = screen[head.landmark_index] * head.landmark_weight[..., None]
  # Irises by geometry: the front of a sphere about the ball's own centre.
  rotation = np.asarray(euler_matrix(*map(float, pose[:3])))
  gaze = np.asarray(euler_matrix(float(dyn[52]), -float(dyn[53]), 0.0))
  irises = []
  for side in (1, 2):
    ball = vertices[head.eye == side]
    radius = np.ptp(ball[:, 0]) / 2
    centre = np.array([*(ball.max(0) + ball.min(0))[:2] / 2, ball[:, 2].max() - radius])
    place = rotation @ (centre + gaze @ [0, 0, radius])
    irises.append(prior.project(jnp.asarray(place)[None, None], now.z_pose)[0][0, 0])
  return marks.sum(1), np.stack(irises)


@pytest.mark.parametrize('seed', range(3))
def test_recovers_what_was_projected(head, template, seed):
  rng = np.random.default_rng(seed)
  shape = rng.normal(size=64) * 0.7
  eyes = rng.uniform(-0.25, 0.25, 2)
  pose, dyn = motion(rng, eyes)
  points, irises = seen(head, template, shape, pose, dyn)
  found = fit.fit_portrait(points, irises)
  degrees = np.degrees(found.motion.z_pose[:3] - pose[:3])
  assert np.abs(degrees).max() < 1.5
  np.testing.assert_allclose(found.motion.z_pose[4:], pose[4:], atol=0.03)
  assert found.error < 0.003
  # Two balls and the net's known bias: a gaze within 3 degrees.
  np.testing.assert_allclose(
    found.motion.z_dyn[52:] - [0, fit.IRIS_PITCH_BIAS], eyes, atol=0.05
  )
  # The bent head lands where the landmarks are, through the prior's own geometry.
  now = Motion(found.motion.z_pose[None], found.motion.z_dyn[None])
  screen, _ = prior.project(
    prior.pose_head(template, found.vertices[None], now), now.z_pose
  )
  screen = np.asarray(screen[0])[head.landmark_index]
  again = (screen * head.landmark_weight[..., None]).sum(1)
  distance = np.linalg.norm(again - points, axis=-1)
  assert np.sqrt(np.square(distance).mean()) < 0.003


def test_bending_reaches_what_the_linear_head_cannot(head, template):
  rng = np.random.default_rng(0)
  pose, dyn = motion(rng)
  points, _ = seen(head, template, rng.normal(size=64) * 0.7, pose, dyn)
  # A crooked nose: one side of the face is moved, smoothly.
  shift = 0.01 * np.exp(-np.square(points - points[1]).sum(1) / (2 * 0.04**2))
  bent = points + shift[:, None] * [1, 0]
  found = fit.fit_portrait(bent)
  now = Motion(found.motion.z_pose[None], found.motion.z_dyn[None])
  screen, _ = prior.project(
    prior.pose_head(template, found.vertices[None], now), now.z_pose
  )
  screen = np.asarray(screen[0])[head.landmark_index]
  reached = (screen * head.landmark_weight[..., None]).sum(1)
  after = np.sqrt(np.square(reached - bent).sum(1).mean())
  assert after < 0.8 * found.error
  assert not found.motion.z_dyn[52:].any()  # without irises: straight on


def test_noise_of_a_pixel_moves_little(head, template):
  rng = np.random.default_rng(1)
  pose, dyn = motion(rng)
  points, _ = seen(head, template, rng.normal(size=64) * 0.7, pose, dyn)
  found = fit.fit_portrait(points + rng.normal(size=points.shape) * 0.003)
  assert np.degrees(np.abs(found.motion.z_pose[:3] - pose[:3])).max() < 2.5
  assert 0.002 < found.error < 0.006
  assert found.motion.z_dyn[:52].min() >= 0 and found.motion.z_dyn[:52].max() <= 1.2


def test_noise_that_is_no_face_is_known_by_its_error():
  points = np.random.default_rng(0).random((468, 2))
  found = fit.fit_portrait(points)
  assert found.error > 0.02
  assert np.all(np.isfinite(found.vertices)) and np.all(
    np.isfinite(found.motion.z_pose)
  )


def test_is_quick(head, template):
  rng = np.random.default_rng(2)
  pose, dyn = motion(rng)
  points, irises = seen(head, template, rng.normal(size=64) * 0.7, pose, dyn)
  start = time.process_time()
  fit.fit_portrait(points, irises)
  assert time.process_time() - start < 1.0


def test_elimination_solves_the_system():
  rng = np.random.default_rng(0)
  root = rng.normal(size=(30, 30))
  matrix, right = root @ root.T + np.eye(30), rng.normal(size=(30, 3))
  wanted = np.linalg.solve(matrix, right)
  np.testing.assert_allclose(fit._solve(matrix, right, first=8), wanted, atol=1e-8)
