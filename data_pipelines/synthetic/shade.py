"""Colours the samples of the rasteriser: light, shadow, skin, hair, tone curve.

Skin scatters red light furthest, so its diffuse term wraps around the terminator,
red most, and shadows on it stay reddish. Hair takes its colour from the tint and
only its brightness from the texture. All in linear light; the last step maps it to
sRGB bytes with a filmic curve.
"""

import math
from typing import NamedTuple

import numba
import numpy as np

from data_pipelines.synthetic import raster
from data_pipelines.synthetic.pieces import HAIR, SKIN

SHADOW_BIAS = 0.1  # mesh units
OVERLAY_BIAS = 5e-5  # depth units; brows lie this close to the skin

# The film curve y = 1.25 q (1 + 0.15 q) / (1 + 0.75 q), then gamma 2.2.
EXPOSURE, SHOULDER, TOE, GAMMA = 1.25, 0.75, 0.15, 2.2


class Look(NamedTuple):
  """Materials of the p parts; textures one after the other in `texels`."""

  kind: np.ndarray  # (p,) int32
  tint: np.ndarray  # (p, 3) float32
  inner: np.ndarray  # (p,) float32, share of light inside the mouth
  gloss: np.ndarray  # (p,) float32
  roughness: np.ndarray  # (p,) float32, Phong exponent
  opaque: np.ndarray  # (p,) bool, drawn into the depth buffer
  cut_out: np.ndarray  # (p,) bool, has holes where its texture has
  casts: np.ndarray  # (p,) bool, casts a shadow
  cull: np.ndarray  # (p,) bool, one-sided
  texels: np.ndarray  # (k, 4) uint8 sRGB + alpha
  begin: np.ndarray  # (p,) int32, first texel of the part
  rows: np.ndarray  # (p,) int32
  columns: np.ndarray  # (p,) int32
  linear: np.ndarray  # (256,) float32, sRGB byte -> linear


class Scene(NamedTuple):
  """Lights, camera and backdrop of one frame."""

  directions: np.ndarray  # (3, 3) float32
  colours: np.ndarray  # (3, 3) float32
  sky: np.ndarray  # (3,) float32
  ground: np.ndarray  # (3,) float32
  camera: np.ndarray  # (3,) float32, where it stands
  light_frame: np.ndarray  # (3, 3) float32, rows right, up, towards the key light
  light_centre: np.ndarray  # (3,) float32
  backdrop: np.ndarray  # (s, s, 3) float32, before the film curve


def inverse_film(picture):
  """Values (..., 3) float32 that the film curve maps to `picture` (uint8 sRGB)."""
  y = (picture.astype(np.float32) / 255) ** GAMMA / EXPOSURE
  b = 1 - SHOULDER * y
  return ((-b + np.sqrt(b * b + 4 * TOE * y)) / (2 * TOE)).astype(np.float32)


@numba.njit(cache=True, fastmath=True, inline='always')
def _sample(look, part, u, v):
  """Bilinear, wrapping texture look-up: linear r, g, b and alpha 0..1."""
  rows, columns, begin = look.rows[part], look.columns[part], look.begin[part]
  x, y = u * columns - 0.5, v * rows - 0.5
  fx, fy = math.floor(x), math.floor(y)
  ax, ay = x - fx, y - fy
  i, j = int(fx) % columns, int(fy) % rows
  i1 = i + 1 if i + 1 < columns else 0
  j1 = j + 1 if j + 1 < rows else 0
  t = look.texels
  t00, t10 = t[begin + j * columns + i], t[begin + j * columns + i1]
  t01, t11 = t[begin + j1 * columns + i], t[begin + j1 * columns + i1]
  w00, w10 = (1 - ax) * (1 - ay), ax * (1 - ay)
  w01, w11 = (1 - ax) * ay, ax * ay
  c = look.linear
  r = c[t00[0]] * w00 + c[t10[0]] * w10 + c[t01[0]] * w01 + c[t11[0]] * w11
  g = c[t00[1]] * w00 + c[t10[1]] * w10 + c[t01[1]] * w01 + c[t11[1]] * w11
  b = c[t00[2]] * w00 + c[t10[2]] * w10 + c[t01[2]] * w01 + c[t11[2]] * w11
  a = (t00[3] * w00 + t10[3] * w10 + t01[3] * w01 + t11[3] * w11) / 255
  return r, g, b, a


@numba.njit(cache=True, fastmath=True)
def _lit(scene, shadows, px, py, pz):
  """Share of the key light at a point: 3 x 3 samples of the shadow map, smoothed."""
  x, y, z = (
    px - scene.light_centre[0],
    py - scene.light_centre[1],
    pz - scene.light_centre[2],
  )
  f = scene.light_frame
  size = shadows.shape[0]
  scale = 0.5 / raster.SHADOW_HALF_WIDTH * size
  sx = 0.5 * size + (f[0, 0] * x + f[0, 1] * y + f[0, 2] * z) * scale - 0.5
  sy = 0.5 * size - (f[1, 0] * x + f[1, 1] * y + f[1, 2] * z) * scale - 0.5
  depth = -(f[2, 0] * x + f[2, 1] * y + f[2, 2] * z) - SHADOW_BIAS
  ix, iy = int(math.floor(sx)), int(math.floor(sy))
  fx, fy = sx - ix, sy - iy
  total = 0.0
  for j in range(-1, 3):
    wy = 1 - fy if j == -1 else fy if j == 2 else 1.0
    row = min(max(iy + j, 0), size - 1)
    for i in range(-1, 3):
      if depth <= shadows[row, min(max(ix + i, 0), size - 1)]:
        total += wy * (1 - fx if i == -1 else fx if i == 2 else 1.0)
  return total / 9


