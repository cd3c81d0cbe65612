"""Batches of stage 1: a source, drivers of the same clip, and a stranger.

One batch is a dict of arrays, the same from records (`loader.py`) and straight from the
renderer (`synthetic/live.py`); b = batch, d = drivers, s = side of the pictures:

  source_picture (b, s, s, 3) uint8       driver_picture (b, d, s, s, 3) uint8
  source_pose    (b, 6) float32           driver_pose    (b, d, 6)
  source_dyn     (b, 54) float32          driver_dyn     (b, d, 54)
  source_points  (b, 384, 3) float32      driver_points  (b, d, 384, 3)
  source_centres (b, 3, 2) float32        driver_centres (b, d, 3, 2)
  shape          (b, 64) float32          stranger_picture (b, s, s, 3) uint8

Poses are `z_pose` of `schema.Clip`; centres those of the mouth and of both eyes, in
crop units (y down). Dynamics (`z_dyn`), points (x, y and 1 where visible) and shape are
the renderer's exact truth, and zeros where the pictures are real: whoever learns from
them must ask for rendered clips. A driver may have the source's pose.
"""

from typing import NamedTuple

import numpy as np


class Shots(NamedTuple):
  """A few frames of one clip, decoded. `k` frames.

  pictures `(k, s, s, 3)` uint8, pose `(k, 6)`, dyn `(k, 54)`, points `(k, 384, 3)`,
  centres `(k, 3, 2)`, shape `(64,)`.
  """

  pictures: np.ndarray
  pose: np.ndarray
  dyn: np.ndarray
  points: np.ndarray
  centres: np.ndarray
  shape: np.ndarray


# Landmarks of the face mesh: mouth corners and mid lips; rims of the two eyes.
FEATURE_MARKS = (
  (13, 14, 61, 291), (33, 133, 159, 145), (263, 362, 386, 374)
)  # fmt: skip


def centres_of(landmarks: np.ndarray) -> np.ndarray:
  """Mouth and eyes `(k, 3, 2)` of the mesh's landmarks `(k, 468, 2)`."""
  marks = landmarks[:, np.array(FEATURE_MARKS)]
  return marks.mean(2).astype(np.float32)


def choose_frames(rng: np.random.Generator, frames: int, drivers: int) -> np.ndarray:
  """`(1 + drivers,)` different frames of a clip (repeated only if it is too short)."""
  order = rng.permutation(frames)
  return np.resize(order, 1 + drivers)


def jitter_colours(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """One random change of exposure, contrast, white balance and saturation for all.

  Args:
    pictures: `(k, s, s, 3)` uint8 RGB. Source and drivers get the same change, so that
      it says nothing about motion.
    rng: what is drawn.

  Returns:
    Pictures of the same shape and type.
  """
  import cv2

  gain = np.exp(rng.normal(0.0, 0.15)) * np.exp(rng.normal(0.0, 0.06, 3))
  gamma = float(np.exp(rng.normal(0.0, 0.15)))
  lift = rng.normal(0.0, 0.03)
  saturation = float(rng.uniform(0.6, 1.3))
  level = np.arange(256) / 255.0
  table = (level[:, None] ** gamma * gain + lift).clip(0, 1)
  # The table mixes the channels' own curves; the matrix moves them towards grey.
  grey = np.array([0.299, 0.587, 0.114])
  matrix = saturation * np.eye(3) + (1 - saturation) * grey[None]
  tall = np.ascontiguousarray(pictures).reshape(-1, pictures.shape[2], 3)
  table = np.round(table * 255).astype(np.uint8).reshape(256, 1, 3)
  tall = cv2.LUT(tall, table)
  return cv2.transform(tall, matrix.astype(np.float32)).reshape(pictures.shape)


def pair(
  shots: Shots, stranger: np.ndarray, rng: np.random.Generator, augment: bool
) -> dict[str, np.ndarray]:
  """One element of a batch.

  Args:
    shots: source first, then the drivers.
    stranger: `(s, s, 3)` uint8 picture of somebody else.
    rng: draws the augmentation.
    augment: False leaves colours alone.
  """
  pictures = shots.pictures
  if augment:
    pictures = jitter_colours(pictures, rng)
    stranger = jitter_colours(stranger[None], rng)[0]
  element = {'shape': np.asarray(shots.shape, np.float32), 'stranger_picture': stranger}
  for name, values in (
    ('picture', pictures),
    ('pose', np.asarray(shots.pose, np.float32)),
    ('dyn', np.asarray(shots.dyn, np.float32)),
    ('points', np.asarray(shots.points, np.float32)),
    ('centres', np.asarray(shots.centres, np.float32)),
  ):
    element[f'source_{name}'] = values[0]
    element[f'driver_{name}'] = values[1:]
  return element


def stack(elements: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
  """Elements to one batch."""
  return {name: np.stack([e[name] for e in elements]) for name in elements[0]}
