"""Earrings: studs, pearls, hoops and drops, hung on the lobes."""

import numpy as np

from data_pipelines.synthetic.people.pieces import Material, Piece
from data_pipelines.synthetic.people.wear import solids
from data_pipelines.synthetic.people.wear.landmarks import Landmarks

KINDS = {'stud': 0.4, 'pearl': 0.15, 'hoop': 0.27, 'drop': 0.18}  # women
KINDS_MALE = {'stud': 0.7, 'hoop': 0.3}
_METALS = np.array([[212, 172, 96], [202, 204, 208], [214, 160, 132], [52, 52, 56]])


def make_earrings(
  rng: np.random.Generator, male: bool, vertices: np.ndarray, marks: Landmarks
) -> Piece:
  """A pair of earrings, alike; a man often wears one only.

  Args:
    rng: of the design.
    male: whose habits.
    vertices: (n, 3) the person's neutral mesh.
    marks: of the same mesh.
  """
  kinds = KINDS_MALE if male else KINDS
  kind = str(rng.choice(list(kinds), p=np.array(list(kinds.values()))))
  scale = marks.scale
  size = rng.uniform(0.6, 1.4)
  metal = _METALS[rng.choice(4, p=[0.42, 0.42, 0.1, 0.06])]
  stone = np.array([[235, 232, 224], [190, 40, 50], [40, 90, 160], [30, 120, 90]])[
    rng.choice(4, p=[0.55, 0.15, 0.15, 0.15])
  ]
  sides = [0, 1] if not male or rng.random() < 0.5 else [int(rng.integers(2))]
  made = []
  for side in sides:
    sign = 1 - 2 * side
    lobe = marks.lobes[side] + np.array([sign * 0.045, 0.035, 0.025]) * scale
    made.append(_earring(kind, lobe, sign, size, scale))
  texture = np.full((16, 16, 4), 255, np.uint8)
  texture[..., :3] = metal
  texture[8:, :, :3] = stone  # the lower half of the texture: stones and pearls
  part = solids.hang(solids.join(*made), vertices)
  return Piece('earrings', part, texture, Material(gloss=0.8, roughness=50.0), True)


def _painted(solid, stone):
  """All of a solid in the colour of the metal or of the stone."""
  middle = np.array([0.5, 0.25 if stone else 0.75])
  return solid._replace(uv=middle + 0 * solid.uv)


def _ring(centre, radius, thick, across):
  """A hoop in the plane of the vertical and `across` (3,)."""
  angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)[:, None]
  path = centre + radius * (np.cos(angle) * [0, 1, 0] + np.sin(angle) * across)
  side = np.cross([0, 1, 0], across)
  return solids.sweep(path, solids.ellipse(5, thick, thick), side=side, closed=True)


def _earring(kind, lobe, sign, size, scale):
  out = np.array([sign, 0, 0.35])
  if kind in ('stud', 'pearl'):
    radius = (0.028 if kind == 'stud' else 0.045) * size * scale
    return _painted(solids.ball(lobe + out * 0.4 * radius, [radius] * 3), True)
  post = _painted(solids.ball(lobe, [0.018 * scale] * 3, 4, 6), False)
  if kind == 'hoop':
    radius = (0.08 + 0.12 * (size - 0.6)) * scale
    # Hangs with its edge ahead, turned out a little.
    across = np.array([sign * 0.35, 0, 0.94])
    centre = lobe + np.array([sign * 0.015, -radius, 0])
    return solids.join(
      post, _painted(_ring(centre, radius, 0.02 * scale, across), False)
    )
  length = 0.16 * size * scale
  start = lobe + np.array([sign * 0.01 * scale, 0, 0])
  path = start - np.linspace(0, 1, 4)[:, None] * np.array([0, length, 0])
  wire = solids.sweep(path, solids.ellipse(4, 0.012, 0.012) * scale, side=[0, 0, 1])
  low = path[-1] - [0, 0.05 * size * scale, 0]
  drop = solids.ball(low, np.array([0.035, 0.07, 0.035]) * size * scale)
  return solids.join(post, _painted(wire, False), _painted(drop, True))
