"""The shape of a face: MakeHuman's macro mix and signed, correlated local targets.

Faces differ in a few ways that run through the whole of them (long or wide, fleshy or
gaunt, full or thin lips) and in many small ways. Each opposite pair of targets is one
signed amount; it follows the axes that it belongs to and adds its own heavy-tailed
part, so that most people have a few striking features and many ordinary ones. The sum
of every group of targets is bounded, because sums make odd skulls.
"""

import functools
import re
from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.assets import RACES
from data_pipelines.synthetic.people.traits import Traits, sample_traits, stream

# Standard deviation of a pair's amount, by group, and the largest shift in mesh units
# that the sum of a group may make anywhere. Without the second, one head in thirty
# had an odd skull.
SPREAD = {
  'head': 0.18,
  'forehead': 0.18,
  'eyebrows': 0.33,
  'eyes': 0.55,
  'nose': 0.42,
  'mouth': 0.42,
  'ears': 0.32,
  'chin': 0.33,
  'cheek': 0.34,
  'neck': 0.1,
  'asym': 0.08,
}
LARGEST_SHIFT = {'head': 0.13, 'forehead': 0.08, 'ears': 0.12, 'nose': 0.13}
LARGEST_SHIFT |= {'chin': 0.11, 'cheek': 0.1, 'mouth': 0.12, 'neck': 0.1}
LARGEST_SHIFT |= {'eyes': 0.1, 'eyebrows': 0.08, 'asym': 0.05}
LARGEST_AMOUNT = 0.9
# Single targets that reach too far: noses over mouths, bulging foreheads.
LIMITS = {'nose/nose-point:height': 0.4, 'mouth/mouth-trans:height': 0.6}
LIMITS |= {f'eyes/eye-height{k}': 0.5 for k in (1, 2, 3)}  # no staring
LIMITS |= {'nose/nose-scale-depth': 0.7, 'forehead/forehead-nubian': 0.2}
# How far race and the rest of a mix are drawn away from the average person: mixes are
# averages of averages, and flatter than people.
RACE_CONTRAST, CONTRAST = 1.6, 1.15

LIP_GAP = 0.005  # mesh units between the lips' edges at rest: they touch

# What runs through a whole face: {pair: share of the pair's amount}.
AXES = (
  {
    'head/head-scale-vert': 0.6,
    'chin/chin-height': 0.6,
    'nose/nose-scale-vert': 0.6,
    'mouth/mouth-trans:height': -0.4,
  },
  {
    'head/head-scale-horiz': 0.6,
    'chin/chin-width': 0.5,
    'cheek/cheek-bones': 0.6,
    'mouth/mouth-scale-horiz': 0.4,
  },
  {
    'head/head-fat': 0.6,
    'cheek/cheek-volume': 0.7,
    'cheek/cheek-inner': 0.4,
    'neck/neck-double': 0.7,
    'eyes/eye-bag': 0.3,
  },
  {
    'nose/nose-scale-depth': 0.6,
    'nose/nose-hump': 0.5,
    'chin/chin-prominent': 0.3,
    'eyebrows/eyebrows-trans:depth': 0.5,
    'forehead/forehead-trans:depth': -0.4,
  },
  {
    'eyes/eye-scale': 0.6,
    'eyes/eye-height1': 0.6,
    'eyes/eye-height2': 0.7,
    'eyes/eye-height3': 0.6,
    'eyebrows/eyebrows-trans:height': 0.4,
  },
  {
    'eyes/eye-corner1:height': -0.4,
    'eyes/eye-corner2:height': 0.7,
    'eyes/eye-eyefold-angle:height': 0.5,
    'eyebrows/eyebrows-angle:height': 0.6,
  },
  {
    'mouth/mouth-upperlip-volume': 0.6,
    'mouth/mouth-upperlip-height': 0.7,
    'mouth/mouth-lowerlip-volume': 0.6,
    'mouth/mouth-lowerlip-height': 0.7,
  },
  {
    'nose/nose-width1': 0.4,
    'nose/nose-width2': 0.6,
    'nose/nose-width3': 0.7,
    'nose/nose-nostrils-width': 0.6,
    'nose/nose-flaring': 0.5,
    'nose/nose-point-width': 0.5,
  },
  {
    'nose/nose-point:height': 0.6,
    'nose/nose-base:height': 0.5,
    'nose/nose-curve': -0.5,
    'nose/nose-nostrils-angle:height': 0.4,
  },
  {
    'chin/chin-bones': 0.7,
    'chin/chin-width': 0.4,
    'chin/chin-jaw-drop': 0.5,
    'chin/chin-prognathism': 0.4,
  },
)
# What age adds by itself: ears and noses grow, lids and cheeks sag, lips thin.
AGEING = {
  'ears/ear-lobe': 0.35,
  'ears/ear-scale': 0.2,
  'nose/nose-point:height': -0.2,
  'eyes/eye-bag': 0.5,
  'eyes/eye-eyefold:height': -0.4,
  'cheek/cheek-trans:height': -0.3,
  'mouth/mouth-upperlip-volume': -0.35,
  'mouth/mouth-angles:height': -0.15,
}
# The face that a person wears at rest: spread of face units that are part of the
# shape, left and right alike. Less than zero is the opposite movement.
HABITS = {
  'browDown': 0.08,
  'browInnerUp': 0.1,
  'browOuterUp': 0.12,
  'eyeSquint': 0.12,
  'cheekSquint': 0.18,
  'noseSneer': 0.08,
  'cheekPuff': 0.25,
  'jawForward': 0.45,
  'mouthSmile': 0.12,
  'mouthDimple': 0.12,
  'mouthPucker': 0.12,
}
# These move the head or the neck as a whole, which is no difference between faces.
_LEFT_OUT = re.compile(r'^(head/head-trans|neck/neck-trans|nose/nose-trans:side)')

