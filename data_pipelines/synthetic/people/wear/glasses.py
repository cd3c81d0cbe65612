"""Glasses: procedural frames and lenses that rest on the person's nose and ears.

Sizes are those of spectacles (1 mesh unit = 100 mm): lenses 44 to 56 mm wide, bridges
14 to 21 mm, lens 12 mm and more before the eye, leaning forward at the top by some
8 degrees. The frame is moved forward until no skin inside the rims touches it, also
when cheeks rise.
"""

import dataclasses
import functools

import cv2
import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.people.pieces import GLASS, Material, Piece
from data_pipelines.synthetic.people.wear import solids
from data_pipelines.synthetic.people.wear.landmarks import Landmarks, skin_vertices

# How often each shape is worn: women, men.
SHAPES = {
  'rectangle': (2.5, 4.0),
  'wayfarer': (2.0, 3.0),
  'round': (2.2, 1.8),
  'oval': (1.6, 0.8),
  'panto': (1.4, 1.4),
  'cat-eye': (2.2, 0.0),
  'aviator': (0.5, 1.0),
  'browline': (0.5, 1.2),
}
RIMS = {'plastic': 0.52, 'metal': 0.3, 'half': 0.1, 'none': 0.08}
TINTED_SHARE, SUN_SHARE = 0.04, 0.03  # of those who wear glasses

_AROUND = 40  # points of a rim
PANTOSCOPIC, WRAP = np.radians(8.0), 0.13  # lean; z = -WRAP x^2
CLEARANCE = 0.02  # between skin and lens, mesh units
_LIFTING = ('cheekSquint', 'mouthSmile')


@dataclasses.dataclass(frozen=True)
class Frame:
  """The design of a pair of glasses, in mesh units at head size 1."""

  shape: str
  rim: str  # plastic, metal, half, none
  width: float  # of a lens
  height: float
  bridge: float  # between the lenses
  thickness: float  # of the rim, seen from the front
  drop: float  # of the lens centre below the eye's
  lens: str  # clear, tinted, sun


def sample_frame(rng: np.random.Generator, male: float, age: float) -> Frame:
  """A random design; older people wear thinner frames, lower on the nose."""
  odds = np.array([w * (1 - male) + m * male for w, m in SHAPES.values()])
  shape = str(rng.choice(list(SHAPES), p=odds / odds.sum()))
  chances = np.array(list(RIMS.values())) * np.array([1.3 - 0.6 * age, 1, 1, 1 + age])
  rim = str(rng.choice(list(RIMS), p=chances / chances.sum()))
  if shape == 'browline':
    rim = 'plastic'
  if shape == 'aviator' and rim in ('half', 'none'):
    rim = 'metal'
  width = rng.uniform(0.47, 0.55)
  aspect = {'rectangle': 0.64, 'wayfarer': 0.76, 'round': 0.96, 'oval': 0.7}
  aspect |= {'panto': 0.88, 'cat-eye': 0.7, 'aviator': 0.86, 'browline': 0.74}
  if shape in ('round', 'panto'):
    width = rng.uniform(0.44, 0.51)
  height = width * aspect[shape] * rng.uniform(0.94, 1.08)
  if rim == 'plastic':
    thickness = rng.choice([0.026, 0.036, 0.05], p=[0.35, 0.45, 0.2])
  else:
    thickness = rng.uniform(0.014, 0.019)
  chance = rng.random()
  lens = 'sun' if chance < SUN_SHARE else 'clear'
  if SUN_SHARE <= chance < SUN_SHARE + TINTED_SHARE:
    lens = 'tinted'
  drop = 0.035 + abs(rng.normal(0, 0.02)) + 0.05 * age * (rng.random() < 0.2)
  drop = min(drop, height / 2 - 0.12)  # the upper rim stays clear of the pupil
  bridge = rng.uniform(0.15, 0.2)
  return Frame(shape, rim, width, height, bridge, float(thickness), drop, lens)


