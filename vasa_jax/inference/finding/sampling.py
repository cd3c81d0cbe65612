"""Turned squares cut out of a picture, and the way back.

A `Square` says where a network looks: centre, side, and the angle by which its x axis
is turned. Pixel coordinates are continuous: pixel (i, j) covers [j, j+1) x [i, i+1).
"""

import math
from typing import NamedTuple

import numpy as np
from PIL import Image


class Square(NamedTuple):
  """A turned square in a picture.

  Attributes:
    x, y: centre, px.
    side: px.
    angle: radians; the square's x axis points along (cos, sin) in the picture (y down).
  """

  x: float
  y: float
  side: float
  angle: float = 0.0

  def to_picture(self, points: np.ndarray) -> np.ndarray:
    """Maps `(n, 2)` points in fractions of the square (0..1) to picture px."""
    axes = self.side * np.array(
      [
        [math.cos(self.angle), math.sin(self.angle)],
        [-math.sin(self.angle), math.cos(self.angle)],
      ]
    )
    return (np.asarray(points) - 0.5) @ axes + np.array([self.x, self.y])

  def from_picture(self, points: np.ndarray) -> np.ndarray:
    """Maps `(n, 2)` picture px to fractions of the square; inverse of `to_picture`."""
    axes = np.array(
      [
        [math.cos(self.angle), -math.sin(self.angle)],
        [math.sin(self.angle), math.cos(self.angle)],
      ]
    )
    return (np.asarray(points) - np.array([self.x, self.y])) @ axes / self.side + 0.5


def cut(picture: Image.Image, square: Square, size: int) -> np.ndarray:
  """Returns the square as `(size, size, 3)` uint8; black outside the picture.

  Shrinks by whole factors first: bilinear sampling alone would alias.
  """
  factor = max(1, int(square.side / (1.5 * size)))
  if factor > 1:
    reach = square.side * 0.75
    box = (
      max(0, int(square.x - reach)),
      max(0, int(square.y - reach)),
      min(picture.width, math.ceil(square.x + reach)),
      min(picture.height, math.ceil(square.y + reach)),
    )
    if box[2] <= box[0] or box[3] <= box[1]:
      return np.zeros((size, size, 3), np.uint8)
    picture = picture.reduce(factor, box=box)
    square = Square(
      (square.x - box[0]) / factor,
      (square.y - box[1]) / factor,
      square.side / factor,
      square.angle,
    )
  corner = square.to_picture(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
  right, down = (corner[1] - corner[0]) / size, (corner[2] - corner[0]) / size
  affine = (right[0], down[0], corner[0, 0], right[1], down[1], corner[0, 1])
  turned = picture.transform(
    (size, size), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR
  )
  return np.asarray(turned)
