"""Whose face it is: a descriptor to notice that one person became another.

With the extra `[eval]` it is the 128-d descriptor of dlib, which was trained to tell
people apart. Without it there is a plain one of our own: the colours at the points of
the face mesh (which follow the face as it turns, talks and tilts) and the width of its
parts. It tells people in one light apart, and that is what an identity switch inside a
video needs; it does not recognise anybody in another video.

Both are unit vectors; `same_person` knows the limit of each.
"""

import functools
from collections.abc import Callable

import numpy as np

DLIB, PLAIN = 'dlib', 'plain'
# Distance between unit vectors above which two pictures show two people. On 20 rendered
# people who turn, 99 % of the pairs of one person are closer than .35 with dlib and 1 %
# of those of two people closer than .37; with the plain one 96 % of the first and a
# quarter of the second are closer than its limit.
LIMIT = {DLIB: 0.4, PLAIN: 0.5}
_SIDE = 128  # px of the upright face that colours are taken from
_BLUR = 3.0
# Points whose colour the mouth and the lids do not change, thinned out.
_MOVING = {
  0, *range(11, 18), 37, 61, 78, 145, 159, 267, 291, 308, 374, 386,
}  # fmt: skip


def describe(crop: np.ndarray) -> np.ndarray | None:
  """`(h, w, 3)` uint8 RGB to `(d,)` float32 of unit length; None without a face.

  About 150 ms with dlib, 8 ms without.
  """
  net = _net()
  found = _plain(crop) if net is None else net(crop)
  if found is None:
    return None
  return (found / max(np.linalg.norm(found), 1e-9)).astype(np.float32)


def same_person(a: np.ndarray, b: np.ndarray) -> bool:
  """Whether two descriptors of `describe`, made on one machine, are one person's."""
  return float(np.linalg.norm(a - b)) < LIMIT[kind()]


def kind() -> str:
  """Which descriptor `describe` gives on this machine."""
  return PLAIN if _net() is None else DLIB


@functools.cache
def _net() -> Callable[[np.ndarray], np.ndarray | None] | None:
  from vasa_jax.errors import UserError
  from vasa_jax.metrics.faces import load_descriptor

  try:
    return load_descriptor()
  except UserError:  # the extra is not installed
    return None


def _plain(crop: np.ndarray) -> np.ndarray | None:
  """`(d,)` colours of the face relative to its mean, and that mean."""
  import cv2

  from data_pipelines.perceive.detect import Detector
  from data_pipelines.perceive.mesh import Mesher

  faces = Detector().boxes(crop)
  fit = Mesher(irises=False).mesh(crop, faces[0].box) if faces else None
  if fit is None:
    return None
  low, high = fit.box[:2], fit.box[2:]
  scale = _SIDE / max(float((high - low).max()), 1.0)
  to_face = np.array([[scale, 0, -low[0] * scale], [0, scale, -low[1] * scale]])
  size = (_SIDE, _SIDE)
  face = cv2.warpAffine(crop, to_face, size, flags=cv2.INTER_AREA)
  face = cv2.GaussianBlur(face, (0, 0), _BLUR)
  lab = cv2.cvtColor(face, cv2.COLOR_RGB2LAB).astype(np.float32) / 255
  at = np.round((fit.points[:, :2] - low) * scale).astype(int).clip(0, _SIDE - 1)
  keep = [i for i in range(0, 468, 3) if i not in _MOVING]
  colour = lab[at[keep, 1], at[keep, 0]]
  mean = colour.mean(0)
  tone = (mean - 0.5) * [0.5, 4, 4] * np.sqrt(len(keep))
  return np.concatenate([((colour - mean) * [1, 3, 3]).ravel(), tone])
