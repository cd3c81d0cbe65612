"""Face landmarks: the 468-point mesh (Kartynnik et al., 2019) and the irises.

The mesh network wants an upright face in a square 1.5 times its box. It runs twice:
from the detector's box, then from its own first answer, which is better turned and
centred.
"""

import math
from typing import NamedTuple

import numpy as np
from PIL import Image

from vasa_jax.inference.finding import litert
from vasa_jax.inference.finding.detector import Face
from vasa_jax.inference.finding.sampling import Square, cut

NUM_POINTS = 468
# Mesh indices. "Left" and "right" are the image's, not the person's.
EYE_CORNERS = ((33, 133), (362, 263))  # left eye (outer, inner), right (inner, outer)
EYE_LIDS = ((159, 145), (386, 374))  # upper, lower, of the left and the right eye
LIPS_INNER = (13, 14)  # upper, lower
LIP_CORNERS = (61, 291)
CHIN = 152
FOREHEAD = 10
BROWS = (105, 334)
NOSE_TIP = 1


class Landmarks(NamedTuple):
  """What the mesh and iris networks say about one face, in px of the picture.

  Attributes:
    points: `(468, 3)` float32; x right, y down, z in the same px with its zero at the
      head's centre and smaller = closer to the camera.
    score: the mesh network's belief that this is a face, in [0, 1].
    irises: `(2, 5, 3)`; eye at the image's left, then right; centre, then the rim's
      right, top, left, bottom as the network orders them. z as above.
    eyes: `(2, 71, 3)`; the lid contour (first 16 points) and brow, finer than the mesh.
  """

  points: np.ndarray
  score: float
  irises: np.ndarray
  eyes: np.ndarray

  def placed(self, zoom: float, shift: np.ndarray) -> 'Landmarks':
    """The same landmarks, `zoom` times as large, then moved by `shift` (x, y)."""
    shift = np.array([*shift, 0.0])
    points, irises, eyes = (
      (at * zoom + shift).astype(np.float32)
      for at in (self.points, self.irises, self.eyes)
    )
    return Landmarks(points, self.score, irises, eyes)

  @property
  def face_height(self) -> float:
    """Distance from mid-brow to chin in px."""
    brow = self.points[list(BROWS), :2].mean(0)
    return float(np.linalg.norm(self.points[CHIN, :2] - brow))

  @property
  def roll(self) -> float:
    """Angle of the eye line in the picture, radians; > 0 is clockwise on screen."""
    return _angle(self.points[33, :2], self.points[263, :2])


def find_landmarks(
  picture: np.ndarray, face: Face | np.ndarray, passes: int = 2, irises: bool = True
) -> Landmarks:
  """Returns the landmarks of one face.

  Args:
    picture: `(h, w, 3)` uint8 RGB.
    face: a detection, or its `(4,)` box (left, top, right, bottom px) if only that is
      known; a turned head then needs one pass more.
    passes: how often the mesh network looks.
    irises: False skips the iris network and fills its two arrays with NaN.

  Returns:
    The landmarks, always; `score` tells how far to trust them.
  """
  image = Image.fromarray(picture)
  if isinstance(face, Face):
    box, angle = face.box, _angle(face.keypoints[0], face.keypoints[1])
  else:
    box, angle = np.asarray(face, np.float64), 0.0
  centre = (box[:2] + box[2:]) / 2
  square = Square(*centre, 1.5 * float(np.max(box[2:] - box[:2])), angle)
  points, score = _mesh(image, square)
  for _ in range(passes - 1):
    points, score = _mesh(image, _square_of(points))
  return _with_eyes(image, points, score, irises)


def follow_landmarks(
  picture: np.ndarray, before: Landmarks, irises: bool = True
) -> Landmarks:
  """Returns the landmarks of a face that was at `before` one frame ago: one look.

  Args, Returns:
    As `find_landmarks`.
  """
  image = Image.fromarray(picture)
  points, score = _mesh(image, _square_of(before.points))
  return _with_eyes(image, points, score, irises)


def _with_eyes(image, points, score, irises) -> Landmarks:
  if irises:
    pairs = [_iris(image, points, side) for side in (0, 1)]
    eyes, rims = (np.stack(part) for part in zip(*pairs, strict=True))
  else:
    eyes = np.full((2, 71, 3), np.nan, np.float32)
    rims = np.full((2, 5, 3), np.nan, np.float32)
  return Landmarks(points, score, rims, eyes)


def _angle(a: np.ndarray, b: np.ndarray) -> float:
  return math.atan2(float(b[1] - a[1]), float(b[0] - a[0]))


def _square_of(points: np.ndarray) -> Square:
  """The square that the mesh network wants, from the mesh itself."""
  angle = _angle(points[33, :2], points[263, :2])
  local = Square(0.0, 0.0, 1.0, angle).from_picture(points[:, :2])
  low, high = local.min(0), local.max(0)
  centre = Square(0.0, 0.0, 1.0, angle).to_picture((low + high)[None] / 2)[0]
  return Square(*centre, 1.5 * float(np.max(high - low)), angle)


def _mesh(image: Image.Image, square: Square) -> tuple[np.ndarray, float]:
  pixels = cut(image, square, 192).astype(np.float32) / 255
  flat, logit = litert.run('mesh', pixels)
  local = flat.reshape(NUM_POINTS, 3) / 192
  points = np.concatenate(
    [square.to_picture(local[:, :2]), local[:, 2:] * square.side], -1
  )
  score = 1 / (1 + math.exp(-float(np.clip(logit.reshape(()), -80, 80))))
  return points.astype(np.float32), score


def _iris(
  image: Image.Image, points: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray]:
  """Returns `(71, 3)` contour and `(5, 3)` iris of one eye.

  The network knows one kind of eye, the one at the image's right; the other one is
  shown to it mirrored.
  """
  a, b = points[list(EYE_CORNERS[side]), :2]
  angle = _angle(points[33, :2], points[263, :2])
  # The published graph: 2.3 times the long side of the corners' box.
  span = float(np.max(np.abs(Square(0, 0, 1.0, angle).from_picture(b[None] - a) - 0.5)))
  square = Square(*((a + b) / 2), 2.3 * span, angle)
  pixels = cut(image, square, 64).astype(np.float32) / 255
  mirrored = side == 0
  contour, iris = litert.run('iris', pixels[:, ::-1] if mirrored else pixels)
  level = float(points[list(EYE_CORNERS[side]), 2].mean())
  out = []
  for flat in (contour, iris):
    local = flat.reshape(-1, 3) / 64
    if mirrored:
      local = local * np.array([-1, 1, 1]) + np.array([1, 0, 0])
    out.append(
      np.concatenate(
        [square.to_picture(local[:, :2]), local[:, 2:] * square.side + level], -1
      ).astype(np.float32)
    )
  return out[0], out[1]
