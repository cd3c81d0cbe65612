"""Rigs of lights as photographs have them.

Each function draws one: directions, colours, ambient light, softness of the key's
shadow, and how bright a face should be in it. Only the ratios matter: the rig is
exposed afterwards.
"""

from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic.drawing import ambient


class Rig(NamedTuple):
  """Lights before exposure."""

  directions: list[np.ndarray]  # k unit vectors (3,), the key first
  colours: list[np.ndarray]  # k linear colours (3,)
  ambient: np.ndarray  # (9, 3)
  softness: int  # of the key's shadows, 1..4
  wanted: float  # mean irradiance / pi of a face


def unit(*xyz):
  vector = np.array(xyz, np.float64)
  return vector / np.linalg.norm(vector)


AROUND = ambient.spread(256)  # directions that surroundings are summed over


def dome(sky, ground, *patches):
  """Ambient of a sky above and a ground below, with soft bright patches.

  Args:
    sky, ground: (3,) linear radiance.
    patches: (direction (3,), colour (3,), width as 1 - cosine).
  """
  up = np.clip(0.5 + 1.2 * AROUND[:, 1:2], 0, 1)
  radiance = np.asarray(sky) * up + np.asarray(ground) * (1 - up)
  for direction, colour, width in patches:
    near = np.exp((AROUND @ np.asarray(direction) - 1) / width)[:, None]
    radiance = radiance + near * np.asarray(colour)
  return ambient.from_radiance(AROUND, radiance)


def kelvin(temperature: float) -> np.ndarray:
  """Linear colour (3,) of a black body against 6500 K, of mean 1; a rough fit."""
  t = np.log(temperature / 6500)
  colour = np.exp(np.array([-0.62, -0.1, 0.95]) * t - np.array([0.12, 0, 0.28]) * t * t)
  return colour / colour.mean()


def _aside(rng, side, front, up):
  """A direction at the `side` (x), `front` (z) and `up` (y), each a range."""
  return unit(side, rng.uniform(*up), rng.uniform(*front))


def sign(rng):
  return 1.0 if rng.random() < 0.5 else -1.0


def _indoor(rng):
  """A window at one side, lamps of another colour temperature, walls all around."""
  side = sign(rng)
  day, lamp = kelvin(rng.uniform(5200, 8500)), kelvin(rng.uniform(2600, 4200))
  window = _aside(rng, side * rng.uniform(0.3, 1.2), (0.2, 1.2), (0.05, 0.5))
  ceiling = unit(rng.normal(0, 0.4), 1.0, rng.uniform(-0.1, 0.7))
  other = _aside(rng, -side * rng.uniform(0.5, 1.0), (-0.6, 0.8), (0.0, 0.6))
  wall = np.clip(rng.normal(0.5, 0.1, 3) * rng.uniform(0.6, 1.1), 0.1, 0.9)
  share = rng.uniform(0, 1)  # of the lamps
  colours = [
    day * (1.1 - 0.8 * share),
    lamp * (0.15 + 0.7 * share),
    lamp * rng.uniform(0.05, 0.4),
  ]
  directions = [window, ceiling, other]
  if share > 0.6:
    directions[:2], colours[:2] = directions[1::-1], colours[1::-1]
  mixed = day * (1 - share) + lamp * share
  room = dome(
    wall * mixed * rng.uniform(0.3, 0.7), wall * mixed * [0.3, 0.25, 0.2],
    (window, day * rng.uniform(0.5, 1.5), 0.25),
  )  # fmt: skip
  return Rig(directions, colours, room, 3, rng.uniform(0.65, 1.05))


def _sunny(rng):
  """Sun and blue sky, light thrown back by the ground."""
  sun = _aside(rng, rng.normal(0, 0.9), (0.15, 1.0), (0.35, 1.3))
  warm = kelvin(rng.uniform(4300, 5800))
  blue = np.array([0.55, 0.78, 1.15])
  ground = np.clip(rng.normal([0.36, 0.34, 0.26], 0.06), 0.05, 1)
  power = rng.uniform(1.3, 2.6)
  bounce = unit(-sun[0], -0.6, 0.8)
  lights = [warm * power, ground * rng.uniform(0.2, 0.5), blue * rng.uniform(0.05, 0.3)]
  directions = [sun, bounce, unit(-sun[0], 0.7, -0.8)]
  sky = dome(blue * rng.uniform(0.3, 0.6), ground * warm * 0.7)
  return Rig(directions, lights, sky, 1, rng.uniform(0.8, 1.1))


