"""From a tracked face to pose, eyes, lids and mouth.

Geometry comes first (`geometry.fit_head`). What it leaves is taken away by four linear
readouts, fitted once on rendered people of exact pose, gaze and mouth, who are neither
judged nor trained on elsewhere:

* pose += W [powers of yaw, pitch, roll; shape; yaw * shape], and the track's means of
  these. Shape is the mesh and both eyes' outlines in the head's frame, in principal
  components: people's faces differ, and a long chin would otherwise be read as a bowed
  head. How the shape seems to change with the yaw tells how deep a face is. Where the
  face lies in the crop is left out on purpose: crops of films are framed otherwise than
  rendered ones.
* eyes = W [both irises in their outlines and between the mesh's corners, lid gaps, head
  pose, the outlines, products of these with the yaw, shape].
* mouth = W [lip gap, head pose, products of these, 17 points of lips and chin], and the
  track's means of these.
* lids: `blinks.py`.

The means let a readout follow a head that nods as far as it nods (the differences from
the mean), and at the same time distrust what the mean says, in which a person's own
shape and a held pose cannot be told apart. Without them one weight has to do both, and
nods are read a third too small.

The coefficients lie in `calibration.npz`; `python -m experiments.fit_perception` makes
it and prints the errors on people that it left out.
"""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_pipelines.perceive.blinks import blinks, closure
from data_pipelines.perceive.geometry import fit_head
from data_pipelines.perceive.lids import (
  eye_openings,
  from_own_rest,
  in_eyes,
  mouth_opening,
)
from data_pipelines.perceive.track import EYE_CORNERS, Track

CALIBRATION = Path(__file__).with_name('calibration.npz')
COMPONENTS, TURNED, OF_EYES = 80, 60, 20  # of the shape: all, by yaw, for the eyes
_EVERY = 3  # points of the mesh that stand for the shape
_LIPS = (0, 13, 14, 17, 37, 61, 78, 82, 84, 87, 152, 267, 291, 308, 312, 314, 317)
_MAX_EYE = 0.6  # radians: eyes turn no farther


class Calibration(NamedTuple):
  """Fitted numbers.

  mean: `(752,)`, basis: `(752, 80)` of the shape (`shape_of`); scores have unit
  variance. lips: `(51,)` mean places. pose: `(301, 6)`, eyes: `(207, 2)`, mouth:
  `(117,)`, lids: `(183,)` weights of the terms.
  """

  mean: np.ndarray
  basis: np.ndarray
  lips: np.ndarray
  pose: np.ndarray
  eyes: np.ndarray
  mouth: np.ndarray
  lids: np.ndarray


class Reading(NamedTuple):
  """What `t` frames show.

  pose: `(t, 6)` yaw, pitch, roll (degrees), log distance ratio, tx, ty (crop units).
  eyes: `(t, 2)` radians in the head's frame, to the picture's right and up.
  eye_open: `(t, 2)`, shut: `(t,)`, mouth_open: `(t,)`; units of `labels.Labels`.
  """

  pose: np.ndarray
  eyes: np.ndarray
  eye_open: np.ndarray
  shut: np.ndarray
  mouth_open: np.ndarray


class Seen(NamedTuple):
  """A track after the geometry.

  rough: `(t, 6)` of `fit_head`. local: `(t, 468, 3)` of `head_frame`. shape:
  `(t, 752)` of `shape_of`.
  """

  rough: np.ndarray
  local: np.ndarray
  shape: np.ndarray


@functools.cache
def load_calibration() -> Calibration:
  """The numbers that ship with the package."""
  with np.load(CALIBRATION) as file:
    return Calibration(*(file[name].astype(np.float64) for name in Calibration._fields))


def read_track(track: Track, calibration: Calibration | None = None) -> Reading:
  """Reads every frame of a track of one person."""
  known = load_calibration() if calibration is None else calibration
  seen = see(track)
  scores = scores_of(seen.shape, known.mean, known.basis)
  one = np.where(track.visible, 0, -1)
  pose = seen.rough + with_means(pose_terms(seen.rough, scores), one) @ known.pose
  eyes = (eye_terms(track, pose, scores) @ known.eyes).clip(-_MAX_EYE, _MAX_EYE)
  terms = mouth_terms(seen.rough, seen.local, known.lips)
  mouth = from_own_rest(with_means(terms, one) @ known.mouth)
  shut = closure(track, seen.rough, seen.local, known.lids)
  steady = _steadied(eyes, blinks(shut))
  return Reading(pose, steady, eye_openings(track), shut, mouth)


def see(track: Track) -> Seen:
  """What no calibration is needed for."""
  rough = fit_head(track.points)
  local = head_frame(track.points, rough)
  return Seen(rough, local, shape_of(track, rough, local))


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


def shape_of(track: Track, pose: np.ndarray, local: np.ndarray) -> np.ndarray:
  """`(t, 752)`: every third point of the mesh, and both eyes' outlines and brows.

  The outlines are flat: about the middle of the eyes' corners, without roll, over the
  size of the face. The iris is not among them: where one looks must not turn the head.

  Args:
    track: of `t` frames.
    pose, local: of `fit_head` and `head_frame`.
  """
  from vasa_jax.metrics.faces import RIGID

  mesh = np.asarray(track.points[..., :2], np.float64)
  rigid = mesh[:, list(RIGID)]
  spread = np.square(rigid - rigid.mean(1, keepdims=True)).sum(-1).mean(1)
  middle = mesh[:, list(sum(EYE_CORNERS, ()))].mean(1)[:, None, None]
  size = np.maximum(np.sqrt(spread), 1e-9)[:, None, None]
  x, y = np.moveaxis(np.asarray(track.lids[..., :2], np.float64) - middle, -1, 0) / size
  cos, sin = (f(np.deg2rad(pose[:, 2]))[:, None, None] for f in (np.cos, np.sin))
  parts = local[:, ::_EVERY], x * cos - y * sin, -x * sin - y * cos
  return np.concatenate([part.reshape(len(mesh), -1) for part in parts], 1)


