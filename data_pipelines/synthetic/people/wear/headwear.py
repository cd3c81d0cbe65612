"""Hats and head coverings, built as shells around the person's own skull.

A shell is laid on the outer surface of the head map with some room, so that no skin
comes through; the band of a hat is a height at each side of the head. What hangs on the
skull does not move with brows and cheeks; what frames the face (hijab, hood) hangs on
the skin below it and follows the jaw and the shoulders.
"""

import dataclasses

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
  cloth_strip,
  cover_of,
  hem,
  lay,
  line_rows,
  make_piece,
  pick,
  rows_to,
  shade_relief,
)


def make_cap(rng, vertices, head: HeadMap, marks: Landmarks) -> Headwear:
  """A baseball cap: six panels, a button, a curved visor."""
  scale = marks.scale
  ears = marks.ear_tops[:, 1].mean()
  tilt = rng.uniform(-0.03, 0.05) * scale
  front = marks.brow[1] + rng.uniform(0.2, 0.3) * scale + tilt
  heights = around(front, ears + 0.1 * scale, ears - (0.02 * scale + tilt))
  line = line_rows(head, heights)
  rows = rows_to(line, 17)
  share = np.linspace(0, 1, 17)[:, None]
  ahead = np.clip(np.cos(TURN), 0, 1)[None]
  stiff = rng.uniform(0.03, 0.12)
  pad = (
    0.055 + 0.05 * (1 - share) ** 2 + stiff * ahead**1.5 * np.sin(np.pi * share**0.8)
  )
  panels = 0.006 * np.abs(np.sin(3 * TURN))[None] * np.sin(np.pi * share**0.7)
  crown = lay(head, rows, (pad + panels) * scale)
  middle = crown[-1].mean(0)
  top = solids.sheet(
    hem(crown, middle, 0.07 * scale, 0.02 * scale), closed=True, box=(0, 0.5, 1, 1)
  )
  button = solids.ball(
    crown[0].mean(0) + [0, 0.01, 0], np.array([0.05, 0.02, 0.05]) * scale, 5, 8
  )
  button = button._replace(uv=button.uv * 0.02 + [0.05, 0.95])
  visor = _visor(rng, crown[-1], scale)
  colour = clothes.sample_colour(rng)
  pattern = str(
    rng.choice(['plain', 'denim', 'heather', 'print'], p=[0.7, 0.15, 0.1, 0.05])
  )
  cloth = clothes.fabric(rng, pattern, colour)
  second = clothes.sample_colour(rng) if rng.random() < 0.3 else colour
  y, x = np.mgrid[0:128, 0:256] / [[[128]], [[256]]]
  seam = np.abs(((x * 6 + 0.5) % 1) - 0.5) * 256 / 6
  stitch = (np.abs(seam - 3) < 0.8) * 0.12 * ((y * 64) % 1 < 0.6)
  upper = cloth[:128] * (1 - 0.4 * np.exp(-(seam**2) / 0.6) + stitch)[..., None]
  upper *= (1 - 0.25 * np.clip(y - 0.9, 0, 1) * 10)[..., None]
  if rng.random() < 0.35:  # a badge of no meaning on the front panels
    badge = clothes.sample_colour(rng)
    wide, high = rng.uniform(0.02, 0.05), rng.uniform(0.08, 0.16)
    wrapped = np.minimum(x, 1 - x)
    shape = (wrapped / wide) ** 2 + ((y - 0.66) / high) ** 2
    if rng.random() < 0.5:
      shape = np.maximum(wrapped / wide, np.abs(y - 0.66) / high)
    upper = np.where((shape < 1)[..., None], badge, upper)
  lower = clothes.fabric(rng, 'plain', second)[:128]
  rows_v = np.arange(128)
  rings = np.where((rows_v < 60) & (rows_v % 9 < 1), 0.82, 1.0)  # rows of stitches
  lower = lower * rings[:, None, None]
  lower[64:] *= 0.6  # its underside
  image = np.concatenate([upper, lower])
  piece = make_piece('hat_cap', solids.join(top, button, visor), vertices, image)
  return Headwear((piece,), cover_of(head, line, 0.015 * scale))


