"""What hangs behind the tie of tied hair: a tail, a bun, a puff of coils, a braid."""

import numpy as np

from data_pipelines.synthetic.assets import Part
from data_pipelines.synthetic.people import coils, strand_cards, strand_texture, strands
from data_pipelines.synthetic.people.scalp import Surface
from data_pipelines.synthetic.people.strands import Face, Roots, unit

BRAID_SIDES, BRAID_RINGS = 6, 44
TAIL_STRANDS, BUN_STRANDS, PUFF_TUFTS = 90, 90, 260


def _roots(vertex, count, surface, spread, rng):
  """Roots in a disc about a vertex, all hung on it."""
  ref = np.full((count, 3), vertex)
  share = np.tile(np.array([1, 0, 0], np.float32), (count, 1))
  normal = np.repeat(surface.normals[vertex][None], count, 0)
  jitter = rng.normal(0, spread, (count, 3))
  jitter -= np.einsum('ij,ij->i', jitter, normal)[:, None] * normal
  place = surface.vertices[vertex] + jitter + 0.05 * normal
  return Roots(ref, share, place.astype(np.float32), normal)


def grow_tail(
  vertex: int,
  length: float,
  waves: tuple[float, float],
  surface: Surface,
  face: Face,
  rng: np.random.Generator,
) -> Part:
  """A tail of loose hair that leaves the head at a vertex and hangs.

  Args:
    vertex: of the tie.
    length: mesh units.
    waves: amplitude and length of the hair's waves, mesh units.
    surface, face: of the person.
    rng: of the strands.
  """
  count = TAIL_STRANDS
  roots = _roots(vertex, count, surface, 0.045, rng)
  layer = rng.random(count)
  out = unit(surface.normals[vertex] + [0, 0.1, -0.6])
  growth = strands.Growth(
    length=(length * rng.uniform(0.75, 1.0, count)).astype(np.float32),
    comb=lambda points: np.repeat(out[None], len(points), 0),
    hold=np.full(count, 0.2, np.float32),
    lift=np.full(count, 0.9, np.float32),
    gravity=np.full(count, 0.75, np.float32),
    clearance=(0.04 + 0.16 * layer).astype(np.float32),
    stray=0.1,
    fringe=np.zeros(count, bool),
    fringe_height=np.zeros(count, np.float32),
    floor=np.full(count, -99.0, np.float32),
    wave=waves[0],
    pitch=waves[1],
    phase=rng.normal(0, 0.8, count),
  )
  lines = strands.grow(roots, growth, surface, face, rng)
  width = 0.15 * np.exp(rng.normal(0, 0.2, count))
  cards = strand_cards.cards_along(
    lines, surface, width, coils.columns(layer, rng), strand_texture.COLUMNS, 7, rng,
    tilt=0.5, taper=(0.5, 0.4),
  )  # fmt: skip
  return strand_cards.hang(cards, roots, surface.vertices, face)


def grow_bun(
  vertex: int, radius: float, surface: Surface, rng: np.random.Generator
) -> Part:
  """Hair wound round a ball on a vertex."""
  count = BUN_STRANDS
  roots = _roots(vertex, count, surface, 0.02, rng)
  out = unit(surface.normals[vertex] + [0, 0.0, -0.15])
  middle = surface.vertices[vertex] + out * radius * 0.8
  axis = unit(out + rng.normal(0, 0.35, (count, 3)))
  start = unit(np.cross(axis, rng.normal(0, 1, (count, 3))))
  other = np.cross(axis, start)
  t = np.linspace(0, 1, 11)[None, :, None]
  angle = t * rng.uniform(1.8, 3.2, (count, 1, 1))
  height = rng.uniform(-0.8, 0.9, (count, 1, 1)) + 0.15 * t
  height = np.clip(height, -0.9, 0.95)
  ring = np.cos(angle) * start[:, None] + np.sin(angle) * other[:, None]
  direction = ring * np.sqrt(1 - height**2) + axis[:, None] * height
  layer = rng.random(count)
  size = radius * (0.88 + 0.16 * layer)[:, None, None]
  squash = direction - 0.2 * (direction @ out)[..., None] * out
  lines = (middle + size * squash).astype(np.float32)
  cards = strand_cards.cards_along(
    lines, surface, np.full(count, 0.12), coils.columns(layer, rng),
    strand_texture.COLUMNS, 5, rng, tilt=0.1, normals=direction,
  )  # fmt: skip
  return strand_cards.hang(cards, roots, surface.vertices)


