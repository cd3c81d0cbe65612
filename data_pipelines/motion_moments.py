"""What motion is normalised by: sums over clips that can be added up in any order.

A corpus that does not fit into memory keeps these sums beside each of its files, so
that its statistics cost no second pass.
"""

import dataclasses

import numpy as np

from data_pipelines.errors import UserError


@dataclasses.dataclass(frozen=True)
class Moments:
  """Sums over frames and over frame-to-frame steps; float64, `(m,)` each.

  Attributes:
    frames, steps: how many.
    total, square: of the values. step_total, step_square: of their differences.
    clips: how many; log_distance: (sum, sum of squares) of their log distance ratios.
  """

  frames: int
  steps: int
  total: np.ndarray
  square: np.ndarray
  step_total: np.ndarray
  step_square: np.ndarray
  clips: int
  log_distance: np.ndarray

  @classmethod
  def none(cls, size: int) -> 'Moments':
    """Of nothing: `m` zeros."""
    return cls(0, 0, *np.zeros((4, size)), 0, np.zeros(2))

  @classmethod
  def of(cls, motion: np.ndarray, distance: float) -> 'Moments':
    """Of one clip: motion `(t, m)`, mean distance ratio."""
    motion = motion.astype(np.float64)
    steps = np.diff(motion, axis=0)
    log = np.log(np.float64(distance))
    return cls(
      len(motion), len(steps), motion.sum(0), (motion**2).sum(0), steps.sum(0),
      (steps**2).sum(0), 1, np.array([log, log**2]),
    )  # fmt: skip

  def __add__(self, other: 'Moments') -> 'Moments':
    names = [field.name for field in dataclasses.fields(self)]
    return Moments(*(getattr(self, n) + getattr(other, n) for n in names))

  def statistics(self) -> dict[str, np.ndarray]:
    """`mean`, `std`, and `velocity` (spread of frame-to-frame differences of z-scores)
    are `(m,)`; `distance` is (mean, std) of the log ratio over clips.

    Floors keep a value that hardly moves from being blown up.

    Raises:
      UserError: there is no clip.
    """
    if not self.clips:
      raise UserError(
        'all clips of the cache are held out; there is nothing to train on'
      )
    mean, spread = _spread(self.total, self.square, self.frames)
    std = np.maximum(spread, 0.02)
    _, pace = _spread(self.step_total, self.step_square, max(self.steps, 1))
    (centre,), (width,) = _spread(*self.log_distance[:, None], self.clips)
    found = {
      'mean': mean,
      'std': std,
      'velocity': np.maximum(pace / std, 0.1),
      'distance': np.array([centre, max(width, 0.02)]),
    }
    return {name: value.astype(np.float32) for name, value in found.items()}


def _spread(total, square, count) -> tuple[np.ndarray, np.ndarray]:
  """Mean and standard deviation; rounding may leave a variance just below zero."""
  mean = total / count
  return mean, np.sqrt(np.maximum(square / count - mean**2, 0.0))
