"""How a speaker moves: drawn once a clip, and coloured by the emotion of the moment."""

import dataclasses
from typing import NamedTuple

import numpy as np


@dataclasses.dataclass(frozen=True)
class Manner:
  """A speaker's style. Amounts are factors around 1 unless told otherwise."""

  amplitude: float  # of head motion
  tempo: float  # of head motion: larger is quicker
  nods: float  # share of stresses that are nodded, 0..1
  brows: float  # how much of the pitch the brows show
  frowns: float  # share of stresses marked by lowered brows, 0..1
  articulation: float  # opening of the mouth
  lopsided: float  # left over right in the mouth, about -0.1..0.1
  blinks: float  # full blinks a minute at rest
  main_gaze: tuple[float, float]  # degrees right and up, camera frame
  aversion: tuple[float, float]  # where the eyes go to think: degrees from there
  shy: float  # share of pauses and beginnings in which they do, 0..1
  sway: float  # of the torso
  breath: float  # breaths a second at rest
  phase: float  # of breathing, radians


def draw_manner(rng: np.random.Generator) -> Manner:
  """A random style: most people are near the middle, some stiff, some lively."""
  near = rng.random() < 0.6  # they talk to the camera, or to somebody beside it
  main = rng.normal(0.0, (3.0, 2.0) if near else (13.0, 6.0))
  main = np.clip(main, (-26.0, -11.0), (26.0, 11.0))
  return Manner(
    amplitude=float(np.clip(np.exp(rng.normal(-0.03, 0.2)), 0.55, 1.6)),
    tempo=float(np.clip(np.exp(rng.normal(0.0, 0.12)), 0.75, 1.35)),
    nods=float(rng.uniform(0.25, 0.8)),
    brows=float(np.clip(np.exp(rng.normal(0.0, 0.4)), 0.3, 2.2)),
    frowns=float(rng.uniform(0.0, 0.3) * (rng.random() < 0.5)),
    articulation=float(rng.uniform(0.8, 1.2)),
    lopsided=float(np.clip(rng.normal(0.0, 0.04), -0.1, 0.1)),
    blinks=float(np.clip(rng.normal(17.0, 3.5), 11.0, 24.0)),
    main_gaze=(float(main[0]), float(main[1])),
    aversion=(
      float(rng.choice([-1, 1]) * rng.uniform(7.0, 17.0)),
      float(rng.choice([-1, 1, 1]) * rng.uniform(2.0, 9.0)),
    ),
    shy=float(rng.uniform(0.1, 0.55)),
    sway=float(np.clip(np.exp(rng.normal(0.0, 0.3)), 0.5, 1.8)),
    breath=float(rng.uniform(0.2, 0.3)),
    phase=float(rng.uniform(0.0, 2 * np.pi)),
  )


class Colour(NamedTuple):
  """What an emotion at full strength does to motion; angles in radians."""

  amplitude: float = 1.0  # of head motion
  nods: float = 1.0
  brows: float = 1.0
  blinks: float = 1.0
  aversion: float = 1.0
  pitch: float = 0.0  # the head is held lower (> 0) or higher
  tilt: float = 0.0  # and tilted, to a side that is drawn
  lean: float = 0.0  # the torso leans forward (> 0)


COLOURS = {
  'anger': Colour(1.3, 1.5, 0.5, 0.8, 0.4, 0.05, 0.0, 0.03),
  'contempt': Colour(0.85, 0.8, 0.8, 0.9, 0.9, -0.07, 0.05, -0.02),
  'disgust': Colour(0.95, 0.8, 0.6, 1.0, 1.4, -0.05, 0.03, -0.03),
  'fear': Colour(0.9, 0.7, 0.8, 1.35, 1.3, -0.02, 0.0, -0.03),
  'happiness': Colour(1.2, 1.2, 1.2, 1.05, 0.8, -0.02, 0.04, 0.0),
  'neutral': Colour(),
  'sadness': Colour(0.6, 0.6, 0.6, 1.1, 1.6, 0.09, 0.04, 0.02),
  'surprise': Colour(1.1, 1.0, 1.2, 0.7, 0.6, -0.06, 0.0, -0.01),
}
