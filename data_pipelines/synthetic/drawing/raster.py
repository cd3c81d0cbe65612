"""Moves, projects and rasterises the triangles of a head, in numba on one core.

Camera (see `render.py` for the whole convention): at distance d from the point T,
looking along -z, full angle of view f:

  x_screen = 0.5 + X / (2 tan(f / 2) (d - Z)) + t_x
  y_screen = 0.5 - Y / (2 tan(f / 2) (d - Z)) + t_y       (X, Y, Z relative to T)

Depth in the buffers is -1 / (d - Z): linear on the screen, smaller is nearer.
"""

import math
from typing import NamedTuple

import numba
import numpy as np

SHADOW_HALF_WIDTH = 2.4  # mesh units that the shadow map covers each way
HALF_OPAQUE = 128  # alpha at and above which a texel of a cut-out is solid


class Mesh(NamedTuple):
  """All parts of one person, vertices stacked: m vertices, t triangles, p parts."""

  neutral: np.ndarray  # (n, 3) float32 base mesh
  units: np.ndarray  # (52, n, 3) float32
  ref: np.ndarray  # (m, 3) int32
  weight: np.ndarray  # (m, 3) float32
  offset: np.ndarray  # (m, 3) float32
  eye: np.ndarray  # (m,) int32, 0 = no eyeball, 1, 2 = which
  eye_centres: np.ndarray  # (2, 3) float32
  turn: np.ndarray  # (m,) float32, share of the head's rotation
  pivot: np.ndarray  # (3,) float32
  sky: np.ndarray  # (m,) float32, share of the sky the vertex sees, 0..1
  bend: np.ndarray  # (m,) float32, curvature, 1 / mesh units
  flush: np.ndarray  # (m,) float32, how much the place reddens, 0..1
  uv: np.ndarray  # (m, 2) float32
  position_id: np.ndarray  # (m,) int32
  triangles: np.ndarray  # (t, 3) int32
  starts: np.ndarray  # (p + 1,) int32, first triangle of each part


class Moved(NamedTuple):
  """Vertices after expression, eye and head rotation."""

  positions: np.ndarray  # (m, 3) float32
  normals: np.ndarray  # (m, 3) float32


@numba.njit(cache=True, fastmath=True)
def move(mesh, values, chosen, eye_rotation, retreat, axis, angle, body):
  """Applies the units `chosen` with `values`, the eyes', head's and body's rotation.

  Args:
    mesh: Mesh.
    values: (k,) float32, the amounts of the units.
    chosen: (k,) int32, which units.
    eye_rotation: (3, 3) float32, in the head's frame.
    retreat: (2,) float32, how far each eyeball is drawn back, mesh units.
    axis: (3,) float32 unit axis of the head's rotation against the body, about the
      pivot.
    angle: its angle in radians; each vertex turns by its share of it.
    body: (3, 3) float32, the body's rotation about the pivot, which comes after.

  Returns:
    Moved.
  """
  base = mesh.neutral.copy()
  for k in range(chosen.shape[0]):
    delta = mesh.units[chosen[k]]
    for i in range(base.shape[0]):
      for c in range(3):
        base[i, c] += values[k] * delta[i, c]
  count = mesh.ref.shape[0]
  positions = np.empty((count, 3), np.float32)
  p = np.empty(3, np.float32)
  for i in range(count):
    which = mesh.eye[i]
    # Face units pull at the mesh's eye helpers; an eyeball only turns.
    source = mesh.neutral if which > 0 else base
    for c in range(3):
      p[c] = mesh.offset[i, c]
    for k in range(3):
      j, w = mesh.ref[i, k], mesh.weight[i, k]
      for c in range(3):
        p[c] += source[j, c] * w
    if which > 0:
      centre = mesh.eye_centres[which - 1]
      x, y, z = p[0] - centre[0], p[1] - centre[1], p[2] - centre[2]
      for c in range(3):
        r = eye_rotation[c]
        p[c] = r[0] * x + r[1] * y + r[2] * z + centre[c]
      p[2] -= retreat[which - 1]
    turn = angle * mesh.turn[i]
    cos, sin = math.cos(turn), math.sin(turn)
    x, y, z = p[0] - mesh.pivot[0], p[1] - mesh.pivot[1], p[2] - mesh.pivot[2]
    along = (axis[0] * x + axis[1] * y + axis[2] * z) * (1 - cos)
    tx = x * cos + (axis[1] * z - axis[2] * y) * sin + axis[0] * along
    ty = y * cos + (axis[2] * x - axis[0] * z) * sin + axis[1] * along
    tz = z * cos + (axis[0] * y - axis[1] * x) * sin + axis[2] * along
    for c in range(3):
      r = body[c]
      positions[i, c] = r[0] * tx + r[1] * ty + r[2] * tz + mesh.pivot[c]
  return Moved(positions, _normals(mesh.triangles, mesh.position_id, positions))