def _visor(rng, ring, scale):
  """The peak: two sheets and their edge, forward from the front of the band."""
  count, steps = 25, 6
  half = np.radians(rng.uniform(58, 68))
  angle = np.linspace(-half, half, count)
  at = (angle / (2 * np.pi) * maps.COLUMNS) % maps.COLUMNS
  low = np.floor(at).astype(int)
  share = (at - low)[:, None]
  inner = ring[low] * (1 - share) + ring[(low + 1) % maps.COLUMNS] * share
  inner = inner + np.array([0, 0.012, -0.012]) * scale
  s = angle / half
  reach = (
    rng.uniform(0.58, 0.72) * scale * np.sqrt(np.clip(1 - 0.96 * s**2, 0, 1)) ** 0.8
  )
  droop, curve = rng.uniform(0.18, 0.32), rng.uniform(0.05, 0.2) * scale
  out = np.linspace(0, 1, steps)[:, None]
  top = np.repeat(inner[None], steps, 0)
  top[..., 2] += out * reach
  top[..., 0] *= 1 - 0.05 * out * s**2
  top[..., 1] -= out * reach * droop + curve * out**0.7 * s**2
  below = top - np.array([0, 0.02, 0]) * scale
  surface = np.concatenate([top, below[::-1]])
  return solids.sheet(surface, box=(0, 0, 1, 0.5))


def make_beanie(rng, vertices, head: HeadMap, marks: Landmarks) -> Headwear:
  """A knitted hat, with or without a folded cuff, sometimes with a bobble."""
  scale = marks.scale
  ears = marks.ear_tops[:, 1].mean()
  over = rng.random() < 0.35  # over the ears
  side = ears + (rng.uniform(-0.16, -0.06) if over else 0.05) * scale
  front = marks.brow[1] + rng.uniform(0.14, 0.34) * scale
  line = line_rows(head, around(front, side, ears - rng.uniform(0.15, 0.4) * scale))
  rows = rows_to(line, 14)
  share = np.linspace(0, 1, 14)[:, None]
  slouch = rng.choice([0.04, 0.1, 0.28], p=[0.45, 0.35, 0.2])
  behind = 0.55 - 0.45 * np.cos(TURN)[None]
  wobble = (
    maps.spread(rng.standard_normal((14, maps.COLUMNS)), 2.2) * 0.05 * (1 - share)
  )
  pad = 0.06 + slouch * (1 - share) ** 1.2 * (0.6 + 0.4 * behind) + wobble
  pad += slouch * 0.5 * np.sin(np.pi * share) * behind
  pad = np.maximum(pad, 0.05)
  crown = lay(head, rows, pad * scale)
  crown[0] = crown[0].mean(0)
  cuff = rng.random() < 0.65
  middle = crown[-1].mean(0)
  surfaces = [
    solids.sheet(
      hem(crown, middle, 0.08 * scale, 0.03 * scale), closed=True, box=(0, 0.34, 1, 1)
    )
  ]
  if cuff:
    tall = rng.uniform(0.26, 0.4) * scale
    upper = np.maximum(line - tall / 0.105, 2)
    share = np.array([0.0, 0.06, 0.35, 0.7, 1.0])[:, None]
    bulge = np.array([0.03, 0.075, 0.09, 0.085, 0.075])[:, None]
    start = pick(np.repeat(pad[:, :], 1, 1), np.clip(upper / line * 13, 0, 13)[None])
    bands = upper + (line + 0.15 - upper) * share
    inner = start * (1 - share) + pad[-1:] * share
    fold = lay(head, bands, (inner + bulge - 0.04) * scale)
    fold = hem(fold, middle, 0.13 * scale, 0.035 * scale)
    surfaces.append(solids.sheet(fold, closed=True, box=(0, 0, 1, 0.34)))
  if rng.random() < 0.15:
    surfaces.append(_bobble(rng, crown[0].mean(0), scale))
  colour = clothes.sample_colour(rng)
  kind = str(rng.choice(['rib', 'knit', 'heather'], p=[0.5, 0.35, 0.15]))
  image = cloth_strip(rng, kind, colour, rng.uniform(1.0, 1.9))
  if cuff and rng.random() < 0.25:
    image[-43:] = cloth_strip(rng, kind, clothes.sample_colour(rng), 1.3)[-43:]
  image *= shade_relief(pad, 0.25, (512, 128))[..., None]
  image[80:85] *= 0.75 if cuff else 1.0
  piece = make_piece('hat_beanie', solids.join(*surfaces), vertices, image, gloss=0.0)
  return Headwear((piece,), cover_of(head, line, 0.015 * scale))


def _bobble(rng, top, scale):
  """A pompon: a ball with a rough outline."""
  ball = solids.ball(top + [0, 0.12 * scale, 0], np.full(3, 0.17) * scale, 9, 14)
  centre = top + [0, 0.12 * scale, 0]
  rough = 1 + 0.1 * rng.standard_normal(int(ball.place.max()) + 1)
  points = centre + (ball.points - centre) * rough[ball.place][:, None]
  return ball._replace(points=points, uv=ball.uv * 0.3 + 0.4)


