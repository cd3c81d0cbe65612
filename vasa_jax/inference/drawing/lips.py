"""Which pixels of a frame lie between its lips, and how much light comes there.

Pure functions of arrays; lengths are crop units, or mouth widths where it is said.
"""

from typing import NamedTuple

import jax.numpy as jnp

from vasa_jax.face.kinds import INNER_LIPS
from vasa_jax.inference.drawing.rims import Rims, along
from vasa_jax.nn.smooth_step import smooth_step
from vasa_jax.types import Array

# Landmarks along the inner rim of the lips, from the picture's left to its right.
UPPER_LIP = INNER_LIPS[:11]
LOWER_LIP = (INNER_LIPS[0], *INNER_LIPS[:10:-1], INNER_LIPS[10])
# Shade below the upper lip and above the lower one, with its reach in mouth widths, and
# in the corners. Light falls from above.
UNDER, OVER, CORNERS = (0.35, 0.05), (0.2, 0.04), 0.4


class Between(NamedTuple):
  """Places of a picture and the lips, `(..., 1)` each.

  Attributes:
    inside: 1 between the lips, 0 elsewhere.
    light: share of the light that comes there.
    depth: 0 at the upper rim, 1 at the lower one.
    aside: 0 in the middle, 1 at the corners.
  """

  inside: Array
  light: Array
  depth: Array
  aside: Array


def between(rims: Rims, place: Array, soft: Array) -> Between:
  """How places `(..., 2)` lie between the lips.

  Args:
    soft: width of an edge.
  """
  u, v = rims.within(place)
  above, below = along(rims.above, u), along(rims.below, u)
  soft = soft / jnp.linalg.norm(rims.across)
  under, over, gap = v - above, below - v, below - above
  inside = jnp.clip(under / soft + 0.5, 0, 1) * jnp.clip(over / soft + 0.5, 0, 1)
  inside *= smooth_step(gap / (2 * soft)) * (jnp.abs(u) < 0.5)
  light = 1 - UNDER[0] * jnp.exp(-jnp.maximum(under, 0) / UNDER[1])
  light *= 1 - OVER[0] * jnp.exp(-jnp.maximum(over, 0) / OVER[1])
  light *= 1 - CORNERS * jnp.square(2 * u)
  depth = under / jnp.maximum(gap, soft)
  return Between(*(x[..., None] for x in (inside, light, depth, jnp.abs(2 * u))))
