"""Draws a person: head shape, skin, hair, brows, eyes and clothes, from one seed.

The shape is MakeHuman's: a mix of race, sex and age, a weight, and about half of the
344 local targets with small random amounts, left and right alike; a few asymmetric
ones. Skins are convex mixes of photographs with a shift of tone.
"""

import dataclasses
import functools
import re

import cv2
import numpy as np

from data_pipelines.synthetic import assets as assets_lib

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

# Linear colours: black, dark brown, brown, light brown, blond, red, grey, white.
HAIR_COLOURS = np.array(
  [
    [0.02, 0.016, 0.014],
    [0.045, 0.028, 0.018],
    [0.11, 0.06, 0.03],
    [0.22, 0.13, 0.06],
    [0.42, 0.28, 0.14],
    [0.25, 0.08, 0.03],
    [0.35, 0.34, 0.33],
    [0.62, 0.6, 0.58],
  ]
)
# sRGB: dark brown, brown, hazel, green, blue, grey.
IRIS_COLOURS = np.array(
  [
    [0.2, 0.11, 0.06],
    [0.36, 0.21, 0.1],
    [0.45, 0.34, 0.16],
    [0.34, 0.4, 0.27],
    [0.36, 0.46, 0.55],
    [0.42, 0.46, 0.48],
  ]
)
IRIS_ANGLE, PUPIL_ANGLE = 24.0, 8.5  # degrees seen from the centre of the eyeball

# How often each style is worn. The bobs and short03 hide an eye, so they are rare.
HAIR_MALE = {'short01': 3, 'short02': 2.5, 'short04': 3, 'afro01': 0.2}
HAIR_MALE |= {'short03': 0.3, 'ponytail01': 0.4, 'long01': 0.3, None: 1.5}
HAIR_FEMALE = {'long01': 3, 'ponytail01': 3, 'braid01': 3, 'short02': 1.5}
HAIR_FEMALE |= {'short01': 0.7, 'short03': 0.4, 'afro01': 0.2, None: 0.15}
BOB_SHARE = 0.03


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
  skin_texture: np.ndarray  # (512, 512, 3) uint8 sRGB
  eye_texture: np.ndarray  # (256, 256, 3) uint8 sRGB, by angle from the pupil
  hair_colour: np.ndarray  # (3,) float32 linear
  cloth_tint: np.ndarray  # (3,) float32, multiplies the linear texture
  cloth_saturation: float  # 1 = the texture's own colours, 0 = grey before the tint
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


def paint_eye(
  rng: np.random.Generator, iris: np.ndarray, side: int = 256
) -> np.ndarray:
  """An eyeball's texture, (side, side, 3) uint8: sclera, limbus, iris, pupil.

  The distance from the centre is the angle from the pupil, `EYE_ANGLE` at the rim.
  """
  y, x = (np.mgrid[0:side, 0:side] + 0.5) / side - 0.5
  angle = 2 * assets_lib.EYE_ANGLE * np.hypot(x, y)  # degrees
  turn = np.arctan2(y, x)
  white = np.array([0.93, 0.91, 0.89]) * rng.uniform(0.9, 1.0)
  red = np.clip((angle - 32) / 45, 0, 1)[..., None]
  image = white * (1 - red * np.array([0.2, 0.38, 0.38]))  # the corners: red, in shade
  rays = sum(
    rng.normal(0, 1) * np.cos(k * turn + rng.uniform(0, 2 * np.pi)) / k**0.5
    for k in (7, 13, 23, 41, 59)
  )
  inner = np.clip((angle - PUPIL_ANGLE) / (IRIS_ANGLE - PUPIL_ANGLE), 0, 1)
  shade = 1.15 - 0.25 * inner + 0.09 * rays * np.sin(np.pi * inner)
  ring = 1 - 0.7 * np.clip((angle - IRIS_ANGLE + 5) / 5, 0, 1) ** 2
  colour = iris * (shade * ring)[..., None]

  def blend(below, above, edge, soft):
    share = np.clip((edge - angle) / soft + 0.5, 0, 1)[..., None]
    return below * (1 - share) + above * share

  image = blend(image, colour, IRIS_ANGLE, 2.5)
  image = blend(image, np.full(3, 0.015), PUPIL_ANGLE, 1.5)
  return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def _paint_skin(rng, male, age, race):
  """A convex mix of the four best fitting photographs, with another tone and grain."""
  names = assets_lib.load_assets().skins
  years = {
    'young': max(0, 1 - 2 * age),
    'middleage': 1 - abs(2 * age - 1),
    'old': max(0, 2 * age - 1),
  }
  fit = np.zeros(len(names))
  for i, name in enumerate(names):
    when, origin, sex, _ = name.split('_')
    share = male if sex == 'male' else 1 - male
    fit[i] = race[RACES.index(origin)] ** 1.5 * (years[when] + 0.03) * share + 1e-6
  fit *= rng.gamma(1.2, 1, len(names))
  best = np.argsort(-fit)[:4]
  fit = fit[best] / fit[best].sum()
  skin = np.zeros((512, 512, 3), np.float32)
  for share, i in zip(fit, best, strict=True):
    skin += np.float32(share) * assets_lib.load_skin(names[i])[..., :3]
  melanin = rng.normal(0, 0.22)
  power = 2.2 * np.exp(np.array([0.8, 1.0, 1.1]) * melanin * 0.6)
  skin = (skin / 255) ** power.astype(np.float32)
  fine = rng.standard_normal((512, 512), np.float32)
  fine = cv2.GaussianBlur(fine, (0, 0), 1.0)
  coarse = rng.standard_normal((128, 128), np.float32)
  coarse = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 1.3), (512, 512))
  skin *= np.exp(0.08 * fine + 0.12 * coarse)[..., None]
  skin *= np.exp(coarse[..., None] * np.float32([0, -0.08, -0.08]))
  skin *= np.exp(rng.normal(0, 0.05, 3)).astype(np.float32)
  return (np.clip(skin, 0, 1) ** np.float32(1 / 2.2) * 255 + 0.5).astype(np.uint8)


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