def make_bandana(rng, vertices, head: HeadMap, marks: Landmarks) -> Headwear:
  """A printed cloth tied over the scalp, knotted behind."""
  scale = marks.scale
  ears = marks.ear_tops[:, 1].mean()
  front = marks.brow[1] + rng.uniform(0.22, 0.34) * scale
  line = line_rows(head, around(front, ears + 0.08 * scale, ears - 0.2 * scale))
  rows = rows_to(line, 14)
  folds = 0.5 + 0.5 * np.sin(9 * TURN[None] + 5 * np.linspace(0, 1, 14)[:, None])
  behind = np.clip(-np.cos(TURN), 0, 1)[None]
  pad = 0.045 + 0.02 * folds * behind * np.linspace(0, 1, 14)[:, None]
  crown = lay(head, rows, pad * scale)
  crown[0] = crown[0].mean(0)
  middle = crown[-1].mean(0)
  top = solids.sheet(hem(crown, middle, 0.06 * scale, 0.012 * scale), closed=True)
  back = crown[-1, maps.COLUMNS // 2]
  knot = solids.ball(
    back + np.array([0, 0.02, -0.06]) * scale, np.array([0.1, 0.07, 0.07]) * scale
  )
  tails = []
  for sign in (-1, 1):
    down = np.linspace(0, 1, 5)[:, None]
    path = back + np.array([sign * 0.14, -0.42, -0.1]) * down * scale
    path = path + np.array([0, 0, -0.07]) * scale
    section = np.stack(
      [
        solids.ellipse(5, w * scale, 0.02 * scale)
        for w in (0.05, 0.12, 0.16, 0.15, 0.1)
      ]
    )
    tails.append(solids.sweep(path, section, side=[0, 0.2, 1.0]))
  kind = str(rng.choice(['paisley', 'dots', 'plain', 'checks'], p=[0.5, 0.2, 0.2, 0.1]))
  image = cloth_strip(rng, kind, clothes.sample_colour(rng), 0.8)
  image *= shade_relief(pad, 0.08, (512, 128))[..., None]
  solid = solids.join(top, knot, *tails)
  piece = make_piece('hat_bandana', solid, vertices, image)
  return Headwear((piece,), cover_of(head, line, 0.015 * scale))


def make_turban(rng, vertices, head: HeadMap, marks: Landmarks) -> Headwear:
  """Long cloth wound about the head in layers that cross above the forehead."""
  scale = marks.scale
  ears = marks.ear_tops[:, 1].mean()
  front = marks.brow[1] + rng.uniform(0.2, 0.32) * scale
  heights = around(front, ears + rng.uniform(-0.06, 0.04) * scale, ears - 0.35 * scale)
  line = line_rows(head, heights)
  count = 22
  share = np.linspace(0, 1, count)[:, None]
  rows = rows_to(line, count)
  layers = rng.uniform(4.5, 6.5)
  # Each turn rises towards the front on one side, falls on the other: a V ahead.
  lean = 0.28 * np.abs(np.sin(TURN / 2))[None] + 0.05 * np.sin(TURN)[None]
  phase = (layers * (share + lean)) % 1
  steps = np.clip(phase * 1.35, 0, 1) ** 0.8 - 0.9 * np.clip(
    (phase - 0.86) / 0.14, 0, 1
  )
  tall = rng.uniform(0.08, 0.24)
  pad = 0.09 + 0.12 * np.sin(np.pi * np.clip(share, 0.1, 0.9)) + tall * (1 - share) ** 2
  full = (pad + 0.04 * steps) * scale
  full[-1] = 0.05 * scale
  crown = lay(head, rows, full)
  crown[0] = crown[0].mean(0)
  middle = crown[-1].mean(0)
  top = solids.sheet(hem(crown, middle, 0.06 * scale, 0.02 * scale), closed=True)
  image = clothes.fabric(rng, 'plain', clothes.sample_colour(rng))
  v, u = np.mgrid[0:256, 0:256] / 256
  lean = 0.28 * np.abs(np.sin(np.pi * u)) + 0.05 * np.sin(2 * np.pi * u)
  phase = (layers * (v + lean)) % 1
  crease = 1 - 0.42 * np.exp(-((np.minimum(phase, 1 - phase) / 0.09) ** 2))
  fine = 1 + 0.05 * np.sin(2 * np.pi * phase * 3 + 3 * np.sin(4 * np.pi * u))
  image *= (crease * fine)[..., None]
  piece = make_piece('hat_turban', top, vertices, image)
  return Headwear(
    (piece,), dataclasses.replace(cover_of(head, line, 0.015), all_hair=True)
  )
