"""The 468-point face mesh and the irises of one face, frame by frame."""

from typing import NamedTuple

import numpy as np

MIN_SCORE = 0.5  # the mesh net's belief in a face, below which its points mean nothing


class MeshFit(NamedTuple):
  """A face as the mesh and iris nets see it, px of the frame.

  Attributes:
    points: `(468, 3)` float32; x right, y down, z away from the camera in the same px.
    iris: `(2, 5, 3)` eye at the picture's left, then right: centre, and four points of
      the rim; None if not asked for.
    lids: `(2, 71, 3)` finer contours of both eyes (the first 16 points) and brows; None
      if not asked for.
    score: 0..1, at least `MIN_SCORE`.
  """

  points: np.ndarray
  iris: np.ndarray | None
  lids: np.ndarray | None
  score: float

  @property
  def box(self) -> np.ndarray:
    """`(4,)` left, top, right, bottom around the points, px."""
    return np.concatenate([self.points[:, :2].min(0), self.points[:, :2].max(0)])


class Mesher:
  """The vendored nets; 1 ms for the mesh and 1 ms for each eye, on one core.

  Args:
    irises: also look at both eyes.
  """

  def __init__(self, irises: bool = True):
    self.irises = irises

  def mesh(self, frame: np.ndarray, box: np.ndarray) -> MeshFit | None:
    """The face in a box: three looks, each from the answer of the one before.

    Args:
      frame: `(h, w, 3)` uint8 RGB.
      box: `(4,)` left, top, right, bottom in px, of a detection or an earlier mesh.

    Returns:
      None if this is no face.
    """
    from vasa_jax.inference.finding.landmarks import find_landmarks

    box = np.asarray(box, np.float64)
    return self._kept(find_landmarks(frame, box, passes=3, irises=self.irises))

  def follow(self, frame: np.ndarray, before: MeshFit) -> MeshFit | None:
    """The face that was at `before` one frame ago: one look; None if it is lost."""
    from vasa_jax.inference.finding.landmarks import Landmarks, follow_landmarks

    marks = Landmarks(before.points, before.score, before.iris, before.lids)
    return self._kept(follow_landmarks(frame, marks, irises=self.irises))

  def _kept(self, marks) -> MeshFit | None:
    if marks.score < MIN_SCORE:
      return None
    iris, lids = (marks.irises, marks.eyes) if self.irises else (None, None)
    return MeshFit(marks.points, iris, lids, float(marks.score))