_ENDINGS = {'up': 'height', 'down': 'height', 'in': 'side', 'out': 'side'}
_ENDINGS |= {'forward': 'depth', 'backward': 'depth', 'incr': '', 'decr': ''}
_ENDINGS |= {'convex': '', 'concave': '', 'uncompress': '', 'compress': ''}
_NEGATIVE = ('down', 'in', 'backward', 'decr', 'concave', 'compress')
_SIDE = re.compile(r'/[lr]-')


class Shape(NamedTuple):
  """The bare geometry of a person.

  Attributes:
    traits: what the person is.
    vertices: `(n, 3)` float32, the neutral mesh.
    coefficients: local targets that are not zero.
  """

  traits: Traits
  vertices: np.ndarray
  coefficients: dict[str, float]

  def vector(self) -> np.ndarray:
    """The person as numbers: male, age, weight, race (3), then every local target.

    Shape (350,) float32; the order of local targets is that of `load_assets`.
    """
    names = assets_lib.load_assets().locals
    t = self.traits
    amounts = [self.coefficients.get(name, 0.0) for name in names]
    return np.array([t.male, t.age, t.weight, *t.race, *amounts], np.float32)


def macro_amounts(
  male: float, age: float, weight: float, race: np.ndarray
) -> dict[str, float]:
  """{macro target: amount} of a mix of races, sexes, ages and weights.

  Amounts may leave 0..1 a little (`CONTRAST`); those of the races sum to 1, and those
  of the weights too.
  """
  race = 1 / 3 + RACE_CONTRAST * (np.asarray(race, float) - 1 / 3)
  male = 0.5 + CONTRAST * (male - 0.5)
  age = 0.4 + CONTRAST * (age - 0.4)
  loads = (
    ('minweight', max(-weight, 0)),
    ('averageweight', 1 - abs(weight)),
    ('maxweight', max(weight, 0)),
  )
  amounts = {}
  for sex, s in (('male', male), ('female', 1 - male)):
    for years, a in (('young', 1 - age), ('old', age)):
      for name, r in zip(RACES, race, strict=True):
        amounts[f'{name}-{sex}-{years}'] = s * a * r
      for load, w in loads:
        amounts[f'universal-{sex}-{years}-averagemuscle-{load}'] = s * a * w
  return amounts


