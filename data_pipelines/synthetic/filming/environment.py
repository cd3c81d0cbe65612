"""What a person sees all round: the light that a place throws on a face (numpy only).

A coarse model of a room or a landscape, six soft sides and a few bright lobes, is
enough: irradiance keeps nine numbers a colour of it (`ambient`).
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Surroundings:
  """A room or a landscape as a person in it sees it; linear colours (3,).

  Attributes:
    up, down, left, right, front: what lies there; front is behind the camera.
    lobes: further lights: (direction (3,), colour (3,), sharpness); a lobe adds
      `colour * exp(sharpness * (d . direction - 1))`.
  """

  up: np.ndarray
  down: np.ndarray
  left: np.ndarray
  right: np.ndarray
  front: np.ndarray
  lobes: tuple = ()

  def radiance(self, directions: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """(n, 3) light from (n, 3) directions; `picture` (h, w, 3) linear hangs behind."""
    d = np.asarray(directions)
    h, w = picture.shape[:2]
    back = np.maximum(-d[:, 2], 1e-3)
    # The picture shows some 60 degrees of what is behind; its edges go on from there.
    column = np.clip((0.5 + 0.85 * d[:, 0] / back) * w, 0, w - 1).astype(int)
    row = np.clip((0.5 - 0.85 * d[:, 1] / back) * h, 0, h - 1).astype(int)
    behind = picture[row, column]
    square = (d * d)[:, :, None]  # the three sum to 1: a soft box
    side = np.where(d[:, :1] < 0, self.left, self.right)
    level = np.where(d[:, 1:2] < 0, self.down, self.up)
    depth = np.where(d[:, 2:] < 0, behind, self.front)
    total = square[:, 0] * side + square[:, 1] * level + square[:, 2] * depth
    for direction, light, sharpness in self.lobes:
      near = np.exp(sharpness * (d @ np.asarray(direction) - 1))
      total = total + near[:, None] * np.asarray(light)
    return total
