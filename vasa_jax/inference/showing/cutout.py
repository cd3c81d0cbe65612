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

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from vasa_jax.inference.drawing.fill import fill
from vasa_jax.inference.finding import litert
from vasa_jax.inference.finding.landmarks import CHIN
from vasa_jax.inference.finding.portrait import Portrait
from vasa_jax.inference.showing import texture
from vasa_jax.nn.smooth_step import smooth_step

WORK = 256  # px: the net's side, and that of the filled background
# What the net says is pulled apart: its edges are soft, and its floor is not quite 0.
NOBODY, SOMEBODY = 0.1, 0.9
EDGE, CONTRAST = 6, 1e-3  # px and variance of the guided filter that finds strands
HOLE = 3  # px round the person that are filled in too
BEGIN = 4  # px within which copies come in
UNDER = 0.1  # crop units below the chin in which copies end: a body does not turn
# px, and standard deviations within them: plain up to the one, busy from the other.
AROUND, PLAIN, BUSY = 12, 4 / 255, 9 / 255
# Share of the face oval that has to be a person; less, and the net has not understood
# the picture (a drawing). Then the oval, so many times as large, is the person.
UNDERSTOOD, GUESS, SOFT = 0.7, 1.5, 8
# The mesh's landmarks round the face, in order.
OVAL = (
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400,
  377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67,
  109,
)  # fmt: skip


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
  picture, crop = portrait.cut(WORK), portrait.cut(side)
  share = person(portrait, picture)
  spread = Image.fromarray((share > 0.03).astype(np.uint8) * 255)
  spread = spread.filter(ImageFilter.MaxFilter(2 * HOLE + 1))
  hole = np.asarray(spread, np.float32) / 255
  filled = _continued(portrait, _unit(picture), hole, _unit(crop))

  def behind(crop: np.ndarray) -> np.ndarray:
    within = _scaled(hole, len(crop))[..., None]
    return _unit(crop) + within * (_scaled(filled, len(crop)) - _unit(crop))

  there = _scaled(share, len(fine))[..., None]
  light = _unit(fine) - (1 - there) * behind(fine)
  return Cutout(np.concatenate([light, there], -1), behind(crop))


def _continued(
  portrait: Portrait, picture: np.ndarray, hole: np.ndarray, crop: np.ndarray
) -> np.ndarray:
  """What lies behind a hole: copies at its rim, and means deeper inside.

  Args:
    portrait: whose crop it is.
    picture: that, `(WORK, WORK, 3)`.
    hole: `(WORK, WORK)`, 1 or 0.
    crop: the same square at the side that is asked for, `(s, s, 3)`.

  Returns:
    `(s, s, 3)`, of use in the hole.
  """
  known = 1 - hole
  smooth = fill(picture, known)
  at = (np.arange(WORK) + 0.5) / WORK
  above = smooth_step((portrait.points[CHIN, 1] + UNDER - at) / UNDER)
  # What the crop made up beyond the picture is neither copied nor continued.
  pictured = _pictured(portrait)
  usable = known * pictured
  wanted = above[:, None] * _busy(picture, usable) * _box(pictured, AROUND)
  places = texture.search(smooth, hole > 0, usable > 0, wanted)
  if places is None:
    return _scaled(smooth, len(crop))
  share = _scaled(places.share, WORK)
  # What lies deeper continues the copies, not what they cover.
  copies = texture.drawn(picture, places)
  made = copies[..., 3] * hole * (share > 0.5)
  seen = known[..., None] * picture + made[..., None] * copies[..., :3]
  smooth = _scaled(fill(seen, known + made), len(crop))
  # Means are right where they begin, so copies come in a few pixels further.
  share = share * smooth_step(2 * (1 - _box(known, BEGIN)) - 0.8)
  copies = texture.drawn(crop, places)
  share = (_scaled(share, len(crop)) * copies[..., 3])[..., None]
  return smooth + share * (copies[..., :3] - smooth)


def _busy(picture: np.ndarray, known: np.ndarray) -> np.ndarray:
  """Where there is something to continue: 0 for plain surroundings, 1 for busy ones.

  Args:
    picture: `(n, n, 3)`.
    known: `(n, n)`, 1 or 0.
  """
  count = _box(known, AROUND).clip(1e-3)
  light = np.moveaxis(picture * known[..., None], -1, 0)
  means = sum((_box(x, AROUND) / count) ** 2 for x in light)
  spread = _box((light**2).sum(0), AROUND) / count - means
  spread = fill(np.repeat(spread[..., None], 3, -1), known)[..., 0]
  return smooth_step((np.sqrt(spread.clip(0) / 3) - PLAIN) / (BUSY - PLAIN))


def _pictured(portrait: Portrait) -> np.ndarray:
  """`(WORK, WORK)` bool: the crop where the picture reaches; the rest is made up."""
  at = (np.arange(WORK) + 0.5) / WORK * portrait.side
  height, width = portrait.picture.shape[:2]
  down, across = (
    (start + at > 0) & (start + at < end)
    for start, end in ((portrait.top, height), (portrait.left, width))
  )
  return down[:, None] & across


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


def _guided(guide: np.ndarray, share: np.ndarray) -> np.ndarray:
  """He et al.'s guided filter: `share` with the edges of `guide`, both `(n, n)`."""
  mean_guide, mean_share = _box(guide), _box(share)
  variance = _box(guide * guide) - mean_guide**2
  slope = (_box(guide * share) - mean_guide * mean_share) / (variance + CONTRAST)
  return _box(slope) * guide + _box(mean_share - slope * mean_guide)


def _box(x: np.ndarray, reach: int = EDGE) -> np.ndarray:
  """Means over squares of `2 reach + 1` px; the border is repeated."""
  width = 2 * reach + 1
  for axis in (0, 1):
    padding = [(0, 0), (0, 0)]
    padding[axis] = (reach + 1, reach)
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
