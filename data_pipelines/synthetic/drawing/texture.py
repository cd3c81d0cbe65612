"""What the kernels of all materials share: textures, soft edges, a mirrored window."""

import math

import numba

SHARP = 0.07**2  # of wet and polished surfaces
PANE_HALF_WIDTH, PANE_HALF_HEIGHT, PANE_EDGE = 0.28, 0.36, 0.07  # of a mirrored window


@numba.njit(cache=True, fastmath=True, inline='always')
def sample(texels, linear, begin, rows, columns, u, v):
  """Bilinear, wrapping texture look-up: linear r, g, b and alpha 0..1."""
  x, y = u * columns - 0.5, v * rows - 0.5
  fx, fy = math.floor(x), math.floor(y)
  ax, ay = x - fx, y - fy
  i, j = int(fx) % columns, int(fy) % rows
  i1 = i + 1 if i + 1 < columns else 0
  j1 = j + 1 if j + 1 < rows else 0
  j, j1 = begin + j * columns, begin + j1 * columns
  p, q, s, t = j + i, j + i1, j1 + i, j1 + i1
  w00, w10 = (1 - ax) * (1 - ay), ax * (1 - ay)
  w01, w11 = (1 - ax) * ay, ax * ay
  c = linear
  r = c[texels[p, 0]] * w00 + c[texels[q, 0]] * w10
  r += c[texels[s, 0]] * w01 + c[texels[t, 0]] * w11
  g = c[texels[p, 1]] * w00 + c[texels[q, 1]] * w10
  g += c[texels[s, 1]] * w01 + c[texels[t, 1]] * w11
  b = c[texels[p, 2]] * w00 + c[texels[q, 2]] * w10
  b += c[texels[s, 2]] * w01 + c[texels[t, 2]] * w11
  a = texels[p, 3] * w00 + texels[q, 3] * w10 + texels[s, 3] * w01 + texels[t, 3] * w11
  return r, g, b, a / 255


@numba.njit(cache=True, fastmath=True, inline='always')
def ramp(x):
  """0 below 0, 1 above 1, smooth between."""
  x = min(max(x, 0.0), 1.0)
  return x * x * (3 - 2 * x)


@numba.njit(cache=True, fastmath=True, inline='always')
def wrap(d, w):
  """A cosine whose edge is rounded over +-w: 0 below -w, d above w."""
  if d <= -w:
    return 0.0
  return d if d >= w else (d + w) * (d + w) / (4 * w)


@numba.njit(cache=True, fastmath=True, inline='always')
def pane(rx, ry, rz, f, edge):
  """How much of a window about the key light is mirrored in the direction r, 0..1.

  `f` holds rows right, up, towards the light; the window has a cross of bars.
  """
  if f[2, 0] * rx + f[2, 1] * ry + f[2, 2] * rz <= 0:
    return 0.0
  x = abs(f[0, 0] * rx + f[0, 1] * ry + f[0, 2] * rz)
  y = abs(f[1, 0] * rx + f[1, 1] * ry + f[1, 2] * rz)
  share = ramp((PANE_HALF_WIDTH - x) / edge + 0.5)
  share *= ramp((PANE_HALF_HEIGHT - y) / edge + 0.5)
  bars = max(1 - x / edge, 0.0) + max(1 - y / edge, 0.0)
  return share * (1 - 0.5 * min(bars, 1.0))
