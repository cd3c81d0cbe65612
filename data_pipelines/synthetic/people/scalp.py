"""Where hair grows: angles on the head, hairlines, roots, and the skin under hair.

Angles are taken on the base mesh about the middle of the skull, so that they belong
to vertices and follow every person's shape: azimuth 0 is the face's middle, 90 an
ear, 180 the back; elevation 0 is about the height of the brows. The hairline is a
curve elevation = limit(azimuth); `field` is how far above it a vertex lies, degrees.
"""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from data_pipelines.synthetic import assets as assets_lib

SKULL = np.array([0.0, 7.45, 0.4], np.float32)  # middle of the base mesh's skull
CROWN = (180.0, 66.0)  # azimuth and elevation of the whorl, degrees

# Azimuth and elevation of an average hairline: forehead, temple, sideburn, round the
# ear, nape.
_AZIMUTHS = np.array([0, 24, 44, 54, 60, 64, 67, 72, 75, 82, 98, 106, 116, 134, 180])
_LIMITS = np.array([29, 30, 31, 25, 12, -3, -17, -19, -4, 0, -2, -10, -26, -39, -50.0])

ROOT_CANDIDATES = 1600


@dataclasses.dataclass(frozen=True)
class Hairline:
  """A person's hairline, as degrees away from the average one.

  Attributes:
    height: of the forehead's middle; larger is higher.
    recession: of the temples.
    peak: depth of a widow's peak.
    crown: radius of a bald crown, 0 = none.
    bald_top: the whole top is bare above this many degrees over the ears; 90 = none.
    sideburns: how far they reach below the average.
    nape: how far hair reaches below the average at the neck.
    ragged: height of the irregularities.
    phase: of the irregularities, radians.
  """

  height: float = 0.0
  recession: float = 0.0
  peak: float = 0.0
  crown: float = 0.0
  bald_top: float = 90.0
  sideburns: float = 0.0
  nape: float = 0.0
  ragged: float = 1.0
  phase: float = 0.0


class ScalpMap(NamedTuple):
  """What the base mesh fixes once for everybody."""

  skin: np.ndarray  # (s,) mesh vertices of the skin, each once
  triangles: np.ndarray  # (t, 3) of mesh vertices
  azimuth: np.ndarray  # (n,) degrees 0..180
  turn: np.ndarray  # (n,) signed azimuth, degrees
  elevation: np.ndarray  # (n,) degrees
  crown: np.ndarray  # (n,) degrees away from the whorl
  cap: np.ndarray  # (k, 3) triangles that may carry hair, of mesh vertices
  roots: np.ndarray  # (r, 3) mesh vertices of the roots' triangles
  shares: np.ndarray  # (r, 3) barycentric
  anchor: int  # a vertex of the chest that does not turn with the head
  corner_rows: np.ndarray  # for summing normals: sorted vertex of each corner


