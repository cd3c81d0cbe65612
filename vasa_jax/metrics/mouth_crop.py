"""The mouth of a tracked face as a small grey picture, for our own sync net.

Centre and size pass SyncNet's median of 13 frames, so that the jaw moves inside of the
crop and not with it.
"""

import numpy as np

from vasa_jax.metrics.face_crop import FaceBoxes, running_median

LIPS = (61, 291, 0, 17)  # corners, middle of the upper and of the lower lip
SHARE = 0.56  # side of the crop over the longer side of the face's box


def mouth_squares(boxes: FaceBoxes) -> np.ndarray:
  """`(t, 3)` centre x, y and side of the crops, px of the video."""
  lips = boxes.mesh[:, list(LIPS)].mean(1)
  x, y = steady(lips[:, 0]), steady(lips[:, 1])
  size = boxes.mesh.max(1) - boxes.mesh.min(1)
  return np.stack([x, y, SHARE * steady(size.max(1))], 1)


def steady(x: np.ndarray) -> np.ndarray:
  """`running_median` that repeats the ends instead of zeros."""
  padded = np.pad(x, 6, mode='edge')
  return running_median(padded)[6:-6]


def crop_mouth(picture: np.ndarray, square: np.ndarray, side: int) -> np.ndarray:
  """A square of a picture, grey, to `(side, side)` uint8; edges are continued.

  Args:
    picture: `(h, w, 3)` uint8 RGB.
    square: `(3,)` centre x, y and side in px.
    side: of the crop.
  """
  import cv2

  x, y, size = (float(v) for v in square)
  grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
  scale = side / max(size, 1.0)
  if scale < 0.75:  # an average over area first: a linear reading would alias
    height, width = (max(1, round(n * scale)) for n in grey.shape)
    x, y = x * width / grey.shape[1], y * height / grey.shape[0]
    grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    scale = 1.0
  # pixel centres lie at halves
  turn = np.array([[scale, 0, side / 2 - 0.5 - scale * (x - 0.5)],
                   [0, scale, side / 2 - 0.5 - scale * (y - 0.5)]])  # fmt: skip
  return cv2.warpAffine(
    grey, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
  )
