"""The training objective of stage 1: `loss(params, batch, key) -> (value, scalars)`.

A batch holds source frames and, for each, d driving frames of the same clip:

  source_picture (b, s, s, 3) uint8    driver_picture (b, d, s, s, 3) uint8
  source_pose (b, 6)                   driver_pose (b, d, 6)
  source_dyn (b, 54)                   driver_dyn (b, d, 54)
  source_points (b, n, 3)              driver_points (b, d, n, 3)
  shape (b, 64)                        identity coefficients of the head template
  stranger_picture (b, s, s, 3) uint8  somebody else, for the terms across people

Anchored configs (`lite`) drive the generator with the exact labels and train the motion
encoder to predict them; others (`paper`) drive it with the encoder's own latents, so
that these are learned through the pictures. A critic's parameters lie beside the
model's, under `critic`; whoever applies the model alone never looks at them.
"""

import jax
import jax.numpy as jnp

from vasa_jax.face import judges as judge_lib
from vasa_jax.face import latent_losses, losses
from vasa_jax.face import terms as terms_lib
from vasa_jax.face.augment import hide_identity
from vasa_jax.face.autoencoder import FaceModel, init_params
from vasa_jax.face.config import FaceConfig
from vasa_jax.face.critic import Critic
from vasa_jax.face.judges import Distance, Judges
from vasa_jax.face.losses import LossConfig
from vasa_jax.face.pixel_path import Rendering
from vasa_jax.face.prior import HeadTemplate, pose_head, project, shape_vertices
from vasa_jax.face.template import load_template
from vasa_jax.face.terms import CRITIC, Pass, flat, repeated
from vasa_jax.types import NUM_UNITS, Array, Motion

# Landmarks of the face mesh: mouth corners and mid lips; rims of the two eyes.
MOUTH_MARKS = (13, 14, 61, 291)
EYE_MARKS = ((33, 133, 159, 145), (263, 362, 386, 374))


def feature_centres(template, vertices: Array, motion: Motion) -> Array:
  """Centres of mouth and both eyes on the screen: `(b, 3, 2)`, crop units."""
  head = load_template()
  posed = pose_head(template, vertices, motion)
  centres = []
  for marks in (MOUTH_MARKS, *EYE_MARKS):
    rows = head.landmark_index[list(marks)]
    weight = head.landmark_weight[list(marks)] / len(marks)
    centres.append(jnp.einsum('bnkc,nk->bc', posed[:, rows], weight))
  return project(jnp.stack(centres, 1), motion.z_pose)[0]


def init_training(config: FaceConfig, weights: LossConfig, key: Array) -> dict:
  """Random parameters of the model, and of the critic where `weights` ask for one."""
  params = init_params(config, key)
  if weights.plays:
    picture = jnp.zeros((1, config.size, config.size, 3))
    net = Critic(weights.critic)
    made = jax.jit(net.init)(jax.random.fold_in(key, 1), picture)
    params = dict(params) | {CRITIC: made['params']}
  return params


def model_params(params: dict) -> dict:
  """The model's own parameters: what is exported, and what other runs start from."""
  return {name: part for name, part in params.items() if name != CRITIC}


