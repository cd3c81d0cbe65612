"""The training objective of stage 1: `loss(params, batch, key) -> (value, scalars)`.

A batch holds source frames and, for each, d driving frames of the same clip:

  source_picture (b, s, s, 3) uint8    driver_picture (b, d, s, s, 3) uint8
  source_pose (b, 6)                   driver_pose (b, d, 6)
  source_dyn (b, 54)                   driver_dyn (b, d, 54)
  source_points (b, n, 3)              driver_points (b, d, n, 3)
  source_centres (b, 3, 2)             driver_centres (b, d, 3, 2)
  shape (b, 64)                        identity coefficients of the head template
  stranger_picture (b, s, s, 3) uint8  somebody else, for the terms across people

Centres are those of mouth and eyes in crop units. Of real video dynamics, points and
shape are unknown, and zeros; no config with learned latents looks at them.

Anchored configs (`lite`) drive the generator with the exact labels and train the motion
encoder to predict them; others (`paper`) drive it with the encoder's own latents, so
that these are learned through the pictures. A critic's parameters lie beside the
model's, under `critic`; whoever applies the model alone never looks at them.
"""

import jax
import jax.numpy as jnp

from vasa_jax.face import judges as judge_lib
from vasa_jax.face import losses, passes
from vasa_jax.face import terms as terms_lib
from vasa_jax.face.autoencoder import FaceModel, init_params
from vasa_jax.face.config import FaceConfig
from vasa_jax.face.critic import Critic
from vasa_jax.face.judges import Distance, Judges
from vasa_jax.face.losses import LossConfig
from vasa_jax.face.prior import HeadTemplate, pose_head, project, shape_vertices
from vasa_jax.face.template import load_template
from vasa_jax.types import CRITIC, Array, Motion

# Landmarks of the face mesh: mouth corners and mid lips; rims of the two eyes.
MOUTH_MARKS = (13, 14, 61, 291)
CROP_SHARES = (0.35, 0.175, 0.175, 0.3)  # of mouth, eyes, any place in the picture
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
    picture = jax.ShapeDtypeStruct((1, config.size, config.size, 3), jnp.float32)
    net = Critic(weights.critic)
    made = jax.jit(lambda key: net.lazy_init(key, picture))(jax.random.fold_in(key, 1))
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
  """`loss(params, batch, key, judges=judges)`; see the module's head for the keys.

  Judges given at the call are arguments of the program that is compiled. Those given
  here become constants of it: half a gigabyte of them, with all nets, that XLA would
  copy and fold.

  Scalars: every term before weighting, `psnr` of the drivers, `psnr_warped` of the
  moved pixels alone, `mask` their mean share.

  Args:
    config, weights: of the model and its terms; a term whose judge is None is left out.
    judges: of calls that give none; a function alone is the `perceptual` one.

  Raises:
    UsageError: the parts of `config` do not fit each other.
  """
  config.check()
  given = judges if isinstance(judges, Judges) else Judges(perceptual=judges)
  model = FaceModel(config)
  template = HeadTemplate.of(load_template())

  def loss(
    params, batch, key, judges: Judges = given
  ) -> tuple[Array, dict[str, Array]]:
    def apply(method, *args):
      return model.apply({'params': params}, *args, method=method)

    vertices = shape_vertices(template, batch['shape'])
    seen = passes.run(config, weights, judges, apply, batch, vertices, key)
    out, target = seen.out, seen.target
    centres = passes.flat(batch['driver_centres'])

    weight = terms_lib.pixel_weight(config, weights, seen, centres)
    terms = terms_lib.picture_terms(seen, weight)
    if config.anchored and weights.motion:
      # One driver per source: the encoder learns beside the generator, not before it.
      told = apply('motion', target[seen.first])
      first = jax.tree.map(lambda x: x[seen.first], seen.exact)
      terms['motion'] = losses.motion_l2(told, first)
    if judges.perceptual is not None and weights.perceptual:
      terms['perceptual'] = _perceptual(judges.perceptual, seen, centres, key)
    if out.warped is not None:
      terms |= terms_lib.pixel_path_terms(batch, seen, weight)
    terms |= terms_lib.same_person(weights, judges, seen)
    terms |= terms_lib.judged(weights, judges, seen, centres)
    if weights.identity and judges.identity is not None:
      terms['identity'] = _identity(judges.identity, seen, vertices, batch)
    if not config.anchored:
      terms |= terms_lib.learned_latents(weights, seen, apply)
    if weights.plays:
      terms |= terms_lib.played(weights, params, target, out.picture)
    value = sum(_weight(weights, name) * term for name, term in terms.items())
    terms['psnr'] = _psnr(out.picture, target)
    if out.warped is not None:
      terms['psnr_warped'] = _psnr(out.warped, target)
      terms['mask'] = jnp.mean(out.mask)
    return value, terms

  def _perceptual(perceptual, seen, centres, key):
    # One crop per source: mouth and eyes, where the picture has to be right, and any
    # place, or hair and the head's outline would be blurred rather than wrong.
    first = seen.first
    draw, place = jax.random.split(key)
    which = jax.random.choice(draw, 4, (len(first),), p=jnp.array(CROP_SHARES))
    anywhere = jax.random.uniform(place, (len(first), 1, 2))
    places = jnp.concatenate([centres[first], anywhere], 1)
    middle = jnp.take_along_axis(places, which[:, None, None], 1)[:, 0]
    size = min(weights.perceptual_crop, config.size)
    predicted = losses.crops(seen.out.picture[first], middle, size)
    return perceptual(predicted, losses.crops(seen.target[first], middle, size))

  def _identity(judge, seen, vertices, batch):
    # Where the features of a crossed picture lie, its pose says: they are carried along
    # with the head. What learned dynamics do to them nobody knows.
    before = seen.exact_source
    after = before.replace(z_pose=jax.lax.stop_gradient(seen.crossed.motion.z_pose))
    here, there = (feature_centres(template, vertices, x) for x in (before, after))
    centres = batch['source_centres']
    return judge_lib.cross_identity(
      judge, seen.source, centres, seen.crossed.picture, centres + there - here
    )

  return loss


def _psnr(picture: Array, target: Array) -> Array:
  error = jnp.mean(jnp.square(picture - target), (1, 2, 3))
  return jnp.mean(-10 * jnp.log10(error + 1e-8))


def _weight(weights: LossConfig, name: str) -> float:
  """The weight of a term; the critic's own objective always counts once."""
  return 1.0 if name == CRITIC else getattr(weights, name)
