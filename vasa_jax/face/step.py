"""The training objective of stage 1: `loss(params, batch, key) -> (value, scalars)`.

A batch holds source frames and, for each, d driving frames of the same clip:

  source_picture (b, s, s, 3) uint8    driver_picture (b, d, s, s, 3) uint8
  source_pose (b, 6)                   driver_pose (b, d, 6)
  source_dyn (b, 54)                   driver_dyn (b, d, 54)
  source_points (b, n, 3)              driver_points (b, d, n, 3)
  shape (b, 64)                        identity coefficients of the head template

Anchored configs (`lite`) drive the generator with the exact labels and train the motion
encoder to predict them; others (`paper`) drive it with the encoder's own latents, so
that these are learned through the pictures.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from vasa_jax.face import losses
from vasa_jax.face.autoencoder import FaceModel
from vasa_jax.face.config import FaceConfig
from vasa_jax.face.losses import LossConfig
from vasa_jax.face.pixel_path import Rendering
from vasa_jax.face.prior import HeadTemplate, pose_head, project, shape_vertices
from vasa_jax.face.template import load_template
from vasa_jax.types import Array, Motion

# Perceptual distance of two batches of pictures in [0, 1]; None where the weights of
# the teacher are missing.
Perceptual = Callable[[Array, Array], Array]

# Landmarks of the face mesh: mouth corners and mid lips; rims of the two eyes.
MOUTH_MARKS = (13, 14, 61, 291)
EYE_MARKS = ((33, 133, 159, 145), (263, 362, 386, 374))
MOUTH_SIGMA, EYE_SIGMA = 0.06, 0.04


def _flat(x: Array) -> Array:
  return x.reshape(-1, *x.shape[2:])


def _repeat(tree, times: int):
  return jax.tree.map(lambda x: jnp.repeat(x, times, 0), tree)


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


def make_loss(
  config: FaceConfig, weights: LossConfig, perceptual: Perceptual | None = None
):
  """The loss of one batch; see the module's head for its keys.

  Scalars: every term before weighting, `psnr` of the drivers, `psnr_warped` of the
  moved pixels alone, `mask` their mean share.
  """
  model = FaceModel(config)
  template = HeadTemplate.of(load_template())

  def loss(params, batch, key) -> tuple[Array, dict[str, Array]]:
    def apply(method, *args):
      return model.apply({'params': params}, *args, method=method)

    source = batch['source_picture'].astype(jnp.float32) / 255
    target = _flat(batch['driver_picture']).astype(jnp.float32) / 255
    drivers = batch['driver_picture'].shape[1]
    exact_source = Motion(batch['source_pose'], batch['source_dyn'])
    exact = Motion(_flat(batch['driver_pose']), _flat(batch['driver_dyn']))
    vertices = shape_vertices(template, batch['shape'])

    if config.anchored:
      source_motion, motion = exact_source, exact
    else:
      source_motion, motion = apply('motion', source), apply('motion', target)

    code = apply('encode', source, source_motion, vertices)
    out: Rendering = apply('decode', _repeat(code, drivers), motion)

    centres = feature_centres(template, _repeat(vertices, drivers), exact)
    where = losses.spots(centres[:, :1], config.size, MOUTH_SIGMA)
    where += losses.spots(centres[:, 1:], config.size, EYE_SIGMA)
    weight = 1.0 + weights.eye_mouth * where
    if out.prior is not None:
      hints = jax.lax.stop_gradient(out.prior.hints)
      covered, seen = hints[..., :1], hints[..., 1:2]
      shape = (*target.shape[:3], 1)
      weight += weights.hidden * jax.image.resize(covered - seen, shape, 'linear')
    terms = {
      'pixel': losses.weighted_l1(out.picture, target, weight),
      'gradient': losses.gradient_l1(out.picture, target),
    }
    if config.anchored and weights.motion:
      # One driver per source: the encoder learns beside the generator, not before it.
      first = jnp.arange(0, target.shape[0], drivers)
      read = apply('motion', target[first])
      terms['motion'] = losses.motion_l2(read, jax.tree.map(lambda x: x[first], exact))
    if perceptual is not None and weights.perceptual:
      terms['perceptual'] = _perceptual(out.picture, target, centres, drivers, key)
    if out.warped is not None:
      terms['warped'] = losses.weighted_l1(out.warped, target, weight)
      terms['paint'] = losses.weighted_l1(out.paint, target, weight)
      terms['flow'] = losses.flow_l1(
        out.flow,
        _flat(batch['driver_points']).astype(jnp.float32),
        _repeat(batch['source_points'].astype(jnp.float32), drivers),
      )
    if weights.consistency:
      terms['consistency'] = _consistency(
        apply, code, source, target, source_motion, motion, vertices, drivers
      )
    value = sum(getattr(weights, name) * term for name, term in terms.items())
    terms['psnr'] = _psnr(out.picture, target)
    if out.warped is not None:
      terms['psnr_warped'] = _psnr(out.warped, target)
      terms['mask'] = jnp.mean(out.mask)
    return value, terms

  def _perceptual(picture, target, centres, drivers, key):
    # One crop per source, of the mouth or an eye: where the picture has to be right.
    first = jnp.arange(0, picture.shape[0], drivers)
    which = jax.random.choice(key, 3, (len(first),), p=jnp.array([0.5, 0.25, 0.25]))
    middle = centres[first, which]
    size = min(weights.perceptual_crop, config.size)
    predicted = losses.crops(picture[first], middle, size)
    return perceptual(predicted, losses.crops(target[first], middle, size))

  def _consistency(
    apply, code, source, target, source_motion, motion, vertices, drivers
  ):
    # l_consist with i = source, j = its first driver: pose of i, dynamics of j.
    first = jnp.arange(0, target.shape[0], drivers)
    other = jax.tree.map(lambda x: x[first], motion)
    code_j = apply('encode', target[first], other, vertices)
    asked = Motion(source_motion.z_pose, other.z_dyn)
    one = apply('decode', code_j, asked).picture
    return losses.consistency(one, apply('decode', code, asked).picture)

  return loss


def _psnr(picture: Array, target: Array) -> Array:
  error = jnp.mean(jnp.square(picture - target), (1, 2, 3))
  return jnp.mean(-10 * jnp.log10(error + 1e-8))
