"""Finds faces: BlazeFace (Bazarevsky et al., 2019), two ranges, in tiles of all sizes.

The short-range network sees faces that fill much of the picture, the full-range one
those down to about a tenth of it; smaller ones are looked for in overlapping tiles,
each level half as large, until a level finds something. So the largest faces come first
and a 40 px face in a 12 MP photograph is still found (and can be refused by its size).
"""

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from vasa_jax.inference.finding import litert
from vasa_jax.inference.finding.sampling import Square, cut

_SMALLEST_TILE = 256
_SURE = 0.8


class Face(NamedTuple):
  """One detection, in px of the picture.

  Attributes:
    box: `(4,)` left, top, right, bottom; brows to chin, about.
    keypoints: `(6, 2)` eye at the image's left, eye at its right, nose tip, mouth, ear
      at the left, ear at the right (as seen, for an upright face).
    score: in [0, 1].
  """

  box: np.ndarray
  keypoints: np.ndarray
  score: float

  @property
  def size(self) -> float:
    """Height of the box in px."""
    return float(self.box[3] - self.box[1])


class _Net(NamedTuple):
  name: str
  size: int
  layers: tuple[tuple[int, int], ...]  # (stride, anchors a cell)


_SHORT = _Net('detect_short', 128, ((8, 2), (16, 6)))
_FULL = _Net('detect_full', 192, ((4, 1),))


def find_faces(picture: np.ndarray, min_score: float = 0.6) -> list[Face]:
  """Returns the faces of a picture, the largest first; empty if there is none.

  Args:
    picture: `(h, w, 3)` uint8 RGB, any size.
    min_score: detections below are dropped.
  """
  best: list[Face] = []
  for faces in search(picture, min_score):
    # Coarse levels now and then take a shoulder for a face, with little conviction.
    if max(f.score for f in faces) >= _SURE:
      return faces
    best = max(best, faces, key=lambda found: max((f.score for f in found), default=0))
  return best


def search(
  picture: np.ndarray,
  min_score: float = 0.6,
  smallest_tile: int = _SMALLEST_TILE,
  angles: tuple[float, ...] = (0.0, math.radians(40), -math.radians(40)),
) -> Iterator[list[Face]]:
  """Yields the faces of each level that has any, from the largest to the smallest.

  A caller that rejects all faces of a level (the mesh network may) goes on to the next.

  Args:
    picture: `(h, w, 3)` uint8 RGB, any size.
    min_score: detections below are dropped.
    smallest_tile: no tiles below this side, px; a side beyond the picture's leaves the
      tiles out, and a frame without a face costs two looks instead of dozens.
    angles: by which the picture is turned, radians.
  """
  image = Image.fromarray(picture)
  for angle in angles:
    for squares in _levels(image.width, image.height, angle, smallest_tile):
      found = []
      for square in squares:
        for net in (_SHORT, _FULL):
          found += _detect(net, image, square, min_score)
      if found:
        yield sorted(_suppress(found), key=lambda f: -f.size)


def _levels(width: int, height: int, angle: float, smallest_tile: int):
  """Yields lists of squares, from the whole picture to the smallest tiles.

  Turned pictures are searched whole only: small turned faces are not worth the time.
  """
  whole = max(width, height)
  if angle:
    spread = whole * (abs(math.cos(angle)) + abs(math.sin(angle)))
    yield [Square(width / 2, height / 2, spread, angle)]
    return
  # A margin lets the network see faces that touch the picture's border.
  yield [Square(width / 2, height / 2, whole, 0.0)]
  yield [Square(width / 2, height / 2, whole * 1.5, 0.0)]
  side = float(min(whole, 2 * min(width, height)) / 2)
  while side >= smallest_tile:
    xs, ys = _starts(width, side), _starts(height, side)
    yield [Square(x + side / 2, y + side / 2, side, 0.0) for y in ys for x in xs]
    side /= 2


def _starts(length: int, side: float) -> np.ndarray:
  """Tile starts along an axis with at least a third of a tile of overlap."""
  if length <= side:
    return np.array([(length - side) / 2])
  count = math.ceil((length - side) / (side * 2 / 3)) + 1
  return np.linspace(0, length - side, count)


@functools.cache
def _anchors(layers: tuple[tuple[int, int], ...], size: int) -> np.ndarray:
  """Returns the `(n, 2)` anchor centres in fractions of the input."""
  rows = []
  for stride, repeat in layers:
    cells = size // stride
    line = (np.arange(cells) + 0.5) / cells
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    rows.append(np.repeat(grid, repeat, axis=0))
  return np.concatenate(rows)


def _detect(
  net: _Net, image: Image.Image, square: Square, min_score: float
) -> list[Face]:
  """Runs one network on one square and maps what it finds to the picture."""
  pixels = cut(image, square, net.size).astype(np.float32) / 127.5 - 1
  raw, logits = litert.run(net.name, pixels)
  scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -80, 80)))
  keep = scores >= min_score
  values = raw[0, keep].reshape(-1, 8, 2) / net.size
  anchors = _anchors(net.layers, net.size)[keep]
  faces = []
  for value, anchor, score in zip(values, anchors, scores[keep], strict=True):
    centre = square.to_picture(value[:1] + anchor)[0]
    half = value[1] * square.side / 2
    keypoints = square.to_picture(value[2:] + anchor)
    faces.append(Face(np.concatenate([centre - half, centre + half]), keypoints, score))
  return faces


def _suppress(faces: list[Face], overlap: float = 0.3) -> list[Face]:
  """Merges overlapping detections into their score-weighted mean."""
  rest = sorted(faces, key=lambda f: -f.score)
  kept = []
  while rest:
    group = [f for f in rest if _iou(rest[0].box, f.box) > overlap]
    rest = [f for f in rest if _iou(group[0].box, f.box) <= overlap]
    weight = np.array([f.score for f in group])
    weight = weight / weight.sum()
    kept.append(
      Face(
        np.tensordot(weight, np.stack([f.box for f in group]), 1),
        np.tensordot(weight, np.stack([f.keypoints for f in group]), 1),
        float(group[0].score),
      )
    )
  # A face inside a larger one (a mouth seen as a face in a tile) is no second person.
  inside = [
    any(a is not b and _covered(a.box, b.box) > 0.7 and a.size < b.size for b in kept)
    for a in kept
  ]
  return [f for f, hidden in zip(kept, inside, strict=True) if not hidden]


def _intersection(a: np.ndarray, b: np.ndarray) -> float:
  span = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
  return float(np.prod(np.maximum(span, 0)))


def _area(a: np.ndarray) -> float:
  return float(np.prod(np.maximum(a[2:] - a[:2], 1e-6)))


def _iou(a: np.ndarray, b: np.ndarray) -> float:
  shared = _intersection(a, b)
  return shared / (_area(a) + _area(b) - shared)


def _covered(a: np.ndarray, b: np.ndarray) -> float:
  return _intersection(a, b) / _area(a)
