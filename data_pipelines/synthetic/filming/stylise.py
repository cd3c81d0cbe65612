"""Painted and drawn looks: a rendered clip as an oil painting, a sketch, a cartoon.

Canvas, paper, strokes and palette belong to the clip: they are drawn once and stay
where they are (`ground.py`), so nothing flickers; only what moves in the picture
changes.
"""

import cv2
import numpy as np

from data_pipelines.synthetic.filming.canvas import sharpen
from data_pipelines.synthetic.filming.ground import Ground
from data_pipelines.synthetic.filming.strokes import (
  LUMA,
  along_edges,
  box_blur,
  kuwahara,
  lines,
  saturate,
)
from data_pipelines.synthetic.filming.style import Style


def _relief(ground: Ground, surface: np.ndarray, amount: float) -> np.ndarray:
  """(s, s) factor: light from the upper left on a surface."""
  slope = cv2.Sobel(surface, -1, 1, 0, ksize=1) + cv2.Sobel(surface, -1, 0, 1, ksize=1)
  return 1 + np.float32(amount * ground.unit) * slope


def _brushed(value, ground, width, length):
  """(smooth strokes (s, s, 3), room for bristles (s, s)).

  Painters use a finer brush for eyes and lips: where there is detail, strokes are
  narrow and no bristles show.
  """
  unit = ground.unit
  fine = kuwahara(value, 1.3 * unit)
  broad = along_edges(kuwahara(value, width * unit), length * unit, 2)
  detail = np.abs(cv2.transform(value - box_blur(value, 7 * unit), LUMA))
  contrast = ground.high - ground.low
  calm = 1 - sharpen(box_blur(detail, 5 * unit) / contrast, 0.03, 0.09)
  return fine + calm[..., None] * (broad - fine), 0.2 + 0.8 * calm


def _oil(value, ground):
  style = ground.style
  value = 0.5 * (value + ground.stretch(value))
  value, room = _brushed(value, ground, 2.6, 3)
  value = saturate(value, style.saturation)
  bristles = ground.bristles * room
  value = value + 0.05 * style.strength * bristles[..., None]
  surface = bristles * 0.4 + 0.12 * ground.weave
  value = value * _relief(ground, surface, 0.45 * style.texture)[..., None]
  if ground.aged:
    value = value * np.float32(style.tint) * ground.edge[..., None]
    value = value * (1 - 0.28 * style.texture * ground.cracks)[..., None]
  return value


def _impasto(value, ground):
  style = ground.style
  value = 0.5 * (value + ground.stretch(value))
  value, room = _brushed(value, ground, 3.0, 4)
  bristles = ground.bristles * room
  value = saturate(value + 0.07 * bristles[..., None], 1.2 * style.saturation)
  # paint stands high where the brush left it: relief of the picture itself as well
  surface = bristles * 0.5 + cv2.transform(value, LUMA) * 0.4
  return value * _relief(ground, surface, 0.4)[..., None]


def _watercolour(value, ground):
  style, unit = ground.style, ground.unit
  line = lines(value, max(0.8 * unit, 0.5), 25, 0.35)
  value = kuwahara(value, 2.0 * unit)
  wash = box_blur(value, 9 * unit)
  pool = np.abs(cv2.transform(value - wash, LUMA))  # pigment gathers at the edges
  pigment = ground.stretch(value) * 0.82 + 0.18
  amount = 1 + 0.7 * ground.blotch + 0.4 * style.texture * ground.paper + 1.2 * pool
  pigment = np.maximum(pigment, 0.02) ** amount[..., None]
  pigment = saturate(pigment, 1.25 * style.saturation)
  return pigment * (0.6 + 0.4 * line)[..., None] * np.float32(style.tint)


def _drawn(value, ground, depth):
  """Line drawing by dividing a picture by its blur: 0 dark .. 1 paper."""
  luma = cv2.transform(ground.stretch(value), LUMA)
  soft = cv2.GaussianBlur(luma, (0, 0), 5 * ground.unit)
  return np.clip((luma + 0.03) / (soft + 0.03), 0, 1) ** depth, luma


def _on_paper(shade, ground, dark=None):
  dark = np.float32(ground.style.dark if dark is None else dark)
  paper = np.float32(ground.style.tint) * (1 + 0.08 * ground.paper)[..., None]
  return dark + np.clip(shade, 0, 1)[..., None] * (paper - dark)


def _pencil(value, ground):
  style = ground.style
  value = cv2.GaussianBlur(value, (0, 0), 0.6 * ground.unit)
  line, luma = _drawn(value, ground, 2.2)
  tone = np.sqrt(np.clip(luma, 0, 1))
  hatch = 0
  for texture, level in zip(ground.hatch, (0.82, 0.64, 0.45), strict=True):
    hatch = hatch + sharpen(level - tone, 0, 0.25) * (0.5 + 0.5 * texture)
  grain = 1 + 0.9 * style.texture * ground.paper
  return _on_paper(line - 0.33 * hatch * grain - 0.15 * (1 - tone), ground)


def _charcoal(value, ground):
  line, luma = _drawn(kuwahara(value, 1.5 * ground.unit), ground, 2.2)
  tone = np.clip(luma, 0, 1) ** 0.6
  shade = line * (0.3 + 0.7 * tone) + (0.1 + 0.15 * ground.style.texture) * ground.paper
  return _on_paper(sharpen(shade, 0.02, 0.98), ground)