def outline(frame: Frame) -> np.ndarray:
  """(k, 2) of a lens about its centre; x > 0 points away from the nose."""
  power = {'rectangle': 5.5, 'wayfarer': 4.0, 'round': 2.0, 'oval': 2.2}
  power |= {'panto': 2.5, 'cat-eye': 3.2, 'aviator': 2.5, 'browline': 3.6}
  x, y = solids.ellipse(_AROUND, 2, 2, power[frame.shape]).T
  up = np.clip(y, 0, 1)
  if frame.shape == 'wayfarer':
    x, y = x * (1 + 0.09 * y), y + 0.07 * x * up
  elif frame.shape == 'panto':
    x = x * (1 + 0.1 * y)
  elif frame.shape == 'browline':
    x = x * (1 + 0.1 * y)
  elif frame.shape == 'cat-eye':
    out = np.clip(x, 0, 1)
    x, y = x * (1 + 0.06 * y), y + 0.34 * out**2 * (0.35 + up)
  elif frame.shape == 'aviator':
    x = x * (1 + 0.1 * y) + 0.13 * np.clip(-y, 0, 1) * (1 - 0.3 * x)
    y = y - 0.08 * np.clip(x, 0, 1) * np.clip(-y, 0, 1)
  return np.stack([x * frame.width / 2, y * frame.height / 2], 1)


def _surface(x, y, place, forward):
  """World points of (x, y) on the lens surface; x from the middle of the face."""
  z = forward + np.tan(PANTOSCOPIC) * y - WRAP * x * x
  return np.stack([place[0] + x, place[1] + y, z], -1)


@functools.lru_cache(maxsize=1)
def _risen():
  """How far cheeks and lids come forward in a broad smile, (n,) mesh units."""
  assets = assets_lib.load_assets()
  total = np.zeros(len(assets.vertices), np.float32)
  for name in _LIFTING:
    for side in ('Left', 'Right'):
      total += assets.units[assets_lib.UNITS.index(name + side), :, 2].clip(0)
  return total


def _fit(frame, outlines, place, vertices, marks):
  """How far forward the surface stands at the middle, so that skin keeps clear."""
  skin = skin_vertices()
  at = vertices[skin].astype(np.float64)
  near = (at[:, 2] > marks.eyes[:, 2].min()) & (np.abs(at[:, 1] - place[1]) < 0.5)
  skin, at = skin[near], at[near]
  inside = np.zeros(len(at), bool)
  for ring in outlines:
    polygon = ((ring + place[:2]) * 1000).astype(np.float32).reshape(-1, 1, 2)
    inside |= np.array(
      [
        cv2.pointPolygonTest(polygon, p, False) >= 0
        for p in (at[:, :2] * 1000).tolist()
      ]
    )
  rest = _surface(at[:, 0] - place[0], at[:, 1] - place[1], place, 0.0)[:, 2]
  lifted = at[:, 2] + 0.5 * _risen()[skin] + CLEARANCE * marks.scale - rest
  eye = marks.eyes[:, 2].max() + marks.eye_radius + 0.1 * marks.scale
  return max(eye, float(lifted[inside].max(initial=-np.inf)))


def _arm(frame, hinge, ear, sign, vertices, scale):
  """Path of a temple: hinge, past the cheek, over the ear, down behind it."""
  share = np.linspace(0, 1, 10)[:, None]
  end = ear + np.array([sign * 0.01, 0.015, -0.03]) * scale
  path = hinge + (end - hinge) * share
  at = vertices[skin_vertices()]
  for k in range(1, len(path) - 1):
    near = (np.abs(at[:, 1] - path[k, 1]) < 0.09) & (
      np.abs(at[:, 2] - path[k, 2]) < 0.1
    )
    near &= at[:, 0] * sign > 0
    # The skull and the cheek, not the ear that the arm lies on.
    near &= (at[:, 2] > ear[2] + 0.1 * scale) | (at[:, 1] > ear[1] + 0.01 * scale)
    widest = (at[near, 0] * sign).max(initial=0.0) + 0.012 * scale
    path[k, 0] = sign * max(path[k, 0] * sign, widest)
  smooth = path[:, 0].copy()
  smooth[1:-1] = np.maximum(
    path[1:-1, 0] * sign, (path[:-2, 0] + path[2:, 0]) * sign / 2
  )
  path[1:-1, 0] = smooth[1:-1] * sign
  drops = np.array([[0, -0.02, -0.1], [-0.02, -0.1, -0.19], [-0.05, -0.22, -0.25]])
  drops[:, 0] *= sign
  return np.concatenate([path, path[-1] + drops * scale])


