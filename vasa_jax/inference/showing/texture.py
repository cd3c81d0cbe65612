"""What a moving head uncovers, continued from the picture's own background.

Means of the surroundings (`fill.py`) are fog: beside a head that has turned, a wood
or a shelf ends in a halo. Here the rim of the hole is filled by example: every place in
it takes, from where the background is surely known, the place whose surroundings look
most like its own. First coarse, ring after ring from the rim inwards, each against all
there is, so that edges run on; then finer, where only the neighbours' answers and a few
places near one's own are tried (Wexler et al. 2007, Barnes et al. 2009). What is kept
are places, not pixels: a picture of any size is continued with its own grain.

Pictures are float32 in [0, 1]; an offset (down, across) leads from a place to where its
pixels come from.
"""

from typing import NamedTuple

import numpy as np

from vasa_jax.nn.smooth_step import smooth_step

COARSE = 64  # px: the side of the picture that is searched whole
REACH = 3  # px round the middle of a patch, at every level
RINGS = 10  # px of the coarse picture: as deep as heads of 14 degrees uncover
FADE = 4  # rings over which what is copied ends
# How much a pixel counts: in the hole, as much less as it is rings away from what is
# known; and before it is filled.
TRUST, FOG = 0.85, 0.03
AWAY = 1e-5  # what a coarse px of way costs, squared: near things are alike
MOSTLY = 0.5  # share of a patch that has to be known for it to be compared
ENOUGH = 600  # coarse px to take from, of 4,096; fewer repeat themselves
CELL = 2  # px between the patches of finer levels
# Tried there: answers of cells beside, and a draw within each of so many px. So often,
# at twice and at four times the coarse side.
BESIDE = (0, 1), (1, 0), (0, -1), (-1, 0)
NEAR = 8, 2, 1
ROUNDS = 3, 2


class Places(NamedTuple):
  """Where pixels come from.

  Attributes:
    offsets: `(g, g, 2)` int, one a cell, px.
    known: `(g, g)` bool, whether a cell has one.
    side: of the picture that they were found in, px.
    share: `(COARSE, COARSE)` of the copies, 0..1, falling to 0 where they end.
  """

  offsets: np.ndarray
  known: np.ndarray
  side: int
  share: np.ndarray


class _Level(NamedTuple):
  """A picture at one of its sides.

  Attributes:
    picture: `(n, n, 3)`, in the hole a guess.
    hole: `(n, n)` bool, all that is not wholly known.
    usable: `(n, n)` bool, what may be copied.
    sources: `(n, n)` bool, the same with room for a cell round it.
  """

  picture: np.ndarray
  hole: np.ndarray
  usable: np.ndarray
  sources: np.ndarray


def search(
  picture: np.ndarray, hole: np.ndarray, usable: np.ndarray, wanted: np.ndarray
) -> Places | None:
  """Finds what continues a picture into the rim of a hole.

  Args:
    picture: `(n, n, 3)`, n = 64, 128 or 256; in the hole a first guess.
    hole: `(n, n)` bool, what is not known.
    usable: `(n, n)` bool, what may be copied; nothing in the hole.
    wanted: `(n, n)` 0..1, where copies are of use.

  Returns:
    None where too little may be copied, or nothing is wanted.
  """
  step = len(picture) // COARSE
  coarse = _level(picture, hole, usable, step)
  deep = _rings(coarse.hole)
  share = smooth_step((RINGS + 1 - deep) / np.float32(FADE)) * coarse.hole
  share *= _pooled(wanted[..., None], step)[..., 0]
  if coarse.sources.sum() < ENOUGH or not share.any():
    return None
  places = Places(_peeled(coarse, deep, share > 0), share > 0, COARSE, share)
  rng = np.random.default_rng(0)
  for rounds in ROUNDS:
    if step > 1:
      step //= 2
      level = _level(picture, hole, usable, step)
      places = _refined(level, deep, places, rounds, rng)
  return places


