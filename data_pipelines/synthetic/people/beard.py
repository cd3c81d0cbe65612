"""Beards and moustaches: cards that hang on the skin and move with the jaw.

Every hair hangs on the skin triangle it grows
from, so that a moustache follows the upper lip and a chin beard the jaw. Stubble is
painted into the skin; what grows here has length.
"""

import dataclasses
import functools

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.assets import Part
from data_pipelines.synthetic.people import (
  coils,
  scalp,
  strand_cards,
  strand_texture,
  strands,
)
from data_pipelines.synthetic.people.beard_map import beard_map
from data_pipelines.synthetic.people.hair_colours import tint_of
from data_pipelines.synthetic.people.hair_styles import sample_kind
from data_pipelines.synthetic.people.pieces import HAIR, Material, Piece
from data_pipelines.synthetic.people.traits import Traits, stream

CAP_DEGREES = 90.0  # of the cap's texture for one mesh unit inside the beard
GREY = np.array([0.42, 0.41, 0.4])


@dataclasses.dataclass(frozen=True)
class Beard:
  """A way to wear a beard; lengths in mesh units.

  Attributes:
    area: which part of the face: `full`, `goatee`, `moustache`, `chin`, `strap`.
    length: of the hair at the chin; cheeks are shorter.
    lip: length of the moustache's hair, 0 = shaved.
    density: share of the roots that bear hair.
  """

  area: str
  length: float
  lip: float
  density: float


def sample_beard(rng: np.random.Generator, traits: Traits) -> Beard | None:
  """What a person wears: no woman has a beard, most men shave.

  Our own priors: two men in five have a beard with length, more from thirty to sixty,
  fewer and thinner ones with East Asian ancestry.
  """
  drawn = rng.random(4)
  years = 0.55 + 0.9 * np.clip(traits.age * 2.2, 0, 1) - 0.35 * traits.age
  share = 0.44 * np.clip((traits.male - 0.5) * 5, 0, 1) * years
  share *= 1 - 0.6 * traits.race[1]
  if drawn[0] >= share:
    return None
  area = str(
    rng.choice(
      ['full', 'goatee', 'moustache', 'chin', 'strap'], p=[0.52, 0.2, 0.18, 0.05, 0.05]
    )
  )
  long = drawn[1] < 0.22
  length = 0.3 + 0.5 * drawn[2] ** 2 if long else 0.05 + 0.12 * drawn[2]
  if area == 'strap':
    length = 0.04 + 0.04 * drawn[2]
  lip = 0.0 if area in ('chin', 'strap') else 0.06 + 0.09 * drawn[3]
  thin = 1 - 0.5 * traits.race[1]
  return Beard(area, float(length), float(lip), float(thin * rng.uniform(0.75, 1)))


def _worn(beard, place):
  """(k,) how far inside this beard points of the base mesh are; and the moustache."""
  x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
  lip = np.minimum(np.minimum(y - 6.6, 0.33 - x), z - 1.3)
  lip = np.minimum(lip, y - 6.64 + 0.4 * np.maximum(x - 0.22, 0))
  if beard.area == 'full':
    area = np.full(len(place), 1.0)
  elif beard.area == 'goatee':
    area = np.minimum(0.33 - x - 0.25 * np.maximum(6.4 - y, 0), z - 0.95)
    area = np.where(y > 6.62, np.minimum(area, lip), area)
  elif beard.area == 'moustache':
    area = lip
  elif beard.area == 'chin':
    area = np.minimum(np.minimum(0.24 - x, z - 1.0), 6.48 - y)
  else:  # a strap along the jaw
    jaw = np.interp(z, [0.6, 0.75, 1.0, 1.3, 1.5], [7.2, 6.75, 6.5, 6.36, 6.32])
    area = 0.1 - np.abs(y - jaw + 0.05)
  return area, lip > 0


def _lengths(beard, place, lip, inside, rng):
  down = np.clip((6.75 - place[:, 1]) / 0.45, 0, 1)
  front = np.clip((place[:, 2] - 0.75) / 0.5, 0, 1)
  length = beard.length * (0.22 + 0.78 * down * front)
  length = np.where(lip, beard.lip, np.maximum(length, 0.04))
  length = length * (0.6 + 0.4 * np.clip(inside / 0.06, 0, 1))
  return length * np.exp(rng.normal(0, 0.15, len(place)))


def _comb(middle):
  """Down and forward; under the nose sideways, away from its middle."""

  def comb(points):
    x = points[:, 0] - middle[0]
    lip = np.clip((points[:, 1] - middle[1] + 0.02) / 0.04, 0, 1)
    lip = lip * (points[:, 2] > middle[2] - 0.3)
    side = np.tanh(x / 0.05) * (0.25 + 0.75 * lip) * lip
    ahead = 0.25 * (1 - lip)
    return np.stack([side, -1 + 0.35 * lip, ahead], 1).astype(np.float32)

  return comb


