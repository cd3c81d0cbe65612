"""Headphones: a band over the crown and a cup on each ear."""

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.people.hair import Hair
from data_pipelines.synthetic.people.pieces import Material, Piece
from data_pipelines.synthetic.people.wear import solids
from data_pipelines.synthetic.people.wear.landmarks import Landmarks, skin_vertices


def _top(vertices, hair, marks, depth):
  """Height of skin and hair near the plane of the band."""
  clouds = [vertices[skin_vertices()]]
  parts = [piece.part for piece in hair.pieces]
  factors = [1.0] * len(parts)
  if hair.style:
    parts.append(assets_lib.load_assets().parts[hair.style])
    factors.append(marks.scale)
  for part, factor in zip(parts, factors, strict=True):
    at = (vertices[part.ref] * part.weight[..., None]).sum(1)
    clouds.append(at + part.offset * factor)
  points = np.concatenate(clouds)
  return points[np.abs(points[:, 2] - depth) < 0.15 * marks.scale]


def make_headphones(
  rng: np.random.Generator, vertices: np.ndarray, marks: Landmarks, hair: Hair
) -> Piece:
  """Over-ear headphones that clear skin and hair.

  Args:
    rng: of the design.
    vertices: (n, 3) the person's neutral mesh.
    marks: of the same mesh.
    hair: of the person, for the band to lie on.
  """
  scale = marks.scale
  skin = vertices[skin_vertices()]
  cups, ends = [], []
  wide, tall = rng.uniform(0.24, 0.3) * scale, rng.uniform(0.3, 0.38) * scale
  for side, sign in enumerate((1, -1)):
    ear = (marks.ear_tops[side] + marks.lobes[side]) / 2 + [0, 0, -0.06 * scale]
    near = np.linalg.norm(skin[:, 1:] - ear[1:], axis=1) < tall
    near &= skin[:, 0] * sign > 0
    out = (skin[near, 0] * sign).max() + 0.01 * scale
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    rings = []
    # Cushion against the head, shell, lid.
    for depth, size in ((-0.12, 0.9), (-0.06, 1.0), (0.0, 1.0), (0.02, 0.95),
                        (0.1, 0.9), (0.13, 0.75), (0.14, 0.0)):  # fmt: skip
      y, z = np.cos(angle) * tall * size, np.sin(angle) * wide * size
      x = np.full(20, sign * (out + depth * scale))
      rings.append(np.stack([x, ear[1] + y, ear[2] + z], 1))
    cups.append(solids.sheet(np.stack(rings), closed=True, box=(0, 0.5, 1, 1)))
    ends.append(np.array([sign * (out + 0.1 * scale), ear[1] + 0.3 * tall, ear[2]]))
  near = _top(vertices, hair, marks, ends[0][2])
  middle = (ends[0] + ends[1]) / 2
  reach = near[:, 1].max() - middle[1] + 0.05 * scale
  turn = np.linspace(0, np.pi, 21)[:, None]
  half = (ends[0] - ends[1]) / 2
  # A band bent like a staple: it clears hair that is wide at the temples.
  bend = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.8
  path = middle + half * bend + np.array([0, reach, 0]) * np.sin(turn) ** 0.8
  section = solids.ellipse(6, 0.05 * scale, rng.uniform(0.12, 0.26) * scale, 3.0)
  band = solids.sweep(path, section, side=[0, 0, 1], box=(0, 0, 1, 0.5))
  shades = [(24, 24, 26), (210, 210, 212), (60, 62, 70), (150, 32, 36), (40, 60, 110)]
  colour = np.array(shades[rng.choice(5, p=[0.55, 0.18, 0.15, 0.06, 0.06])])
  texture = np.full((64, 16, 4), 255, np.uint8)
  texture[..., :3] = colour
  texture[:12, :, :3] = 22  # the cushions
  solid = solids.join(*cups, band)
  return Piece(
    'headphones', solids.hang(solid, vertices), texture,
    Material(gloss=0.2, roughness=40.0), True,
  )  # fmt: skip
