"""Paints cloth: colours, weaves, patterns, and the suits of the asset pack anew.

The pack has eleven suits. `paint_cloth` keeps of each only its soft shading (folds,
seams, collar bands) and dyes it with a fabric drawn for the person, so that clothes do
not repeat and no print of the pack's is left.
"""

import functools

import cv2
import numpy as np

from data_pipelines.synthetic.people.traits import Traits, stream

# sRGB of what people wear, and how often: whites, greys, black, navy, browns and
# beiges, then muted colours; the rest are drawn freely.
NEUTRALS = np.array(
  [
    [236, 234, 228], [214, 210, 200], [150, 150, 152], [98, 100, 104], [52, 53, 57],
    [26, 26, 29], [32, 40, 66], [58, 78, 112], [116, 92, 70], [188, 166, 136],
    [84, 88, 66], [96, 40, 44],
  ]
)  # fmt: skip
NEUTRAL_ODDS = np.array([3, 1.5, 1.5, 1.5, 1.5, 3, 2.5, 1.5, 0.8, 1.2, 0.8, 0.8])
NEUTRAL_SHARE, MUTED_SHARE = 0.58, 0.3

FORMAL = {'plain': 5.0, 'heather': 2.0, 'pinstripes': 1.5, 'checks': 0.5}
SUIT_PATTERNS = {
  'plain': 5.0,
  'heather': 2.0,
  'knit': 1.5,
  'stripes': 1.2,
  'pinstripes': 0.6,
  'checks': 1.0,
  'dots': 0.4,
  'print': 0.6,
  'blocks': 0.6,
}


def sample_colour(rng: np.random.Generator) -> np.ndarray:
  """A colour of clothes, (3,) sRGB 0..255."""
  chance = rng.random()
  if chance < NEUTRAL_SHARE:
    odds = NEUTRAL_ODDS / NEUTRAL_ODDS.sum()
    colour = NEUTRALS[rng.choice(len(NEUTRALS), p=odds)] * rng.uniform(0.88, 1.1)
    return np.clip(colour + rng.normal(0, 4, 3), 8, 245)
  muted = chance < NEUTRAL_SHARE + MUTED_SHARE
  saturation = rng.integers(30, 95) if muted else rng.integers(95, 185)
  pixel = np.uint8([[[rng.integers(180), saturation, rng.integers(55, 225)]]])
  return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float64)


def _accent(rng, colour):
  """A second colour that differs in brightness from the first."""
  for _ in range(6):
    other = sample_colour(rng)
    if abs(other.mean() - colour.mean()) > 45:
      return other
  return np.where(colour.mean() > 128, colour * 0.35, colour * 0.4 + 140)


