"""Paints teeth, gums, palate and tongue for one person.

The asset pack's `teeth` part holds 32 separate teeth, the gums and the palate; its
lower half goes down with the jaw. Each texel of its texture is told once where in the
mouth it lies and to which tooth it belongs; from that a person's own mouth is painted:
shade of the enamel, each tooth a little different, yellower at the neck and in age,
clearer at the edge, stains between, now and then a gap or a tooth that is missing
(holes: the material cuts them out).
"""

import functools
from typing import NamedTuple

import numba
import numpy as np
import scipy.ndimage
import scipy.sparse

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.people.clothes import noise
from data_pipelines.synthetic.people.features import lip_edges
from data_pipelines.synthetic.people.pieces import PLAIN, Material
from data_pipelines.synthetic.people.traits import Traits, stream

TEETH = Material(
  PLAIN, inner=0.85, gloss=0.3, roughness=70.0, cut_out=True, casts=False, cull=True
)
"""How the painted teeth are drawn (in place of the pack's yellow tint)."""
TONGUE = Material(PLAIN, inner=0.6, gloss=0.3, roughness=45.0, casts=False, cull=True)

GAP_SHARE, MISSING_SHARE = 0.05, 0.015  # of people, between the front teeth; one tooth
SIDE, TONGUE_SIDE = 256, 256
# Mesh units: of the upper incisors below the lip, and that the lower ones overlap.
SHOWN, OVERBITE = 0.026, 0.012
BEHIND = 0.8  # how far lower teeth go back for each step down
# Enamel from white to yellow, sRGB.
ENAMEL = np.array([[243, 239, 230], [236, 226, 206], [226, 208, 176], [208, 182, 140]])
GUM_PALE, GUM_DARK = np.array([206, 118, 116]), np.array([118, 72, 72])
DARK = np.array([46, 20, 20])  # shade between teeth


class Atlas(NamedTuple):
  """What each texel (h, w) of a part's texture shows."""

  position: np.ndarray  # (h, w, 3) float32 on the base mesh
  piece: np.ndarray  # (h, w) int16, connected piece; nearest one outside all
  inside: np.ndarray  # (h, w) bool, some triangle covers it


@numba.njit(cache=True)
def _rasterise(corners, values, pieces, side):
  """Triangles in texture coordinates: positions and pieces of the texels."""
  position = np.zeros((side, side, 3), np.float32)
  piece = np.full((side, side), -1, np.int16)
  for t in range(corners.shape[0]):
    x0, y0 = corners[t, 0, 0], corners[t, 0, 1]
    bx, by = corners[t, 1, 0] - x0, corners[t, 1, 1] - y0
    cx, cy = corners[t, 2, 0] - x0, corners[t, 2, 1] - y0
    area = bx * cy - cx * by
    if -1e-9 < area < 1e-9:
      continue
    left, right = int(x0 + min(0.0, bx, cx)), int(x0 + max(0.0, bx, cx)) + 1
    top, bottom = int(y0 + min(0.0, by, cy)), int(y0 + max(0.0, by, cy)) + 1
    for y in range(max(top, 0), min(bottom + 1, side)):
      for x in range(max(left, 0), min(right + 1, side)):
        px, py = x + 0.5 - x0, y + 0.5 - y0
        u, v = (px * cy - cx * py) / area, (bx * py - px * by) / area
        if u >= -0.02 and v >= -0.02 and u + v <= 1.02:
          piece[y, x] = pieces[t]
          for c in range(3):
            position[y, x, c] = (
              values[t, 0, c] * (1 - u - v) + values[t, 1, c] * u + values[t, 2, c] * v
            )
  return position, piece