def make_glasses(
  frame: Frame, rng: np.random.Generator, vertices: np.ndarray, marks: Landmarks
) -> tuple[Piece, ...]:
  """The frame and its lenses, fitted to a person.

  Args:
    frame: the design.
    rng: of the colours.
    vertices: (n, 3) the person's neutral mesh.
    marks: of the same mesh.

  Returns:
    `glasses_frame` and `glasses_lens`, which turn with the head alone.
  """
  scale = marks.scale
  middle = marks.eyes.mean(0)
  place = middle + np.array([0, -frame.drop * scale, 0])
  out = outline(frame) * scale
  centre = (frame.width + frame.bridge) / 2 * scale
  outlines = [(out + [centre, 0]) * [1, 1], (out + [centre, 0]) * [-1, 1]]
  grown = [ring * [1.02, 1.04] for ring in outlines]
  forward = _fit(frame, grown, place, vertices, marks)
  rings = [_surface(r[:, 0], r[:, 1], place, forward) for r in outlines]
  depth = (0.035 if frame.rim == 'plastic' else frame.thickness) * scale
  thick = frame.thickness * scale
  parts = []
  ahead = np.array([0.0, 0.0, 1.0])
  upper = out[:, 1] > -0.1 * frame.height * scale
  for ring in rings:
    if frame.rim == 'none':
      continue
    rim = np.tile(solids.ellipse(6, thick, depth, 3.0), (_AROUND, 1, 1))
    if frame.shape == 'browline':
      rim[upper] *= np.array([1.7, 1.2])
      rim[~upper] *= np.array([0.5, 0.6])
    if frame.rim == 'half':
      order = np.argsort(np.arctan2(out[:, 0], out[:, 1]))
      order = order[upper[order]]
      parts.append(
        solids.sweep(ring[order], rim[order], side=ahead, box=(0, 0.5, 1, 1))
      )
    else:
      parts.append(solids.sweep(ring, rim, side=ahead, closed=True, box=(0, 0.5, 1, 1)))
  parts += _bridge(frame, rings, place, vertices, thick, depth, scale)
  for sign, ring, ear in zip((1, -1), rings, marks.ear_tops, strict=True):
    parts += _temple(frame, ring, sign, ear, vertices, place, thick, scale)
  solid = solids.join(*parts)
  texture, material = _paint_frame(frame, rng)
  lens_texture, lens_material = _paint_lens(frame, rng)
  shift = np.array([0, 0, -0.2 * depth])
  panes = solids.join(*[_pane(ring + shift) for ring in rings])
  return (
    Piece('glasses_frame', solids.hang(solid, vertices), texture, material, True),
    Piece(
      'glasses_lens', solids.hang(panes, vertices), lens_texture, lens_material, True
    ),
  )


