"""E_g and E_d: does a finished video look where, and stand where, it was told to?

VASA-1 section 4.2, Table 5: the angular error of the main gaze, and the error of the
head's distance. The paper reads both back from the pictures by nets it does not name
for this; here they are the face mesh and the irises (`faces`, `gaze`) for every system.
Main gaze is the fullest bin of the directions of a clip, as for the condition itself.
"""

from typing import Any, NamedTuple

import numpy as np

from vasa_jax.errors import UsageError
from vasa_jax.metrics.faces import FaceTrack, mesh_scale, track_faces
from vasa_jax.metrics.gaze import read_gaze
from vasa_jax.metrics.pose import rotation

BIN = 5.0  # degrees


class Asked(NamedTuple):
  """What was commanded for a clip; None: nothing.

  Attributes:
    gaze: `(theta, phi)` degrees in the camera's frame, x right, y up.
    distance: distance ratio against the portrait: 1 keeps it, larger is farther.
  """

  gaze: tuple[float, float] | None = None
  distance: float | None = None


def parse_asked(value: Any, where: str) -> Asked:
  """`{"gaze": [theta, phi], "distance": d}`, both optional, as `Asked`.

  Raises:
    UsageError: anything else.
  """
  wrong = UsageError(
    f'{where}: write {{"gaze": [theta, phi], "distance": ratio}} (either may be absent)'
  )
  if not isinstance(value, dict) or set(value) - {'gaze', 'distance'}:
    raise wrong
  try:
    gaze, distance = value.get('gaze'), value.get('distance')
    if gaze is not None:
      theta, phi = gaze
      gaze = float(theta), float(phi)
    distance = None if distance is None else float(distance)
  except (TypeError, ValueError):
    raise wrong from None
  if distance is not None and distance <= 0:
    raise UsageError(f'{where}: a distance ratio is above 0, not {distance:g}')
  return Asked(gaze, distance)


def gaze_track(track: FaceTrack) -> np.ndarray:
  """`(t, 2)` degrees in the camera's frame; NaN where no face was found.

  Args:
    track: of `track_faces(..., irises=True)`.
  """
  found = np.full((len(track.found), 2), np.nan)
  for t in np.flatnonzero(track.found):
    own = read_gaze(track.points[t], track.irises[t], track.pose[t])
    ray = rotation(track.pose[t]) @ _ray(own)
    found[t] = np.degrees([np.arctan2(ray[0], ray[2]), np.arcsin(ray[1].clip(-1, 1))])
  return found


def main_gaze(gaze: np.ndarray) -> np.ndarray:
  """`(t, 2)` degrees to `(2,)`: mean of the fullest 5-degree bin (paper, section 3.2).

  The grid is tried at four half shifts, or a direction on an edge would be split. Rows
  with NaN are left out; without any row the answer is NaN.
  """
  gaze = np.asarray(gaze, np.float64)
  gaze = gaze[np.isfinite(gaze).all(1)]
  if not len(gaze):
    return np.full(2, np.nan)
  best, fullest = gaze[0], 0
  for shift in ((0, 0), (0.5, 0), (0, 0.5), (0.5, 0.5)):
    cell = np.floor(gaze / BIN + shift).astype(int)
    _, which, counts = np.unique(cell, axis=0, return_inverse=True, return_counts=True)
    if counts.max() > fullest:
      fullest = counts.max()
      best = gaze[which.reshape(-1) == counts.argmax()].mean(0)
  return best


def gaze_error(track: FaceTrack, asked: tuple[float, float]) -> float:
  """E_g: degrees between the main gaze of a clip and what was asked; NaN: no face."""
  cosine = _ray(main_gaze(gaze_track(track))) @ _ray(np.asarray(asked))
  return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def distance_error(
  track: FaceTrack, height: int, portrait: np.ndarray, asked: float
) -> float:
  """E_d: per cent by which the clip's mean distance misses what was asked.

  The size of a head cannot be told from its distance in one picture, so the portrait,
  in the same framing as the video, is the ruler. NaN without a face in either.

  Args:
    track: of the video.
    height: of its pictures, px.
    portrait: `(h, w, 3)` uint8.
    asked: ratio against the portrait.
  """
  first = track_faces([portrait])
  if not (first.found[0] and track.found.any()):
    return float('nan')
  near = mesh_scale(first.points)[0] / portrait.shape[0]
  scales = mesh_scale(track.points[track.found]) / height
  ratio = np.exp(np.mean(np.log(near / scales)))
  return float(100 * abs(ratio / asked - 1))


def _ray(degrees: np.ndarray) -> np.ndarray:
  theta, phi = np.radians(degrees)
  flat = np.cos(phi)
  return np.array([flat * np.sin(theta), np.sin(phi), flat * np.cos(theta)])
