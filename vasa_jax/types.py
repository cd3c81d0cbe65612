"""The structs that cross folders, and the axis letters used everywhere.

Axes: `b` batch, `t` time (frames at 25 Hz), `d h w` depth, height, width, `c` channels,
`n` tokens or points. Channels last, always. Pictures are float32 in [0, 1].
"""

from typing import Any

import jax
from flax import struct

Array = jax.Array
FPS = 25
SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
POSE_DIM = 6
CRITIC = 'critic'  # where a tree of parameters holds the critic's, if one learns
NUM_UNITS = 52
EMOTIONS = (
    'anger', 'contempt', 'disgust', 'fear', 'happiness', 'neutral', 'sadness',
    'surprise',
)  # fmt: skip


@struct.dataclass
class Motion:
  """What moves, one per frame (VASA-1 section 3.1: `x = [z_pose, z_dyn]`).

  Attributes:
    z_pose: `(..., 6)` yaw, pitch, roll in radians, log distance ratio, and the shift
      `tx, ty` in crop units (x right, y down).
    z_dyn: `(..., k)` facial dynamics. With anchored latents (`lite`): 52 face units
      in [0, 1] in alphabetical ARKit order, then eye yaw and eye pitch in radians in
      the head's frame.
  """

  z_pose: Array
  z_dyn: Array


@struct.dataclass
class FaceCode:
  """What does not move, one per portrait (VASA-1 section 3.1: `v_app`, `z_id`).

  Attributes:
    v_app: `(b, d, h, w, c)` canonical appearance volume.
    z_id: `(b, ...)` identity descriptor.
    pixels: what the pixel path needs of the portrait (`face.pixel_path.PixelCode`), or
      None where the config has no pixel path (`paper`).
  """

  v_app: Array
  z_id: Array
  pixels: Any = None


@struct.dataclass
class Controls:
  """What the user asks of a clip. None stands for the paper's default.

  Attributes:
    gaze: `(..., 2)` main gaze (theta, phi) in degrees, camera frame; x right, y up.
    distance: `(..., 1)` distance ratio; 1 is the training mean, larger is farther.
    emotion: `(..., 8)` scores in the order of `EMOTIONS`.
  """

  gaze: Array | None = None
  distance: Array | None = None
  emotion: Array | None = None
