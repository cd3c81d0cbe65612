"""The terms of stage 1's objective, in groups, each a function of one pass.

`step.py` makes the pass and adds the terms up; the terms themselves are in `losses.py`,
`latent_losses.py`, `judges.py` and `critic.py`.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from vasa_jax.face import judges as judge_lib
from vasa_jax.face import latent_losses, losses
from vasa_jax.face.critic import Critic, adversarial
from vasa_jax.face.judges import Judges
from vasa_jax.face.losses import LossConfig
from vasa_jax.face.pixel_path import Rendering
from vasa_jax.types import Array, FaceCode, Motion

CRITIC = 'critic'  # the critic's parameters and its own term
MOUTH_SIGMA, EYE_SIGMA = 0.06, 0.04


def flat(x: Array) -> Array:
  """`(b, d, ...)` -> `(b d, ...)`."""
  return x.reshape(-1, *x.shape[2:])


def repeated(tree: Any, times: int) -> Any:
  """Each sample of a tree `times` times in a row."""
  return jax.tree.map(lambda x: jnp.repeat(x, times, 0), tree)


class Pass(NamedTuple):
  """One batch through the model, for the terms to look at. b sources, n = b d drivers.

  Attributes:
    apply: `apply(method, *inputs)` of the model.
    source: `(b, s, s, 3)`; target: `(n, s, s, 3)` the drivers' pictures.
    first: `(b,)` the first driver of each source among the n.
    source_motion, motion: what drives the generator, of source and drivers.
    code: of the sources. vertices: `(b, v, 3)` or None.
    out: what the generator made of the sources for the drivers' motion.
    centres: `(n, 3, 2)` mouth and eyes of the drivers.
  """

  apply: Any
  source: Array
  target: Array
  first: Array
  source_motion: Motion
  motion: Motion
  code: FaceCode
  vertices: Array | None
  out: Rendering
  centres: Array


def picture_terms(config, weights: LossConfig, batch, seen: Pass) -> dict:
  """Differences of pixels, and their `weight (n, h, w, 1)` for others to use."""
  target, out = seen.target, seen.out
  where = losses.spots(seen.centres[:, :1], config.size, MOUTH_SIGMA)
  where += losses.spots(seen.centres[:, 1:], config.size, EYE_SIGMA)
  weight = 1.0 + weights.eye_mouth * where
  if out.prior is not None:
    hints = jax.lax.stop_gradient(out.prior.hints)
    covered, shown = hints[..., :1], hints[..., 1:2]
    shape = (*target.shape[:3], 1)
    weight += weights.hidden * jax.image.resize(covered - shown, shape, 'linear')
  return {
    'pixel': losses.weighted_l1(out.picture, target, weight),
    'gradient': losses.gradient_l1(out.picture, target),
    'weight': weight,
  }


def pixel_path_terms(batch, seen: Pass, weight: Array) -> dict[str, Array]:
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
  """What two frames of one person share: l_consist, and the canonical volume.

  i is the source, j its first driver: both pictures have pose i and dynamics j.
  """
  other = jax.tree.map(lambda x: x[seen.first], seen.motion)
  code = seen.apply('encode', seen.target[seen.first], other, seen.vertices)
  terms = {}
  if weights.consistency or weights.consistency_pyramid:
    asked = Motion(seen.source_motion.z_pose, other.z_dyn)
    one = seen.apply('decode', code, asked).picture
    two = seen.apply('decode', seen.code, asked).picture
    if weights.consistency:
      terms['consistency'] = losses.consistency(one, two)
    if weights.consistency_pyramid and judges.pictures is not None:
      terms['consistency_pyramid'] = judge_lib.pictures_pyramid(
        judges.pictures, one, two
      )
  if weights.canonical:
    terms['canonical'] = latent_losses.canonical_l1(seen.code.v_app, code.v_app)
  return terms


def judged(weights: LossConfig, judges: Judges, seen: Pass) -> dict[str, Array]:
  """What other nets say of the made pictures beside the drivers'."""
  made, real, terms = seen.out.picture, seen.target, {}
  if weights.pyramid and judges.pictures is not None:
    terms['pyramid'] = judge_lib.pictures_pyramid(judges.pictures, made, real)
  if weights.face and judges.faces is not None:
    terms['face'] = judge_lib.face_pyramid(judges.faces, made, real, seen.centres)
  if weights.gaze and judges.gaze is not None:
    terms['gaze'] = judge_lib.gaze_inside_eyes(judges.gaze, made, real, seen.centres)
  return terms


def latent_terms(weights: LossConfig, seen: Pass, exact, exact_source) -> dict:
  """Terms of learned latents alone."""
  terms = {}
  if weights.mismatch:
    one = seen.source_motion.z_dyn
    two = seen.motion.z_dyn[seen.first]
    terms['mismatch'] = latent_losses.mismatch(one, two, weights.mismatch_margin)
  if weights.pose:
    read = seen.apply('motion', jnp.concatenate([seen.source, seen.target]))
    known = jnp.concatenate([exact_source.z_pose, exact.z_pose])
    terms['pose'] = losses.pose_l2(read.z_pose, known)
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
