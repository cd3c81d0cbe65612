"""Places under the sky behind a person: parks, streets, shores, hills, city nights."""

import cv2
import numpy as np

from data_pipelines.synthetic.filming import surfaces
from data_pipelines.synthetic.filming.canvas import (
  Canvas,
  View,
  colour,
  linear,
  noise,
  sharpen,
)
from data_pipelines.synthetic.filming.environment import Surroundings


def _ridge(rng, columns, octaves=5, cells=2) -> np.ndarray:
  """(columns,) a skyline in 0..1."""
  return noise(rng, (1, columns), (1, cells), octaves)[0]


def _layer(canvas, top, light, soft=0.004) -> None:
  """Covers everything below the line top (w,)."""
  v = canvas.grid()[1]
  canvas.blend(sharpen(v - top[None], -soft, soft), light)


def _trees(rng, canvas, foot, height, light, gaps=0.5) -> None:
  """A row of tree crowns with ragged edges; the sky shines through the gaps."""
  u, v = canvas.grid()
  ragged = noise(rng, canvas.shape, (10, 10), 5, 0.8)
  crown = foot - height * (0.35 + 0.9 * _ridge(rng, canvas.columns, 4, 4)[None])
  inside = (v - crown) / max(height, 0.05) + 2.2 * (ragged - 0.5)
  mask = sharpen(inside, 0.0, 0.15) * (v < foot + 0.02)
  holes = sharpen(noise(rng, canvas.shape, (20, 20), 4, 0.8), 0.62, 0.7)
  canvas.blend(mask * (1 - gaps * holes), light)


def _trunks(rng, canvas, foot) -> None:
  bark = colour(rng, (0.03, 0.1), (0.1, 0.5), (0.1, 0.35))
  for _ in range(rng.integers(1, 5)):
    u, wide = rng.uniform(0, 1), rng.uniform(0.008, 0.06)
    lean = rng.normal(0, 0.06)
    points = [(u - wide, foot + 0.1), (u + wide, foot + 0.1)]
    canvas.polygon(
      [*points, (u + lean + wide * 0.6, -0.1), (u + lean - wide * 0.6, -0.1)], bark
    )
    canvas.polygon(
      [
        (u, foot + 0.1),
        (u + wide, foot + 0.1),
        (u + lean + wide * 0.6, -0.1),
        (u + lean, -0.1),
      ],
      bark * rng.uniform(0.3, 2.2),
    )


def _ground(rng, canvas, horizon, low, high) -> None:
  """Grass, sand or paving that runs to the horizon, in perspective."""
  u, v = canvas.grid()
  depth = 0.12 / np.maximum(v - horizon, 0.004)
  field = noise(rng, (256, 256), (12, 12), 5, 0.7)
  column = ((u - 0.5) * np.minimum(depth, 4) * 0.6 + 0.5) * 255
  row = np.broadcast_to(np.minimum(depth, 6) / 6 * 255, column.shape)
  texture = cv2.remap(
    field,
    column.astype(np.float32),
    np.ascontiguousarray(row, np.float32),
    cv2.INTER_LINEAR,
    borderMode=cv2.BORDER_REFLECT,
  )
  light = low + sharpen(texture, 0.25, 0.75)[..., None] * (high - low)
  _layer(canvas, np.full(canvas.columns, horizon, np.float32), light, 0.002)


def _lights(rng, canvas, count, low, high, power, hues=((0.03, 0.14),)) -> None:
  """Points of light between two heights: discs when out of focus."""
  for _ in range(count):
    lamp = colour(rng, hues[rng.integers(len(hues))], (0.1, 0.8), (0.8, 1))
    size = rng.uniform(0.003, 0.009)
    where = rng.uniform(-0.05, 1.05), rng.uniform(low, high)
    canvas.ellipse(*where, size, size, lamp * power * rng.lognormal(0, 0.7))


