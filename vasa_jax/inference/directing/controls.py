"""What the user asks of a clip, from the command line or a JSON file, to `Controls`.

A controls file holds any of `gaze`, `distance` and `emotion`; each is a constant or a
list of key frames, between which values go in straight lines:

    {"gaze": [10, -5],
     "distance": [{"time": 0, "value": 1.0}, {"time": 3, "value": 0.9}],
     "emotion": {"happiness": 0.8}}

Times are seconds of the sound. Gaze is (theta, phi) in degrees, camera frame, > 0 to
the image's right and up; distance is a ratio, 1 is the usual, larger is farther;
emotions are scores in [0, 1] by name (or by an everyday one, as `happy`), what is left
of 1 goes to `neutral`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vasa_jax.errors import UsageError, UserError
from vasa_jax.types import EMOTIONS, FPS

LIMITS = {'gaze': (-60.0, 60.0), 'distance': (0.5, 2.0), 'emotion': (0.0, 1.0)}
_WIDTH = {'gaze': 2, 'distance': 1, 'emotion': 8}
_EVERYDAY = {
  'angry': 'anger', 'contemptuous': 'contempt', 'scornful': 'contempt',
  'disgusted': 'disgust', 'afraid': 'fear', 'fearful': 'fear', 'scared': 'fear',
  'happy': 'happiness', 'joy': 'happiness', 'calm': 'neutral', 'sad': 'sadness',
  'surprised': 'surprise',
}  # fmt: skip


def read_file(
  path: str | Path, holds: str = 'gaze, distance or emotion'
) -> dict[str, Any]:
  """Returns the contents of a controls file, whose values are checked later.

  Args:
    path: the file.
    holds: what may be in it, for the message.

  Raises:
    UserError: it cannot be read or is not a JSON object.
  """
  try:
    values = json.loads(Path(path).read_text(encoding='utf-8'))
  except OSError as error:
    raise UserError(f'{path}: cannot be read ({error.strerror})') from None
  except ValueError as error:
    raise UserError(f'{path}: not valid JSON ({error})') from None
  if not isinstance(values, dict):
    raise UserError(f'{path}: must be a JSON object with {holds}')
  return values


def to_arrays(asked: Mapping[str, Any], frames: int) -> dict[str, np.ndarray]:
  """Returns the controls as arrays.

  Args:
    asked: see the top of the file; None values are left out.
    frames: length of the clip at 25 Hz.

  Returns:
    `gaze (2,)` or `(frames, 2)`, `distance (1,)` or `(frames, 1)`, `emotion (8,)` or
    `(frames, 8)`, float32; only what was asked for.

  Raises:
    UsageError: an unknown control, a wrong shape, or a value out of range.
  """
  made = {}
  for name, value in asked.items():
    if name not in LIMITS:
      raise UsageError(f'unknown control {name}; there are gaze, distance and emotion')
    if value is None:
      continue
    made[name] = track(name, value, _WIDTH[name], LIMITS[name], frames)
  return made


def track(
  name: str, value: Any, width: int, limits: tuple[float, float], frames: int
) -> np.ndarray:
  """A constant `(width,)`, or key frames as `(frames, width)`; float32.

  Args:
    name: of the value, for messages.
    value: number, list of numbers, or list of key frames.
    limits: smallest and largest number.

  Raises:
    UsageError: a wrong shape, or a value out of range.
  """
  keys = _key_frames(name, value)
  if keys is None:
    return _vector(name, value, width, limits)
  times = np.array([time for time, _ in keys])
  if not np.isfinite(times).all() or np.any(np.diff(times) <= 0):
    raise UsageError(f'{name}: the times of the key frames must rise')
  table = np.stack([_vector(name, entry, width, limits) for _, entry in keys])
  at = np.arange(frames) / FPS
  columns = [np.interp(at, times, column) for column in table.T]
  return np.stack(columns, -1).astype(np.float32)


def _key_frames(name: str, value: Any) -> list[tuple[float, Any]] | None:
  """Returns (time, value) pairs, or None if `value` is a constant."""
  is_list = isinstance(value, Sequence) and not isinstance(value, str)
  if not is_list or not any(isinstance(entry, Mapping) for entry in value):
    return None
  try:
    return [(float(entry['time']), entry['value']) for entry in value]
  except (KeyError, TypeError, ValueError):
    raise UsageError(f'{name}: each key frame needs a "time" and a "value"') from None


def _vector(
  name: str, value: Any, width: int, limits: tuple[float, float]
) -> np.ndarray:
  if name == 'emotion' and isinstance(value, Mapping):
    value = _scores(value)
  try:
    vector = np.atleast_1d(np.asarray(value, np.float32))
  except (TypeError, ValueError):
    raise UsageError(f'{name}: {value!r} is not a number or list of numbers') from None
  low, high = limits
  if vector.shape != (width,):
    raise UsageError(f'{name}: {width} numbers are needed, not {vector.size}')
  if not np.all((vector >= low) & (vector <= high)):
    raise UsageError(f'{name}: values must lie between {low:g} and {high:g}')
  return vector


def _scores(weights: Mapping[str, Any]) -> np.ndarray:
  scores = np.zeros(len(EMOTIONS), np.float32)
  given = set()
  for asked, weight in weights.items():
    name = _EVERYDAY.get(str(asked).lower(), str(asked).lower())
    if name not in EMOTIONS:
      raise UsageError(f'unknown emotion {asked}; there are {", ".join(EMOTIONS)}')
    if name in given:
      raise UsageError(f'emotion {name} is given twice')
    given.add(name)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
      raise UsageError(f'emotion {name}: {weight!r} is not a number')
    if not 0 <= weight <= 1:
      raise UsageError(f'emotion {name}: {weight:g} is not between 0 and 1')
    scores[EMOTIONS.index(name)] = weight
  if scores.sum() > 1:
    scores /= scores.sum()
  if 'neutral' not in given:
    scores[EMOTIONS.index('neutral')] = max(0.0, 1.0 - float(scores.sum()))
  return scores
