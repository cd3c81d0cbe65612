"""Cloth that frames the face and falls on the shoulders: hijab, hood, headscarf.

Two sheets: one about the head, made of rings around the face from its edge to the back
of the head; one about neck and shoulders. Both hang on the skin under them, so that the
cloth under the chin goes down with the jaw and the cloth on the shoulders stays with
the body when the head turns.
"""

import functools

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.people import clothes
from data_pipelines.synthetic.people.pieces import Material, Piece
from data_pipelines.synthetic.people.wear import head_map as maps
from data_pipelines.synthetic.people.wear import solids
from data_pipelines.synthetic.people.wear.head_map import HeadMap
from data_pipelines.synthetic.people.wear.landmarks import Landmarks
from data_pipelines.synthetic.people.wear.shells import (
  Cover,
  Headwear,
  around,
  pick,
  shade_relief,
  to_texture,
)

RINGS, SPOKES = 18, 40  # of the sheet about the head; spoke 0 points up
_TURN = np.linspace(0, 2 * np.pi, maps.COLUMNS, endpoint=False)
_MIDDLE = np.array([0.0, 7.2, 0.4])  # that the rings turn about, on the base mesh


@functools.lru_cache(maxsize=8)
def _face_rays(opening: tuple[float, ...]) -> maps.Rays:
  """Rays in rings about the face; `opening` is the half angle up, aside and down."""
  turn = np.linspace(0, 2 * np.pi, SPOKES, endpoint=False)
  up, aside, down = np.radians(opening)
  tall = np.where(np.cos(turn) > 0, up, down)
  edge = 1 / np.sqrt((np.cos(turn) / tall) ** 2 + (np.sin(turn) / aside) ** 2)
  share = np.linspace(0, 1, RINGS)[:, None]
  polar = edge + (np.radians(178) - edge) * share
  ways = np.stack(
    [np.sin(polar) * np.sin(turn), np.sin(polar) * np.cos(turn), np.cos(polar)], -1
  )
  return maps.cast(np.broadcast_to(_MIDDLE, ways.shape), ways)


def _wrap_surface(vertices, opening):
  """(origin (3,), ways, radii (r, c), rays) of the skin seen from inside the head."""
  rays = _face_rays(opening)
  base = assets_lib.load_assets().vertices
  points = (vertices[rays.ref].astype(np.float64) * rays.weight[..., None]).sum(2)
  before = (base[rays.ref].astype(np.float64) * rays.weight[..., None]).sum(2)
  away = before - _MIDDLE
  head = rays.found & (np.linalg.norm(away, axis=-1) < 1.45)
  origin = _MIDDLE + (points - before)[head].mean(0)
  ways = np.where(head[..., None], points - origin, away)
  radii = np.linalg.norm(ways, axis=-1)
  ways = np.where(rays.found[..., None], ways / (radii[..., None] + 1e-9), [0, -1, 0])
  # Below and behind the jaw the rays go on into the body: the neck ends the head.
  low = np.clip((-0.3 - ways[..., 1]) / 0.42, 0, 1)
  behind = np.clip((0.55 - ways[..., 2]) / 0.4, 0, 1)
  limit = 1.6 - 0.85 * low * behind
  head &= radii < limit + 0.15
  radii = np.minimum(np.where(rays.found, radii, 0.9), limit)
  wide = np.concatenate([radii[:, -2:], radii, radii[:, :2]], 1)
  around = maps.widen(wide)[:, 2:-2]
  around[0] = radii[0]
  around[1] = np.maximum(radii[1], 0.5 * (radii[1] + around[1]))
  return origin, ways, np.minimum(around, limit), rays, head


def _seamed(field):
  """(r, c, 3) with the first column again at the end, flat: (k, 3)."""
  return np.concatenate([field, field[:, :1]], 1).reshape(-1, field.shape[-1])


