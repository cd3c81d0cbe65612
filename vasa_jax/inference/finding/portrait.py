"""From a picture file to the square crop that the face model sees.

The crop is framed like the training heads: upright, the face (mid-brow to chin) a fixed
share of the side and at a fixed place, so that the head pose fitted to it starts in the
middle of what the models were trained on.
"""

import io
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageFilter, ImageOps

from vasa_jax.errors import UserError
from vasa_jax.inference.finding import detector
from vasa_jax.inference.finding.landmarks import BROWS, CHIN, Landmarks, find_landmarks

# The training heads lie between 0.93 and 1.27 times the reference distance, unshifted.
# A head fitted to a crop of these numbers comes out at 1.10, with a shift of less than
# 0.005 (measured on the shipped portrait; 1.09 when mirrored or cut at the border).
CROP_PER_FACE = 2.48  # side of the crop / distance from mid-brow to chin
CENTRE = (0.5, 0.58)
MIN_FACE = 48  # px from mid-brow to chin; below it there is nothing to animate
MAX_PIXELS = 200_000_000
MAX_ROLL = 60.0  # degrees; beyond it the picture itself lies on its side
MIN_MESH_SCORE = 0.5


class Portrait(NamedTuple):
  """One face, cut out.

  Attributes:
    crop: `(s, s, 3)` uint8 RGB.
    landmarks: of that face, in px of the crop.
    left, top, side: the crop's square in px of the full picture; may leave it.
    picture: `(h, w, 3)` uint8, the full picture.
    faces: how many faces the picture shows at this face's scale.
    notes: lines to tell the user, for example that another face was left out.
  """

  crop: np.ndarray
  landmarks: Landmarks
  left: float
  top: float
  side: float
  picture: np.ndarray
  faces: int
  notes: tuple[str, ...] = ()

  def to_picture(self, points: np.ndarray) -> np.ndarray:
    """Maps `(n, 2)` px of the crop to px of the full picture."""
    scale = self.side / self.crop.shape[0]
    return np.asarray(points) * scale + np.array([self.left, self.top])

  @property
  def beyond(self) -> float:
    """Share of the crop's square that the picture does not reach, 0..1."""
    height, width = self.picture.shape[:2]
    wide = min(width, self.left + self.side) - max(0.0, self.left)
    high = min(height, self.top + self.side) - max(0.0, self.top)
    return 1 - max(wide, 0.0) * max(high, 0.0) / self.side**2

  def cut(self, size: int) -> np.ndarray:
    """The same square at another size: `(size, size, 3)` uint8."""
    points = self.to_picture(self.landmarks.points[:, :2])
    return _crop(self.picture, points, self.left, self.top, self.side, size)

  @property
  def points(self) -> np.ndarray:
    """`(468, 2)` landmarks in crop units (0..1, y down)."""
    return self.landmarks.points[:, :2] / self.crop.shape[0]

  @property
  def irises(self) -> np.ndarray:
    """`(2, 5, 2)` irises in crop units; the eye at the image's left first."""
    return self.landmarks.irises[..., :2] / self.crop.shape[0]


def load_picture(path: str | Path) -> np.ndarray:
  """Reads a picture file into `(h, w, 3)` uint8 sRGB, upright.

  EXIF orientation is applied; an embedded colour profile is converted; transparency is
  laid over white; 16-bit grey is scaled; of an animation the first frame is taken.

  Raises:
    UserError: no such file, not a picture, no codec, truncated, or too large.
  """
  path = Path(path)
  try:
    data = path.read_bytes()
  except FileNotFoundError:
    raise UserError(f'{path}: no such file') from None
  except OSError as error:
    raise UserError(f'{path}: cannot be read ({error.strerror})') from None
  if _is_heif(data):
    _register_heif(path)
  limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
  try:
    image = Image.open(io.BytesIO(data))
    if image.width * image.height > MAX_PIXELS:
      raise UserError(
        f'{path}: {image.width} x {image.height} px is too large; '
        f'make it smaller than {MAX_PIXELS // 10**6} megapixels'
      )
    image.seek(0)
    image.load()
    return _to_rgb(ImageOps.exif_transpose(image))
  except Image.UnidentifiedImageError:
    raise UserError(
      f'{path}: not a picture in a known format; give a JPEG, PNG or WebP file'
    ) from None
  except (OSError, SyntaxError, ValueError, EOFError) as error:
    raise UserError(
      f'{path}: the picture is damaged or cut off ({error}); save it again as JPEG'
    ) from None
  finally:
    Image.MAX_IMAGE_PIXELS = limit