def noise(rng: np.random.Generator, side: int, sigma: float) -> np.ndarray:
  """Smooth noise (side, side) float32, mean 0, deviation 1, seamless."""
  small = max(int(side / max(sigma, 1) * 1.6), 4)
  field = rng.standard_normal((small, small), np.float32)
  field = np.pad(field, 2, mode='wrap')
  scale = side / small
  wide = cv2.resize(field, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
  start = round(2 * scale)
  wide = wide[start : start + side, start : start + side]
  wide = cv2.resize(wide, (side, side))
  return (wide - wide.mean()) / max(float(wide.std()), 1e-6)


def _blend(image, colour, share):
  return image + (np.asarray(colour, np.float32) - image) * share[..., None]


def _weave(x, y, image):
  """Threads over and under: barely seen, but it breaks the plastic look."""
  return image * (1 + 0.05 * np.sin(x * np.pi) * np.sin(y * np.pi))[..., None]


def fabric(
  rng: np.random.Generator,
  pattern: str,
  colour: np.ndarray,
  *,
  side: int = 256,
  scale: float = 1.0,
) -> np.ndarray:
  """A square of cloth, (side, side, 3) float32 sRGB 0..255.

  Args:
    rng: of the pattern.
    pattern: plain, heather, knit, rib, stripes, pinstripes, checks, dots, print,
      blocks, paisley, denim, straw, leather or felt.
    colour: (3,) sRGB 0..255, of the ground.
    side: texels.
    scale: size of the pattern, 1 = 8 to 32 texels a repeat.
  """
  y, x = np.mgrid[0:side, 0:side].astype(np.float32)
  image = np.broadcast_to(np.asarray(colour, np.float32), (side, side, 3)).copy()
  repeats = max(round(side / (rng.uniform(14, 34) * scale)), 2)
  period = side / repeats
  if pattern == 'heather':
    fleck = noise(rng, side, 1.5)
    image = _blend(image, _accent(rng, colour), np.clip(0.12 + 0.1 * fleck, 0, 0.5))
  elif pattern in ('knit', 'rib'):
    count = max(round(side / (5 * scale)), 8)
    across = np.abs(((x * count / side) % 1) - 0.5) * 2
    slant = np.abs(((y * count / side + across * 0.6) % 1) - 0.5) * 2
    depth = 0.16 if pattern == 'knit' else 0.07
    relief = depth * (slant - 0.5) + (0.2 if pattern == 'knit' else 0.3) * (
      across - 0.5
    )
    if pattern == 'rib':
      relief -= 0.12 * (np.cos(2 * np.pi * x * (count // 3) / side) > 0.55)
    image = image * (1 - relief)[..., None]
    if rng.random() < 0.3:
      band = ((y * max(repeats // 2, 1) / side) % 1) < rng.uniform(0.2, 0.5)
      image = _blend(image, _accent(rng, colour), band * (0.95 - 0.5 * relief))
  elif pattern == 'stripes':
    along = y if rng.random() < 0.7 else x
    width = rng.uniform(0.25, 0.55)
    image = _blend(image, _accent(rng, colour), ((along / period) % 1 < width) * 1.0)
    if rng.random() < 0.4:
      third = ((along / period + 0.45) % 1 < 0.12) * 1.0
      image = _blend(image, _accent(rng, colour), third)
  elif pattern == 'pinstripes':
    line = ((x / (period * 0.6)) % 1 < 0.14) * rng.uniform(0.35, 0.8)
    image = _blend(image, _accent(rng, colour), line)
  elif pattern == 'checks':
    accent = _accent(rng, colour)
    for along in (x, y):
      image = _blend(image, accent, ((along / period) % 1 < 0.5) * 0.42)
    if rng.random() < 0.5:
      thin = sample_colour(rng)
      for along in (x, y):
        image = _blend(image, thin, ((along / period + 0.23) % 1 < 0.07) * 0.7)
  elif pattern == 'dots':
    u, v = (x / period) % 1, (y / period) % 1
    radius = rng.uniform(0.16, 0.32)
    near = np.hypot(u - 0.5, v - 0.5)
    if rng.random() < 0.6:
      shifted = ((x / period + 0.5) % 1, (y / period + 0.5) % 1)
      near = np.minimum(near, np.hypot(shifted[0] - 0.5, shifted[1] - 0.5))
    image = _blend(image, _accent(rng, colour), np.clip((radius - near) * 12, 0, 1))
  elif pattern in ('print', 'paisley'):
    strength = rng.uniform(0.35, 0.9)  # leaves and blots, not letters
    for _ in range(3):
      field = noise(rng, side, rng.uniform(8, 20) * scale)
      ring = np.cos(field * rng.uniform(1.2, 3.0))
      share = np.clip((ring - 0.75) * 8, 0, 1) * strength
      image = _blend(image, _accent(rng, colour), share)
  elif pattern == 'blocks':
    edge = rng.uniform(0.35, 0.65) * side
    image = _blend(image, _accent(rng, colour), (y > edge) * 1.0)
  elif pattern == 'denim':
    image = (
      image
      * (1 + 0.12 * noise(rng, side, 1.2) + 0.08 * noise(rng, side, 30))[..., None]
    )
    image = image * (1 + 0.07 * np.sin((x + y) * 1.6))[..., None]
  elif pattern == 'straw':
    plait = (
      0.13 * np.sign(np.sin(x * np.pi / 2 + 0.1)) * np.sign(np.sin(y * np.pi / 2 + 0.1))
    )
    image = image * (1 + plait + 0.06 * noise(rng, side, 1.2))[..., None]
  elif pattern == 'leather':
    image = (
      image
      * (1 + 0.07 * noise(rng, side, 2.2) + 0.06 * noise(rng, side, 24))[..., None]
    )
  elif pattern == 'felt':
    image = image * (1 + 0.05 * noise(rng, side, 1.3))[..., None]
  if pattern not in ('straw', 'leather', 'felt', 'knit', 'rib'):
    image = _weave(x, y, image)
  worn = 1 + 0.03 * noise(rng, side, side / 5) + 0.02 * noise(rng, side, 1.5)
  return np.clip(image * worn[..., None], 0, 255).astype(np.float32)


def _shading(texture):
  """Folds, seams and bands of a suit without its prints: (h, w) about 1; bright parts
  of a dark suit (its shirt): (h, w) 0..1."""
  return _cached_shading(texture.shape, texture.tobytes())


@functools.lru_cache(maxsize=16)
def _cached_shading(shape, data):
  texture = np.frombuffer(data, np.uint8).reshape(shape)
  grey = cv2.cvtColor(np.ascontiguousarray(texture[..., :3]), cv2.COLOR_RGB2GRAY)
  soft = cv2.medianBlur(grey, 15).astype(np.float32)
  # What lies between the pieces of the pattern has one colour and is left out.
  rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
  paper = np.bincount(rim, minlength=256).argmax()
  ours = (np.abs(soft - paper) > 4).astype(np.float32)
  around = cv2.GaussianBlur(soft * ours, (0, 0), 18)
  around = around / np.maximum(cv2.GaussianBlur(ours, (0, 0), 18), 0.05)
  around = np.where(ours > 0, around, soft)
  folds = np.clip((soft + 12) / (around + 12), 0.7, 1.25)
  folds = cv2.GaussianBlur(folds, (0, 0), 1.0)
  dark = np.median(grey) < 70
  colour = texture[..., :3].astype(np.int16)
  pale = (grey > 150) & (colour.max(-1) - colour.min(-1) < 40)
  shirt = pale & dark
  return folds, cv2.GaussianBlur(shirt.astype(np.float32), (0, 0), 0.8)


def paint_cloth(traits: Traits, base_texture: np.ndarray) -> np.ndarray:
  """A suit of the pack dyed for one person, (h, w, 4) uint8 sRGB and alpha.

  To be drawn with a tint of one. Takes about 15 ms.

  Args:
    traits: of the person.
    base_texture: (h, w, 4) uint8, the suit's own.
  """
  rng = stream(traits.seed, topic='cloth paint')
  folds, shirt = _shading(base_texture)
  choices = FORMAL if shirt.max() > 0.5 else SUIT_PATTERNS  # a jacket over a shirt
  names, odds = list(choices), np.array(list(choices.values()))
  pattern = str(rng.choice(names, p=odds / odds.sum()))
  colour = sample_colour(rng)
  if choices is FORMAL:
    colour = colour * min(1.0, 95 / colour.mean())
  # A square of cloth, laid twice each way over the suit's texture.
  height, width = base_texture.shape[:2]
  side = max(width // 2, 8)
  image = fabric(rng, pattern, colour, side=side, scale=rng.uniform(0.45, 1.1))
  image = np.tile(image, (-(-height // side), -(-width // side), 1))[:height, :width]
  light = np.array([[240, 239, 235], [198, 212, 232], [232, 214, 214]])
  image = _blend(image, light[rng.choice(3, p=[0.6, 0.3, 0.1])], shirt)
  creases = 1 + 0.045 * noise(rng, side, 17) + 0.035 * noise(rng, side, 6)
  creases = cv2.resize(creases, (width, height))
  image = image * (folds * creases)[..., None]
  out = np.empty(base_texture.shape[:2] + (4,), np.uint8)
  out[..., :3] = np.clip(image + 0.5, 0, 255)
  out[..., 3] = base_texture[..., 3]
  return out
