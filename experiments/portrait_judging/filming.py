"""Portraits and voices of two folders become videos, by the product's own path."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.files import refused, write_whole
from vasa_jax.inference.finding.portrait import Portrait
from vasa_jax.inference.media.audio_file import digest
from vasa_jax.inference.media.video import VideoWriter
from vasa_jax.inference.talking_face import TalkingFace
from vasa_jax.metrics.clip_file import read_frames
from vasa_jax.types import Motion

PICTURES = (
  '.jpg', '.jpeg', '.png', '.webp', '.ppm', '.bmp', '.tif', '.tiff', '.heic',
)  # fmt: skip
SOUNDS = ('.wav',)
_STILL = 10  # frames


class Sitter(NamedTuple):
  """A portrait that the product takes.

  Attributes:
    name: in the table.
    path: of the picture.
    portrait: its face, cut out as its videos show it (`inference/showing/viewport.py`).
    still: `(s, s, 3)` uint8, the crop as a video that does not move shows it.
  """

  name: str
  path: Path
  portrait: Portrait
  still: np.ndarray


class Film(NamedTuple):
  """A video that the product made.

  Attributes:
    path: of the mp4.
    pose: `(t, 3)` yaw, pitch, roll that the face model was asked for, degrees.
  """

  path: Path
  pose: np.ndarray


class WatchedFace(TalkingFace):
  """The product; it also keeps the motion that it last drew.

  What `frames` draws is what was carried out: stage 2's motion after the portrait's
  stance and lids, or what a drive gave.
  """

  asked: list[Motion]

  def frames(self, code, motions, decode=None) -> Iterator[np.ndarray]:
    self.asked = kept = []

    def watch() -> Iterator[Motion]:
      for window in motions:
        kept.append(window)
        yield window

    return super().frames(code, watch(), decode)


def find_files(folder: Path, suffixes: Sequence[str], what: str) -> list[Path]:
  """Files of a folder and its sub-folders, in order.

  Raises:
    UserError: no such folder, or none of them in it.
  """
  if not folder.is_dir():
    raise UserError(f'no folder of {what} at {folder}')
  found = sorted(p for p in folder.rglob('*') if p.suffix.lower() in suffixes)
  if not found:
    raise UserError(f'{folder} holds no {what} ({", ".join(suffixes)})')
  return found


def name_of(path: Path, folder: Path) -> str:
  """A file's name in the table; the same name in two sub-folders stays two names."""
  return '_'.join(path.relative_to(folder).with_suffix('').parts).replace(' ', '_')


def encoded(crop: np.ndarray, path: Path) -> np.ndarray:
  """Writes a short video of a picture that does not move, and returns its last frame.

  Raises:
    UserError: `path` cannot be written.
  """
  with VideoWriter(path, crop.shape[:2], sound_rate=None) as writer:
    writer.write(np.stack([crop] * _STILL))
  return list(read_frames(path))[-1]


def phones_of(voice: Path) -> list[tuple[str, float, float]] | None:
  """What `NAME.phones.json` beside a voice says; None without such a file.

  Raises:
    UserError: it cannot be read.
  """
  path = voice.with_suffix('.phones.json')
  if not path.is_file():
    return None
  try:
    phones = json.loads(path.read_text(encoding='utf-8'))['phones']
    return [(str(name), float(start), float(end)) for name, start, end in phones]
  except (OSError, ValueError, KeyError, TypeError) as error:
    raise UserError(
      f'{path}: not what `experiments.make_voices` writes ({error}); make it again or '
      'delete it'
    ) from error


def film(
  face: WatchedFace,
  sitter: Sitter,
  voice: Path,
  folder: Path,
  seed: int,
  settings: Mapping[str, Any] = MappingProxyType({}),
  about: str = '',
) -> Film:
  """Makes the video, or finds the one of an earlier run with the same inputs.

  Args:
    folder: where it goes; it has to exist.
    settings: of `TalkingFace.talk`; none is the product's default.
    about: what of `settings` is not plain text: the contents of a file.

  Raises:
    UserError: the product refuses the portrait or the voice.
  """
  plain = sorted((name, str(value)) for name, value in settings.items())
  inputs = (face.bundle.digest, digest(sitter.path), digest(voice), seed, plain, about)
  # What the video shows of the picture: films of other framings are not compared.
  seen = sitter.portrait
  inputs += tuple(round(x) for x in (seen.left, seen.top, seen.side))
  key = hashlib.sha256(repr(inputs).encode()).hexdigest()[:12]
  path = folder / f'{sitter.name}__{voice.stem}_{key}.mp4'
  asked = path.with_suffix('.pose.json')
  # The pose is written last: its presence means done.
  if not (path.is_file() and asked.is_file()):
    face.asked = []
    made = face.talk(sitter.path, voice, path, seed=seed, **settings)
    parts = [np.degrees(np.asarray(motion.z_pose)[:, :3]) for motion in face.asked]
    pose = np.concatenate([np.zeros((0, 3)), *parts])[: made.frames]
    try:
      write_whole(asked, json.dumps(pose.round(5).tolist()))
    except OSError as error:
      raise refused(asked, error) from error
  pose = np.array(json.loads(asked.read_text()), np.float64).reshape(-1, 3)
  return Film(path, pose)