def _head_sheet(vertices, opening, pad, edge_in, box):
  """The sheet about the head as (solid, ref, weight)."""
  origin, ways, around, rays, head = _wrap_surface(vertices, opening)
  smooth = around.copy()
  padded = np.concatenate([around[:, -8:], around, around[:, :8]], 1)
  blurred = maps.spread(padded, 1.6)[:, 8:-8]
  smooth[2:] = np.maximum(around, blurred)[2:]
  points = origin + ways * (smooth + pad)[..., None]
  points[-1] = points[-1].mean(0)
  lip = origin + ways[:1] * (around[:1] - edge_in)[..., None]
  points = np.concatenate([lip, points])
  ref = np.concatenate([rays.ref[:1], rays.ref])
  weight = np.concatenate([rays.weight[:1], rays.weight])
  # A ray that passes on into the body hangs on the edge of the face opening instead.
  lost = ~np.concatenate([head[:1], head])
  for row, column in zip(*np.nonzero(lost), strict=True):
    seen = np.nonzero(~lost[:row, column])[0]
    source = seen[-1] if len(seen) else 0
    ref[row, column], weight[row, column] = ref[source, column], weight[source, column]
  solid = solids.sheet(points, closed=True, box=box)
  return solid, _seamed(ref), _seamed(weight)


def neck_sheet(
  head: HeadMap,
  top: np.ndarray,
  bottom: np.ndarray,
  pad: np.ndarray,
  box: tuple[float, float, float, float],
  hold: float = 0.0,
  throat: float = 0.8,
) -> tuple[solids.Solid, np.ndarray, np.ndarray]:
  """Cloth about neck and shoulders.

  Args:
    head: of the person.
    top, bottom: (c,) rows of the head map.
    pad: (k, c) room above the outer surface.
    box: in the texture.
    hold: share of its distance that the cloth keeps from row to row beside and
      behind: 0 clings to the neck, near 1 falls straight from the head.
    throat: largest distance of the cloth ahead, just below the chin.

  Returns:
    (solid, ref, weight) for `solids.hang`.
  """
  share = np.linspace(0, 1, len(pad))[:, None]
  rows = top + (bottom - top) * share
  # Under the chin the cloth keeps back: the jaw comes down before it.
  ahead = np.clip(np.cos(_TURN), 0, 1)
  limit = 2.6 + (throat - 2.6) * ahead + 1.2 * ahead * share**2
  outer = np.minimum(pick(head.outer, rows), limit)
  aside = hold * np.clip(1.6 - 2.2 * np.clip(np.cos(_TURN), 0, 1), 0, 1)
  for k in range(1, len(outer)):
    outer[k] = np.maximum(outer[k], aside * outer[k - 1])
  outer = outer + pick(head.cloth, rows)
  calm = np.clip(1 - share * 5, 0, 1)  # an even edge
  outer = np.maximum(outer, maps.spread(outer, 1.5))
  outer = outer + (maps.spread(outer, 3.0, across=False) - outer) * calm
  radii = outer + pad + (maps.spread(pad, 4.0, across=False) - pad) * calm
  radii[0] = radii[1] - 0.06
  rows = rows.copy()
  rows[0] = rows[1] + 0.15  # its edge is turned in
  origins = np.broadcast_to(head.origins[:, None], head.ways.shape)
  points = pick(origins, rows) + pick(maps.rest_ways(), rows) * radii[..., None]
  nearest = np.rint(rows).astype(int).clip(0, maps.ROWS - 1)
  columns = np.arange(maps.COLUMNS)[None]
  solid = solids.sheet(points, closed=True, box=box)
  return (
    solid,
    _seamed(head.ref[nearest, columns]),
    _seamed(head.weight[nearest, columns]),
  )


def _collar(head, marks, front, side, back):
  """(c,) rows at heights from the chin's lower edge (ahead, beside, behind)."""
  wanted = marks.chin[1] + around(front, side, back) * marks.scale
  reach = np.minimum(head.outer, 0.8)
  y = head.origins[:, 1:2] + maps.rest_ways()[..., 1] * reach
  y = np.minimum.accumulate(y, axis=0)
  rows = np.arange(len(y))
  return np.array([np.interp(-h, -y[:, c], rows) for c, h in enumerate(wanted)])