@functools.lru_cache(maxsize=1)
def _pairs():
  """Signed pairs of local targets: [(key, group, negative names, positive names)].

  Names of one tuple share their amount: left and right. A target without an opposite
  has no negative names.
  """
  pairs = {}
  for name in assets_lib.load_assets().locals:
    stem, _, ending = _SIDE.sub('/', name).rpartition('-')
    key, sign = _SIDE.sub('/', name), 1
    if ending in _ENDINGS and not name.startswith('asym'):
      key = stem + (f':{_ENDINGS[ending]}' if _ENDINGS[ending] else '')
      sign = 0 if ending in _NEGATIVE else 1
    pairs.setdefault(key, ([], []))[sign].append(name)
  return [
    (key, key.split('/')[0], tuple(low), tuple(high))
    for key, (low, high) in sorted(pairs.items())
    if not _LEFT_OUT.match(key)
  ]


@functools.lru_cache(maxsize=1)
def _loadings():
  """(pairs, axes) float64 shares of the axes, and (pairs,) what age adds."""
  keys = [key for key, *_ in _pairs()]
  shares = np.zeros((len(keys), len(AXES)))
  for column, axis in enumerate(AXES):
    for key, share in axis.items():
      shares[keys.index(key), column] = share
  ageing = np.zeros(len(keys))
  for key, amount in AGEING.items():
    ageing[keys.index(key)] = amount
  return shares, ageing


def _sample_locals(rng, traits, count):
  """Random local amounts {name: amount} and their summed shift (count, 3)."""
  targets = assets_lib.load_assets().locals
  shares, ageing = _loadings()
  axes = rng.normal(0, 1, len(AXES))
  axes[2] = 0.7 * axes[2] + 0.7 * traits.weight  # fleshy
  own = np.sqrt(np.clip(1 - (shares**2).sum(1), 0.1, 1))
  # Laplace: many small amounts, some striking ones, of the same variance.
  amounts = shares @ axes + own * rng.laplace(0, 0.7071, len(own))
  amounts *= [SPREAD[group] for _, group, *_ in _pairs()]
  amounts += ageing * traits.age * rng.uniform(0.3, 1, len(own))
  limits = [LIMITS.get(key, LARGEST_AMOUNT) for key, *_ in _pairs()]
  amounts = np.clip(amounts, np.negative(limits), limits)
  drawn = {}
  for amount, (_, group, low, high) in zip(amounts, _pairs(), strict=True):
    names = high if amount > 0 else low
    drawn.setdefault(group, {}).update(dict.fromkeys(names, abs(float(amount))))
  total = np.zeros((count, 3), np.float32)
  coefficients = {}
  for group, members in drawn.items():
    shift = np.zeros((count, 3), np.float32)
    for name, amount in members.items():
      shift[targets[name].indices] += np.float32(amount) * targets[name].values
    largest = float(np.sqrt((shift * shift).sum(1).max(initial=0)))
    factor = min(1.0, LARGEST_SHIFT[group] / max(largest, 1e-6))
    total += np.float32(factor) * shift
    coefficients |= {name: amount * factor for name, amount in members.items()}
  return coefficients, total


def _add_habits(rng, vertices):
  """Adds the resting face to the vertices (n, 3), in place."""
  units = assets_lib.load_assets().units
  for name, spread in HABITS.items():
    amount = np.float32(np.clip(rng.normal(0, spread), -2 * spread, 2 * spread))
    for k, unit in enumerate(assets_lib.UNITS):
      if unit in (name, f'{name}Left', f'{name}Right'):
        vertices += amount * units[k]


@functools.lru_cache(maxsize=1)
def _lips():
  """The middle of either lip's edge (2,) and how lips move with it, (2, n) in 0..1."""
  assets = assets_lib.load_assets()
  at, units = assets.vertices, assets.units
  skin = np.unique(assets.parts['skin'].ref[:, 0])
  falls = units[assets_lib.UNITS.index('jawOpen'), :, 1] < -0.2
  middle = skin[(np.abs(at[skin, 0]) < 5e-3) & (at[skin, 2] > 1.53)]
  lips = middle[(at[middle, 1] > 6.4) & (at[middle, 1] < 6.8)]
  upper, lower = lips[~falls[lips]], lips[falls[lips]]
  edges = [upper[at[upper, 1].argmin()], lower[at[lower, 1].argmax()]]
  shares = []
  for edge, unit in zip(edges, ('mouthRollUpper', 'mouthRollLower'), strict=True):
    size = np.linalg.norm(units[assets_lib.UNITS.index(unit)], axis=1)
    shares.append(np.clip(size / size[edge], 0, 1))
  return np.array(edges), np.stack(shares).astype(np.float32)


