"""CSIM: cosine of ArcFace embeddings, for who has the published weights.

The similarity that talking-head papers report. Without such a file the 128-d distance
of `faces.load_descriptor` stands alone. Faces are aligned by the mesh's mouth and eyes
to where ArcFace's training put them.
"""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vasa_jax.metrics.faces import find_mesh

MOUTH, EYES = (13, 14, 61, 291), ((33, 133, 159, 145), (263, 362, 386, 374))


@dataclasses.dataclass(frozen=True)
class ArcFaceDescriptor:
  """`(h, w, 3)` uint8 RGB to a unit embedding `(k,)`, None without a face.

  Another process loads the net anew: only the name of the file travels.

  Attributes:
    path: an iresnet of ArcFace as published (`.pt`, `.pth`), npz or safetensors with
      the same names.
  """

  path: Path

  def __call__(self, picture: np.ndarray) -> np.ndarray | None:
    centres = face_marks(picture)
    return None if centres is None else _net(self.path)(picture, centres)


def face_marks(picture: np.ndarray) -> np.ndarray | None:
  """`(3, 2)` mouth and eyes (the picture's left first) as fractions of the picture."""
  points = find_mesh(picture)
  if points is None:
    return None
  groups = (MOUTH, *EYES)
  centres = np.stack([points[list(group), :2].mean(0) for group in groups])
  height, width = picture.shape[:2]
  return (centres / (width, height)).astype(np.float32)


@functools.cache
def _net(path: Path) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
  """The compiled net of a file.

  Raises:
    UserError: it is missing, damaged, or of another net.
  """
  import jax

  from vasa_jax.face.crop import ARCFACE_MARKS, aligned_crop
  from vasa_jax.teachers import loader, torch_file
  from vasa_jax.teachers.arcface import SIDE, ArcFace, config_of, from_torch

  arrays = path.suffix in ('.npz', '.safetensors')
  state = loader.load_arrays(path) if arrays else torch_file.load_torch(path)
  net, params = ArcFace(config_of(state)), from_torch(state)

  @jax.jit
  def embed(params, picture, centres):
    faces = aligned_crop(picture[None] / 255, centres[None], ARCFACE_MARKS, SIDE)
    return net.apply({'params': params}, faces)[0]

  def embedded(picture, centres):
    # The alignment is a similarity in fractions of the picture: it has to be square.
    side = max(picture.shape[:2])
    scale = np.array(picture.shape[1::-1]) / side
    square = np.zeros((side, side, 3), np.float32)
    square[: picture.shape[0], : picture.shape[1]] = picture
    return np.asarray(embed(params, square, (centres * scale).astype(np.float32)))

  return embedded
