"""The hair on a person's head: grown strand by strand, or a style of the asset pack.

Grown hair is a cap of short hair that lies on the scalp, blended softly at the
hairline, cards over it that are cut out, and a few soft, loose hairs over those. Hair
of another colour (grey, highlights) is a piece of its own.
"""

import dataclasses

import numpy as np

from data_pipelines.synthetic.people import (
  coils,
  scalp_cap,
  strand_cards,
  strand_texture,
  strands,
  tied,
)
from data_pipelines.synthetic.people.hair_colours import (
  Colours,
  sample_colours,
  tint_of,
)
from data_pipelines.synthetic.people.hair_styles import Worn, sample_worn
from data_pipelines.synthetic.people.hairdo import Head, comber, lengths, smooth
from data_pipelines.synthetic.people.pieces import HAIR, Material, Piece
from data_pipelines.synthetic.people.strands import unit
from data_pipelines.synthetic.people.traits import Traits, stream

PACK_SHARE = 0.05  # of people who wear a style of the asset pack
# Those that look like hair. The bobs and short03 hide an eye; the others' hairlines
# are hard, and they sit like a helmet.
PACK_MALE = {'short02': 1.0}
PACK_FEMALE = {'long01': 1.0, 'braid01': 0.6}


@dataclasses.dataclass(frozen=True)
class Hair:
  """A hair style.

  Attributes:
    style: part of the asset pack, such as `hair_long01`, or None.
    pieces: cards grown for this person; empty with a style of the pack.
  """

  style: str | None
  pieces: tuple[Piece, ...] = ()


def _comb_to(target):
  def comb(points):
    return unit(target - points)

  return comb


_WAVES = {'straight': 0.0, 'wavy': 0.03, 'curly': 0.07, 'coily': 0.0}


@dataclasses.dataclass(frozen=True)
class _Grown:
  """k strands with their cards."""

  roots: strands.Roots
  lines: np.ndarray  # (k, steps + 1, 3)
  width: np.ndarray  # (k,)
  column: np.ndarray  # (k,) of the texture
  layer: np.ndarray  # (k,) 0 = at the skin .. 1 = outermost
  soft: np.ndarray  # (k,) bool, blended instead of cut out


