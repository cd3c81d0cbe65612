"""Where a person is: the picture behind, and the light that comes from that place.

A place is drawn in linear light as a composition of planes, boxes and noise
(`backdrop_indoor`, `backdrop_outdoor`, `backdrop_studio`), thrown out of focus by a
disc as a lens does, exposed and developed. The same colours light the person: sky from
above, ground from below, walls from the sides and the picture from behind.
"""

import dataclasses

import cv2
import numpy as np

from data_pipelines.synthetic.drawing import ambient as ambient_lib
from data_pipelines.synthetic.filming.backdrop_indoor import draw_room
from data_pipelines.synthetic.filming.backdrop_outdoor import draw_landscape
from data_pipelines.synthetic.filming.backdrop_studio import draw_studio
from data_pipelines.synthetic.filming.canvas import defocus

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
SHARES = {'indoor': 0.42, 'outdoor': 0.36, 'studio': 0.22}
DAY_AMBIENT = (0.16, 0.58)  # mean luminance of `ambient`, by day and in rooms
NIGHT_AMBIENT = (0.03, 0.15)
DIRECTIONS = 512  # in which a place is looked at for its light


@dataclasses.dataclass(frozen=True)
class Backdrop:
  """A place.

  Attributes:
    picture: `(s, s, 3)` uint8 RGB, what is behind the person, out of focus.
    ambient: `(9, 3)` float32 irradiance / pi in spherical harmonics
      (`ambient.py`); its mean luminance is 0.16..0.58 by day and indoors,
      0.03..0.15 at night.
    sun: `(3,)` float32 unit vector towards the sun, or None where it does not shine.
    sun_colour: `(3,)` float32 linear, 0 without a sun.
    kind: what the place is, such as 'library' or 'park, dusk'.
  """

  picture: np.ndarray
  ambient: np.ndarray
  sun: np.ndarray | None
  sun_colour: np.ndarray
  kind: str

  @property
  def brightness(self) -> float:
    """Mean luminance of the ambient light."""
    return float(self.ambient[0] @ _LUMINANCE / np.sqrt(4 * np.pi))


def _blur_of(rng, kind) -> float:
  """Radius of the circle of confusion as a share of the picture's height."""
  if kind in ('painted', 'shapes', 'gradient'):
    return rng.uniform(0, 0.006)
  if kind in ('plain wall', 'drapes', 'muslin') or kind.startswith('outer wall'):
    return rng.uniform(0.002, 0.015)
  if 'night' in kind:
    return rng.uniform(0.006, 0.05)
  depth = rng.random()  # a phone, an ordinary lens, a portrait lens
  if depth < 0.25:
    return rng.uniform(0.001, 0.005)
  return rng.uniform(0.005, 0.016) if depth < 0.65 else rng.uniform(0.016, 0.042)


def _develop(light: np.ndarray) -> np.ndarray:
  """Linear light to uint8 sRGB with a soft shoulder above 0.6."""
  over = np.maximum(light - 0.6, 0)
  light = np.minimum(light, 0.6) + 0.4 * over / (over + 0.4)
  # 12 bits in are enough for 8 bits out, and a table is faster than a power
  levels = np.arange(4097) / 4096
  curve = np.where(
    levels < 0.0031308,
    12.92 * levels,
    1.055 * np.maximum(levels, 1e-6) ** (1 / 2.4) - 0.055,
  )
  table = np.round(curve * 255).clip(0, 255).astype(np.uint8)
  return table[np.clip(light * 4096, 0, 4096).astype(np.int32)]


def sample_backdrop(rng: np.random.Generator, size: int) -> Backdrop:
  """Draws a place; what is drawn does not depend on `size`, only its resolution does.

  Args:
    rng: decides everything.
    size: side of the picture in pixels, 8 or more.
  """
  seed = int(rng.integers(2**62))
  rng = np.random.default_rng(seed)
  group = tuple(SHARES)[rng.choice(len(SHARES), p=list(SHARES.values()))]
  side = 256 if size <= 256 else 512
  sun, sun_colour = None, np.zeros(3, np.float32)
  if group == 'outdoor':
    canvas, surroundings, kind, sun, sun_colour = draw_landscape(rng, side)
  elif group == 'indoor':
    canvas, surroundings, kind = draw_room(rng, side)
  else:
    canvas, surroundings, kind = draw_studio(rng, side)
  night = 'night' in kind
  light = defocus(canvas.light, _blur_of(rng, kind))
  if rng.random() < 0.5:  # no two walls are lit alike
    v, u = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    slope = 1 + rng.normal(0, 0.3) * u + rng.normal(0, 0.2) * v
    light = light * np.clip(slope, 0.4, 1.7)[..., None]

  # Exposed for the person, so that the picture behind may be dark or blown out a bit.
  level = float((np.minimum(light, 1.5) @ _LUMINANCE.astype(np.float32)).mean()) + 1e-4
  if night:
    wanted = np.exp(rng.uniform(np.log(0.012), np.log(0.09)))
  elif group == 'studio':
    wanted = np.clip(level, 0.015, 0.85)
  else:
    wanted = np.exp(rng.normal(np.log(0.28), 0.5))
    wanted = np.clip(wanted**0.7 * np.clip(level, 0.04, 0.7) ** 0.3, 0.05, 0.62)
  light = light * np.float32(wanted / level)

  small = cv2.resize(light, (8, 8), interpolation=cv2.INTER_AREA)
  directions = ambient_lib.spread(DIRECTIONS)
  radiance = surroundings.radiance(directions, small * level / wanted)
  bounds = NIGHT_AMBIENT if night else DAY_AMBIENT
  mean = float(radiance.mean(0) @ _LUMINANCE)
  # The face is what is exposed for: the light on it varies less than the place does.
  middle = 0.07 if night else 0.3
  target = middle * (mean * wanted / level / middle) ** 0.4 * rng.lognormal(0, 0.25)
  scale = np.clip(target, *bounds) / mean
  ambient = ambient_lib.from_radiance(directions, radiance * scale)

  picture = _develop(light)
  if size != side:
    way = cv2.INTER_AREA if size < side else cv2.INTER_CUBIC
    picture = cv2.resize(picture, (size, size), interpolation=way)
  return Backdrop(picture, ambient, sun, np.asarray(sun_colour, np.float32), kind)
