"""What one sees between the lips: teeth, tongue and the dark behind them.

A portrait whose lips are closed shows nothing of its mouth, and one that smiles shows a
row of teeth, which a moving lip would drag along or stretch. Here the inside is put
together anew in every frame, from behind to the front:

- the dark of the cavity;
- lower teeth and tongue, and upper teeth, as pictures (`mouth_pictures.py`);
- what the portrait itself shows between its lips. It hangs on the skull, not on a lip;
  of a mouth that is wide open the lower half goes with the jaw.

All lie where the head template has its teeth, and are seen between the template's lips
(`lips.py`), moved by as much as the portrait's own lips lie elsewhere. At rest nothing
is drawn: the portrait stays as it is.

Pure functions of arrays; lengths are crop units unless said otherwise.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax.face.enlarge import Part, all_of, sampled
from vasa_jax.face.template import load_template
from vasa_jax.inference.drawing import mouth_pictures
from vasa_jax.inference.drawing.lip_skin import closed
from vasa_jax.inference.drawing.lips import LOWER_LIP, UPPER_LIP, between
from vasa_jax.inference.drawing.mouth_pictures import LOWER, UPPER, Box
from vasa_jax.inference.drawing.rims import (
  Points,
  own_rims,
  placed,
  points,
  rims,
  window,
)
from vasa_jax.inference.finding.portrait import Portrait
from vasa_jax.nn.smooth_step import smooth_step
from vasa_jax.types import Array, Motion

REACH = 0.3  # crop units: the square in which a mouth is drawn
# Mouth widths: how far the lips lie from the portrait's before the inside shows.
STIRS = 0.04
# The same: openings of a portrait whose mouth is parted between skull and jaw.
WIDE = 0.18, 0.35
# Yaw from which to which the inside fades, radians: beyond, lips do not end where the
# template's do.
ASIDE = 0.4, 0.52
SOFT = 1.5  # px, of an edge
_RIM = len(UPPER_LIP)


@struct.dataclass
class Mouth:
  """The mouth of one portrait.

  Attributes:
    points: upper rim, lower rim, anchors of the upper and of the lower row.
    lips: `(rims, 2)` where both rims are in the portrait.
    places: `(2, 4, a)` pseudo-inverses: times the anchors' places on the screen, the
      maps of both rows.
    rows: `(h, w, 4)` each, the upper and the lower one in the portrait's light.
    cavity: `(2, 3)` in the middle, and towards the corners.
    soft: `()` width of an edge.
  """

  points: Points
  lips: Array
  places: Array
  rows: tuple[Array, Array]
  cavity: Array
  soft: Array


def mouth(portrait: Portrait, vertices: Array, own: Motion, side: int) -> Mouth:
  """What `drawn` needs of a portrait.

  Args:
    portrait: one face.
    vertices: `(1, v, 3)` its neutral head.
    own: its own motion, of batch 1.
    side: of the crop at the size at which it is drawn, px.
  """
  view = mouth_pictures.view_of(float(np.degrees(own.z_pose[0, 0])))
  rows = mouth_pictures.anchors(view)
  turned = mouth_pictures.turned(load_template().mean, view)
  light = mouth_pictures.light_on(portrait)
  native = min(side, portrait.side)  # px of the crop that carry detail
  pictures = (
    mouth_pictures.dulled(row, native) for row in mouth_pictures.pictures(view)
  )
  return Mouth(
    points=points(np.asarray(vertices)[0], UPPER_LIP + LOWER_LIP, np.concatenate(rows)),
    lips=np.float32(portrait.points[list(UPPER_LIP + LOWER_LIP)]),
    places=np.float32([np.linalg.pinv(_terms(turned[row])) for row in rows]),
    rows=tuple(light.on(row) for row in pictures),
    cavity=light.on(mouth_pictures.CAVITY),
    soft=np.float32(SOFT / native),
  )


def drawn(
  pictures: Array,
  mouth: Mouth,
  own: Motion,
  asked: Motion,
  fine: Array,
  part: Part | None = None,
) -> Array:
  """Pictures with the inside of the mouth in them.

  Args:
    pictures: `(b, s, s, 3)` about [0, 1].
    mouth: of the portrait.
    own: the portrait's motion, of batch 1.
    asked: of b frames.
    fine: `(k, k, 3)` uint8, the portrait.
    part: of the crop, that the pictures show; None is all of it.
  """
  part = part or all_of(pictures.shape[1])
  reach = min(part.side, round(REACH * part.whole))
  at_rest = placed(mouth.points, own)[0]
  rest, rest_maps = rims(*jnp.split(mouth.lips, 2)), _maps(mouth, at_rest)
  parts = smooth_step((rest.opening() - WIDE[0]) / (WIDE[1] - WIDE[0]))

  def painted(below, which, place, light):
    """A row's picture over what lies below; `which` is 0 for the upper one."""
    picture, box = mouth.rows[which], (UPPER, LOWER)[which]
    row = _sampled(picture, _in_box(box, place, picture))
    # Upper teeth of a mouth that is wide open in the portrait are there to see.
    share = row[..., 3:] * (1 if which else 1 - parts)
    return below + share * (row[..., :3] * light - below)

  def shown(below, which, place):
    """What hangs on the skull (0) or the jaw (1) in the portrait, over that."""
    then = _forth(rest_maps[which], place)
    lips = between(rest, then, mouth.soft)
    lower = parts * smooth_step((lips.depth - 0.3) / 0.4)
    share = lips.inside * (lower if which else 1 - lower)
    return below + share * (_sampled(fine, then * len(fine) - 0.5) / 255 - below)

  def frame(picture, points, yaw):
    now = own_rims(points[: 2 * _RIM], at_rest[: 2 * _RIM], mouth.lips)
    maps = _maps(mouth, points)
    start, place, fade = window(now.centre(), part, reach)
    face = jax.lax.dynamic_slice(picture, start, (reach, reach, 3))
    facing = smooth_step((ASIDE[1] - jnp.abs(yaw)) / (ASIDE[1] - ASIDE[0]))
    skin = closed(face, rest, now, place, fine, mouth.soft)
    face += fade * facing * (skin - face)

    lips = between(now, place, mouth.soft)
    throat, cheeks = mouth.cavity
    inside = (throat + smooth_step(lips.aside) * (cheeks - throat)) * lips.light
    places = [_back(map, place) for map in maps]
    for which in (1, 0):
      inside = painted(inside, which, places[which], lips.light)
    inside = jax.lax.cond(
      parts > 0, lambda x: shown(x, 1, places[1]), lambda x: x, inside
    )
    inside = shown(inside, 0, places[0])
    share = fade * facing * lips.inside * smooth_step(now.apart(rest) / STIRS)
    return jax.lax.dynamic_update_slice(picture, face + share * (inside - face), start)

  frames = pictures, placed(mouth.points, asked), asked.z_pose[:, 0]
  return jax.lax.map(lambda one: frame(*one), frames)


