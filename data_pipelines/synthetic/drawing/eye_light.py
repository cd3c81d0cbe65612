"""Light on eyeballs: wet, hollow at the iris, in the shade of the lids."""

import math

import numba
import numpy as np

from data_pipelines.synthetic.drawing.ambient import around
from data_pipelines.synthetic.drawing.surface import (
  LIT,
  NX,
  NY,
  NZ,
  SKY,
  TU,
  TV,
  VX,
  VY,
  VZ,
)
from data_pipelines.synthetic.drawing.texture import (
  PANE_EDGE,
  SHARP,
  pane,
  ramp,
  sample,
  wrap,
)

LID_REACH = 0.095  # mesh units over which an eyelid darkens the eyeball
CORNEA = 0.8  # how much steeper than the eyeball


@numba.njit(cache=True, fastmath=True)
def shade_eye(
  rows, a, b, texels, linear, begin, height, width, tint, contact, gaze, iris,
  directions, colours, ambient, frame, out,
):  # fmt: skip
  """Eyeballs: wet, hollow at the iris, in the shade of the lids.

  Args:
    contact: (b - a,) share of light that the lids leave.
    gaze: (3,) where both eyes look.
    iris: cosine of the angle from the pupil to the iris' rim.
    frame: (3, 3) rows right, up, towards the key light.
  """
  for i in range(a, b):
    row = rows[i]
    cr, cg, cb, _ = sample(texels, linear, begin, height, width, row[TU], row[TV])
    cr, cg, cb = cr * tint[0], cg * tint[1], cb * tint[2]
    nx, ny, nz = row[NX], row[NY], row[NZ]
    vx, vy, vz = row[VX], row[VY], row[VZ]
    shade = contact[i - a]
    sky = row[SKY] * shade
    lit = 0.25 + 0.75 * row[LIT]
    along = nx * gaze[0] + ny * gaze[1] + nz * gaze[2]
    inside = ramp((along - iris) / (1 - iris) * 4 + 0.5)
    # The iris is a bowl behind the cornea: lit on the side away from the lamp.
    bx, by, bz = nx, ny, nz
    if inside > 0:
      s = 2 * along * inside
      bx, by, bz = nx * (1 - inside * 2) + s * gaze[0], 0.0, 0.0
      by = ny * (1 - inside * 2) + s * gaze[1]
      bz = nz * (1 - inside * 2) + s * gaze[2]
      s = 1.0 / math.sqrt(bx * bx + by * by + bz * bz + 1e-9)
      bx, by, bz = bx * s, by * s, bz * s
    rim = (along - iris) / (1 - iris)
    shade *= 1 - 0.25 * max(1 - 6 * abs(rim), 0.0)  # the limbus lies deeper
    dr = sky * around(ambient, 0, bx, by, bz)
    dg = sky * around(ambient, 1, bx, by, bz)
    db = sky * around(ambient, 2, bx, by, bz)
    # The cornea stands out: what mirrors is bent more sharply than the ball.
    s = CORNEA * inside
    mx, my = nx + s * (nx - along * gaze[0]), ny + s * (ny - along * gaze[1])
    mz = nz + s * (nz - along * gaze[2])
    s = 1.0 / math.sqrt(mx * mx + my * my + mz * mz + 1e-9)
    nx, ny, nz = mx * s, my * s, mz * s
    f = nx * vx + ny * vy + nz * vz
    rx, ry, rz = 2 * f * nx - vx, 2 * f * ny - vy, 2 * f * nz - vz
    m = 1 - max(f, 0.0)
    mirror = 0.03 + 0.5 * m * m * m * m
    hr = mirror * sky * around(ambient, 0, rx, ry, rz)
    hg = mirror * sky * around(ambient, 1, rx, ry, rz)
    hb = mirror * sky * around(ambient, 2, rx, ry, rz)
    for k in range(directions.shape[0]):
      lx, ly, lz = directions[k, 0], directions[k, 1], directions[k, 2]
      light = shade * lit if k == 0 else shade * 0.8
      d = bx * lx + by * ly + bz * lz
      e = light * wrap(d, 0.3)
      dr += colours[k, 0] * e * 1.02
      dg += colours[k, 1] * e
      db += colours[k, 2] * e
      wet = 0.0
      if k == 0:
        wet = 1.1 * light * pane(rx, ry, rz, frame, PANE_EDGE * 2)
      elif rx * lx + ry * ly + rz * lz > 0:
        hx, hy, hz = lx + vx, ly + vy, lz + vz
        s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
        nh = min((hx * nx + hy * ny + hz * nz) * s, 1.0)
        q = SHARP / (nh * nh * (SHARP - 1) + 1)
        wet = 0.7 * light * q
      hr += colours[k, 0] * wet
      hg += colours[k, 1] * wet
      hb += colours[k, 2] * wet
    out[i, 0] = cr * dr + hr
    out[i, 1] = cg * dg + hg
    out[i, 2] = cb * db + hb
    out[i, 3] = 1


@numba.njit(cache=True, fastmath=True)
def contact(where, triangles, depth, first, last, up, scale):
  """Share of light that eyelids leave to samples of the eyeballs, (n,) float32.

  Looks for the lid's edge on the screen: above (`up`, (2,), y down), beside, below.
  `scale`: samples on the screen of one mesh unit at distance 1.
  """
  size = triangles.shape[0]
  out = np.empty(where.shape[0], np.float32)
  steps = 8
  for i in range(where.shape[0]):
    y, x = where[i] // size, where[i] % size
    reach = LID_REACH * -depth[y, x] * scale  # in samples
    light = 1.0
    for side in range(4):
      dx, dy = up[0], up[1]
      if side == 1:
        dx, dy = -up[1], up[0]
      elif side == 2:
        dx, dy = up[1], -up[0]
      elif side == 3:
        dx, dy = -up[0], -up[1]
      strength = 0.6 if side == 0 else 0.2
      for s in range(1, steps + 1):
        along = reach * s / steps
        px, py = int(x + 0.5 + dx * along), int(y + 0.5 + dy * along)
        if px < 0 or py < 0 or px >= size or py >= size:
          break
        t = triangles[py, px]
        if t < first or t >= last:
          fall = 1 - (s - 1) / steps
          light *= 1 - strength * fall * fall
          break
    out[i] = light
  return out