def _joined(name, sheets, vertices, image, gloss=0.02):
  solid = solids.join(*[s[0] for s in sheets])
  ref = np.concatenate([s[1] for s in sheets])
  weight = np.concatenate([s[2] for s in sheets])
  part = solids.hang(solid, vertices, ref, weight)
  return Piece(name, part, to_texture(image), Material(gloss=gloss, roughness=12.0))


def _hidden(head):
  return Cover(np.full(maps.COLUMNS, 99.0), head.outer, all_hair=True)


def _waves(rng, shape, count, size):
  """Folds: a few slanted waves over a grid (r, c) that wraps sideways."""
  v, u = np.mgrid[0 : shape[0], 0 : shape[1]] / np.array(shape).reshape(2, 1, 1)
  field = np.zeros(shape)
  for _ in range(count):
    across, along = rng.integers(2, 6), rng.uniform(0.5, 3.5)
    wave = np.sin(2 * np.pi * (across * u + along * v) + rng.uniform(0, 7))
    field += np.abs(wave) ** 0.7 * rng.uniform(0.3, 1)
  return field / count * size


def make_hijab(rng, vertices, head: HeadMap, marks: Landmarks) -> Headwear:
  """A scarf about head, neck and shoulders that leaves the face free."""
  scale = marks.scale
  # A few openings, so that the rays are found once: a process keeps them.
  opening = [(30.0, 44.0, 60.0), (33.0, 46.0, 61.0), (27.0, 42.0, 60.0)][
    rng.integers(3)
  ]
  turn = np.linspace(0, 2 * np.pi, SPOKES, endpoint=False)
  share = np.linspace(0, 1, RINGS)[:, None]
  folds = _waves(rng, (RINGS, SPOKES), 3, 0.05) * np.sin(np.pi * share)
  pad = 0.03 + 0.075 * np.clip(share * 4, 0, 1) + folds
  pad += 0.03 * np.clip(np.cos(turn), 0, 1) * np.clip(share * 6, 0, 1)
  head_part = _head_sheet(vertices, opening, pad * scale, 0.02 * scale, (0, 0.5, 1, 1))
  rows = 13
  top = _collar(head, marks, 0.0, 0.62, 0.75)
  bottom = np.full(maps.COLUMNS, 46.0)
  v = np.linspace(0, 1, rows)[:, None]
  loose = 0.07 + 0.11 * np.clip(3 * v, 0, 1)
  loose = loose + _waves(rng, (rows, maps.COLUMNS), 4, 0.16) * np.clip(2 * v, 0, 1)
  neck = neck_sheet(head, top, bottom, loose * scale, (0, 0, 1, 0.5), 0.97)
  pattern = str(
    rng.choice(['plain', 'print', 'heather', 'stripes'], p=[0.72, 0.13, 0.1, 0.05])
  )
  image = clothes.fabric(rng, pattern, clothes.sample_colour(rng))
  image[:128] *= shade_relief(pad, 0.17, (256, 128))[..., None]
  image[128:] *= shade_relief(loose, 0.2, (256, 128))[..., None]
  piece = _joined('hat_hijab', [head_part, neck], vertices, image)
  return Headwear((piece,), _hidden(head))


