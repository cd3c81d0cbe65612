"""One face through the frames of a crop: what the nets saw, in crop units."""

from typing import NamedTuple

import numpy as np

from data_pipelines.perceive.detect import Detector
from data_pipelines.perceive.mesh import Mesher, MeshFit

EYE_CORNERS = ((33, 133), (362, 263))  # of the mesh: both eyes, each left to right
_EYE = (8, 18)  # rows and columns of a picture of an eye


class Track(NamedTuple):
  """A face in `t` frames; crop units (shares of the side; x right, y down).

  Attributes:
    points: `(t, 468, 3)` float32 mesh; z away from the camera, crop units too.
    iris: `(t, 2, 5, 3)`, lids: `(t, 2, 71, 3)`; see `mesh.MeshFit`.
    score: `(t,)` belief of the mesh net, 0 where no face was found: there the arrays
      hold what lies between the frames before and after.
    eyes: `(t, 2, 8, 18)` float32 of `eye_pictures`; None where only points are known.
  """

  points: np.ndarray
  iris: np.ndarray
  lids: np.ndarray
  score: np.ndarray
  eyes: np.ndarray | None = None

  @property
  def visible(self) -> np.ndarray:
    """`(t,)` bool: a face was found."""
    return self.score > 0


def follow_face(crops: np.ndarray) -> Track | None:
  """Follows the largest face of `(t, s, s, 3)` uint8 frames; None if there is none.

  A frame is looked at where the face was in the one before; only where that fails is
  it searched again, so a cut or a jump costs a few milliseconds and no label.
  """
  detector, mesher = Detector(), Mesher()
  fits: list[MeshFit | None] = []
  last: MeshFit | None = None
  for crop in crops:
    fit = mesher.follow(crop, last) if last is not None else None
    if fit is None:
      faces = detector.boxes(crop)
      fit = mesher.mesh(crop, faces[0].box) if faces else None
    fits.append(fit)
    last = fit
  found = [i for i, fit in enumerate(fits) if fit is not None]
  if not found:
    return None
  side = np.float32(crops.shape[1])
  seen = [fits[i] for i in found]
  eyes = [eye_pictures(crops[i], fits[i].points) for i in found]
  fill = _Fill(np.array(found), len(fits))
  score = np.zeros(len(fits), np.float32)
  score[found] = [fit.score for fit in seen]
  return Track(
    fill.between(np.stack([fit.points for fit in seen]) / side),
    fill.between(np.stack([fit.iris for fit in seen]) / side),
    fill.between(np.stack([fit.lids for fit in seen]) / side),
    score,
    fill.between(np.stack(eyes)),
  )


def eye_pictures(crop: np.ndarray, points: np.ndarray) -> np.ndarray:
  """`(2, 8, 18)` float32 brightness 0..255: the eyes upright, the left one first.

  The line through the corners lies in the middle; a picture is 1.05 eyes wide.

  Args:
    crop: `(h, w, 3)` uint8 RGB.
    points: `(468, 3)` mesh, px of the crop.
  """
  import cv2

  rows, columns = _EYE
  out = np.empty((2, rows, columns), np.float32)
  for eye, pair in zip(out, EYE_CORNERS, strict=True):
    left, right = points[list(pair), :2].astype(np.float64)
    # Twice as fine first, then averaged: large eyes are not merely sampled.
    across = 1.05 * (right - left) / (2 * columns)
    down = np.array([-across[1], across[0]])
    middle = (left + right) / 2
    corner = middle - across * (columns - 0.5) - down * (rows - 0.5)
    fine = cv2.warpAffine(
      crop, np.column_stack([across, down, corner]), (2 * columns, 2 * rows),
      flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    grey = cv2.cvtColor(fine, cv2.COLOR_RGB2GRAY)
    eye[:] = cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA)
  return out


class _Fill(NamedTuple):
  """Values of some frames to all frames: linear between, constant outside."""

  found: np.ndarray
  frames: int

  def between(self, values: np.ndarray) -> np.ndarray:
    at = np.interp(np.arange(self.frames), self.found, np.arange(len(self.found)))
    low = at.astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    share = (at - low).reshape(-1, *[1] * (values.ndim - 1)).astype(np.float32)
    return values[low] * (1 - share) + values[high] * share
