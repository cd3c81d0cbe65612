"""Pose or dynamics that are given instead of generated: the paper's editing demos.

    portrait     both as the portrait has them
    FILE.json    {"pose": {"yaw": 20}, "dynamics": {"mouthSmileLeft": 0.6}}
    VIDEO        the motion of a face, read frame by frame

What may stand in JSON says `named_motion.py`. A video that is shorter than the sound
goes back and forth.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference.directing.named_motion import named_motion, read_named
from vasa_jax.inference.directing.stance import looking
from vasa_jax.types import POSE_DIM, Motion

PARTS = ('pose', 'dynamics', 'both')
PORTRAIT = 'portrait'
_CHUNK = 50  # frames


class Drive(NamedTuple):
  """What replaces the generated motion; None is generated as ever.

  Attributes:
    z_pose: `(t, 6)`; z_dyn: `(t, k)`.
    about: for the file's provenance.
    notes: lines for the user.
    keeps_gaze: of anchored motion: generated eyes make up for a given pose, since
      gaze is asked for as the camera sees it.
  """

  z_pose: np.ndarray | None
  z_dyn: np.ndarray | None
  about: dict[str, Any]
  notes: tuple[str, ...] = ()
  keeps_gaze: bool = False

  def motions(
    self, make: Callable[[], Iterator[Motion]], frames: int
  ) -> Iterator[Motion]:
    """Windows of motion, `frames` in all; `make` is asked for what is not given."""
    if self.z_pose is None or self.z_dyn is None:
      return self._over(make())
    return self._alone(frames)

  def _over(self, motions: Iterator[Motion]) -> Iterator[Motion]:
    start = 0
    for window in motions:
      at = np.arange(start, start + len(window.z_pose))
      start += len(at)
      pose = window.z_pose if self.z_pose is None else _there_and_back(self.z_pose, at)
      dyn = window.z_dyn if self.z_dyn is None else _there_and_back(self.z_dyn, at)
      if self.z_dyn is None and self.keeps_gaze:
        dyn = looking(dyn, window.z_pose, pose)
      yield Motion(pose, dyn)

  def _alone(self, frames: int) -> Iterator[Motion]:
    for start in range(0, frames, _CHUNK):
      at = np.arange(start, min(start + _CHUNK, frames))
      yield Motion(_there_and_back(self.z_pose, at), _there_and_back(self.z_dyn, at))


def _there_and_back(track: np.ndarray, at: np.ndarray) -> np.ndarray:
  """Rows `at` of a track that runs forwards and backwards in turn: without a jump."""
  n = len(track)
  turn = at % max(2 * n - 2, 1)
  return track[np.where(turn < n, turn, 2 * n - 2 - turn)]


def check(drive: str | Path, parts: str) -> None:
  """Raises for what can be known before anything is loaded.

  Raises:
    UsageError: no such parts, or a JSON file that names an unknown value.
    UserError: no such file, or not valid JSON.
  """
  if parts not in PARTS:
    raise UsageError(f'--drive-parts {parts}: there are {", ".join(PARTS)}')
  if str(drive) == PORTRAIT:
    return
  if not Path(drive).is_file():
    raise UserError(f'{drive}: no such file')
  if Path(drive).suffix.lower() == '.json':
    read_named(drive)


def load_drive(
  drive: str | Path, parts: str, bundle: Any, own: Motion | None, frames: int
) -> Drive:
  """Reads what drives a clip.

  Args:
    drive: `portrait`, a JSON file, or a video.
    parts: which part of its motion is taken.
    bundle: the weights.
    own: motion of the portrait, batch 1; None where the model does not fit one.
    frames: of the clip.

  Raises:
    UserError: it cannot be read, or shows no face, or several.
    UsageError: it holds a value that does not exist or is out of range.
  """
  from vasa_jax.inference.media.audio_file import digest

  check(drive, parts)
  about: dict[str, Any] = {'parts': parts}
  notes: tuple[str, ...] = ()
  if str(drive) == PORTRAIT or Path(drive).suffix.lower() == '.json':
    if own is None:
      raise UserError(
        f'{bundle.name}: these weights have no named motion; give a driving video'
      )
    about |= {'source': PORTRAIT}
    fixed: Mapping[str, Any] = {}
    if str(drive) != PORTRAIT:
      fixed = read_named(drive)
      about |= {'source': 'fixed values', 'values': fixed}
    motion = named_motion(fixed, own, frames)
  else:
    about |= {'source': 'video', 'sha256': digest(drive)}
    motion, notes = video_motion(drive, bundle, frames)
  pose = motion.z_pose if parts in ('pose', 'both') else None
  dyn = motion.z_dyn if parts in ('dynamics', 'both') else None
  return Drive(pose, dyn, about, notes, keeps_gaze=bundle.face_config.anchored)


def video_motion(
  path: str | Path, bundle: Any, frames: int
) -> tuple[Motion, tuple[str, ...]]:
  """Motion of the face in a video, at most `frames` frames at 25 a second.

  Anchored weights: the head is fitted to the landmarks of every frame, as to a
  portrait. Others: their own motion encoder looks at the crops.
  """
  from vasa_jax.inference.finding.face_track import read_frames, track_face

  config = bundle.face_config
  faces = track_face(
    itertools.islice(read_frames(path), frames), config.size, str(path)
  )
  if config.anchored:
    motion = fitted(faces)
  else:
    motion = motion_encoder(bundle)(np.stack([face.crop for face in faces]))
    motion = Motion(motion[:, :POSE_DIM], motion[:, POSE_DIM:])
  notes = ()
  if len(faces) < frames:
    notes = (
      f'{path}: {len(faces) / 25:.1f} s for {frames / 25:.1f} s of sound; it goes back '
      'and forth',
    )
  return motion, notes


def fitted(faces: list) -> Motion:
  """Motion of tracked faces by fitting the head template; its trembling is smoothed."""
  from vasa_jax.face.fit import fit_portrait

  fits = [fit_portrait(face.points, face.irises).motion for face in faces]
  motion = jax.tree.map(lambda *rows: np.stack(rows).astype(np.float32), *fits)
  return jax.tree.map(_smoothed, motion)


def _smoothed(track: np.ndarray) -> np.ndarray:
  """`(t, n)` through the weights 1/4, 1/2, 1/4."""
  padded = np.pad(track, ((1, 1), (0, 0)), mode='edge')
  return (0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]).astype(
    np.float32
  )


def motion_encoder(bundle: Any, batch: int = 16):
  """`frames (t, s, s, 3)` uint8 -> `(t, m)` motion by the face model of a bundle.

  Frames go through in batches, the last one padded: one compilation.
  """
  import jax.numpy as jnp

  from vasa_jax.face.autoencoder import FaceModel

  model, size = FaceModel(bundle.face_config), bundle.face_config.size
  params = jax.device_put(bundle.face_params)

  @jax.jit
  def motion(params, pictures):
    pictures = pictures.astype(jnp.float32) / 255
    pictures = jax.image.resize(pictures, (len(pictures), size, size, 3), 'linear')
    found = model.apply({'params': params}, pictures, method='motion')
    return jnp.concatenate([found.z_pose, found.z_dyn], -1)

  def encode(frames: np.ndarray) -> np.ndarray:
    parts = []
    for i in range(0, len(frames), batch):
      part = frames[i : i + batch]
      padded = np.concatenate([part, np.repeat(part[-1:], batch - len(part), 0)])
      parts.append(np.asarray(motion(params, padded))[: len(part)])
    return np.concatenate(parts)

  return encode
