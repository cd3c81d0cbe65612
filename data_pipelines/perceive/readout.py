"""From a tracked face to pose, eyes, lids and mouth.

Geometry comes first (`geometry.fit_head`). What it leaves is taken away by two linear
readouts with few terms, fitted once on rendered people of exact pose and gaze, who are
neither judged nor trained on elsewhere:

* pose += W [1, y, p, r, y y, p p, y p, y r, p r, y y y, y y p, s_1 .. s_10], y, p, r
  being the geometric angles over 20, 10, 10 degrees and s the first components of
  the mesh's shape in the head's frame: people's faces differ, and a long chin would
  otherwise be read as a bowed head. Where the face lies in the crop is left out on
  purpose: crops of films are framed otherwise than rendered ones.
* eyes = W [offsets of both irises in their contours and between the mesh's corners,
  lid gaps, head pose, and products of these]; `eye_terms` lists them.

The coefficients lie in `calibration.npz`; `python -m experiments.fit_perception` makes
it and prints the errors on people that it left out.
"""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_pipelines.perceive.geometry import fit_head
from data_pipelines.perceive.lids import eye_openings, mouth_opening
from data_pipelines.perceive.track import Track

CALIBRATION = Path(__file__).with_name('calibration.npz')
COMPONENTS = 10
_CORNERS = ((33, 133), (362, 263))  # of the mesh: both eyes, each left to right
_INNER, _OUTER = 0, 8  # corners in the contour of the iris net
_MAX_EYE = 0.6  # radians: eyes turn no farther


class Calibration(NamedTuple):
  """Fitted numbers.

  mean: `(1404,)`, basis: `(1404, k)` of the mesh's shape in the head's frame; scores
  have unit variance. pose: `(11 + k, 6)`. eyes: `(27, 2)`.
  """

  mean: np.ndarray
  basis: np.ndarray
  pose: np.ndarray
  eyes: np.ndarray


class Reading(NamedTuple):
  """What `t` frames show.

  pose: `(t, 6)` yaw, pitch, roll (degrees), log distance ratio, tx, ty (crop units).
  eyes: `(t, 2)` radians in the head's frame, to the picture's right and up.
  eye_open: `(t, 2)`, mouth_open: `(t,)`; units of `labels.Labels`.
  """

  pose: np.ndarray
  eyes: np.ndarray
  eye_open: np.ndarray
  mouth_open: np.ndarray


@functools.cache
def load_calibration() -> Calibration:
  """The numbers that ship with the package."""
  with np.load(CALIBRATION) as file:
    return Calibration(*(file[name].astype(np.float64) for name in Calibration._fields))


def read_track(track: Track, calibration: Calibration | None = None) -> Reading:
  """Reads every frame of a track."""
  known = load_calibration() if calibration is None else calibration
  rough = fit_head(track.points)
  local = head_frame(track.points, rough)
  pose = rough + pose_terms(rough, local, known.mean, known.basis) @ known.pose
  eyes = (eye_terms(track, pose) @ known.eyes).clip(-_MAX_EYE, _MAX_EYE)
  return Reading(pose, _steadied(eyes), eye_openings(track), mouth_opening(local))


def head_frame(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
  """The mesh turned upright: `(t, 468, 3)`, y up, its rigid part of unit size.

  Args:
    points: `(t, 468, 3)` crop units, y down.
    pose: `(t, 6)` of `fit_head`.
  """
  from vasa_jax.metrics.faces import RIGID
  from vasa_jax.metrics.pose import rotation

  world = np.asarray(points, np.float64) * [1, -1, -1]
  world = world - world[:, list(RIGID)].mean(1, keepdims=True)
  local = world @ rotation(pose[:, :3])
  size = np.sqrt(np.square(local[:, list(RIGID)]).sum(-1).mean(1))
  return local / np.maximum(size, 1e-9)[:, None, None]


def pose_terms(pose, local, mean, basis) -> np.ndarray:
  """`(t, 11 + k)` inputs of the readout of the pose; see the head of this file."""
  y, p, r = (pose[:, :3] / [20, 10, 10]).T
  turns = [np.ones(len(y)), y, p, r, y * y, p * p, y * p, y * r, p * r, y**3, y * y * p]
  scores = (local.reshape(len(y), -1) - mean) @ basis
  # A face far from all that was seen must not turn the head.
  return np.column_stack([*turns, _bounded(scores, 1.0)])


def eye_terms(track: Track, pose: np.ndarray) -> np.ndarray:
  """`(t, 27)` inputs of the readout of the eyes.

  1, y, p, r; for both eyes the iris in its contour (u, v), lid gaps g; y u, y v, p v;
  y y, p p, y p; for both eyes the iris between the mesh's corners (m, n); y m, p n.
  """
  y, p, r = (pose[:, :3] / [20, 10, 10]).T
  lids = np.asarray(track.lids[..., :2], np.float64)
  iris = np.asarray(track.iris[:, :, 0, :2], np.float64)
  left, right = (
    np.stack([lids[:, 0, a], lids[:, 1, b]], 1)
    for a, b in ((_OUTER, _INNER), (_INNER, _OUTER))
  )
  across = right - left
  width = np.maximum(np.linalg.norm(across, axis=-1), 1e-6)
  away = iris - (left + right) / 2
  u = (away * across).sum(-1) / width**2
  v = -(across[..., 0] * away[..., 1] - across[..., 1] * away[..., 0]) / width**2
  u, v = _bounded(u, 0.1), _bounded(v, 0.1)
  gap = _bounded(eye_openings(track), 0.3)

  mesh = np.asarray(track.points[..., :2], np.float64)
  middle = np.stack([mesh[:, list(pair)].mean(1) for pair in _CORNERS], 1)
  face = np.linalg.norm(mesh[:, 263] - mesh[:, 33], axis=-1)
  dx, dy = np.moveaxis((iris - middle) / np.maximum(face, 1e-6)[:, None, None], -1, 0)
  cos, sin = (f(np.deg2rad(pose[:, 2]))[:, None] for f in (np.cos, np.sin))
  m, n = _bounded(dx * cos - dy * sin, 0.04), _bounded(-dx * sin - dy * cos, 0.04)
  yy, pp = y[:, None], p[:, None]
  return np.column_stack(
    [np.ones(len(y)), y, p, r, u, v, gap, yy * u, yy * v, pp * v]
    + [y * y, p * p, y * p, m, n, yy * m, pp * n]
  )


def _bounded(values: np.ndarray, scale: float) -> np.ndarray:
  """Values over their usual size, with outliers held at 3."""
  return 3 * np.tanh(values / (3 * scale))


def _steadied(eyes: np.ndarray) -> np.ndarray:
  """The median of three frames: eyes jump and then stay, single frames are errors."""
  if len(eyes) < 3:
    return eyes
  padded = np.concatenate([eyes[:1], eyes, eyes[-1:]])
  return np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0)
