"""Light from all around: spherical harmonics, and how much of the sky a vertex sees.

The surroundings are nine coefficients a colour, of irradiance / pi, over the real
orthonormal spherical harmonics in the order 1, y, z, x, xy, yz, 3z^2-1, xz, x^2-y^2
(Ramamoorthi and Hanrahan, "An efficient representation for irradiance environment
maps", 2001). A white wall on every side that shines with 1 lights every normal by 1.

What a person wears and grows hides part of it: `open_sky` draws the person at rest
from many directions into small depth maps and counts, at each vertex, what passes.
"""

import math

import numba
import numpy as np

from data_pipelines.synthetic.drawing import raster
from data_pipelines.synthetic.people.pieces import GLASS

CONSTANTS = np.array(
  [0.282095, 0.488603, 0.488603, 0.488603]
  + [1.092548, 1.092548, 0.315392, 1.092548, 0.546274],
  np.float32,
)
# Of each order's radiance, what is left in irradiance / pi: the clamped cosine.
COSINE = np.array([1] + [2 / 3] * 3 + [1 / 4] * 5, np.float32)

AXES = 14  # pairs of opposite directions from which the sky is looked for
MAP_SIZE = 96  # samples of a depth map
HALF_WIDTH, CENTRE_HEIGHT = 2.2, 0.5  # mesh units the map covers, above the pivot
LIFT, SLACK = 0.05, 0.03  # mesh units off the surface, so that it hides not itself