def _pane(ring):
  """A lens: its outline drawn together to its middle, bulging a little."""
  middle = ring.mean(0) + [0, 0, 0.012]
  share = np.array([0.0, 0.5, 0.93, 1.0])[:, None, None]
  points = middle + (ring - middle) * share
  points[..., 2] += 0.012 * (1 - share[..., 0] ** 2)
  top, bottom = ring[:, 1].max(), ring[:, 1].min()
  points = np.concatenate([points, points[:, :1]], 1)
  # Across the texture from the middle to the edge, down it from the top of the lens;
  # off its borders, which wrap.
  u = np.array([0.06, 0.5, 0.7, 0.94])[:, None] + 0 * points[..., 0]
  v = (points[..., 1] - bottom) / (top - bottom)
  return solids.sheet(points, uv=np.stack([u, 0.05 + 0.9 * v], -1))


def _bridge(frame, rings, place, vertices, thick, depth, scale):
  """Over the nose from rim to rim; pads for wire frames."""
  parts = []
  aviator = frame.shape == 'aviator'
  heights = [0.32, 0.8] if aviator else [0.3]
  at = vertices[skin_vertices()]
  for height in heights:
    y = place[1] + height * frame.height / 2 * scale
    ends = []
    for ring in rings:
      inner = np.abs(ring[:, 0] - place[0]) < frame.bridge * scale * 0.5 + 0.12 * scale
      near = np.where(inner, np.abs(ring[:, 1] - y), np.inf)
      ends.append(ring[near.argmin()])
    share = np.linspace(0, 1, 9)[:, None]
    path = ends[1] + (ends[0] - ends[1]) * share
    arch = np.sin(np.pi * share[:, 0])
    path[:, 1] += arch * 0.03 * scale
    for k, point in enumerate(path):
      near = (np.abs(at[:, :2] - point[:2]) < 0.06).all(1)
      front = at[near, 2].max(initial=0.0) + 0.6 * depth + 0.004
      path[k, 2] = max(point[2] + 0.02 * scale * arch[k], front)
    wide = thick * (1.25 if frame.rim == 'plastic' else 1.0)
    section = solids.ellipse(6, wide, depth, 3.0)
    parts.append(solids.sweep(path, section, side=[0, 0, 1], box=(0, 0.5, 1, 1)))
  if frame.rim != 'plastic':
    for sign, ring in zip((1, -1), rings, strict=True):
      low = place[1] - 0.12 * scale
      near = np.abs(ring[:, 1] - low) + np.where(
        np.abs(ring[:, 0] - place[0]) < (frame.bridge / 2 + 0.1) * scale, 0, 9
      )
      start = ring[near.argmin()]
      pad = start + np.array([-sign * 0.035, -0.01, -0.05]) * scale
      pads = solids.ball(pad, np.array([0.012, 0.045, 0.022]) * scale, 5, 6)
      parts.append(pads._replace(uv=pads.uv * 0.02 + 0.25))
  return parts


def _temple(frame, ring, sign, ear, vertices, place, thick, scale):
  """The end piece and the arm of one side."""
  outermost = ring[(ring[:, 0] * sign - 0.3 * np.abs(ring[:, 1] - place[1])).argmax()]
  y = place[1] + 0.3 * frame.height * scale
  if frame.shape == 'cat-eye':
    y = place[1] + 0.45 * frame.height * scale
  on_side = (ring[:, 0] - place[0]) * sign > (frame.bridge + frame.width) / 2 * scale
  start = ring[np.where(on_side, np.abs(ring[:, 1] - y), np.inf).argmin()]
  hinge = start + np.array([sign * 0.035, 0.0, -0.05]) * scale
  at = vertices[skin_vertices()]
  near = (np.abs(at[:, 1] - hinge[1]) < 0.1) & (np.abs(at[:, 2] - hinge[2]) < 0.12)
  widest = (at[near & (at[:, 0] * sign > 0), 0] * sign).max(initial=0.0)
  hinge[0] = sign * max(hinge[0] * sign, widest + 0.02 * scale, abs(outermost[0]))
  path = np.concatenate([[start], _arm(frame, hinge, ear, sign, vertices, scale)])
  plastic = frame.rim == 'plastic'
  tall = (max(1.3 * thick, 0.035 * scale)) if plastic else thick * 1.2
  heights = np.full(len(path), tall)
  heights[-3:] *= [1.15, 1.3, 1.1]
  section = np.stack([solids.ellipse(6, h, 0.018 * scale, 3.0) for h in heights])
  side = np.array([sign * 1.0, 0, 0.35])
  return [solids.sweep(path, section, side=side, box=(0, 0, 1, 0.5))]


