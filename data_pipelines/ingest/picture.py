"""A decoded picture as video has it: brightness and two colours at half the resolution.

Turning whole frames into RGB costs more than decoding them (18 against 5 ms at 1080p);
only what becomes a crop is turned, and in the same step in which it is resampled.
Coordinates are continuous: pixel (i, j) covers [j, j + 1) x [i, i + 1).
"""

from typing import NamedTuple

import numpy as np

# Weights of red and blue in brightness: ITU-R BT.601, BT.709, BT.2020.
_WEIGHTS = {'601': (0.299, 0.114), '709': (0.2126, 0.0722), '2020': (0.2627, 0.0593)}
_TAGS = {1: '709', 5: '601', 6: '601', 9: '2020', 10: '2020'}  # as H.264 numbers them


class Square(NamedTuple):
  """An upright square: centre and side in px with x and y alike (square pixels)."""

  x: float
  y: float
  side: float

  @property
  def box(self) -> np.ndarray:
    """`(4,)` left, top, right, bottom."""
    half = self.side / 2
    return np.array([self.x - half, self.y - half, self.x + half, self.y + half])


class Picture(NamedTuple):
  """Planes of a frame, or of a part of one.

  Attributes:
    y: `(h, w)` uint8 brightness.
    u, v: `(h / 2, w / 2)` uint8 colour.
    matrix: '601', '709' or '2020': how colour was made of RGB.
    full: brightness runs 0..255 instead of 16..235.
    aspect: width of a pixel over its height.
    left, top: where the part lies in the whole, in px of its planes (even).
    coarse: px of the whole in one px of the part, along each side.
  """

  y: np.ndarray
  u: np.ndarray
  v: np.ndarray
  matrix: str
  full: bool
  aspect: float = 1.0
  left: int = 0
  top: int = 0
  coarse: int = 1

  @property
  def width(self) -> float:
    """In square px."""
    return self.y.shape[1] * self.aspect

  @property
  def height(self) -> float:
    return float(self.y.shape[0])


