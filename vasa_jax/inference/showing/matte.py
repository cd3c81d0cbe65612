"""What of a portrait may move: the head and what hangs on it; the rest stays as it is.

Hair and hats lie outside the head template and go with it, so the matte reaches beyond
the head upwards and to the sides, and hardly downwards: collars and shoulders are the
portrait's own. The neck is in between, by as much as its skin follows the head. A body
that is asked to go farther than a neck can, nearer to the camera or across the picture,
goes as a whole.

Pure functions of arrays and the head template; nothing is learned. Lengths are crop
units.
"""

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.face.prior import project
from vasa_jax.face.template import load_template
from vasa_jax.nn.rotation import euler_matrix, rotate, rotation_vector
from vasa_jax.nn.smooth_step import smooth_step
from vasa_jax.types import Array, Motion

CELLS = 64  # along a side of the grid on which the matte is made
HEAD = 0.7, 0.95  # of a vertex's share of the head's rotation: neck, head
# Spread of the head over its surroundings: above it, beside it, below it.
ABOVE, BESIDE, BELOW = 0.17, 0.13, 0.06
ENDS, WHOLE = 0.01, 0.16  # of the spread head: nothing moves, everything does
NECK = 0.03  # spread of the neck
# How far a head goes from its place before the body comes along, and goes with it.
LEANS, WALKS = 0.14, 0.22
ZOOM = 0.5  # crop units of way that a log ratio of distances counts for
MARGIN = (0.02, 0.12)  # from the border: nothing moves, everything may


def matte(vertices: Array, own: Motion, asked: Motion, size: int) -> Array:
  """The share of the asked motion that each pixel follows.

  Args:
    vertices: `(1, v, 3)` the portrait's neutral head.
    own: the portrait's own motion, of batch 1.
    asked: anchored motion of b frames.
    size: side of the matte, px.

  Returns:
    `(b, size, size, 1)` in [0, 1], 0 at the border.
  """
  body = _body(own.z_pose, asked.z_pose)
  places = jnp.concatenate([own.z_pose, asked.z_pose])
  vertices = jnp.broadcast_to(vertices, (len(places), *vertices.shape[1:]))
  follows = jnp.asarray(load_template().head_weight)
  axis, angle = rotation_vector(euler_matrix(*(places[:, i] for i in range(3))))
  screen, _ = project(rotate(vertices, axis, angle[:, None] * follows), places)
  before = jax.vmap(_grown, (None, None, 0))(screen[0], follows, body)
  now = jax.vmap(_grown, (0, None, 0))(screen[1:], follows, body)
  grown = jnp.maximum(before, now)[..., None]
  grown = jax.image.resize(grown, (len(grown), size, size, 1), 'linear')
  return grown * _frame(size)


def _body(own: Array, asked: Array) -> Array:
  """How much of the body goes along: `(b,)` in [0, 1].

  Args:
    own, asked: `z_pose`, `(1, 6)` and `(b, 6)`.
  """
  log_ratio, across, down = jnp.moveaxis((asked - own)[:, 3:], -1, 0)
  way = jnp.sqrt(across**2 + down**2 + (ZOOM * log_ratio) ** 2)
  return smooth_step((way - LEANS) / (WALKS - LEANS))


def _grown(screen: Array, follows: Array, body: Array) -> Array:
  """The matte of one head, `(CELLS, CELLS)`.

  Args:
    screen: `(v, 2)` where its vertices are.
    follows: `(v,)` their share of the head's rotation.
    body: share of the body that goes along.
  """
  follows = follows + (1 - follows) * body
  column, row = jnp.moveaxis(jnp.floor(screen * CELLS).astype(jnp.int32), -1, 0)
  # Negative places would count from the other end.
  outside = (jnp.minimum(column, row) < 0) | (jnp.maximum(column, row) >= CELLS)
  row = jnp.where(outside, CELLS, row)
  skin = jnp.zeros((CELLS, CELLS)).at[row, column].max(follows, mode='drop')
  skin = jax.lax.reduce_window(skin, 0.0, jax.lax.max, (3, 3), (1, 1), 'SAME')
  head = smooth_step((skin - HEAD[0]) / (HEAD[1] - HEAD[0]))
  head = _spread(ABOVE, BELOW) @ head @ _spread(BESIDE, BESIDE).T
  neck = _spread(NECK, NECK) @ skin @ _spread(NECK, NECK).T
  return jnp.maximum(smooth_step((head - ENDS) / (WHOLE - ENDS)), neck)


def _spread(before: float, behind: float) -> np.ndarray:
  """`(CELLS, CELLS)`: rows take from their surroundings, by a bell with two widths.

  Args:
    before: standard deviation for what lies at larger indices than the row.
    behind: for what lies at smaller ones.
  """
  place = (np.arange(CELLS) + 0.5) / CELLS
  away = place - place[:, None]
  bell = np.exp(-0.5 * (away / np.where(away > 0, before, behind)) ** 2)
  whole = np.sqrt(np.pi / 2) * (before + behind) * CELLS  # also at the border
  return (bell / whole).astype(np.float32)


def _frame(size: int) -> np.ndarray:
  """0 at the border, 1 inside: `(size, size, 1)`."""
  at = (np.arange(size) + 0.5) / size
  nothing, everything = MARGIN
  nothing += 1 / size  # what is interpolated later begins a cell before
  x = smooth_step((np.minimum(at, 1 - at) - nothing) / (everything - nothing))
  x = x.astype(np.float32)
  return (x[:, None] * x)[..., None]
