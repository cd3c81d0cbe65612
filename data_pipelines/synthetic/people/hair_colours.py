"""The colours of a head of hair: one for most of it, one for streaks."""

import dataclasses

import numpy as np

from data_pipelines.synthetic.people.traits import Traits

# Linear colours that hair is dyed, rarely: pink, blue, red, violet, platinum, teal.
DYES = np.array(
  [
    [0.6, 0.16, 0.28],
    [0.06, 0.12, 0.4],
    [0.35, 0.02, 0.02],
    [0.2, 0.06, 0.3],
    [0.65, 0.58, 0.45],
    [0.03, 0.22, 0.22],
  ]
)
GREY = np.array([0.4, 0.39, 0.38])


def tint_of(colour: np.ndarray) -> tuple[float, float, float]:
  """A linear colour (3,) as a material takes it."""
  red, green, blue = (float(c) for c in colour)
  return red, green, blue


@dataclasses.dataclass(frozen=True)
class Colours:
  """Two linear colours and the share of the second."""

  main: np.ndarray  # (3,)
  second: np.ndarray  # (3,)
  share: float


def sample_colours(rng: np.random.Generator, traits: Traits) -> Colours:
  """Grey strands with age, highlights in some, dye in few."""
  main = np.asarray(traits.hair_colour, np.float64)
  second, share = main * np.exp(rng.normal(0.08, 0.1)), 0.3
  female = traits.male <= 0.5
  grey = np.clip((traits.age - 0.35) * 1.4, 0, 0.85) * rng.random()
  if rng.random() < (0.05 if female else 0.015) * (1 - 0.7 * traits.age):
    main = DYES[rng.integers(len(DYES))] * np.exp(rng.normal(0, 0.2))
    second = main * np.exp(rng.normal(0, 0.25))
  elif grey > 0.08 and main.mean() < 0.3:
    # Single grey hairs show as a lighter tone of the whole and as loose hairs.
    main = main * (1 - 0.45 * grey) + GREY * 0.45 * grey
    second, share = main * 0.9 + GREY * 0.1, float(grey)
  elif female and rng.random() < 0.15:
    second = main * np.exp(rng.uniform(0.35, 0.8)) + [0.03, 0.018, 0.008]
    share = float(rng.uniform(0.2, 0.45))
  return Colours(main, np.clip(second, 0.01, 0.8), share)