def harmonics(directions: np.ndarray) -> np.ndarray:
  """The nine basis functions at unit vectors (..., 3): (..., 9) float32."""
  x, y, z = np.moveaxis(np.asarray(directions, np.float32), -1, 0)
  one = np.ones_like(x)
  terms = [one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
  return np.stack(terms, -1) * CONSTANTS


def from_radiance(directions: np.ndarray, radiance: np.ndarray) -> np.ndarray:
  """Coefficients (9, 3) of surroundings seen in evenly spread directions.

  Args:
    directions: (k, 3) unit vectors, each standing for 4 pi / k of the sphere.
    radiance: (k, 3) what comes from there, linear.
  """
  share = harmonics(directions).T @ np.asarray(radiance, np.float32)
  return (share * COSINE[:, None] * np.float32(4 * np.pi / len(directions))).astype(
    np.float32
  )


def evaluate(ambient: np.ndarray, normals: np.ndarray) -> np.ndarray:
  """Irradiance / pi at unit normals (..., 3): (..., 3), not below 0."""
  return np.maximum(harmonics(normals) @ ambient, 0)


def folded(ambient: np.ndarray) -> np.ndarray:
  """The coefficients times the constants of the basis: what `around` reads."""
  return np.ascontiguousarray(ambient * CONSTANTS[:, None], np.float32)


@numba.njit(cache=True, fastmath=True, inline='always')
def around(a, c, x, y, z):
  """Colour c of the folded coefficients `a` at the normal (x, y, z), not below 0."""
  value = (
    a[0, c] + a[1, c] * y + a[2, c] * z + a[3, c] * x
    + a[4, c] * (x * y) + a[5, c] * (y * z) + a[6, c] * (3 * z * z - 1)
    + a[7, c] * (x * z) + a[8, c] * (x * x - y * y)
  )  # fmt: skip
  return max(value, 0.0)


def spread(count: int) -> np.ndarray:
  """`count` unit vectors spread evenly over the sphere, (count, 3) float32."""
  i = np.arange(count) + 0.5
  z, turn = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
  r = np.sqrt(1 - z * z)
  return np.stack([r * np.cos(turn), z, r * np.sin(turn)], -1).astype(np.float32)


def open_sky(mesh: raster.Mesh, look, moved: raster.Moved) -> np.ndarray:
  """Share of the light from all around that reaches each vertex at rest: (m,) float32.

  Weighted by the cosine to the normal; 1 where nothing is in the way. The parts that
  cast shadows are in the way, less the holes of their textures.

  Args:
    mesh: of the person.
    look: `shade.Look` of the same person.
    moved: the vertices at rest.
  """
  axes = spread(2 * AXES)
  frames = np.stack([raster.light_frame(axis) for axis in axes[axes[:, 2] > 0]])
  hides = look.casts & (look.kind != GLASS)
  solid = np.where(look.cut_out | ~look.opaque, 0, 1)
  return _open_sky(
    mesh.triangles, mesh.starts, mesh.uv, hides, solid, look.texels, look.begin,
    look.rows, look.columns, moved.positions, moved.normals,
    mesh.pivot + np.array([0, CENTRE_HEIGHT, 0], np.float32),
    frames.astype(np.float32),
  )  # fmt: skip


@numba.njit(cache=True, fastmath=True)
def _open_sky(
  triangles, starts, uv, hides, solid, texels, begin, rows, columns, positions,
  normals, centre, frames,
):  # fmt: skip
  count, size = positions.shape[0], MAP_SIZE
  seen, total = np.zeros(count, np.float32), np.full(count, 1e-6, np.float32)
  near = np.empty((size, size), np.float32)
  far = np.empty((size, size), np.float32)
  at = np.empty((count, 3), np.float32)
  scale = np.float32(0.5 / HALF_WIDTH * size)
  middle = np.float32(0.5 * size)
  for k in range(frames.shape[0]):
    f = frames[k]
    for i in range(count):
      x = positions[i, 0] - centre[0]
      y = positions[i, 1] - centre[1]
      z = positions[i, 2] - centre[2]
      at[i, 0] = middle + (f[0, 0] * x + f[0, 1] * y + f[0, 2] * z) * scale
      at[i, 1] = middle - (f[1, 0] * x + f[1, 1] * y + f[1, 2] * z) * scale
      at[i, 2] = f[2, 0] * x + f[2, 1] * y + f[2, 2] * z
    near[:] = -1e9
    far[:] = 1e9
    for part in range(starts.shape[0] - 1):
      if hides[part]:
        _heights(
          near, far, at, triangles, starts[part], starts[part + 1], uv, solid[part],
          texels, begin[part], rows[part], columns[part],
        )  # fmt: skip
    for i in range(count):
      nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
      cosine = f[2, 0] * nx + f[2, 1] * ny + f[2, 2] * nz
      dx = f[0, 0] * nx + f[0, 1] * ny + f[0, 2] * nz
      dy = f[1, 0] * nx + f[1, 1] * ny + f[1, 2] * nz
      x = at[i, 0] + dx * scale * LIFT - 0.5
      y = at[i, 1] - dy * scale * LIFT - 0.5
      z = at[i, 2] + cosine * LIFT
      left, top = int(math.floor(x)), int(math.floor(y))
      part = 0.0
      if left < 0 or top < 0 or left > size - 2 or top > size - 2:
        part = 1.0
      else:
        fx, fy = x - left, y - top
        for j in range(2):
          wy = fy if j else 1 - fy
          for h in range(2):
            if cosine > 0:
              clear = z + SLACK >= near[top + j, left + h]
            else:
              clear = z - SLACK <= far[top + j, left + h]
            if clear:
              part += wy * (fx if h else 1 - fx)
      total[i] += abs(cosine)
      seen[i] += abs(cosine) * part
  for i in range(count):
    seen[i] = seen[i] / total[i]
  return seen


@numba.njit(cache=True, fastmath=True)
def _heights(
  near, far, at, triangles, first, last, uv, solid, texels, begin, rows, columns
):
  """The nearest and the farthest surface seen along one axis."""
  size = near.shape[0]
  one, half = np.float32(1.0), np.float32(0.5)
  for t in range(first, last):
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    x0, y0 = at[a, 0], at[a, 1]
    x1, y1, x2, y2 = at[b, 0], at[b, 1], at[c, 0], at[c, 1]
    left = max(int(math.ceil(min(x0, x1, x2) - half)), 0)
    right = min(int(math.floor(max(x0, x1, x2) - half)), size - 1)
    if left > right:
      continue
    top = max(int(math.ceil(min(y0, y1, y2) - half)), 0)
    bottom = min(int(math.floor(max(y0, y1, y2) - half)), size - 1)
    if top > bottom:
      continue
    bx, by, cx, cy = x1 - x0, y1 - y0, x2 - x0, y2 - y0
    area = bx * cy - cx * by
    if -1e-9 < area < 1e-9:
      continue
    inverse = one / area
    for y in range(top, bottom + 1):
      py = np.float32(y) + half - y0
      for x in range(left, right + 1):
        px = np.float32(x) + half - x0
        u = (px * cy - cx * py) * inverse
        v = (bx * py - px * by) * inverse
        w = one - u - v
        if u < 0 or v < 0 or w < 0:
          continue
        if solid == 0:
          tu = uv[a, 0] * w + uv[b, 0] * u + uv[c, 0] * v
          tv = one - uv[a, 1] * w - uv[b, 1] * u - uv[c, 1] * v
          row = int(math.floor(tv * rows)) % rows
          column = int(math.floor(tu * columns)) % columns
          if texels[begin + row * columns + column, 3] < raster.HALF_OPAQUE:
            continue
        z = at[a, 2] * w + at[b, 2] * u + at[c, 2] * v
        near[y, x] = max(near[y, x], z)
        far[y, x] = min(far[y, x], z)


@numba.njit(cache=True, fastmath=True)
def curvature(triangles, position_id, positions, normals):
  """How sharply the surface bends at each vertex, (m,) float32, 1 / mesh units, >= 0.

  The mean over the edges of the change of the normal along the edge.
  """
  places = position_id.max() + 1
  total = np.zeros(places, np.float32)
  count = np.full(places, 1e-6, np.float32)
  for t in range(triangles.shape[0]):
    for k in range(3):
      a, b = triangles[t, k], triangles[t, (k + 1) % 3]
      turn = length = 0.0
      for c in range(3):
        d = positions[b, c] - positions[a, c]
        turn += d * (normals[b, c] - normals[a, c])
        length += d * d
      bend = abs(turn) / (length + 1e-6)
      for v in (a, b):
        total[position_id[v]] += bend
        count[position_id[v]] += 1
  out = np.empty(positions.shape[0], np.float32)
  for i in range(positions.shape[0]):
    out[i] = total[position_id[i]] / count[position_id[i]]
  return out