def find_portrait(
  picture: np.ndarray, size: int = 512, name: str = 'picture'
) -> Portrait:
  """Finds the largest face and cuts it out.

  Args:
    picture: `(h, w, 3)` uint8 RGB.
    size: side of the crop in px.
    name: what to call the picture in messages.

  Raises:
    UserError: no face, the face is smaller than `MIN_FACE`, or it lies on its side.
  """
  found = _faces(picture)
  if not found:
    raise UserError(
      f'{name}: no face found; give a picture with one face, seen from the front'
    )
  marks = max(found, key=lambda m: m.face_height)
  if marks.face_height < MIN_FACE:
    raise UserError(
      f'{name}: the face is too small, {marks.face_height:.0f} px from brow to chin; '
      f'at least {MIN_FACE} px are needed'
    )
  turn = math.degrees(marks.roll)
  if abs(turn) > MAX_ROLL:
    raise UserError(
      f'{name}: the face is turned by {turn:.0f} degrees; rotate the picture upright'
    )
  notes = []
  if len(found) > 1:
    notes.append(f'{name}: {len(found)} faces found; the largest one is used')
  side = CROP_PER_FACE * marks.face_height
  if marks.face_height < 0.2 * size:
    notes.append(
      f'{name}: the face is small ({marks.face_height:.0f} px from brow to chin); '
      'a larger picture gives a sharper video'
    )
  middle = _middle(marks)
  left, top = middle[0] - CENTRE[0] * side, middle[1] - CENTRE[1] * side
  crop = _crop(picture, marks.points[:, :2], left, top, side, size)
  scale = size / side
  local = marks.placed(scale, -scale * np.array([left, top]))
  return Portrait(
    crop, local, float(left), float(top), float(side), picture, len(found), tuple(notes)
  )


def _faces(picture: np.ndarray) -> list[Landmarks]:
  """What the mesh network agrees to, at the coarsest level that has any."""
  for faces in detector.search(picture):
    marks = [find_landmarks(picture, face) for face in faces]
    marks = [m for m in marks if m.score >= MIN_MESH_SCORE]
    if marks:
      return marks
  return []


def _middle(marks: Landmarks) -> np.ndarray:
  """The point between mid-brow and chin, px."""
  return (marks.points[list(BROWS), :2].mean(0) + marks.points[CHIN, :2]) / 2


def _crop(
  picture: np.ndarray,
  points: np.ndarray,
  left: float,
  top: float,
  side: float,
  size: int,
) -> np.ndarray:
  """Cuts the square out; what lies outside the picture is made up.

  Outside, the picture is mirrored as far as the face is away from the border, and then
  repeated: mirroring farther would show a second chin or eye. All that is made up fades
  into a blur, so that no streaks draw the eye.
  """
  height, width = picture.shape[:2]
  low, high = points.min(0), points.max(0)
  need = (
    (max(0, -top), max(0, top + side - height)),
    (max(0, -left), max(0, left + side - width)),
  )
  room = ((low[1], height - high[1]), (low[0], width - high[0]))
  mirror, repeat = [], []
  for pair, gaps in zip(need, room, strict=True):
    whole = [math.ceil(p) for p in pair]
    first = [min(w, max(0, int(g))) for w, g in zip(whole, gaps, strict=True)]
    mirror.append(tuple(first))
    repeat.append(tuple(w - f for w, f in zip(whole, first, strict=True)))
  padded = np.pad(picture, (*mirror, (0, 0)), mode='symmetric')
  padded = np.pad(padded, (*repeat, (0, 0)), mode='edge')
  x = left + mirror[1][0] + repeat[1][0]
  y = top + mirror[0][0] + repeat[0][0]
  box = (x, y, min(x + side, padded.shape[1]), min(y + side, padded.shape[0]))
  image = Image.fromarray(padded)
  crop = image.resize((size, size), Image.Resampling.LANCZOS, box=box)
  if not any(map(any, need)):
    return np.asarray(crop)
  at = (np.arange(size) + 0.5) * side / size
  over_x = np.maximum(0, np.maximum(-(left + at), left + at - width))
  over_y = np.maximum(0, np.maximum(-(top + at), top + at - height))
  share = np.clip(np.hypot(over_y[:, None], over_x) / (0.06 * side), 0, 1)[..., None]
  sharp = np.asarray(crop, np.float32)
  soft = np.asarray(crop.filter(ImageFilter.GaussianBlur(0.06 * size)), np.float32)
  return (sharp + share * (soft - sharp) + 0.5).astype(np.uint8)


def _to_rgb(image: Image.Image) -> np.ndarray:
  """Returns `(h, w, 3)` uint8 sRGB of any Pillow mode."""
  if image.mode.startswith(('I', 'F')):
    values = np.nan_to_num(np.asarray(image, np.float64), posinf=0.0, neginf=0.0)
    top = 255.0 if values.max(initial=0) <= 255 and image.mode != 'I;16' else 65535.0
    grey = np.clip(values / max(top, values.max(initial=0)) * 255, 0, 255)
    return np.repeat(grey.round().astype(np.uint8)[..., None], 3, -1)
  transparent = 'A' in image.getbands() or 'a' in image.getbands()
  if transparent or 'transparency' in image.info:
    image = image.convert('RGBA')
    paper = Image.new('RGBA', image.size, 'white')
    return np.asarray(Image.alpha_composite(paper, image).convert('RGB'))
  profile = image.info.get('icc_profile')
  if profile and image.mode in ('RGB', 'CMYK', 'L'):
    try:
      image = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile('sRGB'),
        outputMode='RGB',
      )
    except (ImageCms.PyCMSError, OSError):
      pass  # A broken profile is no reason to refuse the picture.
  return np.asarray(image.convert('RGB'))


def _is_heif(data: bytes) -> bool:
  brands = (b'heic', b'heix', b'hevc', b'heim', b'heis', b'mif1', b'msf1')
  return data[4:8] == b'ftyp' and data[8:12] in brands


def _register_heif(path: Path) -> None:
  """Lets Pillow read HEIC if the codec is installed."""
  try:
    import pillow_heif
  except ImportError:
    raise UserError(
      f'{path}: HEIC pictures need a codec; save it as JPEG, '
      'or run `pip install pillow-heif`'
    ) from None
  pillow_heif.register_heif_opener()
