"""Motion by name, in JSON: `{"pose": {"yaw": 20}, "dynamics": {"jawOpen": 0.3}}`.

`pose` has yaw, pitch, roll (degrees), distance (ratio), x and y (crop units);
`dynamics` the 52 ARKit units, eye_yaw and eye_pitch (degrees, in the head's frame).
Each value is a number or a list of key frames, `{"time": seconds, "value": x}`; what is
not named stays as it is.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference.directing.controls import read_file, track
from vasa_jax.types import NUM_UNITS, POSE_DIM, Motion

UNITS = tuple(
  """browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff
  cheekSquintLeft cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft
  eyeLookDownRight eyeLookInLeft eyeLookInRight eyeLookOutLeft eyeLookOutRight
  eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight
  jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight
  mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft
  mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight
  mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft
  mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft
  mouthUpperUpRight noseSneerLeft noseSneerRight tongueOut""".split()
)
"""The order of `z_dyn` of anchored weights, before the two eye angles."""

_POSE = {  # column of z_pose, limits
  'yaw': (0, (-60.0, 60.0)), 'pitch': (1, (-40.0, 40.0)), 'roll': (2, (-45.0, 45.0)),
  'distance': (3, (0.5, 2.0)), 'x': (4, (-0.5, 0.5)), 'y': (5, (-0.5, 0.5)),
}  # fmt: skip
_DYNAMICS = {name: (i, (0.0, 1.4)) for i, name in enumerate(UNITS)} | {
  'eye_yaw': (NUM_UNITS, (-26.0, 26.0)), 'eye_pitch': (NUM_UNITS + 1, (-26.0, 26.0)),
}  # fmt: skip
_ANGLES = ('yaw', 'pitch', 'roll', 'eye_yaw', 'eye_pitch')


def read_named(path: str | Path) -> Mapping[str, Any]:
  """The contents of such a file.

  Raises:
    UserError: it cannot be read, or is something else.
    UsageError: an unknown name, or a value out of range.
  """
  values = read_file(path, 'pose or dynamics')
  if not set(values) <= {'pose', 'dynamics'}:
    raise UserError(f'{path}: must be a JSON object with pose or dynamics')
  still = Motion(np.zeros((1, POSE_DIM)), np.zeros((1, NUM_UNITS + 2)))
  named_motion(values, still, 1)
  return values


def named_motion(values: Mapping[str, Any], own: Motion, frames: int) -> Motion:
  """`frames` frames of named values, the others as in `own` (batch 1).

  Raises:
    UsageError: an unknown name, or a value out of range.
  """
  made = jax.tree.map(lambda x: np.repeat(np.float32(x)[:1], frames, 0), own)
  for part, table, known in (
    ('pose', made.z_pose, _POSE),
    ('dynamics', made.z_dyn, _DYNAMICS),
  ):
    asked = values.get(part, {})
    if not isinstance(asked, Mapping):
      raise UsageError(f'{part} must be an object of names and values')
    for name, value in asked.items():
      if name not in known:
        some = ', '.join(known) if len(known) < 9 else 'the 52 ARKit names'
        raise UsageError(f'{part}: unknown value {name}; there are {some}')
      column, limits = known[name]
      row = track(f'{part} {name}', value, 1, limits, frames)
      row = row if row.ndim == 1 else row[:, 0]
      if name in _ANGLES:
        row = np.radians(row)
      table[:, column] = np.log(row) if name == 'distance' else row
  return made
