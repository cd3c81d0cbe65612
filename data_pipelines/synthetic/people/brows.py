"""Eyebrows, hair by hair: every person has a line, a thickness and a growth.

The hairs are drawn on a texture that is laid flat over the face's front; it hangs on
the skin's own triangles about the brows, so it moves with every face unit.
"""

import functools

import cv2
import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.assets import Part
from data_pipelines.synthetic.people.pieces import HAIR, Material, Piece
from data_pipelines.synthetic.people.traits import Traits, stream

# The flat patch: |x| below WIDE, y from LOW to HIGH, in the base mesh's units.
WIDE, LOW, HIGH = 0.72, 7.26, 7.62
TEXTURE = (128, 512)  # rows, columns; both brows side by side
_FINE = 3  # hairs are drawn this much larger, so that they are thinner than a texel
_LIFT = 0.004  # mesh units off the skin


@functools.lru_cache(maxsize=1)
def _patch():
  """The skin's triangles about the brows as a part, with flat coordinates."""
  assets = assets_lib.load_assets()
  skin = assets.parts['skin']
  at = assets.vertices[skin.ref[:, 0]]
  inside = (np.abs(at[:, 0]) < WIDE) & (at[:, 1] > LOW) & (at[:, 1] < HIGH)
  inside &= at[:, 2] > 0.85
  # Left out: the lids' inner side, which faces the eyeball.
  corners = at[skin.triangles]
  normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
  kept = inside[skin.triangles].all(1) & (normal[:, 2] > 0)
  used, triangles = np.unique(skin.triangles[kept], return_inverse=True)
  point = at[used]
  uv = np.stack([0.5 + 0.5 * point[:, 0] / WIDE, (point[:, 1] - LOW) / (HIGH - LOW)], 1)
  normals = np.zeros_like(point)
  triangles = triangles.reshape(-1, 3).astype(np.int32)
  for corner in range(3):
    np.add.at(normals, triangles[:, corner], normal[kept])
  normals /= np.linalg.norm(normals, axis=1, keepdims=True)
  return Part(
    triangles=triangles,
    uv=uv.astype(np.float32),
    ref=skin.ref[used],
    weight=skin.weight[used],
    offset=(_LIFT * normals).astype(np.float32),
    position_id=np.unique(skin.position_id[used], return_inverse=True)[1].astype(
      np.int32
    ),
  )


def _place(x, y):
  """Base mesh coordinates to pixels of the enlarged texture, (..., 2)."""
  rows, columns = (n * _FINE for n in TEXTURE)
  return np.stack(
    [(0.5 + 0.5 * x / WIDE) * columns, (HIGH - y) / (HIGH - LOW) * rows], -1
  )


def _strands(rng, form):
  """Hairs of one brow as polylines of base mesh coordinates, (n, 4, 2), x > 0."""
  count = form['count']
  s = rng.beta(*form['crowd'], count)  # 0 at the nose, 1 at the temple
  across = rng.uniform(-0.5, 0.5, count)
  x = form['inner'] + (form['outer'] - form['inner']) * s
  peak = form['peak']
  hill = np.where(s < peak, np.sin(np.pi / 2 * s / peak), 0.0)
  hill += np.where(s >= peak, np.cos(np.pi / 2 * (s - peak) / (1 - peak)), 0.0)
  line = form['level'] + form['arch'] * hill + form['tilt'] * (s - 0.5)
  thick = form['thick'] * np.minimum(0.75 + 1.2 * s, 1.0)
  thick *= np.clip((1.04 - s) / form['taper'], 0.12, 1)
  y = line + across * thick
  # Near the nose they stand up; further out they lie down along the brow.
  angle = np.radians(form['stand']) * np.exp(-((s / 0.22) ** 2))
  angle += np.radians(24) * (1 - s) - np.radians(16) * s
  angle -= np.radians(26) * across  # upper hairs lean down, lower hairs up
  angle += np.radians(form['wild']) * rng.standard_normal(count)
  length = form['length'] * rng.uniform(0.6, 1.15, count) * (1 - 0.35 * s)
  t = np.linspace(-0.35, 0.65, 4)
  bend = angle[:, None] - np.radians(20) * t
  return np.stack(
    [
      x[:, None] + length[:, None] * t * np.cos(bend),
      y[:, None] + length[:, None] * t * np.sin(bend),
    ],
    -1,
  )


