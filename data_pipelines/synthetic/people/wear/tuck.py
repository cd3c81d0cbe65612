"""Takes hair away that a hat hides, and presses the rest under its edge."""

import dataclasses

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.assets import Part
from data_pipelines.synthetic.people.hair import Hair
from data_pipelines.synthetic.people.pieces import HAIR, Material, Piece
from data_pipelines.synthetic.people.wear import head_map as maps
from data_pipelines.synthetic.people.wear.head_map import HeadMap
from data_pipelines.synthetic.people.wear.shells import Cover

DEEP = 2.2  # rows above the hat's edge where hair is pressed flat rather than gone


def tuck_part(part: Part, vertices: np.ndarray, head: HeadMap, cover: Cover) -> Part:
  """The part without what lies well inside the hat, the rest under its shell.

  Args:
    part: hair; offsets in mesh units of the person.
    vertices: (n, 3) the person's neutral mesh.
    head: of the same mesh.
    cover: what the hat hides.
  """
  at = (vertices[part.ref].astype(np.float64) * part.weight[..., None]).sum(1)
  at = at + part.offset
  row, column = _cell(at, head)
  above = _between(cover.line[None], np.zeros(len(row)), column) - row
  # Rows share an axis only roughly: take the origin between them too.
  origin = np.stack(
    [np.interp(row, np.arange(maps.ROWS), head.origins[:, k]) for k in range(3)], 1
  )
  way = at - origin
  away = np.linalg.norm(way, axis=1)
  # Deeper the further in; free again only some way below the edge, or hair would stand
  # out over it.
  limit = _between(cover.shell, row, column) - 0.03 * np.clip(above, 0, 1)
  limit = limit + 0.06 * np.clip(-0.6 - above, 0, None)
  held = (above > -4) & (away > limit)
  share = np.where(held, limit / np.maximum(away, 1e-6), 1.0)[:, None]
  moved = origin + way * share
  kept = (above[part.triangles] < DEEP).any(1)
  triangles = part.triangles[kept]
  if not len(triangles):
    return part_of(part, np.zeros((0,), int), triangles, part.offset)
  used = np.unique(triangles)
  offset = part.offset + (moved - at).astype(np.float32)
  return part_of(part, used, np.searchsorted(used, triangles), offset)


def part_of(part: Part, used: np.ndarray, triangles: np.ndarray, offset) -> Part:
  """Only the vertices `used` of a part, with other triangles and offsets."""
  _, places = np.unique(part.position_id[used], return_inverse=True)
  return Part(
    triangles.astype(np.int32),
    part.uv[used],
    part.ref[used],
    part.weight[used],
    offset[used].astype(np.float32),
    places.astype(np.int32),
  )


def _cell(points, head):
  """Row and column (fractions) of points in a person's coordinates."""
  shift = head.origins - maps.rest_origins()
  row, column = maps.locate(points - shift[0])
  for _ in range(2):  # the axis is moved differently at each height
    near = np.rint(row).astype(int).clip(0, maps.ROWS - 1)
    row, column = maps.locate(points - shift[near])
  return row, column


def _between(field, row, column):
  """A field (r, c) at fractional places (k,); columns wrap."""
  low, left = np.floor(row).astype(int), np.floor(column).astype(int)
  high = np.minimum(low + 1, len(field) - 1)
  v, u = row - low, column - left
  left, right = left % maps.COLUMNS, (left + 1) % maps.COLUMNS
  upper = field[low, left] * (1 - u) + field[low, right] * u
  lower = field[high, left] * (1 - u) + field[high, right] * u
  return upper * (1 - v) + lower * v


def tuck_hair(
  hair: Hair,
  vertices: np.ndarray,
  head: HeadMap,
  cover: Cover,
  colour: np.ndarray,
  scale: float,
) -> Hair:
  """The hair that is left to see under a hat.

  A style of the asset pack becomes a piece of its own, `hair_under_hat`.

  Args:
    hair: of the person.
    vertices: (n, 3) the person's neutral mesh.
    head: of the same mesh.
    cover: what the hat hides.
    colour: (3,) linear, of the hair.
    scale: of the head, for the pack's style.
  """
  if cover.all_hair:
    return Hair(None)
  pieces = list(hair.pieces)
  if hair.style:
    part = assets_lib.load_assets().parts[hair.style]
    part = dataclasses.replace(part, offset=part.offset * np.float32(scale))
    texture = assets_lib.load_texture(hair.style)
    tint = tuple(float(c) for c in np.float32(colour))
    material = Material(HAIR, tint, gloss=0.06, cut_out=True)
    pieces.append(Piece('hair_under_hat', part, texture, material))
  left = []
  for piece in pieces:
    part = tuck_part(piece.part, vertices, head, cover)
    if len(part.triangles):
      left.append(dataclasses.replace(piece, part=part))
  return Hair(None, tuple(left))
