"""Make-up: foundation, blush, eye shadow, liner, brow tint, lipstick."""

import numpy as np

from data_pipelines.synthetic.people.skin_map import regions
from data_pipelines.synthetic.people.traits import Traits

# sRGB: nude, rose, coral, red, berry, plum, brown.
LIPSTICKS = np.array(
  [
    [0.72, 0.47, 0.42],
    [0.75, 0.36, 0.4],
    [0.8, 0.36, 0.29],
    [0.68, 0.08, 0.1],
    [0.55, 0.09, 0.2],
    [0.34, 0.09, 0.17],
    [0.45, 0.22, 0.17],
  ]
)
# sRGB: taupe, brown, smoke, rose, bronze, blue, green, violet.
SHADOWS = np.array(
  [
    [0.45, 0.36, 0.32],
    [0.34, 0.21, 0.15],
    [0.2, 0.19, 0.2],
    [0.66, 0.42, 0.43],
    [0.55, 0.36, 0.2],
    [0.28, 0.38, 0.55],
    [0.27, 0.42, 0.33],
    [0.42, 0.28, 0.48],
  ]
)


def _box(mask):
  """The rows and columns where a mask is not zero: most of the face is left alone."""
  rows, columns = (np.nonzero(mask.max(k) > 0.01)[0] for k in (1, 0))
  return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _lay_on(paint, mask, colour, opacity):
  """Blends a colour over the paint, in place; the paint's own shading shows through."""
  box = _box(mask)
  under = paint[box]
  share = (mask[box] * np.float32(opacity))[..., None]
  light = under.mean(-1, keepdims=True)
  weights = mask[box][..., None]
  level = (light * weights).sum() / weights.sum()
  shaded = colour.astype(np.float32) * (0.35 + 0.65 * light / level)
  paint[box] = under * (1 - share) + shaded * share


def calm(rng: np.random.Generator, traits: Traits) -> float:
  """How much of the blemishes shows through the foundation, 0..1."""
  return float(1 - 0.75 * traits.makeup * rng.uniform(0.4, 1))


def apply_makeup(
  rng: np.random.Generator, traits: Traits, paint: np.ndarray
) -> np.ndarray:
  """Paints make-up over finished skin.

  Args:
    rng: the person's own stream for this.
    traits: of the person; `makeup` says how heavy.
    paint: `(h, w, 3)` float32 sRGB 0..1 of the head's island; painted in place.

  Returns:
    `(h, w)` float32, what it adds to the skin's gloss (lips), about -1..1.
  """
  where, much = regions(), traits.makeup
  shine = np.zeros(paint.shape[:2], np.float32)
  if much <= 0:
    return shine
  deep = np.float32(1 - 0.45 * traits.melanin)  # pigments sit on dark skin darker
  if rng.random() < 0.5 + 0.5 * much:
    pale = np.array([5, 4, 2.5, 0.6 + 2 * much, 1 + much, 0.7, 1.2])
    colour = LIPSTICKS[rng.choice(len(LIPSTICKS), p=pale / pale.sum())] * deep
    colour = colour * np.exp(rng.normal(0, 0.08, 3))
    _lay_on(paint, where['lips'], colour, rng.uniform(0.3, 0.55) + 0.4 * much)
    shine += where['lips'] * np.float32(rng.uniform(-0.2, 1.0))
  if rng.random() < 0.3 + 0.6 * much:
    common = np.array([4, 4, 2, 2, 2, 0.6, 0.4, 0.5])
    colour = SHADOWS[rng.choice(len(SHADOWS), p=common / common.sum())] * deep
    _lay_on(paint, where['lids'], colour, rng.uniform(0.15, 0.3) + 0.4 * much)
  if rng.random() < 0.4 + 0.6 * much:
    colour = np.array([0.06, 0.045, 0.045]) * rng.uniform(0.6, 2.0)
    _lay_on(paint, where['lash_line'], colour, rng.uniform(0.3, 0.5) + 0.35 * much)
  if rng.random() < 0.3 + 0.5 * much:
    mask = where['apples'] * np.float32(rng.uniform(0.08, 0.2) + 0.15 * much)
    rose = np.array([0.0, rng.uniform(0.7, 1.1), rng.uniform(0.4, 0.9)], np.float32)
    paint *= np.exp(-mask[..., None] * rose)
  if rng.random() < 0.4 * much:
    tint = (np.clip(traits.brow_colour, 0, 1) ** (1 / 2.2)).astype(np.float32)
    _lay_on(paint, where['brows'], tint, rng.uniform(0.1, 0.35))
  return shine