def _grow_main(head, rng):
  """Roots, strands and cards of the hair that is not tied."""
  cut, kind = head.worn.cut, head.worn.kind
  chosen = head.choose(cut.count, cut.shaved)
  roots = strands.roots_at(
    head.surface, head.map.roots[chosen], head.map.shares[chosen]
  )
  count = len(roots)
  layer = rng.random(count)  # 0 = next to the skin, 1 = outermost
  column = coils.columns(layer, rng)
  above = head.at(head.above, chosen)
  face, target = head.face, None
  if cut.tie:
    vertex = head.tie
    target = head.vertices[vertex] + 0.05 * head.surface.normals[vertex]
  fringe = np.zeros(count, bool)
  if cut.fringe:
    fringe = (np.abs(roots.position[:, 0]) < face.half_width * 0.95) & (
      roots.position[:, 2] > face.front - 0.45
    )
  bangs = face.top + 0.04 + np.abs(rng.normal(0, 0.035, count))
  bangs = bangs + 0.1 * (1 - np.abs(roots.position[:, 0] / face.half_width))
  bottom = face.eyes[:, 1].mean() - (cut.floor if cut.floor else 9.0)
  ragged = 0.05 + 0.03 * (cut.floor or 0)
  edge = smooth(above, 0, 8)
  # Parted hair lies flat along the parting and is fuller at the sides.
  high = smooth(head.at(head.map.elevation, chosen), 40, 70)
  volume = cut.volume * (1 - 0.55 * high * (cut.part is not None))
  length = lengths(head, chosen, cut, rng)
  if cut.tie:  # as far as the tie is, round the head
    chord = np.linalg.norm(roots.position - target, axis=1)
    length = 2.04 * np.arcsin(np.minimum(chord / 2, 0.98))
  growth = strands.Growth(
    length=length.astype(np.float32),
    comb=_comb_to(target) if cut.tie else comber(head, cut, head.worn.side),
    hold=np.full(count, 1.2 if cut.tie else 0.55, np.float32),
    lift=(cut.lift * (0.35 + 0.65 * edge)).astype(np.float32),
    gravity=np.full(count, cut.gravity, np.float32),
    clearance=(0.012 + volume * layer * (0.35 + 0.65 * edge)).astype(np.float32),
    cling=1.0 if cut.tie else cut.cling,
    stray=0.05 if cut.tie else 0.1 if kind in ('straight', 'wavy') else 0.2,
    fringe=fringe,
    fringe_height=bangs.astype(np.float32),
    floor=(bottom + rng.normal(0, ragged, count)).astype(np.float32),
    target=target,
    wave=0.0 if cut.tie or cut.top < 0.3 else _WAVES[kind],
    pitch=0.75 if kind == 'wavy' else 0.5,
    phase=(3 * roots.position[:, 0] + 2 * roots.position[:, 1]) * 3
    + rng.normal(0, 0.8, count),
  )
  steps = 14 if kind == 'curly' or cut.top > 1.5 else 10
  lines = strands.grow(roots, growth, head.surface, face, rng, steps)
  width = cut.width * (0.55 + 0.45 * edge) * np.exp(rng.normal(0, 0.2, count))
  # Long hair that was cut off at the face would stand there as a stub.
  tip = lines[:, -1]
  stub = ~fringe & (length > 0.9) & (tip[:, 1] > face.chin) & (tip[:, 2] > face.front)
  stub &= np.abs(tip[:, 0]) < face.half_width + 0.06
  length = np.linalg.norm(np.diff(lines, axis=1), axis=2).sum(1)
  soft = (length < 0.27) | (above < 3.0) | ((length < 0.8) & (layer > 0.55))
  soft &= kind != 'coily' or cut.tie is not None
  kept = np.flatnonzero(~stub)
  columns = (values[kept] for values in (lines, width, column, layer, soft))
  return _Grown(roots.take(kept), *columns)


def _hang_cards(head, grown, chosen, segments, lag, rng):
  """The part of some of the strands."""
  cards = strand_cards.cards_along(
    grown.lines[chosen], head.surface, grown.width[chosen], grown.column[chosen],
    strand_texture.COLUMNS, segments, rng,
    tilt=0.4 if head.worn.cut.name == 'locs' else 0.07,
  )  # fmt: skip
  return strand_cards.hang(cards, grown.roots.take(chosen), head.vertices, lag)


def grow_style(
  worn: Worn, colours: Colours, vertices: np.ndarray, rng: np.random.Generator
) -> tuple[Piece, ...]:
  """Grows a style on a head.

  Args:
    worn: what the person wears.
    colours: of the hair.
    vertices: (n, 3) the person's neutral mesh.
    rng: of the strands.
  """
  head = Head(vertices, worn)
  cut, kind = worn.cut, worn.kind
  if cut.tie:
    height = {'pony': (5, 50), 'bun': (0, 60), 'braid': (-20, 5)}[cut.tie]
    head.tie = head.vertex(180.0, float(rng.uniform(*height)))
  pieces = [
    scalp_cap.grow_cap(
      head.above, head.surface, kind, cut.cap, tint_of(colours.main * 0.9)
    )
  ]
  if not cut.count:
    return tuple(pieces)
  if cut.name.startswith('afro'):
    return (*pieces, *coils.grow_afro(head, colours, rng))
  grown = _grow_main(head, rng)
  second = rng.random(len(grown.roots)) < colours.share
  lag = head.face if cut.floor and cut.floor > 1 else None
  texture = strand_texture.paint_cards(_texture_kind(cut, kind))
  for name, mask, colour in (
    ('hair', ~second & ~grown.soft, colours.main),
    ('hair_second', second & ~grown.soft, colours.second),
  ):
    if mask.any():
      part = _hang_cards(head, grown, mask, cut.segments, lag, rng)
      material = Material(HAIR, tint_of(colour), gloss=0.06, cut_out=True)
      pieces.append(Piece(name, part, texture, material))
  if cut.tie:
    pieces.append(_tied(head, colours, rng))
  if kind != 'coily' or cut.tie:
    pieces.append(_wisps(head, grown, colours, lag, rng))
  return tuple(pieces)


