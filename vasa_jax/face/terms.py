"""The terms of stage 1's objective, in groups, each a function of one pass.

`passes.py` makes the pass, `step.py` adds the terms up; the terms themselves are in
`losses.py`, `latent_losses.py`, `judges.py` and `critic.py`.
"""

import jax
import jax.numpy as jnp

from vasa_jax.face import judges as judge_lib
from vasa_jax.face import latent_losses, losses
from vasa_jax.face.critic import Critic, adversarial
from vasa_jax.face.judges import Judges
from vasa_jax.face.losses import LossConfig
from vasa_jax.face.passes import Pass, flat, repeated
from vasa_jax.types import CRITIC, Array

MOUTH_SIGMA, EYE_SIGMA = 0.06, 0.04


def pixel_weight(config, weights: LossConfig, seen: Pass, centres: Array) -> Array:
  """Where the picture counts, `(n, h, w, 1)`: eyes and mouth more, hidden places more.

  Args:
    centres: `(n, 3, 2)` mouth and eyes of the drivers.
  """
  where = losses.spots(centres[:, :1], config.size, MOUTH_SIGMA)
  where += losses.spots(centres[:, 1:], config.size, EYE_SIGMA)
  weight = 1.0 + weights.eye_mouth * where
  if seen.out.prior is not None:
    hints = jax.lax.stop_gradient(seen.out.prior.hints)
    covered, shown = hints[..., :1], hints[..., 1:2]
    shape = (*seen.target.shape[:3], 1)
    weight += weights.hidden * jax.image.resize(covered - shown, shape, 'linear')
  return weight


def picture_terms(seen: Pass, weight: Array) -> dict[str, Array]:
  """Differences of pixels."""
  made, target = seen.out.picture, seen.target
  return {
    'pixel': losses.weighted_l1(made, target, weight),
    'gradient': losses.gradient_l1(made, target),
  }


def pixel_path_terms(batch, seen: Pass, weight: Array) -> dict[str, Array]:
  """What the parts of the pixel path are told, each alone."""
  target, out = seen.target, seen.out
  drivers = batch['driver_points'].shape[1]
  return {
    'warped': losses.weighted_l1(out.warped, target, weight),
    'paint': losses.weighted_l1(out.paint, target, weight),
    'flow': losses.flow_l1(
      out.flow,
      flat(batch['driver_points']).astype(jnp.float32),
      repeated(batch['source_points'].astype(jnp.float32), drivers),
    ),
  }


def same_person(weights: LossConfig, judges: Judges, seen: Pass) -> dict[str, Array]:
  """What two frames of one person share: l_consist, and the canonical volume."""
  terms = {}
  if seen.twins is not None:
    if weights.consistency:
      terms['consistency'] = losses.consistency(*seen.twins)
    if weights.consistency_pyramid and judges.pictures is not None:
      terms['consistency_pyramid'] = judge_lib.pictures_pyramid(
        judges.pictures, *seen.twins
      )
  if seen.other_volume is not None:
    terms['canonical'] = latent_losses.canonical_l1(seen.code.v_app, seen.other_volume)
  return terms


def judged(
  weights: LossConfig, judges: Judges, seen: Pass, centres: Array
) -> dict[str, Array]:
  """What other nets say of the made pictures beside the drivers'."""
  made, real, terms = seen.out.picture, seen.target, {}
  if weights.pyramid and judges.pictures is not None:
    terms['pyramid'] = judge_lib.pictures_pyramid(judges.pictures, made, real)
  if weights.face and judges.faces is not None:
    terms['face'] = judge_lib.face_pyramid(judges.faces, made, real, centres)
  if weights.gaze and judges.gaze is not None:
    terms['gaze'] = judge_lib.gaze_inside_eyes(judges.gaze, made, real, centres)
  return terms


def learned_latents(weights: LossConfig, seen: Pass, apply) -> dict[str, Array]:
  """Terms of latents that are learned through the pictures.

  Args:
    apply: `apply(method, *inputs)` of the model: the made pictures are read again.
  """
  terms = {}
  if weights.contrastive:
    pictures = [seen.out.picture[seen.first], seen.crossed.picture]
    one, two = jnp.split(apply('motion', jnp.concatenate(pictures)).z_dyn, 2)
    driver, stranger = seen.motion.z_dyn[seen.first], seen.crossed.motion.z_dyn
    terms['contrastive'] = latent_losses.contrastive(one, driver, two, stranger)
  if weights.mismatch:
    one = seen.source_motion.z_dyn
    two = seen.motion.z_dyn[seen.first]
    terms['mismatch'] = latent_losses.mismatch(one, two, weights.mismatch_margin)
  if weights.pose:
    known = jnp.concatenate([seen.exact_source.z_pose, seen.exact.z_pose])
    terms['pose'] = losses.pose_l2(seen.poses, known)
  return terms


def played(weights: LossConfig, params, real: Array, made: Array) -> dict[str, Array]:
  """Both players' terms; each carries its own player's gradient alone."""
  net = Critic(weights.critic)
  found = adversarial(
    lambda p, x: net.apply({'params': p}, x), params[CRITIC], real, made
  )
  return {
    'adversarial': found.generator,
    'matching': found.matching,
    CRITIC: found.critic,
  }
