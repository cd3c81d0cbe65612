"""What hangs and stands on the walls of a room; each draws itself at a place `u`."""

import numpy as np

from data_pipelines.synthetic.filming import surfaces
from data_pipelines.synthetic.filming.canvas import colour, linear, noise

LAMPLIGHT = ((0.05, 0.12), (0.15, 0.5), (0.9, 1.0))  # hue, saturation, value


def _shadow(wall, u0, v0, u1, v1, depth=0.012) -> None:
  box = [(u0, v0), (u1, v0), (u1, v1), (u0, v1)]
  wall.darken(np.array(box) + (depth, depth * 1.3), 0.6)


def window(wall, rng, u, night=False) -> None:
  wide, top, bottom = rng.uniform(0.25, 0.6), rng.uniform(0, 0.25), rng.uniform(0.6, 1)
  frame = linear(np.full(3, rng.uniform(0.2, 0.95)))
  _shadow(wall, u, top, u + wide, bottom)
  wall.box(u, top, u + wide, bottom, frame)
  edge = 0.018
  inner = (u + edge, top + edge, u + wide - edge, bottom - edge)
  power = rng.uniform(0.02, 0.1) if night else rng.uniform(1.0, 3.5)
  shape = (48, 48)
  outside = surfaces.sky(rng, shape, 0.7, 'night' if night else 'cloudy')
  if rng.random() < 0.6:
    green = surfaces.foliage(rng, shape)
    crown = noise(rng, shape, (3, 3), 4)[..., None]
    line = np.linspace(-0.6, 0.7, 48, dtype=np.float32)[:, None, None]
    outside = np.where(crown * 0.7 + line > 0.45, green * 0.8, outside)
  corners = [(inner[0], inner[1]), (inner[2], inner[1]), (inner[2], inner[3])]
  wall.warp(outside * power, [*corners, (inner[0], inner[3])])
  for _ in range(rng.integers(0, 3)):
    middle = rng.uniform(0.3, 0.7)
    if rng.random() < 0.6:
      at = inner[0] + middle * (inner[2] - inner[0])
      wall.box(at - 0.006, inner[1], at + 0.006, inner[3], frame)
    else:
      at = inner[1] + middle * (inner[3] - inner[1])
      wall.box(inner[0], at - 0.006, inner[2], at + 0.006, frame)
  kind = rng.random()
  if kind < 0.35:  # blinds
    slats = int(rng.integers(10, 24))
    cover = rng.uniform(0.3, 1)
    for i in range(int(slats * cover)):
      at = inner[1] + (inner[3] - inner[1]) * i / slats
      thick = 0.6 * (inner[3] - inner[1]) / slats
      wall.box(inner[0], at, inner[2], at + thick, frame * 0.8, 0.85)
  elif kind < 0.75:  # curtains
    cloth = surfaces.wall_colour(rng)
    for side in (-1, 1):
      start = u - 0.06 if side < 0 else u + wide - 0.04
      folds = int(rng.integers(4, 8))
      for i in range(folds):
        left = start + 0.1 * i / folds
        fold = cloth * rng.uniform(0.55, 1.25)
        wall.box(left, top - 0.06, left + 0.1 / folds + 0.002, bottom + 0.15, fold)


def shelf(wall, rng, u) -> None:
  wide = rng.uniform(0.35, 0.9)
  boards = int(rng.integers(2, 6))
  top = rng.uniform(-0.05, 0.15)
  step = rng.uniform(0.14, 0.22)
  timber = colour(rng, (0.04, 0.1), (0.1, 0.7), (0.15, 0.9))
  closed = rng.random() < 0.6
  if closed:
    _shadow(wall, u, top, u + wide, top + boards * step, 0.02)
    wall.box(u - 0.012, top - 0.012, u + wide + 0.012, top + boards * step, timber)
    wall.box(u, top, u + wide, top + boards * step, timber * rng.uniform(0.2, 0.5))
  for i in range(boards):
    low = top + (i + 1) * step
    high = low - step
    if rng.random() < 0.75:
      left = u + rng.uniform(0, 0.3) * wide * (rng.random() < 0.4)
      surfaces.books(rng, wall, left, u + wide * rng.uniform(0.6, 1), high, low)
    else:
      for _ in range(rng.integers(1, 5)):
        _thing(wall, rng, u + rng.uniform(0.05, 0.9) * wide, low, step * 0.75)
    wall.darken(
      [(u, high), (u + wide, high), (u + wide, high + 0.03), (u, high + 0.03)], 0.6
    )
    wall.box(u, low, u + wide, low + 0.014, timber)
    if not closed:
      _shadow(wall, u, low + 0.01, u + wide, low + 0.02)