def make_headscarf(rng, vertices, head: HeadMap, marks: Landmarks) -> Headwear:
  """A kerchief tied under the chin."""
  scale = marks.scale
  opening = (36.0, 54.0, 53.0)
  share = np.linspace(0, 1, RINGS)[:, None]
  folds = _waves(rng, (RINGS, SPOKES), 3, 0.04) * np.sin(np.pi * share)
  pad = 0.03 + 0.07 * np.clip(share * 4, 0, 1) + folds
  sheet = _head_sheet(vertices, opening, pad * scale, 0.02 * scale, (0, 0, 1, 1))
  pattern = str(
    rng.choice(['print', 'dots', 'checks', 'plain'], p=[0.45, 0.15, 0.15, 0.25])
  )
  image = clothes.fabric(rng, pattern, clothes.sample_colour(rng))
  image *= shade_relief(pad, 0.1, (256, 256))[..., None]
  piece = _joined('hat_headscarf', [sheet], vertices, image, gloss=0.06)
  return Headwear((piece,), _hidden(head))


def make_hood(rng, vertices, head: HeadMap, marks: Landmarks) -> Headwear:
  """The hood of a sweater, up."""
  scale = marks.scale
  opening = (42.0, 60.0, 74.0)
  turn = np.linspace(0, 2 * np.pi, SPOKES, endpoint=False)
  share = np.linspace(0, 1, RINGS)[:, None]
  up = np.clip(np.cos(turn), 0, 1)
  folds = _waves(rng, (RINGS, SPOKES), 3, 0.14) * np.sin(np.pi * share)
  pad = rng.uniform(0.12, 0.22) + 0.1 * up + 0.1 * share * (1 - up) + folds
  pad += 0.16 * np.clip(share - 0.5, 0, 1) * up  # the point behind
  sheet = _head_sheet(vertices, opening, pad * scale, 0.0, (0, 0.4, 1, 1))
  rows = 13
  top = _collar(head, marks, -0.1, 0.6, 0.75)
  bottom = np.full(maps.COLUMNS, 46.0)
  v = np.linspace(0, 1, rows)[:, None]
  loose = 0.18 + 0.03 * v + _waves(rng, (rows, maps.COLUMNS), 3, 0.1) * v
  neck = neck_sheet(head, top, bottom, loose * scale, (0, 0, 1, 0.4), 0.93, 0.58)
  kind = str(rng.choice(['plain', 'heather', 'rib'], p=[0.5, 0.4, 0.1]))
  image = clothes.fabric(rng, kind, clothes.sample_colour(rng))
  image[:154] *= shade_relief(pad, 0.2, (256, 154))[..., None]
  image[154:] *= shade_relief(loose, 0.2, (256, 102))[..., None]
  image[6:10] *= 0.7  # the seam of the drawstring's tunnel
  piece = _joined('hat_hood', [sheet, neck], vertices, image)
  return Headwear((piece,), _hidden(head))


def make_scarf(
  rng: np.random.Generator, vertices: np.ndarray, head: HeadMap, marks: Landmarks
) -> Piece:
  """A scarf wound round the neck, over what is worn."""
  scale = marks.scale
  rows = 12
  top = _collar(head, marks, -0.06, 0.16, 0.25)
  bottom = top + (rng.uniform(8.5, 12.5) + 1.5 * np.cos(_TURN))
  v = np.linspace(0, 1, rows)[:, None]
  high = 0.09 + 0.05 * np.clip(np.cos(_TURN), 0, 1)
  turn = _TURN
  rolls = np.abs(np.sin(np.pi * (2.2 * v + 0.35 * np.sin(turn + rng.uniform(0, 6)))))
  pad = high + 0.13 * np.sin(np.pi * v) * (0.5 + 0.5 * rolls)
  pad += _waves(rng, (rows, maps.COLUMNS), 3, 0.06)
  pad[0], pad[-1] = -0.02, -0.05
  sheet = neck_sheet(head, top, bottom, pad * scale, (0, 0, 1, 1))
  kind = str(rng.choice(['knit', 'plain', 'checks', 'stripes', 'print'],
                        p=[0.35, 0.25, 0.2, 0.1, 0.1]))  # fmt: skip
  image = clothes.fabric(rng, kind, clothes.sample_colour(rng))
  image *= shade_relief(pad, 0.22, (256, 256))[..., None]
  return _joined('scarf', [sheet], vertices, image, gloss=0.0)
