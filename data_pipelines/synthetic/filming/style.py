"""Painted and drawn looks: a rendered clip as an oil painting, a sketch, a cartoon.

A model that only ever saw photographs fails on art, so a share of clips is turned into
art. Canvas, paper, strokes and palette belong to the clip: they are drawn once and stay
where they are, so nothing flickers; only what moves in the picture changes.

Edge-preserving smoothing is a Kuwahara filter with eight soft sectors (Papari, Petkov
and Campisi, "Artistic edge and corner enhancing smoothing", 2007); lines are extended
differences of Gaussians (Winnemoeller, Kyprianidis and Olsen, "XDoG", 2012).
"""

import dataclasses

import cv2
import numpy as np

from data_pipelines.synthetic.filming.canvas import noise, sharpen

ODDS = {
  'oil': 2.0,
  'impasto': 1.0,
  'watercolour': 1.5,
  'pencil': 1.2,
  'charcoal': 0.8,
  'ink': 0.8,
  'pastel': 1.0,
  'poster': 0.8,
  'cartoon': 2.0,
  'anime': 1.2,
  'engraving': 0.7,
  'fresco': 0.8,
}
_LUMA = np.array([[0.299, 0.587, 0.114]], np.float32)


@dataclasses.dataclass(frozen=True)
class Style:
  """One artist's hand.

  Attributes:
    kind: a key of `ODDS`.
    scale: size of strokes and lines, 1 = usual.
    strength: how far it goes from the photograph, 0..1.
    saturation: factor on colours.
    tint: `(3,)` colour of paper or varnish, 0..1.
    dark: `(3,)` colour of lines.
    palette: `(5, 3)` colours from dark to light, for posters.
    texture: how much canvas, paper or plaster shows, 0..1.
  """

  kind: str
  scale: float
  strength: float
  saturation: float
  tint: tuple[float, ...]
  dark: tuple[float, ...]
  palette: np.ndarray
  texture: float


def sample_style(rng: np.random.Generator) -> Style:
  """A random look."""
  names = tuple(ODDS)
  odds = np.array(list(ODDS.values()))
  kind = names[rng.choice(len(names), p=odds / odds.sum())]
  warm = rng.uniform(0, 0.16)
  tint = np.array([1.0, 1 - 0.4 * warm, 1 - warm]) * rng.uniform(0.88, 1.0)
  dark = rng.uniform(0.0, 0.16) * np.ones(3) + rng.uniform(0, 0.1, 3)
  palette = rng.uniform(0, 1, (5, 3))
  level = np.linspace(0.06, 0.97, 5)
  luma = palette @ _LUMA[0]
  palette = np.clip(level[:, None] + (palette - luma[:, None]) * 0.6, 0, 1)
  return Style(
    kind=kind,
    scale=float(rng.uniform(0.7, 1.3)),
    strength=float(rng.uniform(0.6, 1.0)),
    saturation=float(rng.uniform(0.75, 1.5)),
    tint=tuple(tint.tolist()),
    dark=tuple(dark.tolist()),
    palette=palette.astype(np.float32),
    texture=float(rng.uniform(0.3, 1.0)),
  )


def _box_blur(values, pixels):
  size = max(int(pixels) | 1, 1)
  return cv2.blur(values, (size, size), borderType=cv2.BORDER_REFLECT)


def _kuwahara(value: np.ndarray, radius: float) -> np.ndarray:
  """(s, s, 3): each pixel takes the mean of the calmest of eight parts around it."""
  radius = max(radius, 0.8)
  side = max(int(round(radius)) | 1, 3)
  luma = cv2.transform(value, _LUMA)
  mean = _box_blur(value, side)
  spread = _box_blur(luma * luma, side) - _box_blur(luma, side) ** 2
  weight = 1 / (np.maximum(spread, 0) + np.float32(2e-5)) ** 2
  weighted = cv2.merge([mean[..., c] * weight for c in range(3)] + [weight])
  border = int(np.ceil(radius)) + 1
  padded = cv2.copyMakeBorder(
    weighted, border, border, border, border, cv2.BORDER_REFLECT
  )
  h, w = luma.shape[:2]
  total = np.zeros((h, w, 4), np.float32)
  for i in range(8):
    dx = border + int(round(radius * np.cos(np.pi * i / 4)))
    dy = border + int(round(radius * np.sin(np.pi * i / 4)))
    cv2.add(total, padded[dy : dy + h, dx : dx + w], total)
  return total[..., :3] / total[..., 3:]


