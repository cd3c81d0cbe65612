"""Fits the head template to the landmarks of a photograph, once per portrait.

Minimises the distance between the 468 projected template landmarks and those of the
face mesh net over identity (64), face units (52) and pose (6), by Levenberg-Marquardt
with Gaussian priors; the eyes then follow from the irises. What the linear head cannot
reach is bent smoothly onto the landmarks. NumPy; about a tenth of a second.

Matrices are kept so small that the linear algebra library stays in one thread: on a
busy machine its threads wait for each other, and one step took 0.2 s instead of 2 ms.
"""

import dataclasses
import functools

import numpy as np

from vasa_jax.face.template import (
  FIELD_OF_VIEW,
  REFERENCE_DISTANCE,
  TARGET_HEIGHT,
  Template,
  load_template,
)
from vasa_jax.types import NUM_UNITS, Motion

LANDMARK_SIGMA = 0.004  # crop units: about a pixel of 256, the net's own noise
UNIT_SIGMA = 0.25  # face units of a portrait are small until the landmarks insist
POSE_MEAN = np.array([0, 0, 0, 0.1, 0, 0])
POSE_SIGMA = np.array([0.5, 0.3, 0.3, 0.12, 0.2, 0.2])
BEND_RADIUS = 0.22  # model units over which a left-over offset fades
ITERATIONS = 20
# The iris net sees rendered eyes this much lower than they look (radians, 24 heads).
IRIS_PITCH_BIAS = 0.03
# The outline of the mesh slides over the cheeks as the head turns; it counts less.
OUTLINE = (
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400,
  377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67,
  109,
)  # fmt: skip
OUTLINE_WEIGHT = 0.3


@dataclasses.dataclass(frozen=True)
class Fit:
  """A head fitted to a portrait.

  Attributes:
    vertices: `(v, 3)` neutral head.
    shape: `(64,)` identity coefficients (before bending).
    motion: the portrait's own motion, `z_pose (6,)`, `z_dyn (54,)`, NumPy float32.
    error: root mean square distance of the landmarks before bending, crop units.
  """

  vertices: np.ndarray
  shape: np.ndarray
  motion: Motion
  error: float


def _rotation(angles: np.ndarray) -> np.ndarray:
  (cy, cp, cr), (sy, sp, sr) = np.cos(angles), np.sin(angles)
  about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
  about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
  about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
  return about_y @ about_x @ about_z


