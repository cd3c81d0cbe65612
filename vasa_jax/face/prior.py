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
import numpy as np
from flax import struct

from vasa_jax.face.template import (
  EYEBALL,
  FIELD_OF_VIEW,
  MOUTH,
  REFERENCE_DISTANCE,
  SKIN,
  TARGET_HEIGHT,
  Template,
)
from vasa_jax.nn.rotation import euler_matrix, rotate, rotation_vector
from vasa_jax.types import NUM_UNITS, Array, Motion

PRIOR_CHANNELS = 6
BLINKS = (8, 9)  # eyeBlinkLeft and eyeBlinkRight among the face units
TONGUE_OUT, TONGUE_MOTION = 51, 0.01
LID_LIFT, LID_TRAVEL = 0.7, 0.7  # beyond such a closure a lid fetches the brow
EYE_SLACK = 0.01  # the lid lies this close to the eyeball, its lining behind it
LID, LID_MOTION = 3, 0.01  # skin that a blink moves by more than this, model units
TEETH, LIP = 4, 5  # of what the template calls mouth, and of its skin
LIP_REACH, LIP_SLACK = 0.12, 0.04
TEETH_DEPTH = 0.15  # behind the lips; the rest of a mouth must not show under the jaw
# Landmarks of the face mesh: the inner rim of the lips.
INNER_LIPS = (
  78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88,
  95,
)  # fmt: skip
LID_REACH = 0.06  # skin so near to a closed lid counts as one
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
    kind = template.kind[template.surfel_index[:, 0]]
    kind = np.where(_near_lids(template) & (kind == SKIN), LID, kind)
    kind = np.where(_near_lips(template) & (kind == SKIN), LIP, kind)
    kind = np.where(_teeth(template)[template.surfel_index[:, 0]], TEETH, kind)
    return cls(
      mean=template.mean,
      basis=template.basis,
      units=template.units,
      head_weight=template.head_weight,
      eye=template.eye,
      surfel_index=template.surfel_index,
      surfel_weight=template.surfel_weight,
      surfel_kind=kind,
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


def _teeth(template: Template) -> np.ndarray:
  """Which vertices are teeth, `(v,)`: the template's last ones, behind its tongue."""
  mouth = template.kind == MOUTH
  tongue = np.abs(template.units[TONGUE_OUT]).max(-1) > TONGUE_MOTION
  return mouth & (np.arange(len(mouth)) > np.flatnonzero(mouth & tongue).max())


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


def _corners(screen: Array, size: int) -> tuple[Array, Array]:
  """The four cells round each point: flat index `(s, 4)` and bilinear weight."""
  position = screen * size - 0.5
  low = jnp.floor(position)
  fraction = position - low
  cells, weights = [], []
  for dy in (0, 1):
    for dx in (0, 1):
      x, y = low[:, 0] + dx, low[:, 1] + dy
      wx = fraction[:, 0] if dx else 1 - fraction[:, 0]
      wy = fraction[:, 1] if dy else 1 - fraction[:, 1]
      inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
      cells.append(jnp.where(inside, y * size + x, size * size))  # the last cell: waste
      weights.append(jnp.where(inside, wx * wy, 0.0))
  return jnp.stack(cells, -1).astype(jnp.int32), jnp.stack(weights, -1)


def _depth_buffer(screen: Array, depth: Array, size: int) -> Array:
  """Nearest depth per cell, `(size * size + 1,)`; empty cells hold infinity."""
  cells, weights = _corners(screen, size)
  # A corner that the point barely touches must not hide what is behind it.
  near = jnp.where(weights > 0.1, depth[:, None], jnp.inf)
  empty = jnp.full((size * size + 1,), jnp.inf)
  return empty.at[cells].min(near)


def _dilated(buffer: Array, size: int) -> Array:
  """Minimum over 3 x 3 cells: closes the gaps between samples of one surface."""
  grid = buffer[:-1].reshape(size, size)
  grid = jax.lax.reduce_window(grid, jnp.inf, jax.lax.min, (3, 3), (1, 1), 'SAME')
  return jnp.append(grid.ravel(), jnp.inf)


def _closed(buffer: Array, size: int) -> Array:
  """Gaps one cell wide filled with what surrounds them; wider holes keep their rim."""
  grid = _dilated(buffer, size)[:-1].reshape(size, size)
  grid = jax.lax.reduce_window(grid, -jnp.inf, jax.lax.max, (3, 3), (1, 1), 'SAME')
  return jnp.append(grid.ravel(), jnp.inf)


def _limit(buffer: Array, cells: Array, kind: Array, size: int) -> Array:
  """The depth up to which a sample counts as visible in `cells (s, n)`.

  Skin is sampled sparsely and slants, so it gets slack against the dilated buffer.
  Teeth and tongue must not shine through closed lips, nor the lining of open ones over
  the teeth, and a speaking mouth is a few cells high: they see the buffer with its gaps
  closed. The lids are sampled densely and the eye between them is as small, so eyeballs
  see the plain buffer.
  """
  plain, dilated, closed = (
    field[cells] for field in (buffer, _dilated(buffer, size), _closed(buffer, size))
  )
  kind = kind[:, None]
  inside = (kind == MOUTH) | (kind == TEETH)
  behind = jnp.minimum(closed + 0.02, dilated + TEETH_DEPTH)
  limit = jnp.where(inside, behind, dilated + 0.1)
  limit = jnp.where(kind == LIP, closed + LIP_SLACK, limit)
  return jnp.where((kind == EYEBALL) | (kind == LID), plain + EYE_SLACK, limit)


def _seen(screen: Array, depth: Array, kind: Array, size: int) -> Array:
  """1 for samples that the portrait shows, 0 for hidden ones, `(s,)`."""
  buffer = _depth_buffer(screen, depth, size)
  cell = jnp.clip((screen * size).astype(jnp.int32), 0, size - 1)
  limit = _limit(buffer, (cell[:, 1] * size + cell[:, 0])[:, None], kind, size)[:, 0]
  inside = jnp.all((screen >= 0) & (screen < 1), -1)
  return (inside & (depth <= limit)) * 1.0


def _splat(screen: Array, depth: Array, kind: Array, rows: Array, size: int) -> Array:
  """Depth-tested bilinear splat: sums of `rows (s, c)` per cell, `(size, size, c)`."""
  cells, weights = _corners(screen, size)
  limit = _limit(_depth_buffer(screen, depth, size), cells, kind, size)
  weights = jnp.where(depth[:, None] <= limit, weights, 0.0)
  total = jnp.zeros((size * size + 1, rows.shape[-1]))
  total = total.at[cells].add(rows[:, None] * weights[..., None])[:-1]
  return total.reshape(size, size, -1)


def _pool(x: Array) -> Array:
  h, w, c = x.shape
  return x.reshape(h // 2, 2, w // 2, 2, c).sum((1, 3))


def _pull_push(total: Array) -> tuple[Array, Array]:
  """Fills cells without samples from coarser levels (Gortler et al. 1996).

  Args:
    total: `(h, h, c + 1)` weighted sums with the weight last.

  Returns:
    `(h, h, c)` values everywhere, `(h, h)` nearness: 1 where samples lie, halved for
    every level that had to be asked.
  """
  levels = [total]
  while levels[-1].shape[0] > 2:
    # Saturating the weight keeps dense regions from drowning sparse ones.
    pooled = _pool(levels[-1])
    scale = jnp.minimum(1.0, 1.0 / jnp.maximum(pooled[..., -1:], 1e-6))
    levels.append(pooled * scale)
  weight = levels[-1][..., -1:]
  value = levels[-1][..., :-1] / jnp.maximum(weight, 1e-6)
  nearness = jnp.ones_like(weight)
  for level in reversed(levels[:-1]):
    side = level.shape[0]
    value = jax.image.resize(value, (side, side, value.shape[-1]), 'linear')
    nearness = jax.image.resize(nearness, (side, side, 1), 'linear') * 0.5
    own = jnp.minimum(level[..., -1:] * 4, 1.0)
    mean = level[..., :-1] / jnp.maximum(level[..., -1:], 1e-6)
    value = own * mean + (1 - own) * value
    nearness = own + (1 - own) * nearness
  return value, nearness[..., 0]


def _with_spread_lids(source: Motion, driver: Motion) -> Motion:
  """The portrait's motion with lids lifted by as much as the driver closes them.

  An open lid is a strip a few pixels high beside the lashes; stretched over a closed
  eye it is noise. The closing lid fetches its colour from the skin above it instead.
  """
  blinks = list(BLINKS)
  closing = driver.z_dyn[..., blinks] - source.z_dyn[..., blinks]
  travel = jnp.clip(closing, 0.0, LID_TRAVEL)
  lifted = source.z_dyn[..., blinks] - LID_LIFT * travel
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
    visible = _seen(from_screen, from_depth, kind, size)
    # What the portrait hides has no pixels there to fetch: where a closing lid or the
    # far cheek lies in the portrait, something else is seen. Its flow is continued from
    # the skin round it instead.
    trust = jnp.maximum(visible, HIDDEN_TRUST)[:, None]
    ones = jnp.ones_like(trust)
    rows = [(fetch_screen - to_screen) * trust, trust]
    rows += [jnp.stack([visible, eyeball, mouth, teeth], -1), ones]
    total = _splat(to_screen, to_depth, kind, jnp.concatenate(rows, -1), size)
    flow, _ = _pull_push(total[..., :3])
    marks, nearness = _pull_push(total[..., 3:])
    # A gap one cell wide between samples still lies on the head.
    covered = jnp.minimum(nearness * 2, 1.0)[..., None]
    return flow, jnp.concatenate([covered, marks * covered, nearness[..., None]], -1)

  flow, hints = jax.vmap(one)(
    from_screen, from_depth, fetch_screen, to_screen, to_depth
  )
  return Prior(flow=flow, hints=hints)
