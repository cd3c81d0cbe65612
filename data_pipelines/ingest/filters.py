"""Why a clip is thrown away: the first reason that holds, cheap ones first.

`before_cropping` needs nothing but the track; `after_labels` looks at the crops. What
only the whole corpus can tell (duplicates, a shifted sound) is in `packing`.
"""

from typing import Any

import numpy as np

from data_pipelines.ingest.config import Config
from data_pipelines.ingest.crops import outside
from data_pipelines.ingest.eyes import overlap
from data_pipelines.ingest.picture import Square
from data_pipelines.ingest.timeline import rate_of
from data_pipelines.ingest.tracks import Track

_ENTERS = 0.3  # share of another face that must lie in the crop to count


def before_cropping(
  track: Track, path: list[Square], config: Config, numbers: dict[str, float]
) -> str | None:
  """The reason to drop a track, from its geometry; None to go on.

  Args:
    track: of one person.
    path: the squares of its crops.
    config: thresholds.
    numbers: what was measured is added here.
  """
  side = float(np.median([square.side for square in path]))
  numbers['side'] = round(side, 1)
  numbers['rate'] = round(rate_of(np.array(track.fresh)), 2)
  beyond = [outside(square, track.bounds) for square in path]
  numbers['outside'] = round(float(np.mean(beyond)), 4)
  numbers['others'] = round(_others(track, path), 4)
  if numbers['rate'] < config.min_rate:
    return 'frame rate'
  if side < config.min_scale * config.size:
    return 'resolution'
  if numbers['outside'] > config.max_outside:
    return 'cut off'
  if numbers['others'] > config.max_other:
    return 'several faces'
  return None


def _others(track: Track, path: list[Square]) -> float:
  """Share of looks in which another face reaches into the crop."""
  enters = [
    any(_inside(box, path[index - track.start].box) > _ENTERS for box in others)
    for index, _, others in track.looks
  ]
  return float(np.mean(enters)) if enters else 0.0


def _inside(box: np.ndarray, square: np.ndarray) -> float:
  """Share of `box` that lies in `square`."""
  shared = np.concatenate(
    [np.maximum(box[:2], square[:2]), np.minimum(box[2:], square[2:])]
  )
  if (shared[2:] <= shared[:2]).any():
    return 0.0
  # The overlap of a box with what of it lies inside is the share itself.
  return overlap(box, shared)


def after_labels(
  labels: Any, speech: float, config: Config, numbers: dict[str, float]
) -> str | None:
  """The reason to drop a clip, from its labels; None to go on.

  Args:
    labels: `perceive.labels.Labels`.
    speech: share of the clip with speech.
    config: thresholds.
    numbers: what was measured is added here.
  """
  visible = np.asarray(labels.visible, bool)
  numbers['visible'] = round(float(visible.mean()), 4)
  if numbers['visible'] < config.min_visible:
    return 'occluded'
  angles = np.percentile(np.abs(np.asarray(labels.pose)[visible, :3]), 95, axis=0)
  for name, angle in zip(('yaw', 'pitch', 'roll'), angles, strict=True):
    numbers[name] = round(float(angle), 2)
  limits = (config.max_yaw, config.max_pitch, config.max_roll)
  if any(angle > limit for angle, limit in zip(angles, limits, strict=True)):
    return 'pose'
  opening = np.asarray(labels.mouth_open, float)[visible]
  numbers['mouth'] = round(float(opening.std()), 4)
  if speech >= max(config.min_speech, 0.01) and numbers['mouth'] < config.min_mouth:
    return 'voice over'
  return None
