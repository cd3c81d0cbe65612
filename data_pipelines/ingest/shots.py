"""Cuts between shots, found while the pictures go by."""

import collections

import numpy as np

_ALIKE = 0.75  # correlation of two pictures; a brightening room stays above
_LESS = 0.35  # and how far below the least of the last second: a pan is no cut
_LEAST = 9.0  # levels of 255 that a new scene changes
# A jump cut leaves the room as it is and moves the head at once. A head that begins to
# move does so over several pictures.
_JUMP = 2.5
_SUDDEN = 3.0  # times the largest change of the last half second


class ShotCuts:
  """Tells whether a picture begins a new shot.

  A flash counts as a cut; so does now and then a quick gesture. Both cost nothing but
  the place where a clip ends. A slow dissolve is left to the identity filter.
  """

  def __init__(self):
    self._last: np.ndarray | None = None
    self._changes: collections.deque[float] = collections.deque(maxlen=12)
    self._alike: collections.deque[float] = collections.deque(maxlen=25)

  def push(self, thumb: np.ndarray) -> bool:
    """Whether `thumb` (`picture.thumb`) belongs to another shot than the one before."""
    last, self._last = self._last, thumb
    if last is None or last.shape != thumb.shape:
      self._forget()
      return last is not None
    change = float(np.abs(thumb - last).mean())
    alike = _correlation(thumb, last)
    least = min(self._alike, default=1.0)
    scene = change > _LEAST and alike < min(_ALIKE, least - _LESS)
    busiest = max(self._changes, default=np.inf)
    if scene or change > max(_JUMP, _SUDDEN * busiest):
      self._forget()
      return True
    self._changes.append(change)
    self._alike.append(alike)
    return False

  def restart(self) -> None:
    """Forgets the last picture: the next one begins a shot anyway."""
    self._last = None
    self._forget()

  def _forget(self) -> None:
    self._changes.clear()
    self._alike.clear()


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
  a, b = a - a.mean(), b - b.mean()
  spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
  return float((a * b).sum()) / spread if spread > 1e-6 else 1.0
