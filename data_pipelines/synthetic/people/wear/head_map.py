"""The outer surface of a head as a height field, on which cloth can be laid.

Rays leave an axis in the head: a half sphere of them about its centre, as high as the
tops of the ears, then level ones from points further and further down, which at the
neck begin to rise again, so that they meet the slopes of the shoulders. Row 0 is the
crown; columns turn from straight ahead towards x > 0. Where each ray leaves the skin
of the base mesh is found once; on a person that point is the same mix of vertices, so
cloth hung there moves with the skin.
"""

import functools
import math
from typing import NamedTuple

import cv2
import numba
import numpy as np
import scipy.spatial

from data_pipelines.synthetic import assets as assets_lib

ROWS, DOME_ROWS, COLUMNS = 50, 16, 64
CENTRE, LOWEST = (0.0, 7.4, 0.45), 4.7  # of the base mesh; mesh units
NECK, STEEPEST = 6.45, np.radians(36.0)  # below it rays rise, up to this angle
_AXIS_HEIGHTS, _AXIS_DEPTHS = (4.6, 5.7, 6.3, 7.0), (0.15, 0.12, 0.3, 0.45)


class Rays(NamedTuple):
  """Where rays leave the base mesh's skin, as mixes of its vertices."""

  origins: np.ndarray  # (r, c, 3)
  ref: np.ndarray  # (r, c, 3) int32
  weight: np.ndarray  # (r, c, 3) float32
  found: np.ndarray  # (r, c) bool, False where a ray passes out of the mesh's end


class HeadMap(NamedTuple):
  """The skin of one person along the rays.

  Attributes:
    origins: (r, 3) where the rays of a row start.
    ways: (r, c, 3) unit directions.
    skin: (r, c) distance of the skin.
    outer: (r, c) the same, but nothing near a ray stands out further.
    cloth: (r, c) how far the suits of the person's sex stand out from the skin.
    ref: (r, c, 3), weight (r, c, 3): the skin point as a mix of mesh vertices.
  """

  origins: np.ndarray
  ways: np.ndarray
  skin: np.ndarray
  outer: np.ndarray
  cloth: np.ndarray
  ref: np.ndarray
  weight: np.ndarray

  def at(self, radii: np.ndarray) -> np.ndarray:
    """(r, c, 3) points at these distances (r, c)."""
    return self.origins[:, None] + self.ways * radii[..., None]


@numba.njit(cache=True, fastmath=True)
def _cast(origins, ways, corner, first, second):
  """Furthest triangle hit by each ray, and barycentrics; -1 where none is."""
  count = origins.shape[0]
  hit = np.full(count, -1, np.int32)
  share = np.zeros((count, 2))
  for i in range(count):
    best = 0.0
    ox, oy, oz = origins[i, 0], origins[i, 1], origins[i, 2]
    dx, dy, dz = ways[i, 0], ways[i, 1], ways[i, 2]
    for t in range(corner.shape[0]):
      e1x, e1y, e1z = first[t, 0], first[t, 1], first[t, 2]
      e2x, e2y, e2z = second[t, 0], second[t, 1], second[t, 2]
      px, py, pz = dy * e2z - dz * e2y, dz * e2x - dx * e2z, dx * e2y - dy * e2x
      det = e1x * px + e1y * py + e1z * pz
      if -1e-12 < det < 1e-12:
        continue
      inverse = 1 / det
      sx, sy, sz = ox - corner[t, 0], oy - corner[t, 1], oz - corner[t, 2]
      u = (sx * px + sy * py + sz * pz) * inverse
      if u < -1e-6 or u > 1 + 1e-6:
        continue
      qx, qy, qz = sy * e1z - sz * e1y, sz * e1x - sx * e1z, sx * e1y - sy * e1x
      v = (dx * qx + dy * qy + dz * qz) * inverse
      if v < -1e-6 or u + v > 1 + 1e-6:
        continue
      far = (e2x * qx + e2y * qy + e2z * qz) * inverse
      if far > best:
        best = far
        hit[i] = t
        share[i, 0], share[i, 1] = u, v
  return hit, share


def cast(origins: np.ndarray, ways: np.ndarray) -> Rays:
  """Finds where rays (r, c, 3) leave the skin of the base mesh."""
  assets = assets_lib.load_assets()
  part = assets.parts['skin']
  triangles = part.ref[:, 0][part.triangles]
  a, b, c = (assets.vertices[triangles[:, k]].astype(np.float64) for k in range(3))
  shape = origins.shape[:2]
  hit, share = _cast(
    np.ascontiguousarray(origins.reshape(-1, 3), np.float64),
    np.ascontiguousarray(ways.reshape(-1, 3), np.float64),
    a,
    b - a,
    c - a,
  )
  weight = np.stack([1 - share.sum(1), share[:, 0], share[:, 1]], 1)
  weight[hit < 0] = [1, 0, 0]
  return Rays(
    origins,
    triangles[np.maximum(hit, 0)].reshape(*shape, 3).astype(np.int32),
    weight.reshape(*shape, 3).astype(np.float32),
    (hit >= 0).reshape(shape),
  )


def _axis(height):
  return np.interp(height, _AXIS_HEIGHTS, _AXIS_DEPTHS)