def _ink(value, ground):
  unit = ground.unit
  smooth = kuwahara(value, 2 * unit)
  line = lines(smooth, max(0.9 * unit, 0.5), 60, 0.25)
  tone = np.sqrt(ground.stretch(cv2.transform(smooth, LUMA)))
  black = sharpen(tone, 0.27, 0.36)
  hatch = 1 - sharpen(0.6 - tone, 0, 0.15) * sharpen(ground.hatch[0], 0.0, 0.4) * 0.8
  wash = 0.3 + 0.7 * tone  # thinned ink under the lines
  return _on_paper(line * (0.35 + 0.65 * black) * hatch * wash, ground)


def _pastel(value, ground):
  style = ground.style
  value = 0.5 * (value + ground.stretch(value))
  value, room = _brushed(value, ground, 2.6, 2)
  value = saturate(0.12 + 0.88 * value, 1.25 * style.saturation)
  value = value + (0.1 * ground.bristles * room)[..., None]
  cover = sharpen(0.5 * ground.paper + 0.25, -0.05, 0.22)
  cover = 1 - 0.45 * style.texture * (1 - cover)[..., None]
  return np.float32(style.tint) * 0.85 * (1 - cover) + value * cover


def _poster(value, ground):
  smooth = kuwahara(value, 1.8 * ground.unit)
  tone = ground.stretch(cv2.transform(smooth, LUMA)) ** 0.7 * 4
  if ground.aged:  # printed in dots
    tone = np.clip(tone + 0.12 * ground.dots, 0, 4)
  level = np.floor(tone + 0.5 - 1e-3)
  step = np.clip(tone - level + 0.5, 0, 1)
  index = np.clip(level.astype(int), 0, 4)
  above = np.minimum(index + 1, 4)
  share = sharpen(step, 0.85, 1.0)[..., None]
  flat = ground.style.palette[index] * (1 - share) + ground.style.palette[above] * share
  line = lines(smooth, max(1.0 * ground.unit, 0.5), 40, 0.4)
  flat = 0.65 * flat + 0.35 * ground.stretch(smooth)
  return flat * (0.3 + 0.7 * line)[..., None]


def _flat(value, unit, levels):
  """Colours in soft steps of brightness."""
  value = kuwahara(value, 2.4 * unit)
  luma = np.maximum(cv2.transform(value, LUMA), 1e-3)
  scaled = np.sqrt(luma) * levels
  low = np.floor(scaled)
  stepped = (low + sharpen(scaled - low, 0.35, 0.65)) / levels
  return value * (np.maximum(stepped, 0.04) ** 2 / luma)[..., None]


def _cartoon(value, ground):
  style, unit = ground.style, ground.unit
  flat = _flat(value, unit, 5 + 3 * (1 - style.strength))
  flat = saturate(flat, 1.35 * style.saturation)
  line = lines(kuwahara(value, 1.6 * unit), max(1.1 * unit, 0.5), 45, 0.3)[..., None]
  return np.float32(style.dark) + np.clip(line, 0, 1) * (flat - np.float32(style.dark))


def _anime(value, ground):
  style, unit = ground.style, ground.unit
  flat = _flat(0.7 * value + 0.3 * kuwahara(value, 3 * unit), 0.7 * unit, 4.6)
  flat = saturate(np.clip(flat, 0, 1) ** 0.72 * 1.05, 1.2 * style.saturation)
  line = lines(value, max(0.8 * unit, 0.5), 50, 0.45)[..., None]
  dark = np.float32(style.dark) * 1.5
  return dark + np.clip(line, 0, 1) * (flat - dark)


def _engraving(value, ground):
  line, tone = _drawn(value, ground, 3.0)
  tone = np.clip(tone, 0, 1) ** 0.75 * 1.1
  furrow = sharpen(ground.furrows + (2.2 * tone - 0.8), -0.6, 0.6)
  cross = sharpen(ground.hatch[2] + 3.2 * tone - 0.2, -0.4, 0.4)
  shade = furrow * cross * (0.2 + 0.8 * line)
  return _on_paper(0.55 * shade + 0.45 * line * tone, ground)


def _fresco(value, ground):
  style = ground.style
  value = saturate(kuwahara(value, 2.0 * ground.unit), 0.75 * style.saturation)
  value = 0.14 + 0.8 * ground.stretch(value)
  worn = sharpen(ground.blotch + 0.4 * ground.paper, 0.12, 0.3)[..., None]
  plaster = np.float32(style.tint) * 0.8
  value = value + 0.6 * style.texture * worn * (plaster - value)
  value = value * (1 + 0.25 * style.texture * ground.paper)[..., None]
  return value * (1 - 0.22 * ground.cracks)[..., None] * np.float32(style.tint)


_HANDS = {
  'oil': _oil,
  'impasto': _impasto,
  'watercolour': _watercolour,
  'pencil': _pencil,
  'charcoal': _charcoal,
  'ink': _ink,
  'pastel': _pastel,
  'poster': _poster,
  'cartoon': _cartoon,
  'anime': _anime,
  'engraving': _engraving,
  'fresco': _fresco,
}


def stylise(pictures: np.ndarray, style: Style, rng: np.random.Generator) -> np.ndarray:
  """Turns the frames of a clip into one artist's work.

  Args:
    pictures: `(t, s, s, 3)` uint8 RGB.
    style: the look.
    rng: the paper, the canvas and the strokes, drawn once for all frames.

  Returns:
    `(t, s, s, 3)` uint8 RGB; equal frames stay equal.
  """
  ground = Ground(style, pictures[0], rng)
  hand = _HANDS[style.kind]
  result = np.empty_like(pictures)
  for i, picture in enumerate(pictures):
    value = hand(picture.astype(np.float32) / np.float32(255), ground)
    result[i] = np.clip(value * 255 + 0.5, 0, 255).astype(np.uint8)
  return result
