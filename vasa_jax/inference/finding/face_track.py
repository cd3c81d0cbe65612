"""One face through a video: landmarks in one square that does not move.

The square is that of the first frame, framed as a portrait is, so that the head's own
motion is what moves in it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from vasa_jax.errors import UserError
from vasa_jax.inference.finding import portrait as portrait_lib
from vasa_jax.inference.finding.landmarks import Landmarks, find_landmarks
from vasa_jax.inference.finding.sampling import Square, cut
from vasa_jax.types import FPS

LOOK_AGAIN = 12  # frames after which the whole picture is searched anew
LOST = 0.3  # share of frames without a face that is tolerated


class Face(NamedTuple):
  """The face in one frame.

  points: `(468, 2)` and irises: `(2, 2)` in crop units. crop: `(s, s, 3)` uint8.
  """

  points: np.ndarray
  irises: np.ndarray
  crop: np.ndarray


def read_frames(path: str | Path) -> Iterator[np.ndarray]:
  """Yields `(h, w, 3)` uint8 pictures at 25 a second, whatever the video's own rate.

  Raises:
    UserError: not a video that can be read.
  """
  import av

  wrong = f'{path}: not a video that can be read; give an MP4, or a JSON file'
  try:
    container = av.open(str(path))
  except (av.error.FFmpegError, OSError, ValueError):
    raise UserError(wrong) from None
  with container:
    if not container.streams.video:
      raise UserError(f'{path}: no pictures in it; give a video of a face')
    given, picture = 0, None
    try:
      for frame in container.decode(video=0):
        # a picture is shown until the next one begins
        now = 0.0 if frame.time is None else frame.time
        while picture is not None and given / FPS < now - 1e-6:
          yield picture
          given += 1
        picture = frame.to_ndarray(format='rgb24')
    except av.error.FFmpegError:
      if picture is None:
        raise UserError(wrong) from None  # else: cut off, what is there is used
  if picture is None:
    raise UserError(wrong)
  yield picture


def track_face(
  frames: Iterable[np.ndarray], size: int, name: str = 'video'
) -> list[Face]:
  """The face in every frame; where it is lost for a moment, it stays as it was.

  Args:
    frames: `(h, w, 3)` uint8 each.
    size: side of the crops.
    name: of the video, for messages.

  Raises:
    UserError: no face, several, or too often none.
  """
  found: list[Face] = []
  square, last = None, None
  before = missing = searched = crowded = 0
  for i, picture in enumerate(frames):
    if last is None or i % LOOK_AGAIN == 0:
      seen = _search(picture, size)
      if seen is not None:
        searched, crowded = searched + 1, crowded + (seen.faces > 1)
        last = last or _in_picture(seen)
        square = square or Square(
          seen.left + seen.side / 2, seen.top + seen.side / 2, seen.side
        )
    if square is None:
      before += 1
      continue
    now = None if last is None else find_landmarks(picture, _box(last))
    last = now if now is not None and now.score >= portrait_lib.MIN_MESH_SCORE else None
    if last is not None:
      found.append(_cropped(picture, last, square, size))
    else:
      missing += 1
      found.append(found[-1])
  if not found:
    raise UserError(f'{name}: no face found in the driving video')
  if 2 * crowded > searched:
    raise UserError(f'{name}: several faces; give a driving video of one person')
  if before + missing > LOST * (before + len(found)):
    raise UserError(
      f'{name}: {before + missing} of {before + len(found)} frames show no face; cut '
      'the driving video to where one is seen'
    )
  return [found[0]] * before + found


def _search(picture: np.ndarray, size: int):
  """The portrait in a frame, or None."""
  try:
    return portrait_lib.find_portrait(picture, size)
  except UserError:
    return None


def _in_picture(seen) -> Landmarks:
  """A portrait's landmarks in px of the whole picture."""
  scale = seen.side / seen.crop.shape[0]
  shift = np.array([seen.left, seen.top, 0], np.float32)
  marks = seen.landmarks
  return marks._replace(points=(marks.points * scale + shift).astype(np.float32))


def _box(marks: Landmarks) -> np.ndarray:
  low, high = marks.points[:, :2].min(0), marks.points[:, :2].max(0)
  return np.concatenate([low, high])


def _cropped(picture, marks: Landmarks, square: Square, size: int) -> Face:
  return Face(
    points=square.from_picture(marks.points[:, :2]).astype(np.float32),
    irises=square.from_picture(marks.irises[:, 0, :2]).astype(np.float32),
    crop=cut(Image.fromarray(picture), square, size),
  )
