"""Eyes that look elsewhere: an iris that moves as a whole, before a white that stays.

A portrait shows one look. Its flow has to carry the iris over the white without taking
the lids along, on a grid of few cells an eye, and stretches it instead. Here an eye is
put together anew in every frame between the template's lids, moved by as much as the
portrait's own lie elsewhere: the white, continued behind the iris, hangs on the lids'
corners; the iris with its pupil and its light is carried as a disc on the ball that the
template has there. What the portrait's lids hide of both is continued from what they
show. At rest nothing is drawn.

Building is NumPy, once a portrait; drawing are pure functions of arrays. Lengths are
crop units, or eye widths or iris radii where it is said.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from PIL import Image, ImageDraw

from vasa_jax.face.enlarge import sampled
from vasa_jax.face.template import load_template
from vasa_jax.inference.cutout import fill
from vasa_jax.inference.eyelids import AJAR, EYES, REACH
from vasa_jax.inference.portrait import Portrait
from vasa_jax.inference.rims import (
  Points,
  Rims,
  along,
  carried,
  placed,
  points,
  rims,
  window,
)
from vasa_jax.inference.sampling import Square, cut
from vasa_jax.nn.rotation import euler_matrix
from vasa_jax.nn.smooth_step import smooth_step
from vasa_jax.types import NUM_UNITS, Array, Motion

_MARKS = tuple(mark for eye in EYES for lid in eye for mark in lid)
_LID = len(EYES[0][0])
TEMPLATE_EYES = 2, 1  # `Template.eye` of the eye at the picture's left, then the other
# Squares that are cut out, and how finely: eye widths, iris radii, px a side.
WHITE, IRIS = 1.5, 2.6
FINE = 64, 128  # px of both squares, in videos of up to so many px and larger ones
LARGE = 320
# Iris radii: within which all is iris, and beyond which all is white.
DISC = 1.0, 1.2
CLEAR = 1.25  # iris radii: the white nearer by has some of the iris in it
# Eye widths below an upper and above a lower lid that are in its lashes' shade; and the
# share of what is left of the white that is too dark for it.
LASHES, RIM = 0.05, 0.02
DARK = 0.3
ROUND = 0.13, 0.34  # eye widths: of irises that can be right
SEEN = 0.02  # share of the opening that has to be white, to know what white is
# An iris is so much darker than its white, at least; lids that look down show neither.
DARKER = 0.9
STIRS = 0.04, 0.16  # iris radii of way from which it is drawn, and drawn whole
ASIDE = 0.6, 0.75  # yaw of the head from which to which it fades, radians
REACH_OF_DISC = 0.4  # of the ball's radius: where the disc's axes are measured


@struct.dataclass
class Eyeballs:
  """The eyes of one portrait, that at the picture's left first.

  Attributes:
    points: upper and lower lid of both.
    lids: `(p, 2)` where they are in the portrait.
    centres, radii: `(2, 3)` and `(2,)` balls of the head, model units.
    irises: `(2, 2)` where their middles are in the portrait; radius: `(2,)` of them.
    whites, discs: `(2, n, n, 3)` squares of the portrait: its white, its iris.
    known: `()` 1 if both can be drawn; a pair that looks apart would be worse.
    soft: `()` width of an edge.
  """

  points: Points
  lids: Array
  centres: Array
  radii: Array
  irises: Array
  radius: Array
  whites: Array
  discs: Array
  known: Array
  soft: Array


def eyeballs(portrait: Portrait, vertices: Array, fine: Array, side: int) -> Eyeballs:
  """What `drawn` needs of a portrait.

  Args:
    portrait: one face.
    vertices: `(1, v, 3)` its neutral head.
    fine: `(k, k, 3)` uint8, the crop whose pixels are carried.
    side: of the pictures that are drawn into, px.
  """
  n = FINE[side > LARGE]
  crop, k = Image.fromarray(np.asarray(fine)), len(fine)
  whites, discs, known, radius = [], [], [], []
  middles = portrait.irises[:, 0]
  for (upper, lower), iris in zip(EYES, portrait.irises, strict=True):
    above, below = portrait.points[list(upper)], portrait.points[list(lower)]
    wide = float(np.linalg.norm(above[-1] - above[0]))
    middle, reach = iris[0], float(np.linalg.norm(iris[1:] - iris[0], axis=-1).mean())
    ring = above + [0, LASHES * wide], (below - [0, RIM * wide])[::-1]
    ring = np.concatenate(ring)
    opening = _middle(above, below)

    def square(centre, side, ring=ring, middle=middle, reach=reach):
      """A square, how open each of its pixels is, and its way to the iris, radii."""
      picture = np.asarray(cut(crop, Square(*(centre * k), side * k), n), np.float32)
      image = Image.new('L', (n, n))
      corners = (ring - centre) / side * n + n / 2
      ImageDraw.Draw(image).polygon([tuple(map(float, at)) for at in corners], 1)
      at = (np.arange(n) + 0.5) / n - 0.5
      away = centre + np.stack(np.meshgrid(at, at), -1) * side - middle
      return picture / 255, np.asarray(image) > 0, np.linalg.norm(away, axis=-1) / reach

    picture, is_open, away = square(opening, WHITE * wide)
    white = is_open & (away > CLEAR)
    seen = white.sum() > SEEN * is_open.sum() and ROUND[0] < reach / wide < ROUND[1]
    bright = 0.0
    if seen:
      light = picture.mean(-1)
      white &= light >= np.quantile(light[white], DARK)
      bright = picture[white].mean()
    whites.append(fill(picture, white.astype(np.float32)))
    picture, is_open, away = square(middle, IRIS * reach)
    shown = is_open & (away < DISC[1])
    discs.append(fill(picture, shown.astype(np.float32)))
    known.append(seen and shown.any() and picture[shown].mean() < DARKER * bright)
    radius.append(reach)
  balls = [_ball(np.asarray(vertices)[0], side) for side in TEMPLATE_EYES]
  return Eyeballs(
    points=points(np.asarray(vertices)[0], _MARKS),
    lids=np.float32(portrait.points[list(_MARKS)]),
    centres=np.float32([centre for centre, _ in balls]),
    radii=np.float32([radius for _, radius in balls]),
    irises=np.float32(middles),
    radius=np.float32(radius),
    whites=np.float32(whites),
    discs=np.float32(discs),
    known=np.float32(all(known)),
    soft=np.float32(1 / min(side, portrait.side)),
  )


def drawn(pictures: Array, eyes: Eyeballs, own: Motion, asked: Motion) -> Array:
  """Pictures with eyes that look where they are asked to.

  Args:
    pictures: `(b, s, s, 3)` about [0, 1].
    eyes: of the portrait.
    own: the portrait's motion, of batch 1.
    asked: of b frames.
  """
  side = pictures.shape[1]
  reach = min(side, round(REACH * side))
  at_rest = placed(eyes.points, own)[0]
  aside = eyes.lids - at_rest
  rest = jax.tree.map(lambda x: x[0], _discs(eyes, own))
  # The template's disc has its size from a ball, the portrait's its own.
  size = eyes.radius / jnp.linalg.norm(rest.axes[:, 0], axis=-1)

  def frame(picture, points, discs, yaw):
    for eye in range(2):
      before, now = (_rims(x, aside, eye) for x in (at_rest, points))
      way = discs.middle[eye] - rest.middle[eye] - now.middle + before.middle
      way = jnp.linalg.norm(way) / eyes.radius[eye]
      lids = now.apart(before) * jnp.linalg.norm(now.across) / eyes.radius[eye]
      share = smooth_step((jnp.maximum(way, lids) - STIRS[0]) / (STIRS[1] - STIRS[0]))
      share *= smooth_step((before.opening() - AJAR[0]) / (AJAR[1] - AJAR[0]))
      share *= smooth_step((ASIDE[1] - jnp.abs(yaw)) / (ASIDE[1] - ASIDE[0]))
      share *= eyes.known
      start, place, fade = window(now.centre(), side, reach)
      face = jax.lax.dynamic_slice(picture, start, (reach, reach, 3))
      inside = _between(now, place, eyes.soft)
      # What the lids show of the ball.
      u, v = now.within(place)
      right = before.across
      down = jnp.stack([-right[1], right[0]])
      then = before.middle + u[..., None] * right + v[..., None] * down
      upper, lower = _lids(eyes.lids, eye)
      wide = jnp.linalg.norm(upper[-1] - upper[0])
      ball = _cut_out(eyes.whites[eye], then - _middle(upper, lower), WHITE * wide)
      # The disc, carried by its axes.
      start_of = discs.middle[eye] + eyes.irises[eye] - rest.middle[eye]
      back = jnp.linalg.inv(discs.axes[eye].T * size[eye])
      flat = (place - start_of) @ back.T
      then = flat @ (rest.axes[eye] * size[eye])
      iris = _cut_out(eyes.discs[eye], then, IRIS * eyes.radius[eye])
      away = jnp.linalg.norm(flat, axis=-1)[..., None]
      there = smooth_step((DISC[1] - away) / (DISC[1] - DISC[0]))
      made = ball + there * (iris - ball)
      picture = jax.lax.dynamic_update_slice(
        picture, face + share * fade * inside * (made - face), start
      )
    return picture

  frames = pictures, placed(eyes.points, asked), _discs(eyes, asked), asked.z_pose[:, 0]
  return jax.lax.map(lambda one: frame(*one), frames)


class Discs(NamedTuple):
  """Both irises on the screen.

  Attributes:
    middle: `(b, 2, 2)`.
    axes: `(b, 2, 2, 2)` to the disc's right, and down.
  """

  middle: Array
  axes: Array


def _discs(eyes: Eyeballs, motion: Motion) -> Discs:
  """Where the template has its irises."""
  yaw, pitch = motion.z_dyn[:, NUM_UNITS], motion.z_dyn[:, NUM_UNITS + 1]
  gaze = euler_matrix(yaw, -pitch, jnp.zeros_like(yaw))  # as `prior.pose_head`
  right, up, ahead = (gaze[:, None, :, i] for i in range(3))
  radii = eyes.radii[None, :, None]
  middle = eyes.centres + radii * ahead
  reach = REACH_OF_DISC * radii
  marks = jnp.stack([middle, middle + reach * right, middle - reach * up], 2)
  b = len(motion.z_pose)
  there = carried(marks.reshape(b, 6, 3), motion).reshape(b, 2, 3, 2)
  return Discs(there[:, :, 0], there[:, :, 1:] - there[:, :, :1])


def _between(now: Rims, place: Array, soft: Array) -> Array:
  """`(..., 1)`: 1 between the lids, 0 elsewhere; what is drawn ends at their rims."""
  u, v = now.within(place)
  soft = soft / jnp.linalg.norm(now.across)
  above, below = along(now.above, u), along(now.below, u)
  inside = jnp.clip((v - above) / soft, 0, 1) * jnp.clip((below - v) / soft, 0, 1)
  return (inside * smooth_step((0.5 - jnp.abs(u)) / 0.05))[..., None]


def _cut_out(picture: Array, at: Array, side: Array) -> Array:
  """A square `(n, n, 3)` of that side, at places about its middle."""
  n = len(picture)
  return sampled(picture.reshape(-1, 3), at / side * n + n / 2 - 0.5, n, n)


def _rims(points: Array, aside: Array, eye: int) -> Rims:
  return rims(*_lids(points + aside, eye))


def _lids(points: Array, eye: int) -> tuple[Array, Array]:
  """The upper and the lower lid of an eye."""
  lids = points[2 * _LID * eye : 2 * _LID * (eye + 1)]
  return lids[:_LID], lids[_LID:]


def _middle(above: Array, below: Array) -> Array:
  """Of an opening, between its corners."""
  return (above[0] + above[-1] + below[0] + below[-1]) / 4


def _ball(vertices: np.ndarray, eye: int) -> tuple[np.ndarray, float]:
  """Centre and radius of an eyeball, of which the template has the front half."""
  shell = vertices[load_template().eye == eye]
  low, high = shell.min(0), shell.max(0)
  radius = float((high - low)[0]) / 2
  return np.append((low + high)[:2] / 2, high[2] - radius), radius
