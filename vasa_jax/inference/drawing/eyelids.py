"""Lids that shut: skin without a seam, and a line of lashes.

A portrait with open eyes shows no shut lid. Its flow stretches the strip of skin above
the lashes over the eye, streaks and all, and draws the lashes out to a jagged line.
Here a lid that closes beyond the portrait's own is painted: skin as it is round the
eye, from where the lid is in the portrait down to where it is now, and lashes along its
edge. Where lids meet, skin from below the portrait's own covers the line of the eye
that the flow leaves. Eyes that are as open as the portrait's are left alone.

Pure functions of arrays; lengths are crop units, or eye widths where it is said.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from PIL import Image, ImageFilter

from vasa_jax.face.enlarge import Part, all_of, sampled
from vasa_jax.inference.drawing.rims import (
  BINS,
  Points,
  Rims,
  along,
  own_rims,
  placed,
  points,
  rims,
  window,
)
from vasa_jax.inference.finding.portrait import Portrait
from vasa_jax.nn.smooth_step import smooth_step
from vasa_jax.types import Array, Motion

# Landmarks along the upper and the lower lid, from the picture's left to its right.
EYES = (
  ((33, 246, 161, 160, 159, 158, 157, 173, 133),
   (33, 7, 163, 144, 145, 153, 154, 155, 133)),
  ((362, 398, 384, 385, 386, 387, 388, 466, 263),
   (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)  # fmt: skip
MARKS = tuple(mark for eye in EYES for lid in eye for mark in lid)
_LID = len(EYES[0][0])
REACH = 0.24  # crop units: the square in which an eye is drawn
# Share of the portrait's opening that is gone before a lid is painted, and before it is
# painted whole.
CLOSES = 0.3, 0.6
AJAR = 0.06, 0.12  # openings of eyes that are shut in the portrait, and that are open
# Eye widths: from lids to the skin whose colour they have, above and below the eye; how
# the painting fades above and below, towards the nose, and outwards along the lashes.
ABOVE, BELOW = 0.2, 0.24
FADES = 0.12
INNER, OUTER = (0.5, 0.62), (0.6, 0.8)
# Lids that meet: how near, how far below the portrait's lower lid skin is free of eye,
# from where to where the flow is right again, and where the skin ends beside the eye.
GAP, CLEAR = (0.04, 0.1), 0.06
NEAR, FAR, CORNER = 0.15, 0.3, (0.6, 0.8)
# Lashes: half their breadth in eye widths, and how dark they are, at both corners.
BREADTH, DARK = (0.022, 0.04), (0.5, 0.85)
TIP = 0.12  # eye widths before a corner from which they fade
CREASE, BULGE = 0.13, 0.06  # shade at the lid's fold, and light on its middle


@struct.dataclass
class Eyelids:
  """The lids of one portrait.

  Attributes:
    points: upper and lower lid of the eye at the picture's left, then of the other.
    lids: `(p, 2)` where they are in the portrait.
    skin: `(2, BINS, 3)` colour of both shut lids across.
    lashes: `(3,)`.
    soft: `()` width of an edge.
  """

  points: Points
  lids: Array
  skin: Array
  lashes: Array
  soft: Array


def eyelids(portrait: Portrait, vertices: Array, side: int) -> Eyelids:
  """What `drawn` needs of a portrait.

  Args:
    portrait: one face.
    vertices: `(1, v, 3)` its neutral head.
    side: of the crop at the size at which it is drawn, px.
  """
  size = len(portrait.crop)
  smooth = Image.fromarray(portrait.crop).filter(ImageFilter.GaussianBlur(size / 128))
  smooth, crop = (
    np.asarray(picture, np.float32) / 255 for picture in (smooth, portrait.crop)
  )

  def at(picture, place):
    x, y = (place * size - 0.5).round().astype(int).clip(0, size - 1).T
    return picture[y, x]

  skin, lashes = [], []
  for upper, lower in EYES:
    above, below = (portrait.points[list(lid)] for lid in (upper, lower))
    across = (above[-1] - above[0] + below[-1] - below[0]) / 2
    down = np.array([-across[1], across[0]])
    even = np.linspace(0, 1, BINS)

    def curve(rim, even=even):
      return np.stack([np.interp(even, np.linspace(0, 1, _LID), c) for c in rim.T], -1)

    over = at(smooth, curve(above) - ABOVE * down)
    under = at(smooth, curve(below) + BELOW * down)
    # Brows, shadow and paint above an eye are darker than its lid.
    share = (
      np.clip(over.mean(-1) / np.maximum(under.mean(-1), 1e-3) - 0.6, 0, 0.4) / 0.8
    )
    own = under + share[:, None] * (over - under)
    wide = np.exp(-0.5 * ((even - even[:, None]) / 0.15) ** 2)
    skin.append(wide @ own / wide.sum(1, keepdims=True))
    edge = at(crop, curve(above)[BINS // 5 : -(BINS // 5)])
    dark = edge[edge.mean(-1) <= np.quantile(edge.mean(-1), 0.3)].mean(0)
    lashes.append(np.minimum(dark, 0.45 * skin[-1].mean(0)))
  return Eyelids(
    points=points(np.asarray(vertices)[0], MARKS),
    lids=np.float32(portrait.points[list(MARKS)]),
    skin=np.float32(skin),
    lashes=np.float32(np.mean(lashes, 0)),  # of both: they are a pair
    soft=np.float32(1 / min(side, portrait.side)),
  )


def drawn(
  pictures: Array,
  eyelids: Eyelids,
  own: Motion,
  asked: Motion,
  fine: Array,
  part: Part | None = None,
) -> Array:
  """Pictures with the lids that close.

  Args:
    pictures: `(b, s, s, 3)` about [0, 1].
    eyelids: of the portrait.
    own: the portrait's motion, of batch 1.
    asked: of b frames.
    fine: `(k, k, 3)` uint8, the portrait.
    part: of the crop, that the pictures show; None is all of it.
  """
  part = part or all_of(pictures.shape[1])
  reach = min(part.side, round(REACH * part.whole))
  at_rest = placed(eyelids.points, own)[0]
  rests = jax.vmap(lambda eye: rims(*lids_of(eyelids.lids, eye)))(jnp.arange(2))

  def painted(picture, eye, rest, now, share):
    start, place, fade = window(now.centre(), part, reach)
    face = jax.lax.dynamic_slice(picture, start, (reach, reach, 3))
    made = _below(face, rest, now, place, fine)
    made = _lid(eyelids, eye, rest, now, place, made)
    made = face + share * fade * (made - face)
    return jax.lax.dynamic_update_slice(picture, made, start)

  def frame(picture, points):
    def closed(eye, picture):
      rest = jax.tree.map(lambda x: x[eye], rests)
      now, before = eye_rims(eye, points, at_rest, eyelids.lids), rest.opening()
      gone = 1 - now.opening() / jnp.maximum(before, 1e-3)
      share = smooth_step((gone - CLOSES[0]) / (CLOSES[1] - CLOSES[0]))
      share *= smooth_step((before - AJAR[0]) / (AJAR[1] - AJAR[0]))
      return jax.lax.cond(
        share > 0, lambda x: painted(x, eye, rest, now, share), lambda x: x, picture
      )

    # A loop, for XLA would compile both eyes.
    return jax.lax.fori_loop(0, 2, closed, picture)

  frames = pictures, placed(eyelids.points, asked)
  return jax.lax.map(lambda one: frame(*one), frames)


def eye_rims(eye: Array, now: Array, at_rest: Array, own: Array) -> Rims:
  """Lids of one eye in a frame, from points as in `own_rims`, at all `MARKS`.

  Lids that are nearer each other than the template's stay nearer: eyes have to shut.
  """
  now, at_rest, own = (jnp.concatenate(lids_of(x, eye)) for x in (now, at_rest, own))
  nearer = _opening(own) < _opening(at_rest)
  moved = rims(*jnp.split(now + own - at_rest, 2))
  meeting = own_rims(now, at_rest, own)
  return jax.tree.map(lambda a, b: jnp.where(nearer, a, b), moved, meeting)


def _opening(lids: Array) -> Array:
  return rims(*jnp.split(lids, 2)).opening()


def lids_of(points: Array, eye: Array) -> tuple[Array, Array]:
  """The upper and the lower lid of one eye, from points `(p, 2)` at all `MARKS`."""
  lids = jax.lax.dynamic_slice_in_dim(points, 2 * _LID * eye, 2 * _LID)
  return lids[:_LID], lids[_LID:]


def _below(face: Array, rest: Rims, now: Rims, place: Array, fine: Array) -> Array:
  """A face with skin up to the lower lid, where the lids meet.

  The flow leaves a thin line of the eye there. Arguments as of `_lid`, and `fine`.
  """
  u, v = now.within(place)
  above, below = along(now.above, u), along(now.below, u)
  meet = (above + below) / 2
  share = 1 - smooth_step((below - above - GAP[0]) / (GAP[1] - GAP[0]))
  away = jnp.maximum(v - meet, 0)
  then = along(rest.below, u) + CLEAR + away * (1 - CLEAR / FAR)
  k = len(fine)
  skin = sampled(fine.reshape(-1, 3), rest.places(u, then) * k - 0.5, k, k) / 255
  share *= (v > above) * (1 - smooth_step((away - NEAR) / (FAR - NEAR)))
  share *= smooth_step((CORNER[1] - jnp.abs(u)) / (CORNER[1] - CORNER[0]))
  return face + share[..., None] * (skin - face)


def _lid(
  eyelids: Eyelids, eye: Array, rest: Rims, now: Rims, place: Array, face: Array
) -> Array:
  """A face with a lid over its eye.

  Args:
    rest, now: rims in the portrait and in this frame.
    place, face: `(n, n, 2)` and `(n, n, 3)`, pixels round the eye.
  """
  u, v = now.within(place)
  soft = eyelids.soft / jnp.linalg.norm(now.across)
  fold, edge = along(rest.above, u), along(now.above, u)
  inside = smooth_step((v - fold + FADES) / FADES)
  inside *= smooth_step((edge - v) / soft + 0.5)
  out = (2 * eye - 1) * u
  beside = smooth_step((OUTER[1] - out) / (OUTER[1] - OUTER[0]))
  beside *= smooth_step((INNER[1] + out) / (INNER[1] - INNER[0]))
  depth = jnp.clip((v - fold) / jnp.maximum(edge - fold, soft), 0, 1)
  shade = 1 - CREASE * (1 - depth) ** 2 + BULGE * jnp.sin(jnp.pi * depth)
  skin = along(eyelids.skin[eye], u) * shade[..., None]
  made = face + (inside * beside)[..., None] * (skin - face)
  part = jnp.clip(out + 0.5, 0, 1)  # 0 at the nose, 1 at the temple
  breadth = jnp.maximum(BREADTH[0] + part * (BREADTH[1] - BREADTH[0]), soft)
  line = DARK[0] + part * (DARK[1] - DARK[0])
  line *= jnp.exp(-jnp.square((v - edge) / breadth))
  line *= smooth_step((0.5 - jnp.abs(u)) / TIP)
  return made + line[..., None] * (eyelids.lashes - made)
