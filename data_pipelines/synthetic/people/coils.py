"""Tight coils: tufts that fill a layer above the skin, or a ball."""

import numpy as np

from data_pipelines.synthetic.assets import Part
from data_pipelines.synthetic.people import (
  scalp_cap,
  strand_cards,
  strand_texture,
  strands,
)
from data_pipelines.synthetic.people.hair_colours import Colours, tint_of
from data_pipelines.synthetic.people.hairdo import Head, smooth
from data_pipelines.synthetic.people.pieces import HAIR, Material, Piece
from data_pipelines.synthetic.people.strands import Roots, unit


def columns(layer: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Columns of the texture (k,): darker ones for the inner layers (0), by chance."""
  tier = (layer * strand_texture.TIERS + rng.normal(0, 0.35, len(layer))).astype(int)
  tier = np.clip(tier, 0, strand_texture.TIERS - 1)
  return tier * strand_texture.VARIANTS + rng.integers(
    strand_texture.VARIANTS, size=len(layer)
  )


def tufts(
  places: np.ndarray,
  outwards: np.ndarray,
  size: np.ndarray,
  layer: np.ndarray,
  roots: Roots,
  vertices: np.ndarray,
  rng: np.random.Generator,
) -> Part:
  """Square cards in all directions, each a tangle of coils.

  Args:
    places: (k, 3) their middles.
    outwards: (k, 3) unit vectors away from the head: that is where they face.
    size: (k,) mesh units.
    layer: (k,) 0 = innermost, dark, .. 1 = outermost.
    roots: that they hang on.
    vertices: (n, 3) the person's neutral mesh.
    rng: of the directions.
  """
  aside = rng.normal(0, 1, (len(places), 3))
  aside -= np.einsum('ij,ij->i', aside, outwards)[:, None] * outwards
  # A quarter stand upright, so that the outline is not made of edges.
  upright = np.where(rng.random((len(places), 1)) < 0.25, 2.0, 0.05)
  upright = upright + rng.normal(0, 0.15, (len(places), 1))
  along = unit(unit(aside) + upright * outwards)
  across = unit(np.cross(along, outwards) + rng.normal(0, 0.1, (len(places), 3)))
  half = 0.5 * size[:, None, None]
  ends = np.stack([-along, along], 1) * half
  wide = (across * half[:, 0])[:, None]
  corners = places[:, None] + ends
  positions = np.stack([corners - wide, corners + wide], 2)
  column = columns(layer, rng)
  uv = np.empty((len(places), 2, 2, 2), np.float32)
  uv[..., 0] = (column[:, None, None] + [[0.03, 0.97]]) / strand_texture.COLUMNS
  part_of = rng.integers(0, 4, len(places))[:, None] / 4
  uv[..., 1] = (part_of + [[0.245, 0.005]])[..., None]
  cards = strand_cards.Cards(positions.astype(np.float32), uv)
  return strand_cards.hang(cards, roots, vertices)


def _outwards(head, vertices):
  """Unit vectors (k, 3) from inside the skull to mesh vertices."""
  return unit(head.vertices[vertices] - head.middle + [0, 0.12, 0])


def _afro_depth(head, vertices, edge):
  """How deep an afro is over mesh vertices, (k,)."""
  cut, m = head.worn.cut, head.map
  top = smooth(m.elevation[vertices], 0, 56)
  back = smooth(m.azimuth[vertices], 80, 140)
  low = cut.side * (1 - back) + cut.back * back
  return (low * (1 - top) + cut.top * top) * (0.12 + 0.88 * edge)


def grow_afro(
  head: Head, colours: Colours, rng: np.random.Generator
) -> tuple[Piece, ...]:
  """An afro: a closed body, and tufts in a layer over it.

  Args:
    head: with the style that is worn.
    colours: of the hair.
    rng: of the tufts.
  """
  cut = head.worn.cut
  every = np.arange(len(head.vertices))
  offset = _afro_depth(head, every, smooth(head.above, 0, 16))[:, None]
  tint = tint_of(colours.main)
  pieces = [
    scalp_cap.grow_body(head.above, 0.66 * offset * _outwards(head, every), tint)
  ]
  chosen = head.choose(cut.count, 0.0)
  roots = strands.roots_at(
    head.surface, head.map.roots[chosen], head.map.shares[chosen]
  )
  layer = rng.random(len(roots)) ** 0.6
  edge = smooth(head.at(head.above, chosen), -2, 16)
  share = head.map.shares[chosen][..., None]
  corners = head.map.roots[chosen]
  push = (offset * _outwards(head, every))[corners]
  push = (push * share).sum(1) * np.exp(rng.normal(0, 0.08, (len(roots), 1)))
  out = unit(_outwards(head, corners[:, 0]) + 0.3 * roots.normal)
  place = roots.position + 0.02 * out + push * (0.5 + 0.4 * layer[:, None])
  size = cut.width * (0.6 + 0.4 * edge) * np.exp(rng.normal(0, 0.15, len(roots)))
  texture = strand_texture.paint_cards('coily')
  order = np.argsort(layer)
  inner = int(0.5 * len(order))
  for name, chosen, blended in (
    ('hair', order[:inner], False),
    ('hair_wisps', order[inner:], True),
  ):
    part = tufts(
      place[chosen], out[chosen], size[chosen], layer[chosen], roots.take(chosen),
      head.vertices, rng,
    )  # fmt: skip
    material = Material(
      HAIR, tint, gloss=0.03, cut_out=not blended, see_through=blended,
      casts=not blended,
    )  # fmt: skip
    pieces.append(Piece(name, part, texture, material))
  return tuple(pieces)
