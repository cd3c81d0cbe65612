"""Hats with a brim all round."""

import numpy as np

from data_pipelines.synthetic.people import clothes
from data_pipelines.synthetic.people.wear import head_map as maps
from data_pipelines.synthetic.people.wear import solids
from data_pipelines.synthetic.people.wear.head_map import HeadMap
from data_pipelines.synthetic.people.wear.landmarks import Landmarks
from data_pipelines.synthetic.people.wear.shells import (
  TURN,
  Headwear,
  around,
  cover_of,
  lay,
  line_rows,
  make_piece,
  rows_to,
)


def make_brimmed(rng, vertices, head: HeadMap, marks: Landmarks) -> Headwear:
  """A hat with a brim all round: fedora, sun hat, bucket hat, bowler."""
  scale = marks.scale
  kind = str(
    rng.choice(['fedora', 'sun', 'bucket', 'bowler'], p=[0.4, 0.25, 0.25, 0.1])
  )
  ears = marks.ear_tops[:, 1].mean()
  front = marks.brow[1] + rng.uniform(0.2, 0.28) * scale
  heights = around(front, ears + 0.14 * scale, ears + 0.02 * scale)
  line = line_rows(head, heights)
  band = lay(head, line[None], np.full((1, maps.COLUMNS), 0.05 * scale))[0]
  middle = band.mean(0)
  # The wall rises from the widest outline of the head above the line.
  shell = lay(head, rows_to(line, 20), np.full((20, maps.COLUMNS), 0.05 * scale))
  flat = shell[..., [0, 2]] - middle[[0, 2]]
  radius = np.linalg.norm(flat, axis=-1)
  turn = np.arctan2(flat[-1, :, 0], flat[-1, :, 1])
  radius = maps.widen(radius.max(0)[None])[0]
  top = (
    shell[..., 1].max()
    + {'fedora': 0.1, 'sun': 0.06, 'bucket': 0.05, 'bowler': 0.07}[kind] * scale
  )
  taper = {'fedora': 0.1, 'sun': 0.12, 'bucket': 0.16, 'bowler': 0.0}[kind]
  levels = np.linspace(0, 1, 9)[::-1, None]
  wall_radius = radius * (1 + 0.03 - taper * levels**1.5)
  if kind == 'bowler':
    wall_radius = radius * np.sqrt(np.clip(1.04 - levels**3.2, 0.02, 1.1))
  need = np.zeros_like(wall_radius)  # never inside the head
  heights_wall = band[None, :, 1] + (top - band[None, :, 1]) * levels
  for k in range(len(wall_radius)):
    above = shell[..., 1] >= heights_wall[k] - 0.12 * scale
    need[k] = np.where(above, np.linalg.norm(flat, axis=-1), 0).max(0)
  wall_radius = np.maximum(wall_radius, need * 1.01)
  wall = np.stack(
    [
      middle[0] + wall_radius * np.sin(turn),
      heights_wall,
      middle[2] + wall_radius * np.cos(turn),
    ],
    -1,
  )
  lid_share = np.array([0.0, 0.4, 0.75, 0.93])[:, None]
  lid = np.stack(
    [
      middle[0] + wall_radius[0] * lid_share * np.sin(turn),
      top + 0.02 * scale * np.sqrt(1 - lid_share**2) + 0 * turn,
      middle[2] + wall_radius[0] * lid_share * np.cos(turn),
    ],
    -1,
  )
  if kind == 'fedora':  # the crease along the top, pinched in front
    across = np.abs(lid[..., 0] - middle[0]) / (0.22 * scale)
    lid[..., 1] -= 0.1 * scale * np.exp(-(across**2))
    lid[..., 1] = np.maximum(lid[..., 1], shell[..., 1].max() + 0.012)
  wide = {'fedora': 0.5, 'sun': 0.8, 'bucket': 0.34, 'bowler': 0.38}[kind]
  wide *= rng.uniform(0.85, 1.12) * scale
  slope = {'fedora': 0.08, 'sun': 0.12, 'bucket': 0.75, 'bowler': -0.05}[kind]
  out = np.linspace(0, 1, 6)[:, None]
  wave = 0.04 * np.sin(2 * TURN + rng.uniform(0, 6)) * (kind == 'sun')
  lift = {'fedora': 0.12, 'bowler': 0.22}.get(kind, 0.0) * scale
  wall_out = wall_radius[-1]
  brim_radius = wall_out + wide * out * (0.72 if kind == 'bucket' else 1.0)
  fall = slope * wide * out**1.2 + wave * out * scale
  fall = fall - lift * out**2 * np.abs(np.sin(turn)) ** 2
  # Ahead it stays high enough for the eyes to be seen.
  fall = np.where(np.cos(turn) > 0.2, np.minimum(fall, 0.2 * scale), fall)
  brim = np.stack(
    [
      middle[0] + brim_radius * np.sin(turn),
      band[None, :, 1] - fall,
      middle[2] + brim_radius * np.cos(turn),
    ],
    -1,
  )
  under = brim[::-1] - np.array([0, 0.025 * scale, 0])
  under[-1] = under[-1] + (middle - under[-1]) * np.array([0.1, 0, 0.1])
  shape = np.concatenate([lid, wall, brim[1:], under])
  colour = clothes.sample_colour(rng)
  if kind == 'sun':
    colour = np.array([214, 186, 138]) * rng.uniform(0.75, 1.1)
  cloth = {'fedora': 'felt', 'sun': 'straw', 'bucket': 'denim', 'bowler': 'felt'}[kind]
  if kind == 'fedora' and rng.random() < 0.3:
    cloth, colour = 'straw', np.array([222, 204, 164]) * rng.uniform(0.7, 1.05)
  image = clothes.fabric(rng, cloth, colour)
  steps = np.cumsum(
    np.concatenate([[0], np.linalg.norm(np.diff(shape, axis=0), axis=-1).mean(1)])
  )
  v = 1 - steps / steps[-1]
  u = np.linspace(0, 1, maps.COLUMNS + 1)
  uv = np.stack(np.broadcast_arrays(u[None], (0.02 + 0.96 * v)[:, None]), -1)
  first, last = v[len(lid) + len(wall) - 1], v[len(lid) + len(wall) - 4]
  if kind in ('fedora', 'bowler', 'sun'):  # ribbon
    ribbon = clothes.sample_colour(rng) if rng.random() < 0.4 else colour * 0.35
    down = 1 - (0.02 + 0.96 * np.array([last, first]))
    image[int(down[0] * 256) : int(down[1] * 256)] = ribbon
  below = int((1 - (0.02 + 0.96 * v[-len(under)])) * 256)
  image[below:] *= 0.72
  piece = make_piece(
    f'hat_{kind}', solids.sheet(shape, closed=True, uv=uv), vertices, image
  )
  return Headwear((piece,), cover_of(head, line, 0.015 * scale))
