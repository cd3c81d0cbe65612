"""Finds the faces of a frame: BlazeFace, two ranges, a few milliseconds a frame."""

from typing import NamedTuple

import numpy as np

# Below this side no tile is looked at: a face of a tenth of a tile is 40 px.
_SMALLEST_TILE = 400


class Face(NamedTuple):
  """A face.

  Attributes:
    box: `(4,)` float64 left, top, right, bottom in px; brows to chin, about.
    score: 0..1.
    points: `(6, 2)` px: eye at the picture's left, eye at its right, nose tip, mouth,
      ear at the left, ear at the right (of an upright face).
  """

  box: np.ndarray
  score: float
  points: np.ndarray


class Detector:
  """The vendored nets; their interpreters are made at first use, one a thread.

  Args:
    min_score: detections below are dropped, 0..1.
    tiles: also look at overlapping tiles of down to 400 px where the whole frame shows
      no face. A frame without any face then costs dozens of looks instead of two.
  """

  def __init__(self, min_score: float = 0.6, tiles: bool = False):
    self.min_score = min_score
    self.tiles = tiles

  def boxes(self, frame: np.ndarray) -> list[Face]:
    """The faces of `(h, w, 3)` uint8 RGB, the largest first; empty if there is none."""
    from vasa_jax.inference.finding.detector import search

    smallest = _SMALLEST_TILE if self.tiles else 1 << 30
    frame = np.ascontiguousarray(frame)
    for faces in search(frame, self.min_score, smallest, angles=(0.0,)):
      return [Face(found.box, float(found.score), found.keypoints) for found in faces]
    return []
