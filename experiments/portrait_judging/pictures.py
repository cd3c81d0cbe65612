"""Two pictures for people: every portrait's frames, and the worst frames of all."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vasa_jax.files import refused, write_whole
from vasa_jax.metrics.clip_file import read_frames

SIDE = 192  # px of a frame in a sheet
FRAMES = 8  # of a video, in its row
WORST = 10  # frames of each kind
OF_A_CLIP = 2  # of them at most, or one bad clip would hide the others
_LABEL = 20  # px of the line of text over a picture


class Row(NamedTuple):
  """A portrait and the frames beside it; a label for the row, one for each frame."""

  label: str
  pictures: Sequence[np.ndarray]
  labels: Sequence[str] = ()


class Bad(NamedTuple):
  """A frame that is far off: whose, in which video, which one, and by how much."""

  name: str
  path: Path
  portrait: np.ndarray
  frame: int
  value: float


def even_frames(total: int, count: int = FRAMES) -> list[int]:
  """Numbers of `count` frames, evenly spread from the first to the last."""
  return np.linspace(0, total - 1, count).round().astype(int).tolist()


def pick_frames(path: Path, numbers: Iterable[int]) -> dict[int, np.ndarray]:
  """The frames of a video with these numbers.

  Raises:
    UserError: it cannot be read.
  """
  wanted = set(numbers)
  last = max(wanted, default=-1)
  found = {}
  for i, frame in enumerate(read_frames(path)):
    if i in wanted:
      found[i] = frame
    if i >= last:
      break
  return found


def worst_of(bad: Iterable[Bad], lowest: bool) -> list[Bad]:
  """The `WORST` of them, `OF_A_CLIP` of one video at most, the worst first."""
  taken: list[Bad] = []
  for one in sorted(bad, key=lambda b: b.value if lowest else -b.value):
    if sum(other.path == one.path for other in taken) < OF_A_CLIP:
      taken.append(one)
  return taken[:WORST]


def worst_rows(title: str, bad: Sequence[Bad]) -> list[Row]:
  """Pairs of portrait and frame, five pairs to a row."""
  rows = []
  for start in range(0, len(bad), 5):
    pictures, labels = [], []
    for one in bad[start : start + 5]:
      pictures += [one.portrait, pick_frames(one.path, [one.frame])[one.frame]]
      labels += [one.name, f'frame {one.frame}: {one.value:.2f}']
    rows.append(Row(title, pictures, labels))
  return rows


def draw_sheet(rows: Sequence[Row]) -> Image.Image:
  """Rows of pictures under their labels, on white."""
  columns = max((len(row.pictures) for row in rows), default=1)
  height = SIDE + 2 * _LABEL
  sheet = Image.new('RGB', (columns * SIDE, max(len(rows), 1) * height), 'white')
  draw = ImageDraw.Draw(sheet)
  font = ImageFont.load_default(13)
  for i, row in enumerate(rows):
    top = i * height
    draw.text((4, top + 2), row.label, 'black', font)
    for j, picture in enumerate(row.pictures):
      if j < len(row.labels):
        words = _shortened(row.labels[j], font)
        draw.text((j * SIDE + 4, top + _LABEL + 1), words, 'black', font)
      small = Image.fromarray(np.ascontiguousarray(picture)).resize(
        (SIDE - 4, SIDE - 4), Image.Resampling.LANCZOS
      )
      sheet.paste(small, (j * SIDE + 2, top + 2 * _LABEL + 2))
  return sheet


def write_sheet(path: Path, rows: Sequence[Row]) -> None:
  """Draws rows into a PNG.

  Raises:
    UserError: it cannot be written.
  """
  data = io.BytesIO()
  draw_sheet(rows).save(data, 'PNG')
  try:
    write_whole(path, data.getvalue())
  except OSError as error:
    raise refused(path, error) from error


def _shortened(words: str, font) -> str:
  """As much of the end of a text as a picture is wide."""
  while len(words) > 1 and font.getlength(words) > SIDE - 8:
    words = words[1:]
  return words
