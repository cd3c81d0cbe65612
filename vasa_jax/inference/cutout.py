"""The person in a portrait, cut out of what lies behind.

A head that turns uncovers what the portrait never showed, and its hair ends where no
template does. A segmentation net says where the person is; what lies behind is filled
in from its surroundings. With P the portrait, a the share of the person in a pixel and
B the filled background, what moves is the person's part of the light

    H = P - (1 - a) B

and a frame is `H(moved) + (1 - a(moved)) B`: at rest that is the portrait, whatever the
net said. Where it takes background for a person, that background moves along; where it
misses hair, that hair stays behind.

Pictures are float32 in [0, 1].
"""

from typing import NamedTuple

import jax
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from vasa_jax.face.splat import pull_push
from vasa_jax.inference import litert
from vasa_jax.inference.portrait import Portrait
from vasa_jax.nn.smooth_step import smooth_step

WORK = 256  # px: the net's side, and that of the filled background
# What the net says is pulled apart: its edges are soft, and its floor is not quite 0.
NOBODY, SOMEBODY = 0.1, 0.9
EDGE, CONTRAST = 6, 1e-3  # px and variance of the guided filter that finds strands
HOLE = 3  # px round the person that are filled in too
# Share of the face oval that has to be a person; less, and the net has not understood
# the picture (a drawing). Then the oval, so many times as large, is the person.
UNDERSTOOD, GUESS, SOFT = 0.7, 1.5, 8
# The mesh's landmarks round the face, in order.
OVAL = (
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400,
  377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67,
  109,
)  # fmt: skip
_pull_push = jax.jit(pull_push)


class Cutout(NamedTuple):
  """A portrait in two layers.

  Attributes:
    carried: `(k, k, 4)` the person's part of the light, and its share of the pixel.
    behind: `(s, s, 3)` what one sees where the person is not.
  """

  carried: np.ndarray
  behind: np.ndarray


def cut_out(portrait: Portrait, side: int, fine: np.ndarray) -> Cutout:
  """Parts a portrait.

  Args:
    portrait: one face.
    side: of `behind`.
    fine: `(k, k, 3)` uint8, the crop whose pixels are carried.
  """
  picture = portrait.cut(WORK)
  share = person(portrait, picture)
  spread = Image.fromarray((share > 0.03).astype(np.uint8) * 255)
  spread = spread.filter(ImageFilter.MaxFilter(2 * HOLE + 1))
  hole = np.asarray(spread, np.float32) / 255
  filled = fill(_unit(picture), 1 - hole)

  def behind(crop: np.ndarray) -> np.ndarray:
    within = _scaled(hole, len(crop))[..., None]
    return _unit(crop) + within * (_scaled(filled, len(crop)) - _unit(crop))

  there = _scaled(share, len(fine))[..., None]
  light = _unit(fine) - (1 - there) * behind(fine)
  return Cutout(np.concatenate([light, there], -1), behind(portrait.cut(side)))


def person(portrait: Portrait, picture: np.ndarray) -> np.ndarray:
  """`(WORK, WORK)` share of the person in each pixel, 0..1.

  Args:
    portrait: one face.
    picture: its crop, `(WORK, WORK, 3)` uint8.
  """
  (found,) = litert.run('person', _unit(picture))
  edges = _guided(_unit(picture).mean(-1), found[0, ..., 0])
  share = smooth_step((edges - NOBODY) / (SOMEBODY - NOBODY))
  oval = portrait.points[list(OVAL)] * WORK
  face = _polygon(oval)
  if share[face > 0.5].mean() < UNDERSTOOD:
    middle = (oval.min(0) + oval.max(0)) / 2
    share = _polygon(middle + GUESS * (oval - middle), SOFT)
  return np.maximum(share, face)


def fill(picture: np.ndarray, known: np.ndarray) -> np.ndarray:
  """Continues a picture smoothly into what is not known of it.

  Args:
    picture: `(n, n, 3)`, n a power of two.
    known: `(n, n)`, 1 or 0.

  Returns:
    The picture where it is known, means of its surroundings elsewhere; all zeros where
    nothing is known.
  """
  known = known[..., None]
  filled, _ = _pull_push(np.concatenate([picture * known, known], -1))
  return np.asarray(filled)


def _guided(guide: np.ndarray, share: np.ndarray) -> np.ndarray:
  """He et al.'s guided filter: `share` with the edges of `guide`, both `(n, n)`."""
  mean_guide, mean_share = _box(guide), _box(share)
  variance = _box(guide * guide) - mean_guide**2
  slope = (_box(guide * share) - mean_guide * mean_share) / (variance + CONTRAST)
  return _box(slope) * guide + _box(mean_share - slope * mean_guide)


def _box(x: np.ndarray) -> np.ndarray:
  """Means over squares of `2 EDGE + 1` px; the border is repeated."""
  width = 2 * EDGE + 1
  for axis in (0, 1):
    padding = [(0, 0), (0, 0)]
    padding[axis] = (EDGE + 1, EDGE)
    total = np.cumsum(np.pad(x, padding, mode='edge'), axis, dtype=np.float64)
    ahead, behind = (
      np.take(total, np.arange(x.shape[axis]) + at, axis) for at in (width, 0)
    )
    x = (ahead - behind) / width
  return x.astype(np.float32)


def _polygon(corners: np.ndarray, soft: float = 2.0) -> np.ndarray:
  """`(WORK, WORK)`: 1 inside, blurred by `soft` px at the edge."""
  image = Image.new('L', (WORK, WORK))
  ImageDraw.Draw(image).polygon([tuple(map(float, corner)) for corner in corners], 255)
  image = image.filter(ImageFilter.GaussianBlur(soft))
  return np.asarray(image, np.float32) / 255


def _scaled(x: np.ndarray, side: int) -> np.ndarray:
  """Bilinear: `(n, n)` or `(n, n, c)` float32 to another side."""
  if x.ndim == 3:
    return np.stack([_scaled(channel, side) for channel in np.moveaxis(x, -1, 0)], -1)
  image = Image.fromarray(np.ascontiguousarray(x, np.float32))
  return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))


def _unit(picture: np.ndarray) -> np.ndarray:
  return picture.astype(np.float32) / 255
