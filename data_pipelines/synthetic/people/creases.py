"""Creases of the face, drawn in the base mesh's coordinates into texture space.

Five maps, one for each muscle group whose tension shows them. The same lines are
always there, however old the person: age makes them deep (`depth_of`).
"""

import numpy as np

from data_pipelines.synthetic.people import skin_map
from data_pipelines.synthetic.people.skin_map import step
from data_pipelines.synthetic.people.traits import Traits

SIDE = 256
NAMES = ('forehead', 'glabella', 'eyes', 'cheeks', 'chin')


def _line(x, y, points, width):
  """How near (0..1) each place is to a smooth curve through points (x, y, strength)."""
  points = np.asarray(points, float)
  t = np.linspace(0, 1, 24)
  # A quadratic through three points, a line through two.
  a, c = points[0], points[-1]
  if len(points) == 3:
    b = 2 * points[1] - (a + c) / 2
    curve = np.outer((1 - t) ** 2, a) + np.outer(2 * t * (1 - t), b) + np.outer(t**2, c)
  else:
    curve = np.outer(1 - t, a) + np.outer(t, c)
  away = (x[..., None] - curve[:, 0]) ** 2 + (y[..., None] - curve[:, 1]) ** 2
  nearest = away.argmin(-1)
  near = np.take_along_axis(away, nearest[..., None], -1)[..., 0]
  return curve[nearest, 2] * np.exp(-near / width**2)


def _forehead(rng, x, y):
  out = np.zeros_like(x)
  count = rng.integers(3, 6)
  low, high = rng.uniform(7.54, 7.58), rng.uniform(7.84, 7.95)
  bow, wide = rng.normal(0.05, 0.05), rng.uniform(0.38, 0.55)
  for k in range(count):
    level = low + (high - low) * k / (count - 1) + rng.normal(0, 0.012)
    wave = 0.012 * np.sin(x * rng.uniform(5, 10) + rng.uniform(0, 6))
    dip = bow * np.cos(2 * x / wide) + wave  # lower in the middle, as brows pull
    ends = step(np.abs(x - rng.normal(0, 0.06)), wide, 0.6 * wide)
    line = np.exp(-(((y - level + dip - bow) / 0.02) ** 2)) * ends
    out = np.maximum(out, line * rng.uniform(0.6, 1))
  return out * step(y, 7.47, 7.54)


def _glabella(rng, x, y):
  out = np.zeros_like(x)
  for side in (-1, 1):
    at, lean = rng.uniform(0.05, 0.1), rng.normal(0.01, 0.015)
    top = rng.uniform(7.5, 7.6)
    path = [
      (side * (at - lean), 7.36, 0.5),
      (side * at * 1.1, 7.44, 1.0),
      (side * (at + lean), top, 0.1),
    ]
    out = np.maximum(out, rng.uniform(0.6, 1) * _line(x, y, path, 0.022))
  if rng.random() < 0.4:
    out = np.maximum(out, 0.7 * _line(x, y, [(0.0, 7.4, 1), (0.0, 7.54, 0.2)], 0.02))
  level = rng.uniform(7.28, 7.32)  # across the root of the nose
  across = _line(
    x, y, [(-0.1, level, 0.3), (0, level - 0.01, 1), (0.1, level, 0.3)], 0.02
  )
  return np.maximum(out, rng.uniform(0.2, 0.9) * across)


def _eyes(rng, x, y):
  out = np.zeros_like(x)
  count, spread = rng.integers(3, 5), rng.uniform(0.7, 1.1)
  for k in range(count):  # crow's feet
    angle = spread * (k / (count - 1) - 0.45) + rng.normal(0, 0.05)
    start, length = rng.uniform(0.5, 0.52), rng.uniform(0.1, 0.2)
    from_y = 7.285 + 0.05 * np.sin(angle)
    path = [
      (start, from_y, 1.0),
      (start + 0.5 * length, from_y + 0.5 * length * np.sin(angle) - 0.008, 0.8),
      (start + length, from_y + length * np.sin(angle), 0.05),
    ]
    out = np.maximum(out, rng.uniform(0.6, 1) * _line(x, y, path, 0.017))
  for k in range(rng.integers(2, 4)):  # below the eye
    drop = 0.035 * k + rng.uniform(0, 0.01)
    path = [
      (0.19, 7.21 - drop, 0.3), (0.3, 7.165 - 1.2 * drop, 1), (0.46, 7.22 - drop, 0.2),
    ]  # fmt: skip
    out = np.maximum(out, rng.uniform(0.4, 0.8) * _line(x, y, path, 0.017))
  return out


