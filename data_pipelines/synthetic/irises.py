"""Paints eyeballs: sclera, veins, limbus, iris and pupil."""

import numpy as np

from data_pipelines.synthetic import assets as assets_lib

IRIS_ANGLE, PUPIL_ANGLE = 24.0, 8.5  # degrees seen from the centre of the eyeball


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