def grow_puff(
  vertex: int, radius: float, surface: Surface, rng: np.random.Generator
) -> Part:
  """A ball of tight coils on a vertex."""
  count = PUFF_TUFTS
  roots = _roots(vertex, count, surface, 0.02, rng)
  out = unit(surface.normals[vertex] + [0, 0.0, -0.1])
  middle = surface.vertices[vertex] + out * radius * 0.85
  direction = unit(rng.normal(0, 1, (count, 3)))
  layer = rng.random(count) ** 0.5
  place = middle + direction * (radius * (0.35 + 0.6 * layer))[:, None]
  size = np.full(count, 0.15 + 0.15 * radius)
  return coils.tufts(place, direction, size, layer, roots, surface.vertices, rng)


def grow_braid(
  vertex: int,
  length: float,
  surface: Surface,
  face: Face,
  rng: np.random.Generator,
) -> Part:
  """Three locks that cross each other, from a vertex down."""
  root = _roots(vertex, 1, surface, 0.0, rng)
  one = np.ones(1, np.float32)
  growth = strands.Growth(
    length=one * length,
    comb=lambda points: np.array([[0.0, -0.3, -1.0]], np.float32),
    hold=one * 0.1,
    lift=one * 0.5,
    gravity=one,
    clearance=one * 0.16,
    stray=0.0,
    fringe=np.zeros(1, bool),
    fringe_height=one,
    floor=one * -99,
  )
  spine = strands.grow(root, growth, surface, face, rng, steps=20)[0]
  at = np.linspace(0, 20, BRAID_RINGS)
  spine = np.stack([np.interp(at, np.arange(21), spine[:, c]) for c in range(3)], 1)
  along = unit(np.gradient(spine, axis=0))
  _, back = surface.lift(spine.astype(np.float32), -1e3)
  side = unit(np.cross(along, back))
  back = np.cross(side, along)
  t = np.linspace(0, 1, BRAID_RINGS)[:, None]
  thick = np.interp(t, [0, 0.12, 0.85, 1], [0.6, 1, 0.8, 0.25])
  turns = 2 * np.pi * t * length / 0.34
  parts = []
  for k in range(3):
    turn = turns + 2 * np.pi * k / 3
    centre = spine + thick * (
      0.075 * np.sin(turn) * side + 0.04 * np.sin(2 * turn) * back
    )
    parts.append(_tube(centre, 0.07 * thick, back, root, surface.vertices, face, k))
  return strand_cards.join(parts)


def _tube(centre, radius, up, root, vertices, face, k):
  """A tube about a line (r, 3), as a part hung on one root."""
  rings, sides = len(centre), BRAID_SIDES
  along = unit(np.gradient(centre, axis=0))
  across = unit(np.cross(along, up))
  up = np.cross(across, along)
  angle = np.linspace(0, 2 * np.pi, sides + 1)
  ring = np.cos(angle)[:, None, None] * across + np.sin(angle)[:, None, None] * up
  positions = (centre + ring * radius).transpose(1, 0, 2)  # (r, sides + 1, 3)
  uv = np.empty((rings, sides + 1, 2), np.float32)
  uv[..., 0] = (k * 0.31 + np.linspace(0, 1.0, sides + 1))[None]
  uv[..., 1] = np.linspace(4, 0, rings)[:, None]
  hung = strand_cards.hang_points(positions.reshape(-1, 3), root, vertices, face)
  i, j = np.mgrid[0 : rings - 1, 0:sides]
  a = i * (sides + 1) + j
  quads = np.stack([a, a + 1, a + sides + 1, a + 1, a + sides + 2, a + sides + 1], -1)
  place = np.arange(rings * (sides + 1)).reshape(rings, sides + 1)
  place[:, -1] = place[:, 0]
  _, place = np.unique(place, return_inverse=True)
  return Part(
    triangles=quads.reshape(-1, 3).astype(np.int32),
    uv=uv.reshape(-1, 2),
    position_id=place.ravel().astype(np.int32),
    **hung._asdict(),
  )
