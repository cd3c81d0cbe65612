"""Hides who is seen from the dynamics encoder, in training (MegaPortraits' appendix).

A smooth random warp bends the face's proportions, strong jitter changes the colours of
skin, hair and light; expression and gaze survive. What then reaches `z_dyn` is motion.
Values are those of the authors' later code: control points of a 9 x 9 grid moved by a
tenth of a cell, brightness, contrast, saturation and hue by 0.4, one in twenty grey.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from vasa_jax.nn.warp import screen_grid, warp_picture
from vasa_jax.types import Array

CONTROL, JITTER = 9, 0.1
COLOUR, GREY = 0.4, 0.05
LUMA = (0.299, 0.587, 0.114)


class Colours(NamedTuple):
  """One change of colours a picture, `(b,)` each; hue in turns."""

  brightness: Array
  contrast: Array
  saturation: Array
  hue: Array


def elastic_warp(picture: Array, key: Array, jitter: float = JITTER) -> Array:
  """Bends `(b, h, w, c)` smoothly; its border stays.

  Args:
    jitter: deviation of the inner control points, in cells.
  """
  b, side = picture.shape[:2]
  inner = jax.random.normal(key, (b, CONTROL - 2, CONTROL - 2, 2))
  moves = jnp.pad(inner, ((0, 0), (1, 1), (1, 1), (0, 0))) * jitter / (CONTROL - 1)
  # Control points lie on the border, pixels have their centres inside of it.
  place = screen_grid(side) * (CONTROL - 1)
  weights = jnp.stack([_cubic(place[0, :, 0] - k) for k in range(CONTROL)], -1)
  field = jnp.einsum('yi,bijc,xj->byxc', weights, moves, weights)
  return warp_picture(picture, screen_grid(side) + field)


def _cubic(x: Array) -> Array:
  """The cubic B-spline: smooth, within a cell or two of its control point."""
  x = jnp.abs(x)
  near = 2 / 3 - x**2 + x**3 / 2
  far = jnp.maximum(2 - x, 0.0) ** 3 / 6
  return jnp.where(x < 1, near, far)


def change_colours(picture: Array, change: Colours) -> Array:
  """`(b, h, w, 3)` in [0, 1] with other colours, in [0, 1]."""

  def of(x):
    return x.reshape(-1, 1, 1, 1)

  luma = jnp.array(LUMA)
  picture = picture * of(change.brightness)
  mean = jnp.mean(picture @ luma, (1, 2)).reshape(-1, 1, 1, 1)
  picture = (picture - mean) * of(change.contrast) + mean
  grey = (picture @ luma)[..., None]
  picture = (picture - grey) * of(change.saturation) + grey
  # Hue: colours turn about the grey axis.
  angle = 2 * jnp.pi * change.hue
  cos, sin = jnp.cos(angle)[:, None, None], jnp.sin(angle)[:, None, None] / jnp.sqrt(3)
  cross = jnp.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], jnp.float32)
  turn = cos * jnp.eye(3) + sin * cross + (1 - cos) / 3
  return jnp.clip(jnp.einsum('bij,bhwj->bhwi', turn, picture), 0.0, 1.0)


def hide_identity(picture: Array, key: Array) -> Array:
  """The warp and the jitter, drawn anew for each picture `(b, h, w, 3)` in [0, 1]."""
  b = picture.shape[0]
  keys = jax.random.split(key, 6)
  bent = elastic_warp(picture, keys[0])

  def about_one(key):
    return jax.random.uniform(key, (b,), minval=1 - COLOUR, maxval=1 + COLOUR)

  saturation = about_one(keys[3])
  grey = jax.random.bernoulli(keys[5], GREY, (b,))
  change = Colours(
    about_one(keys[1]),
    about_one(keys[2]),
    jnp.where(grey, 0.0, saturation),
    jax.random.uniform(keys[4], (b,), minval=-COLOUR, maxval=COLOUR),
  )
  return change_colours(bent, change)