def scores_of(shape, mean, basis) -> np.ndarray:
  """`(t, k)` principal components; a face far from all that was seen is held at 3."""
  return _bounded((shape - mean) @ basis, 1.0)


def with_means(terms: np.ndarray, who: np.ndarray) -> np.ndarray:
  """Terms, and their means over each track.

  Args:
    terms: `(t, n)`, of which the first is 1.
    who: `(t,)` int, the track of a frame; -1 is left out of the means and given those
      of track 0.

  Returns:
    `(t, 2 n - 1)`.
  """
  means = np.stack([terms[who == i, 1:].mean(0) for i in range(who.max() + 1)])
  return np.concatenate([terms, means[np.maximum(who, 0)]], 1)


def pose_terms(pose, scores) -> np.ndarray:
  """`(t, 151)` inputs of the readout of the pose.

  1, y, p, r, y y, p p, y p, y r, p r, y y y, y y p; shape s; y s. y, p, r are the
  geometric angles over 20, 10, 10 degrees.
  """
  y, p, r = (pose[:, :3] / [20, 10, 10]).T
  turns = [np.ones(len(y)), y, p, r, y * y, p * p, y * p, y * r, p * r, y**3, y * y * p]
  return np.column_stack([*turns, scores, y[:, None] * scores[:, :TURNED]])


def eye_terms(track: Track, pose: np.ndarray, scores: np.ndarray) -> np.ndarray:
  """`(t, 207)` inputs of the readout of the eyes.

  1, y, p, r; for both eyes the iris in its contour (u, v), lid gaps g; y u, y v, p v;
  y y, p p, y p; for both eyes the iris between the mesh's corners (m, n); y m, p n;
  rim of the iris and lids (o), as u and v; y o; shape.
  """
  y, p, r = (pose[:, :3] / [20, 10, 10]).T
  u, v = (_bounded(place, 0.1) for place in in_eyes(track))
  outline = np.concatenate([u[:, :, 1:], v[:, :, 1:]], 2).reshape(len(y), -1)
  u, v = u[:, :, 0], v[:, :, 0]
  gap = _bounded(eye_openings(track), 0.3)

  mesh = np.asarray(track.points[..., :2], np.float64)
  middle = np.stack([mesh[:, list(pair)].mean(1) for pair in EYE_CORNERS], 1)
  face = np.maximum(np.linalg.norm(mesh[:, 263] - mesh[:, 33], axis=-1), 1e-6)
  iris = np.asarray(track.iris[:, :, 0, :2], np.float64)
  dx, dy = np.moveaxis((iris - middle) / face[:, None, None], -1, 0)
  cos, sin = (f(np.deg2rad(pose[:, 2]))[:, None] for f in (np.cos, np.sin))
  m, n = _bounded(dx * cos - dy * sin, 0.04), _bounded(-dx * sin - dy * cos, 0.04)
  yy, pp = y[:, None], p[:, None]
  return np.column_stack(
    [np.ones(len(y)), y, p, r, u, v, gap, yy * u, yy * v, pp * v]
    + [y * y, p * p, y * p, m, n, yy * m, pp * n]
    + [outline, yy * outline, scores[:, :OF_EYES]]
  )


def lips_of(local: np.ndarray) -> np.ndarray:
  """`(t, 51)` places of lips and chin in the head's frame."""
  return local[:, list(_LIPS)].reshape(len(local), -1)


def mouth_terms(pose, local, lips) -> np.ndarray:
  """`(t, 59)` inputs of the readout of the mouth.

  1, lip gap m, y, p, y y, p m, y y m, m m; places of lips and chin, less the mean ones.
  """
  y, p = (pose[:, :2] / [20, 10]).T
  m = mouth_opening(local) / 0.15
  places = _bounded(lips_of(local) - lips, 0.2)
  return np.column_stack(
    [np.ones(len(y)), m, y, p, y * y, p * m, y * y * m, m * m, places]
  )


def _bounded(values: np.ndarray, scale: float) -> np.ndarray:
  """Values over their usual size, with outliers held at 3."""
  return 3 * np.tanh(values / (3 * scale))


def _steadied(eyes: np.ndarray, shut: np.ndarray) -> np.ndarray:
  """Eyes without what cannot be.

  Through a blink they go from where they were to where they are afterwards. Then the
  median of five frames: eyes jump and stay, and what one frame alone says is an error.

  Args:
    eyes: `(t, 2)`.
    shut: `(n, 2)` of `blinks`.
  """
  at = np.arange(len(eyes))
  open_ = np.ones(len(eyes), bool)
  for start, end in shut:
    open_[start:end] = False
  if open_.any():
    eyes = np.stack([np.interp(at, at[open_], c[open_]) for c in eyes.T], 1)
  padded = np.pad(eyes, ((2, 2), (0, 0)), mode='edge')
  return np.median([padded[i : i + len(eyes)] for i in range(5)], axis=0)
