"""Builds closed surfaces from sheets and swept tubes, and hangs them on a head."""

import functools
from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.assets import Part


class Solid(NamedTuple):
  """A surface in a person's own coordinates, not yet hung on the mesh."""

  points: np.ndarray  # (m, 3) mesh units
  triangles: np.ndarray  # (t, 3) int32
  uv: np.ndarray  # (m, 2), v up
  place: np.ndarray  # (m,) int32, equal where vertices share a place


def join(*solids: Solid) -> Solid:
  """Several surfaces as one; they keep their own places."""
  starts = np.cumsum([0] + [len(s.points) for s in solids])
  places = np.cumsum([0] + [int(s.place.max()) + 1 for s in solids])
  return Solid(
    np.concatenate([s.points for s in solids]),
    np.concatenate([s.triangles + k for s, k in zip(solids, starts, strict=False)]),
    np.concatenate([s.uv for s in solids]),
    np.concatenate([s.place + k for s, k in zip(solids, places, strict=False)]),
  )


def sheet(
  points: np.ndarray,
  *,
  closed: bool = False,
  box: tuple[float, float, float, float] = (0, 0, 1, 1),
  uv: np.ndarray | None = None,
) -> Solid:
  """A grid of quadrilaterals, two triangles each.

  Args:
    points: (r, c, 3), row by row.
    closed: the last column meets the first one; a seam column is added for the
      texture, whose normals stay smooth.
    box: where it lies in the texture: left, bottom, right, top. Rows run from the top
      down, columns from left to right.
    uv: (r, c, 2) instead of a box, seam column included.
  """
  points = np.asarray(points, np.float64)
  rows, columns = points.shape[:2]
  place = np.arange(rows * columns).reshape(rows, columns)
  if closed:
    points = np.concatenate([points, points[:, :1]], 1)
    place = np.concatenate([place, place[:, :1]], 1)
    columns += 1
  if uv is None:
    v, u = np.meshgrid(
      np.linspace(1, 0, rows), np.linspace(0, 1, columns), indexing='ij'
    )
    left, bottom, right, top = box
    uv = np.stack([left + u * (right - left), bottom + v * (top - bottom)], -1)
  index = np.arange(rows * columns).reshape(rows, columns)
  a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
  c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
  triangles = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
  return Solid(
    points.reshape(-1, 3),
    triangles.astype(np.int32),
    np.asarray(uv, np.float64).reshape(-1, 2),
    place.ravel().astype(np.int32),
  )


def sweep(
  path: np.ndarray,
  section: np.ndarray,
  *,
  side: np.ndarray,
  closed: bool = False,
  box: tuple[float, float, float, float] = (0, 0, 1, 1),
) -> Solid:
  """A closed outline carried along a path: wires, rims, rolled edges.

  Args:
    path: (n, 3).
    section: (k, 2) or (n, k, 2) the outline, first number along the second normal
      (tangent x side), second number along `side`.
    side: (3,) or (n, 3) a direction across the path, need not be exactly square to it.
    closed: the path ends where it starts; else both ends are capped.
    box: as for `sheet`; the path runs from left to right.
  """
  path = np.asarray(path, np.float64)
  if closed:
    tangent = np.roll(path, -1, 0) - np.roll(path, 1, 0)
  else:
    tangent = np.gradient(path, axis=0)
  tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-12
  side = np.broadcast_to(np.asarray(side, np.float64), path.shape)
  side = side - (side * tangent).sum(1, keepdims=True) * tangent
  side = side / (np.linalg.norm(side, axis=1, keepdims=True) + 1e-12)
  other = np.cross(tangent, side)
  section = np.broadcast_to(section, (len(path), *np.shape(section)[-2:]))
  rings = (
    path[:, None] + section[..., :1] * other[:, None] + section[..., 1:] * side[:, None]
  )
  if not closed:  # shut the ends with a point each
    first, last = rings[:1].mean(1, keepdims=True), rings[-1:].mean(1, keepdims=True)
    shut = np.ones((1, rings.shape[1], 1))
    rings = np.concatenate([first * shut, rings, last * shut])
  turned = np.swapaxes(rings, 0, 1)  # columns along the path
  turned = np.concatenate([turned, turned[:1]])
  out = sheet(turned, closed=closed, box=box)
  rows, columns = turned.shape[0], turned.shape[1] + closed
  place = out.place.reshape(rows, columns).copy()
  place[-1] = place[0]
  return out._replace(place=place.ravel())


def ellipse(count: int, width: float, height: float, power: float = 2.0) -> np.ndarray:
  """(count, 2) outline of a superellipse; `power` 2 is round, larger is boxier."""
  angle = 2 * np.pi * (np.arange(count) + 0.5) / count
  c, s = np.cos(angle), np.sin(angle)
  x = np.sign(c) * np.abs(c) ** (2 / power) * width / 2
  y = np.sign(s) * np.abs(s) ** (2 / power) * height / 2
  return np.stack([x, y], 1)


def ball(centre: np.ndarray, radii, rows: int = 6, columns: int = 8) -> Solid:
  """An ellipsoid: pearls, studs, nose pads."""
  polar = np.linspace(0, np.pi, rows)[:, None]
  turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
  unit = np.stack(
    [
      np.sin(polar) * np.sin(turn),
      np.cos(polar) + 0 * turn,
      np.sin(polar) * np.cos(turn),
    ],
    -1,
  )
  return sheet(np.asarray(centre) + unit * np.asarray(radii), closed=True)


@functools.lru_cache(maxsize=1)
def _still() -> int:
  """A vertex of the crown that no face unit moves."""
  assets = assets_lib.load_assets()
  moved = np.abs(assets.units).max(axis=(0, 2)) > 0
  free = (assets.head_weight >= 1) & ~moved
  return int(np.argmax(np.where(free, assets.vertices[:, 1], -np.inf)))


def hang(
  solid: Solid,
  vertices: np.ndarray,
  ref: np.ndarray | None = None,
  weight: np.ndarray | None = None,
) -> Part:
  """The surface as a part of the person.

  Args:
    solid: m points.
    vertices: (n, 3) the person's neutral mesh.
    ref: (m, 3) mesh vertices that each point follows; None: the skull, which no
      expression moves.
    weight: (m, 3) their weights, which sum to 1.
  """
  count = len(solid.points)
  if ref is None or weight is None:
    ref = np.full((count, 3), _still(), np.int32)
    weight = np.tile(np.float32([1, 0, 0]), (count, 1))
  weight = np.asarray(weight, np.float32)
  at = (vertices[ref].astype(np.float64) * weight[..., None]).sum(1)
  return Part(
    triangles=solid.triangles.astype(np.int32),
    uv=solid.uv.astype(np.float32),
    ref=ref.astype(np.int32),
    weight=weight,
    offset=(solid.points - at).astype(np.float32),
    position_id=solid.place.astype(np.int32),
  )
