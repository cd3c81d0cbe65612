"""Studios and painted grounds behind a person: paper, muslin, gradients, brushwork."""

import cv2
import numpy as np

from data_pipelines.synthetic.filming import surfaces
from data_pipelines.synthetic.filming.canvas import (
  Canvas,
  colour,
  linear,
  noise,
  sharpen,
)
from data_pipelines.synthetic.filming.environment import Surroundings


def _tone(rng) -> np.ndarray:
  if rng.random() < 0.5:
    return linear(np.full(3, rng.uniform(0.02, 0.97))) * (
      1 + 0.06 * rng.normal(size=3).astype(np.float32)
    )
  if rng.random() < 0.7:
    return colour(rng, (0, 1), (0.05, 0.45), (0.1, 0.95))
  return colour(rng, (0, 1), (0.4, 0.9), (0.1, 0.95))


def _paper(rng, canvas) -> None:
  """Seamless paper with a spot of light on it."""
  u, v = canvas.grid()
  at_u, at_v, reach = rng.normal(0.5, 0.2), rng.normal(0.5, 0.2), rng.uniform(0.25, 0.9)
  spot = np.exp(-((u - at_u) ** 2 + (v - at_v) ** 2) / (2 * reach**2))
  floor = rng.uniform(0.05, 0.8)
  slope = 1 + rng.normal(0, 0.25) * (v - 0.5) + rng.normal(0, 0.25) * (u - 0.5)
  light = (floor + (1 - floor) * spot) * np.clip(slope, 0.3, 2)
  canvas.fill(_tone(rng) * light[..., None])
  if rng.random() < 0.15:  # a coloured light from one side
    gel = colour(rng, (0, 1), (0.6, 1), (0.5, 1))
    canvas.light += gel * sharpen(u if rng.random() < 0.5 else 1 - u, 0, 1.2)[..., None]


def _muslin(rng, canvas) -> None:
  """A mottled cloth, as portrait studios hang."""
  clouds = noise(rng, canvas.shape, (2, 2), 6, 0.6)
  light = sharpen(clouds, 0.25, 0.75)[..., None]
  tone = _tone(rng)
  other = tone * rng.uniform(0.3, 0.7) + 0.1 * _tone(rng)
  u, v = canvas.grid()
  edge = 1 - rng.uniform(0.2, 0.7) * ((u - 0.5) ** 2 + (v - 0.5) ** 2) * 2
  canvas.fill((other + light * (tone - other)) * edge[..., None])


def _gradient(rng, canvas) -> None:
  u, v = canvas.grid()
  angle = rng.uniform(0, 2 * np.pi)
  share = sharpen(np.cos(angle) * (u - 0.5) + np.sin(angle) * (v - 0.5), -0.7, 0.7)
  first, second = _tone(rng), _tone(rng)
  canvas.fill(first + share[..., None] * (second - first))


def _strokes(rng, canvas) -> None:
  """Brushwork over a ground, as behind a painted portrait: tones that run together."""
  base = _tone(rng) * 0.7
  other = base * rng.uniform(0.4, 1.5) + 0.12 * _tone(rng)
  runs = noise(rng, canvas.shape, (3, 24), 4, 0.7)
  falls = noise(rng, canvas.shape, (24, 3), 4, 0.7)
  where = sharpen(noise(rng, canvas.shape, (4, 4), 3), 0.4, 0.6)
  share = sharpen(runs + where * (falls - runs), 0.3, 0.7)
  shade = 0.5 + noise(rng, canvas.shape, (2, 2), 3)
  canvas.fill((base + share[..., None] * (other - base)) * shade[..., None])
  flow = rng.uniform(0, np.pi)
  for _ in range(int(rng.integers(0, 120))):
    u, v = rng.uniform(-0.05, 1.05, 2)
    row, column = (int(np.clip(x, 0, 0.999) * canvas.rows) for x in (v, u))
    tone = canvas.light[row, column] * rng.uniform(0.75, 1.3)
    long = rng.uniform(0.02, 0.08)
    wide = long * rng.uniform(0.2, 0.4)
    turn = flow + rng.normal(0, 0.6)
    canvas.ellipse(u, v, long, wide, tone, rng.uniform(0.2, 0.6), turn)