def lip_edges(vertices: np.ndarray) -> np.ndarray:
  """Heights of the upper and the lower lip's edge in the middle, (2,)."""
  return vertices[_lips()[0], 1]


def _close_lips(vertices):
  """Brings the lips' edges to `LIP_GAP` of each other, in place: a mouth at rest is
  closed, and neither lip sinks into the other."""
  (upper, lower), shares = _lips()
  excess = vertices[upper, 1] - vertices[lower, 1] - np.float32(LIP_GAP)
  vertices[:, 1] += np.float32(0.5) * excess * (shares[1] - shares[0])


@functools.lru_cache(maxsize=1)
def _linings():
  """How the insides of mouth and eye sockets follow the face in front of them.

  The targets of a feature move its surface alone; a lip that is moved back would sink
  into the lining of the mouth. So each vertex of a lining takes the shift of the
  nearest outer vertices, and stays behind those that are in front of it.

  Returns:
    Vertices of the linings (k,); outer vertices near them (k, 6), their weights
    (k, 6), and the share of their shift (k, 1) to take; the outer vertices in front
    (k, 5), and how far behind them a lining vertex must be (k,).
  """
  assets = assets_lib.load_assets()
  skin, at = assets.parts['skin'], assets.vertices
  u, v = skin.uv.T
  mouth = (u > 0.74) & (v < 0.15)  # the linings' islands in the texture
  sockets = (u < 0.16) & (v > 0.54) & (v < 0.64)
  outer = np.unique(skin.ref[~(mouth | sockets), 0])
  inner = np.setdiff1d(skin.ref[mouth | sockets, 0], outer)
  gaps = at[inner][:, None] - at[outer]
  away = np.sqrt((gaps**2).sum(-1))
  nearest = np.argsort(away, 1)[:, :6]
  away = np.take_along_axis(away, nearest, 1)
  weights = 1 / (away + 0.02) ** 2
  weights /= weights.sum(1, keepdims=True)
  share = np.clip((0.7 - away[:, :1]) / 0.4, 0, 1)
  flat = np.hypot(gaps[..., 0], gaps[..., 1]) + 9.0 * (gaps[..., 2] > 0)
  front = outer[np.argsort(flat, 1)[:, :5]]
  behind = np.minimum(at[front, 2].min(1) - at[inner, 2], 0.05)
  return (
    inner,
    outer[nearest],
    weights.astype(np.float32),
    share.astype(np.float32),
    front,
    behind.astype(np.float32),
  )


def _pull_linings(vertices, shift):
  """Makes the linings follow `shift` (n, 3) of the vertices (n, 3), in place."""
  inner, outer, weights, share, front, behind = _linings()
  follow = (shift[outer] * weights[..., None]).sum(1) - shift[inner]
  vertices[inner] += share * follow
  limit = vertices[front, 2].min(1) - behind
  vertices[inner, 2] = np.minimum(vertices[inner, 2], limit)


def sample_shape(seed: int) -> Shape:
  """Traits and geometry of the person with this number, without paint or hair."""
  assets = assets_lib.load_assets()
  traits = sample_traits(seed)
  vertices = assets.vertices.copy()
  macros = macro_amounts(traits.male, traits.age, traits.weight, traits.race)
  for name, amount in macros.items():
    target = assets.macros[name]
    vertices[target.indices] += np.float32(amount) * target.values
  rng = stream(seed, topic='shape')
  coefficients, shift = _sample_locals(rng, traits, len(vertices))
  vertices += shift
  _add_habits(stream(seed, topic='habits'), vertices)
  _close_lips(vertices)
  _pull_linings(vertices, vertices - assets.vertices)
  return Shape(traits, vertices, coefficients)
