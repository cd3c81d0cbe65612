"""What other nets say of a picture: losses that need somebody else's weights.

A judge is a function; who builds it from a file is `experiments/face_judges.py`. The
loss of stage 1 leaves out what has no judge. All compare with the *driver's* picture,
the one that the generator was asked to make; only l_cross_id looks at the source, whose
identity is to be kept.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from vasa_jax.face.crop import ARCFACE_MARKS, aligned_crop, loosened
from vasa_jax.face.losses import spots
from vasa_jax.nn.blocks import average_pool
from vasa_jax.types import Array

# made, real -> scalar
Distance = Callable[[Array, Array], Array]

FACE_SIDE, GAZE_SIDE, ID_SIDE = 224, 224, 112
# The face with its chin and forehead, as recognition nets but ArcFace were fed.
FACE_MARKS = loosened(ARCFACE_MARKS, 0.7)
EYE_SIGMA = 0.06  # of a window in which the eyes are a third apart


class Judges(NamedTuple):
  """Functions of pictures `(b, h, w, 3)` in [0, 1]; None where there is no file.

  Made by `jax.tree_util.Partial` of a function and its weights, they are a tree whose
  leaves are these weights, and go into a compiled step as an argument.

  Attributes:
    perceptual: distance of two crops (the small VGG16 term of `lite`).
    pictures: distance of two pictures at one scale (VGG19).
    faces: distance of two aligned faces (VGGFace).
    gaze: `gaze(made, real, eyes)`, distance of two aligned faces inside a mask.
    identity: aligned faces of 112 px -> unit embeddings `(b, k)`.
  """

  perceptual: Distance | None = None
  pictures: Distance | None = None
  faces: Distance | None = None
  gaze: Callable[[Array, Array, Array], Array] | None = None
  identity: Callable[[Array], Array] | None = None


def pyramid(distance: Distance, made: Array, real: Array, scales: int) -> Array:
  """Sum of the distance at full size and at each halving, `scales` in all."""
  total = 0.0
  for scale in range(scales):
    if scale:
      made, real = (average_pool(x, (2, 2)) for x in (made, real))
    total += distance(made, real)
  return total


def pictures_pyramid(judge: Distance, made: Array, real: Array) -> Array:
  """L_IN: four scales, as many as leave 16 pixels a side."""
  scales = 1
  while scales < 4 and made.shape[1] // 2**scales >= 16:
    scales += 1
  return pyramid(judge, made, real, scales)


def face_pyramid(judge: Distance, made: Array, real: Array, centres: Array) -> Array:
  """VGGFace at two scales of the aligned face; `centres (b, 3, 2)` of the driver."""
  crops = (aligned_crop(x, centres, FACE_MARKS, FACE_SIDE) for x in (made, real))
  return pyramid(judge, *crops, 2)


def gaze_inside_eyes(judge, made: Array, real: Array, centres: Array) -> Array:
  """L_gaze on the aligned face; the eyes lie at the same place in all of them."""
  crops = (aligned_crop(x, centres, FACE_MARKS, GAZE_SIDE) for x in (made, real))
  eyes = spots(jnp.asarray(FACE_MARKS)[None, 1:], GAZE_SIDE, EYE_SIGMA)
  return judge(*crops, jnp.broadcast_to(eyes, (made.shape[0], *eyes.shape[1:])))


def cross_identity(
  judge: Callable[[Array], Array],
  source: Array,
  source_centres: Array,
  crossed: Array,
  crossed_centres: Array,
) -> Array:
  """l_cross_id: 1 - cosine of the source's embedding and the crossed picture's.

  Args:
    judge: embeds aligned faces.
    source: `(b, h, w, 3)` portraits.
    crossed: the same people, moved by somebody else's motion.
    source_centres, crossed_centres: `(b, 3, 2)` mouth and eyes, crop units.
  """
  known = judge(aligned_crop(source, source_centres, ARCFACE_MARKS, ID_SIDE))
  found = judge(aligned_crop(crossed, crossed_centres, ARCFACE_MARKS, ID_SIDE))
  return jnp.mean(1 - jnp.sum(jax.lax.stop_gradient(known) * found, -1))