def _form(rng, traits):
  """The numbers that a pair of brows is drawn from; mesh units, degrees."""
  male, old = traits.male, traits.age
  bushy = float(np.clip(rng.normal(0.33 + 0.35 * male, 0.28), 0, 1))
  groomed = float(np.clip(1.2 * traits.makeup * rng.random(), 0, 1)) * (1 - 0.5 * male)
  bushy *= 1 - 0.5 * groomed
  thin = 1 - 0.35 * old * rng.random()
  return {
    'count': int((90 + 270 * bushy) * thin),
    'crowd': (rng.uniform(0.9, 1.15), rng.uniform(1.05, 1.5)),
    'inner': rng.normal(0.125, 0.022) - 0.02 * male + 0.015 * groomed,
    'outer': rng.normal(0.575, 0.025),
    'level': rng.normal(7.4, 0.02) + 0.012 * (1 - male),
    'arch': float(np.clip(rng.normal(0.05 + 0.02 * groomed, 0.022), 0, 0.1)),
    'peak': rng.uniform(0.5, 0.72),
    'tilt': rng.normal(-0.014, 0.02),
    'thick': (0.03 + 0.062 * bushy) * (1 - 0.25 * groomed),
    'taper': rng.uniform(0.35, 0.75),
    'stand': rng.uniform(15, 55),
    'wild': (5 + 14 * bushy * (0.5 + old)) * (1 - 0.7 * groomed),
    'length': rng.uniform(0.05, 0.07) * (0.85 + 0.4 * bushy),
    'body': rng.uniform(0.1, 0.35) + 0.3 * groomed,
  }


def grow_brows(traits: Traits) -> Piece:
  """The eyebrows of a person: one see-through piece named `brow`."""
  rng = stream(traits.seed, topic='brows')
  form = _form(rng, traits)
  rows, columns = TEXTURE
  fine = np.zeros((rows * _FINE, columns * _FINE), np.uint8)
  for side in (-1, 1):
    hairs = _strands(rng, form)
    if side == 1 and rng.random() < 0.08:  # some grow together over the nose
      bridge = {**form, 'inner': -0.1, 'outer': 0.12, 'count': form['count'] // 7}
      bridge |= {'arch': 0.0, 'tilt': 0.0, 'thick': 0.6 * form['thick']}
      hairs = np.concatenate([hairs, _strands(rng, bridge)])
    hairs[..., 1] += rng.normal(0, 0.004)  # the two are not quite alike
    pixels = _place(side * hairs[..., 0], hairs[..., 1])
    points = np.round(8 * pixels).astype(np.int32)
    cv2.polylines(fine, list(points), False, 255, 2, cv2.LINE_AA, 3)
  alpha = cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA)
  alpha = alpha.astype(np.float32) / 255
  body = cv2.GaussianBlur(np.minimum(alpha, 1), (0, 0), 3.0)
  alpha = 1 - (1 - 0.92 * alpha) * (1 - form['body'] * np.minimum(1.6 * body, 1))
  texture = np.full((rows, columns, 4), 70, np.uint8)
  texture[..., 3] = np.clip(alpha * 255 + 0.5, 0, 255)

  part = _patch()
  # Only triangles that a hair touches are drawn.
  x, y = part.uv[:, 0] * columns, (1 - part.uv[:, 1]) * rows
  cx, cy = x[part.triangles], y[part.triangles]
  total = cv2.integral((texture[..., 3] > 8).astype(np.uint8))
  left, right = (np.clip(f(1), 0, columns) for f in (cx.min, cx.max))
  top, bottom = (np.clip(f(1), 0, rows) for f in (cy.min, cy.max))
  left, top = left.astype(int), top.astype(int)
  right = np.minimum(right.astype(int) + 1, columns)
  bottom = np.minimum(bottom.astype(int) + 1, rows)
  inked = total[bottom, right] - total[top, right] - total[bottom, left]
  inked += total[top, left]
  part = Part(**{**vars(part), 'triangles': part.triangles[inked > 0]})
  tint = tuple(float(v) for v in traits.brow_colour)
  material = Material(HAIR, tint, gloss=0.04, see_through=True, casts=False)
  return Piece('brow', part, texture, material)
