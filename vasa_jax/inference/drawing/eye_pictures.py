"""The white and the iris of a portrait's eyes, each as if nothing hid it.

Squares of the portrait, upright: where lids or the iris cover what is wanted, it is
continued from what they show. NumPy, once a portrait; lengths are crop units, or eye
widths or iris radii where it is said.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from vasa_jax.inference.drawing.eyelids import EYES
from vasa_jax.inference.drawing.fill import fill
from vasa_jax.inference.finding.portrait import Portrait
from vasa_jax.inference.finding.sampling import Square, cut

# Sides of the squares: of the white in eye widths, of the iris in iris radii.
WHITE, IRIS = 1.5, 2.6
EDGE = 1.2  # iris radii within which an iris and its rim end
CLEAR = 1.4  # iris radii: the white nearer by has some of the iris in it
# Eye widths below an upper lid: its lashes, and their shade; and above a lower lid.
LASHES, SHADE, RIM = 0.02, 0.05, 0.02
# Shares of what is left of the white that are too dark for it, and to say how light it
# is.
DARK, DULL = 0.15, 0.3
ROUND = 0.13, 0.34  # eye widths: radii of irises that can be right
SEEN = 0.02  # share of the opening that has to be white, to know what white is
# An iris has at most so much of the light of its white (up to .74 in 22 portraits that
# show both); lids that look down, shade and dark glasses have more (from .87).
DARKER = 0.8


class EyePicture(NamedTuple):
  """One eye.

  Attributes:
    white: `(n, n, 3)` in [0, 1], about the middle of the eye's corners.
    iris: `(n, n, 3)` about its own middle.
    middle, radius: `(2,)` and the length, of the iris.
    known: whether both are to be trusted.
  """

  white: np.ndarray
  iris: np.ndarray
  middle: np.ndarray
  radius: float
  known: bool


class _Lids(NamedTuple):
  """Rims of an eye `(p, 2)`, from the picture's left to its right."""

  above: np.ndarray
  below: np.ndarray


def eye_pictures(portrait: Portrait, fine: np.ndarray, n: int) -> list[EyePicture]:
  """Both eyes, that at the picture's left first.

  Args:
    portrait: one face.
    fine: `(k, k, 3)` uint8, its crop with as much detail as there is.
    n: side of the squares, px.
  """
  crop, made = Image.fromarray(fine), []
  for marks, iris in zip(EYES, portrait.irises, strict=True):
    lids = _Lids(*(portrait.points[list(lid)] for lid in marks))
    made.append(_eye(crop, lids, iris, n))
  return made


def width(above, below):
  """Of an eye, from corner to corner."""
  across = (above[-1] - above[0] + below[-1] - below[0]) / 2
  return (across**2).sum() ** 0.5


def centre(above, below):
  """`(2,)` between the corners of an eye."""
  return (above[0] + above[-1] + below[0] + below[-1]) / 4


def _eye(crop: Image.Image, lids: _Lids, iris: np.ndarray, n: int) -> EyePicture:
  """An eye, from its iris `(5, 2)`: its middle, and its rim."""
  wide, middle = float(width(*lids)), iris[0]
  radius = float(np.linalg.norm(iris[1:] - middle, axis=-1).mean())
  known = ROUND[0] < radius / wide < ROUND[1]

  picture, place = _square(crop, centre(*lids), WHITE * wide, n)
  opening = _open(lids, place)
  white = opening & (np.linalg.norm(place - middle, axis=-1) > CLEAR * radius)
  lit = white & _open(lids, place, SHADE)
  known &= bool(lit.sum() > SEEN * opening.sum())
  bright = 0.0
  if lit.any():
    light = picture.mean(-1)
    bright = float(picture[lit & (light >= np.quantile(light[lit], DULL))].mean())
    white &= light >= np.quantile(light[white], DARK)
  ball = fill(picture, white.astype(np.float32))

  picture, place = _square(crop, middle, IRIS * radius, n)
  shown = _open(lids, place) & (np.linalg.norm(place - middle, axis=-1) < EDGE * radius)
  known &= shown.any() and float(picture[shown].mean()) < DARKER * bright
  disc = fill(picture, shown.astype(np.float32))
  return EyePicture(ball, disc, middle, radius, bool(known))


def _square(
  crop: Image.Image, middle: np.ndarray, side: float, n: int
) -> tuple[np.ndarray, np.ndarray]:
  """An upright square, `(n, n, 3)` in [0, 1], and where its pixels are, `(n, n, 2)`."""
  k = crop.width
  picture = np.asarray(cut(crop, Square(*(middle * k), side * k), n), np.float32) / 255
  at = ((np.arange(n) + 0.5) / n - 0.5) * side
  return picture, middle + np.stack(np.meshgrid(at, at), -1)


def _open(lids: _Lids, place: np.ndarray, lashes: float = LASHES) -> np.ndarray:
  """Which places `(n, n, 2)` of a square lie well between the lids."""
  wide, n = width(*lids), len(place)
  ring = np.concatenate(
    [lids.above + [0, lashes * wide], (lids.below - [0, RIM * wide])[::-1]]
  )
  image, pixel = Image.new('L', (n, n)), place[0, 1, 0] - place[0, 0, 0]
  corners = (ring - place[0, 0]) / pixel
  ImageDraw.Draw(image).polygon([tuple(map(float, at)) for at in corners], 1)
  return np.asarray(image) > 0