def _along_edges(value: np.ndarray, length: float, steps: int = 3) -> np.ndarray:
  """Smears colours along the direction in which the picture changes least."""
  h, w = value.shape[:2]
  small = cv2.resize(value, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
  luma = cv2.transform(small, _LUMA)
  gx = cv2.Sobel(luma, -1, 1, 0)
  gy = cv2.Sobel(luma, -1, 0, 1)
  tensor = cv2.GaussianBlur(cv2.merge([gx * gx, gy * gy, gx * gy]), (0, 0), 3)
  angle = 0.5 * np.arctan2(2 * tensor[..., 2], tensor[..., 0] - tensor[..., 1])
  flow = cv2.merge([-np.sin(angle), np.cos(angle)]).astype(np.float32)
  flow = cv2.resize(flow, (w, h), interpolation=cv2.INTER_NEAREST)
  y, x = np.mgrid[0:h, 0:w].astype(np.float32)
  total = value.copy()
  for step in range(1, steps + 1):
    far = np.float32(length * step / steps)
    for sign in (far, -far):
      total += cv2.remap(
        value,
        x + sign * flow[..., 0],
        y + sign * flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
      )
  return total / np.float32(1 + 2 * steps)


def _lines(value: np.ndarray, sigma: float, sharp: float, threshold: float):
  """(s, s) 0..1, 0 on dark lines: a soft threshold of a difference of Gaussians."""
  luma = cv2.transform(value, _LUMA)
  near = cv2.GaussianBlur(luma, (0, 0), sigma)
  far = cv2.GaussianBlur(luma, (0, 0), 1.6 * sigma)
  edge = (near - far) * np.float32(sharp)
  return 1 + np.tanh(np.minimum(edge + np.float32(threshold), 0))


def _saturate(value, factor):
  luma = cv2.transform(value, _LUMA)[..., None]
  return luma + np.float32(factor) * (value - luma)


def _cracks(rng, shape) -> np.ndarray:
  """(h, w) 0..1, 1 on a net of fine cracks: borders of cells around random points."""
  h, w = shape
  points = rng.random((90, 2))
  seeds = np.full((h, w), 255, np.uint8)
  at = np.minimum((points * (h, w)).astype(int), (h - 1, w - 1))
  seeds[at[:, 0], at[:, 1]] = 0
  _, labels = cv2.distanceTransformWithLabels(
    seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
  )
  labels = labels.astype(np.float32)
  edge = (labels != np.roll(labels, 1, 0)) | (labels != np.roll(labels, 1, 1))
  wander = noise(rng, shape, (12, 12), 3)
  y, x = np.mgrid[0:h, 0:w].astype(np.float32)
  shift = (wander - 0.5) * 0.05 * h
  net = cv2.remap(edge.astype(np.float32), x + shift, y - shift, cv2.INTER_LINEAR)
  return net * sharpen(noise(rng, shape, (4, 4), 3), 0.4, 0.65)


class _Ground:
  """What belongs to the clip and not to a frame: paper, canvas, strokes, cracks."""

  def __init__(self, style: Style, first: np.ndarray, rng: np.random.Generator):
    side = first.shape[0]
    shape = (side, side)
    luma = cv2.transform(first.astype(np.float32) / 255, _LUMA)
    self.low, self.high = np.percentile(luma, (1, 97)).astype(np.float32)
    self.high = max(self.high, self.low + np.float32(0.2))
    self.style, self.side = style, side
    self.unit = side / 256 * style.scale  # a pixel at 256 pixels
    self.paper = noise(rng, shape, (64, 64), 3, 0.8) - 0.5
    self.blotch = noise(rng, shape, (3, 3), 5, 0.6) - 0.5
    v, u = (np.mgrid[0:side, 0:side].astype(np.float32) + 0.5) / side
    count = rng.uniform(55, 75)
    self.weave = 0.5 * np.sin(2 * np.pi * count * u) * np.sin(2 * np.pi * count * v)
    # bristles: noise that runs along a direction that wanders over the canvas
    long = noise(rng, shape, (128, 10), 3, 0.7) - 0.5
    across = noise(rng, shape, (10, 128), 3, 0.7) - 0.5
    slant = cv2.warpAffine(
      long,
      cv2.getRotationMatrix2D((side / 2, side / 2), 45, 1.5),
      (side, side),
      borderMode=cv2.BORDER_REFLECT,
    )
    where = noise(rng, shape, (6, 6), 3)
    mixed = np.where(where < 0.45, long, np.where(where < 0.55, slant, across))
    self.bristles = cv2.GaussianBlur(mixed, (0, 0), max(0.4 * self.unit, 0.3))
    angle = rng.uniform(0.15, 0.35) * np.pi
    period = rng.uniform(3.2, 4.5) * style.scale / 256
    wave = (self.blotch * 0.03).astype(np.float32)
    self.hatch = [
      np.sin(2 * np.pi * ((u + wave) * np.cos(a) + (v + wave) * np.sin(a)) / period)
      for a in (angle, angle + 0.5 * np.pi, angle + 0.25 * np.pi)
    ]
    bend = 0.12 * np.sin(np.pi * u) + wave
    self.furrows = np.sin(2 * np.pi * (v + bend) * 256 / (2.9 * style.scale))
    self.dots = np.cos(np.pi * (u + v) * 256 / 6) * np.cos(np.pi * (u - v) * 256 / 6)
    self.cracks = _cracks(rng, shape) if style.kind in ('oil', 'fresco') else None
    self.aged = rng.random() < 0.5
    self.edge = 1 - 0.5 * ((u - 0.5) ** 2 + (v - 0.5) ** 2)

  def stretch(self, value: np.ndarray) -> np.ndarray:
    """Uses the whole range of tones, by the first frame's black and white."""
    return np.clip((value - self.low) / (self.high - self.low), 0, 1)


def _relief(ground: _Ground, surface: np.ndarray, amount: float) -> np.ndarray:
  """(s, s) factor: light from the upper left on a surface."""
  slope = cv2.Sobel(surface, -1, 1, 0, ksize=1) + cv2.Sobel(surface, -1, 0, 1, ksize=1)
  return 1 + np.float32(amount * ground.unit) * slope


def _brushed(value, ground, width, length):
  """(smooth strokes (s, s, 3), room for bristles (s, s)).

  Painters use a finer brush for eyes and lips: where there is detail, strokes are
  narrow and no bristles show.
  """
  unit = ground.unit
  fine = _kuwahara(value, 1.3 * unit)
  broad = _along_edges(_kuwahara(value, width * unit), length * unit, 2)
  detail = np.abs(cv2.transform(value - _box_blur(value, 7 * unit), _LUMA))
  contrast = ground.high - ground.low
  calm = 1 - sharpen(_box_blur(detail, 5 * unit) / contrast, 0.03, 0.09)
  return fine + calm[..., None] * (broad - fine), 0.2 + 0.8 * calm


def _oil(value, ground):
  style = ground.style
  value = 0.5 * (value + ground.stretch(value))
  value, room = _brushed(value, ground, 2.6, 3)
  value = _saturate(value, style.saturation)
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
  value = _saturate(value + 0.07 * bristles[..., None], 1.2 * style.saturation)
  # paint stands high where the brush left it: relief of the picture itself as well
  surface = bristles * 0.5 + cv2.transform(value, _LUMA) * 0.4
  return value * _relief(ground, surface, 0.4)[..., None]


def _watercolour(value, ground):
  style, unit = ground.style, ground.unit
  line = _lines(value, max(0.8 * unit, 0.5), 25, 0.35)
  value = _kuwahara(value, 2.0 * unit)
  wash = _box_blur(value, 9 * unit)
  pool = np.abs(cv2.transform(value - wash, _LUMA))  # pigment gathers at the edges
  pigment = ground.stretch(value) * 0.82 + 0.18
  amount = 1 + 0.7 * ground.blotch + 0.4 * style.texture * ground.paper + 1.2 * pool
  pigment = np.maximum(pigment, 0.02) ** amount[..., None]
  pigment = _saturate(pigment, 1.25 * style.saturation)
  return pigment * (0.6 + 0.4 * line)[..., None] * np.float32(style.tint)


def _drawn(value, ground, depth):
  """Line drawing by dividing a picture by its blur: 0 dark .. 1 paper."""
  luma = cv2.transform(ground.stretch(value), _LUMA)
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
  line, luma = _drawn(_kuwahara(value, 1.5 * ground.unit), ground, 2.2)
  tone = np.clip(luma, 0, 1) ** 0.6
  shade = line * (0.3 + 0.7 * tone) + (0.1 + 0.15 * ground.style.texture) * ground.paper
  return _on_paper(sharpen(shade, 0.02, 0.98), ground)


def _ink(value, ground):
  unit = ground.unit
  smooth = _kuwahara(value, 2 * unit)
  line = _lines(smooth, max(0.9 * unit, 0.5), 60, 0.25)
  tone = np.sqrt(ground.stretch(cv2.transform(smooth, _LUMA)))
  black = sharpen(tone, 0.27, 0.36)
  hatch = 1 - sharpen(0.6 - tone, 0, 0.15) * sharpen(ground.hatch[0], 0.0, 0.4) * 0.8
  wash = 0.3 + 0.7 * tone  # thinned ink under the lines
  return _on_paper(line * (0.35 + 0.65 * black) * hatch * wash, ground)


def _pastel(value, ground):
  style = ground.style
  value = 0.5 * (value + ground.stretch(value))
  value, room = _brushed(value, ground, 2.6, 2)
  value = _saturate(0.12 + 0.88 * value, 1.25 * style.saturation)
  value = value + (0.1 * ground.bristles * room)[..., None]
  cover = sharpen(0.5 * ground.paper + 0.25, -0.05, 0.22)
  cover = 1 - 0.45 * style.texture * (1 - cover)[..., None]
  return np.float32(style.tint) * 0.85 * (1 - cover) + value * cover


def _poster(value, ground):
  smooth = _kuwahara(value, 1.8 * ground.unit)
  tone = ground.stretch(cv2.transform(smooth, _LUMA)) ** 0.7 * 4
  if ground.aged:  # printed in dots
    tone = np.clip(tone + 0.12 * ground.dots, 0, 4)
  level = np.floor(tone + 0.5 - 1e-3)
  step = np.clip(tone - level + 0.5, 0, 1)
  index = np.clip(level.astype(int), 0, 4)
  above = np.minimum(index + 1, 4)
  share = sharpen(step, 0.85, 1.0)[..., None]
  flat = ground.style.palette[index] * (1 - share) + ground.style.palette[above] * share
  line = _lines(smooth, max(1.0 * ground.unit, 0.5), 40, 0.4)
  flat = 0.65 * flat + 0.35 * ground.stretch(smooth)
  return flat * (0.3 + 0.7 * line)[..., None]


def _flat(value, unit, levels):
  """Colours in soft steps of brightness."""
  value = _kuwahara(value, 2.4 * unit)
  luma = np.maximum(cv2.transform(value, _LUMA), 1e-3)
  scaled = np.sqrt(luma) * levels
  low = np.floor(scaled)
  stepped = (low + sharpen(scaled - low, 0.35, 0.65)) / levels
  return value * (np.maximum(stepped, 0.04) ** 2 / luma)[..., None]


def _cartoon(value, ground):
  style, unit = ground.style, ground.unit
  flat = _flat(value, unit, 5 + 3 * (1 - style.strength))
  flat = _saturate(flat, 1.35 * style.saturation)
  line = _lines(_kuwahara(value, 1.6 * unit), max(1.1 * unit, 0.5), 45, 0.3)[..., None]
  return np.float32(style.dark) + np.clip(line, 0, 1) * (flat - np.float32(style.dark))


def _anime(value, ground):
  style, unit = ground.style, ground.unit
  flat = _flat(0.7 * value + 0.3 * _kuwahara(value, 3 * unit), 0.7 * unit, 4.6)
  flat = _saturate(np.clip(flat, 0, 1) ** 0.72 * 1.05, 1.2 * style.saturation)
  line = _lines(value, max(0.8 * unit, 0.5), 50, 0.45)[..., None]
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
  value = _saturate(_kuwahara(value, 2.0 * ground.unit), 0.75 * style.saturation)
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
  ground = _Ground(style, pictures[0], rng)
  hand = _HANDS[style.kind]
  result = np.empty_like(pictures)
  for i, picture in enumerate(pictures):
    value = hand(picture.astype(np.float32) / np.float32(255), ground)
    result[i] = np.clip(value * 255 + 0.5, 0, 255).astype(np.uint8)
  return result
