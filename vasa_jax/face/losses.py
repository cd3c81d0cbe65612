"""The losses of stage 1, each a pure function; their weights live in `LossConfig`.

What a judge says (VGG, ArcFace, gaze net) is in `judges.py`, what the critic says in
`critic.py`, what compares latents in `latent_losses.py`. VASA-1
takes MegaPortraits' reconstruction losses and adds l_consist (section 3.1). What only a
renderer can supervise (exact flow, exact motion) is marked *rendered*.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax

from vasa_jax.face.critic import CriticConfig
from vasa_jax.nn.blocks import average_pool
from vasa_jax.nn.warp import warp_picture
from vasa_jax.types import NUM_UNITS, POSE_DIM, Array, Motion

# Rough standard deviations of the corpus: they bring all of z to one scale.
POSE_SCALE = (0.3, 0.15, 0.1, 0.12, 0.05, 0.05)
UNIT_SCALE, EYE_SCALE = 0.25, 0.2


@dataclasses.dataclass(frozen=True)
class LossConfig:
  """Weights; 0 switches a term off.

  Attributes:
    pixel: L1 of the picture, weighted towards the face, eyes and mouth.
    gradient: L1 of the picture's finite differences at two scales.
    perceptual: VGG16 features (MegaPortraits' L_IN) on a crop of the eyes, the mouth or
      any place; needs `python -m experiments.fetch_weights vgg16`, off with a notice
      where it is missing.
    perceptual_crop: side of that crop in pixels.
    warped: L1 of the moved pixels alone, so that the flow learns without the paint.
    paint: L1 of the painted picture alone, so that it learns where the mask hides it.
    flow: (rendered) L1 of the flow at exact correspondences, crop units.
    motion: (rendered) regression of the motion encoder to the exact labels.
    consistency: l_consist.
    eye_mouth: extra pixel weight of eyes and mouth.
    hidden: extra pixel weight of what the head shows and the portrait does not (inside
      of the mouth, closed lids, the far cheek): only paint can be right there.
    pyramid: L_IN, VGG19 features of the picture at four scales; needs the judge.
    face: VGGFace features of the aligned face at two scales; needs the judge.
    gaze: L_gaze, a gaze net's features, gradient inside the eyes; needs the judge.
    adversarial: L_adv, hinge; adversarial or matching brings the critic, which learns
      with weight 1.
    matching: L_FM, features of the critic.
    critic: layout of the critic.
    contrastive: L_cos on the dynamics (learned latents only).
    identity: l_cross_id; needs the judge.
    consistency_pyramid: the VGG19 features of l_consist; needs the judge.
    pose: regression of the learned head pose to the corpus's labels. It then plays the
      part of the pre-trained pose net: no other term moves it.
    canonical: L1 of the canonical volumes of source and driver (EMOPortraits).
    mismatch: cosine of source's and driver's dynamics beyond `mismatch_margin`
      (EMOPortraits: an expression must not be the person's).
    dyn_dropout: share of `z_dyn` that is dropped in training (EMOPortraits: 0.2).
  """

  pixel: float = 1.0
  gradient: float = 0.5
  perceptual: float = 0.2
  perceptual_crop: int = 64
  warped: float = 0.2
  paint: float = 0.3
  flow: float = 10.0
  motion: float = 0.02
  consistency: float = 0.0
  eye_mouth: float = 10.0
  hidden: float = 10.0
  pyramid: float = 0.0
  face: float = 0.0
  gaze: float = 0.0
  adversarial: float = 0.0
  matching: float = 0.0
  critic: CriticConfig = CriticConfig()
  contrastive: float = 0.0
  identity: float = 0.0
  consistency_pyramid: float = 0.0
  pose: float = 0.0
  canonical: float = 0.0
  mismatch: float = 0.0
  mismatch_margin: float = 0.5
  dyn_dropout: float = 0.0

  @property
  def plays(self) -> bool:
    """Whether a critic learns beside the generator."""
    return bool(self.adversarial or self.matching)


def paper_losses() -> LossConfig:
  """MegaPortraits' terms and weights (section 2.3) and what VASA-1 adds to them.

  Its paper weighs VGG19 with 20 on features of another scale of pictures; ours are of
  ImageNet's range, as in its authors' later code, which has 18. Of l_cross_id and
  l_consist VASA-1 gives no weight: 10 is the lower end of what is known of the former
  (35 in that code), the latter follows DPE (L1 and features). The pixel term is ours:
  small beside the others, and what a run without any judge still learns from.
  """
  return LossConfig(
    pixel=1.0, gradient=0.0, perceptual=0.0, warped=0.0, paint=0.0, flow=0.0,
    motion=0.0, eye_mouth=0.0, hidden=0.0,
    pyramid=20.0, face=4.0, gaze=5.0, adversarial=1.0, matching=40.0, contrastive=2.0,
    identity=10.0, consistency=1.0, consistency_pyramid=1.0, pose=1.0,
  )  # fmt: skip


def weighted_l1(predicted: Array, target: Array, weight: Array) -> Array:
  """Mean of `weight * |predicted - target|`; weight `(b, h, w, 1)`, mean-normalised."""
  weight = weight / jnp.mean(weight, (1, 2, 3), keepdims=True)
  return jnp.mean(jnp.abs(predicted - target) * weight)


def gradient_l1(predicted: Array, target: Array) -> Array:
  """L1 of horizontal and vertical differences, at full and at half resolution."""
  total = 0.0
  difference = predicted - target
  for _ in range(2):
    total += jnp.mean(jnp.abs(jnp.diff(difference, axis=1)))
    total += jnp.mean(jnp.abs(jnp.diff(difference, axis=2)))
    difference = average_pool(difference, (2, 2))
  return total


def flow_l1(flow: Array, driver_points: Array, source_points: Array) -> Array:
  """Flow at exact correspondences (rendered).

  Args:
    flow: `(b, h, w, 2)` backward flow of the driver's picture, crop units.
    driver_points, source_points: `(b, n, 3)` the same surface points in both pictures:
      x, y in crop units and visibility. Points hidden in either picture do not count:
      what lies there in the portrait is something else.
  """
  at_points = warp_picture(flow, driver_points[..., :2])
  error = jnp.abs(at_points - (source_points - driver_points)[..., :2]).sum(-1)
  inside = jnp.all((driver_points[..., :2] > 0) & (driver_points[..., :2] < 1), -1)
  weight = driver_points[..., 2] * source_points[..., 2] * inside
  return jnp.sum(error * weight) / (jnp.sum(weight) + 1.0)


def motion_l2(predicted: Motion, exact: Motion) -> Array:
  """Regression of anchored latents to the corpus's labels, each axis in its scale."""
  pose = (predicted.z_pose - exact.z_pose) / jnp.array(POSE_SCALE)
  scale = jnp.where(
    jnp.arange(exact.z_dyn.shape[-1]) < NUM_UNITS, UNIT_SCALE, EYE_SCALE
  )
  dynamics = (predicted.z_dyn - exact.z_dyn) / scale
  return jnp.mean(jnp.square(pose)) * POSE_DIM / 10 + jnp.mean(jnp.square(dynamics))


def pose_l2(predicted: Array, exact: Array) -> Array:
  """Regression of the head pose `(b, 6)` to the corpus's labels, each axis in scale."""
  return jnp.mean(jnp.square((predicted - exact) / jnp.array(POSE_SCALE)))


def consistency(one: Array, other: Array) -> Array:
  """l_consist (VASA-1 section 3.1): L1 of two pictures that ought to be the same.

  `one = D(V_j, id_j, pose_i, dyn_j)` and `other = D(V_i, id_i, pose_i, dyn_j)` for two
  frames i, j of one video: both show the subject with pose i and dynamics j.
  """
  return jnp.mean(jnp.abs(one - other))


def spots(centres: Array, size: int, sigma: float) -> Array:
  """Soft discs: `(b, n, 2)` centres in crop units -> `(b, size, size, 1)`, peak 1."""
  axis = (jnp.arange(size) + 0.5) / size
  x = jnp.exp(-jnp.square(axis - centres[..., :1]) / (2 * sigma**2))  # b n w
  y = jnp.exp(-jnp.square(axis - centres[..., 1:]) / (2 * sigma**2))
  return jnp.minimum(jnp.einsum('bny,bnx->byx', y, x), 1.0)[..., None]


def crops(picture: Array, centres: Array, size: int) -> Array:
  """Square crops of `size` pixels about `centres (b, 2)` in crop units."""
  side = picture.shape[1]
  corner = jnp.clip(centres * side - size / 2, 0, side - size).astype(jnp.int32)

  def one(x, c):
    return lax.dynamic_slice(x, (c[1], c[0], 0), (size, size, 3))

  return jax.vmap(one)(picture, corner)
