"""Rooms behind a person: walls in perspective with what hangs and stands on them."""

import numpy as np

from data_pipelines.synthetic.filming import surfaces
from data_pipelines.synthetic.filming.canvas import Canvas, View, colour, linear, noise
from data_pipelines.synthetic.filming.environment import Surroundings
from data_pipelines.synthetic.filming.furniture import (
  LAMPLIGHT,
  door,
  drapes,
  kitchen,
  lamp,
  office,
  painting,
  plant,
  shelf,
  window,
)

ROOMS = {
  'living room': (window, shelf, painting, painting, lamp, door),
  'library': (shelf, shelf, shelf, lamp, painting),
  'kitchen': (lamp, window),
  'office': (window, door, painting, shelf),
  'cafe': (lamp, lamp, painting, shelf, window),
  'plain wall': (painting, door),
  'hall': (door, window, painting, lamp),
  'drapes': (lamp, painting, door),
}
_FIRST = {'kitchen': kitchen, 'office': office, 'drapes': drapes}
_ODDS = {'plain wall': 1.2, 'living room': 2.4, 'library': 1.2, 'kitchen': 1.2}
_ODDS |= {'drapes': 0.5, 'office': 1.4}


def _shade_of(rng, shape) -> np.ndarray:
  """Uneven light on a wall: a slope, a soft pool, blotches."""
  h, w = shape
  u = np.linspace(0, w / h, w, dtype=np.float32)[None]
  v = np.linspace(0, 1, h, dtype=np.float32)[:, None]
  at_u, at_v = rng.uniform(0, w / h), rng.uniform(-0.2, 0.6)
  reach = rng.uniform(0.4, 1.6)
  pool = np.exp(-((u - at_u) ** 2 + (v - at_v) ** 2) / (2 * reach**2))
  floor = rng.uniform(0.25, 0.7)
  return floor + (1 - floor) * pool + 0.15 * (noise(rng, shape, (2, 2), 3) - 0.5)


def _furnished(rng, rows, room, width, night) -> Canvas:
  wall = Canvas(rows, width)
  wall.fill(surfaces.wall(rng, wall.shape))
  if room == 'plain wall' and rng.random() < 0.5:
    count = 0
  else:
    count = int(rng.integers(0, 3) if room in _FIRST else rng.integers(3, 8))
  if room in _FIRST:
    _FIRST[room](wall, rng, rng.uniform(0, width - 0.6))
  shade = _shade_of(rng, wall.shape)
  wall.light *= shade[..., None]
  starts = rng.permutation(count) if count else ()
  for start in starts:
    item = ROOMS[room][rng.integers(len(ROOMS[room]))]
    u = (start + rng.uniform(0, 0.5)) * width / count
    if item is window:
      item(wall, rng, u, night)
    else:
      item(wall, rng, u)
  if rng.random() < 0.25 and room not in _FIRST:  # something on the floor in front
    plant(wall, rng, rng.uniform(0, width), 1.1, rng.uniform(0.4, 0.9))
  return wall


def draw_room(rng: np.random.Generator, side: int):
  """(Canvas, Surroundings, kind) of a random room."""
  names = tuple(ROOMS)
  odds = np.array([_ODDS.get(name, 1.0) for name in names])
  room = names[rng.choice(len(names), p=odds / odds.sum())]
  night = rng.random() < (0.6 if room == 'cafe' else 0.2)
  canvas = Canvas(side)
  view = View(rng.uniform(0.9, 1.5), rng.uniform(0.35, 0.6))
  turn = np.deg2rad(rng.normal(0, 22))
  first = _furnished(rng, side, room, 2.4, night)
  # The wall passes through (0, ., 1): its middle is near the middle of the picture.
  size = 1 / view.gain * rng.uniform(1.0, 1.35)
  tall_up, tall_down = size * view.horizon, size * (1 - view.horizon)

  def corners(start, end):
    (x0, z0), (x1, z1) = start, end
    points = [
      (x0, tall_up, z0),
      (x1, tall_up, z1),
      (x1, -tall_down, z1),
      (x0, -tall_down, z0),
    ]
    return view.project(points)

  along = np.array([np.cos(turn), np.sin(turn)])
  half = 1.2 * size
  start, end = np.array([0, 1.0]) - half * along, np.array([0, 1.0]) + half * along
  if min(start[1], end[1]) < 0.25:
    along = np.array([1.0, 0.0])
    start, end = np.array([-half, 1.0]), np.array([half, 1.0])
  ceiling = linear(np.full(3, rng.uniform(0.5, 0.9))) * rng.uniform(0.3, 0.9)
  canvas.fill(ceiling)
  canvas.box(0, view.horizon, 1, 1, surfaces.wall_colour(rng) * 0.4)
  canvas.warp(first.light, corners(start, end))
  if rng.random() < 0.4:  # a corner of the room in the picture
    second = _furnished(rng, side, room, 1.2, night)
    second.light *= rng.uniform(0.5, 1.3)
    cut = rng.uniform(-0.3, 0.3) * size
    corner = np.array([0, 1.0]) + cut * along
    out = np.array([-along[1], along[0]])
    out = out if out[1] < 0 else -out
    near = corner + out * min(1.2 * size, (corner[1] - 0.12) / max(-out[1], 0.1))
    if rng.random() < 0.5:
      near, corner = corner, near
    canvas.warp(second.light, corners(near, corner))
  power = canvas.light.mean((0, 1))
  wall = power * 0.8 + 0.2 * power.mean()
  lobes = []
  glow = (
    colour(rng, *LAMPLIGHT) if night else colour(rng, (0.5, 0.62), (0, 0.25), (0.9, 1))
  )
  for _ in range(rng.integers(1, 3)):  # windows or lamps behind and beside the camera
    direction = np.array(
      [rng.normal(0, 1), rng.uniform(-0.1, 0.8), rng.uniform(-0.1, 1.2)]
    )
    direction /= np.linalg.norm(direction)
    lobes.append(
      (direction, glow * power.mean() * rng.uniform(2, 8), rng.uniform(4, 12))
    )
  surroundings = Surroundings(
    up=ceiling.mean() * 0.5 + wall * 0.8,
    down=wall * surfaces.wall_colour(rng) * 0.8,
    left=wall * rng.uniform(0.5, 1.4),
    right=wall * rng.uniform(0.5, 1.4),
    front=wall * rng.uniform(0.6, 1.4),
    lobes=tuple(lobes),
  )
  return canvas, surroundings, room + (' at night' if night else '')
