"""The moving head back in its picture.

The crop's square is laid onto whole pixels of the picture and drawn at its own size
there (`face/enlarge.py`): what does not move is the picture itself, bit for bit. A
matte says what may move: all of it near the head, nothing at the square's border. It
fades the flow and the painting, not two pictures into each other; so there is no seam
and no double image of hair and collar.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from vasa_jax.inference.landmarks import Landmarks
from vasa_jax.inference.portrait import Portrait
from vasa_jax.types import Array

MAX_SIDE = 2048  # px of the video and of the square; what is larger is scaled down
# All in crop units. Hair and hats lie outside the head template: about 0.1 from it on
# the photographs looked at, wild hair up to 0.2.
AROUND = 0.12  # the matte is 1 so far from the head
FALL = 0.12  # over which it falls to 0
MARGIN = (0.02, 0.12)  # from the border: nothing moves, everything may
MATTE_CELLS = 64  # along a side; a cell is a fraction of what the matte falls over


def settled(portrait: Portrait, most: int = MAX_SIDE) -> Portrait:
  """The portrait with its square on whole pixels of a picture that is not too large.

  Args:
    portrait: as found.
    most: side of the largest picture and square, px.

  Returns:
    `left`, `top` and `side` are whole numbers; `picture` may be scaled down, which a
    note says.
  """
  height, width = portrait.picture.shape[:2]
  scale = min(1.0, most / max(height, width, math.ceil(portrait.side)))
  picture, notes = portrait.picture, portrait.notes
  if scale < 1:
    wide, high = (max(1, round(side * scale)) for side in (width, height))
    image = Image.fromarray(picture).resize((wide, high), Image.Resampling.LANCZOS)
    picture = np.asarray(image)
    notes += (
      f'the picture is scaled down from {width} x {height} to {wide} x {high} px',
    )
  left, top, side = (
    float(round(x * scale)) for x in (portrait.left, portrait.top, portrait.side)
  )
  size = portrait.crop.shape[0]
  zoom = portrait.side * scale / side
  shift = np.array([portrait.left * scale - left, portrait.top * scale - top, 0])

  def moved(points: np.ndarray) -> np.ndarray:
    return (points * zoom + shift * size / side).astype(np.float32)

  marks = portrait.landmarks
  local = Landmarks(
    moved(marks.points), marks.score, moved(marks.irises), moved(marks.eyes)
  )
  found = portrait._replace(
    landmarks=local, left=left, top=top, side=side, picture=picture, notes=notes
  )
  return found._replace(crop=found.cut(size))


def matte(now: Array, rest: Array, size: int) -> Array:
  """What may move, from where the head is in the asked pose and in the portrait's.

  Args:
    now: `(b, n, n, 1)` nearness of the asked head, `Layers.head`.
    rest: `(1, n, n, 1)` of the portrait's own pose.
    size: side of the matte.

  Returns:
    `(b, size, size, 1)` in [0, 1].
  """
  # Nearness halves from level to level and never ends; the head ends at a half of it.
  head = jnp.clip(4 * jnp.maximum(now, rest) - 1, 0.0, 1.0)
  step = max(1, now.shape[1] // MATTE_CELLS)
  head = _windowed(head, jax.lax.max, -jnp.inf, step, step)
  cells = head.shape[1]
  # Two blurs reach half of the fall to both sides, so it is grown by that too.
  half = max(1, round(FALL * cells / 4))
  reach = round(AROUND * cells) + 2 * half
  grown = _windowed(head, jax.lax.max, -jnp.inf, 2 * reach + 1)
  for _ in range(2):
    padded = jnp.pad(grown, ((0, 0), (half, half), (half, half), (0, 0)), mode='edge')
    grown = _windowed(padded, jax.lax.add, 0.0, 2 * half + 1, padding='VALID')
    grown = grown / (2 * half + 1) ** 2
  grown = jax.image.resize(grown, (*grown.shape[:1], size, size, 1), 'linear')
  return jnp.clip(grown, 0.0, 1.0) * _frame(size)


def pasted(pictures: np.ndarray, portrait: Portrait) -> np.ndarray:
  """Lays squares into the picture.

  Args:
    pictures: `(n, side, side, 3)` uint8.
    portrait: `settled`; its square may leave the picture.

  Returns:
    `(n, h, w, 3)` uint8.
  """
  height, width = portrait.picture.shape[:2]
  left, top, side = (int(x) for x in (portrait.left, portrait.top, portrait.side))
  rows = slice(max(0, top), min(height, top + side))
  columns = slice(max(0, left), min(width, left + side))
  whole = np.repeat(portrait.picture[None], len(pictures), 0)
  whole[:, rows, columns] = pictures[
    :, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
  ]
  return whole


def _frame(size: int) -> np.ndarray:
  """0 at the border, 1 inside: `(size, size, 1)`."""
  at = (np.arange(size) + 0.5) / size
  nothing, everything = MARGIN
  nothing += 1 / size  # what is interpolated later begins a cell before
  x = np.clip((np.minimum(at, 1 - at) - nothing) / (everything - nothing), 0, 1)
  x = (x * x * (3 - 2 * x)).astype(np.float32)
  return (x[:, None] * x)[..., None]


def _windowed(x: Array, what, start: float, width: int, step: int = 1, padding='SAME'):
  """Largest or sum over squares, one axis after the other."""
  for axis in (1, 2):
    window, strides = [1] * 4, [1] * 4
    window[axis], strides[axis] = width, step
    x = jax.lax.reduce_window(x, start, what, window, strides, padding)
  return x