def _cap(beard, surface, opacity, tint):
  """Short hair on the skin itself, under the cards."""
  m = beard_map()
  base = assets_lib.load_assets().vertices
  area, _ = _worn(beard, base)
  inside = np.minimum(m.inside, area)
  triangles = m.triangles[(inside[m.triangles] > -0.02).any(1)]
  ref, index = np.unique(triangles, return_inverse=True)
  low, high = strand_texture.CAP_LOW, strand_texture.CAP_HIGH
  v = (inside[ref] * CAP_DEGREES - low) / (high - low)
  uv = np.stack([1.3 * base[ref, 0] + 1.7 * base[ref, 2], np.clip(v, 0.05, 0.93)], 1)
  part = Part(
    triangles=index.reshape(-1, 3).astype(np.int32),
    uv=uv.astype(np.float32),
    ref=np.repeat(ref[:, None], 3, 1).astype(np.int32),
    weight=np.tile(np.array([1, 0, 0], np.float32), (len(ref), 1)),
    offset=(0.003 * surface.normals[ref]).astype(np.float32),
    position_id=np.arange(len(ref), dtype=np.int32),
  )
  material = Material(HAIR, tint, gloss=0.02, see_through=True, casts=False)
  return Piece('beard_cap', part, strand_texture.paint_cap('coily', opacity), material)


def grow_on(
  beard: Beard,
  kind: str,
  colour: np.ndarray,
  vertices: np.ndarray,
  rng: np.random.Generator,
) -> tuple[Piece, ...]:
  """Grows a beard on a face.

  Args:
    beard: what is worn.
    kind: of hair, as in `hair_styles`.
    colour: (3,) linear.
    vertices: (n, 3) the person's neutral mesh.
    rng: of the hairs.
  """
  m = beard_map()
  surface = scalp.Surface(vertices)
  area, lip = _worn(beard, m.place)
  inside = (m.inside[m.roots] * m.shares).sum(1)
  inside = np.minimum(inside, area)
  kept = (inside > 0.004) & (rng.random(len(inside)) < beard.density)
  kept &= ~lip | (beard.lip > 0)
  chosen = np.flatnonzero(kept)
  opacity = int(5 * round((30 + 45 * beard.density + 100 * min(beard.length, 0.1)) / 5))
  pieces = [_cap(beard, surface, opacity, tint_of(colour * 0.9))]
  place, lip, inside = m.place[chosen], lip[chosen], inside[chosen]
  roots = strands.roots_at(surface, m.roots[chosen], m.shares[chosen])
  count = len(roots)
  layer = rng.random(count)
  # Where the base mesh's mouth is, on this person.
  middle = vertices[_upper_lip()]
  length = _lengths(beard, place, lip, inside, rng)
  long = np.clip(length / 0.3, 0, 1)
  growth = strands.Growth(
    length=length.astype(np.float32),
    comb=_comb(middle),
    hold=np.full(count, 0.5, np.float32),
    lift=np.where(lip, 0.3, 0.45).astype(np.float32),
    gravity=(0.25 + 0.3 * long).astype(np.float32),
    clearance=(0.012 + 0.03 * layer + 0.1 * long * layer).astype(np.float32),
    stray=0.22 if kind in ('straight', 'wavy') else 0.35,
    fringe=np.ones(count, bool),
    fringe_height=np.full(count, -99.0, np.float32),
    # A moustache is cut at the lip.
    floor=np.where(lip, middle[1] - 0.03, -99.0).astype(np.float32),
    wave=0.012 if kind != 'straight' else 0.0,
    pitch=0.25,
    phase=rng.uniform(0, 6.28, count),
  )
  face = strands.face_of(vertices)
  lines = strands.grow(roots, growth, surface, face, rng, steps=6)
  width = (0.065 + 0.055 * long) * np.exp(rng.normal(0, 0.2, count))
  texture = 'short' if beard.length < 0.16 else 'wavy'
  soft = (length < 0.22) | (layer > 0.5)
  for name, mask, blended, segments in (
    ('beard', ~soft, False, 3),
    ('beard_soft', soft, True, 2),
  ):
    picked = np.flatnonzero(mask)
    if not len(picked):
      continue
    picked = picked[np.argsort(layer[picked])]
    cards = strand_cards.cards_along(
      lines[picked], surface, width[picked], coils.columns(layer[picked], rng),
      strand_texture.COLUMNS, segments, rng, tilt=0.3, taper=(1.0, 0.3),
    )  # fmt: skip
    part = strand_cards.hang(cards, roots.take(picked), vertices)
    material = Material(
      HAIR, tint_of(colour), gloss=0.04, cut_out=not blended, see_through=blended,
      casts=not blended,
    )  # fmt: skip
    paint = strand_texture.paint_cards(texture, blended)
    pieces.append(Piece(name, part, paint, material))
  return tuple(pieces)


@functools.lru_cache(maxsize=1)
def _upper_lip():
  """The mesh vertex at the middle of the upper lip's border."""
  m, base = beard_map(), assets_lib.load_assets().vertices
  used = np.unique(m.triangles)
  away = np.linalg.norm(base[used] - [0.0, 6.705, 1.59], axis=1)
  return int(used[away.argmin()])


def grow_beard(traits: Traits, vertices: np.ndarray) -> tuple[Piece, ...]:
  """The beard of a person: none, one or several pieces.

  Args:
    traits: of the person.
    vertices: (n, 3) the person's neutral mesh.
  """
  rng = stream(traits.seed, topic='beard')
  beard = sample_beard(rng, traits)
  if beard is None:
    return ()
  # Often redder than the head's hair, and grey earlier.
  red = np.array([1.12, 0.95, 0.82]) ** rng.uniform(0, 1.2)
  grey = np.clip((traits.age - 0.3) * 1.3, 0, 0.8) * rng.random()
  colour = np.asarray(traits.hair_colour, float) * red * np.exp(rng.normal(0, 0.12))
  colour = colour * (1 - grey) + GREY * grey
  kind = sample_kind(rng, traits.race)
  return grow_on(beard, kind, colour, vertices, rng)
