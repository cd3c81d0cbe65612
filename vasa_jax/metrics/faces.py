"""Independent eyes: nets that we did not train look at pictures that we made.

The 468-point face mesh says whether there is a face at all and how the head is turned;
the 128-d descriptor of dlib (an optional extra) says whether it is the same person:
below .6 it is, by its authors' limit.
"""

import functools
import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.metrics.pose import euler

_MEAN_MESH = Path(__file__).with_name('mean_mesh.npz')
_MIN_SCORE = 0.5
SAME_PERSON = 0.6
NO_DLIB = (
  "the 128-d identity descriptor is an optional extra: pip install 'vasa_jax[eval]' "
  '(dlib-bin and face-recognition-models)'
)
# Bone, not flesh: forehead, nose bridge and tip, eye corners, temples and cheekbones.
# A jaw that opens must not nod the head.
RIGID = (
  10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 33, 133, 362, 263, 127, 356, 234, 454, 93,
  323, 109, 338, 67, 297, 103, 332, 54, 284, 21, 251, 162, 389, 98, 327,
)  # fmt: skip


class FaceTrack(NamedTuple):
  """What the mesh saw in a video of t frames.

  Attributes:
    found: `(t,)` bool, a face was detected and the mesh believes in it.
    points: `(t, 468, 3)` px (x right, y down, z away from the camera), else NaN.
    pose: `(t, 3)` yaw, pitch, roll in degrees, NaN if not found.
    irises: `(t, 2, 5, 3)` px as in `finding.landmarks`, NaN if not found; None if
      they were not asked for.
  """

  found: np.ndarray
  points: np.ndarray
  pose: np.ndarray
  irises: np.ndarray | None = None


def find_mesh(picture: np.ndarray) -> np.ndarray | None:
  """`(h, w, 3)` uint8 RGB to the `(468, 3)` mesh of its largest face, px, or None."""
  seen = _look(picture, irises=False)
  return None if seen is None else seen.points


def track_faces(frames: Iterable[np.ndarray], irises: bool = False) -> FaceTrack:
  """Looks at every frame anew: nothing is carried over from the frame before.

  A tracker would hold on to a face that has become unrecognisable.
  """
  seen = [_look(frame, irises) for frame in frames]
  found = np.array([one is not None for one in seen], bool)

  def stacked(name: str, shape: tuple[int, ...]) -> np.ndarray:
    nothing = np.full(shape, np.nan, np.float32)
    values = [nothing if one is None else getattr(one, name) for one in seen]
    return np.array(values, np.float32).reshape(-1, *shape)

  points = stacked('points', (468, 3))
  pose = np.full((len(found), 3), np.nan)
  if found.any():
    pose[found] = mesh_pose(points[found])
  rims = stacked('irises', (2, 5, 3)) if irises else None
  return FaceTrack(found, points, pose, rims)


def _look(picture: np.ndarray, irises: bool):
  """`Landmarks` of the largest face, or None."""
  from vasa_jax.inference.finding.detector import find_faces
  from vasa_jax.inference.finding.landmarks import find_landmarks

  for face in find_faces(picture)[:1]:
    landmarks = find_landmarks(picture, face, irises=irises)
    if landmarks.score >= _MIN_SCORE:
      return landmarks
  return None


def mesh_pose(points: np.ndarray) -> np.ndarray:
  """Head pose from the mesh: Procrustes of its rigid part on the mean mesh.

  Args:
    points: `(..., 468, 3)` px, x right, y down, z away from the camera.

  Returns:
    `(..., 3)` yaw, pitch, roll in degrees, as in `metrics.pose.rotation`.
    Zero is the zero of the rendered heads, on which the mean mesh was taken.
  """
  index = list(RIGID)
  target = _centred(mesh_world(points)[..., index, :])
  mean = _centred(mean_mesh()[index])
  # Kabsch: the rotation R with target = s R mean, det R = +1.
  u, _, vt = np.linalg.svd(np.swapaxes(target, -1, -2) @ mean)
  sign = np.sign(np.linalg.det(u @ vt))
  flip = np.ones((*sign.shape, 3))
  flip[..., 2] = sign
  return euler((u * flip[..., None, :]) @ vt)


def mesh_scale(points: np.ndarray) -> np.ndarray:
  """`(..., 468, 3)` to `(...)`: root mean square radius of the rigid part, in 3-D.

  In the unit of `points`; a head twice as far away has half of it, however it turns.
  """
  rigid = _centred(np.asarray(points, np.float64)[..., list(RIGID), :])
  return np.sqrt(np.mean(np.sum(rigid**2, -1), -1))


def average_mesh(points: np.ndarray, rotations: np.ndarray) -> np.ndarray:
  """The mean mesh of many heads of known pose.

  Args:
    points: `(n, 468, 3)` px as from `find_mesh`.
    rotations: `(n, 3, 3)` of the same heads (`metrics.pose.rotation`).

  Returns:
    `(468, 3)` in the head's frame (x right, y up, z to the camera), centred, of unit
    root mean square radius.
  """
  local = _centred(mesh_world(points)) @ rotations  # R^T p for row vectors
  local /= np.sqrt(np.mean(np.sum(local**2, -1, keepdims=True), -2, keepdims=True))
  mean = local.mean(0)
  return (mean / np.sqrt(np.mean(np.sum(mean**2, -1)))).astype(np.float32)


@functools.lru_cache(maxsize=1)
def mean_mesh() -> np.ndarray:
  """`(468, 3)` mean mesh; made by `experiments/mean_mesh.py`."""
  with np.load(_MEAN_MESH) as file:
    return file['points'].astype(np.float64)


def mesh_world(points: np.ndarray) -> np.ndarray:
  """Picture axes (y down, z away) to the world's (y up, z to the camera)."""
  return np.asarray(points, np.float64) * np.array([1.0, -1.0, -1.0])


def _centred(points: np.ndarray) -> np.ndarray:
  return points - points.mean(-2, keepdims=True)


def load_descriptor() -> Callable[[np.ndarray], np.ndarray | None]:
  """The identity descriptor: `(h, w, 3)` uint8 RGB to `(128,)`, None if no face.

  Raises:
    UserError: dlib or its model files are not installed.
  """
  # The package of the model files is data; importing it needs the long gone
  # pkg_resources, so it is only located.
  spec = importlib.util.find_spec('face_recognition_models')
  if spec is None or importlib.util.find_spec('dlib') is None:
    raise UserError(NO_DLIB)
  import dlib

  models = Path(next(iter(spec.submodule_search_locations))) / 'models'
  detect = dlib.get_frontal_face_detector()
  # The five-point predictor: the 68-point one was trained on research-only pictures.
  align = dlib.shape_predictor(str(models / 'shape_predictor_5_face_landmarks.dat'))
  network = dlib.face_recognition_model_v1(
    str(models / 'dlib_face_recognition_resnet_model_v1.dat')
  )

  def describe(picture: np.ndarray) -> np.ndarray | None:
    picture = np.ascontiguousarray(picture)
    # The detector wants faces of 80 px; one doubling reaches 256 px crops.
    boxes = detect(picture, 0) or detect(picture, 1)
    if boxes:
      box = max(boxes, key=lambda found: found.area())
    else:
      # It is blind to turned heads: the mesh's box stands in.
      points = find_mesh(picture)
      if points is None:
        return None
      (left, top), (right, bottom) = points[:, :2].min(0), points[:, :2].max(0)
      box = dlib.rectangle(*(int(round(v)) for v in (left, top, right, bottom)))
    return np.array(network.compute_face_descriptor(picture, align(picture, box)))

  return describe
