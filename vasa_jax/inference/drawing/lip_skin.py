"""Lips that close over a smile: their skin goes with their rims.

A portrait that shows its teeth has them between two lips, and a mouth that closes has
no room for them. The flow, on a grid of few cells a mouth, squeezes them to a jagged
white line instead. Here the skin beside the rims is taken from beside the portrait's
own rims, as far from them as it is now, and a shade drawn where lips meet. Lips that
are as far apart as in the portrait are left alone.

Pure functions of arrays; lengths are crop units, or mouth widths where it is said.
"""

import jax.numpy as jnp

from vasa_jax.face.enlarge import sampled
from vasa_jax.inference.drawing.rims import Rims, along
from vasa_jax.nn.smooth_step import smooth_step
from vasa_jax.types import Array

# Share of the portrait's opening that is gone before skin is drawn, and before it is
# drawn whole; openings of mouths that are shut in the portrait, and that are parted.
CLOSES = 0.1, 0.5
AJAR = 0.03, 0.07
# Mouth widths: how far beyond the portrait's rims skin is free of teeth, and how far
# from the rims the flow is right again.
CLEAR, NEAR, FAR = 0.03, 0.05, 0.13
# The same: how much farther from the rims skin begins towards the corners, where
# landmarks lie inside a mouth, and where it fades beyond them.
WIDER, ENDS, CORNER = 0.025, (0.36, 0.48), (0.5, 0.6)
# Where lips meet: how dark (red least), how broad, and the gap at which no shade is.
MEET, BREADTH, GAP = (0.28, 0.38, 0.38), 0.014, 0.04


def closed(
  face: Array, rest: Rims, now: Rims, place: Array, fine: Array, soft: Array
) -> Array:
  """A face with skin up to the rims of its lips.

  Args:
    face, place: `(n, n, 3)` and `(n, n, 2)`, pixels round the mouth and where they are.
    rest, now: rims in the portrait and in this frame.
    fine: `(k, k, 3)` uint8, the portrait.
    soft: width of an edge.
  """
  before = rest.opening()
  gone = 1 - now.opening() / jnp.maximum(before, 1e-3)
  share = smooth_step((gone - CLOSES[0]) / (CLOSES[1] - CLOSES[0]))
  share *= smooth_step((before - AJAR[0]) / (AJAR[1] - AJAR[0]))

  u, v = now.within(place)
  above, below = along(now.above, u), along(now.below, u)
  meet = (above + below) / 2
  above, below = jnp.minimum(above, meet), jnp.maximum(below, meet)
  upper = v < meet
  away = jnp.maximum(jnp.where(upper, above - v, v - below), 0)
  size = jnp.linalg.norm(now.across) / jnp.linalg.norm(rest.across)
  # Far from the rims nothing is left out.
  start = CLEAR + WIDER * smooth_step((jnp.abs(u) - ENDS[0]) / (ENDS[1] - ENDS[0]))
  back = start + away * size * (1 - start / FAR)
  then = jnp.where(upper, along(rest.above, u) - back, along(rest.below, u) + back)
  k = len(fine)
  skin = sampled(fine.reshape(-1, 3), rest.places(u, then) * k - 0.5, k, k) / 255

  line = jnp.maximum(BREADTH, soft / jnp.linalg.norm(now.across))
  dark = jnp.exp(-jnp.square((v - meet) / line))
  dark *= 1 - smooth_step((below - above) / GAP)
  skin *= 1 - dark[..., None] * jnp.asarray(MEET)

  share *= 1 - smooth_step((away - NEAR) / (FAR - NEAR))
  share *= smooth_step((CORNER[1] - jnp.abs(u)) / (CORNER[1] - CORNER[0]))
  return face + share[..., None] * (skin - face)
