"""Eyes that look elsewhere: an iris that moves as a whole, before a white that stays.

A portrait shows one look. Its flow has to carry the iris over the white without taking
the lids along, on a grid of few cells an eye, and stretches it instead. Here an eye is
put together anew in every frame between the template's lids, moved by as much as the
portrait's own lie elsewhere: the white, continued behind the iris, hangs on the lids'
corners; the iris with its pupil and its light is carried as a disc on the ball that the
template has there. Eyes that look as in the portrait are left alone.

Pure functions of arrays; lengths are crop units, or iris radii where it is said.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax.face.enlarge import Part, all_of, sampled
from vasa_jax.face.template import load_template
from vasa_jax.inference.drawing.eye_pictures import (
  EDGE,
  IRIS,
  WHITE,
  centre,
  eye_pictures,
  width,
)
from vasa_jax.inference.drawing.eyelids import AJAR, MARKS, REACH, eye_rims, lids_of
from vasa_jax.inference.drawing.rims import (
  Points,
  Rims,
  along,
  carried,
  placed,
  points,
  rims,
  window,
)
from vasa_jax.inference.finding.portrait import Portrait
from vasa_jax.nn.rotation import euler_matrix
from vasa_jax.nn.smooth_step import smooth_step
from vasa_jax.types import NUM_UNITS, Array, Motion

TEMPLATE_EYES = 2, 1  # `Template.eye` of the eye at the picture's left, then the other
FINE = 64, 128  # px of the pictures of eyes; the larger in crops drawn at more than
LARGE = 320  # so many px
WHOLE = 1.0  # iris radii within which there is nothing but iris; it ends at `EDGE`
# Iris radii by which it or a lid has moved when it begins to be drawn, and is whole.
STIRS = 0.04, 0.16
ASIDE = 0.6, 0.75  # yaw of the head from which to which it fades, radians
TANGENT = 0.4  # ball radii at which the disc's axes are measured
# How far an iris goes: eye widths to both sides, and shares of the portrait's opening
# below the upper and above the lower lid. Heads that are fitted badly would roll eyes.
SIDEWAYS, HIGH, LOW = 0.32, 0.17, 0.14
CORNER = 0.05  # eye widths before a corner from which it fades


@struct.dataclass
class Eyeballs:
  """The eyes of one portrait, that at the picture's left first.

  Attributes:
    points: upper and lower lid of both.
    lids: `(p, 2)` where they are in the portrait.
    centres, radii: `(2, 3)` and `(2,)` balls of the head, model units.
    middles, sizes: `(2, 2)` and `(2,)` irises in the portrait, and their radii.
    whites, irises: `(2, n, n, 3)` as `eye_pictures` makes them.
    known: `()` 1 if both can be drawn; a pair that looks apart would be worse.
    soft: `()` width of an edge.
  """

  points: Points
  lids: Array
  centres: Array
  radii: Array
  middles: Array
  sizes: Array
  whites: Array
  irises: Array
  known: Array
  soft: Array


def eyeballs(
  portrait: Portrait, vertices: Array, fine: np.ndarray, side: int
) -> Eyeballs:
  """What `drawn` needs of a portrait.

  Args:
    portrait: one face.
    vertices: `(1, v, 3)` its neutral head.
    fine: `(k, k, 3)` uint8, the crop whose pixels are carried.
    side: of the crop at the size at which it is drawn, px.
  """
  head = np.asarray(vertices)[0]
  eyes = eye_pictures(portrait, fine, FINE[side > LARGE])
  balls = [_ball(head, which) for which in TEMPLATE_EYES]
  return Eyeballs(
    points=points(head, MARKS),
    lids=np.float32(portrait.points[list(MARKS)]),
    centres=np.float32([middle for middle, _ in balls]),
    radii=np.float32([radius for _, radius in balls]),
    middles=np.float32([eye.middle for eye in eyes]),
    sizes=np.float32([eye.radius for eye in eyes]),
    whites=np.float32([eye.white for eye in eyes]),
    irises=np.float32([eye.iris for eye in eyes]),
    known=np.float32(all(eye.known for eye in eyes)),
    soft=np.float32(1 / min(side, portrait.side)),
  )


def drawn(
  pictures: Array, eyes: Eyeballs, own: Motion, asked: Motion, part: Part | None = None
) -> Array:
  """Pictures with eyes that look where they are asked to.

  Args:
    pictures: `(b, s, s, 3)` about [0, 1].
    eyes: of the portrait.
    own: the portrait's motion, of batch 1.
    asked: of b frames.
    part: of the crop, that the pictures show; None is all of it.
  """
  part = part or all_of(pictures.shape[1])
  reach = min(part.side, round(REACH * part.whole))
  at_rest = placed(eyes.points, own)[0]
  rest = jax.tree.map(lambda x: x[0], _discs(eyes, own))

  def frame(picture, points, discs, yaw):
    facing = smooth_step((ASIDE[1] - jnp.abs(yaw)) / (ASIDE[1] - ASIDE[0]))

    def looking(eye, picture):
      now = eye_rims(eye, points, at_rest, eyes.lids)
      lids = rims(*lids_of(eyes.lids, eye)), now
      disc = [Discs(x.middle[eye], x.axes[eye]) for x in (rest, discs)]
      share = eyes.known * facing * _stirs(*lids, *disc, eyes.sizes[eye])
      start, place, fade = window(lids[1].centre(), part, reach)
      face = jax.lax.dynamic_slice(picture, start, (reach, reach, 3))
      ball = _white(eyes, eye, *lids, place)
      iris, there = _iris(eyes, eye, *disc, place, *lids)
      made = ball + there * (iris - ball)
      share *= fade * _between(lids[1], place, eyes.soft)
      made = face + share * (made - face)
      return jax.lax.dynamic_update_slice(picture, made, start)

    # A loop, for XLA would compile both eyes.
    return jax.lax.fori_loop(0, 2, looking, picture)

  frames = pictures, placed(eyes.points, asked), _discs(eyes, asked), asked.z_pose[:, 0]
  return jax.lax.map(lambda one: frame(*one), frames)


class Discs(NamedTuple):
  """Irises on the screen, as the template has them; `(b, 2, ...)` for both.

  Attributes:
    middle: `(..., 2)`.
    axes: `(..., 2, 2)` to the disc's right, and down.
  """

  middle: Array
  axes: Array


def _discs(eyes: Eyeballs, motion: Motion) -> Discs:
  yaw, pitch = motion.z_dyn[:, NUM_UNITS], motion.z_dyn[:, NUM_UNITS + 1]
  gaze = euler_matrix(yaw, -pitch, jnp.zeros_like(yaw))  # as `prior.pose_head`
  right, up, ahead = (gaze[:, None, :, i] for i in range(3))
  radii = eyes.radii[None, :, None]
  middle = eyes.centres + radii * ahead
  reach = TANGENT * radii
  marks = jnp.stack([middle, middle + reach * right, middle - reach * up], 2)
  there = carried(marks.reshape(len(yaw), 6, 3), motion).reshape(len(yaw), 2, 3, 2)
  return Discs(there[:, :, 0], there[:, :, 1:] - there[:, :, :1])


def _stirs(before: Rims, now: Rims, then: Discs, disc: Discs, size: Array) -> Array:
  """0 for an eye that is as in the portrait, 1 for one that looks elsewhere.

  Args:
    before, then: lids and iris in the portrait; now, disc: in this frame.
    size: radius of the iris.
  """
  way = disc.middle - then.middle - (now.middle - before.middle)
  lids = now.apart(before) * jnp.linalg.norm(now.across)
  moved = jnp.maximum(jnp.linalg.norm(way), lids) / size
  stirs = smooth_step((moved - STIRS[0]) / (STIRS[1] - STIRS[0]))
  return stirs * smooth_step((before.opening() - AJAR[0]) / (AJAR[1] - AJAR[0]))


def _white(eyes: Eyeballs, eye: Array, before: Rims, now: Rims, place: Array) -> Array:
  """What the lids show of the ball, `(..., 3)`: it goes with their corners."""
  lids = lids_of(eyes.lids, eye)
  away = before.places(*now.within(place)) - centre(*lids)
  return _cut_out(eyes.whites[eye], away / (WHITE * width(*lids)))


def _iris(
  eyes: Eyeballs,
  eye: Array,
  then: Discs,
  disc: Discs,
  place: Array,
  before: Rims,
  now: Rims,
) -> tuple[Array, Array]:
  """The iris, `(..., 3)`, and where it is, `(..., 1)`."""
  size = eyes.sizes[eye]
  # The template's disc has the size of a ball's cap, the portrait's has its own.
  scale = size / jnp.linalg.norm(then.axes[0])
  own = eyes.middles[eye]
  middle = _held(own + disc.middle - then.middle, own, before, now)
  flat = (place - middle) @ jnp.linalg.inv(disc.axes * scale)
  iris = _cut_out(eyes.irises[eye], flat @ (then.axes * scale) / (IRIS * size))
  away = jnp.linalg.norm(flat, axis=-1)[..., None]
  return iris, smooth_step((EDGE - away) / (EDGE - WHOLE))


def _held(middle: Array, own: Array, before: Rims, now: Rims) -> Array:
  """Where an iris is, `(2,)`, that would go to `middle`, and is at `own` at rest."""
  (u, v), (own_u, own_v) = now.within(middle), before.within(own)
  u = jnp.clip(u, jnp.minimum(-SIDEWAYS, own_u), jnp.maximum(SIDEWAYS, own_u))
  above, below = along(before.above, u), along(before.below, u)
  high, low = HIGH * (below - above), LOW * (below - above)
  v = jnp.clip(v, jnp.minimum(above + high, own_v), jnp.maximum(below - low, own_v))
  return now.places(u, v)


def _between(now: Rims, place: Array, soft: Array) -> Array:
  """`(..., 1)`: 1 between the lids, 0 elsewhere; what is drawn ends at their rims."""
  u, v = now.within(place)
  soft = soft / jnp.linalg.norm(now.across)
  above, below = along(now.above, u), along(now.below, u)
  inside = jnp.clip((v - above) / soft, 0, 1) * jnp.clip((below - v) / soft, 0, 1)
  return (inside * smooth_step((0.5 - jnp.abs(u)) / CORNER))[..., None]


def _cut_out(picture: Array, at: Array) -> Array:
  """A square picture `(n, n, 3)` at places about its middle, in shares of its side."""
  n = len(picture)
  return sampled(picture.reshape(-1, 3), at * n + n / 2 - 0.5, n, n)


def _ball(vertices: np.ndarray, which: int) -> tuple[np.ndarray, float]:
  """Centre and radius of an eyeball, of which the template has the front half."""
  shell = vertices[load_template().eye == which]
  low, high = shell.min(0), shell.max(0)
  radius = float((high - low)[0]) / 2
  return np.append((low + high)[:2] / 2, high[2] - radius), radius
