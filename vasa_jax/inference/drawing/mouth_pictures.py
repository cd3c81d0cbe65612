"""Teeth, gums and tongue as pictures, in a portrait's view and its light.

Two pictures for each view, which ship with the package: what hangs on the skull, and
what goes with the jaw (`data_pipelines/synthetic/pack_mouth.py` makes them). A view is
the head template turned by a yaw and seen from the front, without perspective; its
coordinates are model units, x right, y up and the depth before `AXIS`.

NumPy, once a portrait.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from vasa_jax.face.kinds import teeth
from vasa_jax.face.template import FIELD_OF_VIEW, REFERENCE_DISTANCE, load_template
from vasa_jax.inference.directing.named_motion import UNITS
from vasa_jax.inference.drawing.eyelids import EYES
from vasa_jax.inference.finding.portrait import Portrait

PATH = Path(__file__).parents[1] / 'assets' / 'mouth.png'
SIDE = 256  # px, width of every picture
VIEWS = (0.0, 15.0, 30.0)  # degrees of yaw; for heads turned the other way mirrored
AXIS = 0.9  # model units: the depth about which a view is turned
ANCHORS = 48  # vertices of each row of teeth by which its picture is placed
FRONT = 0.25  # model units: anchors lie so far behind the foremost at most
# What one sees where there is neither tooth nor tongue: the throat, and the inside of
# the cheeks towards the corners.
CAVITY = np.array([[0.13, 0.05, 0.055], [0.52, 0.25, 0.24]], np.float32)
CHEEKS = (50, 205, 187, 280, 425, 411)  # landmarks
# Luminance of eye whites, or of cheeks where eyes lie in the shade, beside which teeth
# look as painted.
EYE_WHITE, CHEEK = 0.66, 0.72
SKIN = np.array([0.8, 0.62, 0.53], np.float32)  # cheeks of people in white light
COLOURFUL = 0.22  # chroma over luminance of a face in colour; grey pictures have none


class Box(NamedTuple):
  """What part of a view a picture shows."""

  left: float
  right: float
  top: float
  bottom: float

  @property
  def rows(self) -> int:
    """Of its picture, px."""
    return round(SIDE * (self.top - self.bottom) / (self.right - self.left))


UPPER = Box(-0.36, 0.36, 0.40, 0.14)
LOWER = Box(-0.36, 0.36, 0.32, -0.14)


class Light(NamedTuple):
  """Of a portrait.

  Attributes:
    factor: `(3,)` of the painted colours.
    colour: 1 for a picture in colour, 0 for a grey one.
  """

  factor: np.ndarray
  colour: float

  def on(self, picture: np.ndarray) -> np.ndarray:
    """Colours `(..., 3)` or `(..., 4)` in [0, 1] in this light."""
    lit = picture[..., :3] * self.factor
    grey = (lit @ np.float32([0.299, 0.587, 0.114]))[..., None]
    lit = grey + self.colour * (lit - grey)
    return np.concatenate([lit, picture[..., 3:]], -1).astype(np.float32)


def turned(points: np.ndarray, view: float) -> np.ndarray:
  """Points of a head `(..., 3)`, relative to its pivot, in the coordinates of a view.

  Args:
    view: degrees of yaw.
  """
  x, y, z = np.moveaxis(points, -1, 0)
  cosine, sine, z = np.cos(np.radians(view)), np.sin(np.radians(view)), z - AXIS
  return np.stack([cosine * x + sine * z, y, cosine * z - sine * x], -1)


def view_of(yaw: float) -> float:
  """The view nearest to a yaw, degrees; negative ones are mirrored."""
  return float(np.copysign(min(VIEWS, key=lambda view: abs(view - abs(yaw))), yaw))


def pictures(view: float) -> list[np.ndarray]:
  """Upper and lower row, `(h, SIDE, 4)` in [0, 1]; colour is not multiplied by alpha.

  Args:
    view: of `view_of`.
  """
  whole = np.asarray(Image.open(PATH), np.float32) / 255
  own = np.split(whole, len(VIEWS))[VIEWS.index(abs(view))]
  return np.split(own if view >= 0 else own[:, ::-1], [UPPER.rows])


def anchors(view: float) -> tuple[np.ndarray, np.ndarray]:
  """Vertices of the upper and the lower teeth that a view shows, `(ANCHORS,)` each."""
  template = load_template()
  sinks = template.units[UNITS.index('jawOpen'), :, 1] < -0.01
  depth = np.where(teeth(template), turned(template.mean, view)[:, 2], -np.inf)

  def nearest(row):
    near = np.flatnonzero(row & (depth > depth[row].max() - FRONT))
    return near[np.linspace(0, len(near) - 1, ANCHORS).astype(int)]

  return nearest(~sinks), nearest(sinks)


def dulled(picture: np.ndarray, native: float) -> np.ndarray:
  """A picture no sharper than the crop it is laid into, and of the same size as before.

  Args:
    native: px of the crop's side that carry detail.
  """
  high, wide = picture.shape[:2]
  crop = 2 * REFERENCE_DISTANCE * np.tan(FIELD_OF_VIEW / 2)  # model units
  share = native * (UPPER.right - UPPER.left) / crop / wide
  if share >= 1:
    return picture
  fewer = max(2, round(wide * share)), max(2, round(high * share))
  alpha = picture[..., 3:]
  soft = []
  for channel in np.moveaxis(
    np.concatenate([picture[..., :3] * alpha, alpha], -1), -1, 0
  ):
    small = Image.fromarray(channel).resize(fewer, Image.Resampling.BOX)
    soft.append(small.resize((wide, high), Image.Resampling.BILINEAR))
  soft = np.stack(soft, -1)
  soft[..., :3] /= np.maximum(soft[..., 3:], 1e-3)
  return soft.clip(0, 1)


def light_on(portrait: Portrait) -> Light:
  """The light on a face, as its eye whites and its cheeks show it.

  Both tell its hue: eye whites are small and often pink, and skin is not of one colour.
  """
  picture = portrait.crop.astype(np.float32) / 255
  side = len(picture)
  image = Image.new('L', (side, side))
  draw = ImageDraw.Draw(image)
  for upper, lower in EYES:
    ring = portrait.points[[*upper, *reversed(lower)]] * side
    draw.polygon([tuple(map(float, corner)) for corner in ring], 255)
  eyes = picture[np.asarray(image) > 0]
  x, y = (portrait.points[list(CHEEKS)] * side).round().astype(int).clip(1, side - 2).T
  skin = picture[y[:, None] + [-1, 0, 1], x[:, None] + [-1, 0, 1]].mean((0, 1))
  bright = eyes.mean(-1)
  white = eyes[bright >= np.quantile(bright, 0.8)].mean(0) if len(eyes) else skin
  light = max(float(white.mean()) / EYE_WHITE, float(skin.mean()) / CHEEK)
  hue = np.sqrt(_hue(white) * _hue(skin) / _hue(SKIN))
  colour = float(np.ptp(skin)) / max(float(skin.mean()), 1e-3) / COLOURFUL
  return Light(np.clip(light, 0.35, 1.1) * hue, min(colour, 1.0))


def _hue(colour: np.ndarray) -> np.ndarray:
  """`(3,)`, of mean 1; no channel is quite dark."""
  return np.maximum(colour / max(float(colour.mean()), 1e-3), 0.3)
