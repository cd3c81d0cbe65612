"""Where a beard grows: below a cheek line, above a neck line, around the lips."""

import functools
from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.people import scalp

ROOT_CANDIDATES = 320

# Outlines on the base mesh. Lips: half width -> heights of the vermilion borders.
_LIP_X = (0.0, 0.08, 0.15, 0.2, 0.26)
_UPPER_LIP = (6.705, 6.715, 6.69, 6.655, 6.615)
_LOWER_LIP = (6.485, 6.485, 6.5, 6.54, 6.61)
# Depth -> height of the cheek line, from the sideburn to the corner of the mouth.
_CHEEK_Z = (0.62, 0.7, 0.8, 0.95, 1.1, 1.25, 1.4, 1.5)
_CHEEK_Y = (7.2, 7.1, 6.95, 6.78, 6.68, 6.64, 6.68, 6.76)


class BeardMap(NamedTuple):
  """What the base mesh fixes once for everybody; distances in mesh units."""

  inside: np.ndarray  # (n,) how far inside the whole beard, negative outside
  triangles: np.ndarray  # (t, 3) mesh vertices of the skin that may bear hair
  roots: np.ndarray  # (r, 3) mesh vertices of the roots' triangles
  shares: np.ndarray  # (r, 3) barycentric
  place: np.ndarray  # (r, 3) on the base mesh


@functools.lru_cache(maxsize=1)
def beard_map() -> BeardMap:
  """The beard of the base mesh (about 50 ms, once per process)."""
  assets = assets_lib.load_assets()
  part = assets.parts['skin']
  v = assets.vertices
  x, y, z = np.abs(v[:, 0]), v[:, 1], v[:, 2]
  cheek = np.interp(z, _CHEEK_Z, _CHEEK_Y) - y
  under_nose = np.where(x < 0.3, 6.785 - 0.25 * np.maximum(x - 0.13, 0) - y, cheek)
  top = np.where(z > 1.38, np.maximum(cheek, under_nose), cheek)
  neck = np.minimum(y - 5.98, z - 0.6)
  neck = np.minimum(neck, y - 6.02 - 0.9 * np.maximum(0.95 - z, 0))
  upper = np.interp(x, _LIP_X, _UPPER_LIP)
  lower = np.interp(x, _LIP_X, _LOWER_LIP)
  lips = np.maximum(np.maximum(y - upper, lower - y), (x - 0.25) * 0.8) - 0.012
  lips = np.where(z > 1.2, lips, 1.0)
  inside = np.minimum(np.minimum(top, neck), np.minimum(lips, 0.25))
  skin = np.zeros(len(v), bool)
  skin[part.ref[:, 0]] = True
  # Neither the inside of the mouth nor the ears.
  skin &= (assets.sky > 0.35) & ~((x > 0.69) & (z < 0.74))
  inside = np.where(skin, inside, -1.0).astype(np.float32)
  triangles = part.ref[:, 0][part.triangles]
  triangles = triangles[(inside[triangles] > -0.035).all(1)]
  rng = np.random.default_rng(0xBEA2D)
  corners = v[triangles]
  area = np.linalg.norm(
    np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
  )
  chosen = rng.choice(len(triangles), 4 * ROOT_CANDIDATES, p=area / area.sum())
  a, b = rng.random((2, len(chosen)))
  flip = a + b > 1
  a, b = np.where(flip, 1 - a, a), np.where(flip, 1 - b, b)
  shares = np.stack([1 - a - b, a, b], 1)
  good = (inside[triangles[chosen]] * shares).sum(1) > 0.004
  chosen, shares = chosen[good], shares[good]
  place = (corners[chosen] * shares[..., None]).sum(1)
  order = scalp.spread(place, rng, min(ROOT_CANDIDATES, len(place)))
  return BeardMap(
    inside=inside,
    triangles=triangles,
    roots=triangles[chosen[order]],
    shares=shares[order].astype(np.float32),
    place=place[order],
  )
