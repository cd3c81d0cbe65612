"""How sharp a face is, in one number that does not ask for a reference."""

import numpy as np

_SIDE = 256
_REACH = 9  # px at `_SIDE`


def sharpness(crop: np.ndarray) -> float:
  """Sharpness of a picture, 0 (blurred away) to 1.

  The blur measure of Crete et al. (2007): a sharp picture changes much when it is
  blurred again, a blurred one hardly does. The middle 60 % of the crop is brought to
  256 px first, so that the figure is that of the face and not of its size on disk: an
  enlarged small face reads as blurred, which it is. 1 ms.

  Args:
    crop: `(h, w, 3)` uint8 RGB.
  """
  import cv2

  h, w = crop.shape[:2]
  middle = crop[round(0.2 * h) : max(round(0.8 * h), 1), round(0.2 * w) :]
  middle = middle[:, : max(round(0.6 * w), 1)]
  way = cv2.INTER_AREA if middle.shape[0] > _SIDE else cv2.INTER_LINEAR
  grey = cv2.cvtColor(np.ascontiguousarray(middle), cv2.COLOR_RGB2GRAY)
  grey = cv2.resize(grey, (_SIDE, _SIDE), interpolation=way).astype(np.float32)
  kept = []
  for axis, size in ((0, (1, _REACH)), (1, (_REACH, 1))):
    before = np.abs(np.diff(grey, axis=axis))
    after = np.abs(np.diff(cv2.blur(grey, size), axis=axis))
    lost = np.maximum(before - after, 0).sum()
    kept.append(lost / max(float(before.sum()), 1e-6))
  return float(min(kept))
