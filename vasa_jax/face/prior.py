"""The geometric prior of `lite`: a first flow from the head template, in plain JAX.

A portrait's head (neutral vertices) is posed twice, once as in the portrait and once as
asked. Every surface sample then knows where on the portrait its colour lies. The
samples are splatted with a depth test onto a coarse grid of the asked picture, which
gives the backward flow that a renderer would give, plus where it can be trusted. The
network of `face/pixel_path.py` corrects this flow and paints what the portrait does not
show.

Nothing here is learned; everything is a pure function of (vertices, motion) with static
shapes, so it runs under jit, vmap, pmap and on any backend.

Screen coordinates are crop units: x right and y down, 0..1 over the crop.
"""

import jax
import jax.numpy as jnp
from flax import struct

from vasa_jax.face.kinds import BLINKS, TEETH, sample_kinds
from vasa_jax.face.splat import pull_push, seen, splat
from vasa_jax.face.template import (
  EYEBALL,
  FIELD_OF_VIEW,
  MOUTH,
  REFERENCE_DISTANCE,
  TARGET_HEIGHT,
  Template,
)
from vasa_jax.nn.rotation import euler_matrix, rotate, rotation_vector
from vasa_jax.types import NUM_UNITS, Array, Motion

PRIOR_CHANNELS = 6
LID_LIFT = 0.35  # of the closure; lids that fetch from farther up fetch the brow
HIDDEN_TRUST = 0.01  # weight of samples that the portrait does not show


@struct.dataclass
class HeadTemplate:
  """`Template` as device arrays (see there for shapes)."""

  mean: Array
  basis: Array
  units: Array
  head_weight: Array
  eye: Array
  surfel_index: Array
  surfel_weight: Array
  surfel_kind: Array

  @classmethod
  def of(cls, template: Template) -> 'HeadTemplate':
    return cls(
      mean=template.mean,
      basis=template.basis,
      units=template.units,
      head_weight=template.head_weight,
      eye=template.eye,
      surfel_index=template.surfel_index,
      surfel_weight=template.surfel_weight,
      surfel_kind=sample_kinds(template),
    )


@struct.dataclass
class Prior:
  """What the template says of one asked picture, on an `(h, w)` grid.

  Attributes:
    flow: `(b, h, w, 2)` where to look in the portrait minus where we are, crop units.
      Extended smoothly beyond the head.
    hints: `(b, h, w, 6)` in [0, 1]: covered by the head, seen in the portrait, eyeball,
      inside of the mouth, teeth, distance from the head (1 on it, falling to 0).
  """

  flow: Array
  hints: Array


def shape_vertices(template: HeadTemplate, shape: Array) -> Array:
  """`(b, k)` identity coefficients -> `(b, v, 3)` neutral vertices."""
  return template.mean + jnp.einsum('bk,kvc->bvc', shape, template.basis)


def _eye_centre(shell: Array) -> Array:
  """Centre `(b, 1, 3)` of an eyeball of which the template holds the front half.

  Args:
    shell: `(b, v, 3)` vertices; NaN where they are not of this eye.
  """
  low = jnp.nanmin(shell, -2, keepdims=True)
  high = jnp.nanmax(shell, -2, keepdims=True)
  radius = (high - low)[..., :1] / 2
  return jnp.concatenate([(low + high)[..., :2] / 2, high[..., 2:] - radius], -1)


def pose_head(template: HeadTemplate, vertices: Array, motion: Motion) -> Array:
  """Applies face units, eyes and head rotation: `(b, v, 3)`, relative to the pivot.

  Args:
    vertices: `(b, v, 3)` neutral vertices.
    motion: anchored motion, `z_pose (b, 6)` and `z_dyn (b, 54)`.
  """
  units, eyes = motion.z_dyn[..., :NUM_UNITS], motion.z_dyn[..., NUM_UNITS:]
  moved = vertices + jnp.einsum('bu,uvc->bvc', units, template.units)
  gaze = euler_matrix(eyes[..., 0], -eyes[..., 1], jnp.zeros_like(eyes[..., 0]))
  for side in (1, 2):
    ball = (template.eye == side)[:, None]
    centre = _eye_centre(jnp.where(ball, vertices, jnp.nan))
    turned = jnp.einsum('bvc,bdc->bvd', vertices - centre, gaze) + centre
    moved = jnp.where(ball, turned, moved)
  matrix = euler_matrix(*(motion.z_pose[..., i] for i in range(3)))
  axis, angle = rotation_vector(matrix)
  return rotate(moved, axis, angle[..., None] * template.head_weight)


