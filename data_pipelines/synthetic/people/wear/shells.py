"""Shells around the skull: what hats and wraps have in common."""

import dataclasses

import cv2
import numpy as np

from data_pipelines.synthetic.people import clothes
from data_pipelines.synthetic.people.pieces import Material, Piece
from data_pipelines.synthetic.people.wear import head_map as maps
from data_pipelines.synthetic.people.wear import solids
from data_pipelines.synthetic.people.wear.head_map import HeadMap

TURN = np.linspace(0, 2 * np.pi, maps.COLUMNS, endpoint=False)
"""Angle of each column of the head map."""


@dataclasses.dataclass(frozen=True)
class Cover:
  """Where a hat hides hair.

  Attributes:
    line: (c,) row of the head map at which the hat ends; hair above is hidden.
    shell: (r, c) distance from the head map's origins that hair must stay under.
    all_hair: no hair shows at all.
  """

  line: np.ndarray
  shell: np.ndarray
  all_hair: bool = False


@dataclasses.dataclass(frozen=True)
class Headwear:
  """A hat and what it covers."""

  pieces: tuple[Piece, ...]
  cover: Cover


def around(front: float, side: float, back: float) -> np.ndarray:
  """A height for each column from those ahead, beside and behind: (c,)."""
  ahead = np.clip(np.cos(TURN), 0, 1) ** 2
  behind = np.clip(-np.cos(TURN), 0, 1) ** 2
  return side + (front - side) * ahead + (back - side) * behind


def line_rows(head: HeadMap, heights: np.ndarray) -> np.ndarray:
  """(c,) fractional rows where the skin passes these heights (c,)."""
  y = np.minimum.accumulate(head.at(head.skin)[..., 1], axis=0)
  rows = np.arange(len(y))
  return np.array([np.interp(-h, -y[:, c], rows) for c, h in enumerate(heights)])


def pick(field: np.ndarray, rows: np.ndarray) -> np.ndarray:
  """A field (r, c, ...) at fractional rows (k, c)."""
  low = np.clip(np.floor(rows).astype(int), 0, len(field) - 2)
  share = rows - low
  columns = np.arange(rows.shape[1])[None]
  share = share.reshape(share.shape + (1,) * (field.ndim - 2))
  return field[low, columns] * (1 - share) + field[low + 1, columns] * share


def lay(head: HeadMap, rows: np.ndarray, pad: np.ndarray) -> np.ndarray:
  """Points (k, c, 3) on the outer surface at fractional rows (k, c), plus `pad`."""
  outer = head.at(head.outer)
  return pick(outer, rows) + pick(head.ways, rows) * pad[..., None]


def rows_to(line, count, start=0.0):
  """(count, c) rows from `start` to the line of a hat."""
  share = np.linspace(0, 1, count)[:, None]
  return start + (line[None] - start) * share


def hem(points, centre, inward, thick):
  """The last row rolled under and in, so that the edge looks thick."""
  last = points[-1]
  towards = centre - last
  towards[:, 1] = 0
  towards /= np.linalg.norm(towards, axis=1, keepdims=True) + 1e-9
  under = last + towards * thick * 0.5 - np.array([0, thick * 0.5, 0])
  inside = last + towards * inward + np.array([0, thick, 0])
  return np.concatenate([points, under[None], inside[None]])


def shade_relief(relief: np.ndarray, depth: float, size: tuple[int, int]) -> np.ndarray:
  """Light lost in the valleys of a relief (r, c), as a factor (h, w)."""
  relief = cv2.resize(relief.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
  smooth = cv2.GaussianBlur(relief, (0, 0), size[0] / 22)
  return np.clip(1 + (relief - smooth) / depth, 0.6, 1.18)


def cloth_strip(rng, pattern, colour, scale=1.0) -> np.ndarray:
  """Cloth that goes once around a head: (128, 512, 3), square texels."""
  cloth = clothes.fabric(rng, pattern, colour, scale=scale)
  return np.concatenate([cloth, cloth], 1)[:128]


def to_texture(image: np.ndarray) -> np.ndarray:
  """(h, w, 4) uint8 of a painted cloth (h, w, 3) 0..255."""
  out = np.full(image.shape[:2] + (4,), 255, np.uint8)
  out[..., :3] = np.clip(image + 0.5, 0, 255)
  return out


def make_piece(name, solid, vertices, image, **material):
  settings = {'gloss': 0.02, 'roughness': 12.0} | material
  return Piece(
    name, solids.hang(solid, vertices), to_texture(image), Material(**settings), True
  )


def cover_of(head, line, room):
  """What a hat ending at this line covers."""
  return Cover(line, head.outer + room)
