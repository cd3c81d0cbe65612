"""The readers that the paper used, for those who have their published weights.

VASA-1 (section 4) measures gaze with L2CS-Net and head pose with Deep3DFaceRecon. Their
weights are not ours to pass on. `load_l2cs` and `load_deep3d` read the files as they
were published, and `with_published` puts their answers in the place of ours:

    gaze = load_l2cs('L2CSNet_gaze360.pkl')
    labels = with_published(label_clip(crops), crops, gaze=gaze)

These nets run in JAX, about half a second a frame on one core: call them where a device
is, not in the workers of `prepare`.
"""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from data_pipelines.perceive.labels import Labels

Reader = Callable[[np.ndarray, np.ndarray], np.ndarray]
_BATCH = 16
_EYES = ((33, 133), (362, 263))
_NOSE, _MOUTH = 1, (61, 291)
# Nose, corners of both eyes and of the mouth among the 68 points of the release.
_NOSE_68, _EYES_68, _MOUTH_68 = 30, ((36, 39), (42, 45)), (48, 54)


def load_l2cs(path: str, config=None) -> Reader:
  """L2CS-Net: `(t, s, s, 3)` crops and `(t, 468, 2)` landmarks to `(t, 2)` degrees.

  The answer is `Labels.gaze`: to the right of the picture, up, in the camera's frame.

  Args:
    path: its checkpoint (`.pkl` of the release is a PyTorch file), or npz.
    config: `teachers.gaze.GazeConfig` of another layout than the published one.

  Raises:
    UserError: the file cannot be used; the message says why.
  """
  import jax

  from vasa_jax.teachers import gaze

  config = gaze.GazeConfig() if config is None else config
  params = gaze.from_torch(_read(path), config)
  net = gaze.GazeNet(config)
  look = jax.jit(lambda x: net.apply({'params': params}, x).angles)

  def read(crops: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    faces = (
      _face(crop, points, config.side)
      for crop, points in zip(crops, landmarks, strict=True)
    )
    # Gaze360's yaw grows to the LEFT of the picture.
    return _in_batches(look, faces) * np.array([-1, 1], np.float32)

  return read


def load_deep3d(path: str, landmarks_path: str, config=None) -> Reader:
  """Deep3DFaceRecon: crops and landmarks to `(t, 3)` yaw, pitch, roll in degrees.

  Args:
    path: its checkpoint (`epoch_20.pth`), or npz.
    landmarks_path: `similarity_Lm3D_all.mat` of the release, which says where faces are
      put before the net sees them.
    config: `teachers.face_recon.ReconConfig` of another layout.

  Raises:
    UserError: a file cannot be used; the message says why.
  """
  import jax

  from vasa_jax.metrics.pose import euler
  from vasa_jax.teachers import face_recon

  config = face_recon.ReconConfig() if config is None else config
  params = face_recon.from_torch(_read(path), config)
  standard = read_standard(landmarks_path)
  net = face_recon.ReconNet(config)
  look = jax.jit(functools.partial(net.apply, {'params': params}))

  def read(crops: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    import cv2

    def aligned():
      for crop, points in zip(crops, landmarks, strict=True):
        place = face_recon.placement(five_points(points * crop.shape[0]), standard)
        side = face_recon.SIDE
        yield cv2.warpAffine(crop, place, (side, side), flags=cv2.INTER_CUBIC)

    return euler(face_recon.rotation_of(_in_batches(look, aligned())))

  return read


def with_published(
  labels: Labels,
  crops: np.ndarray,
  gaze: Reader | None = None,
  pose: Reader | None = None,
) -> Labels:
  """The labels with gaze and head angles by published readers where given.

  Distance, shift and all else stay as they were read.
  """
  changed = {}
  if gaze is not None:
    changed['gaze'] = gaze(crops, labels.landmarks).astype(np.float32)
  if pose is not None:
    angles = pose(crops, labels.landmarks)
    changed['pose'] = np.concatenate([angles, labels.pose[:, 3:]], 1).astype(np.float32)
  return dataclasses.replace(labels, **changed)


def five_points(points: np.ndarray) -> np.ndarray:
  """`(468, 2)` landmarks to `(5, 2)`: eyes, nose, corners of the mouth."""
  eyes = [points[list(pair)].mean(0) for pair in _EYES]
  return np.stack([*eyes, points[_NOSE], *points[list(_MOUTH)]])


def read_standard(path: str) -> np.ndarray:
  """`(5, 3)` standard points from the release's `similarity_Lm3D_all.mat`.

  Raises:
    UserError: it is not that file.
  """
  from scipy.io import loadmat
  from scipy.io.matlab import MatReadError

  from data_pipelines.errors import UserError

  try:
    all68 = np.asarray(loadmat(path)['lm'], np.float64).reshape(68, 3)
  except (OSError, ValueError, KeyError, TypeError, MatReadError) as error:
    raise UserError(
      f'{path} is not similarity_Lm3D_all.mat of Deep3DFaceRecon ({error})'
    ) from error
  eyes = [all68[list(pair)].mean(0) for pair in _EYES_68]
  return np.stack([*eyes, all68[_NOSE_68], *all68[list(_MOUTH_68)]])


def _read(path: str) -> dict[str, np.ndarray]:
  from pathlib import Path

  from data_pipelines.errors import UserError
  from vasa_jax.errors import UserError as NetError
  from vasa_jax.teachers.loader import load_arrays
  from vasa_jax.teachers.torch_file import load_torch

  try:
    return load_arrays(path) if Path(path).suffix == '.npz' else load_torch(path)
  except NetError as error:
    raise UserError(str(error)) from error


def _face(crop: np.ndarray, points: np.ndarray, side: int) -> np.ndarray:
  """The box around a face, stretched to a square, by way of 224 px as published."""
  import cv2

  px = points * crop.shape[0]
  low = np.floor(px.min(0)).astype(int).clip(0)
  high = np.ceil(px.max(0)).astype(int).clip(low + 1)
  box = crop[low[1] : high[1], low[0] : high[0]]
  if not box.size:
    box = crop
  small = cv2.resize(box, (224, 224), interpolation=cv2.INTER_LINEAR)
  return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)


def _in_batches(look, pictures) -> np.ndarray:
  """`look` over uint8 pictures, always `_BATCH` at a time: one compilation."""
  out, held = [], []

  def flush():
    if held:
      full = np.zeros((_BATCH, *held[0].shape), np.float32)
      full[: len(held)] = np.stack(held)
      out.append(np.asarray(look(full / 255))[: len(held)])
      held.clear()

  for picture in pictures:
    held.append(picture)
    if len(held) == _BATCH:
      flush()
  flush()
  return np.concatenate(out)