def _shapes(rng, canvas) -> None:
  """Posters and slides: flat shapes, rays, stripes."""
  canvas.fill(_tone(rng))
  kind = rng.integers(3)
  if kind == 0:
    for _ in range(rng.integers(3, 14)):
      size = rng.uniform(0.05, 0.35)
      canvas.ellipse(*rng.uniform(0, 1, 2), size, size, _tone(rng), rng.uniform(0.4, 1))
  elif kind == 1:
    rays, first = int(rng.integers(8, 24)), _tone(rng)
    middle = rng.uniform(0.2, 0.8, 2)
    for i in range(rays):
      a, b = 2 * np.pi * i / rays, 2 * np.pi * (i + 0.5) / rays
      tips = [middle + 2 * np.array([np.cos(x), np.sin(x)]) for x in (a, b)]
      canvas.polygon([middle, *tips], first)
  else:
    canvas.fill(surfaces.wallpaper(rng, canvas.shape))


def _screen(rng, canvas) -> None:
  """A stage or a news desk: panels that shine, lines of light."""
  canvas.fill(colour(rng, (0.5, 0.9), (0.3, 0.9), (0.03, 0.3)))
  hue = rng.uniform(0, 1)
  for _ in range(rng.integers(3, 10)):
    u, wide = rng.uniform(-0.1, 1), rng.uniform(0.02, 0.35)
    top, tall = rng.uniform(-0.1, 0.6), rng.uniform(0.1, 0.8)
    glow = colour(rng, (hue, hue + 0.25), (0.2, 0.9), (0.2, 1))
    canvas.box(u, top, u + wide, top + tall, glow * rng.uniform(0.2, 1.2), 0.8)
  for _ in range(rng.integers(0, 5)):
    a, b = rng.uniform(0, 1, 2), rng.uniform(0, 1, 2)
    side = np.array([b[1] - a[1], a[0] - b[0]]) * 0.008
    glow = colour(rng, (hue, hue + 0.25), (0.0, 0.6), (0.8, 1)) * 3
    canvas.polygon([a - side, a + side, b + side, b - side], glow)
  canvas.light = cv2.blur(canvas.light, (3, 3))


_GROUNDS = {
  'studio paper': (_paper, 4.0),
  'muslin': (_muslin, 2.0),
  'gradient': (_gradient, 1.0),
  'painted': (_strokes, 1.2),
  'shapes': (_shapes, 0.8),
  'stage': (_screen, 1.0),
}


def draw_studio(rng: np.random.Generator, side: int):
  """(Canvas, Surroundings, kind) of a studio or a painted ground."""
  names = tuple(_GROUNDS)
  odds = np.array([_GROUNDS[name][1] for name in names])
  kind = names[rng.choice(len(names), p=odds / odds.sum())]
  canvas = Canvas(side)
  _GROUNDS[kind][0](rng, canvas)
  # The lamps, not the paper, light a person here: a grey room with softboxes.
  room = linear(np.full(3, rng.uniform(0.25, 0.6)))
  lobes = []
  for _ in range(rng.integers(1, 4)):
    direction = np.array([rng.normal(0, 1), rng.uniform(-0.1, 1), rng.uniform(0, 1.2)])
    direction /= np.linalg.norm(direction)
    tint = 1 + 0.08 * rng.normal(size=3)
    lobes.append((direction, tint * rng.uniform(0.4, 2.0), rng.uniform(4, 14)))
  surroundings = Surroundings(
    up=room * 1.2,
    down=room * 0.6,
    left=room,
    right=room,
    front=room,
    lobes=tuple(lobes),
  )
  return canvas, surroundings, kind
