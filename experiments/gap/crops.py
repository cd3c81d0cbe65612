"""Faces as the regressor of the domain gap sees them: crops with their landmarks.

Every face is cut to 128 px, twice the longer side of its landmarks' box wide, so that
the net's own crop (96 px of it) can be shifted, scaled and turned at random. Rendered
faces carry the renderer's exact landmarks; the face mesh net reads rendered test faces
and photographs alike, so that both can be measured against one and the same reader.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.judges import shots
from vasa_jax.errors import UserError

SIDE = 128
REACH = 2.0  # crop side over the longer side of the landmarks' box
RENDER = 160  # side of the frames: the face then fills about half of a crop unscaled
_MIN_SCORE = 0.9
_MIN_WIDTH = 18.0  # px between the outer eye corners
_MAX_YAW = 40.0  # degrees, the corpus' own range
_SUFFIXES = ('.jpg', '.jpeg', '.png', '.ppm', '.webp')

# 68 of the mesh's 468 points: brows, nose, lids, lips inside and out, contour.
MARKS = (
  70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
  168, 197, 5, 4, 98, 97, 2, 326, 327,
  33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
  61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
  78, 82, 13, 312, 308, 317, 14, 87,
  127, 234, 93, 132, 58, 136, 149, 148, 152, 377, 378, 365, 288, 361, 323, 454, 356,
)  # fmt: skip
CORNERS = (MARKS.index(33), MARKS.index(263))
GROUPS = {
  'brows': (0, 10), 'nose': (10, 19), 'eyes': (19, 31), 'lips': (31, 51),
  'contour': (51, 68),
}  # fmt: skip


class Faces(NamedTuple):
  """n faces.

  Attributes:
    pictures: `(n, 128, 128, 3)` uint8 RGB.
    marks: `(n, 68, 2)` px of the crop: the renderer's; NaN in photographs.
    read: `(n, 68, 2)` the same as the face mesh reads them; NaN where it was not asked.
    pose: `(n, 3)` yaw, pitch, roll in degrees: the renderer's; the mesh's in
      photographs.
    read_pose: `(n, 3)` as the mesh reads it.
    group: `(n,)` int, the person or the photograph: what a bootstrap resamples.
  """

  pictures: np.ndarray
  marks: np.ndarray
  read: np.ndarray
  pose: np.ndarray
  read_pose: np.ndarray
  group: np.ndarray


def cut_face(picture: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """The crop around landmarks `(k, 2)` px, and the map `(2, 3)` from px to its px."""
  import cv2

  low, high = points.min(0), points.max(0)
  side = REACH * float((high - low).max())
  scale, centre = SIDE / side, (low + high) / 2
  shift = SIDE / 2 - scale * centre
  matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
  if scale < 1:  # no aliasing: smooth before shrinking
    picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale)
  crop = cv2.warpAffine(
    picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR,
    borderMode=cv2.BORDER_REPLICATE,
  )  # fmt: skip
  return crop, matrix


def rendered(seed: int, frames: int, ask_mesh: bool, plain: bool = False) -> Faces:
  """`frames` faces of the person `seed`; frames whose face leaves the picture drop."""
  drawn = shots.draw_stills(seed, frames, RENDER, plain=plain)
  rows = []
  for t in range(frames):
    all_marks = drawn.marks[t] * RENDER
    inside = (all_marks > 0) & (all_marks < RENDER)
    if inside.all(-1).mean() < 0.9:
      continue
    crop, matrix = cut_face(drawn.pictures[t], all_marks)
    seen = _mesh(drawn.pictures[t]) if ask_mesh else None
    read, read_pose = _NOTHING if seen is None else seen
    rows.append(
      (
        crop,
        _moved(matrix, all_marks[list(MARKS)]),
        _moved(matrix, read),
        np.degrees(drawn.pose[t, :3]),
        read_pose,
        seed,
      )  # fmt: skip
    )
  return stack(rows)


def photographs(folder: Path) -> Faces:
  """Every face in the pictures of a folder that the mesh net is sure of.

  Raises:
    UserError: the folder holds fewer than five such faces.
  """
  import cv2

  from vasa_jax.inference.finding.detector import find_faces
  from vasa_jax.inference.finding.landmarks import find_landmarks
  from vasa_jax.metrics.faces import mesh_pose

  paths = sorted(p for p in Path(folder).rglob('*') if p.suffix.lower() in _SUFFIXES)
  rows = []
  for number, path in enumerate(paths):
    picture = cv2.imread(str(path))
    if picture is None:
      continue
    picture = np.ascontiguousarray(picture[..., ::-1])
    for face in find_faces(picture):
      seen = find_landmarks(picture, face, irises=False)
      points = seen.points
      width = np.linalg.norm(points[263, :2] - points[33, :2])
      pose = mesh_pose(points)
      if seen.score < _MIN_SCORE or width < _MIN_WIDTH or abs(pose[0]) > _MAX_YAW:
        continue
      crop, matrix = cut_face(picture, points[:, :2])
      read = _moved(matrix, points[list(MARKS), :2])
      rows.append((crop, np.full_like(read, np.nan), read, pose, pose, number))
  if len(rows) < 5:
    raise UserError(
      f'{folder} holds {len(rows)} usable faces: fill it with '
      '`python -m experiments.fetch_photos --out DIR`'
    )
  return stack(rows)


def stack(rows: list[tuple]) -> Faces:
  """Rows of one face each."""
  if not rows:
    empty = np.zeros((0, len(MARKS), 2), np.float32)
    none = np.zeros((0, 3), np.float32)
    pictures = np.zeros((0, SIDE, SIDE, 3), np.uint8)
    return Faces(pictures, empty, empty, none, none, np.zeros(0, np.int64))
  pictures, marks, read, pose, read_pose, group = map(np.stack, zip(*rows, strict=True))
  floats = (x.astype(np.float32) for x in (marks, read, pose, read_pose))
  return Faces(pictures, *floats, group.astype(np.int64))


def join(parts: list[Faces]) -> Faces:
  return Faces(*(np.concatenate(values) for values in zip(*parts, strict=True)))


_NOTHING = (np.full((len(MARKS), 2), np.nan), np.full(3, np.nan))


def _mesh(picture: np.ndarray):
  from vasa_jax.metrics.faces import find_mesh, mesh_pose

  points = find_mesh(picture)
  if points is None:
    return None
  return points[list(MARKS), :2], mesh_pose(points)


def _moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
  return points @ matrix[:, :2].T + matrix[:, 2]