@functools.lru_cache(maxsize=2)
def atlas(part_name: str, side: int) -> Atlas:
  """The atlas of a part of the asset pack, found once per process."""
  assets = assets_lib.load_assets()
  part = assets.parts[part_name]
  at = (assets.vertices[part.ref] * part.weight[..., None]).sum(1) + part.offset
  joined = part.position_id[part.triangles]
  count = int(part.position_id.max()) + 1
  links = scipy.sparse.coo_matrix(
    (np.ones(joined.size), (joined.ravel(), np.roll(joined, 1, 1).ravel())),
    shape=(count, count),
  )
  _, label = scipy.sparse.csgraph.connected_components(links, directed=False)
  corners = part.uv.astype(np.float64)[part.triangles]
  corners = np.stack([corners[..., 0], 1 - corners[..., 1]], -1) * side
  position, piece = _rasterise(
    corners,
    at[part.triangles].astype(np.float64),
    label[joined[:, 0]].astype(np.int16),
    side,
  )
  inside = piece >= 0
  nearest = scipy.ndimage.distance_transform_edt(
    ~inside, return_distances=False, return_indices=True
  )
  return Atlas(position[tuple(nearest)], piece[tuple(nearest)], inside)


class _Teeth(NamedTuple):
  """Per texel of the teeth's texture; shares 0..1, float32 (h, w, 1)."""

  tooth: np.ndarray  # (h, w) 0 = gums, 1..32 a tooth
  neck: np.ndarray  # close to the gum
  edge: np.ndarray  # clear enamel at the biting edge of the front teeth
  between: np.ndarray  # towards the neighbours
  fissure: np.ndarray  # chewing faces
  ridges: np.ndarray  # -1..1, folds of the palate
  fold: np.ndarray  # of the gums, far from the teeth
  light: np.ndarray  # that gets so far in, factor
  middle: np.ndarray  # (h, w) distance from the middle plane, teeth only (else 1)
  centres: np.ndarray  # (33, 3) of each tooth


@functools.lru_cache(maxsize=1)
def _teeth():
  """Where each texel lies on its tooth, found once per process."""
  where = atlas('teeth', SIDE)
  gums = int(np.bincount(where.piece[where.inside]).argmax())
  tooth = np.zeros((SIDE, SIDE), np.int16)
  height, across = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE))
  centres = np.zeros((33, 3))
  position = where.position
  x, y, z = (position[..., k] for k in range(3))
  pieces = [k for k in range(int(where.piece.max()) + 1) if k != gums]
  for number, piece in enumerate(pieces, 1):
    mask = where.piece == piece
    own = position[mask & where.inside]
    low, high = own.min(0), own.max(0)
    middle = (low + high) / 2
    centres[number], tooth[mask] = middle, number
    # The arch runs sideways in front and backwards at the sides.
    along = np.array([middle[2] - 0.95, 0, -middle[0] * 1.8])
    along /= np.linalg.norm(along)
    reach = np.abs((own - middle) @ along).max()
    across[mask] = ((position[mask] - middle) @ along) / max(reach, 1e-6)
    share = (y[mask] - low[1]) / (high[1] - low[1])
    upper = middle[1] > _plane(middle[2])
    height[mask] = 1 - share if upper else share
  depth = np.clip((1.48 - z) / 0.5, 0, 1)
  away = np.abs(y - _plane(z))
  palate = np.clip((y - 0.12 - _plane(z)) / 0.04 + 0.5, 0, 1) * (np.abs(x) < 0.17)
  front = (np.abs(x) < 0.12) & (tooth > 0)

  def share(field):
    return np.clip(field, -1, 1).astype(np.float32)[..., None]

  return _Teeth(
    tooth=tooth,
    neck=share(1 - height / 0.42).clip(0),
    edge=share((height - 0.8) / 0.2).clip(0) * front[..., None],
    between=share((np.abs(across) - 0.55) / 0.45).clip(0) ** 2,
    fissure=share((height - 0.72) / 0.2).clip(0) * (depth > 0.42)[..., None],
    ridges=share(palate * np.sin(z * 95 + 24 * np.abs(x)) * (z > 1.15)),
    fold=share((away - 0.11) / 0.1).clip(0) * share(1 - palate),
    light=share(1 - 0.55 * depth**1.3),
    middle=np.where(tooth > 0, np.abs(x), 1.0),
    centres=centres,
  )