def _project(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
  """Neutral-frame points of the rigid head `(n, 3)` -> screen `(n, 2)`."""
  x, y, z = (points @ _rotation(pose[:3]).T - [0, TARGET_HEIGHT, 0]).T
  span = 2 * np.tan(FIELD_OF_VIEW / 2) * (REFERENCE_DISTANCE * np.exp(pose[3]) - z)
  return np.stack([0.5 + x / span, 0.5 - y / span], -1) + pose[4:]


def _jacobian(points, directions, pose):
  """d screen / d (coefficients, pose): `(n, 2, k + 6)` by differences along points.

  Args:
    points: `(n, 3)`; directions: `(n, 3, k)` displacement of each coefficient.
  """
  step = 1e-4
  base = _project(points, pose)
  axes = [(_project(points + step * e, pose) - base) / step for e in np.eye(3)]
  linear = np.stack(axes, -1) @ directions  # n 2 3 by n 3 k
  rigid = [(_project(points, pose + step * e) - base) / step for e in np.eye(6)]
  return base, np.concatenate([linear, np.stack(rigid, -1)], -1)


def _at_landmarks(template: Template, values: np.ndarray) -> np.ndarray:
  """`(..., v, 3)` -> `(..., 468, 3)`."""
  taken = values[..., template.landmark_index, :]
  return np.einsum('...nkc,nk->...nc', taken, template.landmark_weight)


def _normal_equations(slope, error):
  """`slope^T slope` and `slope^T error`, summed over the landmarks in small groups.

  Args:
    slope: `(n, 2, k)`; error: `(n, 2)`.
  """
  groups = slope.reshape(-1, 12, slope.shape[-1])  # 468 landmarks make 78 groups
  turned = groups.transpose(0, 2, 1)
  return (turned @ groups).sum(0), (turned @ error.reshape(-1, 12, 1)).sum(0)[:, 0]


def _solve(matrix: np.ndarray, right: np.ndarray, first: int = 64) -> np.ndarray:
  """Solves `matrix x = right (n, m)`, eliminating `first` unknowns at a time.

  The matrix is symmetric positive definite, so that any block may go first.
  """
  if len(matrix) <= first:
    return np.linalg.solve(matrix, right)
  a, b, c = matrix[:first, :first], matrix[:first, first:], matrix[first:, first:]
  found = np.linalg.solve(a, np.concatenate([b, right[:first]], 1))
  found = np.einsum('ki,kj->ij', b, found)  # not @: see the module's head
  share, constant = found[:, : len(c)], found[:, len(c) :]
  rest = _solve(c - share, right[first:] - constant, first)
  return np.concatenate([np.linalg.solve(a, right[:first] - b @ rest), rest])


def _eyes(template, vertices, pose, irises) -> np.ndarray:
  """Eye yaw and pitch in the head's frame from the irises' centres (2, 2)."""
  found = []
  rotation = _rotation(pose[:3])
  for side in (1, 2):
    ball = vertices[template.eye == side]
    # The template holds the front of the ball alone: its widest part tells the radius.
    low, high = ball.min(0), ball.max(0)
    radius = (high - low)[:2].max() / 2
    centre = np.append((low + high)[:2] / 2, high[2] - radius)
    middle = _project(centre[None], pose)[0]
    iris = irises[np.argmin(np.linalg.norm(irises - middle, axis=-1))]
    # Both in model units; the iris is nearer to the camera than the middle.
    place = rotation @ centre - [0, TARGET_HEIGHT, 0]
    depth = REFERENCE_DISTANCE * np.exp(pose[3]) - place[2] - radius
    at = (iris - 0.5 - pose[4:]) * [1, -1] * 2 * np.tan(FIELD_OF_VIEW / 2) * depth
    across, up = np.clip((at - place[:2]) / radius, -0.7, 0.7)
    towards = np.array([across, up, np.sqrt(max(1 - across**2 - up**2, 0.05))])
    x, y, z = rotation.T @ towards
    found.append([np.arctan2(x, z), np.arcsin(np.clip(y, -1, 1))])
  yaw, pitch = np.mean(found, 0)
  return np.clip([yaw, pitch + IRIS_PITCH_BIAS], -0.5, 0.5)


def _bend(template, vertices, base, pose, target):
  """Moves the head's surface so that its landmarks land on `target`."""
  marks = _at_landmarks(template, vertices)
  rotation = _rotation(pose[:3])
  depth = (marks @ rotation.T)[:, 2]
  span = 2 * np.tan(FIELD_OF_VIEW / 2) * (REFERENCE_DISTANCE * np.exp(pose[3]) - depth)
  offset = (target - base) * span[:, None]
  offset = np.stack([offset[:, 0], -offset[:, 1], 0 * depth], -1) @ rotation
  weight = np.ones(len(marks))
  weight[list(OUTLINE)] = OUTLINE_WEIGHT

  def kernel(a):
    square = sum(np.square(a[:, None, i] - marks[:, i]) for i in range(3))
    return np.exp(-square / (2 * BEND_RADIUS**2))

  ridge = np.diag(0.5 / weight)
  amounts = _solve(kernel(marks) + ridge, offset)
  parts = np.array_split(vertices, len(vertices) // 128)
  return np.concatenate([part + kernel(part) @ amounts for part in parts])


@functools.lru_cache(maxsize=1)
def _linear_landmarks() -> tuple[np.ndarray, np.ndarray]:
  """The template at the landmarks: mean `(468, 3)`, all directions `(468, 3, k)`."""
  template = load_template()
  shapes = _at_landmarks(template, template.basis)
  units = _at_landmarks(template, template.units)
  directions = np.moveaxis(np.concatenate([shapes, units]), 0, -1)
  mean = _at_landmarks(template, template.mean)
  return mean.astype(np.float64), np.ascontiguousarray(directions, np.float64)


def fit_portrait(points: np.ndarray, irises: np.ndarray | None = None) -> Fit:
  """Fits the head to one face.

  Args:
    points: `(468, 2)` landmarks in crop units (x right, y down, 0..1).
    irises: `(2, 2)` iris centres in crop units, or None: the eyes look straight on.

  Returns:
    The fitted head. Its `error` above about 0.02 means that this is hardly a face.
  """
  template = load_template()
  mean, directions = _linear_landmarks()
  count = directions.shape[-1]
  first_unit = len(template.basis)
  weight = np.full(len(points), 1 / LANDMARK_SIGMA)
  weight[list(OUTLINE)] *= OUTLINE_WEIGHT
  sigma = np.concatenate(
    [np.ones(first_unit), np.full(NUM_UNITS, UNIT_SIGMA), POSE_SIGMA]
  )
  centre = np.concatenate([np.zeros(count), POSE_MEAN])
  theta, damping = centre.copy(), 1e-3

  def cost(theta):
    at = mean + directions @ theta[:count]
    error = (_project(at, theta[count:]) - points) * weight[:, None]
    return np.square(error).sum() + np.square((theta - centre) / sigma).sum()

  best = cost(theta)
  for _ in range(ITERATIONS):
    at = mean + directions @ theta[:count]
    base, jacobian = _jacobian(at, directions, theta[count:])
    error = (base - points) * weight[:, None]
    normal, right = _normal_equations(jacobian * weight[:, None, None], error)
    normal += np.diag(1 / sigma**2)
    right += (theta - centre) / sigma**2
    step = _solve(normal + damping * np.diag(np.diag(normal)), right[:, None])[:, 0]
    new = theta - step
    new[first_unit:count] = np.clip(new[first_unit:count], 0.0, 1.2)
    value = cost(new)
    if value < best:
      done = best - value < 1e-4 * best
      theta, best, damping = new, value, damping / 5
      if done:
        break
    else:
      damping *= 10

  pose = theta[count:]
  at = mean + directions @ theta[:count]
  base = _project(at, pose)
  vertices = template.vertices(theta[:first_unit])
  vertices = _bend(template, vertices, base, pose, points)
  eyes = np.zeros(2)
  if irises is not None:
    eyes = _eyes(template, vertices, pose, np.asarray(irises))
  z_dyn = np.concatenate([theta[first_unit:count], eyes])
  return Fit(
    vertices=vertices.astype(np.float32),
    shape=theta[:first_unit].astype(np.float32),
    motion=Motion(pose.astype(np.float32), z_dyn.astype(np.float32)),
    error=float(np.sqrt(np.square(base - points).sum(1).mean())),
  )