def make_loss(
  config: FaceConfig,
  weights: LossConfig,
  judges: Judges | Distance | None = None,
):
  """The loss of one batch; see the module's head for its keys.

  Scalars: every term before weighting, `psnr` of the drivers, `psnr_warped` of the
  moved pixels alone, `mask` their mean share.

  Args:
    config, weights: of the model and its terms; a term whose judge is None is left out.
    judges: other nets; a function alone is the `perceptual` one.

  Raises:
    UsageError: the parts of `config` do not fit each other.
  """
  config.check()
  judges = judges if isinstance(judges, Judges) else Judges(perceptual=judges)
  model = FaceModel(config)
  template = HeadTemplate.of(load_template())

  def loss(params, batch, key) -> tuple[Array, dict[str, Array]]:
    def apply(method, *args):
      return model.apply({'params': params}, *args, method=method)

    def read(picture, salt: int) -> Motion:
      """E_mtn in training: the dynamics net may see the picture in disguise."""
      disguised = None
      if config.disguise:
        disguised = hide_identity(picture, jax.random.fold_in(key, salt))
      found = apply('motion', picture, disguised)
      if weights.pose:  # told by the labels alone, as a pre-trained net would be
        found = found.replace(z_pose=jax.lax.stop_gradient(found.z_pose))
      if weights.dyn_dropout:
        salted = jax.random.fold_in(key, 100 + salt)
        dropped = latent_losses.drop(found.z_dyn, salted, weights.dyn_dropout)
        found = found.replace(z_dyn=dropped)
      return found

    source = batch['source_picture'].astype(jnp.float32) / 255
    target = flat(batch['driver_picture']).astype(jnp.float32) / 255
    drivers = batch['driver_picture'].shape[1]
    exact_source = Motion(batch['source_pose'], batch['source_dyn'])
    exact = Motion(flat(batch['driver_pose']), flat(batch['driver_dyn']))
    vertices = shape_vertices(template, batch['shape'])

    if config.anchored:
      source_motion, motion = exact_source, exact
    else:
      source_motion, motion = read(source, 1), read(target, 2)

    code = apply('encode', source, source_motion, vertices)
    out: Rendering = apply('decode', repeated(code, drivers), motion)

    centres = feature_centres(template, repeated(vertices, drivers), exact)
    first = jnp.arange(0, target.shape[0], drivers)
    seen = Pass(
      apply, source, target, first, source_motion, motion, code, vertices, out, centres
    )
    terms = terms_lib.picture_terms(config, weights, batch, seen)
    if config.anchored and weights.motion:
      # One driver per source: the encoder learns beside the generator, not before it.
      told = apply('motion', target[first])
      terms['motion'] = losses.motion_l2(told, jax.tree.map(lambda x: x[first], exact))
    if judges.perceptual is not None and weights.perceptual:
      terms['perceptual'] = _perceptual(judges.perceptual, seen, key)
    if out.warped is not None:
      terms |= terms_lib.pixel_path_terms(batch, seen, terms.pop('weight'))
    terms.pop('weight', None)
    if weights.consistency or weights.consistency_pyramid or weights.canonical:
      terms |= terms_lib.same_person(weights, judges, seen)
    terms |= terms_lib.judged(weights, judges, seen)
    crossing = weights.identity and judges.identity is not None
    comparing = weights.contrastive and not config.anchored
    if crossing or comparing:
      if config.anchored:
        # Somebody else of the same batch; alone, a source is driven by its own motion.
        other = jax.tree.map(lambda x: jnp.roll(x[first], 1, 0), motion)
      else:
        other = read(batch['stranger_picture'].astype(jnp.float32) / 255, 3)
      crossed = apply('decode', code, other).picture
      if crossing:
        at_rest = exact_source if config.anchored else _at_rest(other.z_pose)
        at_rest = at_rest.replace(z_pose=jax.lax.stop_gradient(other.z_pose))
        terms['identity'] = judge_lib.cross_identity(
          judges.identity, source, feature_centres(template, vertices, exact_source),
          crossed, feature_centres(template, vertices, at_rest),
        )  # fmt: skip
      if comparing:
        terms['contrastive'] = latent_losses.contrastive(
          apply('motion', out.picture[first]).z_dyn,
          motion.z_dyn[first],
          apply('motion', crossed).z_dyn,
          other.z_dyn,
        )
    if not config.anchored:
      terms |= terms_lib.latent_terms(weights, seen, exact, exact_source)
    if weights.plays:
      terms |= terms_lib.played(weights, params, target, out.picture)
    value = sum(_weight(weights, name) * term for name, term in terms.items())
    terms['psnr'] = _psnr(out.picture, target)
    if out.warped is not None:
      terms['psnr_warped'] = _psnr(out.warped, target)
      terms['mask'] = jnp.mean(out.mask)
    return value, terms

  def _perceptual(perceptual, seen, key):
    # One crop per source, of the mouth or an eye: where the picture has to be right.
    first = seen.first
    which = jax.random.choice(key, 3, (len(first),), p=jnp.array([0.5, 0.25, 0.25]))
    middle = seen.centres[first, which]
    size = min(weights.perceptual_crop, config.size)
    predicted = losses.crops(seen.out.picture[first], middle, size)
    return perceptual(predicted, losses.crops(seen.target[first], middle, size))

  return loss


def _psnr(picture: Array, target: Array) -> Array:
  error = jnp.mean(jnp.square(picture - target), (1, 2, 3))
  return jnp.mean(-10 * jnp.log10(error + 1e-8))


def _weight(weights: LossConfig, name: str) -> float:
  """The weight of a term; the critic's own objective always counts once."""
  return 1.0 if name == CRITIC else getattr(weights, name)


def _at_rest(z_pose: Array) -> Motion:
  """A head with a neutral face: where learned dynamics say nothing of its features."""
  return Motion(z_pose, jnp.zeros((z_pose.shape[0], NUM_UNITS + 2)))