def _plane(z):
  """Height between the rows of teeth at a depth, on the base mesh."""
  return 6.62 + (1.44 - z) * 0.215


def _gums(rng, traits, teeth):
  """(h, w, 3) float: gums and palate."""
  dark = np.clip(traits.race[0] * 1.1 - 0.15 + rng.normal(0, 0.1), 0, 0.85)
  fine = noise(rng, SIDE, 1.2)[..., None]
  coarse = noise(rng, SIDE, 7.0)[..., None]
  tone = GUM_PALE * np.exp(rng.normal(0, 0.06)) * np.array([1, *rng.normal(1, 0.04, 2)])
  patch = np.clip(np.float32(dark) * (1 + 0.7 * coarse), 0, 1)
  image = np.float32(tone) + np.float32(GUM_DARK - tone) * patch
  image *= 1 + 0.05 * fine + 0.04 * coarse
  image *= 1 + 0.07 * teeth.ridges
  # Redder and darker away from the teeth, in the fold behind the lips.
  return image * (1 - teeth.fold * np.float32([0.25, 0.42, 0.4]))


def paint_teeth(traits: Traits) -> np.ndarray:
  """Texture of the part `teeth`, (256, 256, 4) uint8; alpha 0 where a tooth lacks.

  To be drawn with `TEETH`. Takes about 20 ms.
  """
  rng = stream(traits.seed, topic='teeth')
  teeth = _teeth()
  shade = np.clip(rng.beta(1.6, 2.2) * 2.2 + 0.9 * traits.age, 0, 2.95)
  low = int(shade)
  enamel = ENAMEL[low] + (ENAMEL[low + 1] - ENAMEL[low]) * (shade - low)
  each = np.exp(rng.normal(0, 0.035, (33, 1)) + rng.normal(0, 0.012, (33, 3)))
  back = np.abs(teeth.centres[:, :1]) > 0.115  # canines and behind are yellower
  each = each * np.where(back, [[0.985, 0.965, 0.925]], 1.0)
  image = (enamel * each).astype(np.float32)[teeth.tooth]
  old = 0.7 + 0.5 * traits.age
  image *= 1 - teeth.neck * np.float32([0.06, 0.11, 0.2]) * np.float32(old)
  image *= 1 - teeth.edge * np.float32([0.13, 0.09, 0.05])
  image += (np.float32(DARK) - image) * teeth.between * (0.3 + 0.35 * teeth.neck)
  pits = np.clip(noise(rng, SIDE, 1.5) - 0.7, 0, 1)[..., None]
  image *= 1 - 0.3 * teeth.fissure * pits
  stain = np.float32(np.clip(rng.normal(0, 0.5) + 0.5 * traits.age, 0, 1))
  spots = np.clip(noise(rng, SIDE, 3.0) - 0.2, 0, 1)[..., None]
  image *= 1 - stain * spots * np.float32([0.06, 0.1, 0.16])
  image = np.where((teeth.tooth == 0)[..., None], _gums(rng, traits, teeth), image)
  image *= teeth.light
  out = np.full((SIDE, SIDE, 4), 255, np.uint8)
  out[..., :3] = np.clip(image + 0.5, 0, 255)
  chance = rng.random()
  if chance < GAP_SHARE:
    out[teeth.middle < rng.uniform(0.005, 0.011), 3] = 0
  elif chance < GAP_SHARE + MISSING_SHARE * (0.6 + traits.age):
    choice = np.nonzero(teeth.centres[:, 2] > 1.1)[0]
    out[teeth.tooth == int(rng.choice(choice)), 3] = 0
  return out


