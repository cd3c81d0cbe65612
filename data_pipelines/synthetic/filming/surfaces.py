"""Flat textures of walls, floors and facades in linear light (numpy, OpenCV).

Every function takes a random stream and the shape (h, w) of the texture and returns
(h, w, 3) float32. The draws do not depend on the shape.
"""

import cv2
import numpy as np

from data_pipelines.synthetic.filming.canvas import colour, linear, noise, sharpen

WALL_HUES = ((0.05, 0.16), (0.05, 0.16), (0.2, 0.45), (0.5, 0.65), (0.9, 1.05))


def _grid(shape):
  h, w = shape
  v, u = np.mgrid[0:h, 0:w].astype(np.float32)
  return (u + 0.5) / h, (v + 0.5) / h


def wall_colour(rng) -> np.ndarray:
  """White and cream mostly, pastel often, deep sometimes."""
  kind = rng.random()
  hue = WALL_HUES[rng.integers(len(WALL_HUES))]
  if kind < 0.5:
    return colour(rng, hue, (0.02, 0.18), (0.6, 0.93))
  if kind < 0.8:
    return colour(rng, hue, (0.12, 0.4), (0.4, 0.8))
  return colour(rng, hue, (0.3, 0.75), (0.15, 0.5))


def plaster(rng, shape) -> np.ndarray:
  """A painted wall with slight stains."""
  stain = noise(rng, shape, (3, 3), 6, 0.6)
  strength = rng.uniform(0.05, 0.35)
  return wall_colour(rng) * (1 - strength + 2 * strength * stain)[..., None]


def wallpaper(rng, shape) -> np.ndarray:
  """Stripes, dots, diamonds or damask-like waves of two colours."""
  u, v = _grid(shape)
  count = rng.uniform(5, 18)
  first = wall_colour(rng)
  second = first * rng.uniform(0.45, 0.85) if rng.random() < 0.7 else wall_colour(rng)
  kind = rng.integers(4)
  x, y = u * count % 1 - 0.5, v * count % 1 - 0.5
  if kind == 0:
    share = sharpen(np.abs(x), 0.2, 0.25)
  elif kind == 1:
    share = sharpen(x * x + y * y, 0.03, 0.05)
  elif kind == 2:
    share = sharpen(np.abs(x) + np.abs(y), 0.4, 0.5)
  else:
    wave = np.sin(2 * np.pi * (u + 0.06 * np.sin(2 * np.pi * v * count)) * count)
    share = sharpen(wave * np.cos(2 * np.pi * v * count / 2), -0.2, 0.3)
  return second + share[..., None] * (first - second)


def bricks(rng, shape) -> np.ndarray:
  """A brick wall, each brick with a tone of its own."""
  u, v = _grid(shape)
  rows = int(rng.integers(9, 20))
  length = rng.uniform(2.0, 3.2) / rows
  row = np.floor(v * rows).astype(int)
  along = u / length + 0.5 * (row % 2)
  column = np.floor(along).astype(int)
  tones = rng.normal(1, 0.17, (rows + 1, 64)).clip(0.4, 1.6).astype(np.float32)
  tone = tones[np.clip(row, 0, rows), column % 64]
  edge = np.minimum(
    0.5 - np.abs(along % 1 - 0.5), (0.5 - np.abs(v * rows % 1 - 0.5)) / length / rows
  )
  share = sharpen(edge, 0.02, 0.05)[..., None]
  if rng.random() < 0.65:
    brick = colour(rng, (0.0, 0.07), (0.3, 0.6), (0.3, 0.6))
  else:
    brick = wall_colour(rng) * 0.8
  mortar = linear(np.full(3, rng.uniform(0.3, 0.75)))
  weather = 0.7 + 0.6 * noise(rng, shape, (3, 3), 7, 0.65)
  return (mortar + share * (brick * tone[..., None] - mortar)) * weather[..., None]