@numba.njit(cache=True, fastmath=True)
def _normals(triangles, position_id, positions):
  """Area-weighted vertex normals, smooth across the seams of the texture."""
  total = np.zeros((position_id.max() + 1, 3), np.float32)
  for t in range(triangles.shape[0]):
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    ux = positions[b, 0] - positions[a, 0]
    uy = positions[b, 1] - positions[a, 1]
    uz = positions[b, 2] - positions[a, 2]
    vx = positions[c, 0] - positions[a, 0]
    vy = positions[c, 1] - positions[a, 1]
    vz = positions[c, 2] - positions[a, 2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    for k in range(3):
      q = position_id[triangles[t, k]]
      total[q, 0] += nx
      total[q, 1] += ny
      total[q, 2] += nz
  normals = np.empty(positions.shape, np.float32)
  for i in range(positions.shape[0]):
    n = total[position_id[i]]
    scale = 1.0 / (math.sqrt(n[0] ** 2 + n[1] ** 2 + n[2] ** 2) + 1e-12)
    for c in range(3):
      normals[i, c] = n[c] * scale
  return normals


@numba.njit(cache=True, fastmath=True)
def project(positions, target, distance, tan_half_view, shift_x, shift_y, size):
  """Vertices on the screen: (m, 3) float32 of x, y in pixels and depth -1/(d - Z)."""
  out = np.empty(positions.shape, np.float32)
  for i in range(positions.shape[0]):
    near = 1.0 / (distance - (positions[i, 2] - target[2]))
    scale = near / (2 * tan_half_view)
    x, y = positions[i, 0] - target[0], positions[i, 1] - target[1]
    out[i, 0] = (0.5 + x * scale + shift_x) * size
    out[i, 1] = (0.5 - y * scale + shift_y) * size
    out[i, 2] = -near
  return out


def light_frame(towards: np.ndarray) -> np.ndarray:
  """Rows right, up, towards: an orthonormal frame (3, 3) about a light's direction."""
  right = np.cross([0, 1, 0.01], towards)
  right /= np.linalg.norm(right)
  return np.stack([right, np.cross(towards, right), towards])


@numba.njit(cache=True, fastmath=True)
def project_light(positions, frame, centre, size):
  """Vertices in the shadow map: x, y in pixels, depth in mesh units from the light.

  `frame` (3, 3) holds the rows right, up, towards the light.
  """
  out = np.empty(positions.shape, np.float32)
  scale = 0.5 / SHADOW_HALF_WIDTH
  for i in range(positions.shape[0]):
    x = positions[i, 0] - centre[0]
    y = positions[i, 1] - centre[1]
    z = positions[i, 2] - centre[2]
    right = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z
    up = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z
    out[i, 0] = (0.5 + right * scale) * size
    out[i, 1] = (0.5 - up * scale) * size
    out[i, 2] = -(frame[2, 0] * x + frame[2, 1] * y + frame[2, 2] * z)
  return out


class Buffers(NamedTuple):
  """What the rasteriser leaves for each sample (s, s)."""

  depth: np.ndarray  # float32
  triangle: np.ndarray  # int32, -1 = background
  u: np.ndarray  # float32, screen barycentric of the second corner
  v: np.ndarray  # float32, of the third


@numba.njit(cache=True)
def new_buffers(size):
  """Empty buffers of (size, size) samples."""
  return Buffers(
    np.full((size, size), 1e9, np.float32),
    np.full((size, size), -1, np.int32),
    np.empty((size, size), np.float32),
    np.empty((size, size), np.float32),
  )


@numba.njit(cache=True, fastmath=True)
def fill(
  buffers,
  screen,
  mesh,
  first,
  last,
  cut_out,
  texels,
  begin,
  rows,
  columns,
  cull,
  spread,
):
  """Draws triangles first..last into the buffers, nearest wins.

  With `cut_out`, samples whose texture is less than half opaque are holes: hair. With
  `spread`, the half becomes 16 levels over squares of 4 x 4 samples (Bayer's matrix),
  so that the mean of four has soft edges. With `cull`, triangles that face away are
  left out.
  """
  depths, owners, us, vs = buffers.depth, buffers.triangle, buffers.u, buffers.v
  triangles, uv = mesh.triangles, mesh.uv
  size = depths.shape[0]
  one, half, zero = np.float32(1.0), np.float32(0.5), np.float32(0.0)
  for t in range(first, last):
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    x0, y0 = screen[a, 0], screen[a, 1]
    bx, by = screen[b, 0] - x0, screen[b, 1] - y0
    cx, cy = screen[c, 0] - x0, screen[c, 1] - y0
    area = bx * cy - cx * by
    if -1e-9 < area < 1e-9 or (cull and area > 0):
      continue
    left = max(int(math.ceil(x0 + min(zero, bx, cx) - half)), 0)
    right = min(int(math.floor(x0 + max(zero, bx, cx) - half)), size - 1)
    if left > right:
      continue
    top = max(int(math.ceil(y0 + min(zero, by, cy) - half)), 0)
    bottom = min(int(math.floor(y0 + max(zero, by, cy) - half)), size - 1)
    if top > bottom:
      continue
    inverse = one / area
    step_u, step_v = cy * inverse, -by * inverse
    z0 = screen[a, 2]
    bz, cz = screen[b, 2] - z0, screen[c, 2] - z0
    for y in range(top, bottom + 1):
      py = np.float32(y) + half - y0
      px = np.float32(left) + half - x0
      u = (px * cy - cx * py) * inverse
      v = (bx * py - px * by) * inverse
      for x in range(left, right + 1):
        if u >= zero and v >= zero and u + v <= one:
          z = z0 + u * bz + v * cz
          if z < depths[y, x]:
            solid = True
            if cut_out:
              w = one - u - v
              tu = uv[a, 0] * w + uv[b, 0] * u + uv[c, 0] * v
              tv = one - uv[a, 1] * w - uv[b, 1] * u - uv[c, 1] * v
              fx, fy = tu * columns - half, tv * rows - half
              left_, top_ = math.floor(fx), math.floor(fy)
              fx, fy = fx - left_, fy - top_
              i, j = int(left_) % columns, int(top_) % rows
              i1 = i + 1 if i + 1 < columns else 0
              j1 = j + 1 if j + 1 < rows else 0
              j, j1 = begin + j * columns, begin + j1 * columns
              over = texels[j + i, 3] * (one - fx) + texels[j + i1, 3] * fx
              below = texels[j1 + i, 3] * (one - fx) + texels[j1 + i1, 3] * fx
              least = HALF_OPAQUE
              if spread:
                least = 8 + 64 * (((x & 1) << 1) ^ ((y & 1) * 3))
                least += 16 * ((x & 2) ^ ((y & 2) * 3 >> 1))
              solid = over + (below - over) * fy >= least
            if solid:
              depths[y, x] = z
              owners[y, x] = t
              us[y, x] = u
              vs[y, x] = v
        u += step_u
        v += step_v


def cover(screen: np.ndarray, triangles: np.ndarray, size: int) -> Buffers:
  """The buffers of bare triangles, without textures.

  Args:
    screen: `(m, 3)` x, y in samples and depth, smaller is nearer.
    triangles: `(t, 3)`.
    size: samples along a side.
  """
  empty = np.zeros((0, 3), np.float32)
  none, whole = empty[:, 0], np.zeros(0, np.int32)
  triangles = np.ascontiguousarray(triangles, np.int32)
  mesh = Mesh(
    neutral=empty, units=empty[None], ref=triangles[:0], weight=empty, offset=empty,
    eye=whole, eye_centres=empty, turn=none, pivot=np.zeros(3, np.float32), sky=none,
    bend=none, flush=none, uv=np.zeros((len(screen), 2), np.float32), position_id=whole,
    triangles=triangles, starts=np.zeros(1, np.int32),
  )  # fmt: skip
  buffers, texels = new_buffers(size), np.zeros((1, 4), np.uint8)
  screen = np.ascontiguousarray(screen, np.float32)
  fill(buffers, screen, mesh, 0, len(triangles), False, texels, 0, 1, 1, False, 0.0)
  for share in (buffers.u, buffers.v):  # elsewhere they were never written
    share[buffers.triangle < 0] = 0
  return buffers
