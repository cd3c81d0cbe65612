"""Where things are on the skin's texture: positions, regions of the face, noise.

The head's island of the texture lies on its side (up is left). Everything that is
painted is said in the base mesh's coordinates instead: each texel knows the point of
the base mesh that it covers, so a region is a function of |x|, y and z, and follows
the face wherever the mesh goes.
"""

import functools

import cv2
import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.drawing import raster

SIDE = 1024  # of the albedo
ROWS, COLUMNS = slice(176, 880), slice(640, 1024)  # the head's island in it
EYE, MOUTH = (0.308, 7.284), (0.0, 6.625)  # |x|, y of the base mesh's features


@functools.lru_cache(maxsize=4)
def positions(side: int) -> np.ndarray:
  """The base mesh's point under each texel, (side, side, 3) float32; read-only.

  Texels outside the mesh take the nearest texel's, so that nothing stops at a seam.
  """
  assets = assets_lib.load_assets()
  part = assets.parts['skin']
  at = assets.vertices[part.ref[:, 0]]
  flat = np.stack([part.uv[:, 0], 1 - part.uv[:, 1]], 1) * np.float32(side)
  screen = np.concatenate([flat, np.zeros((len(flat), 1))], 1)
  drawn = raster.cover(screen, part.triangles, side)
  covered = drawn.triangle >= 0
  corners = at[part.triangles[np.maximum(drawn.triangle, 0)]]
  u, v = drawn.u[..., None], drawn.v[..., None]
  found = (
    corners[..., 0, :] * (1 - u - v) + corners[..., 1, :] * u + corners[..., 2, :] * v
  )
  _, label = cv2.distanceTransformWithLabels(
    (~covered).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
  )
  nearest = np.zeros((label.max() + 1, 3), np.float32)
  nearest[label[covered]] = found[covered]
  out = nearest[label].astype(np.float32)
  out.setflags(write=False)
  return out


def head_positions(side: int = SIDE) -> np.ndarray:
  """`positions` of the head's island alone."""
  return positions(side)[head(side)]