def _overcast(rng):
  """A bright grey sky and nearly no shadow; or the shade of a house or tree."""
  cloud = kelvin(rng.uniform(6300, 9000))
  top = unit(rng.normal(0, 0.4), 1.0, rng.uniform(0.1, 0.9))
  open_side = unit(rng.normal(0, 0.8), 0.25, 1.0)
  ground = np.clip(rng.normal([0.3, 0.31, 0.25], 0.06), 0.05, 1)
  power = rng.uniform(0.15, 0.5)
  colours = [cloud * power, cloud * rng.uniform(0.1, 0.4), cloud * rng.uniform(0, 0.2)]
  directions = [top, open_side, unit(rng.normal(0, 1), 0.5, -1)]
  sky = dome(cloud * 0.9, ground * 0.8, (open_side, cloud * rng.uniform(0, 1), 0.4))
  return Rig(directions, colours, sky, 4, rng.uniform(0.7, 1.0))


def _studio(rng):
  """Key, fill and rim; white, grey or tinted surroundings."""
  side = sign(rng)
  key = _aside(rng, side * rng.uniform(0.1, 0.9), (0.8, 1.0), (0.2, 0.8))
  fill = unit(-key[0] + rng.normal(0, 0.2), 0.1, 0.8)
  rim = unit(sign(rng) * 0.8, rng.uniform(0.2, 0.7), -0.8)
  white = kelvin(rng.uniform(4800, 6800))
  levels = [1.0, rng.uniform(0.15, 0.6), rng.uniform(0, 0.9)]
  colours = [white * level for level in levels]
  wall = np.clip(rng.normal(0.4, 0.06, 3) * rng.uniform(0.4, 1.3), 0.05, 1)
  room = dome(wall * rng.uniform(0.6, 1.2), wall * 0.5)
  return Rig(
    [key, fill, rim], colours, room, int(rng.integers(2, 5)), rng.uniform(0.8, 1.1)
  )


def _low_key(rng):
  """One lamp from the side, the rest nearly dark."""
  side = sign(rng)
  key = _aside(rng, side * rng.uniform(0.6, 1.2), (0.25, 0.8), (0.1, 0.7))
  tone = kelvin(rng.uniform(2800, 6500))
  rim = unit(-side * 0.9, 0.3, -0.6)
  other = kelvin(rng.uniform(2800, 9000))
  colours = [tone, other * rng.uniform(0.02, 0.12), other * rng.uniform(0, 0.6)]
  room = dome(tone * 0.1, tone * 0.06, (key, tone * 0.3, 0.4))
  fill = unit(-side * 0.7, 0.0, 0.9)
  return Rig([key, fill, rim], colours, room, 2, rng.uniform(0.42, 0.65))


def _back_lit(rng):
  """A window or low sun behind, the room's light in front."""
  side = sign(rng)
  tone = kelvin(rng.uniform(3800, 6500))
  behind = unit(side * rng.uniform(0.3, 1), rng.uniform(0.2, 0.7), -rng.uniform(0.5, 1))
  front = unit(rng.normal(0, 0.6), rng.uniform(0.1, 0.6), 1.0)
  room = kelvin(rng.uniform(4500, 8000))
  colours = [room * rng.uniform(0.15, 0.5), tone * rng.uniform(0.9, 2.0), tone * 0.15]
  directions = [front, behind, unit(-side * 0.9, 0.1, -0.4)]
  sky = dome(room * 0.55, room * 0.35, (behind, tone * rng.uniform(0.3, 1), 0.5))
  return Rig(directions, colours, sky, 3, rng.uniform(0.5, 0.8))


def _night(rng):
  """Signs and street lamps: saturated colours from the sides, dim surroundings."""

  def neon():
    hue = rng.uniform(0, 2 * np.pi)
    turned = np.cos(hue + np.array([0, -2.1, 2.1]))
    return np.clip(0.6 + rng.uniform(0.2, 0.5) * turned, 0.05, None)

  side = sign(rng)
  directions = [
    _aside(rng, side * rng.uniform(0.2, 1.0), (0.4, 1.0), (0.0, 0.7)),
    _aside(rng, -side * rng.uniform(0.6, 1.2), (0.1, 0.8), (-0.1, 0.5)),
    unit(sign(rng), 0.3, -0.7),
    unit(rng.normal(0, 0.5), -0.4, 0.8),
  ]
  lamp = kelvin(rng.uniform(2300, 4500))
  colours = [
    lamp if rng.random() < 0.6 else neon(), neon() * rng.uniform(0.2, 0.7),
    neon() * rng.uniform(0.1, 0.8), neon() * rng.uniform(0, 0.15),
  ]  # fmt: skip
  room = dome(neon() * 0.25, lamp * 0.2, (directions[1], colours[1] * 0.6, 0.4))
  return Rig(directions, colours, room, 2, rng.uniform(0.45, 0.8))


RIGS = (_indoor, _sunny, _overcast, _studio, _low_key, _back_lit, _night)
ODDS = (0.34, 0.15, 0.16, 0.15, 0.07, 0.08, 0.05)