class Map(NamedTuple):
  """From a view to the screen: `start + turn (x, y) + bend x^2`."""

  start: Array
  turn: Array
  bend: Array


def _terms(points: np.ndarray) -> np.ndarray:
  """Points of a view `(n, 3)` to `(n, 4)`: rows of teeth are arches, hence x^2."""
  x, y = points[:, 0], points[:, 1]
  return np.stack([np.ones_like(x), x, y, x * x], -1)


def _maps(mouth: Mouth, points: Array) -> list[Map]:
  """How the upper and the lower row lie, by their anchors."""
  there = points[2 * _RIM :].reshape(2, -1, 2)
  found = jnp.einsum('rta,rac->rtc', mouth.places, there)
  return [Map(row[0], row[1:3].T, row[3]) for row in found]


def _forth(map: Map, place: Array) -> Array:
  """A view's places `(..., 2)` to the screen."""
  return map.start + place @ map.turn.T + place[..., :1] ** 2 * map.bend


def _back(map: Map, place: Array) -> Array:
  """The screen's places `(..., 2)` to a view, the side of the arch that faces us.

  Beyond the arch's outline, seen from the side, its last place goes on.
  """
  back = jnp.linalg.inv(map.turn)
  flat = (place - map.start) @ back.T
  bend = back @ map.bend
  inner = jnp.maximum(1 + 4 * bend[0] * flat[..., :1], 0)
  x = jnp.where(inner > 0, 2 * flat[..., :1] / (1 + jnp.sqrt(inner)), -0.5 / bend[0])
  return jnp.concatenate([x, flat[..., 1:] - bend[1] * x**2], -1)


def _in_box(box: Box, place: Array, picture: Array) -> Array:
  """Places of a view in px of its picture."""
  high, wide = picture.shape[:2]
  x = (place[..., 0] - box.left) / (box.right - box.left) * wide - 0.5
  y = (box.top - place[..., 1]) / (box.top - box.bottom) * high - 0.5
  return jnp.stack([x, y], -1)


def _sampled(picture: Array, at: Array) -> Array:
  """A picture `(h, w, c)` at px `(..., 2)`."""
  high, wide, channels = picture.shape
  return sampled(picture.reshape(-1, channels), at, high, wide)
