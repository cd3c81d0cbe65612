"""Light on skin.

The diffuse term wraps around the terminator by how sharply the surface bends against
how far light travels in skin, red furthest (after Penner, "Pre-integrated skin
shading", 2011). Two highlights, GGX with Schlick's Fresnel term: oil and pores.
"""

import math

import numba

from data_pipelines.synthetic.drawing.ambient import around
from data_pipelines.synthetic.drawing.surface import (
  BEND,
  BX,
  BY,
  BZ,
  FLUSH,
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
from data_pipelines.synthetic.drawing.texture import sample, wrap

# Mean path of light in skin, mesh units (decimetres); red, green, blue.
SCATTER_R, SCATTER_G, SCATTER_B = 0.075, 0.028, 0.016
SKIN_REFLECTANCE = 0.028  # at normal incidence
SHEEN = 1.4  # of ordinary skin: the film of oil on it
TIGHT, WIDE = 0.2**2, 0.42**2  # squared GGX widths of skin's two highlights


@numba.njit(cache=True, fastmath=True)
def shade_skin(
  rows, a, b, texels, linear, begin, height, width, relief, tint, flush, gloss,
  directions, colours, ambient, out,
):  # fmt: skip
  """Skin; alpha of the texture is the oiliness, one half = ordinary.

  Args:
    rows, a, b: which rows.
    texels, linear, begin, height, width: the texture.
    relief: (side^2, 3) slopes against u and v and darkening.
    tint: (3,) on the albedo.
    flush: blood in the face, -1..1.
    gloss: height of the highlights, 1 = real skin.
    directions, colours, ambient: the lamps.
    out: (n, 4) float32 to write.
  """
  relief_side = int(math.sqrt(relief.shape[0]) + 0.5)
  for i in range(a, b):
    row = rows[i]
    u, v = row[TU], row[TV]
    cr, cg, cb, oil = sample(texels, linear, begin, height, width, u, v)
    x, y = u * relief_side - 0.5, v * relief_side - 0.5
    fx, fy = math.floor(x), math.floor(y)
    ax, ay = x - fx, y - fy
    p, q = int(fx) % relief_side, int(fy) % relief_side
    p1 = p + 1 if p + 1 < relief_side else 0
    q1 = q + 1 if q + 1 < relief_side else 0
    e00, e10 = relief[q * relief_side + p], relief[q * relief_side + p1]
    e01, e11 = relief[q1 * relief_side + p], relief[q1 * relief_side + p1]
    w00, w10, w01, w11 = (1 - ax) * (1 - ay), ax * (1 - ay), (1 - ax) * ay, ax * ay
    hu = e00[0] * w00 + e10[0] * w10 + e01[0] * w01 + e11[0] * w11
    hv = e00[1] * w00 + e10[1] * w10 + e01[1] * w01 + e11[1] * w11
    dark = 1 - min(e00[2] * w00 + e10[2] * w10 + e01[2] * w01 + e11[2] * w11, 0.8)
    blood = flush * row[FLUSH]
    cr *= tint[0] * (1 + 0.07 * blood)
    cg *= tint[1] * (1 - 0.12 * blood)
    cb *= tint[2] * (1 - 0.11 * blood)
    sx, sy, sz = row[NX], row[NY], row[NZ]  # the smooth normal
    nx = sx - hu * row[TX] - hv * row[BX]
    ny = sy - hu * row[TY] - hv * row[BY]
    nz = sz - hu * row[TZ] - hv * row[BZ]
    s = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-9)
    nx, ny, nz = nx * s, ny * s, nz * s
    vx, vy, vz = row[VX], row[VY], row[VZ]
    facing = max(nx * vx + ny * vy + nz * vz, 0.05)
    sky = row[SKY] * dark
    lit = row[LIT]
    # Light that is kept from the sky is partly lent by the skin around: red most.
    kr, kg, kb = (
      sky / (1 - 0.75 * cr * (1 - sky)),
      sky / (1 - 0.75 * cg * (1 - sky)),
      sky / (1 - 0.75 * cb * (1 - sky)),
    )
    dr = kr * around(ambient, 0, nx, ny, nz)
    dg = kg * around(ambient, 1, nx, ny, nz)
    db = kb * around(ambient, 2, nx, ny, nz)
    bend = min(row[BEND], 6.0)
    wr = min(0.05 + SCATTER_R * bend, 0.45)
    wg = min(0.03 + SCATTER_G * bend, 0.3)
    wb = min(0.02 + SCATTER_B * bend, 0.2)
    direct = min(0.25 + 1.1 * row[SKY], 1.0) * dark
    # Under the surface light creeps into the edge of a shadow, red first.
    lr, lg, lb = (
      lit * (1.7 - 0.7 * lit),
      lit * (0.9 + 0.1 * lit),
      lit * (0.75 + 0.25 * lit),
    )
    hr = hg = hb = 0.0
    # At a grazing view the pores hide each other's highlights.
    power = SHEEN * gloss * 2 * oil * min(0.25 + 2 * facing, 1.0)
    for k in range(directions.shape[0]):
      lx, ly, lz = directions[k, 0], directions[k, 1], directions[k, 2]
      d = sx * lx + sy * ly + sz * lz
      if d < -0.45:
        continue
      fine = nx * lx + ny * ly + nz * lz
      open_r = open_g = open_b = shine = direct
      if k == 0:
        open_r, open_g, open_b = direct * lr, direct * lg, direct * lb
        shine = direct * lit
      # Relief is blurred by scattering: red sees the smooth normal, blue the fine one.
      er = wrap(0.65 * d + 0.35 * fine, wr)
      eg = wrap(0.35 * d + 0.65 * fine, wg)
      eb = wrap(0.2 * d + 0.8 * fine, wb)
      dr += colours[k, 0] * er * open_r
      dg += colours[k, 1] * eg * open_g
      db += colours[k, 2] * eb * open_b
      if fine > 0 and shine > 0.01:
        hx, hy, hz = lx + vx, ly + vy, lz + vz
        s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
        nh = min(max((hx * nx + hy * ny + hz * nz) * s, 0.0), 1.0)
        vh = max((hx * vx + hy * vy + hz * vz) * s, 0.35)
        m = 1 - vh
        m2 = m * m
        fresnel = SKIN_REFLECTANCE + (1 - SKIN_REFLECTANCE) * m2 * m2 * m
        n2 = nh * nh
        q0, q1_ = n2 * (TIGHT - 1) + 1, n2 * (WIDE - 1) + 1
        lobes = 0.22 * TIGHT / (q0 * q0) + 0.78 * WIDE / (q1_ * q1_)
        s = shine * power * fresnel * lobes * fine / (4 * vh * vh)
        s = min(s, 1.2)
        hr += colours[k, 0] * s
        hg += colours[k, 1] * s
        hb += colours[k, 2] * s
    m = 1 - facing
    m2 = m * m
    s = (0.02 + 0.28 * m2 * m2 * m) * sky * power
    rx, ry = 2 * facing * nx - vx, 2 * facing * ny - vy
    rz = 2 * facing * nz - vz
    out[i, 0] = cr * dr + hr + s * around(ambient, 0, rx, ry, rz)
    out[i, 1] = cg * dg + hg + s * around(ambient, 1, rx, ry, rz)
    out[i, 2] = cb * db + hb + s * around(ambient, 2, rx, ry, rz)
    out[i, 3] = 1