def wood(rng, shape, planks: int | None = None) -> np.ndarray:
  """Planks that run down the texture."""
  u, v = _grid(shape)
  planks = int(rng.integers(4, 14)) if planks is None else planks
  index = np.floor(u * planks).astype(int)
  tones = rng.normal(1, 0.12, 64).clip(0.6, 1.4).astype(np.float32)
  offset = rng.random(64).astype(np.float32)[index % 64]
  warp = noise(rng, shape, (2, 4), 5, 0.5)
  grain = np.sin(2 * np.pi * (u * planks * 3 + 2.5 * warp + 7 * offset))
  base = colour(rng, (0.05, 0.1), (0.25, 0.65), (0.2, 0.75))
  seam = 0.4 + 0.6 * sharpen(0.5 - np.abs(u * planks % 1 - 0.5), 0.0, 0.05)
  fine = noise(rng, shape, (2, 48), 3, 0.7)
  light = tones[index % 64] * (0.85 + 0.1 * grain + 0.25 * (fine - 0.5)) * seam
  return base * np.clip(light, 0.1, 2)[..., None]


def concrete(rng, shape) -> np.ndarray:
  """Grey, stained, with joints."""
  u, v = _grid(shape)
  count = rng.uniform(1, 4)
  joint = np.minimum(np.abs(u * count % 1 - 0.5), np.abs(v * count % 1 - 0.5))
  light = (0.6 + 0.8 * noise(rng, shape, (3, 3), 7, 0.7)) * (
    1 - 0.4 * (1 - sharpen(joint, 0.0, 0.012))
  )
  return colour(rng, (0.05, 0.15), (0, 0.12), (0.35, 0.75)) * light[..., None]


def tiles(rng, shape) -> np.ndarray:
  """Glazed tiles."""
  u, v = _grid(shape)
  count = rng.uniform(5, 14)
  aspect = rng.choice([1.0, 2.0])
  along = u * count / aspect + (0.5 * (np.floor(v * count) % 2) if aspect > 1 else 0)
  joint = np.minimum(0.5 - np.abs(along % 1 - 0.5), 0.5 - np.abs(v * count % 1 - 0.5))
  tones = rng.normal(1, 0.06, (32, 32)).astype(np.float32)
  row, column = np.floor(v * count).astype(int) % 32, np.floor(along).astype(int) % 32
  tone = tones[row, column] * (0.75 + 0.25 * sharpen(joint, 0.01, 0.04))
  return wall_colour(rng) * tone[..., None]


def foliage(rng, shape, hue=(0.17, 0.31)) -> np.ndarray:
  """Leaves: clumps lit from above with deep gaps."""
  clumps = noise(rng, shape, (5, 5), 4, 0.6)
  leaves = noise(rng, shape, (24, 24), 4, 0.75)
  shade = sharpen(0.6 * clumps + 0.4 * leaves, 0.3, 0.72)[..., None]
  low = colour(rng, hue, (0.3, 0.7), (0.1, 0.25))
  high = colour(rng, hue, (0.2, 0.62), (0.4, 0.8))
  return low + shade * (high - low)


def sky(rng, shape, horizon: float, mood: str) -> np.ndarray:
  """A clear, cloudy, overcast, dusk or night sky down to `horizon` (of the height)."""
  u, v = _grid(shape)
  height = np.clip((horizon - v) / max(horizon, 0.1), 0, 1)
  if mood == 'dusk':
    top = colour(rng, (0.58, 0.75), (0.3, 0.7), (0.25, 0.55))
    low = colour(rng, (0.98, 1.12), (0.35, 0.75), (0.8, 1.0)) * rng.uniform(0.8, 1.6)
  elif mood == 'night':
    top = colour(rng, (0.6, 0.7), (0.4, 0.8), (0.03, 0.12))
    low = colour(rng, (0.0, 0.75), (0.2, 0.5), (0.1, 0.3))
  elif mood == 'overcast':
    top = colour(rng, (0.55, 0.62), (0.0, 0.12), (0.65, 0.85))
    low = colour(rng, (0.55, 0.62), (0.0, 0.08), (0.85, 1.0))
  else:
    top = colour(rng, (0.56, 0.61), (0.4, 0.75), (0.55, 0.85))
    low = colour(rng, (0.53, 0.58), (0.08, 0.3), (0.85, 1.0)) * 1.1
  light = low + (height**0.6)[..., None] * (top - low)
  if mood != 'night' and rng.random() < (0.9 if mood != 'clear' else 0.3):
    # Clouds lie on a ceiling: nearer the horizon they are flatter.
    field = noise(rng, (256, 256), (4, 3), 6, 0.55)
    depth = 0.25 / (0.08 + np.maximum(horizon - v, 0))
    column = ((u - 0.5) * depth * 0.35 + 0.5) * 255
    row = np.clip(depth, 0, 3) / 3 * 255
    row = np.broadcast_to(row, column.shape).astype(np.float32)
    clouds = cv2.remap(
      field,
      column.astype(np.float32),
      row,
      cv2.INTER_LINEAR,
      borderMode=cv2.BORDER_REFLECT,
    )
    cover = rng.uniform(0.42, 0.6)
    share = sharpen(clouds, cover, cover + 0.18)[..., None]
    bright = low * 1.1 if mood == 'dusk' else np.float32(rng.uniform(0.8, 1.4))
    grey = np.maximum(
      bright * (1 - 0.5 * sharpen(clouds, cover + 0.08, 0.9))[..., None], 0
    )
    light = light + 0.9 * share * (grey - light)
  return light.astype(np.float32)


