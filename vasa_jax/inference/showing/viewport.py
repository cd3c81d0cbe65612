"""What of the crop a square video shows: what its picture holds.

A portrait is often cut close: a passport photograph, an avatar. The crop that the face
model wants is wider, and what lies outside the picture is made up (`portrait.py`): a
blur that draws the eye. So the video shows a square inside the crop, and the crop is
drawn so much larger that the video has its pixels. Few such squares are possible, for
each is compiled once.
"""

from typing import NamedTuple

import numpy as np

from vasa_jax.inference.finding.portrait import Portrait

# Sides of viewports, in crop units. A head moves in the smallest, brow to chin three
# fifths of it; of a picture that is closer still something made up is seen.
SHARES = (1.0, 8 / 9, 4 / 5, 8 / 11, 2 / 3)
SLACK = 0.03  # crop units beyond the picture in which nobody sees that it is made up


class Viewport(NamedTuple):
  """A square inside the crop, in crop units."""

  left: float = 0.0
  top: float = 0.0
  share: float = 1.0

  def drawn(self, side: int) -> int:
    """Side of a crop of which the viewport has `side` px."""
    return round(side / self.share)

  def corner(self, side: int) -> tuple[int, int]:
    """x and y of its first pixel in the drawn crop."""
    drawn = self.drawn(side)
    x, y = (min(round(at * drawn), drawn - side) for at in (self.left, self.top))
    return x, y


WHOLE = Viewport()


def viewport(portrait: Portrait) -> Viewport:
  """The largest viewport that at rest shows nothing made up, or the smallest there is.

  It lies in the middle of the crop, where crown and chin are about as far from its
  border, as far as the picture's border allows.
  """
  height, width = portrait.picture.shape[:2]
  spans = [
    (max(0.0, -start / portrait.side - SLACK), min(1.0, end + SLACK))
    for start, end in (
      (portrait.left, (width - portrait.left) / portrait.side),
      (portrait.top, (height - portrait.top) / portrait.side),
    )
  ]
  room = min(end - start for start, end in spans) + 1e-6
  share = next((share for share in SHARES if share <= room), SHARES[-1])
  return Viewport(*(_start(share, *span) for span in spans), share)


def _start(share: float, start: float, end: float) -> float:
  """Where a viewport begins along one axis."""
  if end - start < share:  # the picture in the middle
    wanted = (start + end - share) / 2
  else:
    wanted = np.clip((1 - share) / 2, start, end - share)
  return float(np.clip(wanted, 0, 1 - share))


def made_up(portrait: Portrait) -> float:
  """Share of what a video shows at rest that lies outside the picture, 0..1."""
  seen = viewport(portrait)
  left, top = (at * portrait.side for at in (seen.left, seen.top))
  return portrait._replace(
    left=portrait.left + left, top=portrait.top + top, side=portrait.side * seen.share
  ).beyond


def shown(portrait: Portrait, size: int | None = None) -> Portrait:
  """The portrait as a video of it that does not move shows it.

  Args:
    portrait: as `find_portrait` cut it out.
    size: side of the video, px; None is that of the portrait's crop.
  """
  seen, size = viewport(portrait), size or len(portrait.crop)
  drawn, (x, y) = seen.drawn(size), seen.corner(size)
  step, zoom = portrait.side / drawn, drawn / len(portrait.crop)
  return portrait._replace(
    crop=portrait.cut(drawn)[y : y + size, x : x + size],
    landmarks=portrait.landmarks.placed(zoom, -np.array([x, y])),
    left=portrait.left + x * step,
    top=portrait.top + y * step,
    side=step * size,
  )
