"""The nets that look at pictures, as a bundle of functions: `Eyes`.

Tests give drawn eyes for drawn faces; `real_eyes` wraps `data_pipelines.perceive`.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

LONGEST = 960  # px; pictures are shrunk to this before faces are looked for
# Mesh indices and numbers of `vasa_jax.inference.finding.portrait`: the crop of a video
# is framed as the crop of a portrait is. A test holds them together.
BROWS, CHIN = (105, 334), 152
CROP_PER_FACE = 2.48
CENTRE = (0.5, 0.58)
_STILL = 0.4  # overlap of a detection with the last mesh: it has hardly moved


class Eyes(NamedTuple):
  """What looks and listens; `perceive` says which units.

  Attributes:
    faces: `(h, w, 3)` uint8 to a list of `Face`: box, score, points.
    mesh: picture and box to `MeshFit` (points `(468, 3)`, score), or None.
    follow: picture and the `MeshFit` of a moment ago to that of now, or None.
    labels: crops `(t, s, s, 3)` uint8 and int16 sound or None to `Labels`.
    describe: crop to a unit vector that tells people apart, or None.
    speech: int16 sound to the share with speech.
    sharpness: crop to 0..1.
    limit: distance of two vectors of `describe` above which they are two people's; 1
      makes `duplicates.likeness` the plain cosine.
  """

  faces: Callable[[np.ndarray], list]
  mesh: Callable[[np.ndarray, np.ndarray], Any]
  follow: Callable[[np.ndarray, Any], Any]
  labels: Callable[[np.ndarray, np.ndarray | None], Any]
  describe: Callable[[np.ndarray], np.ndarray | None]
  speech: Callable[[np.ndarray], float]
  sharpness: Callable[[np.ndarray], float]
  limit: float = 1.0


class Seen(NamedTuple):
  """A face in one picture.

  Attributes:
    box: `(4,)` left, top, right, bottom of its mesh, px of the whole picture.
    middle: `(2,)` point between mid-brow and chin, px.
    height: distance from mid-brow to chin, px.
    fit: the mesh, in px of the shrunk picture.
  """

  box: np.ndarray
  middle: np.ndarray
  height: float
  fit: Any = None


@functools.cache
def real_eyes() -> Eyes:
  """The nets of `perceive`, loaded once a process."""
  from data_pipelines.perceive import identity, labels, quality, speech
  from data_pipelines.perceive.detect import Detector
  from data_pipelines.perceive.mesh import Mesher

  detector, mesher = Detector(), Mesher(irises=False)
  return Eyes(
    detector.boxes, mesher.mesh, mesher.follow, labels.label_clip, identity.describe,
    speech.speech_share, quality.sharpness, identity.LIMIT[identity.kind()],
  )  # fmt: skip


def look(
  picture: np.ndarray, scale: float, eyes: Eyes, before: Sequence[Seen] = (),
  quick: bool = False,
) -> list[Seen]:  # fmt: skip
  """The faces in a picture that detector and mesh agree on, largest first.

  Args:
    picture: `(h, w, 3)` uint8 RGB, shrunk.
    scale: px of the whole picture in one px of this one.
    eyes: the nets.
    before: the faces of the last look, if this is the same shot: where a face still is,
      the mesh goes on from there, which takes a third of the time.
    quick: does not look for new faces, unless one of `before` is gone.
  """
  if quick and before:
    fits = [eyes.follow(picture, seen.fit) for seen in before]
    if all(fit is not None for fit in fits):
      return _distinct(fits, scale)
  fits = []
  for face in eyes.faces(picture):
    box = np.asarray(face.box, float)
    near = max(before, key=lambda s: overlap(s.box, box * scale), default=None)
    fit = None
    if near is not None and overlap(near.box, box * scale) > _STILL:
      fit = eyes.follow(picture, near.fit)
    fit = fit or eyes.mesh(picture, box)
    if fit is not None:
      fits.append(fit)
  return _distinct(fits, scale)


def _distinct(fits: Sequence[Any], scale: float) -> list[Seen]:
  """Each face once, the largest first."""
  found: list[Seen] = []
  for fit in fits:
    points = np.asarray(fit.points)[:, :2] * scale
    brow, chin = points[list(BROWS)].mean(0), points[CHIN]
    height = float(np.linalg.norm(chin - brow))
    box = np.concatenate([points.min(0), points.max(0)])
    seen = Seen(box, (brow + chin) / 2, height, fit)
    if height >= 1 and all(overlap(seen.box, other.box) < 0.5 for other in found):
      found.append(seen)
  return sorted(found, key=lambda seen: (-seen.height, *seen.middle))


def overlap(a: np.ndarray, b: np.ndarray) -> float:
  """Intersection over union of two boxes, 0..1."""
  span = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
  shared = float(span[0] * span[1])
  areas = [float(np.prod(np.maximum(box[2:] - box[:2], 1e-6))) for box in (a, b)]
  return shared / (sum(areas) - shared)
