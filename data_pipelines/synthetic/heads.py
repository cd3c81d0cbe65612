"""Draws a person: head shape, skin, hair, brows, eyes and clothes, from one seed.

The shape is MakeHuman's: a mix of race, sex and age, a weight, and about half of the
344 local targets with small random amounts, left and right alike; a few asymmetric
ones. Skins are convex mixes of photographs with a shift of tone.
"""

import dataclasses
import functools
import re

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.beard import grow_beard
from data_pipelines.synthetic.hair import grow_hair
from data_pipelines.synthetic.irises import paint_eye
from data_pipelines.synthetic.pieces import Piece
from data_pipelines.synthetic.skin import Skin, paint_skin
from data_pipelines.synthetic.traits import sample_traits, stream
from data_pipelines.synthetic.wear import dress

RACES = assets_lib.RACES

# Standard deviation of a local target's amount, by group, and the largest shift in
# mesh units that the sum of a group may make anywhere. Without the second, one head
# in thirty had an odd skull.
SPREAD = {
  'head': 0.14,
  'forehead': 0.22,
  'eyebrows': 0.28,
  'eyes': 0.25,
  'nose': 0.33,
  'mouth': 0.28,
  'ears': 0.3,
  'chin': 0.28,
  'cheek': 0.3,
  'neck': 0.12,
  'asym': 0.1,
}
LARGEST_SHIFT = {'head': 0.12, 'forehead': 0.07, 'ears': 0.12, 'nose': 0.11}
LARGEST_SHIFT |= {'chin': 0.1, 'cheek': 0.08, 'mouth': 0.08, 'neck': 0.12}
LARGEST_SHIFT |= {'eyes': 0.06, 'eyebrows': 0.06, 'asym': 0.05}

_OPPOSITES = re.compile(
  r'-(decr|incr|down|up|in|out|backward|forward|concave|convex|compress|uncompress)$'
)
_SIDE = re.compile(r'/[lr]-')


@dataclasses.dataclass(frozen=True)
class Identity:
  """One person at rest, looking straight ahead."""

  seed: int
  vertices: np.ndarray  # (n, 3) float32, the neutral mesh
  pivot: np.ndarray  # (3,) float32, the point the head turns about
  eye_centres: np.ndarray  # (2, 3) float32, eyeball at x > 0, then at x < 0
  eye_scale: np.ndarray  # (2,) float32, radius of the eyeballs, 1 = the base mesh's
  scale: float  # size of the head, 1 = the base mesh's
  male: float  # 0 = female .. 1 = male
  age: float  # 0 = young adult .. 1 = old
  weight: float  # -1 = thin .. 1 = heavy
  race: np.ndarray  # (3,) float32 mix of RACES, sums to 1
  parts: tuple[str, ...]  # what is drawn, in order; the cloth comes last
  hair: str | None
  cloth: str
  skin: Skin
  eye_texture: np.ndarray  # (256, 256, 3) uint8 sRGB, by angle from the pupil
  hair_colour: np.ndarray  # (3,) float32 linear
  cloth_tint: np.ndarray  # (3,) float32, multiplies the linear texture
  cloth_saturation: float  # 1 = the texture's own colours, 0 = grey before the tint
  pieces: tuple[Piece, ...]  # grown or worn, drawn after `parts`
  coefficients: dict[str, float]  # local targets that are not zero

  def vector(self) -> np.ndarray:
    """The person as numbers: male, age, weight, race (3), then every local target.

    Shape (350,) float32; the order of local targets is that of `load_assets`.
    """
    names = assets_lib.load_assets().locals
    shape = [self.coefficients.get(name, 0.0) for name in names]
    macro = [self.male, self.age, self.weight, *self.race]
    return np.array(macro + shape, np.float32)


def _ages(age):
  return (('young', 1 - age), ('old', age))


def _sexes(male):
  return (('male', male), ('female', 1 - male))


def _macro_amounts(male, age, weight, race):
  """{macro target: amount} of a mix of races, sexes, ages and weights."""
  loads = (
    ('minweight', max(-weight, 0)),
    ('averageweight', 1 - abs(weight)),
    ('maxweight', max(weight, 0)),
  )
  amounts = {}
  for sex, s in _sexes(male):
    for years, a in _ages(age):
      for name, r in zip(RACES, race, strict=True):
        amounts[f'{name}-{sex}-{years}'] = s * a * r
      for load, w in loads:
        amounts[f'universal-{sex}-{years}-averagemuscle-{load}'] = s * a * w
  return amounts


