"""What each surface sample is: skin, lid, lip, eyeball, teeth or the rest of the mouth.

The template knows skin, eyeballs and mouth; lids, lips and teeth are found here, by
what the face units do to them and by where they lie. Who hides whom depends on it.
"""

import numpy as np

from vasa_jax.face.template import MOUTH, SKIN, Template

LID, TEETH, LIP = 3, 4, 5  # beside EYEBALL, MOUTH and SKIN
BLINKS = (8, 9)  # eyeBlinkLeft and eyeBlinkRight among the face units
TONGUE_OUT, TONGUE_MOTION = 51, 0.01
LID_MOTION = 0.01  # skin that a blink moves by more than this is lid, model units
LID_REACH = 0.06  # skin so near to a closed lid counts as one
LIP_REACH = 0.12
# Landmarks of the face mesh: the inner rim of the lips.
INNER_LIPS = (
  78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88,
  95,
)  # fmt: skip


def sample_kinds(template: Template) -> np.ndarray:
  """Kind of every surface sample, `(s,)`."""
  kind = template.kind[template.surfel_index[:, 0]]
  kind = np.where(_near_lids(template) & (kind == SKIN), LID, kind)
  kind = np.where(_near_lips(template) & (kind == SKIN), LIP, kind)
  return np.where(teeth(template)[template.surfel_index[:, 0]], TEETH, kind)


def _near_lids(template: Template) -> np.ndarray:
  """Surface samples that a blink moves, or that a closed lid comes to lie on, `(s,)`.

  The lower rim does not move, but it must not shine through the lid that covers it.
  """
  closing = template.units[list(BLINKS)].sum(0)
  lid = np.abs(closing).max(-1) > LID_MOTION
  shut = (template.mean + closing)[lid]
  apart = template.mean[:, None] - shut
  near = np.square(apart).sum(-1).min(1) < LID_REACH**2
  return (lid | near)[template.surfel_index[:, 0]]


def _near_lips(template: Template) -> np.ndarray:
  """Surface samples of lips and of the skin that folds in behind them, `(s,)`."""
  rows = template.landmark_index[list(INNER_LIPS)]
  weight = template.landmark_weight[list(INNER_LIPS)]
  rim = np.einsum('nkc,nk->nc', template.mean[rows], weight)
  apart = template.mean[template.surfel_index[:, 0]][:, None] - rim
  return np.square(apart).sum(-1).min(1) < LIP_REACH**2


def teeth(template: Template) -> np.ndarray:
  """Which vertices are teeth, `(v,)`: the template's last ones, behind its tongue."""
  mouth = template.kind == MOUTH
  tongue = np.abs(template.units[TONGUE_OUT]).max(-1) > TONGUE_MOTION
  return mouth & (np.arange(len(mouth)) > np.flatnonzero(mouth & tongue).max())