def project(points: Array, z_pose: Array) -> tuple[Array, Array]:
  """Perspective projection of the corpus's camera.

  Args:
    points: `(b, n, 3)` posed points relative to the pivot.
    z_pose: `(b, 6)`; only distance and shift are used here.

  Returns:
    Screen positions `(b, n, 2)` in crop units, and depth `(b, n)` (distance from the
    camera, model units).
  """
  distance = REFERENCE_DISTANCE * jnp.exp(z_pose[..., 3])[..., None]
  target = jnp.array([0.0, TARGET_HEIGHT, 0.0])
  x, y, z = jnp.moveaxis(points - target, -1, 0)
  depth = distance - z
  span = 2 * jnp.tan(FIELD_OF_VIEW / 2) * depth
  screen = jnp.stack([0.5 + x / span, 0.5 - y / span], -1)
  return screen + z_pose[..., None, 4:6], depth


def surfels(template: HeadTemplate, vertices: Array, motion: Motion):
  """Screen position `(b, s, 2)` and depth `(b, s)` of every surface sample."""
  posed = pose_head(template, vertices, motion)
  points = jnp.einsum(
    'bsic,si->bsc', posed[:, template.surfel_index], template.surfel_weight
  )
  return project(points, motion.z_pose)


def _with_spread_lids(source: Motion, driver: Motion) -> Motion:
  """The portrait's motion with lids lifted by as much as the driver closes them.

  An open lid is a strip a few pixels high beside the lashes; stretched over a closed
  eye it is noise. The closing lid fetches its colour from the skin above it instead.
  """
  blinks = list(BLINKS)
  closing = driver.z_dyn[..., blinks] - source.z_dyn[..., blinks]
  lifted = source.z_dyn[..., blinks] - LID_LIFT * jnp.maximum(closing, 0.0)
  return source.replace(z_dyn=source.z_dyn.at[..., blinks].set(lifted))


def prior_flow(
  template: HeadTemplate,
  vertices: Array,
  source: Motion,
  driver: Motion,
  size: int,
) -> Prior:
  """The flow from the asked picture back to the portrait.

  Args:
    vertices: `(b, v, 3)` the portrait's neutral head.
    source: the portrait's own motion, leading axis b.
    driver: the asked motion, leading axis b.
    size: cells along each side of the grid (a power of two).
  """
  from_screen, from_depth = surfels(template, vertices, source)
  fetch_screen, _ = surfels(template, vertices, _with_spread_lids(source, driver))
  to_screen, to_depth = surfels(template, vertices, driver)
  kind = template.surfel_kind
  eyeball, teeth = (kind == EYEBALL) * 1.0, (kind == TEETH) * 1.0
  mouth = (kind == MOUTH) + teeth

  def one(from_screen, from_depth, fetch_screen, to_screen, to_depth):
    visible = seen(from_screen, from_depth, kind, size)
    # What the portrait hides has no pixels there to fetch: where a closing lid or the
    # far cheek lies in the portrait, something else is seen. Its flow is continued from
    # the skin round it instead.
    trust = jnp.maximum(visible, HIDDEN_TRUST)[:, None]
    ones = jnp.ones_like(trust)
    rows = [(fetch_screen - to_screen) * trust, trust]
    rows += [jnp.stack([visible, eyeball, mouth, teeth], -1), ones]
    total = splat(to_screen, to_depth, kind, jnp.concatenate(rows, -1), size)
    flow, _ = pull_push(total[..., :3])
    marks, nearness = pull_push(total[..., 3:])
    # A gap one cell wide between samples still lies on the head.
    covered = jnp.minimum(nearness * 2, 1.0)[..., None]
    return flow, jnp.concatenate([covered, marks * covered, nearness[..., None]], -1)

  flow, hints = jax.vmap(one)(
    from_screen, from_depth, fetch_screen, to_screen, to_depth
  )
  return Prior(flow=flow, hints=hints)
