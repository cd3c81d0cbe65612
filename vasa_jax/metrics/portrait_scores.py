"""What a viewer holds against a talking photograph, beside sync and identity.

Is the face as sharp as the portrait's, does the background stay, do both eyes blink
together, does the head tremble, do the lips meet on p, b and m? Pure measures:
pictures are `(h, w, 3)` uint8 RGB, meshes `(468, 3)` px as from `faces.find_mesh`,
openings as in `openings`. Who looks, and at what, says `experiments/portrait_judging`.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from vasa_jax.metrics.mouth import eye_closures
from vasa_jax.metrics.openings import OUTER_CORNERS
from vasa_jax.metrics.pose import wrap
from vasa_jax.types import FPS

# Times of the face's hull about its centre, across and along. The mesh ends at hairline
# and jaw; so much takes in the hair, the ears and the neck of most portraits. Hats and
# hair below the shoulders reach out of it.
HEAD = (1.8, 2.1)
SMALLEST_BACKGROUND = 0.02  # share of the picture; below it there is none to judge
TOGETHER = 2  # frames by which the two eyes may differ in a blink
# Of the eye width. A resting mouth of 20 videos spreads by .0008 to .008 (median .003).
# With .02, three quarters of the speech would pass for closed.
CLOSED_BY = 0.005
SETTLED = 0.3  # seconds after the last phone from which a mouth has come to rest
READY = 0.1  # seconds before the next one from which it may open
LABIALS = ('p', 'b', 'm')


def face_hull(
  points: np.ndarray, times: float | tuple[float, float] = 1.0
) -> np.ndarray:
  """`(468, 3)` mesh to the `(k, 2)` corners of its convex hull, px, `times` as large.

  The centre is the middle of the hull's box: most points of a mesh are near eyes and
  lips, and so is their mean.
  """
  hull = cv2.convexHull(np.ascontiguousarray(points[:, :2], np.float32))[:, 0]
  centre = (hull.min(0) + hull.max(0)) / 2
  return centre + np.asarray(times) * (hull - centre)


def fill(hull: np.ndarray, shape: Sequence[int]) -> np.ndarray:
  """`(h, w)` bool: the pixels inside a convex hull `(k, 2)`."""
  mask = np.zeros(shape[:2], np.uint8)
  cv2.fillConvexPoly(mask, np.rint(hull).astype(np.int32), 1)
  return mask.astype(bool)


def sharpness(picture: np.ndarray, points: np.ndarray) -> float:
  """Variance of the Laplacian of the grey picture inside the face.

  It counts fine detail, noise and blocks of a codec alike: compare it only with the
  same face at the same size.
  """
  grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
  edges = cv2.Laplacian(grey.astype(np.float32), cv2.CV_32F, ksize=1)
  return float(edges[fill(face_hull(points), picture.shape)].var())


class Background(NamedTuple):
  """How much of what lies behind the head changes.

  Attributes:
    change: mean absolute difference to the portrait outside all heads, in 1/255; NaN if
      hardly anything lies outside.
    above: the same over the rows above the portrait's eyes, where no shoulder reaches.
    outside: `(h, w)` bool, the pixels that were compared.
  """

  change: float
  above: float
  outside: np.ndarray


def background_change(
  frames: Iterable[np.ndarray], portrait: np.ndarray, meshes: Sequence[np.ndarray]
) -> Background:
  """Compares a video with the portrait it was made from, where no head ever was.

  Args:
    frames: of the video, of the portrait's size.
    portrait: `(h, w, 3)`, as a video of it alone shows it: the codec smooths grain and
      colour by up to 2/255, which is not the model's doing.
    meshes: of every frame with a face, the portrait's own first.

  Raises:
    ValueError: a frame has another size than the portrait.
  """
  outside = np.ones(portrait.shape[:2], bool)
  for points in meshes:
    outside &= ~fill(face_hull(points, HEAD), portrait.shape)
  upper = outside.copy()
  upper[max(0, int(meshes[0][list(OUTER_CORNERS), 1].mean())) :] = False
  total, count = np.zeros(portrait.shape[:2]), 0
  still = portrait.astype(np.float32)
  for frame in frames:
    if frame.shape != portrait.shape:
      raise ValueError(f'a frame of {frame.shape}, a portrait of {portrait.shape}')
    total += np.abs(frame - still).mean(-1)
    count += 1

  def mean(mask: np.ndarray) -> float:
    if not count or mask.mean() < SMALLEST_BACKGROUND:
      return float('nan')
    return float(total[mask].mean() / count)

  return Background(mean(outside), mean(upper), outside)


class Blinks(NamedTuple):
  """Blinks of two eyes: those that both make, and those that one makes alone."""

  both: int
  alone: int

  @property
  def share(self) -> float:
    """Share of all blinks that both eyes make; NaN without a blink."""
    blinks = self.both + self.alone
    return self.both / blinks if blinks else float('nan')


def blinks_of_both(openings: np.ndarray, found: np.ndarray | None = None) -> Blinks:
  """Pairs the closures of the eyes that begin within `TOGETHER` frames of each other.

  Args:
    openings: `(t, 2)` of `openings.eye_openings`.
    found: `(t,)` bool, frames with a face.
  """
  seen = np.ones(len(openings), bool) if found is None else np.asarray(found, bool)
  left, right = (
    [start for start, _ in eye_closures(np.asarray(openings)[seen, eye])]
    for eye in (0, 1)
  )
  both = 0
  for start in left:
    near = min(right, key=lambda other: abs(other - start), default=None)
    if near is not None and abs(near - start) <= TOGETHER:
      right.remove(near)
      both += 1
  return Blinks(both, len(left) - both + len(right))


def acceleration(pose: np.ndarray, found: np.ndarray | None = None) -> float:
  """Mean absolute second difference of the three angles, degrees a frame squared.

  Args:
    pose: `(t, 3)` degrees.
    found: `(t,)` bool; three frames in a row with a pose are needed.

  Returns:
    The mean; NaN where no three frames in a row have a pose.
  """
  pose = np.asarray(pose, np.float64)
  found = np.ones(len(pose), bool) if found is None else np.asarray(found, bool)
  three = found[2:] & found[1:-1] & found[:-2]
  if not three.any():
    return float('nan')
  change = wrap(np.diff(pose, axis=0))
  return float(np.mean(np.abs(np.diff(change, axis=0))[three]))


class Lips(NamedTuple):
  """Lips on the phones that need them closed.

  Attributes:
    level: opening up to which lips count as closed.
    closed: `(n,)` bool, for each p, b and m.
    chance: share of them that would pass at any other time of the speech.
  """

  level: float
  closed: np.ndarray
  chance: float


def lips_on_phones(
  opening: np.ndarray, found: np.ndarray, phones: Sequence[tuple[str, float, float]]
) -> Lips | None:
  """Whether the mouth closes on p, b and m as far as it does at rest.

  A phone counts as closed when the opening falls to the resting level plus `CLOSED_BY`
  in a frame of its span or one beside it. What a mesh reads off closed lips differs
  from face to face (beards, full lips, a smile), so each clip's own silence is its
  measure. A mouth that hardly moves passes everywhere: `chance` says so.

  Args:
    opening: `(t,)` of `openings.mouth_opening`.
    found: `(t,)` bool, frames with a face.
    phones: name, start and end in seconds; pauses are `sil`.

  Returns:
    None where no pause lets the mouth come to rest: nothing says what closed is.
  """
  opening = np.where(found, opening, np.nan)
  times = (np.arange(len(opening)) + 0.5) / FPS
  rest, speech = np.zeros(len(opening), bool), np.zeros(len(opening), bool)
  for name, start, end in phones:
    if name == 'sil':
      rest |= (times > start + SETTLED) & (times < end - READY)
    else:
      speech |= (times >= start) & (times < end)
  if not np.isfinite(opening[rest]).any():
    return None
  level = float(np.nanmedian(opening[rest])) + CLOSED_BY
  shut = opening <= level
  closed, chances = [], []
  for name, start, end in phones:
    first, last = max(0, int(start * FPS) - 1), int(np.ceil(end * FPS)) + 1
    if name not in LABIALS or not np.isfinite(opening[first:last]).any():
      continue
    closed.append(bool(shut[first:last].any()))
    # The same span laid around every frame of the speech.
    wide = (
      np.convolve(shut & speech, np.ones(min(last - first, len(shut))), 'same') > 0.5
    )
    chances.append(float(wide[speech].mean()))
  chance = float(np.mean(chances)) if chances else float('nan')
  return Lips(level, np.array(closed, bool), chance)
