"""Light on hair.

Kajiya and Kay's highlights along the strand, one white and one dyed, shifted apart
(Scheuermann, "Practical real-time hair rendering and shading", 2004).
"""

import math

import numba

from data_pipelines.synthetic.drawing.ambient import around
from data_pipelines.synthetic.drawing.surface import (
  FACING,
  LIT,
  NX,
  NY,
  NZ,
  SKY,
  TU,
  TV,
  TX,
  TY,
  TZ,
  VX,
  VY,
  VZ,
)
from data_pipelines.synthetic.drawing.texture import sample

GLOW = 1.6  # of light that comes through hair at its edge


@numba.njit(cache=True, fastmath=True)
def shade_hair(
  rows, a, b, texels, linear, begin, height, width, tint, gloss, directions, colours,
  ambient, blended, out,
):  # fmt: skip
  """Hair: the colour is the tint, brightness and holes are the texture's."""
  for i in range(a, b):
    row = rows[i]
    cr, cg, cb, alpha = sample(texels, linear, begin, height, width, row[TU], row[TV])
    root = math.sqrt(max(0.3 * cr + 0.6 * cg + 0.1 * cb, 0.0))
    strand = root * (0.7 + 0.3 * root)
    q = 0.25 + 2.1 * strand
    cr, cg, cb = tint[0] * q, tint[1] * q, tint[2] * q
    nx, ny, nz = row[NX], row[NY], row[NZ]
    tx, ty, tz = row[TX], row[TY], row[TZ]
    # Towards the normal plane, and wavering from strand to strand.
    s = tx * nx + ty * ny + tz * nz
    tx, ty, tz = tx - s * nx, ty - s * ny, tz - s * nz
    s = 1.0 / math.sqrt(tx * tx + ty * ty + tz * tz + 1e-9)
    tx, ty, tz = tx * s, ty * s, tz * s
    vx, vy, vz = row[VX], row[VY], row[VZ]
    sky, lit = row[SKY], row[LIT]
    # Deep in the hair the light is its own colour once more.
    deep = 1 - 0.5 * (1 - sky)
    dr = sky * deep * around(ambient, 0, nx, ny, nz)
    dg = sky * deep * around(ambient, 1, nx, ny, nz)
    db = sky * deep * around(ambient, 2, nx, ny, nz)
    hr = hg = hb = yr = yg = yb = 0.0
    direct = min(0.12 + 1.2 * sky, 1.0)
    waver = (strand - 0.35) * 0.35
    for k in range(directions.shape[0]):
      lx, ly, lz = directions[k, 0], directions[k, 1], directions[k, 2]
      d = nx * lx + ny * ly + nz * lz
      through = -(vx * lx + vy * ly + vz * lz)
      if through > 0:  # from behind: the edge of the hair glows
        thin = 1 - row[FACING]
        if k == 0:
          thin *= lit
        e = GLOW * direct * through * through * thin * thin
        dr += colours[k, 0] * e
        dg += colours[k, 1] * e
        db += colours[k, 2] * e
      if d < -0.3:
        continue
      light = direct * lit if k == 0 else direct
      if light < 0.01:
        continue
      tl = tx * lx + ty * ly + tz * lz
      across = math.sqrt(max(1 - tl * tl, 0.0))
      wrapped = min(max((d + 0.3) / 1.3, 0.0), 1.0)
      e = light * wrapped * (0.45 + 0.55 * across)
      dr += colours[k, 0] * e
      dg += colours[k, 1] * e
      db += colours[k, 2] * e
      if d > 0:
        hx, hy, hz = lx + vx, ly + vy, lz + vz
        s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
        th = (tx * hx + ty * hy + tz * hz) * s
        nh = (nx * hx + ny * hy + nz * hz) * s
        first, second = th + (0.06 + waver) * nh, th + (-0.12 + waver) * nh
        p = max(1 - first * first, 0.0)
        p *= p
        p *= p
        p *= p
        p *= p
        p *= p  # ^ 32 of the square of the sine
        r = max(1 - second * second, 0.0)
        r *= r
        r *= r
        r *= r
        gate = light * min(3 * d, 1.0)
        p *= gate
        r *= gate
        hr += colours[k, 0] * p
        hg += colours[k, 1] * p
        hb += colours[k, 2] * p
        yr += colours[k, 0] * r
        yg += colours[k, 1] * r
        yb += colours[k, 2] * r
    white, dyed = gloss * (0.35 + 1.3 * strand), gloss * 7.0
    weight = alpha if blended else 1.0
    out[i, 0] = weight * (cr * (dr + dyed * yr) + white * hr)
    out[i, 1] = weight * (cg * (dg + dyed * yg) + white * hg)
    out[i, 2] = weight * (cb * (db + dyed * yb) + white * hb)
    out[i, 3] = weight
