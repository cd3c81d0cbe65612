"""The net of Deep3DFaceRecon (Deng et al. 2019): a face to 3DMM coefficients.

VASA-1 (section 4) extracts head poses with it. A torchvision ResNet-50 over an aligned
224 px face and seven linear heads; here only the head's three angles are kept. The
published checkpoint (`net_recon` of the PyTorch release) is loaded by `from_torch`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.teachers.resnet import RESNET50, trunk, trunk_from_torch
from vasa_jax.types import Array

SIDE = 224
ANGLES = 3  # the fourth head: after identity (80), expression (64) and texture (80)


@dataclasses.dataclass(frozen=True)
class ReconConfig:
  """Layout of the ResNet; `dtype` of the arithmetic."""

  stages: tuple[int, ...] = RESNET50
  width: int = 64
  dtype: Any = jnp.float32


class ReconNet(nn.Module):
  """Aligned face `(b, 224, 224, 3)` RGB in [0, 1] -> `(b, 3)` angles x, y, z, radians.

  The face's vertices turn by Rz Ry Rx, x to the right of the picture, y up, z to the
  camera: `rotation_of`.
  """

  config: ReconConfig = ReconConfig()

  @nn.compact
  def __call__(self, picture: Array) -> Array:
    c = self.config
    x = trunk(picture, c.stages, c.width, c.dtype)[-1]
    return nn.Dense(3, name='angles')(x.mean((1, 2)).astype(jnp.float32))


def from_torch(
  state: Mapping[str, np.ndarray], config: ReconConfig = ReconConfig()
) -> dict:
  """Parameters of `ReconNet` from the published state dict (`net_recon.` or without).

  Raises:
    UserError: an array is missing.
  """
  state = {
    name.removeprefix('net_recon.'): np.asarray(value, np.float32)
    for name, value in state.items()
    if 'num_batches_tracked' not in name and np.asarray(value).dtype.kind == 'f'
  }
  try:
    params = trunk_from_torch(state, config.stages, 'backbone.')
    head = f'final_layers.{ANGLES}'
    params['angles'] = {
      'kernel': state[f'{head}.weight'].reshape(ANGLES, -1).T,
      'bias': state[f'{head}.bias'],
    }
  except KeyError as error:
    raise UserError(f'the Deep3DFaceRecon weights lack {error.args[0]}') from None
  return params


def rotation_of(angles: np.ndarray) -> np.ndarray:
  """`(..., 3)` angles about x, y, z to the `(..., 3, 3)` rotation Rz Ry Rx."""
  x, y, z = np.moveaxis(np.asarray(angles, np.float64), -1, 0)
  (cx, cy, cz), (sx, sy, sz) = (f(np.stack([x, y, z])) for f in (np.cos, np.sin))
  rows = (
    (cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx),
    (sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx),
    (-sy, cy * sx, cy * cx),
  )
  return np.stack([np.stack(row, -1) for row in rows], -2)


def placement(found: np.ndarray, standard: np.ndarray) -> np.ndarray:
  """Where the net wants a face: the `(2, 3)` affine map of the picture to its 224 px.

  Weak perspective (POS) of five points on the standard ones, as the release does it.

  Args:
    found: `(5, 2)` px, y down: both eyes (the picture's left first), tip of the nose,
      corners of the mouth.
    standard: `(5, 3)` of the same points of the release's mean face.
  """
  rows = np.concatenate([standard, np.ones((5, 1))], 1)
  across = np.linalg.lstsq(rows, found[:, 0], rcond=None)[0]
  up = np.linalg.lstsq(rows, -found[:, 1], rcond=None)[0]
  size = (np.linalg.norm(across[:3]) + np.linalg.norm(up[:3])) / 2
  scale = 102.0 / size  # the release's rescale factor
  middle = np.array([across[3], -up[3]])
  return np.column_stack([scale * np.eye(2), SIDE / 2 - scale * middle])