def paint_tongue(traits: Traits) -> np.ndarray:
  """Texture of the part `tongue`, (256, 256, 4) uint8.

  Pink with papillae, a groove along the middle, a paler coat on the back, smooth and
  veined below; dark towards the throat. To be drawn with `TONGUE`.
  """
  rng = stream(traits.seed, topic='tongue')
  where = atlas('tongue', TONGUE_SIDE)
  x, y, z = (where.position[..., k] for k in range(3))
  top = np.clip((y - np.interp(z, [0.65, 1.0, 1.38], [6.5, 6.58, 6.52])) / 0.06, 0, 1)
  tone = np.array([201, 106, 104]) * np.exp(rng.normal(0, 0.06))
  tone = tone * (1 + rng.normal(0, 0.025, 3)) * (1 - 0.12 * traits.race[0])
  image = np.broadcast_to(tone, (TONGUE_SIDE, TONGUE_SIDE, 3)).copy()
  coat = np.clip(rng.normal(0.25, 0.2), 0, 0.7) * top
  coat = coat * np.clip((1.36 - z) / 0.3, 0, 1) * np.clip(1 - np.abs(x) / 0.2, 0, 1)
  coat = coat * (0.8 + 0.25 * noise(rng, TONGUE_SIDE, 9.0))
  image += (np.array([206, 170, 160]) - image) * np.clip(coat, 0, 1)[..., None]
  papillae = noise(rng, TONGUE_SIDE, 1.6)
  spots = np.clip(noise(rng, TONGUE_SIDE, 2.6) - 1.4, 0, 1)
  image *= (1 + top * (0.1 * papillae))[..., None]
  image += (np.array([214, 96, 96]) - image) * (0.6 * top * spots)[..., None]
  groove = np.exp(-((x / 0.014) ** 2)) * top * np.clip((1.33 - z) / 0.1, 0, 1)
  image *= 1 - 0.28 * groove[..., None]
  vein = np.clip(np.abs(noise(rng, TONGUE_SIDE, 16.0)) * 6, 0, 1)
  below = (1 - top) * (1 - vein)
  image += (np.array([120, 60, 92]) - image) * (0.35 * below)[..., None]
  image *= (1 - 0.2 * (1 - top))[..., None]
  throat = np.clip((1.36 - z) / 0.62, 0, 1)
  image *= (1 - 0.72 * throat**1.1)[..., None]
  out = np.empty((TONGUE_SIDE, TONGUE_SIDE, 4), np.uint8)
  out[..., :3] = np.clip(image + 0.5, 0, 255)
  out[..., 3] = 255
  return out


@functools.lru_cache(maxsize=1)
def _rows():
  """Vertices of the part `teeth` by what they are.

  Returns:
    upper, lower: `(m,)` bool, which row; upper_front, lower_front: indices of the
    incisors.
  """
  assets = assets_lib.load_assets()
  part = assets.parts['teeth']
  jaw = assets.units[assets_lib.UNITS.index('jawOpen')]
  falls = (jaw[part.ref] * part.weight[..., None]).sum(1)[:, 1] < -0.02
  at = (assets.vertices[part.ref] * part.weight[..., None]).sum(1) + part.offset
  fronts = []
  for row in (~falls, falls):
    middle = row & (np.abs(at[:, 0]) < 0.12)
    fronts.append(np.flatnonzero(middle & (at[:, 2] > at[middle, 2].max() - 0.06)))
  return ~falls, falls, *fronts


def seat_teeth(vertices: np.ndarray) -> np.ndarray:
  """How far each vertex of the part `teeth` moves to sit behind a person's lips.

  Upper incisors end a little below the edge of the upper lip, so that they are what is
  seen first when the mouth opens; the lower ones end just above that.

  Args:
    vertices: `(n, 3)` of the person's neutral mesh.

  Returns:
    `(m, 3)` float32, mesh units, to be added to the part's vertices.
  """
  part = assets_lib.load_assets().parts['teeth']
  upper, lower, upper_front, lower_front = _rows()
  height = (vertices[part.ref, 1] * part.weight).sum(1) + part.offset[:, 1]
  lip = lip_edges(vertices)[0]
  shift = np.zeros((len(part.ref), 3), np.float32)
  shift[upper, 1] = lip - SHOWN - height[upper_front].min()
  shift[lower, 1] = lip - SHOWN + OVERBITE - height[lower_front].max()
  shift[lower, 2] = np.minimum(shift[lower, 1], 0) * BEHIND  # the chin recedes
  return shift