def _park(rng, canvas, mood):
  horizon = rng.uniform(0.45, 0.75)
  top = surfaces.sky(rng, canvas.shape, horizon, mood)
  canvas.fill(top)
  autumn = rng.random() < 0.2
  hue = (0.02, 0.2) if autumn else (0.17, 0.31)
  bright = {'overcast': 0.6, 'dusk': 0.35}.get(mood, 0.85)
  for i in range(rng.integers(1, 4)):
    leaves = surfaces.foliage(rng, canvas.shape, hue)
    haze = rng.uniform(0, 0.35) / (i + 1)
    light = leaves * bright * (1 - haze) + haze * top.mean((0, 1))
    _trees(
      rng, canvas, horizon + 0.02, rng.uniform(0.15, 0.75), light, rng.uniform(0, 1)
    )
  if rng.random() < 0.5:
    _trunks(rng, canvas, horizon)
  grass = colour(rng, (0.14, 0.28), (0.25, 0.6), (0.3, 0.6)) * bright
  _ground(rng, canvas, horizon, grass * 0.5, grass * 1.3)
  if rng.random() < 0.5 and mood != 'overcast':  # the sun between leaves
    _lights(rng, canvas, int(rng.integers(10, 70)), 0, horizon, 4, ((0.1, 0.2),))
  return horizon, grass


def _foliage_close(rng, canvas, mood):
  """A hedge or a tree close behind."""
  bright = 0.5 if mood in ('overcast', 'dusk') else 0.9
  hue = (0.0, 0.15) if rng.random() < 0.15 else (0.17, 0.31)
  canvas.fill(surfaces.foliage(rng, canvas.shape, hue) * bright)
  canvas.light *= (0.4 + 1.0 * noise(rng, canvas.shape, (2, 2), 3))[..., None]
  back = colour(rng, (0.12, 0.55), (0.1, 0.4), (0.7, 1.0)) * rng.uniform(0.5, 2)
  holes = noise(rng, canvas.shape, (9, 9), 4, 0.7)
  canvas.blend(sharpen(holes, rng.uniform(0.6, 0.8), 0.85), back)
  petals = colour(rng, (0.8, 1.2), (0.2, 0.9), (0.6, 1))
  for _ in range(int(rng.integers(0, 40)) * (rng.random() < 0.4)):
    size = rng.uniform(0.008, 0.03)
    canvas.ellipse(
      *rng.uniform(0, 1, 2), size, size * 0.8, petals * rng.uniform(0.4, 1.3)
    )
  return 0.6, colour(rng, hue, (0.3, 0.6), (0.2, 0.5))


def _street(rng, canvas, mood):
  night = mood == 'night'
  view = View(rng.uniform(0.9, 1.5), rng.uniform(0.45, 0.62))
  canvas.fill(surfaces.sky(rng, canvas.shape, view.horizon, mood))
  road = colour(rng, (0.05, 0.65), (0, 0.12), (0.25, 0.55)) * (0.06 if night else 0.8)
  _ground(rng, canvas, view.horizon, road * 0.8, road * 1.15)
  shift = rng.normal(0, 3)
  bright = {'night': 1, 'dusk': 0.3, 'overcast': 0.6}.get(mood, 0.8)
  for side in (-1, 1):
    across = side * rng.uniform(4, 12) + shift
    sunlit = bright * rng.uniform(0.35, 1.2) if not night else 1.0
    near = rng.uniform(4, 9)
    edges = np.cumsum([near] + list(rng.uniform(7, 22, 6)))
    for i in reversed(range(6)):
      texture = surfaces.facade(rng, (96, 96), night) * sunlit
      haze = 0 if night else min(0.1 * i, 0.5) * 0.6
      texture = texture * (1 - haze) + haze * canvas.light[0].mean(0)
      z0, z1, tall = edges[i], edges[i + 1], rng.uniform(6, 26)
      box = np.array([(z0, tall), (z1, tall), (z1, -1.6), (z0, -1.6)])
      box = box if side < 0 else box[[1, 0, 3, 2]]
      points = np.stack([np.full(4, across), box[:, 1], box[:, 0]], 1)
      canvas.warp(texture, view.project(points))
      if rng.random() < 0.5:  # a lit shop on the ground floor
        shop = colour(rng, (0.0, 0.2), (0.1, 0.7), (0.5, 1)) * (0.9 if night else 0.5)
        flat = np.array([(across, 1.5, z0), (across, 1.5, z1)])
        low = np.array([(across, -1.2, z1), (across, -1.2, z0)])
        canvas.polygon(view.project(np.concatenate([flat, low])), shop, 0.8)
  for _ in range(rng.integers(0, 7)):  # cars and people as blots
    z, x = rng.uniform(8, 40), shift + rng.uniform(-5, 5)
    tone = colour(rng, (0, 1), (0, 0.6), (0.05, 0.8)) * (0.1 if night else 0.7)
    wide, tall = (1.9, 1.4) if rng.random() < 0.6 else (0.5, 1.75)
    corners = [(x, tall - 1.6, z), (x + wide, tall - 1.6, z), (x + wide, -1.6, z)]
    a, b, c = view.project(corners)
    canvas.box(a[0], a[1], b[0], c[1], tone)
    canvas.box(
      a[0], a[1] + 0.15 * (c[1] - a[1]), b[0], a[1] + 0.45 * (c[1] - a[1]), tone * 0.3
    )
    if night:
      for at in (a[0], b[0]):
        canvas.ellipse(at, (a[1] + 2 * c[1]) / 3, 0.006, 0.006, np.array([8, 6, 4.0]))
  if rng.random() < 0.4:
    leaves = surfaces.foliage(rng, canvas.shape) * (0.05 if night else bright)
    _trees(rng, canvas, view.horizon, rng.uniform(0.1, 0.5), leaves, 0.6)
  if night or rng.random() < 0.15:
    hues = ((0.03, 0.14), (0.05, 0.12), (0.98, 1.02), (0.3, 0.6))
    _lights(rng, canvas, int(rng.integers(15, 70)), 0.25, 0.65, 9, hues)
  return view.horizon, road


