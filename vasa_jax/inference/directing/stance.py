"""Generated motion about the portrait's own stance.

Stage 2 makes heads that look, on the whole, straight ahead. A portrait that is turned
away would have to show a cheek that nobody has seen, all the time. Here the head moves
about the way it is held in the portrait instead, and the eyes make up for it: gaze is
asked for, and conditioned on, in the camera's frame. Far excursions are drawn in, since
a head that turns or moves far shows what its portrait does not. Not in VASA-1, whose
demos take frontal pictures.

Where a head stays for seconds is framing: clips of the corpus have one each, body and
all, and stage 2 draws one. Here the body stays where the portrait has it, and a head
that was drawn away from it would stretch the neck or sink into the collar throughout.
"""

from collections.abc import Iterator

import numpy as np

from vasa_jax.types import NUM_UNITS, Motion

EYES = slice(NUM_UNITS, NUM_UNITS + 2)  # yaw (to image right) and pitch (up), radians
MOST_EYES = 0.45  # radians; an eye that is asked for more stays in its corner
DISTANCE = 3  # of z_pose: a control, which has the portrait's as its default
SHIFT = slice(4, 6)  # of z_pose
FORGETS = 150.0  # frames after which 1/e of an old framing is left
# How far up or down a portrait looks, seen from the camera, is found to within 6
# degrees. Most look at it, so that much of what is found is believed.
LEVEL = 0.5
# How far generated motion takes the head: radians, log ratio, crop units. Half of it
# comes out as .46, one and a half times as .91.
REACH = np.array([0.25, 0.14, 0.12, np.inf, 0.045, 0.045], np.float32)


def levelled(source: Motion) -> Motion:
  """A portrait's own motion with eyes that rather look level, at the camera.

  What is asked of eyes is asked in the camera's frame: where a portrait is taken to
  look up and does not, all of its video looks down.

  Args:
    source: as the head was fitted, of batch 1.
  """
  z_dyn, down = np.array(source.z_dyn), source.z_pose[:, 1]  # pitch of the head
  up = z_dyn[:, NUM_UNITS + 1] - down
  z_dyn[:, NUM_UNITS + 1] = down + LEVEL * up
  return source.replace(z_dyn=z_dyn)


def held(source: Motion, motions: Iterator[Motion]) -> Iterator[Motion]:
  """Yields the motions with the mean head where the portrait has it.

  Args:
    source: the portrait's own motion, of batch 1.
    motions: windows of anchored motion, `z_pose (t, 6)`, `z_dyn (t, 54)`.
  """
  own = np.array(source.z_pose[0])
  own[DISTANCE] = 0.0
  bound, framing = np.isfinite(REACH), None
  for motion in motions:
    asked = np.asarray(motion.z_pose)
    z_pose, z_dyn = np.array(asked), np.asarray(motion.z_dyn)
    z_pose[:, SHIFT], framing = _unframed(asked[:, SHIFT], framing)
    z_pose[:, bound] = np.tanh(z_pose[:, bound] / REACH[bound]) * REACH[bound]
    z_pose += own
    yield motion.replace(z_pose=z_pose, z_dyn=looking(z_dyn, asked, z_pose))


def _unframed(
  shift: np.ndarray, framing: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
  """A window's shift about its framing, which follows the window's mean slowly.

  Args:
    shift: `(t, 2)`.
    framing: `(2,)` at the end of the window before; None is the first one's mean.

  Returns:
    `(t, 2)`, and the framing at the end of this window.
  """
  mean, t = shift.mean(0), len(shift)
  framing = mean if framing is None else framing
  follows = 1 - np.exp(-t / FORGETS)
  # A line between the two: a step between windows would be a jerk of the head.
  on = follows * np.arange(1, t + 1, dtype=np.float32)[:, None] / t
  return shift - framing - on * (mean - framing), framing + follows * (mean - framing)


def looking(z_dyn: np.ndarray, asked: np.ndarray, given: np.ndarray) -> np.ndarray:
  """Eyes that look where they did, in a head that is turned another way.

  Args:
    z_dyn: `(t, 54)` made for the head `asked`.
    asked, given: `z_pose`, `(t, 6)`.

  Returns:
    `(t, 54)`.
  """
  # Head pitch points down, eye pitch up.
  against = (given - asked)[:, :2] * [-1, 1]
  eyes, turned = z_dyn[:, EYES], np.array(z_dyn)
  most = np.maximum(np.abs(eyes), MOST_EYES)
  turned[:, EYES] = np.clip(eyes + against, -most, most)
  return turned
