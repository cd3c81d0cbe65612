"""Sheets over the scalp: short hair painted on it, and the body of an afro."""

import numpy as np

from data_pipelines.synthetic.assets import Part
from data_pipelines.synthetic.people import scalp, strand_texture
from data_pipelines.synthetic.people.pieces import HAIR, Material, Piece

_REPEATS = 5  # of the texture round the head


def _sheet(triangles, v, offset):
  """The scalp's own triangles as a part.

  Args:
    triangles: (t, 3) mesh vertices.
    v: (n,) texture coordinate of every mesh vertex.
    offset: (n, 3) of every mesh vertex.
  """
  u = scalp.scalp_map().turn / 360 * _REPEATS
  # Triangles across the seam at the back get corners of their own.
  wraps = np.ptp(u[triangles], axis=1) > _REPEATS / 2
  used, index = np.unique(triangles[~wraps], return_inverse=True)
  split = triangles[wraps].ravel()
  ref = np.concatenate([used, split])
  turned = np.where(u[split] < 0, u[split] + _REPEATS, u[split])
  rest = len(used) + np.arange(len(split)).reshape(-1, 3)
  _, place = np.unique(ref, return_inverse=True)
  return Part(
    triangles=np.concatenate([index.reshape(-1, 3), rest]).astype(np.int32),
    uv=np.stack([np.concatenate([u[used], turned]), v[ref]], 1).astype(np.float32),
    ref=np.repeat(ref[:, None], 3, 1).astype(np.int32),
    weight=np.tile(np.array([1, 0, 0], np.float32), (len(ref), 1)),
    offset=offset[ref].astype(np.float32),
    position_id=place.astype(np.int32),
  )


def grow_cap(
  above: np.ndarray,
  surface: scalp.Surface,
  kind: str,
  opacity: int,
  tint: tuple[float, float, float],
) -> Piece:
  """Short hair on the scalp itself, soft at the hairline.

  Args:
    above: (n,) degrees over the hairline of every mesh vertex.
    surface: of the person.
    kind: of hair.
    opacity: of full growth, percent.
    tint: linear colour.
  """
  low, high = strand_texture.CAP_LOW, strand_texture.CAP_HIGH
  cap = scalp.scalp_map().cap
  triangles = cap[(above[cap] > low).any(1)]
  # Kept off the texture's ends, which wrap round.
  v = np.clip((above - low) / (high - low), 0.05, 0.93)
  part = _sheet(triangles, v, 0.004 * surface.normals)
  grain = 'coily' if kind in ('coily', 'curly') else 'straight'
  material = Material(HAIR, tint, gloss=0.02, see_through=True, casts=False)
  return Piece('hair_cap', part, strand_texture.paint_cap(grain, opacity), material)


def grow_body(
  above: np.ndarray,
  offset: np.ndarray,
  tint: tuple[float, float, float],
) -> Piece:
  """The closed body of an afro, under its outer tufts.

  Args:
    above: (n,) degrees over the hairline of every mesh vertex.
    offset: (n, 3) from the skin to the body's surface, of every mesh vertex.
    tint: linear colour.
  """
  m = scalp.scalp_map()
  part = _sheet(m.cap[(above[m.cap] > 0.5).all(1)], m.elevation / 90 * 3, offset)
  material = Material(HAIR, tint, gloss=0.02)
  return Piece('hair_body', part, strand_texture.paint_coils(), material)
