"""What makes skin one person's own: blotches, moles, freckles, spots, scars.

Everything is a density of melanin and of blood, added up over the head's island of the
texture; `skin.py` turns densities into colour.
"""

import cv2
import numpy as np

from data_pipelines.synthetic.people.skin_map import noise, regions
from data_pipelines.synthetic.people.traits import Traits


def _scatter(rng, mask, count, sigma, strength):
  """Round spots of one size, thrown where the mask is high: (h, w) float32."""
  out = np.zeros(mask.shape, np.float32)
  if count <= 0:
    return out
  rows = rng.integers(mask.shape[0], size=6 * count)
  columns = rng.integers(mask.shape[1], size=6 * count)
  taken = np.nonzero(rng.random(6 * count) < mask[rows, columns])[0][:count]
  amounts = strength * rng.gamma(2.5, 0.4, len(taken))
  np.add.at(out, (rows[taken], columns[taken]), amounts.astype(np.float32))
  return cv2.GaussianBlur(out, (0, 0), sigma) * np.float32(2 * np.pi * sigma**2)


def _mole(rng, mask, melanin, blood):
  """One mole: a small, dark, slightly ragged disc."""
  for _ in range(40):
    row, column = (int(rng.integers(n)) for n in mask.shape)
    if rng.random() < mask[row, column]:
      break
  radius = rng.uniform(0.9, 2.3)
  reach = 7
  top, left = max(row - reach, 0), max(column - reach, 0)
  y, x = np.mgrid[top : row + reach, left : column + reach][
    :, : mask.shape[0] - top, : mask.shape[1] - left
  ]
  turn, stretch = rng.uniform(0, np.pi), rng.uniform(0.75, 1.0)
  a = np.cos(turn) * (x - column) + np.sin(turn) * (y - row)
  b = -np.sin(turn) * (x - column) + np.cos(turn) * (y - row)
  spot = np.clip(radius + 0.6 - np.hypot(a, b / stretch), 0, 1)
  rows, columns = slice(top, top + y.shape[0]), slice(left, left + y.shape[1])
  melanin[rows, columns] += spot * np.float32(rng.uniform(0.5, 1.5))
  blood[rows, columns] += spot * np.float32(rng.uniform(0, 0.3))


def _scar(rng, mask, melanin, blood):
  """One old cut: a thin line, paler and a little red."""
  at = np.argwhere(mask > 0.5)
  row, column = at[rng.integers(len(at))]
  turn, length = rng.uniform(0, np.pi), rng.uniform(6, 22)
  bend = rng.normal(0, 0.15)
  s = np.linspace(-0.5, 0.5, 9)
  x = column + length * (s * np.cos(turn) - bend * s * s * np.sin(turn))
  y = row + length * (s * np.sin(turn) + bend * s * s * np.cos(turn))
  line = np.zeros(mask.shape, np.uint8)
  points = np.round(16 * np.stack([x, y], 1)).astype(np.int32)
  cv2.polylines(line, [points], False, 255, 1, cv2.LINE_AA, 4)
  line = cv2.GaussianBlur(line, (0, 0), 0.7) * np.float32(1 / 255)
  melanin -= line * np.float32(rng.uniform(0.3, 0.7))
  blood += line * np.float32(rng.uniform(-0.3, 0.5))


def add_blemishes(
  rng: np.random.Generator, traits: Traits, melanin: np.ndarray, blood: np.ndarray
) -> None:
  """Adds one person's marks to the two density maps, in place.

  Args:
    rng: the person's own stream for this.
    traits: of the person.
    melanin: `(h, w)` float32 on the head's island; 1 = a clearly darker skin.
    blood: `(h, w)` float32; 1 = as red as a fresh pimple.
  """
  where = regions()
  dark, old = traits.melanin, traits.age
  fair = np.clip(1 - 2.2 * dark, 0, 1)

  # Uneven pigment and blood, at three scales.
  uneven = rng.gamma(3, 0.33) * (0.7 + 0.6 * old)
  melanin += noise(rng, 'shades') * np.float32(0.03 * uneven)
  melanin += noise(rng, 'patches') * np.float32(0.02 * uneven)
  melanin += noise(rng, 'mottle') * np.float32(0.014 * uneven)
  blood += noise(rng, 'shades') * np.float32(0.04 * uneven)
  blood += noise(rng, 'patches') * np.float32(0.035 * uneven)
  blood += noise(rng, 'mottle') * np.float32(0.03 * uneven * (1 - 0.5 * dark))
  melanin += noise(rng, 'pores') * np.float32(0.03 + 0.025 * rng.random())

  # Where faces are redder or darker than they are elsewhere.
  flush = traits.redness * (1 - 0.7 * dark)
  for name, most in (
    ('cheeks', 0.55), ('nose', 0.6), ('nostrils', 0.5), ('chin', 0.3),
  ):  # fmt: skip
    blood += where[name] * np.float32(most * flush * rng.gamma(3, 0.33))
  circles = rng.gamma(1.3, 0.45) * (0.6 + 0.7 * old)
  melanin += where['under_eyes'] * np.float32(0.25 * circles * (0.7 + dark))
  blood += where['under_eyes'] * np.float32(0.3 * circles * (1 - dark))
  melanin += where['forehead'] * np.float32(rng.normal(0.03, 0.06) * (0.5 + dark))
  melanin += where['lids'] * np.float32(rng.gamma(1.5, 0.08))
  if dark > 0.4:  # darker about the mouth
    ring = where['chin'] * np.float32(rng.gamma(1.5, 0.12) * dark)
    melanin += ring

  if rng.random() < 0.5 * fair + 0.06:
    mask = where['mid_face'] + 0.35 * where['front']
    count = int(rng.gamma(1.2, 170))
    strength = rng.uniform(0.15, 0.5)
    melanin += _scatter(rng, mask, min(count, 900), 0.75, strength)
    melanin += _scatter(rng, mask, min(count // 4, 200), 1.25, 0.8 * strength)
  for _ in range(rng.poisson(1.8)):
    _mole(rng, where['front'], melanin, blood)
  if rng.random() < 0.4 * np.clip(1.3 - 2 * old, 0, 1):  # acne
    mask = where['cheeks'] + where['chin'] + 0.6 * where['forehead']
    count = int(rng.gamma(1.0, 16))
    blood += _scatter(rng, mask, count, 1.5, rng.uniform(0.3, 0.8))
    melanin += _scatter(rng, mask, count, 1.9, 0.15 + 0.3 * dark)
  if rng.random() < 1.4 * (old - 0.35):  # age spots
    mask = where['front'] * (0.3 + where['forehead'] + where['cheeks'])
    melanin += _scatter(rng, mask, int(rng.gamma(1.5, 12)), 2.0, 0.35)
    melanin += _scatter(rng, mask, int(rng.gamma(1.5, 5)), 3.2, 0.3)
  if rng.random() < 0.45 * fair * old:  # small veins on cheeks and nose
    veins = np.clip(noise(rng, 'mottle') - 0.8, 0, 2) * (
      where['cheeks'] + where['nose']
    )
    blood += veins * np.float32(rng.uniform(0.1, 0.45))
  if rng.random() < 0.05:
    _scar(rng, where['front'], melanin, blood)