def _sample_colours(rng, age, race):
  """(hair colour linear (3,), iris colour sRGB (3,))."""
  fair = np.array([4, 3, 2, 1.2, 1, 0.5, 0.1, 0.05])
  dark = np.array([6, 2, 0.6, 0.1, 0.05, 0.05, 0.1, 0.05])
  old = np.array([1, 1, 0.7, 0.3, 0.3, 0.1, 3, 3])
  odds = (fair if race[2] >= 0.4 else dark) * (1 - age) + old * age
  hair = HAIR_COLOURS[rng.choice(8, p=odds / odds.sum())]
  hair = hair * np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.025, 3))
  odds = (
    np.array([2, 2, 1.2, 1, 2.5, 1])
    if race[2] > 0.5
    else np.array([3, 2, 0.3, 0, 0, 0])
  )
  iris = IRIS_COLOURS[rng.choice(6, p=odds / odds.sum())]
  return hair, np.clip(iris * np.exp(rng.normal(0, 0.08, 3)), 0, 1)


def sample_identity(seed: int) -> Identity:
  """The person with this number: the same seed gives the same person, always."""
  assets = assets_lib.load_assets()
  rng = np.random.default_rng([seed, 0x1D])
  male = float(rng.beta(0.35, 0.35))
  race = rng.dirichlet([0.55] * 3)
  age = float(rng.beta(0.8, 1.3))
  weight = float(np.clip(rng.normal(0, 0.45), -1, 1))
  vertices = assets.vertices.copy()
  for name, amount in _macro_amounts(male, age, weight, race).items():
    target = assets.macros[name]
    vertices[target.indices] += np.float32(amount) * target.values
  coefficients, shift = _sample_local(rng, len(vertices))
  vertices += shift

  hair = _sample_hair(rng, male, race)
  sex = 'male' if male > 0.5 else 'female'
  cloth = str(rng.choice(assets.part_names(f'cloth_{sex}')))
  brow = str(rng.choice(assets.part_names('brow')))
  parts = ['skin', 'eyes', 'teeth', 'tongue', 'lashes', brow]
  parts += ([hair] if hair else []) + [cloth]
  hair_colour, iris = _sample_colours(rng, age, race)
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
    race=race.astype(np.float32),
    parts=tuple(parts),
    hair=hair,
    cloth=cloth,
    skin_texture=_paint_skin(rng, male, age, race),
    eye_texture=paint_eye(rng, iris),
    hair_colour=hair_colour.astype(np.float32),
    cloth_tint=tint.astype(np.float32),
    cloth_saturation=saturation,
    coefficients=coefficients,
  )