def facade(rng, shape, night: bool) -> np.ndarray:
  """The front of a building: rows of windows, a few lit; bright ones at night."""
  u, v = _grid(shape)
  floors, columns = rng.uniform(4, 11), rng.uniform(4, 11)
  x, y = u * columns, v * floors
  tall, wide = rng.uniform(0.45, 0.85), rng.uniform(0.4, 0.9)
  if rng.random() < 0.25:  # glass all over
    tall, wide = 0.92, 0.92
  inside = sharpen(wide / 2 - np.abs(x % 1 - 0.5), 0, 0.04)
  inside = inside * sharpen(tall / 2 - np.abs(y % 1 - 0.5), 0, 0.04)
  row, column = np.floor(y).astype(int) % 32, np.floor(x).astype(int) % 32
  wall = wall_colour(rng) * (0.75 + 0.5 * noise(rng, shape, (3, 3), 5, 0.6))[..., None]
  glass = colour(rng, (0.5, 0.62), (0.1, 0.4), (0.15, 0.6))
  panes = glass * rng.uniform(0.4, 1.6, (32, 32, 1)).astype(np.float32)
  lamp = colour(rng, (0.06, 0.15), (0.2, 0.6), (0.8, 1.0))
  lit = (rng.random((32, 32, 1)) < (0.35 if night else 0.04)).astype(np.float32)
  power = rng.uniform(0.5, 3.0, (32, 32, 1)).astype(np.float32)
  if night:
    wall, panes = wall * 0.03, panes * 0.02
  panes = panes * (1 - lit) + lamp * power * lit
  return wall + inside[..., None] * (panes[row, column] - wall)


WALLS = (plaster, plaster, plaster, wallpaper, bricks, wood, concrete)


def wall(rng, shape) -> np.ndarray:
  """Any of the indoor walls."""
  return WALLS[rng.integers(len(WALLS))](rng, shape)


def books(rng, canvas, u0, u1, top, bottom) -> None:
  """A row of books on a board, drawn on a canvas."""
  u = u0
  height = bottom - top
  base_hue, muted = rng.random(), rng.random()
  while u < u1:
    if rng.random() < 0.1:  # a gap, or something else
      u += rng.uniform(0.01, 0.05)
      continue
    wide = rng.uniform(0.008, 0.026)
    tall = height * rng.uniform(0.6, 0.93)
    hue = (base_hue, base_hue + 0.3) if rng.random() < 0.4 else (0, 1)
    cover = colour(rng, hue, (0.05, 0.75 - 0.5 * muted), (0.15, 0.85))
    right = min(u + wide, u1)
    if rng.random() < 0.08:  # it leans
      top_u, right_u = u + 0.012, right + 0.012
      at = bottom - tall
      canvas.polygon([(top_u, at), (right_u, at), (right, bottom), (u, bottom)], cover)
    else:
      canvas.box(u, bottom - tall, right, bottom, cover)
    if rng.random() < 0.4:
      band = bottom - tall * rng.uniform(0.5, 0.85)
      canvas.box(u, band, right, band + 0.01, cover * rng.uniform(0.4, 2.2))
    u = right + 0.0015
