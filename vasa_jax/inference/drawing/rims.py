"""Where the rims of a mouth or an eye are in a frame.

An opening of the face is two curves between two corners. They are known at even places
across, as heights over the line between the corners, so that turning the head or coming
nearer changes little. Here points of the head template are placed on the screen, and
rims made of them.

Pure functions of arrays; lengths are crop units, or widths of the opening where it is
said.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax.face.enlarge import Part
from vasa_jax.face.prior import project
from vasa_jax.face.template import load_template
from vasa_jax.nn.rotation import euler_matrix, rotate, rotation_vector
from vasa_jax.nn.smooth_step import smooth_step
from vasa_jax.types import NUM_UNITS, Array, Motion

BINS = 25  # places across at which rims are known
SHUT = 0.02  # widths: an opening of the template that is none
BORDER = 0.1  # of a window's side: where what is drawn in it fades
_THIRD = slice(BINS // 3, BINS - BINS // 3)


@struct.dataclass
class Points:
  """Points of one portrait's head.

  Attributes:
    neutral: `(p, 3)`.
    units: `(52, p, 3)` what face units do to them.
  """

  neutral: Array
  units: Array


def points(
  vertices: np.ndarray, landmarks: tuple[int, ...], others: np.ndarray | None = None
) -> Points:
  """Landmarks of a head, and some of its vertices behind them.

  Args:
    vertices: `(v, 3)` the neutral head.
    landmarks: of the face mesh.
    others: indices of vertices.
  """
  template, marks = load_template(), list(landmarks)
  index, weight = template.landmark_index[marks], template.landmark_weight[marks]
  others = np.zeros(0, int) if others is None else others

  def gathered(values):
    first = np.einsum('...nkc,nk->...nc', values[..., index, :], weight)
    return np.float32(np.concatenate([first, values[..., others, :]], -2))

  return Points(gathered(vertices), gathered(template.units))


def placed(points: Points, motion: Motion) -> Array:
  """Points that the head takes along on the screen, `(b, p, 2)`."""
  units = motion.z_dyn[:, :NUM_UNITS]
  moved = points.neutral + jnp.einsum('bu,upc->bpc', units, points.units)
  return carried(moved, motion)


def carried(places: Array, motion: Motion) -> Array:
  """Places of the head `(b, p, 3)` on the screen, `(b, p, 2)`."""
  angles = (motion.z_pose[:, i] for i in range(3))
  axis, angle = rotation_vector(euler_matrix(*angles))
  turned = rotate(places, axis, jnp.broadcast_to(angle[:, None], places.shape[:2]))
  return project(turned, motion.z_pose)[0]


class Rims(NamedTuple):
  """The opening of a frame.

  Attributes:
    middle, across: `(2,)` between the corners, and from one to the other.
    above, below: `(BINS,)` height of the rims at even places across, widths down.
  """

  middle: Array
  across: Array
  above: Array
  below: Array

  def opening(self) -> Array:
    """Of the middle third, widths."""
    return jnp.maximum(self.below - self.above, 0)[_THIRD].mean()

  def apart(self, other: 'Rims') -> Array:
    """How far two openings differ in their middle third, widths."""
    above, below = self.above - other.above, self.below - other.below
    return jnp.maximum(jnp.abs(above), jnp.abs(below))[_THIRD].mean()

  def centre(self) -> Array:
    """`(2,)` of what lies between the rims."""
    down = jnp.stack([-self.across[1], self.across[0]])
    return self.middle + down * (self.above + self.below)[_THIRD].mean() / 2

  def within(self, place: Array) -> tuple[Array, Array]:
    """Places `(..., 2)` in widths from the middle: to the right, down."""
    unit = self.across / jnp.square(self.across).sum()
    away = place - self.middle
    return away @ unit, away @ jnp.stack([-unit[1], unit[0]])

  def places(self, u: Array, v: Array) -> Array:
    """`(..., 2)`, the other way: what lies `u` widths to the right and `v` down."""
    down = jnp.stack([-self.across[1], self.across[0]])
    return self.middle + u[..., None] * self.across + v[..., None] * down


def rims(above: Array, below: Array) -> Rims:
  """Of points along both rims `(n, 2)`, from the picture's left to its right."""
  left, right = (above[0] + below[0]) / 2, (above[-1] + below[-1]) / 2
  found = Rims((left + right) / 2, right - left, above, below)
  even = jnp.linspace(-0.5, 0.5, BINS)

  def curve(rim):
    u, v = found.within(rim)
    # An opening seen from the side may fold; places across have to rise.
    v = jnp.interp(even, jax.lax.cummax(u), v)
    return v.at[1:-1].set((v[:-2] + 2 * v[1:-1] + v[2:]) / 4)

  return found._replace(above=curve(above), below=curve(below))


def own_rims(now: Array, at_rest: Array, own: Array) -> Rims:
  """Rims of a portrait in one frame.

  The template's rims are nearly as far apart as the portrait's. By as much as they
  close, the difference goes: rims that meet there meet here.

  Args:
    now, at_rest: `(2n, 2)` the template's points in this frame and in the portrait,
      those of the upper rim before those of the lower one.
    own: where they are in the portrait.
  """
  aside = jnp.split(own - at_rest, 2)
  (above, below), both = jnp.split(now, 2), (aside[0] + aside[1]) / 2
  before = rims(*jnp.split(at_rest, 2)).opening()
  part = jnp.clip(rims(above, below).opening() / jnp.maximum(before, SHUT), 0, 1)
  part = jnp.where(before > SHUT, part, 1)
  over, under = (both + part * (one - both) for one in aside)
  return rims(above + over, below + under)


def along(curves: Array, u: Array) -> Array:
  """Curves `(BINS, ...)` at places across: linear between bins, constant beyond."""
  at = jnp.clip((u + 0.5) * (BINS - 1), 0, BINS - 1)
  low = jnp.minimum(at.astype(jnp.int32), BINS - 2)
  part = (at - low).reshape(*at.shape, *[1] * (curves.ndim - 1))
  return curves[low] * (1 - part) + curves[low + 1] * part


class Window(NamedTuple):
  """A square of a picture.

  Attributes:
    start: of `lax.dynamic_slice` in the picture.
    place: `(reach, reach, 2)` where its pixels are in the crop.
    fade: `(reach, reach, 1)` 1 inside, 0 at its border: what is drawn ends nowhere.
  """

  start: tuple[Array, Array, int]
  place: Array
  fade: Array


def window(centre: Array, part: Part, reach: int) -> Window:
  """The square round a place, moved as far as it has to be to lie in the pictures.

  Args:
    centre: `(2,)`.
    part: of the crop, that the pictures show.
    reach: of the square, px.
  """
  first = jnp.array([part.x, part.y])
  corner = jnp.round(centre * part.whole - reach / 2).astype(jnp.int32)
  corner = jnp.clip(corner, first, first + part.side - reach)
  line = np.arange(reach)
  grid = np.stack(np.meshgrid(line, line), -1)
  inside = np.minimum(line, reach - 1 - line) / max(1, BORDER * reach)
  fade = smooth_step(np.minimum(inside[:, None], inside)).astype(np.float32)
  start = (corner[1] - part.y, corner[0] - part.x, 0)
  return Window(start, (grid + corner + 0.5) / part.whole, fade[..., None])