def drawn(crop: np.ndarray, places: Places) -> np.ndarray:
  """Copies from a crop.

  Between the middles of cells, a few pixels apart, one copy goes over into the next.

  Args:
    crop: `(s, s, 3)`.
    places: in the same square.

  Returns:
    `(s, s, 4)` copies, and 1 where there are any; zeros elsewhere.
  """
  size, cells = len(crop), len(places.known)
  offsets = np.rint(places.offsets * (size / places.side)).astype(np.int32)
  at = ((np.arange(size) + 0.5) * cells / size - 0.5).clip(0, cells - 1)
  low = np.minimum(at.astype(np.int32), cells - 2)
  part = (at - low).astype(np.float32)
  corners = [(down, across) for down in (0, 1) for across in (0, 1)]
  y, x = np.nonzero(
    np.logical_or.reduce([places.known[np.ix_(low + d, low + a)] for d, a in corners])
  )
  flat = crop.reshape(-1, 3)
  total = np.zeros((len(y), 4), np.float32)
  for down, across in corners:
    cell = low[y] + down, low[x] + across
    weight = np.abs(1 - down - part[y]) * np.abs(1 - across - part[x])
    weight *= places.known[cell]
    source = (np.stack([y, x], -1) + offsets[cell]).clip(0, size - 1)
    total[:, :3] += weight[:, None] * flat[source[:, 0] * size + source[:, 1]]
    total[:, 3] += weight
  copies = np.zeros((size, size, 4), np.float32)
  copies[y, x, :3] = total[:, :3] / total[:, 3:].clip(1e-6)
  copies[y, x, 3] = total[:, 3] > 0
  return copies


def _level(picture, hole, usable, step: int) -> _Level:
  """A picture whose side is so many times smaller."""
  holed = _pooled(hole[..., None], step)[..., 0] > 0
  usable = _pooled(usable[..., None], step)[..., 0] == 1
  room = 1 if len(usable) == COARSE else CELL
  sources = ~_grown(np.pad(~usable, 1, constant_values=True), room)[1:-1, 1:-1]
  return _Level(_pooled(picture, step), holed, usable, sources)


def _pooled(x: np.ndarray, step: int) -> np.ndarray:
  """Means over squares: `(n, n, c)` to `(n / step, n / step, c)`."""
  side = len(x) // step
  rows = x.reshape(side, step, side, step, -1).astype(np.float32)
  return sum(rows[:, i, :, j] for i in range(step) for j in range(step)) / step**2


def _grown(mask: np.ndarray, times: int) -> np.ndarray:
  """What is set and the eight pixels round it, `times` over."""
  for _ in range(times):
    wide = np.pad(mask, ((0, 0), (1, 1)))
    mask = wide[:, 2:] | wide[:, :-2] | mask
    high = np.pad(mask, ((1, 1), (0, 0)))
    mask = high[2:] | high[:-2] | mask
  return mask


def _rings(hole: np.ndarray) -> np.ndarray:
  """How deep in the hole a pixel lies: 0 outside, `RINGS + 1` beyond all rings."""
  deep, done = np.where(hole, RINGS + 1, 0), ~hole
  for ring in range(1, RINGS + 1):
    grown = _grown(done, 1)
    if ring % 2 == 0:  # Squares and crosses in turn come close to circles.
      high, wide = np.pad(done, ((1, 1), (0, 0))), np.pad(done, ((0, 0), (1, 1)))
      grown = done | high[2:] | high[:-2] | wide[:, 2:] | wide[:, :-2]
    deep[grown & ~done] = ring
    done = grown
  return deep


def _padded(x: np.ndarray) -> np.ndarray:
  return np.pad(x, ((REACH, REACH), (REACH, REACH), (0, 0)))


