"""The people of the oracle set, as the questions to a face model need them."""

from pathlib import Path
from typing import Any

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.metrics.disentangle import Frame
from vasa_jax.types import Motion


def people_of(oracle: Path) -> dict[int, dict[str, Any]]:
  """By number: 'base' the base shot, and by factor `{value: shot}`.

  Raises:
    UserError: there is no set, or it was made by another version.
  """
  from data_pipelines.synthetic.oracle_set import load_oracle

  people: dict[int, dict[str, Any]] = {}
  for group in load_oracle(oracle):
    person = people.setdefault(group.identity, {'base': group.base})
    person[group.factor] = {shot.value: shot for shot in group.changed}
  return people


def frame_of(shot: Any, size: int) -> Frame:
  """A shot with its exact motion, `size` pixels a side.

  Raises:
    UserError: the set's size is no multiple of it.
  """
  return Frame(averaged(shot.picture, size), Motion(shot.z_pose, shot.z_dyn))


def averaged(picture: np.ndarray, size: int) -> np.ndarray:
  """`(s, s, 3)` uint8 to `(size, size, 3)`, means of whole pixels."""
  factor, rest = divmod(picture.shape[0], size)
  if rest or not factor:
    raise UserError(
      f'the oracle set has {picture.shape[0]} px, the model {size} px; make a set of '
      'that size or a multiple'
    )
  parts = picture.reshape(size, factor, size, factor, 3).mean((1, 3))
  return np.rint(parts).astype(np.uint8)