def _thing(wall, rng, u, floor, size) -> None:
  """A vase, a box, a plant or a small lamp that stands at (u, floor)."""
  tone = colour(rng, (0, 1), (0.05, 0.7), (0.2, 0.9))
  kind, wide = rng.random(), size * rng.uniform(0.25, 0.5)
  tall = size * rng.uniform(0.5, 1)
  if kind < 0.35:
    wall.box(u - wide / 2, floor - tall, u + wide / 2, floor, tone)
    wall.box(u + wide / 4, floor - tall, u + wide / 2, floor, tone * 0.6)
  elif kind < 0.65:
    wall.ellipse(u, floor - tall * 0.35, wide / 2, tall * 0.36, tone)
    wall.box(u - wide / 8, floor - tall, u + wide / 8, floor - tall * 0.5, tone)
    wall.ellipse(
      u - wide / 6, floor - tall * 0.45, wide / 8, tall * 0.15, tone * 2 + 0.1
    )
  elif kind < 0.9:
    plant(wall, rng, u, floor, tall)
  else:
    lamp = colour(rng, *LAMPLIGHT) * rng.uniform(2, 6)
    wall.glow(u, floor - tall, tall * 1.2, lamp * 0.06)
    wall.ellipse(u, floor - tall * 0.6, wide / 3, wide / 3, lamp)


def plant(wall, rng, u, floor, tall) -> None:
  pot = colour(rng, (0.02, 0.12), (0.1, 0.7), (0.2, 0.9))
  green = colour(rng, (0.18, 0.33), (0.2, 0.55), (0.2, 0.5))
  wide = tall * rng.uniform(0.12, 0.2)
  long = tall * rng.uniform(0.08, 0.2)
  slim = rng.uniform(0.15, 0.5)
  for _ in range(int(rng.integers(18, 44))):
    angle = rng.normal(0, 0.75)
    reach = tall * rng.uniform(0.35, 0.95)
    at_u, at_v = (
      u + np.sin(angle) * reach * 0.7,
      floor - tall * 0.2 - np.cos(angle) * reach * 0.8,
    )
    leaf = green * rng.uniform(0.3, 1.9)
    wall.ellipse(at_u, at_v, long * slim, long, leaf, turn=angle + rng.normal(0, 0.5))
  wall.polygon(
    [
      (u - wide, floor - tall * 0.25),
      (u + wide, floor - tall * 0.25),
      (u + wide * 0.7, floor),
      (u - wide * 0.7, floor),
    ],
    pot,
  )


def painting(wall, rng, u) -> None:
  wide, tall = rng.uniform(0.12, 0.45), rng.uniform(0.12, 0.45)
  top = rng.uniform(0.05, 0.4)
  frame = colour(rng, (0.05, 0.15), (0.0, 0.7), (0.05, 0.9))
  _shadow(wall, u, top, u + wide, top + tall)
  wall.box(u, top, u + wide, top + tall, frame)
  edge = rng.uniform(0.008, 0.025)
  if rng.random() < 0.6:  # a mat
    wall.box(
      u + edge, top + edge, u + wide - edge, top + tall - edge, linear([0.9] * 3)
    )
    edge += rng.uniform(0.01, 0.05) * (min(wide, tall) > 0.15)
  shape = (48, 48)
  tone, other = (colour(rng, (0, 1), (0.1, 0.8), (0.1, 0.9)) for _ in range(2))
  share = noise(rng, shape, (2, 1), 4)[..., None]
  picture = tone + share * (other - tone)
  if rng.random() < 0.5:
    line = rng.integers(18, 34)
    picture[line:] = picture[line:] * 0.4 + 0.5 * colour(
      rng, (0, 1), (0.1, 0.7), (0.1, 0.7)
    )
  box = (u + edge, top + edge, u + wide - edge, top + tall - edge)
  wall.warp(
    picture, [(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])]
  )


def door(wall, rng, u) -> None:
  wide, top = rng.uniform(0.35, 0.5), rng.uniform(-0.1, 0.12)
  tone = colour(rng, (0.04, 0.12), (0.0, 0.6), (0.2, 0.95))
  if rng.random() < 0.35:  # open: another room
    beyond = surfaces.wall_colour(rng) * rng.uniform(0.15, 1.6)
    wall.box(u - 0.03, top - 0.03, u + wide + 0.03, 1.3, tone)
    wall.box(u, top, u + wide, 1.3, beyond)
    wall.box(u, top, u + wide * 0.3, 1.3, beyond * 0.6)
    return
  wall.box(u - 0.03, top - 0.03, u + wide + 0.03, 1.3, tone * 0.8)
  wall.box(u, top, u + wide, 1.3, tone)
  columns, rows = rng.integers(1, 3), rng.integers(2, 4)
  for i in range(columns):
    for j in range(rows):
      left, high = u + wide * (i + 0.15) / columns, top + (1.2 - top) * (j + 0.1) / rows
      right = u + wide * (i + 0.85) / columns
      low = top + (1.2 - top) * (j + 0.9) / rows
      wall.box(left, high, right, low, tone * 0.55)
      wall.box(left + 0.008, high + 0.008, right, low, tone * 0.95)
  wall.ellipse(u + wide * 0.92, 0.75, 0.012, 0.012, linear([0.8, 0.7, 0.5]) * 1.5)