def angles(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Signed azimuth and elevation, degrees, of points (k, 3) of the base mesh."""
  d = points - SKULL
  turn = np.degrees(np.arctan2(d[:, 0], d[:, 2]))
  return turn, np.degrees(np.arctan2(d[:, 1], np.hypot(d[:, 0], d[:, 2])))


def spread(points: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
  """Indices of `count` points, each as far as can be from those before it."""
  order = np.empty(count, int)
  order[0] = rng.integers(len(points))
  away = np.full(len(points), np.inf)
  for i in range(1, count):
    d = points - points[order[i - 1]]
    away = np.minimum(away, np.einsum('ij,ij->i', d, d))
    order[i] = away.argmax()
  return order


@functools.lru_cache(maxsize=1)
def scalp_map() -> ScalpMap:
  """The scalp of the base mesh (about 0.1 s, once per process)."""
  assets = assets_lib.load_assets()
  part = assets.parts['skin']
  vertices = assets.vertices
  skin = np.unique(part.ref[:, 0])
  triangles = part.ref[:, 0][part.triangles]
  turn, elevation = angles(vertices)
  e, w = np.radians(CROWN[1]), np.radians(turn)
  elev = np.radians(elevation)
  cosine = np.sin(elev) * np.sin(e) - np.cos(elev) * np.cos(e) * np.cos(w)
  crown = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
  azimuth = np.abs(turn)
  low = elevation - np.interp(azimuth, _AZIMUTHS, _LIMITS)
  ear = (azimuth > 73) & (azimuth < 101) & (elevation < -4)
  ear |= (np.abs(vertices[:, 0]) > 0.79) & (elevation < 0) & (azimuth > 62)
  usable = (low > -14) & ~ear
  cap = triangles[usable[triangles].all(1)]
  rng = np.random.default_rng(0x5CA1)
  corners = vertices[cap]
  area = np.linalg.norm(
    np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
  )
  chosen = rng.choice(len(cap), 4 * ROOT_CANDIDATES, p=area / area.sum())
  a, b = rng.random((2, len(chosen)))
  flip = a + b > 1
  a, b = np.where(flip, 1 - a, a), np.where(flip, 1 - b, b)
  shares = np.stack([1 - a - b, a, b], 1)
  order = spread((corners[chosen] * shares[..., None]).sum(1), rng, ROOT_CANDIDATES)
  still = np.flatnonzero(assets.head_weight[skin] < 0.02)
  at = np.linalg.norm(vertices[skin[still]] - [0, 5.2, 0.6], axis=1)
  return ScalpMap(
    skin=skin,
    triangles=triangles,
    azimuth=azimuth,
    turn=turn,
    elevation=elevation,
    crown=crown,
    cap=cap,
    roots=cap[chosen[order]],
    shares=shares[order].astype(np.float32),
    anchor=int(skin[still[at.argmin()]]),
    corner_rows=triangles.ravel(),
  )


def field(line: Hairline) -> np.ndarray:
  """How far above the hairline each mesh vertex lies, (n,) degrees."""
  m = scalp_map()
  limit = np.interp(m.azimuth, _AZIMUTHS, _LIMITS)
  front = np.clip(1 - m.azimuth / 60, 0, 1)
  limit = limit + line.height * np.minimum(front * 2, 1)
  limit = limit + line.recession * np.exp(-(((m.azimuth - 40) / 15) ** 2))
  limit = limit - line.peak * np.exp(-((m.azimuth / 9) ** 2))
  limit = limit - line.sideburns * np.exp(-(((m.azimuth - 69) / 4) ** 2))
  limit = limit - line.nape * np.clip((m.azimuth - 110) / 40, 0, 1)
  wave = np.radians(m.turn)
  limit = limit + line.ragged * (
    np.sin(9 * wave + line.phase) + 0.6 * np.sin(23 * wave + 2.3 * line.phase)
  )
  above = m.elevation - limit
  if line.crown > 0:
    above = np.minimum(above, m.crown - line.crown)
  if line.bald_top < 90:  # the horseshoe that is left at the sides and the back
    side = np.clip((m.azimuth - 50) / 60, 0, 1)
    above = np.minimum(above, line.bald_top * (0.7 + 0.5 * side) - m.elevation)
  return above


class Surface:
  """A person's skin, as hair meets it: nearest point and height above it."""

  def __init__(self, vertices: np.ndarray):
    """`vertices` (n, 3): the person's neutral mesh."""
    m = scalp_map()
    corners = vertices[m.triangles]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    face = np.repeat(face, 3, 0)
    count = len(vertices)
    total = np.stack(
      [np.bincount(m.corner_rows, face[:, c], count) for c in range(3)], 1
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    self.vertices = vertices
    self.normals = (total / np.maximum(length, 1e-9)).astype(np.float32)
    self._index = m.skin
    self._tree = cKDTree(vertices[m.skin], balanced_tree=False)
    weight = assets_lib.load_assets().head_weight[m.skin]
    self._cloth = (0.09 * np.clip(1 - 4 * weight, 0, 1)).astype(np.float32)

  def lift(
    self, points: np.ndarray, clearance, cling=0.0
  ) -> tuple[np.ndarray, np.ndarray]:
    """Points moved out until they are `clearance` above the skin, or the clothes.

    Args:
      points: (k, 3).
      clearance: (k,) or a number, mesh units.
      cling: (k,) or a number 0..1, share of the way that points further out than
        that are drawn back to it.

    Returns:
      The points (k, 3), and the outward normals (k, 3) of the skin below.
    """
    _, near = self._tree.query(points)
    at = self._index[near]
    normal = self.normals[at]
    height = np.einsum('ij,ij->i', points - self.vertices[at], normal)
    missing = clearance + self._cloth[near] - height
    missing = np.where(missing > 0, missing, missing * cling)
    return points + normal * missing[:, None], normal

  def height(self, points: np.ndarray) -> np.ndarray:
    """(k,) height of points above the skin, mesh units; negative inside."""
    _, near = self._tree.query(points)
    at = self._index[near]
    return np.einsum('ij,ij->i', points - self.vertices[at], self.normals[at])
