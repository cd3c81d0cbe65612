"""Surface samples onto a grid: which of them are seen, and what lies between them.

A depth buffer says what hides what, with slack where samples are sparse; visible
samples are splatted, and gaps are filled from coarser levels. Screen coordinates are
crop units: x right and y down, 0..1 over the grid.
"""

import jax
import jax.numpy as jnp

from vasa_jax.face.kinds import LID, LIP, TEETH
from vasa_jax.face.template import EYEBALL, MOUTH, SKIN
from vasa_jax.types import Array

EYE_SLACK = 0.01  # the lid lies this close to the eyeball, its lining behind it
LIP_SLACK = 0.04


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


def _limit(screen: Array, depth: Array, kind: Array, cells: Array, size: int) -> Array:
  """The depth up to which a sample counts as visible in `cells (s, n)`.

  Skin is sampled sparsely and slants, so it gets slack against the dilated buffer.
  Teeth and tongue must not shine through closed lips, nor the lining of open ones over
  the teeth, and a speaking mouth is a few cells high: they see the buffer with its gaps
  closed, and the skin round the lips dilated. The lids are sampled densely and the eye
  between them is as small, so eyeballs see the plain buffer.
  """
  buffer = _depth_buffer(screen, depth, size)
  round_lips = _depth_buffer(screen, jnp.where(kind == SKIN, depth, jnp.inf), size)
  plain, dilated, closed, cover = (
    field[cells]
    for field in (
      buffer,
      _dilated(buffer, size),
      _closed(buffer, size),
      _dilated(round_lips, size),
    )
  )
  kind = kind[:, None]
  inside = (kind == MOUTH) | (kind == TEETH)
  limit = jnp.where(inside, jnp.minimum(closed, cover) + 0.02, dilated + 0.1)
  limit = jnp.where(kind == LIP, closed + LIP_SLACK, limit)
  return jnp.where((kind == EYEBALL) | (kind == LID), plain + EYE_SLACK, limit)


def seen(screen: Array, depth: Array, kind: Array, size: int) -> Array:
  """1 for samples that the portrait shows, 0 for hidden ones, `(s,)`."""
  cell = jnp.clip((screen * size).astype(jnp.int32), 0, size - 1)
  cells = (cell[:, 1] * size + cell[:, 0])[:, None]
  limit = _limit(screen, depth, kind, cells, size)[:, 0]
  inside = jnp.all((screen >= 0) & (screen < 1), -1)
  return (inside & (depth <= limit)) * 1.0


def splat(screen: Array, depth: Array, kind: Array, rows: Array, size: int) -> Array:
  """Depth-tested bilinear splat: sums of `rows (s, c)` per cell, `(size, size, c)`."""
  cells, weights = _corners(screen, size)
  limit = _limit(screen, depth, kind, cells, size)
  weights = jnp.where(depth[:, None] <= limit, weights, 0.0)
  total = jnp.zeros((size * size + 1, rows.shape[-1]))
  total = total.at[cells].add(rows[:, None] * weights[..., None])[:-1]
  return total.reshape(size, size, -1)


def _pool(x: Array) -> Array:
  h, w, c = x.shape
  return x.reshape(h // 2, 2, w // 2, 2, c).sum((1, 3))


def pull_push(total: Array) -> tuple[Array, Array]:
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