def from_frame(frame) -> Picture:
  """The upright picture of a decoded `av.VideoFrame`.

  Raises:
    ValueError: a format without pictures in it (hardware surfaces).
  """
  from av.video.reformatter import ColorRange, Colorspace

  name, tag = frame.format.name, int(frame.colorspace)
  if name in ('yuv420p', 'yuvj420p') and tag in (*_TAGS, 0, 2, 3):
    # Without a tag: what players assume.
    matrix = _TAGS.get(tag, '709' if frame.height >= 720 else '601')
    full = name == 'yuvj420p' or int(frame.color_range) == 2
  else:
    frame = frame.reformat(
      format='yuv420p',
      dst_colorspace=Colorspace.ITU709,
      dst_color_range=ColorRange.MPEG,
    )
    matrix, full = '709', False
  height, width = frame.height, frame.width
  planes = []
  for i, plane in enumerate(frame.planes[:3]):
    rows, columns = (height, width) if i == 0 else (-(-height // 2), -(-width // 2))
    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    planes.append(lines[:rows, :columns])
  aspect = _aspect(frame)
  turns = round(getattr(frame, 'rotation', 0) / 90) % 4
  if turns:  # as the phone was held; the tag counts counter-clockwise
    planes = [np.rot90(plane, turns) for plane in planes]
    aspect = 1 / aspect if turns % 2 else aspect
  return Picture(*planes, matrix, full, aspect)


def _aspect(frame) -> float:
  """Width of a pixel over its height; 1 where the file says nothing sensible."""
  ratio = getattr(frame, 'sample_aspect_ratio', None)
  ratio = float(ratio) if ratio else 1.0
  return ratio if 0.25 <= ratio <= 4 else 1.0


def part(picture: Picture, box: np.ndarray, coarse: int = 1) -> Picture:
  """A copy of what lies in `box` (square px of the whole picture), or a little more.

  Args:
    picture: a whole one.
    box: `(4,)` left, top, right, bottom; may leave the picture.
    coarse: the copy is averaged down by this factor.
  """
  import cv2

  spans = []
  for low, high, length in (
    (box[0] / picture.aspect, box[2] / picture.aspect, picture.y.shape[1]),
    (box[1], box[3], picture.y.shape[0]),
  ):
    # Colours begin at a whole pixel of theirs, after averaging too.
    step = 2 * coarse
    first = int(np.clip(low, 0, max(length - step, 0))) // step * step
    count = -(-(max(min(high, length), first + 1) - first) // step)
    spans.append((first, first + int(count) * step))
  (x0, x1), (y0, y1) = spans
  half = np.s_[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2]
  planes = [picture.y[y0:y1, x0:x1], picture.u[half], picture.v[half]]
  if coarse > 1:
    planes = [
      cv2.resize(
        plane,
        (-(-plane.shape[1] // coarse), -(-plane.shape[0] // coarse)),
        interpolation=cv2.INTER_AREA,
      )  # fmt: skip
      for plane in planes
    ]
  else:
    planes = [plane.copy() for plane in planes]
  y, u, v = planes
  return picture._replace(y=y, u=u, v=v, left=x0, top=y0, coarse=coarse)


def to_rgb(
  y: np.ndarray, u: np.ndarray, v: np.ndarray, matrix: str, full: bool, out=None
) -> np.ndarray:
  """Planes of one size to `(h, w, 3)` uint8 RGB, in `out` if it is given."""
  import cv2

  red, blue = _WEIGHTS[matrix]
  bright, colour = (1.0, 1.0) if full else (255 / 219, 255 / 224)
  low = 0.0 if full else 16.0
  vr, ub = 2 * (1 - red) * colour, 2 * (1 - blue) * colour
  rows = np.array([
    [bright, 0, vr],
    [bright, -ub * blue / (1 - red - blue), -vr * red / (1 - red - blue)],
    [bright, ub, 0],
  ])  # fmt: skip
  shift = -rows @ np.array([low, 128.0, 128.0])
  return cv2.transform(cv2.merge([y, u, v]), np.column_stack([rows, shift]), dst=out)


def crop(picture: Picture, square: Square, size: int, out=None) -> np.ndarray:
  """`(size, size, 3)` uint8 RGB of a square (px of the whole); mirrored outside.

  Squares on even pixels are cut out as they are and brought to size; others are sampled
  where they lie. Finer than the crop, the part is averaged down, so nothing aliases.
  """
  planes = []
  for i, plane in enumerate((picture.y, picture.u, picture.v)):
    share = 1 if i == 0 else 2
    left = (square.x - square.side / 2) / picture.aspect - picture.left
    top = square.y - square.side / 2 - picture.top
    box = [left, top, square.side / picture.aspect, square.side]
    box = [value / share / picture.coarse for value in box]
    if all(value == int(value) for value in box):
      planes.append(_cut(plane, *map(int, box), size, i == 0))
    else:
      planes.append(_resample(plane, *box, size, i == 0))
  return to_rgb(*planes, picture.matrix, picture.full, out)


def _cut(plane, left: int, top: int, width: int, height: int, size: int, fine: bool):
  """`(size, size)` of a rectangle of whole pixels in a plane."""
  import cv2

  rows, columns = plane.shape
  need = (-top, top + height - rows, -left, left + width - columns)
  if max(need) > 0:
    need = [max(n, 0) for n in need]
    plane = cv2.copyMakeBorder(plane, *need, cv2.BORDER_REFLECT_101)
    left, top = left + need[2], top + need[0]
  part = plane[top : top + height, left : left + width]
  if part.shape == (size, size):
    return part
  way = cv2.INTER_CUBIC if fine else cv2.INTER_LINEAR
  way = cv2.INTER_AREA if height > size else way
  return cv2.resize(part, (size, size), interpolation=way)


def _resample(
  plane, left: float, top: float, width: float, height: float, size: int, fine: bool
):
  """`(size, size)` of a rectangle in a plane; colours are sampled less finely."""
  import cv2

  across, down = max(1, int(width / size)), max(1, int(height / size))
  if across > 1 or down > 1:
    shape = (max(plane.shape[1] // across, 1), max(plane.shape[0] // down, 1))
    fx, fy = shape[0] / plane.shape[1], shape[1] / plane.shape[0]
    plane = cv2.resize(plane, shape, interpolation=cv2.INTER_AREA)
    left, width, top, height = left * fx, width * fx, top * fy, height * fy
  sx, sy = width / size, height / size
  affine = np.array([
    [sx, 0, left + sx / 2 - 0.5],
    [0, sy, top + sy / 2 - 0.5],
  ])  # fmt: skip
  way = cv2.INTER_CUBIC if fine else cv2.INTER_LINEAR
  return cv2.warpAffine(
    plane, affine, (size, size), flags=way | cv2.WARP_INVERSE_MAP,
    borderMode=cv2.BORDER_REFLECT_101,
  )  # fmt: skip


def small(picture: Picture, longest: int) -> np.ndarray:
  """`(h, w, 3)` uint8 RGB with square pixels, its longer side at most `longest`."""
  import cv2

  scale = min(1.0, longest / max(picture.width, picture.height))
  shape = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
  planes = [
    cv2.resize(plane, shape, interpolation=cv2.INTER_LINEAR if scale > 0.5 else 3)
    for plane in (picture.y, picture.u, picture.v)
  ]
  return to_rgb(*planes, picture.matrix, picture.full)


def thumb(picture: Picture, width: int = 48, height: int = 27) -> np.ndarray:
  """`(height, width)` float32 brightness 0..255, for comparing pictures quickly."""
  import cv2

  rows, columns = picture.y.shape
  step = max(1, min(rows // (2 * height), columns // (2 * width)))
  coarse = np.ascontiguousarray(picture.y[::step, ::step])
  coarse = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_AREA)
  return coarse.astype(np.float32)