def _paint_frame(frame, rng):
  """Texture (64, 128, 4) and material: acetate, tortoise shell, or metal."""
  texture = np.full((64, 128, 4), 255, np.uint8)
  if frame.rim != 'plastic':
    metals = [
      (196, 160, 96),
      (190, 192, 196),
      (70, 70, 74),
      (26, 26, 28),
      (176, 128, 108),
    ]
    colour = np.array(metals[rng.choice(5, p=[0.25, 0.28, 0.17, 0.22, 0.08])])
    texture[..., :3] = colour
    return texture, Material(gloss=0.75, roughness=45.0)
  kind = rng.choice(['black', 'tortoise', 'dark', 'bright', 'clear', 'two'],
                    p=[0.36, 0.22, 0.18, 0.1, 0.06, 0.08])  # fmt: skip
  gloss = Material(gloss=0.3 if rng.random() < 0.75 else 0.06, roughness=70.0)
  if kind == 'tortoise':
    noise = cv2.GaussianBlur(rng.standard_normal((64, 128), np.float32), (0, 0), 5)
    noise = cv2.normalize(noise, None, 0, 1, cv2.NORM_MINMAX)
    share = np.clip((noise - 0.42) * 5, 0, 1)[..., None]
    dark, light = (
      np.array([34, 18, 12]),
      np.array([148, 82, 34]) * rng.uniform(0.6, 1.1),
    )
    texture[..., :3] = dark + (light - dark) * share
    return texture, gloss
  if kind == 'black':
    colour = np.full(3, rng.uniform(12, 30))
  elif kind == 'dark':
    darks = [(30, 34, 58), (52, 24, 28), (42, 34, 28), (28, 46, 40), (60, 60, 64)]
    colour = np.array(darks[rng.integers(5)])
  elif kind == 'clear':
    colour = np.array([214, 206, 196]) * rng.uniform(0.85, 1.05)
  else:
    hue = np.uint8(
      [[[rng.integers(180), rng.integers(50, 150), rng.integers(70, 200)]]]
    )
    colour = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].astype(float)
  texture[..., :3] = np.clip(colour, 0, 255)
  if kind == 'two':
    texture[32:, :, :3] = rng.uniform(12, 40)
  return texture, gloss


def _paint_lens(frame, rng):
  """Texture (32, 32, 4) and material: nearly clear, tinted from above, or dark."""
  texture = np.zeros((32, 32, 4), np.uint8)
  down = np.linspace(0, 1, 32)[:, None]
  tints = [(60, 42, 28), (44, 46, 50), (36, 52, 44), (70, 40, 48)]
  tint = np.array(tints[rng.choice(4, p=[0.4, 0.35, 0.15, 0.1])])
  if frame.lens == 'clear':
    texture[..., :3], alpha = (
      (214, 226, 224),
      np.full((32, 1), rng.uniform(0.02, 0.045)),
    )
  elif frame.lens == 'tinted':
    texture[..., :3] = tint
    alpha = rng.uniform(0.25, 0.4) * (1 - rng.choice([0.0, 0.7]) * down)
  else:
    texture[..., :3] = tint * 0.5
    alpha = rng.uniform(0.8, 0.93) - rng.choice([0.0, 0.3]) * down
  texture[..., 3] = np.clip(alpha * 255, 0, 255)
  if frame.rim in ('none', 'half'):  # the polished edge shows
    texture[:, 25:, :3], texture[:, 25:, 3] = (150, 160, 160), 110
  material = Material(GLASS, gloss=0.8, roughness=250.0, see_through=True, casts=False)
  return texture, material
