"""How far the lids of one portrait close, and where they are as its eyes move.

A face unit moves every head by the same amount, and people's eyes are not equally
large: at a full blink the lid of a small eye would slide on over the cheek. Here lids
stop where they meet, a little pressed together.

Upper lids go up and down with the eyes. Heads of the corpus do not know that, so stage
2 does not either, and an eye that looks down under a lid that stays looks frightened.
"""

from collections.abc import Iterator

import numpy as np

from vasa_jax.face.kinds import BLINKS
from vasa_jax.face.template import load_template
from vasa_jax.inference.directing.named_motion import UNITS
from vasa_jax.types import NUM_UNITS, Motion

# Units of the blinks, and landmarks of the face mesh: middle of upper and lower lid.
EYES = (
  (BLINKS[0], (385, 386, 387), (373, 374, 380)),
  (BLINKS[1], (158, 159, 160), (144, 145, 153)),
)
PRESSED = 0.03  # of the blink unit, beyond the first touch
RAISERS = [UNITS.index('eyeWideLeft'), UNITS.index('eyeWideRight')]
# Face units a radian by which lids go with eyes that look down, and up; and the most.
# Chosen by eye.
DOWN, UP, MOST = 0.7, 1.2, 0.3


def following_lids(own: Motion, motions: Iterator[Motion]) -> Iterator[Motion]:
  """Yields the motions with upper lids that go with the eyes.

  Args:
    own: the portrait's own motion, of batch 1; its lids are where its eyes need them.
    motions: windows of anchored motion, `z_dyn (t, 54)`.
  """
  level = float(own.z_dyn[0, NUM_UNITS + 1])
  for motion in motions:
    z_dyn = np.array(motion.z_dyn)
    up = z_dyn[:, NUM_UNITS + 1 :] - level
    z_dyn[:, list(BLINKS)] += np.clip(-DOWN * up, 0, MOST)
    z_dyn[:, RAISERS] += np.clip(UP * up, 0, MOST)
    yield motion.replace(z_dyn=z_dyn)


def closing_lids(vertices: np.ndarray, motions: Iterator[Motion]) -> Iterator[Motion]:
  """Yields the motions with blinks that end where this head's lids meet.

  Args:
    vertices: `(v, 3)` the portrait's neutral head.
    motions: windows of anchored motion, `z_dyn (t, 54)`.
  """
  template = load_template()

  def height(values, marks):
    """Mean height of landmarks: `(..., v, 3)` -> `(...)`."""
    index, weight = template.landmark_index, template.landmark_weight
    rows = values[..., index[list(marks)], 1]
    return np.einsum('...nk,nk->...', rows, weight[list(marks)]) / len(marks)

  apart = [
    [height(values, upper) - height(values, lower) for _, upper, lower in EYES]
    for values in (np.asarray(vertices), template.units)
  ]
  blinks = list(BLINKS)
  for motion in motions:
    z_dyn = np.array(motion.z_dyn)
    units = z_dyn[:, :NUM_UNITS]
    for (blink, _, _), gap, slopes in zip(EYES, *apart, strict=True):
      others = np.delete(units, blinks, 1) @ np.delete(slopes, blinks)
      meet = (gap + others) / -slopes[blink]
      z_dyn[:, blink] = np.minimum(units[:, blink], np.maximum(meet, 0) + PRESSED)
    yield motion.replace(z_dyn=z_dyn)
