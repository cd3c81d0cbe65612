"""Windows that follow the head: for the dynamics net, and for judges of faces.

A window is a similarity (shift, turn, size) from its own pixels to the picture; the
picture is averaged down first where the window is coarser, and sampled bilinearly. The
gradient goes to the picture; where the window lies is held still.
"""

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.nn.blocks import average_pool
from vasa_jax.nn.warp import screen_grid, warp_picture
from vasa_jax.types import Array

# Mouth, and the eyes on the picture's left and right, in the 112 px crop that ArcFace
# was trained on.
ARCFACE_MARKS = np.array([[56.1, 92.3], [38.3, 51.7], [73.5, 51.5]], np.float32) / 112


def loosened(marks: np.ndarray, share: float) -> np.ndarray:
  """The marks in a window with the same middle in which the face is `share` as big."""
  return (marks - 0.5) * share + 0.5


def _sampled(picture: Array, points: Array, width: float) -> Array:
  """`picture` at `points (b, h, w, 2)` of a window about `width` crop units wide."""
  side = picture.shape[1]
  factor = 1
  while 2 * factor <= side * width / points.shape[1] and side % (2 * factor) == 0:
    factor *= 2
  return warp_picture(
    average_pool(picture, (factor, factor)), jax.lax.stop_gradient(points)
  )


def pose_crop(picture: Array, z_pose: Array, side: int, zoom: float) -> Array:
  """The head moved to the middle, upright and in its reference size.

  Args:
    picture: `(b, h, w, 3)`.
    z_pose: `(b, 6)`; roll, log distance ratio and shift are undone.
    side: of the result in pixels.
    zoom: the window is 1 / zoom of the reference crop.

  Returns:
    `(b, side, side, 3)`; the border is repeated beyond the picture.
  """
  roll, ratio, shift = z_pose[:, 2], z_pose[:, 3], z_pose[:, 4:6]
  cos, sin = jnp.cos(roll), jnp.sin(roll)
  # Roll is counter-clockwise on screen, where y points down.
  turn = jnp.stack([jnp.stack([cos, sin], -1), jnp.stack([-sin, cos], -1)], -2)
  scale = (jnp.exp(-ratio) / zoom)[:, None, None, None]
  window = jnp.einsum('bij,hwj->bhwi', turn, screen_grid(side) - 0.5) * scale
  return _sampled(picture, window + 0.5 + shift[:, None, None], 1 / zoom)


def aligned_crop(picture: Array, centres: Array, marks: np.ndarray, side: int) -> Array:
  """The window in which mouth and eyes come to lie at `marks`, by least squares.

  Args:
    picture: `(b, h, w, 3)`.
    centres: `(b, 3, 2)` mouth and eyes in the picture, crop units.
    marks: `(3, 2)` where they are to lie in the window, 0..1.
    side: of the result in pixels.

  Returns:
    `(b, side, side, 3)`.
  """
  # As complex numbers a similarity is z -> a z + c.
  to = centres[..., 0] + 1j * centres[..., 1]
  at = jnp.asarray(marks[:, 0] + 1j * marks[:, 1])
  middle_to, middle_at = to.mean(-1, keepdims=True), at.mean()
  factor = jnp.sum(jnp.conj(at - middle_at) * (to - middle_to), -1)
  factor = factor / jnp.sum(jnp.abs(at - middle_at) ** 2)
  grid = screen_grid(side)
  grid = grid[..., 0] + 1j * grid[..., 1] - middle_at
  points = factor[:, None, None] * grid + middle_to[..., None]
  points = jnp.stack([points.real, points.imag], -1)
  # Faces in a crop differ little in size: the width of a typical one chooses the pool.
  return _sampled(picture, points, 0.3 / float(np.ptp(marks[:, 0])))
