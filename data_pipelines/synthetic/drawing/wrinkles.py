"""Skin in relief: pores and creases as a slope of the surface, creases with expression.

The face units pull the skin together in five places on each side; where they do, the
person's creases (`Skin.wrinkles`) sink in and darken, and strong feeling brings blood
to the cheeks or takes it away.
"""

import functools
from typing import NamedTuple

import cv2
import numba
import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.drawing import raster
from data_pipelines.synthetic.people.skin import Skin

GROUPS = 5  # forehead, glabella, crow's feet, nasolabial, chin
CREASE = 0.017  # mesh units a crease of full height sinks in at depth 1
DARKENING = 0.35  # of light in a crease of full height at depth 1
GRAIN = 0.4  # slope (mesh units a texture) that the grain of the albedo makes
PORES = 0.42  # the same of pores
RESTING = 0.12  # tension of a face at rest, per unit of depth above 1

# Which units crease which place, and how much of the tension each brings.
CREASES = (
  {'browInnerUp': 0.7, 'browOuterUp': 0.6, 'eyeWide': 0.15},
  {'browDown': 0.9, 'noseSneer': 0.25, 'browInnerUp': 0.15},
  {'eyeSquint': 0.6, 'cheekSquint': 0.6, 'mouthSmile': 0.45, 'eyeBlink': 0.1},
  {'mouthSmile': 0.7, 'noseSneer': 0.5, 'mouthUpperUp': 0.4, 'mouthDimple': 0.35},
  {'mouthShrugLower': 0.7, 'mouthFrown': 0.6, 'mouthPress': 0.5, 'mouthRollLower': 0.3},
)


class Relief(NamedTuple):
  """The skin's relief on the grid of its texture, h x w."""

  still: np.ndarray  # (h w, 3) float32: slopes dh/du, dh/dv (mesh units), darkening
  active: np.ndarray  # (k,) int32, texels that some crease touches
  slopes: np.ndarray  # (k, 5, 3) float32, of each crease at full tension
  left: np.ndarray  # (k,) float32, share of the person's left side, 0..1


@functools.lru_cache(maxsize=1)
def _weights():
  """(2, 5, 52): tension of each place by unit; the person's left side, then right."""
  weights = np.zeros((2, GROUPS, len(assets_lib.UNITS)), np.float32)
  for group, amounts in enumerate(CREASES):
    for name, amount in amounts.items():
      for side, suffix in enumerate(('Left', 'Right')):
        unit = name if name in assets_lib.UNITS else name + suffix
        weights[side, group, assets_lib.UNITS.index(unit)] = amount
  return weights


def tension(units: np.ndarray) -> np.ndarray:
  """How tightly each place is creased, (2, 5) float32 in [0, 1]: left, right."""
  return np.clip(_weights() @ np.clip(units, 0, None), 0, 1).astype(np.float32)


def blush(units: np.ndarray) -> float:
  """Blood in the face: above 0 red (anger, laughter, strain), below 0 pale (fear)."""
  at = assets_lib.UNITS.index

  def both(name):
    return (units[at(name + 'Left')] + units[at(name + 'Right')]) / 2

  angry = both('browDown') * max(both('noseSneer'), both('mouthPress'), 0.3)
  laughing = both('mouthSmile') * units[at('jawOpen')] * 1.5
  afraid = units[at('browInnerUp')] * both('eyeWide') * (1 - both('mouthSmile'))
  return float(np.clip(angry + laughing + 0.4 * units[at('cheekPuff')] - afraid, -1, 1))


@functools.lru_cache(maxsize=1)
def blush_places() -> np.ndarray:
  """(n,) float32 in [0, 1] by base vertex: cheeks, nose and chin, where blood shows."""
  assets = assets_lib.load_assets()
  units = np.linalg.norm(assets.units, axis=-1)
  at = assets_lib.UNITS.index
  shares = [
    (0.9, ('cheekPuff',)),
    (0.6, ('cheekSquintLeft', 'cheekSquintRight')),
    (0.5, ('noseSneerLeft', 'noseSneerRight')),
  ]
  total = np.zeros(units.shape[1], np.float32)
  for share, names in shares:
    moved = sum(units[at(name)] for name in names)
    total += np.float32(share) * moved / moved.max()
  return np.clip(total, 0, 1)