@functools.lru_cache(maxsize=1)
def _rays() -> Rays:
  turn = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)
  rise = np.concatenate(
    [np.linspace(np.pi / 2 - 0.02, 0, DOME_ROWS), np.zeros(ROWS - DOME_ROWS)]
  )
  down = np.concatenate(
    [np.zeros(DOME_ROWS), np.linspace(0, CENTRE[1] - LOWEST, ROWS - DOME_ROWS + 1)[1:]]
  )
  height = CENTRE[1] - down
  rise = rise + STEEPEST * np.clip((NECK - height) / (NECK - LOWEST), 0, 1)
  depth = np.where(down > 0, _axis(height), CENTRE[2])
  origins = np.stack([np.zeros(ROWS), height, depth], 1)
  ways = np.stack(
    [
      np.cos(rise)[:, None] * np.sin(turn),
      np.sin(rise)[:, None] + 0 * turn,
      np.cos(rise)[:, None] * np.cos(turn),
    ],
    -1,
  )
  return cast(np.broadcast_to(origins[:, None], ways.shape), ways)


@functools.lru_cache(maxsize=1)
def _cells():
  """Skin vertices of the base mesh, their nearest row and column."""
  part = assets_lib.load_assets().parts['skin']
  at = assets_lib.load_assets().vertices
  used = np.unique(part.ref[:, 0])
  used = used[at[used, 1] > NECK]
  row, column = locate(at[used].astype(np.float64))
  return (
    used,
    np.rint(row).astype(int).clip(0, ROWS - 1),
    np.rint(column).astype(int) % COLUMNS,
  )


def locate(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Row and column (fractions) of points (k, 3) in the base mesh's coordinates."""
  x, y, z = points.T
  depth = np.where(y < CENTRE[1], _axis(y), CENTRE[2])
  column = np.arctan2(x, z - depth) / (2 * math.pi) * COLUMNS % COLUMNS
  rise = np.arctan2(y - CENTRE[1], np.hypot(x, z - CENTRE[2]))
  above = (np.pi / 2 - 0.02 - rise) / (np.pi / 2 - 0.02) * (DOME_ROWS - 1)
  below = DOME_ROWS - 1 + (CENTRE[1] - y) / (CENTRE[1] - LOWEST) * (ROWS - DOME_ROWS)
  return np.where(y >= CENTRE[1], above, below).clip(0, ROWS - 1), column


def spread(field: np.ndarray, sigma: float, *, across: bool = True) -> np.ndarray:
  """A field (r, c) blurred; columns wrap. Without `across`, along rows only."""
  margin = int(4 * sigma) + 1
  pad = np.concatenate([field[:, -margin:], field, field[:, :margin]], 1)
  size = (2 * margin + 1, 2 * margin + 1 if across else 1)
  pad = cv2.GaussianBlur(
    pad.astype(np.float32), size, sigma, borderType=cv2.BORDER_REPLICATE
  )
  return pad[:, margin:-margin].astype(np.float64)


def widen(field: np.ndarray) -> np.ndarray:
  """The largest value of each cell and its eight neighbours; columns wrap."""
  pad = np.concatenate([field[:, -1:], field, field[:, :1]], 1).astype(np.float32)
  return cv2.dilate(pad, np.ones((3, 3), np.uint8))[:, 1:-1].astype(np.float64)


def rest_origins() -> np.ndarray:
  """(r, 3) where the rays start on the base mesh."""
  return _rays().origins[:, 0].astype(np.float64)


@functools.lru_cache(maxsize=2)
def _suits(male: bool) -> np.ndarray:
  """(r, c) the most that any suit of the asset pack stands out from neck and body."""
  assets, rays = assets_lib.load_assets(), _rays()
  skin = (assets.vertices[rays.ref].astype(np.float64) * rays.weight[..., None]).sum(2)
  ways = skin - rays.origins
  ways /= np.linalg.norm(ways, axis=-1, keepdims=True)
  tree = scipy.spatial.cKDTree(skin.reshape(-1, 3))
  room = np.zeros(ROWS * COLUMNS)
  for name in assets.part_names('cloth_male' if male else 'cloth_female'):
    part = assets.parts[name]
    at = (assets.vertices[part.ref] * part.weight[..., None]).sum(1) + part.offset
    _, cell = tree.query(at)
    out = ((at - skin.reshape(-1, 3)[cell]) * ways.reshape(-1, 3)[cell]).sum(1)
    np.maximum.at(room, cell, np.clip(out, 0, 0.3))
  return spread(widen(widen(room.reshape(ROWS, COLUMNS))), 1.0)


@functools.lru_cache(maxsize=1)
def rest_ways() -> np.ndarray:
  """(r, c, 3) unit directions of the rays on the base mesh: even, unlike a person's."""
  rays = _rays()
  base = assets_lib.load_assets().vertices
  points = (base[rays.ref].astype(np.float64) * rays.weight[..., None]).sum(2)
  ways = points - rays.origins
  return ways / np.linalg.norm(ways, axis=-1, keepdims=True)


def head_map(vertices: np.ndarray, male: bool = False) -> HeadMap:
  """The map of a person's neutral mesh (n, 3), who wears a suit of this sex."""
  rays = _rays()
  base = assets_lib.load_assets().vertices
  points = (vertices[rays.ref].astype(np.float64) * rays.weight[..., None]).sum(2)
  before = (base[rays.ref].astype(np.float64) * rays.weight[..., None]).sum(2)
  origins = rest_origins()
  # The axis goes along with the middle of each row, smoothly.
  moved = (points - before).mean(1)
  for axis in range(3):
    moved[:, axis] = cv2.GaussianBlur(moved[:, axis : axis + 1], (1, 9), 2.0)[:, 0]
  origins = origins + moved
  ways = points - origins[:, None]
  skin = np.linalg.norm(ways, axis=-1)
  ways = ways / skin[..., None]
  outer = skin.copy()
  used, row, column = _cells()
  away = np.linalg.norm(vertices[used] - origins[row], axis=1)
  np.maximum.at(outer, (row, column), away)
  outer = widen(outer)
  outer = np.maximum(outer, spread(outer, 1.0))
  return HeadMap(origins, ways, skin, outer, _suits(male), rays.ref, rays.weight)