def lamp(wall, rng, u) -> None:
  lamp = colour(rng, *LAMPLIGHT) * rng.uniform(1.5, 5)
  kind, v = rng.random(), rng.uniform(0.1, 0.6)
  if kind < 0.4:  # a shade
    size = rng.uniform(0.06, 0.14)
    wall.box(u - 0.006, v + size, u + 0.006, 1.2, np.full(3, 0.05))
    wall.glow(u, v + size / 2, size * 2.2, lamp * 0.12)
    wall.polygon(
      [
        (u - size * 0.6, v),
        (u + size * 0.6, v),
        (u + size, v + size),
        (u - size, v + size),
      ],
      lamp * 0.5,
    )
  elif kind < 0.7:  # pendants
    for i in range(rng.integers(1, 5)):
      at = u + 0.18 * i
      wall.box(at - 0.003, 0, at + 0.003, v, np.full(3, 0.03))
      wall.glow(at, v, 0.12, lamp * 0.08)
      wall.ellipse(at, v, 0.03, 0.03, lamp * 1.5)
  else:  # a string of bulbs
    sag, count = rng.uniform(0.02, 0.15), int(rng.integers(8, 24))
    for i in range(count):
      x = i / (count - 1)
      at = (wall.width * x, v * 0.5 + sag * 4 * x * (1 - x) + rng.normal(0, 0.01))
      wall.ellipse(*at, 0.008, 0.008, lamp * 4)


def kitchen(wall, rng, u) -> None:
  del u
  tone = surfaces.wall_colour(rng)
  bottom, doors = rng.uniform(0.25, 0.4), rng.uniform(0.2, 0.32)
  counter = rng.uniform(0.72, 0.85)
  back = surfaces.tiles(rng, (96, 288))
  wall.warp(back, [(0, 0), (wall.width, 0), (wall.width, 1), (0, 1)])
  left, right = sorted(rng.uniform(0, wall.width, 2))
  at = 0.0
  while at < wall.width:
    if not left < at < min(right, left + 0.5):
      wall.darken(
        [
          (at, bottom),
          (at + doors, bottom),
          (at + doors, bottom + 0.05),
          (at, bottom + 0.05),
        ],
        0.55,
      )
      wall.box(
        at + 0.004, -0.1, at + doors - 0.004, bottom, tone * rng.uniform(0.9, 1.1)
      )
      wall.box(
        at + doors - 0.04,
        bottom - 0.1,
        at + doors - 0.03,
        bottom - 0.03,
        linear([0.6] * 3),
      )
    wall.box(at + 0.004, counter, at + doors - 0.004, 1.3, tone * rng.uniform(0.7, 0.8))
    at += doors
  if rng.random() < 0.6:  # light below the cupboards
    lamp = colour(rng, *LAMPLIGHT)
    wall.box(0, bottom, wall.width, bottom + 0.008, lamp * 3)
    for at in np.arange(0.2, wall.width, 0.5):
      wall.glow(at, bottom, 0.2, lamp * 0.15)
  wall.box(0, counter - 0.03, wall.width, counter, surfaces.wall_colour(rng))
  for _ in range(rng.integers(3, 9)):
    _thing(
      wall, rng, rng.uniform(0, wall.width), counter - 0.03, rng.uniform(0.1, 0.25)
    )


def office(wall, rng, u) -> None:
  for _ in range(rng.integers(2, 5)):  # screens and desks
    left, low = u + rng.uniform(-0.3, 0.6), rng.uniform(0.55, 0.8)
    wide = rng.uniform(0.2, 0.35)
    wall.box(left, low - wide * 0.6, left + wide, low, np.full(3, 0.02))
    glow = colour(rng, (0.5, 0.65), (0, 0.5), (0.4, 0.9))
    wall.box(left + 0.01, low - wide * 0.58, left + wide - 0.01, low - 0.02, glow)
    wall.box(left - 0.1, low + 0.08, left + wide + 0.15, low + 0.11, linear([0.7] * 3))
  count = int(rng.integers(2, 5))
  for i in range(count):  # ceiling lights in perspective
    v, wide = 0.04 + 0.07 * i, 0.5 - 0.09 * i
    middle = wall.width / 2
    for side in (-1, 1):
      at = middle + side * (0.75 - 0.13 * i)
      wall.box(at - wide / 2, v, at + wide / 2, v + 0.035 - 0.005 * i, np.full(3, 2.5))
  if rng.random() < 0.5:  # glass partitions
    step = rng.uniform(0.2, 0.5)
    for at in np.arange(rng.uniform(0, step), wall.width, step):
      wall.box(at, 0, at + 0.015, 1.2, linear([rng.uniform(0.1, 0.7)] * 3))
    wall.box(0, 0.5, wall.width, 1.2, np.full(3, 0.6), rng.uniform(0, 0.35))


def drapes(wall, rng, u) -> None:
  del u
  x = wall.grid()[0]
  tone = surfaces.wall_colour(rng)
  folds = rng.uniform(6, 20)
  wave = np.sin(2 * np.pi * folds * x + 4 * noise(rng, wall.shape, (1, 4), 3))
  wall.fill(tone * (0.65 + 0.35 * wave[..., None]))