@numba.njit(cache=True, fastmath=True)
def _shade(t, u, v, part, mesh, moved, screen, look, scene, shadows):
  """Linear r, g, b and alpha of triangle t at screen barycentrics (u, v)."""
  a, b, c = mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2]
  # Perspective-correct weights: screen[:, 2] is minus one over the distance.
  wa, wb, wc = (1 - u - v) * screen[a, 2], u * screen[b, 2], v * screen[c, 2]
  s = 1.0 / (wa + wb + wc)
  wa, wb, wc = wa * s, wb * s, wc * s
  p, n = moved.positions, moved.normals
  px = p[a, 0] * wa + p[b, 0] * wb + p[c, 0] * wc
  py = p[a, 1] * wa + p[b, 1] * wb + p[c, 1] * wc
  pz = p[a, 2] * wa + p[b, 2] * wb + p[c, 2] * wc
  nx = n[a, 0] * wa + n[b, 0] * wb + n[c, 0] * wc
  ny = n[a, 1] * wa + n[b, 1] * wb + n[c, 1] * wc
  nz = n[a, 2] * wa + n[b, 2] * wb + n[c, 2] * wc
  s = 1.0 / (math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9)
  nx, ny, nz = nx * s, ny * s, nz * s
  uv = mesh.uv
  tu = uv[a, 0] * wa + uv[b, 0] * wb + uv[c, 0] * wc
  tv = 1 - (uv[a, 1] * wa + uv[b, 1] * wb + uv[c, 1] * wc)
  r, g, bl, alpha = _sample(look, part, tu, tv)
  kind, tint = look.kind[part], look.tint[part]
  if kind == HAIR:
    q = 0.35 + 2.2 * math.pow(max(0.3 * r + 0.6 * g + 0.1 * bl, 0.0), 0.6)
    r, g, bl = tint[0] * q, tint[1] * q, tint[2] * q
  else:
    r, g, bl = r * tint[0], g * tint[1], bl * tint[2]
  vx, vy, vz = scene.camera[0] - px, scene.camera[1] - py, scene.camera[2] - pz
  s = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
  vx, vy, vz = vx * s, vy * s, vz * s
  facing = nx * vx + ny * vy + nz * vz
  if facing < 0:
    nx, ny, nz, facing = -nx, -ny, -nz, -facing
  lit = _lit(scene, shadows, px, py, pz)
  inner = look.inner[part]
  if inner < 1.0:  # teeth and tongue: the map is too coarse for the mouth
    lit = 0.55 + 0.45 * lit
  sky = mesh.sky[a] * wa + mesh.sky[b] * wb + mesh.sky[c] * wc
  # Folds lose a little of the lamps, the inside of the mouth (sky 0) most of them.
  direct = min(0.15 + 2.8 * sky, 1.0)
  up = 0.5 + 0.5 * ny
  around = 0.1 + 0.9 * min(1.15 * sky, 1.0)
  cr = r * around * (scene.ground[0] * (1 - up) + scene.sky[0] * up)
  cg = g * around * (scene.ground[1] * (1 - up) + scene.sky[1] * up)
  cb = bl * around * (scene.ground[2] * (1 - up) + scene.sky[2] * up)
  for i in range(3):
    light, colour = scene.directions[i], scene.colours[i]
    d = nx * light[0] + ny * light[1] + nz * light[2]
    k = lit * direct if i == 0 else direct
    if kind == SKIN:
      dr = min(max((d + 0.28) / 1.28, 0.0), 1.0) * (0.22 + 0.78 * k)
      dg = min(max((d + 0.12) / 1.12, 0.0), 1.0) * (0.1 + 0.9 * k)
      db = min(max((d + 0.08) / 1.08, 0.0), 1.0) * (0.08 + 0.92 * k)
    else:
      dr = min(max((d + 0.05) / 1.05, 0.0), 1.0) * k
      dg = dr
      db = dr
    cr += r * colour[0] * dr
    cg += g * colour[1] * dg
    cb += bl * colour[2] * db
    if d > 0 and look.gloss[part] > 0:
      hx, hy, hz = light[0] + vx, light[1] + vy, light[2] + vz
      s = 1.0 / (math.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9)
      half_n = max((hx * nx + hy * ny + hz * nz) * s, 0.0)
      fresnel = 1.0
      if kind == SKIN:
        half_v = max((hx * vx + hy * vy + hz * vz) * s, 0.0)
        fresnel = 8 * (0.04 + 0.96 * (1 - half_v) ** 5)
      shine = k * look.gloss[part] * fresnel * half_n ** look.roughness[part]
      cr += colour[0] * shine
      cg += colour[1] * shine
      cb += colour[2] * shine
  if kind == SKIN:  # the fuzz at the rim
    rim = 0.25 * sky * (1 - facing) ** 3
    cr += r * scene.sky[0] * rim
    cg += g * scene.sky[1] * rim
    cb += bl * scene.sky[2] * rim
  return cr * inner, cg * inner, cb * inner, alpha


