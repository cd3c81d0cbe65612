"""What lies under each sample that is shaded: place, normal, texture, sky, shadow.

Shading is deferred: the rasteriser says which triangle each sample of the picture
shows, `collect` lists what has to be shaded, part after part, `interpolate` works out
a row of numbers for each, and the kernels of `materials.py` turn rows into colours.
"""

import math
from typing import NamedTuple

import numba
import numpy as np

from data_pipelines.synthetic.drawing import raster
from data_pipelines.synthetic.people.pieces import HAIR, SKIN

SHADOW_LIFT, SHADOW_BIAS = 0.035, 0.03  # mesh units off the surface, towards the light
STEP = 0.012  # of the distance: an edge of a part before itself
OVERLAY_BIAS = 2e-3  # mesh units; brows lie this close to the skin

# Columns of a row: place, normal towards the camera, texture, sky, curvature, flush,
# share of the key light, cosine to the camera, then for hair the strand's direction,
# for skin the gradients of u and v over the surface.
X, Y, Z, NX, NY, NZ, TU, TV, SKY, BEND, FLUSH, LIT, VX, VY, VZ, FACING = range(16)
TX, TY, TZ, BX, BY, BZ = range(16, 22)
COLUMNS = 22


class Samples(NamedTuple):
  """n samples to shade, sorted by part."""

  triangle: np.ndarray  # (n,) int32
  u: np.ndarray  # (n,) float32, screen barycentric of the second corner
  v: np.ndarray  # (n,) float32, of the third
  where: np.ndarray  # (n,) int32, row * size + column
  starts: np.ndarray  # (p + 1,) int32, first sample of each part


@numba.njit(cache=True)
def collect(buffers, part_starts, cut_out, supersample):
  """The samples to shade of the buffers, and which one each sample of the picture uses.

  Within one pixel of the result, samples of one part at one depth share their colour
  (hair and other cut-outs excepted), which halves the time and cannot be seen.

  Returns:
    (Samples, (s, s) int32 index into them, -1 = background).
  """
  triangles, us, vs = buffers.triangle, buffers.u, buffers.v
  size = triangles.shape[0]
  parts = part_starts.shape[0] - 1
  owner = np.empty(part_starts[parts], np.int32)
  for k in range(parts):
    owner[part_starts[k] : part_starts[k + 1]] = k
  entry = np.full((size, size), -1, np.int32)
  where = np.empty(size * size, np.int32)
  whose = np.empty(size * size, np.int32)
  starts = np.zeros(parts + 1, np.int32)
  count = 0
  for top in range(0, size, supersample):
    for left in range(0, size, supersample):
      before, deep = -1, np.float32(0)
      for y in range(top, top + supersample):
        for x in range(left, left + supersample):
          t = triangles[y, x]
          if t < 0:
            continue
          k = owner[t]
          z = buffers.depth[y, x]
          if k != before or cut_out[k] or abs(z - deep) > -STEP * z:
            where[count] = y * size + x
            whose[count] = k
            starts[k + 1] += 1
            count += 1
            before, deep = k, z
          entry[y, x] = count - 1
  for k in range(parts):
    starts[k + 1] += starts[k]
  place = starts.copy()
  rank = np.empty(count, np.int32)
  out = Samples(
    np.empty(count, np.int32),
    np.empty(count, np.float32),
    np.empty(count, np.float32),
    np.empty(count, np.int32),
    starts,
  )
  for i in range(count):
    j = place[whose[i]]
    place[whose[i]] += 1
    rank[i] = j
    y, x = where[i] // size, where[i] % size
    out.triangle[j] = triangles[y, x]
    out.u[j] = us[y, x]
    out.v[j] = vs[y, x]
    out.where[j] = where[i]
  for y in range(size):
    for x in range(size):
      if entry[y, x] >= 0:
        entry[y, x] = rank[entry[y, x]]
  return out, entry