def head(side: int) -> tuple[slice, slice]:
  """Rows and columns of the head's island in a texture of this size."""
  k = SIDE // side
  return tuple(slice(s.start // k, s.stop // k) for s in (ROWS, COLUMNS))


def step(value: np.ndarray, low: float, high: float) -> np.ndarray:
  """0 below `low`, 1 above `high`, smooth between; `low` > `high` falls instead."""
  t = np.clip((value - low) / (high - low), 0, 1)
  return t * t * (3 - 2 * t)


def _lips(side):
  """The vermilion as the photographs show it: redder than the skin about the mouth."""
  light = [n for n in assets_lib.load_assets().skins if 'african' not in n]
  mean = np.mean([assets_lib.load_skin(n)[..., :3] for n in light], 0, np.float32)
  mean = cv2.resize(mean, (side, side), interpolation=cv2.INTER_CUBIC)[head(side)]
  red = np.log(mean[..., 0] / mean[..., 1])
  x, y, z = np.moveaxis(head_positions(side), -1, 0)
  near = step(np.hypot(x / 0.3, (y - 6.62) / 0.21), 1.0, 0.8) * step(z, 1.2, 1.3)
  skin = np.median(red[(near > 0) & (np.abs(y - 6.62) > 0.15)])
  peak = np.quantile(red[near > 0.5], 0.9)
  return step(red, skin + 0.25 * (peak - skin), skin + 0.7 * (peak - skin)) * near


@functools.lru_cache(maxsize=2)
def regions(side: int = SIDE) -> dict[str, np.ndarray]:
  """Soft masks of the head's island, {name: (h, w) float32 in 0..1}, read-only."""
  x, y, z = np.moveaxis(head_positions(side), -1, 0)
  x = np.abs(x)
  front = step(z, 0.55, 0.95)

  def blob(at_x, at_y, wide, high):
    return np.exp(-(((x - at_x) / wide) ** 2) - ((y - at_y) / high) ** 2) * front

  lips = _lips(side)
  lid = np.hypot((x - 0.315) / 0.135, (y - 7.284) / 0.055)  # 1 at the lashes
  above = step(y, 7.27, 7.3)
  jaw = step(y - 0.5 * np.clip(x - 0.35, 0, 0.4), 6.66, 6.5)
  moustache = step(x, 0.36, 0.24) * step(y, 6.88, 6.81) * step(y, 6.6, 6.68)
  sides = step(x, 0.62, 0.7) * step(y, 7.2, 7.0) * step(y, 6.4, 6.6)
  growth = np.clip(jaw + moustache + sides, 0, 1) * step(z, 0.35, 0.65)
  growth *= step(y, 6.0, 6.2) * (1 - lips) * (1 - 0.6 * blob(0.16, 6.52, 0.08, 0.05))
  out = {
    'lips': lips,
    'cheeks': blob(0.44, 6.92, 0.2, 0.17),
    'apples': blob(0.4, 6.98, 0.14, 0.11),
    'nose': blob(0.0, 6.92, 0.15, 0.12) * step(z, 1.35, 1.5),
    'nostrils': blob(0.17, 6.87, 0.07, 0.07),
    'chin': blob(0.0, 6.33, 0.2, 0.12),
    'forehead': step(y, 7.45, 7.6) * step(y, 8.15, 7.9) * step(z, 0.9, 1.2),
    'under_eyes': blob(0.29, 7.185, 0.13, 0.05) * step(lid, 0.9, 1.2),
    'lids': step(lid, 2.6, 1.3) * above * step(y, 7.46, 7.36) * front,
    'lash_line': np.exp(-(((lid - 1.0) / 0.16) ** 2)) * (0.35 + 0.65 * above) * front,
    'mid_face': np.exp(-(((y - 7.02) / 0.2) ** 2)) * step(x, 0.72, 0.5) * front,
    'front': front * step(y, 6.1, 6.3) * step(y, 8.25, 8.0),
    'growth': growth,
    'brows': blob(0.33, 7.41, 0.22, 0.035),
  }
  out = {key: np.ascontiguousarray(value, np.float32) for key, value in out.items()}
  for value in out.values():
    value.setflags(write=False)
  return out


@functools.lru_cache(maxsize=1)
def _noise_bank():
  """Fields of unit variance on the head's island: pores, mottle, patches, shades."""
  rng = np.random.default_rng(20)
  high, wide = head_positions().shape[:2]
  fields = {}
  for name, sigma, shrink in (
    ('pores', 0.7, 1),
    ('mottle', 2.2, 2),
    ('patches', 2.5, 8),
    ('shades', 2.0, 32),
  ):
    # Wrapped about itself before it is blurred and enlarged, so that no shift of it
    # shows a seam.
    field = rng.standard_normal((high // shrink, wide // shrink), np.float32)
    field = cv2.copyMakeBorder(field, 9, 9, 9, 9, cv2.BORDER_WRAP)
    field = cv2.GaussianBlur(field, (0, 0), sigma)
    size = (field.shape[1] * shrink, field.shape[0] * shrink)
    field = cv2.resize(field, size, interpolation=cv2.INTER_CUBIC)
    field = field[9 * shrink : 9 * shrink + high, 9 * shrink : 9 * shrink + wide]
    fields[name] = (field - field.mean()) / field.std()
  return fields


def noise(rng: np.random.Generator, kind: str) -> np.ndarray:
  """A field of unit variance on the head's island, (h, w) float32.

  Shifted and turned copies of a fixed field: drawing it anew would cost ten times as
  much.

  Args:
    rng: says which copy.
    kind: `pores`, `mottle`, `patches` or `shades`, from fine to coarse.
  """
  field = _noise_bank()[kind]
  field = np.roll(field, rng.integers(field.shape), (0, 1))
  return field[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