@functools.lru_cache(maxsize=4)
def _left_side(side: int) -> np.ndarray:
  """(side, side) float32: share of the person's left in texture coordinates."""
  assets = assets_lib.load_assets()
  part = assets.parts['skin']
  screen = np.empty((len(part.uv), 3), np.float32)
  screen[:, 0], screen[:, 1], screen[:, 2] = part.uv[:, 0], 1 - part.uv[:, 1], 0
  screen[:, :2] *= side
  x = assets.vertices[part.ref[:, 0], 0]
  where = raster.cover(screen, part.triangles, side).triangle
  seen = where >= 0
  out = np.full((side, side), 0.5, np.float32)
  middle = x[part.triangles].mean(1)
  out[seen] = np.clip(0.5 + middle[where[seen]] / 0.16, 0, 1)
  return out


def _slopes(height):
  """(h, w, 2): change of the height across the whole texture, against u and v."""
  rows, columns = height.shape
  across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=1, scale=0.5 * columns)
  down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=1, scale=0.5 * rows)
  return np.dstack([across, down])


@functools.lru_cache(maxsize=4)
def _pores(side: int) -> np.ndarray:
  """(side, side, 2) float32 slopes of a fixed fine roughness, root mean square 1."""
  noise = np.random.default_rng(side).standard_normal((side, side), np.float32)
  fine = cv2.GaussianBlur(noise, (0, 0), 0.8)
  slope = _slopes(fine - cv2.GaussianBlur(fine, (0, 0), 2.5))
  slope /= np.sqrt((slope**2).mean())
  slope.setflags(write=False)
  return slope


def build_relief(skin: Skin, side: int) -> Relief:
  """The relief of a skin at the resolution at which it is drawn.

  Args:
    skin: the grain of its albedo, its creases and their depth.
    side: texels each way.
  """
  depth = skin.wrinkle_depth
  rows = columns = side
  green = np.ascontiguousarray(skin.albedo[..., 1])
  grey = cv2.resize(green, (side, side), interpolation=cv2.INTER_AREA)
  grey = grey.astype(np.float32) / 255
  grain = np.clip(grey - cv2.GaussianBlur(grey, (0, 0), 1.6), -0.04, 0.04)
  slope = _slopes(grain)
  spread = float(np.linalg.norm(slope)) / slope.size**0.5 + 1e-6
  still = np.zeros((rows, columns, 3), np.float32)
  # A fixed roughness: a coarser grid keeps its share of it.
  still[..., :2] = np.clip(slope * (GRAIN / spread), -3 * GRAIN, 3 * GRAIN)
  still[..., :2] += np.float32(PORES * (0.7 + 0.3 * min(depth, 2))) * _pores(side)
  smooth = [
    cv2.GaussianBlur(cv2.resize(heights, (side, side)), (0, 0), 0.7)
    for heights in skin.wrinkles
  ]
  touched = cv2.dilate(np.max(smooth, 0), np.ones((3, 3), np.uint8)) > 2
  active = np.nonzero(touched.ravel())[0].astype(np.int32)
  slopes = np.empty((len(active), GROUPS, 3), np.float32)
  for group, height in enumerate(smooth):
    height = height.astype(np.float32) * np.float32(depth / 255)
    slopes[:, group, :2] = _slopes(height * -CREASE).reshape(-1, 2)[active]
    slopes[:, group, 2] = height.ravel()[active] * DARKENING
  # Old skin is never smooth.
  resting = np.float32(RESTING * np.clip(depth, 0, 2))
  flat = still.reshape(-1, 3)
  flat[active] += slopes.sum(1) * resting
  left = cv2.resize(_left_side(256), (columns, rows), interpolation=cv2.INTER_AREA)
  return Relief(flat, active, slopes, left.reshape(-1)[active])


@numba.njit(cache=True, fastmath=True)
def crease(out, still, active, slopes, left, pull):
  """Writes the relief of a face with tensions `pull` (2, 5) into `out` (h w, 3).

  Only where a crease can be: elsewhere `out` has to hold `still` already.
  """
  for k in range(active.shape[0]):
    share = left[k]
    row, rest = out[active[k]], still[active[k]]
    x, y, z = rest[0], rest[1], rest[2]
    for g in range(slopes.shape[1]):
      weight = pull[0, g] * share + pull[1, g] * (1 - share)
      x += weight * slopes[k, g, 0]
      y += weight * slopes[k, g, 1]
      z += weight * slopes[k, g, 2]
    row[0], row[1], row[2] = x, y, z