def _city_night(rng, canvas, mood):
  """A skyline far away or lamps in rain: nearly only discs of light."""
  del mood
  horizon = rng.uniform(0.5, 0.7)
  canvas.fill(surfaces.sky(rng, canvas.shape, horizon, 'night'))
  u = 0.0
  while u < 1:
    wide = rng.uniform(0.06, 0.22)
    front = surfaces.facade(rng, (64, 64), True) * rng.uniform(0.3, 1.5)
    top = horizon - rng.uniform(0.05, 0.5)
    box = [(u, top), (u + wide, top), (u + wide, horizon), (u, horizon)]
    canvas.warp(front, box)
    u += wide * rng.uniform(0.7, 1.1)
  ground = colour(rng, (0, 1), (0.1, 0.5), (0.03, 0.2))
  _ground(rng, canvas, horizon, ground * 0.5, ground)
  hues = ((0.03, 0.14), (0.05, 0.12), (0.95, 1.02), (0.3, 0.7), (0.75, 0.9))
  count = int(rng.integers(30, 120))
  _lights(rng, canvas, count, horizon - 0.35, horizon + 0.15, 12, hues)
  if rng.random() < 0.5:  # reflections on wet ground
    below = canvas.light[: int(horizon * canvas.rows)][::-1][: canvas.rows]
    rows = min(len(below), canvas.rows - int(horizon * canvas.rows))
    start = int(horizon * canvas.rows)
    smear = cv2.blur(below[:rows], (1, max(canvas.rows // 12, 1)))
    canvas.light[start : start + rows] += 0.4 * smear
  return horizon, ground


def _water(rng, canvas, mood):
  horizon = rng.uniform(0.35, 0.6)
  top = surfaces.sky(rng, canvas.shape, horizon, mood)
  canvas.fill(top)
  if rng.random() < 0.6:  # a far shore
    shore = horizon - rng.uniform(0.02, 0.2) * _ridge(rng, canvas.columns, 6, 2)
    tone = colour(rng, (0.25, 0.65), (0.15, 0.5), (0.15, 0.5))
    haze = rng.uniform(0.1, 0.6)
    _layer(canvas, shore, tone * (1 - haze) + haze * top.mean((0, 1)))
  start = int(horizon * canvas.rows)
  mirror = canvas.light[:start][::-1]
  rows = canvas.rows - start
  mirror = cv2.resize(mirror, (canvas.columns, rows), interpolation=cv2.INTER_AREA)
  deep = colour(rng, (0.45, 0.62), (0.3, 0.8), (0.2, 0.6))
  share = np.linspace(0.85, 0.25, rows, dtype=np.float32)[:, None, None]
  water = mirror * share + deep * (1 - share) * min(top.mean() * 1.5, 1)
  ripple = noise(rng, (canvas.rows, canvas.columns), (40, 4), 4, 0.8)[start:]
  water = water * (0.55 + 0.9 * ripple)[..., None]
  canvas.light[start:] = water
  if rng.random() < 0.5:  # the sun glitters
    at = rng.uniform(0.1, 0.9)
    for _ in range(int(rng.integers(20, 90))):
      v = rng.uniform(horizon, 1)
      u = at + rng.normal(0, 0.06 + 0.3 * (v - horizon))
      canvas.ellipse(
        u, v, 0.006, 0.002, np.array([5, 4.4, 3.4]) * rng.uniform(0.3, 1.5)
      )
  ground = deep
  if rng.random() < 0.4:  # a beach
    sand = colour(rng, (0.07, 0.13), (0.15, 0.45), (0.55, 0.85))
    _ground(rng, canvas, rng.uniform(horizon + 0.1, 0.95), sand * 0.8, sand * 1.1)
    ground = sand
  return horizon, ground


def _hills(rng, canvas, mood):
  horizon = rng.uniform(0.5, 0.75)
  top = surfaces.sky(rng, canvas.shape, horizon, mood)
  canvas.fill(top)
  haze = top[int(0.8 * horizon * canvas.rows)].mean(0)
  snow = rng.random() < 0.25
  base = colour(rng, (0.2, 0.65), (0.1, 0.5), (0.2, 0.6))
  light = 0.4 if mood == 'dusk' else 0.9
  count = int(rng.integers(2, 5))
  for i in range(count):
    share = (i + 1) / count
    tall = rng.uniform(0.15, 0.5) * (1 - 0.6 * share)
    line = horizon - tall * _ridge(rng, canvas.columns, 7 - i, 2 + i)
    tone = base * light * share + haze * (1 - share) * 0.9
    rock = 0.7 + 0.6 * noise(rng, canvas.shape, (6, 6), 6, 0.7)
    body = tone * rock[..., None]
    if snow and i < count - 1:
      v = canvas.grid()[1]
      cap = sharpen(line[None] + 0.08 * rock - v, -0.03, 0.02)[..., None]
      body = body * (1 - cap) + cap * light
    _layer(canvas, line.astype(np.float32), body)
  field = colour(rng, (0.08, 0.3), (0.2, 0.6), (0.3, 0.7)) * light
  field = np.full(3, 0.8 * light, np.float32) if snow else field
  _ground(rng, canvas, horizon, field * 0.6, field * 1.2)
  if rng.random() < 0.5:
    leaves = surfaces.foliage(rng, canvas.shape) * light * 0.7
    _trees(rng, canvas, horizon + 0.03, rng.uniform(0.05, 0.25), leaves, 0.2)
  return horizon, field


def _outer_wall(rng, canvas, mood):
  """A wall close behind: brick, concrete, ivy, a shutter, tiles."""
  kinds = (
    surfaces.bricks,
    surfaces.bricks,
    surfaces.concrete,
    surfaces.wood,
    surfaces.plaster,
  )
  texture = kinds[rng.integers(len(kinds))](rng, (canvas.rows, canvas.rows * 2))
  bright = 0.55 if mood in ('overcast', 'dusk') else 0.9
  texture = texture * bright
  if rng.random() < 0.35:  # painted letters and blots
    for _ in range(rng.integers(2, 8)):
      paint = colour(rng, (0, 1), (0.4, 1), (0.3, 1))
      points = rng.uniform(0, 2 * canvas.rows, (2, 2)) * (1, 0.5)
      path = points[0] + np.cumsum(rng.normal(0, 0.14 * canvas.rows, (7, 2)), 0)
      thick = max(round(canvas.rows * rng.uniform(0.01, 0.05)), 1)
      texture = np.ascontiguousarray(texture, np.float32)
      cv2.polylines(
        texture, [path.astype(np.int32)], False, paint.tolist(), thick, cv2.LINE_AA
      )
  turn = rng.normal(0, 0.35)
  view = View(1.0, rng.uniform(0.3, 0.7))
  along = np.array([np.cos(turn), 0, np.sin(turn)]) * 1.6
  up = np.array([0, 0.8, 0])
  middle = np.array([0, (view.horizon - 0.5), 1.0])
  points = [
    middle - along + up,
    middle + along + up,
    middle + along - up,
    middle - along - up,
  ]
  canvas.fill(texture.mean((0, 1)))
  if min(p[2] for p in points) > 0.2:
    canvas.warp(texture, view.project(points))
  else:
    canvas.fill(cv2.resize(texture, canvas.shape[::-1]))
  if rng.random() < 0.3:
    ivy = surfaces.foliage(rng, canvas.shape) * bright
    mask = noise(rng, canvas.shape, (4, 4), 6, 0.75)
    canvas.blend(sharpen(mask, rng.uniform(0.45, 0.62), 0.68), ivy)
  elif rng.random() < 0.4:  # the edge of a shadow falls on it
    u, v = canvas.grid()
    slope, cut = rng.normal(0, 1), rng.uniform(0.2, 0.8)
    shadow = sharpen(u + slope * (v - 0.5) - cut, -0.02, 0.02)
    canvas.light *= (1 - rng.uniform(0.4, 0.75) * shadow)[..., None]
  return 0.6, linear([0.4, 0.38, 0.36])


_PLACES = {
  'park': (_park, 2.5, True),
  'foliage': (_foliage_close, 1.5, True),
  'street': (_street, 2.5, True),
  'city at night': (_city_night, 1.0, False),
  'water': (_water, 1.2, True),
  'hills': (_hills, 1.3, True),
  'outer wall': (_outer_wall, 1.4, True),
}
_MOODS = {'clear': 0.32, 'cloudy': 0.3, 'overcast': 0.2, 'dusk': 0.18}


def draw_landscape(rng: np.random.Generator, side: int):
  """(Canvas, Surroundings, kind, sun or None, sun colour) of a place outdoors."""
  names = tuple(_PLACES)
  odds = np.array([_PLACES[name][1] for name in names])
  place = names[rng.choice(len(names), p=odds / odds.sum())]
  draw, _, by_day = _PLACES[place]
  mood = tuple(_MOODS)[rng.choice(len(_MOODS), p=list(_MOODS.values()))]
  if not by_day or (place == 'street' and rng.random() < 0.25):
    mood = 'night'
  canvas = Canvas(side)
  _, ground = draw(rng, canvas, mood)
  sun, sun_colour = None, np.zeros(3, np.float32)
  tone = surfaces.sky(rng, (8, 8), 0.6, mood)
  up, low = tone[0].mean(0), tone[4].mean(0)
  lobes = []
  if mood in ('clear', 'dusk') or (mood == 'cloudy' and rng.random() < 0.5):
    height = rng.uniform(0.03, 0.3) if mood == 'dusk' else rng.uniform(0.3, 1.1)
    turn = rng.uniform(-np.pi, np.pi)  # 0: the sun is behind the camera
    sun = [np.sin(turn) * np.cos(height), np.sin(height), np.cos(turn) * np.cos(height)]
    sun = np.array(sun, np.float32)
    sun_colour = colour(
      rng, (0.05, 0.12), (0.25, 0.6) if mood == 'dusk' else (0.03, 0.18), (0.97, 1)
    ) * np.float32(rng.uniform(0.7, 2.4))
    lobes.append((sun, up * 0.5 + sun_colour * 0.3, 4.0))
  elif mood == 'night':
    for _ in range(rng.integers(1, 4)):
      direction = np.array([rng.normal(), rng.uniform(0, 0.8), rng.uniform(-0.3, 1)])
      lamp = colour(rng, (0.0, 0.15), (0.2, 0.7), (0.8, 1))
      if rng.random() < 0.25:
        lamp = colour(rng, (0.45, 0.9), (0.4, 0.9), (0.8, 1))
      direction /= np.linalg.norm(direction)
      lobes.append((direction, lamp * rng.uniform(0.05, 0.5), rng.uniform(3, 10)))
  shade = rng.uniform(0.5, 1.0)
  ground = ground * (1 if mood == 'night' else max(up.mean(), 0.3)) * 1.2
  surroundings = Surroundings(
    up=up * shade,
    down=ground,
    left=(low * rng.uniform(0.2, 1) + ground) / 2,
    right=(low * rng.uniform(0.2, 1) + ground) / 2,
    front=(low * rng.uniform(0.4, 1) + ground) / 2,
    lobes=tuple(lobes),
  )
  kind = place if mood == 'night' and not by_day else f'{place}, {mood}'
  return canvas, surroundings, kind, sun, sun_colour