@numba.njit(cache=True, fastmath=True)
def draw(mesh, moved, screen, light_screen, look, scene, shadow_size, supersample):
  """Shadow map, depth buffer, shading, then brows and lashes over it.

  Within one pixel of the result, samples of one part share their colour (hair
  excepted), which halves the time and costs nothing that can be seen.

  Returns:
    (colour (s, s, 3) float32 before the film curve, Buffers).
  """
  size = scene.backdrop.shape[0]
  buffers = raster.new_buffers(size)
  shadows = raster.new_buffers(shadow_size)
  parts = mesh.starts.shape[0] - 1
  owner = np.empty(mesh.triangles.shape[0], np.int32)
  for k in range(parts):
    first, last = mesh.starts[k], mesh.starts[k + 1]
    owner[first:last] = k
    holes = look.cut_out[k]
    begin, rows, columns = look.begin[k], look.rows[k], look.columns[k]
    if look.casts[k]:
      raster.fill(
        shadows, light_screen, mesh, first, last, holes,
        look.texels, begin, rows, columns, False,
      )  # fmt: skip
    if look.opaque[k]:
      raster.fill(
        buffers, screen, mesh, first, last, holes,
        look.texels, begin, rows, columns, look.cull[k],
      )  # fmt: skip
  colour = scene.backdrop.copy()
  for top in range(0, size, supersample):
    for left in range(0, size, supersample):
      before = -1
      r = g = b = np.float32(0)
      for y in range(top, top + supersample):
        for x in range(left, left + supersample):
          t = buffers.triangle[y, x]
          if t < 0:
            continue
          k = owner[t]
          if k != before or look.cut_out[k]:
            r_, g_, b_, _ = _shade(
              t, buffers.u[y, x], buffers.v[y, x], k,
              mesh, moved, screen, look, scene, shadows.depth,
            )  # fmt: skip
            r, g, b = np.float32(r_), np.float32(g_), np.float32(b_)
            before = k
          colour[y, x, 0] = r
          colour[y, x, 1] = g
          colour[y, x, 2] = b
  for k in range(parts):
    if not look.opaque[k]:
      _overlay(
        colour, buffers.depth, k, mesh, moved, screen, look, scene, shadows.depth
      )
  return colour, buffers


@numba.njit(cache=True, fastmath=True)
def _overlay(colour, depth, part, mesh, moved, screen, look, scene, shadows):
  """Blends one see-through part over the picture, where nothing hides it."""
  size = depth.shape[0]
  for t in range(mesh.starts[part], mesh.starts[part + 1]):
    a, b, c = mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2]
    x0, y0, x1, y1 = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1]
    x2, y2 = screen[c, 0], screen[c, 1]
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    if -1e-9 < area < 1e-9:
      continue
    top, bottom = max(int(min(y0, y1, y2)), 0), min(int(max(y0, y1, y2)) + 1, size - 1)
    left, right = max(int(min(x0, x1, x2)), 0), min(int(max(x0, x1, x2)) + 1, size - 1)
    for y in range(top, bottom + 1):
      for x in range(left, right + 1):
        px, py = x + 0.5 - x0, y + 0.5 - y0
        u = (px * (y2 - y0) - (x2 - x0) * py) / area
        v = ((x1 - x0) * py - px * (y1 - y0)) / area
        if u < 0 or v < 0 or u + v > 1:
          continue
        z = screen[a, 2] * (1 - u - v) + screen[b, 2] * u + screen[c, 2] * v
        if z > depth[y, x] + OVERLAY_BIAS:
          continue
        r, g, bl, alpha = _shade(
          t, u, v, part, mesh, moved, screen, look, scene, shadows
        )
        colour[y, x, 0] += (r - colour[y, x, 0]) * alpha
        colour[y, x, 1] += (g - colour[y, x, 1]) * alpha
        colour[y, x, 2] += (bl - colour[y, x, 2]) * alpha


@numba.njit(cache=True, fastmath=True)
def develop(colour, supersample):
  """Film curve, then the mean of supersample^2 samples: (s, s, 3) uint8 sRGB."""
  size = colour.shape[0] // supersample
  out = np.empty((size, size, 3), np.uint8)
  for y in range(size):
    for x in range(size):
      for c in range(3):
        total = 0.0
        for j in range(supersample):
          for i in range(supersample):
            q = colour[y * supersample + j, x * supersample + i, c]
            total += EXPOSURE * q * (1 + TOE * q) / (1 + SHOULDER * q)
        mean = max(total / supersample**2, 0.0)
        out[y, x, c] = min(255 * math.pow(mean, 1 / GAMMA) + 0.5, 255.0)
  return out
