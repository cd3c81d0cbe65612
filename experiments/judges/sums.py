"""Tables of what the judges said, with the bars that the corpus has to meet."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vasa_jax.metrics.faces import SAME_PERSON

_EMOTIONS = (
  'anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise', 'neutral',
)  # fmt: skip
_NO_FACE = 'no face'
_SHEET_COLUMNS, _CELL = 12, 128

Picture = tuple[str, np.ndarray]


def pearson(a: Sequence[float], b: Sequence[float]) -> float:
  """Correlation; NaN with fewer than three values or where one of them is constant."""
  a, b = np.asarray(a, float), np.asarray(b, float)
  if len(a) < 3 or a.std() < 1e-12 or b.std() < 1e-12:
    return float('nan')
  return float(np.corrcoef(a, b)[0, 1])


def perception(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], list[Picture]]:
  """Acceptance, and correlation of what was read with the truth, over frames."""
  found = [row for row in rows if row['found']]
  result: dict[str, Any] = {
    'frames': len(rows),
    'detected': float(np.mean([row['detected'] for row in rows])),
    'mesh': len(found) / len(rows),
  }
  true_pose = np.array([row['truth_pose'] for row in found])
  pose = np.array([row['pose'] for row in found])
  for i, name in enumerate(('yaw', 'pitch', 'roll')):
    result[f'{name}_r'] = pearson(pose[:, i], true_pose[:, i])
    result[f'{name}_error'] = float(np.abs(pose[:, i] - true_pose[:, i]).mean())
  # A mouth outside of the picture cannot be read.
  mouths = [row for row in found if row['mouth_inside']]
  opening = [row['opening'] for row in mouths]
  result['mouth_r'] = pearson(opening, [row['truth_opening'] for row in mouths])
  result['jaw_r'] = pearson(opening, [row['jaw'] for row in mouths])
  result['mark_error'] = float(np.median([row['mark_error'] for row in found]))
  # A closed eye shows no iris.
  open_eyes = [row for row in found if row['closed'] < 0.5]
  read = np.array([row['gaze'] for row in open_eyes]).reshape(-1, 2)
  true = np.array([row['truth_eyes'] for row in open_eyes]).reshape(-1, 2)
  for i, name in enumerate(('gaze_x', 'gaze_y')):
    result[f'{name}_r'] = pearson(read[:, i], true[:, i])
    result[f'{name}_error'] = float(np.abs(read[:, i] - true[:, i]).mean())
  worst = [('no face', row['picture']) for row in rows if not row['found']][:24]
  for row in sorted(found, key=lambda row: -row['mark_error'])[:12]:
    worst.append((f'marks {row["mark_error"]:.2f}', row['picture']))
  # Mouths that lie furthest from the line through all of them.
  x = np.array([row['truth_opening'] for row in mouths])
  slope, level = np.polyfit(x, opening, 1)
  off = np.array(opening) - slope * x - level
  for i in np.argsort(-np.abs(off))[:12]:
    worst.append((f'mouth {off[i]:+.2f}', mouths[i]['picture']))
  return result, worst


def identity(judged: list[dict[str, Any]]) -> tuple[dict[str, Any], list[Picture]]:
  """Distances of the 128-d descriptor between people and within each of them.

  Different people are compared at rest, from the front; a person's other frames are
  compared with his own frame at rest.
  """
  seen = [person for person in judged if person['codes'][0] is not None]
  codes = np.stack([person['codes'][0] for person in seen])
  apart = np.sqrt(np.maximum(_squares(codes), 0))
  upper = np.triu_indices(len(codes), 1)
  same = [
    float(np.linalg.norm(code - person['codes'][0]))
    for person in seen
    for code in person['codes'][1:]
    if code is not None
  ]
  asked = sum(len(person['codes']) for person in judged)
  got = sum(code is not None for person in judged for code in person['codes'])
  different = apart[upper]
  result = {
    'people': len(judged),
    'described': got / asked,
    'different_below': float((different < SAME_PERSON).mean()),
    'different_mean': float(different.mean()),
    'same_below': float((np.array(same) < SAME_PERSON).mean()),
    'same_mean': float(np.mean(same)),
  }
  worst = []
  for k in np.argsort(different)[:6]:
    for i in (upper[0][k], upper[1][k]):
      worst.append((f'alike {different[k]:.2f}', seen[i]['portrait']))
  return result, worst


def emotion(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], list[Picture]]:
  """Confusion of shown (rows) and read (columns) expressions, in shares."""
  columns = (*_EMOTIONS, _NO_FACE)
  table = {shown: dict.fromkeys(columns, 0.0) for shown in _EMOTIONS}
  variants: dict[str, dict[int, list[bool]]] = {}
  worst = []
  for row in rows:
    shown, read = row['emotion'], row.get('read', _NO_FACE)
    table[shown][read] += 1
    right = variants.setdefault(shown, {}).setdefault(row['variant'], [])
    right.append(read == shown)
    if read != shown and sum(w[0].startswith(shown[:4]) for w in worst) < 6:
      worst.append((f'{shown[:4]}>{read[:6]}', row['picture']))
  for line in table.values():
    total = max(sum(line.values()), 1)
    for read in line:
      line[read] /= total
  return {
    'right': {name: table[name][name] for name in _EMOTIONS},
    'by_variant': {
      name: {str(v): float(np.mean(hits)) for v, hits in sorted(found.items())}
      for name, found in variants.items()
    },
    'confusion': table,
  }, worst


def _squares(codes: np.ndarray) -> np.ndarray:
  norm = (codes**2).sum(1)
  return norm[:, None] + norm - 2 * codes @ codes.T


_LINES = (  # part, key, what, unit, bar, at least or at most
  ('perception', 'detected', 'frames in which the detector finds a face', '%', .995, 1),
  ('perception', 'mesh', 'frames that the mesh accepts', '%', .995, 1),
  ('perception', 'mouth_r', 'mouth opening, mesh against geometry', 'r', .9, 1),
  ('perception', 'jaw_r', 'mouth opening, mesh against jawOpen', 'r', None, 1),
  ('perception', 'gaze_x_r', 'gaze to the side', 'r', .9, 1),
  ('perception', 'gaze_y_r', 'gaze up and down', 'r', .75, 1),
  ('perception', 'gaze_x_error', 'gaze to the side, mean error', 'deg', None, 1),
  ('perception', 'gaze_y_error', 'gaze up and down, mean error', 'deg', None, 1),
  ('perception', 'yaw_r', 'yaw', 'r', None, 1),
  ('perception', 'pitch_r', 'pitch', 'r', None, 1),
  ('perception', 'roll_r', 'roll', 'r', None, 1),
  ('perception', 'yaw_error', 'yaw, mean error', 'deg', None, 1),
  ('perception', 'pitch_error', 'pitch, mean error', 'deg', None, 1),
  ('perception', 'roll_error', 'roll, mean error', 'deg', None, 1),
  ('perception', 'mark_error', 'landmarks, mesh from geometry, median', 'eye', None, 1),
  ('identity', 'described', 'frames that the descriptor accepts', '%', None, 1),
  ('identity', 'different_below', 'different people below 0.6', '%', .12, -1),
  ('identity', 'different_mean', 'different people, mean distance', '', None, 1),
  ('identity', 'same_below', 'same person below 0.6', '%', .98, 1),
  ('identity', 'same_mean', 'same person, mean distance', '', None, 1),
)  # fmt: skip
EMOTION_BAR = 0.6


def markdown(result: dict[str, Any]) -> str:
  """The report: one line a measure with its bar, then the confusion of emotions."""
  lines = [
    '# What independent nets say of the corpus', '',
    f'{result["frames"]} frames, {result["identities"]} people, {result["size"]} px; '
    f'seed {result["seed"]}.', '', '| measure | value | bar | met |',
    '|---|---|---|---|',
  ]  # fmt: skip
  for part, key, what, unit, bar, sign in _LINES:
    if part in result:
      value = result[part][key]
      met = '' if bar is None else ('yes' if sign * value >= sign * bar else 'no')
      side = '' if bar is None else ('>= ' if sign > 0 else '<= ') + _number(bar, unit)
      lines.append(f'| {what} | {_number(value, unit)} | {side} | {met} |')
  if 'emotion' in result:
    table, columns = result['emotion']['confusion'], (*_EMOTIONS, _NO_FACE)
    for name in _EMOTIONS[:-1]:
      value = result['emotion']['right'][name]
      met = 'yes' if value >= EMOTION_BAR else 'no'
      lines.append(f'| {name} read right | {value:.0%} | >= 60% | {met} |')
    lines += [
      '',
      f'Shown (rows) and read (columns), {result["faces"]} frontal faces.',
      '',
    ]
    lines.append('| shown | ' + ' | '.join(columns) + ' |')
    lines.append('|---' * (len(columns) + 1) + '|')
    for shown in _EMOTIONS:
      cells = [f'{table[shown][read]:.0%}' for read in columns]
      lines.append(f'| {shown} | ' + ' | '.join(cells) + ' |')
    lines += ['', 'Read right by variant:']
    for name, found in result['emotion']['by_variant'].items():
      lines.append(f'- {name}: ' + ', '.join(f'{v:.0%}' for v in found.values()))
  return '\n'.join(lines) + '\n'


def _number(value: float, unit: str) -> str:
  if unit == '%':
    return f'{value:.1%}'
  return f'{value:.3f}' + (f' {unit}' if unit in ('deg', 'eye') else '')


def write_sheet(path: Path, pictures: Sequence[Picture]) -> None:
  """A contact sheet with a word under each picture."""
  import cv2

  count = len(pictures)
  rows = -(-count // _SHEET_COLUMNS)
  sheet = np.full((rows * (_CELL + 16), _SHEET_COLUMNS * _CELL, 3), 255, np.uint8)
  for i, (word, picture) in enumerate(pictures):
    y, x = i // _SHEET_COLUMNS * (_CELL + 16), i % _SHEET_COLUMNS * _CELL
    small = cv2.resize(picture, (_CELL, _CELL), interpolation=cv2.INTER_AREA)
    sheet[y : y + _CELL, x : x + _CELL] = small
    place = (x + 3, y + _CELL + 12)
    cv2.putText(sheet, word, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, 16)
  cv2.imwrite(str(path), sheet[..., ::-1])
