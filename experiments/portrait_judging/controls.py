"""Do real portraits obey? Each control at five levels, read back by other nets.

One voice, three seconds, one seed; only the control changes. Gaze and head are read
from mesh and irises, distance from the mesh's size, an emotion by a net for emotions
(log-odds).
A control is obeyed when what is read rises at every step, and clean when nothing else
that is read changes with it.
"""

import io
import json
import wave
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.portrait_judging.filming import Sitter, WatchedFace, film
from vasa_jax.errors import UserError
from vasa_jax.files import refused, write_whole
from vasa_jax.metrics.clip_file import read_frames
from vasa_jax.metrics.faces import mesh_scale, track_faces
from vasa_jax.metrics.obeyed import gaze_track

SECONDS = 3.0  # of the voice
STEP = 5  # frames from one reading to the next
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
EMOTIONS = ('happiness', 'anger', 'surprise')
LEVELS: dict[str, tuple[float, ...]] = {
  'gaze': (-20.0, -10.0, 0.0, 10.0, 20.0),
  'distance': (0.9, 1.0, 1.1, 1.2, 1.3),
  'yaw': (-20.0, -10.0, 0.0, 10.0, 20.0),
  **dict.fromkeys(EMOTIONS, SHARES),
}
UNITS = {
  'gaze': 'deg',
  'distance': 'ratio',
  'yaw': 'deg',
  **dict.fromkeys(EMOTIONS, 'log-odds'),
}
READ_EMOTIONS = Callable[[np.ndarray], np.ndarray]  # `metrics.emotion.load_reader`


class Reading(NamedTuple):
  """Medians of what the nets read in a clip, by the names of `LEVELS`; NaN: unread."""

  control: str
  level: float
  read: dict[str, float]


def excerpt(voice: Path, path: Path, seconds: float = SECONDS) -> Path:
  """Writes the beginning of a wav file to `path`, and returns it.

  Raises:
    UserError: it is no wav file of plain samples, or `path` cannot be written.
  """
  out = io.BytesIO()
  try:
    with wave.open(str(voice)) as whole, wave.open(out, 'wb') as part:
      part.setparams(whole.getparams())
      part.writeframes(whole.readframes(round(seconds * whole.getframerate())))
  except (wave.Error, EOFError) as error:
    raise UserError(f'{voice}: not a wav file of plain samples ({error})') from error
  try:
    write_whole(path, out.getvalue())
  except OSError as error:
    raise refused(path, error) from error
  return path


def settings_of(control: str, level: float, drive: Path) -> dict[str, Any]:
  """What `TalkingFace.talk` is told; the head's turn goes through a drive file."""
  if control == 'gaze':
    return {'gaze': [level, 0.0]}
  if control == 'distance':
    return {'distance': level}
  if control == 'yaw':
    return {'drive': drive, 'drive_parts': 'pose'}
  return {'emotion': {control: level}}


def obey(
  face: WatchedFace,
  sitter: Sitter,
  voice: Path,
  folder: Path,
  emotions: READ_EMOTIONS | None,
) -> list[Reading]:
  """Films a portrait under every control at every level, and reads all of them back.

  What an earlier run has read is kept beside the video.

  Raises:
    UserError: the product refuses the portrait or the voice, or a file cannot be
      written.
  """
  readings = []
  for control, levels in LEVELS.items():
    for level in levels:
      drive = folder / f'yaw_{level:g}.json'
      about = json.dumps({'pose': {'yaw': level}}) if control == 'yaw' else ''
      try:
        if about:
          write_whole(drive, about)
        settings = settings_of(control, level, drive)
        made = film(face, sitter, voice, folder, 0, settings, about)
        kept = made.path.with_suffix(f'.read{1 + int(emotions is not None)}.json')
        if not kept.is_file():
          read = read_back(made.path, sitter, emotions)
          write_whole(kept, json.dumps(read))
      except OSError as error:
        raise refused(folder, error) from error
      readings.append(Reading(control, level, json.loads(kept.read_text())))
  return readings


def read_back(
  path: Path, sitter: Sitter, emotions: READ_EMOTIONS | None
) -> dict[str, float]:
  """Readings of every fifth frame of a video; see `LEVELS` for the names.

  Medians; of an emotion the mean log-odds.
  """
  frames = [f for i, f in enumerate(read_frames(path)) if i % STEP == 0]
  track = track_faces(frames, irises=True)
  read = dict.fromkeys(LEVELS, float('nan'))
  if not track.found.any():
    return read
  near = mesh_scale(sitter.portrait.landmarks.points) / len(sitter.portrait.crop)
  scale = mesh_scale(track.points[track.found]) / len(frames[0])
  read['distance'] = float(np.median(near / scale))
  read['yaw'] = float(np.nanmedian(track.pose[:, 0]))
  read['gaze'] = float(np.nanmedian(gaze_track(track)[:, 0]))
  if emotions is not None:
    from vasa_jax.metrics.emotion_view import CLASSES, crop_face

    seen = np.flatnonzero(track.found)
    views = np.stack([crop_face(frames[i], track.points[i]) for i in seen])
    odds = log_odds(emotions(views)).mean(0)
    read |= {name: float(odds[CLASSES.index(name)]) for name in EMOTIONS}
  return read


def log_odds(shares: np.ndarray) -> np.ndarray:
  """`ln(p / (1 - p))` of a net's shares, at most 16 either way.

  The shares themselves saturate: of a portrait that smiles at .99 nothing can rise.
  """
  shares = np.clip(shares.astype(np.float64), 1e-7, 1 - 1e-7)
  return np.log(shares / (1 - shares))


class Obeyed(NamedTuple):
  """One control over all portraits.

  Attributes:
    control: its name.
    levels: that were asked for.
    read: `(levels,)` median over portraits.
    monotone: share of portraits in which every step rises.
    others: how far the other readings go with it, median over portraits of the largest
      less the smallest of the five levels.
  """

  control: str
  levels: tuple[float, ...]
  read: list[float]
  monotone: float
  others: dict[str, float]


def summarise(portraits: Sequence[Sequence[Reading]]) -> list[Obeyed]:
  """What the readings of some portraits say about each control."""
  found = []
  for control, levels in LEVELS.items():
    tables = [
      {name: [r.read[name] for r in own if r.control == control] for name in LEVELS}
      for own in portraits
    ]
    tables = [t for t in tables if np.isfinite(t[control]).all()]
    if not tables:
      continue
    own = np.array([table[control] for table in tables])
    others = {
      name: float(np.median([np.ptp(table[name]) for table in tables]))
      for name in LEVELS
      if name != control and np.isfinite([table[name] for table in tables]).all()
    }
    monotone = float((np.diff(own, axis=1) > 0).all(1).mean())
    found.append(Obeyed(control, levels, np.median(own, 0).tolist(), monotone, others))
  return found


def markdown(found: Iterable[Obeyed]) -> str:
  """The controls as a table."""
  lines = [
    '| control | asked | read, median over portraits | monotone | others change by |',
    '| --- | --- | --- | --- | --- |',
  ]
  for one in found:
    asked = ', '.join(f'{level:g}' for level in one.levels)
    read = ', '.join(f'{value:.2f}' for value in one.read)
    others = ', '.join(
      f'{name} {value:.2f} {UNITS[name]}'.strip() for name, value in one.others.items()
    )
    unit = f', {UNITS[one.control]}' if UNITS[one.control] else ''
    share = f'{100 * one.monotone:.0f} %'
    lines.append(f'| {one.control}{unit} | {asked} | {read} | {share} | {others} |')
  return '\n'.join(lines) + '\n'
