"""What a person is before the person has a face: sex, age, origin, weight, colours.

Priors follow people, not the other way round: weight rises a little with age; the
skin's melanin follows the mix of origins; fair hair and light irises need fair skin;
grey comes with age; stubble needs a man, make-up is mostly, not only, a woman's.
"""

import dataclasses

import numpy as np


def _dark_brown():
  return np.array([0.045, 0.028, 0.018])


@dataclasses.dataclass(frozen=True)
class Traits:
  """The correlated properties that every part of a person is drawn from.

  Attributes:
    seed: of the person.
    male: 0 = female .. 1 = male.
    age: 0 = young adult .. 1 = old.
    weight: -1 = thin .. 1 = heavy.
    race: `(3,)` mix of `assets.RACES`, sums to 1.
    hair_colour: `(3,)` linear, greyed and perhaps dyed; the beard is near it.
    iris: `(3,)` sRGB 0..1.
    melanin: 0 = the fairest skin .. 1 = the darkest (Fitzpatrick I .. VI).
    redness: 0 = pale .. 1 = ruddy (haemoglobin).
    grey: share of the hair that has lost its pigment, 0..1.
    brow_colour: `(3,)` linear; brows are darker than fair hair and grey later.
    stubble: shadow of a shaven beard, 0..1.
    makeup: how much make-up is worn, 0 = none .. 1 = heavy.
  """

  seed: int
  male: float
  age: float
  weight: float
  race: np.ndarray
  hair_colour: np.ndarray
  iris: np.ndarray
  melanin: float = 0.3
  redness: float = 0.5
  grey: float = 0.0
  brow_colour: np.ndarray = dataclasses.field(default_factory=_dark_brown)
  stubble: float = 0.0
  makeup: float = 0.0


# Linear colours: black, dark brown, brown, light brown, blond, red.
HAIR_COLOURS = np.array(
  [
    [0.014, 0.011, 0.01],
    [0.04, 0.024, 0.016],
    [0.09, 0.05, 0.027],
    [0.19, 0.11, 0.055],
    [0.42, 0.29, 0.15],
    [0.24, 0.075, 0.025],
  ]
)
GREY = np.array([0.5, 0.49, 0.475])
# Bleached, copper, wine, violet, blue, green, pink.
DYES = np.array(
  [
    [0.6, 0.48, 0.28],
    [0.35, 0.09, 0.02],
    [0.12, 0.012, 0.02],
    [0.13, 0.035, 0.2],
    [0.03, 0.1, 0.3],
    [0.05, 0.2, 0.12],
    [0.55, 0.16, 0.28],
  ]
)
# sRGB: dark brown, brown, hazel, green, blue, grey.
IRIS_COLOURS = np.array(
  [
    [0.17, 0.1, 0.06],
    [0.31, 0.2, 0.12],
    [0.4, 0.32, 0.19],
    [0.36, 0.4, 0.29],
    [0.37, 0.48, 0.58],
    [0.45, 0.5, 0.53],
  ]
)
# Concentrations of the mix of origins, about as the world's population has them.
ORIGINS = (0.34, 0.58, 0.85)
# Melanin of an origin: mean, spread. Europe and the Near East to South Asia are one.
MELANIN = np.array([[1.0, 0.24], [0.38, 0.22], [0.2, 0.19]])


def stream(seed: int, *, topic: str) -> np.random.Generator:
  """The person's random numbers about one topic.

  Each topic has its own, so that drawing more hair never changes anybody's nose.
  """
  return np.random.default_rng([seed, *topic.encode()])


def _pick(rng, colours, odds):
  odds = np.asarray(odds, float)
  return colours[rng.choice(len(colours), p=odds / odds.sum())]


def _sample_hair(rng, male, age, melanin):
  """(hair colour linear (3,), brow colour linear (3,), grey share)."""
  fair = np.array([0.5, 2.0, 3.0, 2.2, 2.0, 0.7])
  dark = np.array([6.0, 2.0, 0.3, 0.02, 0.0, 0.02])
  share = 1 / (1 + np.exp((melanin - 0.3) / 0.06))
  natural = _pick(rng, HAIR_COLOURS, fair * share + dark * (1 - share))
  natural = natural * np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.05, 3))
  # Grey starts between the thirties and the sixties, and is complete much later.
  start = rng.normal(0.48, 0.17) + 0.12 * melanin
  grey = float(np.clip((age - start) / 0.35, 0, 1))
  hair = natural * (1 - grey) + GREY * rng.uniform(0.75, 1.25) * grey
  dyed = rng.random() < 0.16 * (1 - male) + 0.03
  if dyed:  # over the grey, most often in a colour that people are born with
    if rng.random() < 0.75:
      hair = _pick(rng, HAIR_COLOURS, fair * (1 - melanin) + dark * melanin)
    else:
      hair = _pick(rng, DYES, [5, 3, 3, 1, 1, 0.5, 1])
    hair = hair * np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.05, 3))
  pale = float(np.clip(natural.mean() / 0.3, 0, 1))
  brow = natural * (0.85 - 0.35 * pale) * np.exp(rng.normal(0, 0.2))
  late = max(grey - 0.35, 0) * (0.25 if dyed else 0.8)
  return hair, brow * (1 - late) + 0.55 * GREY * late, grey


def _sample_iris(rng, melanin):
  fair = np.array([0.5, 1.6, 1.5, 1.3, 2.6, 1.2])
  dark = np.array([4.0, 1.5, 0.15, 0.03, 0.01, 0.01])
  share = 1 / (1 + np.exp((melanin - 0.27) / 0.05))
  iris = _pick(rng, IRIS_COLOURS, fair * share + dark * (1 - share))
  return np.clip(iris * np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.04, 3)), 0, 1)


def sample_traits(seed: int) -> Traits:
  """The traits of the person with this number."""
  rng = stream(seed, topic='traits')
  male = float(rng.beta(0.3, 0.3))
  race = rng.dirichlet(ORIGINS)
  age = float(rng.beta(0.85, 1.25))
  weight = float(np.clip(rng.normal(0.3 * age - 0.1, 0.45), -1, 1))
  mean, spread = race @ MELANIN
  melanin = float(np.clip(rng.normal(mean, spread), 0, 1))
  redness = float(np.clip(rng.normal(0.45 + 0.1 * male + 0.1 * age, 0.2), 0, 1))
  hair, brow, grey = _sample_hair(rng, male, age, melanin)
  iris = _sample_iris(rng, melanin)
  grows = np.clip(2.2 * male - 1.1, 0, 1)
  stubble = float(grows * rng.beta(0.6, 0.8))
  wears = rng.random() < 0.72 * np.clip(1.3 - 1.6 * male, 0, 1) + 0.02
  makeup = float(rng.beta(0.9, 0.8)) if wears else 0.0
  return Traits(
    seed=seed,
    male=male,
    age=age,
    weight=weight,
    race=race.astype(np.float32),
    hair_colour=hair,
    iris=iris,
    melanin=melanin,
    redness=redness,
    grey=grey,
    brow_colour=brow,
    stubble=stubble,
    makeup=makeup,
  )
