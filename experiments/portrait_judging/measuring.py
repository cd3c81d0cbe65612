"""What is read off one video by nets that we did not train, and the promises."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.portrait_judging.filming import Film, Sitter
from vasa_jax.errors import UserError
from vasa_jax.files import refused, write_whole
from vasa_jax.metrics import portrait_scores as scores
from vasa_jax.metrics.clip_file import read_frames, read_sound
from vasa_jax.metrics.faces import FaceTrack, track_faces
from vasa_jax.metrics.mouth import (
  blinks_per_minute,
  eye_opening,
  mouth_opening,
  mouth_sync,
  speech_envelope,
)
from vasa_jax.metrics.openings import eye_openings
from vasa_jax.metrics.pose import delta_p
from vasa_jax.metrics.table import METRICS, Metric
from vasa_jax.types import FPS

Descriptor = Callable[[np.ndarray], np.ndarray | None]
IDENTITY_STEP = 5  # every fifth frame: a descriptor costs as much as eight meshes
WORST = 3  # frames that a clip keeps for the picture of the worst ones
_VERSION = 6  # raised when a score changes its meaning


def _promised(name: str, bar: Any = None, always: bool = False) -> Metric:
  return METRICS[name]._replace(bar=bar, always=always)


PORTRAIT_METRICS = {
  'mesh_found': _promised('mesh_found', 99.0),
  'identity': _promised('identity', 0.45),
  'identity_worst': _promised('identity_worst', 0.6, True),
  'sharpness': Metric('sharpness over the portrait, median', '', 'higher', 0.6),
  'sharpness_low': Metric('the same, lowest 5 % of frames', '', 'higher'),
  'background': Metric('background, change', '1/255', 'lower', 1.0),
  'background_above': Metric('the same, above the eyes', '1/255', 'lower'),
  'mouth_r': _promised('mouth_r', 0.4, True),
  'mouth_lag': _promised('mouth_lag', (-1.0, 1.0), True),
  'mouth_speech': _promised('mouth_speech'),
  'mouth_silence': _promised('mouth_silence'),
  'closures': Metric('p b m closed', '%', 'higher', 80.0),
  'closures_chance': Metric('the same test at other times of the speech', '%', 'lower'),
  'blinks': _promised('blinks', (8.0, 30.0)),
  'blinks_both': Metric('blinks of both eyes', '%', 'higher'),
  'delta_p': _promised('delta_p', (0.2, 0.5)),
  'delta_p_asked': Metric('delta P that was asked for', 'deg/frame', 'real'),
  'acceleration': Metric('head, second difference', 'deg/frame^2', 'real'),
  'acceleration_ratio': Metric('the same over what was asked', '', 'real',
                               (1 / 1.5, 1.5)),
  'acceleration_corpus': Metric('what was asked over the corpus', '', 'real'),
  'seconds': _promised('seconds'),
}  # fmt: skip


class Worst(NamedTuple):
  """The frames of a clip that are furthest off: their number and their value."""

  identity: list[tuple[int, float]]
  sharpness: list[tuple[int, float]]


class Measured(NamedTuple):
  """Scores by the names of `PORTRAIT_METRICS`, and the worst frames."""

  scores: dict[str, float]
  worst: Worst


def measure(
  film: Film,
  sitter: Sitter,
  phones: Sequence[tuple[str, float, float]] | None = None,
  describe: Descriptor | None = None,
) -> Measured:
  """Looks at every frame of a video; see `PORTRAIT_METRICS`.

  Raises:
    UserError: the video cannot be read.
  """
  crop, mesh = sitter.portrait.crop, sitter.portrait.landmarks.points
  frames = list(read_frames(film.path))
  track = track_faces(frames)
  found, opening = track.found, mouth_opening(track.points)
  own = scores.sharpness(crop, mesh)
  sharp = [
    (i, scores.sharpness(frames[i], track.points[i]) / max(own, 1e-6))
    for i in np.flatnonzero(found).tolist()
  ]
  blinks = scores.blinks_of_both(eye_openings(track.points), found)
  behind = scores.background_change(frames, sitter.still, [mesh, *track.points[found]])
  values = {
    'mesh_found': 100.0 * float(found.mean()),
    'background': behind.change,
    'background_above': behind.above,
    'blinks': blinks_per_minute(eye_opening(track.points), found),
    'blinks_both': 100.0 * blinks.share,
    'delta_p': delta_p(track.pose, found),
    'acceleration': scores.acceleration(track.pose, found),
    'seconds': len(frames) / FPS,
  }
  if sharp:
    ratios = np.array([ratio for _, ratio in sharp])
    values['sharpness'] = float(np.median(ratios))
    values['sharpness_low'] = float(np.percentile(ratios, 5))
  if len(film.pose):
    values['delta_p_asked'] = delta_p(film.pose)
    asked = scores.acceleration(film.pose)
    values['acceleration_asked'] = asked
    values['acceleration_ratio'] = values['acceleration'] / max(asked, 1e-9)
  values |= _mouth(film.path, opening, track)
  if phones is not None:
    values |= _lips(opening, found, phones)
  apart = _distances(frames, crop, describe) if describe is not None else []
  if apart:
    distances = [distance for _, distance in apart]
    values['identity'] = float(np.median(distances))
    values['identity_worst'] = float(np.max(distances))
  worst = Worst(
    sorted(apart, key=lambda one: -one[1])[:WORST],
    sorted(sharp, key=lambda one: one[1])[:WORST],
  )
  return Measured(values, worst)


def _mouth(path: Path, opening: np.ndarray, track: FaceTrack) -> dict[str, float]:
  sound = read_sound(path)
  if sound is None or not np.any(sound):
    return {}
  sync = mouth_sync(opening, speech_envelope(sound, len(opening)), track.found)
  return {
    'mouth_r': sync.r,
    'mouth_lag': float(sync.lag),
    'mouth_speech': sync.speech,
    'mouth_silence': sync.silence,
  }


def _lips(opening, found, phones) -> dict[str, float]:
  lips = scores.lips_on_phones(opening, found, phones)
  if lips is None or not len(lips.closed):
    return {}
  return {
    'closures': 100.0 * float(lips.closed.mean()),
    'closures_chance': 100.0 * lips.chance,
    'labials': float(len(lips.closed)),
    'closed_level': lips.level,
  }


def _distances(frames, crop, describe) -> list[tuple[int, float]]:
  """128-d distances to the portrait by frame; a frame without a face has none."""
  portrait = describe(crop)
  if portrait is None:
    return []
  apart = []
  for i in range(0, len(frames), IDENTITY_STEP):
    there = describe(frames[i])
    if there is not None:
      apart.append((i, float(np.linalg.norm(there - portrait))))
  return apart


def measured(film: Film, sitter: Sitter, phones, describe) -> Measured:
  """`measure`, or what it gave in an earlier run; kept beside the video."""
  kept = film.path.with_suffix('.scores.json')
  stamp = film.path.stat()
  version = repr((
    _VERSION, stamp.st_size, stamp.st_mtime_ns, describe is not None, phones
  ))  # fmt: skip
  if kept.is_file():
    try:
      old = json.loads(kept.read_text())
      if old['version'] == version:
        return Measured(old['scores'], Worst(**old['worst']))
    except (ValueError, KeyError, TypeError):
      pass  # cut off or of another version: measured again
  made = measure(film, sitter, phones, describe)
  text = {'version': version, 'scores': made.scores, 'worst': made.worst._asdict()}
  try:
    # Python writes and reads NaN here; nobody else reads this file.
    write_whole(kept, json.dumps(text))
  except OSError as error:
    raise refused(kept, error) from error
  return made


def corpus_acceleration(speakers: int = 12) -> float:
  """Mean second difference of the heads of the corpus's test split, degrees.

  Raises:
    UserError: no voice of this machine belongs to the test split.
  """
  from data_pipelines import errors
  from experiments.motion_judging.speakers import FIRST_SEED, act, heard_voices

  try:
    voices, found = heard_voices(), []
    for seed in range(FIRST_SEED, FIRST_SEED + speakers):
      truth = act(seed, voices, np.random.default_rng(seed)).truth
      found.append(scores.acceleration(np.degrees(truth.pose[:, :3])))
  except errors.UserError as error:
    raise UserError(str(error)) from error
  return float(np.mean(found))
