"""Light on everything but skin, hair and eyes: cloth, metal, teeth, lashes, glass.

Each kernel here and in `skin_light.py`, `hair_light.py` and `eye_light.py` turns the
rows a..b of `surface.interpolate` into linear colours times alpha, and alpha. All take
the same lamps: directions (k, 3), colours (k, 3) and the folded ambient (9, 3).
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
  VX,
  VY,
  VZ,
)
from data_pipelines.synthetic.drawing.texture import (
  PANE_EDGE,
  SHARP,
  pane,
  sample,
  wrap,
)

MILKY = 0.15  # share of light that tinted glass scatters
COATED = 0.02  # reflectance of a lens, at normal incidence


@numba.njit(cache=True, fastmath=True)
def shade_plain(
  rows, a, b, texels, linear, begin, height, width, tint, gloss, roughness, inner,
  directions, colours, ambient, blended, out,
):  # fmt: skip
  """Cloth, teeth, tongue, metal, lashes: Lambert and a highlight.

  `roughness` is a Phong exponent; `inner` < 1 dims what lies in the mouth.
  """
  wide = min(2.0 / (roughness + 2.0), 1.0)
  for i in range(a, b):
    row = rows[i]
    cr, cg, cb, alpha = sample(texels, linear, begin, height, width, row[TU], row[TV])
    cr, cg, cb = cr * tint[0], cg * tint[1], cb * tint[2]
    nx, ny, nz = row[NX], row[NY], row[NZ]
    vx, vy, vz = row[VX], row[VY], row[VZ]
    sky, lit = row[SKY], row[LIT]
    if inner < 1.0:  # teeth and tongue: the map is too coarse for the mouth
      lit = 0.55 + 0.45 * lit
    dr = sky * around(ambient, 0, nx, ny, nz)
    dg = sky * around(ambient, 1, nx, ny, nz)
    db = sky * around(ambient, 2, nx, ny, nz)
    direct = min(0.2 + 1.2 * sky, 1.0)
    hr = hg = hb = 0.0
    for k in range(directions.shape[0]):
      lx, ly, lz = directions[k, 0], directions[k, 1], directions[k, 2]
      d = nx * lx + ny * ly + nz * lz
      light = direct * lit if k == 0 else direct
      e = light * wrap(d, 0.08)
      dr += colours[k, 0] * e
      dg += colours[k, 1] * e
      db += colours[k, 2] * e
      if d > 0 and gloss > 0 and light > 0.01:
        hx, hy, hz = lx + vx, ly + vy, lz + vz
        s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
        nh = min((hx * nx + hy * ny + hz * nz) * s, 1.0)
        q = wide / (nh * nh * (wide - 1) + 1)
        s = light * gloss * q * q * min(4 * d, 1.0)
        hr += colours[k, 0] * s
        hg += colours[k, 1] * s
        hb += colours[k, 2] * s
    if gloss > 0.1:  # polished: the surroundings too
      f = row[FACING]
      m = 1 - f
      s = gloss * sky * (0.06 + 0.4 * m * m * m)
      rx, ry, rz = 2 * f * nx - vx, 2 * f * ny - vy, 2 * f * nz - vz
      hr += s * around(ambient, 0, rx, ry, rz)
      hg += s * around(ambient, 1, rx, ry, rz)
      hb += s * around(ambient, 2, rx, ry, rz)
    weight = alpha if blended else 1.0
    out[i, 0] = inner * weight * (cr * dr + hr)
    out[i, 1] = inner * weight * (cg * dg + hg)
    out[i, 2] = inner * weight * (cb * db + hb)
    out[i, 3] = weight


@numba.njit(cache=True, fastmath=True)
def shade_glass(
  rows, a, b, texels, linear, begin, height, width, tint, gloss, directions, colours,
  ambient, frame, out,
):  # fmt: skip
  """Lenses: dim by alpha with the texture's colour, and mirror lamps and sky."""
  for i in range(a, b):
    row = rows[i]
    cr, cg, cb, alpha = sample(texels, linear, begin, height, width, row[TU], row[TV])
    nx, ny, nz = row[NX], row[NY], row[NZ]
    vx, vy, vz = row[VX], row[VY], row[VZ]
    f = row[FACING]
    rx, ry, rz = 2 * f * nx - vx, 2 * f * ny - vy, 2 * f * nz - vz
    m = 1 - f
    mirror = COATED + 0.7 * m * m * m * m
    # Glass takes light away rather than scattering it: little of it glows.
    alpha_lit = MILKY * alpha
    dr = alpha_lit * cr * tint[0] * around(ambient, 0, nx, ny, nz)
    dg = alpha_lit * cg * tint[1] * around(ambient, 1, nx, ny, nz)
    db = alpha_lit * cb * tint[2] * around(ambient, 2, nx, ny, nz)
    hr = mirror * around(ambient, 0, rx, ry, rz)
    hg = mirror * around(ambient, 1, rx, ry, rz)
    hb = mirror * around(ambient, 2, rx, ry, rz)
    for k in range(directions.shape[0]):
      lx, ly, lz = directions[k, 0], directions[k, 1], directions[k, 2]
      wet = 0.0
      if k == 0:
        wet = gloss * 0.2 * pane(rx, ry, rz, frame, PANE_EDGE)
      elif nx * lx + ny * ly + nz * lz > 0:
        hx, hy, hz = lx + vx, ly + vy, lz + vz
        s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
        nh = min((hx * nx + hy * ny + hz * nz) * s, 1.0)
        q = SHARP / (nh * nh * (SHARP - 1) + 1)
        wet = gloss * 0.3 * q
      hr += colours[k, 0] * wet
      hg += colours[k, 1] * wet
      hb += colours[k, 2] * wet
    out[i, 0] = dr + hr
    out[i, 1] = dg + hg
    out[i, 2] = db + hb
    out[i, 3] = min(alpha + mirror, 1.0)