@functools.lru_cache(maxsize=1)
def _local_choices():
  """Local targets by what is drawn together: [(group, [alternatives])].

  An alternative is a tuple of names that share one amount (left and right);
  alternatives exclude each other (narrower or wider).
  """
  choices = {}
  for name in assets_lib.load_assets().locals:
    both = _SIDE.sub('/@-', name)
    choices.setdefault(_OPPOSITES.sub('-~', both), {}).setdefault(both, []).append(name)
  return [
    (key.split('/')[0], [tuple(names) for names in alternatives.values()])
    for key, alternatives in sorted(choices.items())
  ]


def _sample_local(rng, count):
  """Random local amounts {name: amount} and their summed shift (count, 3)."""
  targets = assets_lib.load_assets().locals
  drawn = {}
  for group, alternatives in _local_choices():
    names = alternatives[rng.integers(len(alternatives))]
    amount = min(abs(rng.normal(0, SPREAD[group])), 0.9)
    if rng.random() < 0.5:
      drawn.setdefault(group, {}).update(dict.fromkeys(names, float(amount)))
  total = np.zeros((count, 3), np.float32)
  amounts = {}
  for group, members in drawn.items():
    shift = np.zeros((count, 3), np.float32)
    for name, amount in members.items():
      shift[targets[name].indices] += np.float32(amount) * targets[name].values
    largest = float(np.linalg.norm(shift, axis=1).max())
    factor = min(1.0, LARGEST_SHIFT[group] / max(largest, 1e-6))
    total += np.float32(factor) * shift
    amounts |= {name: amount * factor for name, amount in members.items()}
  return amounts, total


def sample_identity(seed: int) -> Identity:
  """The person with this number: the same seed gives the same person, always."""
  assets = assets_lib.load_assets()
  traits = sample_traits(seed)
  male, age, weight, race = traits.male, traits.age, traits.weight, traits.race
  vertices = assets.vertices.copy()
  for name, amount in _macro_amounts(male, age, weight, race).items():
    target = assets.macros[name]
    vertices[target.indices] += np.float32(amount) * target.values
  coefficients, shift = _sample_local(stream(seed, topic='shape'), len(vertices))
  vertices += shift

  hair, worn = dress(traits, vertices, grow_hair(traits, vertices))
  pieces = hair.pieces + grow_beard(traits, vertices) + worn
  rng = stream(seed, topic='clothes')
  sex = 'male' if male > 0.5 else 'female'
  cloth = str(rng.choice(assets.part_names(f'cloth_{sex}')))
  brow = str(rng.choice(assets.part_names('brow')))
  parts = ['skin', 'eyes', 'teeth', 'tongue', 'lashes', brow]
  parts += ([hair.style] if hair.style else []) + [cloth]
  tint = np.clip(rng.uniform(0.25, 1.1, 3) * rng.uniform(0.5, 1.2), 0, 1.2)
  saturation = float(rng.choice([1.0, 0.5, 0.1]))

  def joint(name, mesh=vertices):
    return mesh[assets.joints[name]].mean(0)

  balls = [vertices[assets.joints[k]] for k in ('left_ball', 'right_ball')]
  centres = np.stack([(b.min(0) + b.max(0)) / 2 for b in balls])
  radii = [
    np.linalg.norm(b - c, axis=1).mean() for b, c in zip(balls, centres, strict=True)
  ]
  base = np.linalg.norm(
    joint('left_eye', assets.vertices) - joint('right_eye', assets.vertices)
  )
  return Identity(
    seed=seed,
    vertices=vertices,
    pivot=(joint('neck') + joint('head')) / 2,
    eye_centres=centres,
    eye_scale=np.array(radii, np.float32) / np.float32(assets_lib.EYE_RADIUS),
    scale=float(np.linalg.norm(centres[0] - centres[1]) / base),
    male=male,
    age=age,
    weight=weight,
    race=race,
    parts=tuple(parts),
    hair=hair.style,
    cloth=cloth,
    skin=paint_skin(traits),
    eye_texture=paint_eye(stream(seed, topic='eyes'), traits.iris),
    hair_colour=traits.hair_colour.astype(np.float32),
    cloth_tint=tint.astype(np.float32),
    cloth_saturation=saturation,
    pieces=pieces,
    coefficients=coefficients,
  )