@numba.njit(cache=True, fastmath=True)
def collect_overlays(triangles, part_starts, over, screen, depth):
  """The samples of the see-through parts that nothing hides, in the order to blend."""
  size = depth.shape[0]
  parts = part_starts.shape[0] - 1
  room = 4096
  triangle, where = np.empty(room, np.int32), np.empty(room, np.int32)
  us, vs = np.empty(room, np.float32), np.empty(room, np.float32)
  starts = np.zeros(parts + 1, np.int32)
  n = 0
  for k in range(parts):
    starts[k] = n
    if not over[k]:
      continue
    for t in range(part_starts[k], part_starts[k + 1]):
      a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
      x0, y0, x1, y1 = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1]
      x2, y2 = screen[c, 0], screen[c, 1]
      area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
      if -1e-9 < area < 1e-9:
        continue
      top = max(int(math.ceil(min(y0, y1, y2) - 0.5)), 0)
      left = max(int(math.ceil(min(x0, x1, x2) - 0.5)), 0)
      bottom = min(int(math.floor(max(y0, y1, y2) - 0.5)), size - 1)
      right = min(int(math.floor(max(x0, x1, x2) - 0.5)), size - 1)
      inverse = 1 / area
      step_u, step_v = (y2 - y0) * inverse, -(y1 - y0) * inverse
      for y in range(top, bottom + 1):
        px, py = left + 0.5 - x0, y + 0.5 - y0
        u = (px * (y2 - y0) - (x2 - x0) * py) * inverse - step_u
        v = ((x1 - x0) * py - px * (y1 - y0)) * inverse - step_v
        for x in range(left, right + 1):
          u += step_u
          v += step_v
          if u < 0 or v < 0 or u + v > 1:
            continue
          z = screen[a, 2] * (1 - u - v) + screen[b, 2] * u + screen[c, 2] * v
          if z > depth[y, x] + OVERLAY_BIAS * z * z:
            continue
          if n == room:
            triangle = np.concatenate((triangle, np.empty(room, np.int32)))
            where = np.concatenate((where, np.empty(room, np.int32)))
            us = np.concatenate((us, np.empty(room, np.float32)))
            vs = np.concatenate((vs, np.empty(room, np.float32)))
            room *= 2
          triangle[n] = t
          us[n] = u
          vs[n] = v
          where[n] = y * size + x
          n += 1
  starts[parts] = n
  return Samples(triangle[:n], us[:n], vs[:n], where[:n], starts)


@numba.njit(cache=True, fastmath=True, inline='always')
def _lit(shadows, stride, f, cx, cy, cz, px, py, pz):
  """Share of the key light at a point: 3 x 3 samples of the shadow map, smoothed.

  The samples lie on every `stride`-th texel, which softens the edge.
  """
  x, y, z = px - cx, py - cy, pz - cz
  size = shadows.shape[0]
  scale = 0.5 / raster.SHADOW_HALF_WIDTH * size
  sx = (0.5 * size + (f[0, 0] * x + f[0, 1] * y + f[0, 2] * z) * scale - 0.5) / stride
  sy = (0.5 * size - (f[1, 0] * x + f[1, 1] * y + f[1, 2] * z) * scale - 0.5) / stride
  depth = -(f[2, 0] * x + f[2, 1] * y + f[2, 2] * z) - SHADOW_BIAS
  ix, iy = int(math.floor(sx)), int(math.floor(sy))
  fx, fy = sx - ix, sy - iy
  last = (size - 1) // stride
  if ix < 1 or iy < 1 or ix > last - 2 or iy > last - 2:
    return 1.0
  total = 0.0
  for j in range(-1, 3):
    wy = 1 - fy if j == -1 else fy if j == 2 else 1.0
    row = (iy + j) * stride
    line = 0.0
    if depth <= shadows[row, (ix - 1) * stride]:
      line += 1 - fx
    if depth <= shadows[row, ix * stride]:
      line += 1.0
    if depth <= shadows[row, (ix + 1) * stride]:
      line += 1.0
    if depth <= shadows[row, (ix + 2) * stride]:
      line += fx
    total += line * wy
  return total / 9


