"""What a person is before the person has a face: sex, age, origin, weight, colours."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Traits:
  """The correlated properties that every part of a person is drawn from.

  Attributes:
    seed: of the person.
    male: 0 = female .. 1 = male.
    age: 0 = young adult .. 1 = old.
    weight: -1 = thin .. 1 = heavy.
    race: `(3,)` mix of `assets.RACES`, sums to 1.
    hair_colour: `(3,)` linear; brows and beard are near it.
    iris: `(3,)` sRGB 0..1.
  """

  seed: int
  male: float
  age: float
  weight: float
  race: np.ndarray
  hair_colour: np.ndarray
  iris: np.ndarray


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


def stream(seed: int, *, topic: str) -> np.random.Generator:
  """The person's random numbers about one topic.

  Each topic has its own, so that drawing more hair never changes anybody's nose.
  """
  return np.random.default_rng([seed, *topic.encode()])


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


def sample_traits(seed: int) -> Traits:
  """The traits of the person with this number."""
  rng = stream(seed, topic='traits')
  male = float(rng.beta(0.35, 0.35))
  race = rng.dirichlet([0.55] * 3)
  age = float(rng.beta(0.8, 1.3))
  weight = float(np.clip(rng.normal(0, 0.45), -1, 1))
  hair, iris = _sample_colours(rng, age, race)
  return Traits(seed, male, age, weight, race.astype(np.float32), hair, iris)