def _patches(x: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
  """`(k, 49 c)` round pixels of `(n, n, c)` padded by `REACH`, channel by channel."""
  width = 2 * REACH + 1
  windows = np.lib.stride_tricks.sliding_window_view(x, (width, width), (0, 1))
  return windows[row, column].reshape(len(row), -1)


def _squares(patches: np.ndarray) -> np.ndarray:
  """`(k, 3 f)` to `(k, f)`: their squares, added over channels."""
  return (patches**2).reshape(len(patches), 3, -1).sum(1)


def _peeled(level: _Level, deep: np.ndarray, wanted: np.ndarray) -> np.ndarray:
  """Offsets `(COARSE, COARSE, 2)`, found ring after ring.

  Args:
    level: the coarse one.
    deep: `_rings` of its hole.
    wanted: `(COARSE, COARSE)` bool, pixels that are filled.
  """
  guess = _padded(level.picture)
  trust = _padded(np.where(level.hole, FOG, 1).astype(np.float32)[..., None])
  offsets = np.zeros((*deep.shape, 2), np.int32)
  sources = np.nonzero(level.sources)
  there = _patches(_padded(level.usable[..., None]), *sources).astype(np.float32)
  examples = np.tile(there, 3) * _patches(guess, *sources)
  squares = _squares(examples)
  for ring in range(1, RINGS + 1):
    row, column = np.nonzero((deep == ring) & wanted)
    if not len(row):  # a narrow hole has few rings
      continue
    weights = _patches(trust, row, column)
    weights /= weights.sum(1, keepdims=True)
    patches = _patches(guess, row, column)
    cost = weights @ squares.T + (weights * _squares(patches)) @ there.T
    cost -= (2 * np.tile(weights, 3) * patches) @ examples.T
    mass = weights @ there.T
    way = (row[:, None] - sources[0]) ** 2 + (column[:, None] - sources[1]) ** 2
    cost = np.where(mass < MOSTLY, np.inf, cost / mass.clip(1e-6) + AWAY * way)
    best = cost.argmin(1)
    source = sources[0][best], sources[1][best]
    offsets[row, column] = np.stack([source[0] - row, source[1] - column], -1)
    guess[row + REACH, column + REACH] = level.picture[source]
    trust[row + REACH, column + REACH] = TRUST**ring
  return offsets


def _refined(level: _Level, deep, places: Places, rounds: int, rng) -> Places:
  """Places in a level of twice the side, from those found before."""
  side = len(level.picture)
  cells = side // CELL
  ratio, finer = cells // len(places.known), side // COARSE
  offsets, known = (x.repeat(ratio, 0).repeat(ratio, 1) for x in places[:2])
  offsets = 2 * offsets
  deep = deep.repeat(finer, 0).repeat(finer, 1)
  cell = np.nonzero(known)
  middles = np.stack(cell, -1) * CELL + CELL // 2
  # Every second pixel of a patch says enough where pixels are fine.
  wide, steps = side + 2 * REACH, np.arange(0, 2 * REACH + 1, 2 if finer > 2 else 1)
  around = (steps[:, None] * wide + steps).ravel()

  def patches(pixels, middles):
    """`(k, f, c)` round pixels of `(n, n, c)`, padded and in one row."""
    return pixels[(middles[:, :1] * wide + middles[:, 1:]) + around]

  rows = np.concatenate([level.picture, level.usable[..., None]], -1)
  rows = _padded(rows).reshape(-1, 4)
  for _ in range(rounds):
    copies = drawn(level.picture, Places(offsets, known, side, places.share))
    shown = level.hole & (copies[..., 3] > 0)
    guess = np.where(shown[..., None], copies[..., :3], level.picture)
    trust = np.where(level.hole, np.where(shown, TRUST**deep, FOG), 1)[..., None]
    target = patches(_padded(guess).reshape(-1, 3), middles)
    weights = patches(_padded(np.float32(trust)).reshape(-1, 1), middles)[..., 0]
    weights /= weights.sum(1, keepdims=True)

    def cost(offsets, target=target, weights=weights):
      source = middles + offsets
      inside = ((source >= 0) & (source < side)).all(-1)
      source *= inside[:, None]
      found = patches(rows, source)
      counts = weights * found[..., 3]
      away = found[..., :3] - target
      away = np.einsum('kfc,kfc,kf->k', away, away, counts)
      mass = counts.sum(1)
      inside &= level.sources[source[:, 0], source[:, 1]] & (mass >= MOSTLY)
      return np.where(inside, away / mass.clip(1e-6), np.inf)

    own = offsets[cell]
    least = cost(own)
    for step in (*BESIDE, *NEAR):
      if isinstance(step, tuple):
        beside = tuple(np.add(cell, np.reshape(step, (2, 1))).clip(0, cells - 1))
        other = np.where(known[beside][:, None], offsets[beside], own)
      else:
        other = own + rng.integers(-step, step + 1, own.shape)
      away = cost(other)
      own = np.where((away < least)[:, None], other, own)
      least = np.minimum(away, least)
    offsets = offsets.copy()
    offsets[cell] = own
  return Places(offsets, known, side, places.share)
