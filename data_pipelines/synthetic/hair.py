"""The hair on a person's head: a style of the asset pack, or strand cards."""

import dataclasses

import numpy as np

from data_pipelines.synthetic.pieces import Piece
from data_pipelines.synthetic.traits import Traits, stream

# How often each style is worn. The bobs and short03 hide an eye, so they are rare.
HAIR_MALE = {'short01': 3, 'short02': 2.5, 'short04': 3, 'afro01': 0.2}
HAIR_MALE |= {'short03': 0.3, 'ponytail01': 0.4, 'long01': 0.3, None: 1.5}
HAIR_FEMALE = {'long01': 3, 'ponytail01': 3, 'braid01': 3, 'short02': 1.5}
HAIR_FEMALE |= {'short01': 0.7, 'short03': 0.4, 'afro01': 0.2, None: 0.15}
BOB_SHARE = 0.03


@dataclasses.dataclass(frozen=True)
class Hair:
  """A hair style.

  Attributes:
    style: part of the asset pack, such as `hair_long01`, or None.
    pieces: cards grown for this person; empty with a style of the pack.
  """

  style: str | None
  pieces: tuple[Piece, ...] = ()


def _pick(rng, weights):
  names, odds = list(weights), np.array(list(weights.values()), float)
  return names[rng.choice(len(names), p=odds / odds.sum())]


def _sample_hair(rng, male, race):
  if rng.random() < BOB_SHARE:
    return 'hair_bob01' if rng.random() < 0.5 else 'hair_bob02'
  weights = dict(HAIR_MALE if male > 0.5 else HAIR_FEMALE)
  if race[0] > 0.6:
    weights['afro01'] += 2
  style = _pick(rng, weights)
  return style and f'hair_{style}'


def grow_hair(traits: Traits, vertices: np.ndarray) -> Hair:
  """The hair of a person.

  Args:
    traits: of the person.
    vertices: (n, 3) the person's neutral mesh, for cards to grow on.
  """
  del vertices  # the styles of the pack hang on the mesh by themselves
  rng = stream(traits.seed, topic='hair')
  return Hair(_sample_hair(rng, traits.male, traits.race))