def _cheeks(rng, x, y):
  end, out_at = rng.uniform(6.5, 6.62), rng.uniform(0.33, 0.38)
  path = [(0.2, 6.92, 0.7), (0.31, 6.78, 1.0), (out_at, end, 0.15)]  # nasolabial
  out = _line(x, y, path, 0.032)
  for k in range(rng.integers(1, 3)):  # what a broad smile folds beside it
    move = 0.075 * (k + 1) + rng.normal(0, 0.01)
    path = [
      (0.33 + move, 6.84, 0.2), (0.36 + move, 6.72, 0.8), (0.34 + move, 6.58, 0.1),
    ]  # fmt: skip
    out = np.maximum(out, rng.uniform(0.2, 0.6) / (1 + k) * _line(x, y, path, 0.028))
  for k in range(3):  # on the sides of the nose, when it is wrinkled
    level = 7.14 + 0.05 * k + rng.normal(0, 0.006)
    path = [(0.05, level + 0.02, 0.3), (0.1, level, 1), (0.14, level - 0.045, 0.2)]
    out = np.maximum(out, rng.uniform(0.3, 0.6) * _line(x, y, path, 0.016))
  return out


def _chin(rng, x, y):
  down, out_at = rng.uniform(0.1, 0.22), rng.uniform(0.29, 0.33)
  path = [(0.27, 6.6, 0.9), (0.3, 6.55, 1.0), (out_at, 6.56 - down, 0.1)]
  out = _line(x, y, path, 0.028)  # from the corner of the mouth
  level = rng.uniform(6.44, 6.46)
  fold = [(0.0, level, 1.0), (0.1, level - 0.012, 0.7), (0.19, level - 0.05, 0.1)]
  out = np.maximum(out, rng.uniform(0.5, 0.9) * _line(x, y, fold, 0.025))
  dimples = np.zeros_like(x)
  for _ in range(26):
    at_x, at_y = rng.normal(0, 0.09), rng.normal(6.32, 0.055)
    r2 = (x - abs(at_x)) ** 2 + (y - at_y) ** 2
    dimples = np.maximum(dimples, rng.uniform(0.3, 1) * np.exp(-r2 / 0.018**2))
  out = np.maximum(out, rng.uniform(0.3, 0.8) * dimples)
  for k in range(rng.integers(2, 5)):  # above the upper lip, when it is pressed
    at = 0.04 + 0.05 * k + rng.normal(0, 0.008)
    path = [(at, 6.73, 1.0), (at * 1.15, 6.79, 0.1)]
    out = np.maximum(out, rng.uniform(0.1, 0.35) * _line(x, y, path, 0.014))
  return out


def draw_wrinkles(rng: np.random.Generator) -> np.ndarray:
  """The creases of one person.

  Returns:
    `(5, 256, 256)` uint8 in the order of `NAMES`: 0 = smooth skin, 255 = the bottom
    of the deepest crease.
  """
  x, y, z = np.moveaxis(skin_map.head_positions(SIDE), -1, 0)
  face = (y > 6.1) & (y < 8.1) & (z > 0.75)
  rows, columns = skin_map.head(SIDE)
  out = np.zeros((len(NAMES), SIDE, SIDE), np.uint8)
  x, y, mirrored = x[face], y[face], np.abs(x[face])
  for k, draw in enumerate((_forehead, _glabella, _eyes, _cheeks, _chin)):
    depth = np.zeros(face.shape, np.uint8)
    # Only the forehead and the frown are drawn for each side; else left is right.
    values = draw(rng, x if k < 2 else mirrored, y)
    depth[face] = np.clip(values * 255 + 0.5, 0, 255)
    depth[depth < 6] = 0
    out[k, rows, columns] = depth
  return out


def depth_of(rng: np.random.Generator, traits: Traits) -> float:
  """How deep a person's creases are: about 0.4 when young, 1.5 when old."""
  depth = 0.4 + 1.0 * traits.age - 0.12 * max(traits.weight, 0) - 0.1 * traits.melanin
  return float(np.clip(depth * np.exp(rng.normal(0, 0.2)), 0.2, 2.0))