def _tied(head, colours, rng):
  """What hangs behind the tie."""
  cut, kind, vertex = head.worn.cut, head.worn.kind, head.tie
  texture, solid = strand_texture.paint_cards(kind), True
  if cut.tie == 'braid':
    part = tied.grow_braid(vertex, cut.tail, head.surface, head.face, rng)
    texture, solid = strand_texture.paint_rope(), False
  elif kind == 'coily':
    radius = float(rng.uniform(0.28, 0.5))
    part = tied.grow_puff(vertex, radius, head.surface, rng)
  elif cut.tie == 'bun':
    radius = float(rng.uniform(0.2, 0.32))
    part = tied.grow_bun(vertex, radius, head.surface, rng)
  else:
    waves = (_WAVES[kind], 0.6)
    part = tied.grow_tail(vertex, cut.tail, waves, head.surface, head.face, rng)
  material = Material(HAIR, tint_of(colours.main), gloss=0.06, cut_out=solid)
  return Piece('hair_tied', part, texture, material)


def _wisps(head, grown, colours, lag, rng):
  """Blended hair: what is short or at the hairline, and loose hairs over the rest."""
  cut, lines = head.worn.cut, grown.lines
  short = np.flatnonzero(grown.soft)
  outer = np.flatnonzero(~grown.soft)
  outer = outer[np.argsort(-grown.layer[outer])][: int(0.3 * len(outer))]
  count = len(outer)
  t = np.linspace(0, 1, lines.shape[1])[None, :, None]
  loose = lines[outer] + rng.normal(0, 0.02, (count, 1, 3)) * np.minimum(1, 4 * t)
  loose = loose + t**2 * rng.normal(0, 0.03, (count, 1, 3))
  loose, _ = head.surface.lift(loose.reshape(-1, 3).astype(np.float32), 0.02)
  loose = loose.reshape(-1, *lines.shape[1:])
  column = rng.integers(strand_texture.COLUMNS, size=count)
  cards = strand_cards.cards_along(
    loose, head.surface, np.full(count, cut.width * 1.2), column,
    strand_texture.COLUMNS, min(cut.segments, 4), rng, tilt=0.4,
  )  # fmt: skip
  # Those near the skin first: later ones are blended over earlier ones.
  short = short[np.argsort(grown.layer[short])]
  parts = [
    _hang_cards(head, grown, short, min(cut.segments, 3), lag, rng),
    strand_cards.hang(cards, grown.roots.take(outer), head.vertices, lag),
  ]
  texture = strand_texture.paint_cards(_texture_kind(cut, head.worn.kind), True)
  share = min(1.5 * colours.share, 1.0)
  tint = tint_of(colours.main * (1 - share) + colours.second * share)
  material = Material(HAIR, tint, gloss=0.06, see_through=True, casts=False)
  return Piece('hair_wisps', strand_cards.join(parts), texture, material)


def _texture_kind(cut, kind):
  """Short, loose hair has a texture of few, pointed hairs; locs are twisted."""
  if cut.name == 'locs':
    return 'twist'
  if cut.tie and kind == 'coily':  # drawn back, coils are pulled straight
    return 'wavy'
  return 'short' if cut.top < 0.5 and kind != 'coily' else kind


def _pick(rng, weights):
  names, odds = list(weights), np.array(list(weights.values()), float)
  return names[rng.choice(len(names), p=odds / odds.sum())]


def grow_hair(traits: Traits, vertices: np.ndarray) -> Hair:
  """The hair of a person.

  Args:
    traits: of the person.
    vertices: (n, 3) the person's neutral mesh, for cards to grow on.
  """
  rng = stream(traits.seed, topic='hair')
  packed = rng.random() < PACK_SHARE and traits.race[0] < 0.6
  style = _pick(rng, PACK_MALE if traits.male > 0.5 else PACK_FEMALE)
  if packed:
    return Hair(f'hair_{style}')
  worn = sample_worn(rng, traits)
  colours = sample_colours(rng, traits)
  return Hair(None, grow_style(worn, colours, vertices, rng))
