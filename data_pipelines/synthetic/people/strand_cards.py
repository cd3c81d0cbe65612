"""Cards: strips of quads along strands, hung on the skin that the strands grow from."""

import dataclasses
from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic.assets import Part
from data_pipelines.synthetic.people import scalp
from data_pipelines.synthetic.people.strands import Face, Roots, unit


@dataclasses.dataclass(frozen=True)
class Cards:
  """Strips along k strands, ready to become a part."""

  positions: np.ndarray  # (k, rows, 2, 3)
  uv: np.ndarray  # (k, rows, 2, 2)


def cards_along(
  lines: np.ndarray,
  surface: scalp.Surface,
  width: np.ndarray,
  column: np.ndarray,
  columns: int,
  segments: int,
  rng: np.random.Generator,
  tilt: float = 0.2,
  taper: tuple[float, float] = (0.8, 0.55),
  normals: np.ndarray | None = None,
) -> Cards:
  """Cards along strands.

  Args:
    lines: (k, m, 3) strands.
    surface: of the person; cards lie flat above it.
    width: (k,) mesh units.
    column: (k,) which column of the texture, of `columns`.
    columns: of the texture.
    segments: quads of a card.
    rng: for the tilt about the strand.
    tilt: standard deviation of that, radians.
    taper: width at the root and at the tip, as a share.
    normals: (k, m, 3) that cards face along `lines`, instead of the skin's.
  """
  rows = segments + 1
  t = np.linspace(0, 1, rows) ** 1.25  # most rows near the head, where hair bends
  at = t * (lines.shape[1] - 1)
  before = np.minimum(at.astype(int), lines.shape[1] - 2)
  share = (at - before)[None, :, None]
  line = lines[:, before] * (1 - share) + lines[:, before + 1] * share
  along = unit(np.gradient(line, axis=1))
  if normals is None:
    _, normal = surface.lift(line.reshape(-1, 3), -1e3)
    normal = normal.reshape(line.shape)
  else:
    normal = normals[:, before]
  across = unit(np.cross(along, normal))
  # Neighbouring rows must not flip over.
  for i in range(1, rows):
    flipped = np.einsum('ij,ij->i', across[:, i], across[:, i - 1]) < 0
    across[flipped, i] *= -1
  across = unit(across + np.roll(across, 1, 1) * 0.5)
  lean = rng.normal(0, tilt, (len(line), 1, 1))
  up = unit(np.cross(across, along))
  across = across * np.cos(lean) + up * np.sin(lean)
  profile = np.interp(t, [0, 0.25, 0.7, 1], [taper[0], 1, 1, taper[1]])
  half = across * (0.5 * width[:, None] * profile)[..., None]
  positions = np.stack([line - half, line + half], 2).astype(np.float32)
  left = (column + 0.04) / columns
  right = (column + 0.96) / columns
  mirror = rng.random(len(line)) < 0.5
  left, right = np.where(mirror, right, left), np.where(mirror, left, right)
  uv = np.empty((*positions.shape[:3], 2), np.float32)
  uv[..., 0] = np.stack([left, right], 1)[:, None]
  uv[..., 1] = (0.995 - 0.99 * t)[None, :, None]
  return Cards(positions, uv)


def head_share(height: np.ndarray, face: Face) -> np.ndarray:
  """Share of the head's turn that hair at a height takes: 1 at the ears, less below."""
  t = np.clip((face.chin + 0.35 - height) / 1.3, 0, 1)
  return (1 - 0.75 * t * t * (3 - 2 * t)).astype(np.float32)


class Hung(NamedTuple):
  """k points hung on mesh vertices."""

  ref: np.ndarray  # (k, 3) int32
  weight: np.ndarray  # (k, 3) float32
  offset: np.ndarray  # (k, 3) float32


def hang_points(
  points: np.ndarray, roots: Roots, vertices: np.ndarray, face: Face | None = None
) -> Hung:
  """Hangs points (r * k, 3) on k roots, r consecutive points on each.

  Args:
    points: mesh units.
    roots: of the strands that they belong to.
    vertices: (n, 3) the person's neutral mesh.
    face: with it, long hair lags behind when the head turns: the lower a point,
      the more of it hangs on the chest.
  """
  rows = len(points) // max(len(roots), 1)
  ref = np.repeat(roots.ref, rows, 0)
  weight = np.repeat(roots.share, rows, 0)
  if face is not None:
    share = head_share(points[:, 1], face)
    low = share < 0.999
    first = ref[np.arange(len(ref)), weight.argmax(1)]
    anchor = scalp.scalp_map().anchor
    ref[low] = np.stack([first, np.full_like(first, anchor), first], 1)[low]
    weight[low] = np.stack([share, 1 - share, np.zeros_like(share)], 1)[low]
  offset = points - (vertices[ref] * weight[..., None]).sum(1)
  return Hung(
    ref.astype(np.int32), weight.astype(np.float32), offset.astype(np.float32)
  )


def hang(
  cards: Cards, roots: Roots, vertices: np.ndarray, face: Face | None = None
) -> Part:
  """The part whose vertices hang on their strands' roots (`hang_points`)."""
  count, rows = cards.positions.shape[:2]
  hung = hang_points(cards.positions.reshape(-1, 3), roots, vertices, face)
  corner = np.arange(rows - 1)[:, None] * 2
  quad = np.array([[0, 1, 2], [1, 3, 2]])
  strip = (corner[..., None] + quad).reshape(-1, 3)
  triangles = (np.arange(count) * 2 * rows)[:, None, None] + strip
  return Part(
    triangles=triangles.reshape(-1, 3).astype(np.int32),
    uv=cards.uv.reshape(-1, 2),
    position_id=np.arange(count * rows * 2, dtype=np.int32),
    **hung._asdict(),
  )


def join(parts: list[Part]) -> Part:
  """Several parts as one; parts without a triangle are left out."""
  parts = [p for p in parts if len(p.ref)] or parts[:1]
  vertices = np.cumsum([0] + [len(p.ref) for p in parts])
  places = np.cumsum([0] + [int(p.position_id.max()) + 1 for p in parts])
  return Part(
    triangles=np.concatenate(
      [p.triangles + n for p, n in zip(parts, vertices, strict=False)]
    ).astype(np.int32),
    uv=np.concatenate([p.uv for p in parts]),
    ref=np.concatenate([p.ref for p in parts]),
    weight=np.concatenate([p.weight for p in parts]),
    offset=np.concatenate([p.offset for p in parts]),
    position_id=np.concatenate(
      [p.position_id + n for p, n in zip(parts, places, strict=False)]
    ).astype(np.int32),
  )
