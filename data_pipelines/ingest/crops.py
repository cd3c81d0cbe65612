"""The square of a clip: still while the head stays in it, else on a smooth path.

The model is to see the head move in a picture that does not, as at inference, where one
square is cut out of a photograph. So the square of a clip is the median of those of its
frames. Only where the head leaves it does it follow, slowly.
"""

import numpy as np

from data_pipelines.ingest.picture import Square, crop
from data_pipelines.ingest.tracks import Track

_STRAY = 0.12  # sides that the head may move out of the middle before it is followed
_GROW = 1.2  # times by which its size may change
_SMOOTH = 15.0  # frames; standard deviation of the Gaussian that the path goes through
# To stay inside the picture, the square may be made smaller (the head then fills more
# of it, within what the rendered corpus shows) and be moved by a share of its side.
_SHRINK = 0.78
_SHIFT = 0.12


def square_path(track: Track) -> list[Square]:
  """The square of each frame.

  Args:
    track: `t` frames of one person.

  Returns:
    `t` squares; the same one where the head stays in it.
  """
  squares = np.array(track.squares)
  middle = np.median(squares, 0)
  stray = np.abs(squares[:, :2] - middle[:2]).max(1) / middle[2]
  grow = np.maximum(squares[:, 2] / middle[2], middle[2] / squares[:, 2])
  # A share of the frames may be off: a box that jumped is no reason to follow.
  if np.percentile(stray, 97) > _STRAY or np.percentile(grow, 97) > _GROW:
    path = smooth(squares)
    return [fit_inside(Square(*map(float, s)), track.bounds) for s in path]
  still = fit_inside(Square(*map(float, middle)), track.bounds)
  return [on_whole_pixels(still)] * len(squares)


def smooth(values: np.ndarray) -> np.ndarray:
  """`(t, n)` through a Gaussian along t; the ends are mirrored about their points."""
  reach = min(int(3 * _SMOOTH), len(values) - 1)
  at = np.arange(-reach, reach + 1)
  weight = np.exp(-0.5 * (at / _SMOOTH) ** 2)
  weight /= weight.sum()
  head = 2 * values[:1] - values[reach:0:-1]
  tail = 2 * values[-1:] - values[-2 : -reach - 2 : -1]
  padded = np.concatenate([head, values, tail])
  columns = [np.convolve(column, weight, 'valid') for column in padded.T]
  return np.stack(columns, 1)


def fit_inside(square: Square, bounds: tuple[float, float]) -> Square:
  """The square, a little smaller or moved, where that keeps it in the picture.

  Args:
    square: wanted.
    bounds: width and height of the picture.
  """
  side = max(min(square.side, *bounds), _SHRINK * square.side)
  middle = []
  for at, length in zip((square.x, square.y), bounds, strict=True):
    low, high = side / 2, length - side / 2
    want = np.clip(at, low, high) if low <= high else length / 2
    room = _SHIFT * square.side + (square.side - side) / 2
    middle.append(float(np.clip(want, at - room, at + room)))
  return Square(*middle, float(side))


def on_whole_pixels(square: Square) -> Square:
  """The nearest square with even sides and corners: nothing is lost to resampling."""
  side = max(2 * round(square.side / 2), 2)
  left, top = (2 * round((at - side / 2) / 2) for at in square[:2])
  return Square(left + side / 2, top + side / 2, float(side))


def outside(square: Square, bounds: tuple[float, float]) -> float:
  """Share of the square's area that lies outside the picture, 0..1."""
  box = square.box
  span = np.minimum(box[2:], bounds) - np.maximum(box[:2], 0)
  return float(1 - np.prod(np.maximum(span, 0)) / square.side**2)


def cut_out(track: Track, path: list[Square], size: int) -> np.ndarray:
  """`(t, size, size, 3)` uint8: what lies in the squares of `path`."""
  out = np.empty((len(path), size, size, 3), np.uint8)
  for picture, part, square in zip(out, track.parts, path, strict=True):
    crop(part, square, size, picture)
  return out
