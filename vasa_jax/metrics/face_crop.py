"""Face tracks and their crops, as SyncNet's published pipeline cuts them.

The constants are those of joonson/syncnet_python: boxes of one face overlap by more
than half from frame to frame, up to 25 frames may be missed and are interpolated,
centre and size pass a median of 13 frames, and the crop is a square of 1.4 times the
box, shifted down by a fifth of it, with grey (110) beyond the picture's border.

What differs: boxes are not S3FD's. They are the bounds of the 468-point mesh (forehead
to chin, ear to ear), which `metrics.faces` finds in every frame; S3FD's reach a little
higher. There is one face a frame, the largest, and no detector of cuts: a cut that
moves the face ends the track. Of a video the longest track is scored.
"""

import dataclasses

import numpy as np

OVERLAP = 0.5
MISSED = 25  # frames
MEDIAN = 13  # frames
SCALE = 0.4  # of the box, added on either side
GREY = 110


@dataclasses.dataclass(frozen=True)
class FaceBoxes:
  """A track of t frames in a row, smoothed.

  Attributes:
    start: its first frame in the video.
    centre: `(t, 2)` x, y in px.
    half: `(t,)` half of the longer side of the box, px.
    mesh: `(t, 468, 2)` px, interpolated where the face was missed.
  """

  start: int
  centre: np.ndarray
  half: np.ndarray
  mesh: np.ndarray

  def __len__(self) -> int:
    return len(self.half)


def boxes_of(mesh: np.ndarray) -> np.ndarray:
  """`(..., 468, 2 or 3)` px to `(..., 4)` left, top, right, bottom."""
  flat = mesh[..., :2]
  return np.concatenate([flat.min(-2), flat.max(-2)], -1)


def face_boxes(found: np.ndarray, mesh: np.ndarray) -> FaceBoxes | None:
  """The longest track of a video.

  Args:
    found: `(n,)` bool.
    mesh: `(n, 468, 2 or 3)` px; NaN where not found.

  Returns:
    None where no face was found.
  """
  seen = np.flatnonzero(found)
  if not len(seen):
    return None
  boxes = boxes_of(mesh)
  runs, run = [], [seen[0]]
  for before, now in zip(seen[:-1], seen[1:], strict=True):
    if now - before > MISSED or _overlap(boxes[before], boxes[now]) <= OVERLAP:
      runs.append(run)
      run = []
    run.append(now)
  longest = np.array(max([*runs, run], key=len))
  frames = np.arange(longest[0], longest[-1] + 1)
  after = np.searchsorted(longest, frames).clip(1 if len(longest) > 1 else 0)
  before = np.maximum(after - 1, 0)
  first, last = longest[before], longest[after]
  part = ((frames - first) / np.maximum(last - first, 1))[:, None, None]
  mesh = mesh[first, :, :2] * (1 - part) + mesh[last, :, :2] * part
  box = boxes_of(mesh)
  size = box[:, 2:] - box[:, :2]
  centre = np.stack([running_median((box[:, k] + box[:, k + 2]) / 2) for k in (0, 1)])
  return FaceBoxes(int(frames[0]), centre.T, running_median(size.max(1) / 2), mesh)


def running_median(x: np.ndarray, width: int = MEDIAN) -> np.ndarray:
  """`(t,)` to `(t,)`: median over `width` values, zeros beyond the ends.

  As `scipy.signal.medfilt`, whose zeros let the first and last half-width sink to the
  lower of their neighbours.
  """
  padded = np.pad(np.asarray(x, np.float64), width // 2)
  return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)


def crop_face(picture: np.ndarray, boxes: FaceBoxes, i: int, side: int) -> np.ndarray:
  """Frame `i` of the track.

  Args:
    picture: `(h, w, 3)` uint8, the frame.
    boxes: the track.
    i: which of its frames.
    side: of the crop.

  Returns:
    `(side, side, 3)` uint8: chin in the lower third, half a face of air around it.
  """
  import cv2

  half = boxes.half[i]
  pad = int(half * (1 + 2 * SCALE))
  grey = np.full((picture.shape[0] + 2 * pad, picture.shape[1] + 2 * pad, 3), GREY)
  grey = grey.astype(np.uint8)
  grey[pad : grey.shape[0] - pad, pad : grey.shape[1] - pad] = picture
  x, y = boxes.centre[i] + pad
  left, right = int(x - half * (1 + SCALE)), int(x + half * (1 + SCALE))
  top, bottom = int(y - half), int(y + half * (1 + 2 * SCALE))
  # zeros of the median may have moved a first box beyond the padding
  left, top = max(left, 0), max(top, 0)
  return cv2.resize(grey[top : max(bottom, top + 2), left : max(right, left + 2)],
                    (side, side))  # fmt: skip


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
  """Intersection over union of two boxes."""
  span = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
  shared = float(np.prod(np.maximum(span, 0)))
  areas = [float(np.prod(box[2:] - box[:2])) for box in (a, b)]
  return shared / max(sum(areas) - shared, 1e-9)