@numba.njit(cache=True, fastmath=True)
def interpolate(
  samples, kinds, triangles, uv, attributes, positions, normals, screen, camera,
  shadows, stride, light_frame, light_centre,
):  # fmt: skip
  """Rows (n, COLUMNS) float32 of the samples.

  Args:
    samples: Samples.
    kinds: (p,) of the parts.
    triangles, uv: of the mesh.
    attributes: (m, 3) sky, curvature, flush of the vertices.
    positions, normals, screen: (m, 3) moved and projected.
    camera: (3,) where it stands.
    shadows: (h, h) depths of the shadow map.
    stride: softness of the shadow's edge in its texels, 1 or more.
    light_frame, light_centre: of the shadow map.
  """
  rows = np.empty((samples.triangle.shape[0], COLUMNS), np.float32)
  f = light_frame
  cx, cy, cz = light_centre[0], light_centre[1], light_centre[2]
  for part in range(kinds.shape[0]):
    kind = kinds[part]
    for i in range(samples.starts[part], samples.starts[part + 1]):
      t, u, v = samples.triangle[i], samples.u[i], samples.v[i]
      a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
      # Perspective-correct weights: screen[:, 2] is minus one over the distance.
      wa = (1 - u - v) * screen[a, 2]
      wb, wc = u * screen[b, 2], v * screen[c, 2]
      s = 1.0 / (wa + wb + wc)
      wa, wb, wc = wa * s, wb * s, wc * s
      p = positions
      px = p[a, 0] * wa + p[b, 0] * wb + p[c, 0] * wc
      py = p[a, 1] * wa + p[b, 1] * wb + p[c, 1] * wc
      pz = p[a, 2] * wa + p[b, 2] * wb + p[c, 2] * wc
      n = normals
      nx = n[a, 0] * wa + n[b, 0] * wb + n[c, 0] * wc
      ny = n[a, 1] * wa + n[b, 1] * wb + n[c, 1] * wc
      nz = n[a, 2] * wa + n[b, 2] * wb + n[c, 2] * wc
      vx, vy, vz = camera[0] - px, camera[1] - py, camera[2] - pz
      s = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
      vx, vy, vz = vx * s, vy * s, vz * s
      s = 1.0 / (math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9)
      facing = (nx * vx + ny * vy + nz * vz) * s
      if facing < 0:
        s, facing = -s, -facing
      nx, ny, nz = nx * s, ny * s, nz * s
      row = rows[i]
      row[X], row[Y], row[Z] = px, py, pz
      row[NX], row[NY], row[NZ] = nx, ny, nz
      row[VX], row[VY], row[VZ], row[FACING] = vx, vy, vz, facing
      row[TU] = uv[a, 0] * wa + uv[b, 0] * wb + uv[c, 0] * wc
      row[TV] = 1 - (uv[a, 1] * wa + uv[b, 1] * wb + uv[c, 1] * wc)
      e = attributes
      row[SKY] = e[a, 0] * wa + e[b, 0] * wb + e[c, 0] * wc
      row[BEND] = e[a, 1] * wa + e[b, 1] * wb + e[c, 1] * wc
      row[FLUSH] = e[a, 2] * wa + e[b, 2] * wb + e[c, 2] * wc
      row[LIT] = _lit(
        shadows, stride, f, cx, cy, cz,
        px + nx * SHADOW_LIFT, py + ny * SHADOW_LIFT, pz + nz * SHADOW_LIFT,
      )  # fmt: skip
      if kind == SKIN or kind == HAIR:
        ux, uy, uz = p[b, 0] - p[a, 0], p[b, 1] - p[a, 1], p[b, 2] - p[a, 2]
        wx, wy, wz = p[c, 0] - p[a, 0], p[c, 1] - p[a, 1], p[c, 2] - p[a, 2]
        u1, v1 = uv[b, 0] - uv[a, 0], uv[a, 1] - uv[b, 1]  # v of TV points down
        u2, v2 = uv[c, 0] - uv[a, 0], uv[a, 1] - uv[c, 1]
        if kind == HAIR:  # dP / dv
          s = 1.0 if u1 * v2 - u2 * v1 > 0 else -1.0
          tx, ty, tz = wx * u1 - ux * u2, wy * u1 - uy * u2, wz * u1 - uz * u2
          s /= math.sqrt(tx * tx + ty * ty + tz * tz) + 1e-12
          row[TX], row[TY], row[TZ] = tx * s, ty * s, tz * s
        else:  # gradients over the surface: (du (w x n) ..) / |u x w|
          gx, gy, gz = uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx
          s = 1.0 / (gx * gx + gy * gy + gz * gz + 1e-16)
          # barycentric gradients: of b = (w x g) s, of c = (g x u) s
          hx, hy, hz = wy * gz - wz * gy, wz * gx - wx * gz, wx * gy - wy * gx
          kx, ky, kz = gy * uz - gz * uy, gz * ux - gx * uz, gx * uy - gy * ux
          row[TX], row[BX] = (u1 * hx + u2 * kx) * s, (v1 * hx + v2 * kx) * s
          row[TY], row[BY] = (u1 * hy + u2 * ky) * s, (v1 * hy + v2 * ky) * s
          row[TZ], row[BZ] = (u1 * hz + u2 * kz) * s, (v1 * hz + v2 * kz) * s
  return rows
