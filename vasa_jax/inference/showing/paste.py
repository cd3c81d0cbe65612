"""The moving head back in its picture.

The crop's square is laid onto whole pixels of the picture and drawn at its own size
there (`face/enlarge.py`): what does not move is the picture itself, bit for bit. The
matte (`matte.py`) fades the flow and the painting, not two pictures into each other; so
there is no seam and no double image of hair and collar.
"""

import math

import numpy as np
from PIL import Image

from vasa_jax.inference.finding.portrait import Portrait

MAX_SIDE = 2048  # px of the video and of the square; what is larger is scaled down


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
  shift = np.array([portrait.left * scale - left, portrait.top * scale - top])
  local = portrait.landmarks.placed(zoom, shift * size / side)
  found = portrait._replace(
    landmarks=local, left=left, top=top, side=side, picture=picture, notes=notes
  )
  return found._replace(crop=found.cut(size))


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
