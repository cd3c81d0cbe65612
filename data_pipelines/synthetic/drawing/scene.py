"""What surrounds a rendered head: a rig of lights and a picture behind it.

The rigs are those of photographs: windows and lamps of mixed colour indoors; sun and
sky, an overcast day or shade outdoors; a studio; little light; light from behind; the
coloured lights of a street at night. Each is exposed as a camera would, for the face.
"""

import dataclasses

import numpy as np

from data_pipelines.synthetic.drawing import ambient as ambient_lib
from data_pipelines.synthetic.drawing.rigs import AROUND, ODDS, RIGS, dome, sign, unit

LIGHTS_AT_MOST = 5
FACE_BRIGHTEST = 1.55  # largest irradiance / pi that a face may get from all lights


@dataclasses.dataclass(frozen=True)
class Light:
  """Three to five directional lights and light from all around.

  Only the first, the key, casts shadows. Colours are linear and may exceed 1.

  Attributes:
    directions: `(k, 3)` float32, unit vectors towards the lights.
    colours: `(k, 3)` float32.
    ambient: `(9, 3)` float32, irradiance / pi in spherical harmonics, see `ambient.py`.
    softness: of the key's shadows, 1 = hard to 4 = soft.
  """

  directions: np.ndarray
  colours: np.ndarray
  ambient: np.ndarray
  softness: int = 2

  @property
  def sky(self) -> np.ndarray:
    """(3,) float32: light on what faces up."""
    return ambient_lib.evaluate(self.ambient, np.array([0.0, 1.0, 0.0]))

  @property
  def ground(self) -> np.ndarray:
    """(3,) float32: light on what faces down."""
    return ambient_lib.evaluate(self.ambient, np.array([0.0, -1.0, 0.0]))

  def flat(self) -> np.ndarray:
    """(6 k + 27,) float32: directions, colours, ambient."""
    parts = (self.directions, self.colours, self.ambient)
    return np.concatenate([np.ravel(part) for part in parts]).astype(np.float32)


def _light(directions, colours, ambient, softness=2):
  as_float = (np.asarray(x, np.float32) for x in (directions, colours, ambient))
  return Light(*as_float, softness)


def studio_light() -> Light:
  """A fixed, soft rig: for tests, templates and comparisons."""
  directions = [unit(0.5, 0.55, 1.0), unit(-0.6, 0.1, 0.8), unit(0.8, 0.4, -0.8)]
  colours = np.array([0.95, 0.3, 0.35])[:, None] * np.ones(3)
  sky, ground = np.full(3, 0.42), np.array([1, 0.92, 0.84]) * 0.2
  return _light(directions, colours, dome(sky, ground))


def _face_normals():
  """Normals that a face shows to the front, (k, 3)."""
  return AROUND[(AROUND[:, 2] > 0.35) & (np.abs(AROUND[:, 1]) < 0.75)]


def _expose(light, wanted, balance=0.0):
  """The rig scaled so that a face gets `wanted` irradiance / pi on average.

  `balance`: how far the camera makes the light's colour on the face white, 0..1.
  """
  normals = _face_normals()
  got = ambient_lib.evaluate(light.ambient, normals) * 0.85
  got = got + np.clip(normals @ light.directions.T, 0, None) @ light.colours
  tone = got.mean(0)
  white = (tone.mean() / tone) ** balance
  got = got * white
  grey = got @ np.array([0.3, 0.6, 0.1])
  factor = min(wanted / grey.mean(), FACE_BRIGHTEST / np.percentile(got.max(1), 95))
  factor = factor * white
  return dataclasses.replace(
    light,
    colours=(light.colours * factor).astype(np.float32),
    ambient=(light.ambient * factor).astype(np.float32),
  )


def _from_place(rng, place):
  """The light of a backdrop (`backdrop.Backdrop`): its sun, or its brightest side."""
  ambient = np.asarray(place.ambient, np.float32)
  grey = ambient @ np.array([0.3, 0.6, 0.1], np.float32)
  gradient = np.array([grey[3], grey[1], grey[2]], np.float64)
  length = np.linalg.norm(gradient)
  brightest = gradient / length if length > 1e-4 else unit(0.3, 0.6, 0.8)
  mean = np.maximum(ambient[0] * ambient_lib.CONSTANTS[0], 1e-3)
  if place.sun is not None:
    key, colour = np.asarray(place.sun, np.float64), np.asarray(place.sun_colour)
    softness = 1
  else:
    key = unit(*(brightest + rng.normal(0, 0.15, 3) + [0, 0.1, 0.25]))
    tone = ambient_lib.evaluate(ambient, key)
    colour = tone * rng.uniform(0.3, 0.9)
    softness = int(rng.integers(2, 5))
  front = unit(-key[0] + rng.normal(0, 0.3), rng.uniform(-0.1, 0.5), 0.9)
  rim = unit(sign(rng) * 0.8, 0.4, -0.7)
  colours = [
    colour,
    ambient_lib.evaluate(ambient, front) * rng.uniform(0.05, 0.35),
    ambient_lib.evaluate(ambient, rim) * rng.uniform(0, 0.5),
  ]
  light = _light([key, front, rim], np.clip(colours, 0, 8), ambient, softness)
  # The place says how bright it is; the camera corrects what it cannot show.
  wanted = np.clip(1.6 * float(mean @ [0.3, 0.6, 0.1]), 0.65, 1.15)
  return _expose(light, wanted * rng.uniform(0.9, 1.1))


def sample_light(rng: np.random.Generator, place=None) -> Light:
  """A random rig, exposed for a face.

  Args:
    rng: the stream it is drawn from.
    place: a `backdrop.Backdrop`, whose light is taken; None = any rig.
  """
  if place is not None:
    return _from_place(rng, place)
  rig = RIGS[rng.choice(len(RIGS), p=ODDS)](rng)
  balance = rng.uniform(0.45, 0.95)
  return _expose(_light(*rig[:4]), rig.wanted, balance)
