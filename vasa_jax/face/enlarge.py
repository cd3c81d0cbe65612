"""Pictures of any size: the model's flow carries the pixels of a finer portrait.

What the model computed at its own size is smooth (a flow, a share, a correction) and is
enlarged; the detail comes from the portrait itself. With p the model's picture, w its
moved pixels and s the share of them, the large picture is

    enlarged(p - s w) + enlarged(s) * (H(moved) + (1 - a(moved)) B)

where H is the person's part of the portrait's light, a its share of a pixel and B what
lies behind (`inference/showing/cutout.py`): the head moves before a background that
does not.

The share s is the model's mask with its soft middle pulled up. A mask of 0.85 costs the
model nothing, as its paint holds the rest; above the model's own resolution there is no
paint, and the picture would lose 15 % of all fine detail.

Pure functions of arrays; nothing is learned.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax.face.pixel_path import Rendering
from vasa_jax.face.splat import pull_push
from vasa_jax.nn.smooth_step import smooth_step
from vasa_jax.types import Array

# Masks at which fine detail begins to show and shows whole.
PAINTED, CARRIED = 0.15, 0.5
# Crop units: gaps of the template that are closed, and how far inside its rim the
# model's own picture begins to be wanted.
CLOSED, INNER = 0.016, 0.024
GRID = 64  # cells along a side on which both are found
# Rows that are drawn at once. A frame at once leaves the caches: twice as slow on CPU.
BAND = 32


@struct.dataclass
class Layers:
  """What a large picture is made of, at the model's size (b frames).

  Attributes:
    flow: `(b, h, w, 2)` backward, crop units.
    share: `(b, h, w, 1)` of the carried pixels, 0..1.
    rest: `(b, h, w, 3)` the model's picture less that share of its moved pixels.
    head: `(b, n, n, 1)` 1 on the head template, falling to 0 beside it; all 0 for a
      model without a prior.
  """

  flow: Array
  share: Array
  rest: Array
  head: Array


def layers(rendering: Rendering) -> Layers:
  """What `enlarged` needs of a frame.

  Args:
    rendering: of a model with a pixel path.
  """
  # Masks come from a coarser grid, four pixels in one go; enlarged, one would see it.
  share = smooth_step((_mean(rendering.mask, 1) - PAINTED) / (CARRIED - PAINTED))
  # Nearness halves from level to level and never ends; the head ends at a half of it.
  near = 4 * rendering.prior.hints[..., -1:] - 1
  return Layers(
    flow=rendering.fine_flow,
    share=share,
    rest=rendering.picture - share * rendering.warped,
    head=jnp.clip(near, 0.0, 1.0),
  )


def blank(frames: int, size: int, cells: int) -> Layers:
  """Layers of nothing, to compile with.

  Args:
    frames: how many.
    size: of the model's pictures, px.
    cells: along a side of the prior's grid.
  """
  flow, share, rest = (
    np.zeros((frames, size, size, channels), np.float32) for channels in (2, 1, 3)
  )
  return Layers(flow, share, rest, np.zeros((frames, cells, cells, 1), np.float32))


def before_the_rest(layers: Layers, moves: Array) -> Layers:
  """Layers of a head that moves, with its hair, before what does not.

  Beside the template the model has to guess what is hair and what lies behind, and at
  its rim the flow is torn. A cutout knows better: well inside the template the model is
  asked, beyond that its flow there goes on smoothly, with hair, ears and neck. The flow
  fades where the body holds the head: two pictures of a collar, one moved and one not,
  laid over each other would show twice, while a flow that fades bends it.

  Args:
    layers: of a model with a prior.
    moves: `(b, h, w, 1)`; 1 as asked, 0 the portrait as it is.
  """
  size, cells = layers.flow.shape[1], min(GRID, layers.head.shape[1])
  near, far = (max(1, round(share * cells)) for share in (CLOSED, INNER))
  # Lips and jaw leave gaps in the template's nearness.
  whole = _largest(stretched(layers.head, cells), near)
  inside = _mean(-_largest(-whole, near + far + 1), 1)
  own = stretched(layers.flow, cells)
  # `pull_push` takes a quarter of a sample for a whole one.
  seen = jnp.concatenate([own * inside, inside], -1) / 4
  beyond, _ = jax.vmap(pull_push)(seen)
  inside = stretched(inside, size)
  flow = inside * layers.flow + (1 - inside) * stretched(beyond, size)
  inside = moves * inside
  return layers.replace(
    flow=moves * flow,
    share=1 - inside * (1 - layers.share),
    rest=inside * layers.rest,
  )


class Part(NamedTuple):
  """A square of a picture.

  Attributes:
    x, y: its first column and row.
    side: in px; whole: that of the picture.
  """

  x: Array | int
  y: Array | int
  side: int
  whole: int

  def of(self, pictures: Array) -> Array:
    """Cuts it out of `(b, h, w, c)`."""
    b, _, _, c = pictures.shape
    start = 0, self.y, self.x, 0
    return jax.lax.dynamic_slice(pictures, start, (b, self.side, self.side, c))


def all_of(side: int) -> Part:
  """The whole of a picture."""
  return Part(0, 0, side, side)


def enlarged(
  layers: Layers, carried: Array, behind: Array, part: Part | None = None
) -> Array:
  """The pictures at another size.

  Args:
    layers: of b frames.
    carried: `(1, k, k, 4)` the person's part of the light in the portrait, and its
      share of the pixel (`solid` for a portrait without a cutout). Three times the side
      of `behind` keeps what bilinear sampling between pixels would blur.
    behind: `(1, side, side, 3)` in [0, 1], what one sees where the person is not.
    part: what of the pictures is wanted; None is all.

  Returns:
    `(b, part.side, part.side, 3)`, about [0, 1].
  """
  own, side = carried.shape[1], behind.shape[1]
  part = part or all_of(side)
  zoom = own / side
  rows = jnp.asarray(carried).reshape(-1, 4)
  bands = -(-part.side // BAND)
  line = np.minimum(np.arange(bands * BAND), part.side - 1).reshape(bands, BAND)
  back = part.of(jnp.asarray(behind))[0, line]
  x, y = part.x + np.arange(part.side), part.y + line
  across = _between(x, side, layers.flow.shape[2])
  along = _between(y, side, layers.flow.shape[1])

  def band(drawn, at):
    y, rows_between, back = at
    drawn = _blended(_blended(drawn, rows_between, 0), across, 1)
    flow, share, rest = jnp.split(drawn, (2, 3), -1)
    place = jnp.stack(jnp.broadcast_arrays(x, y[:, None]), -1)
    place = (place + 0.5) * zoom - 0.5 + flow * own
    moved = sampled(rows, place, own, own)
    return rest + share * (moved[..., :3] + (1 - moved[..., 3:]) * back)

  def frame(layers):
    drawn = jnp.concatenate([layers.flow, layers.share, layers.rest], -1)
    done = jax.lax.map(lambda at: band(drawn, at), (y, along, back))
    return done.reshape(-1, part.side, 3)[: part.side]

  return jax.lax.map(frame, layers)


def solid(crop: Array) -> Array:
  """`(1, k, k, 3)` in [0, 1] as `carried`: all of it moves, nothing lies behind."""
  return jnp.concatenate([crop, jnp.ones_like(crop[..., :1])], -1)


def stretched(x: Array, side: int, part: Part | None = None) -> Array:
  """Bilinear: `(b, h, w, c)` to `(b, side, side, c)`, or to a part of that."""
  part = part or all_of(side)
  line = np.arange(part.side)
  down = _between(part.y + line, side, x.shape[1])
  across = _between(part.x + line, side, x.shape[2])
  return jax.vmap(lambda one: _blended(_blended(one, down, 0), across, 1))(x)


class Between(NamedTuple):
  """Where samples of a line lie between its cells: the cell below, and how far on."""

  low: Array
  part: Array


def _between(at: Array, side: int, cells: int) -> Between:
  """Pixels `at` of `side` among `cells`; the border is repeated."""
  # In whole numbers: the places of a part are exactly those of the whole.
  position = ((2 * at + 1) * cells - side).clip(0, 2 * side * (cells - 1))
  low = (position // (2 * side)).clip(max=cells - 2)
  return Between(low, ((position - 2 * side * low) / (2 * side)).astype(np.float32))


def _blended(x: Array, at: Between, axis: int) -> Array:
  """Bilinear along an axis of `(h, w, c)`.

  `jax.image.resize` multiplies by matrices and takes ten times as long.
  """
  part = at.part.reshape(-1, *[1] * (2 - axis))
  low, high = (jnp.take(x, at.low + step, axis, mode='clip') for step in (0, 1))
  return low * (1 - part) + high * part


def sampled(rows: Array, place: Array, high: int, wide: int) -> Array:
  """Bilinear; the border is repeated.

  `nn.sampling` also knows zeros outside and gradients, at half the speed. Beside a
  whole pixel XLA for CPU may round a place anew for the corner and for the fraction:
  one in some ten thousand samples comes from the pixel beside its own. (A barrier does
  not help: XLA takes it away before it fuses.)

  Args:
    rows: `(high * wide, c)` pixels.
    place: `(..., 2)` x, y in pixels.
    high, wide: of the picture.
  """
  place = jnp.clip(place, 0.0, jnp.array([wide - 1.0, high - 1.0]))
  low = jnp.minimum(place.astype(jnp.int32), jnp.array([wide - 2, high - 2]))
  x, y = jnp.split(place - low, 2, -1)
  first = low[..., 1] * wide + low[..., 0]

  def at(step):
    return rows.at[first + step].get(mode='promise_in_bounds')

  upper = at(0) * (1 - x) + at(1) * x
  lower = at(wide) * (1 - x) + at(wide + 1) * x
  return upper * (1 - y) + lower * y


def _mean(x: Array, reach: int) -> Array:
  """Means over squares of `2 reach + 1`; the border is repeated."""
  pad = (reach, reach)
  x = jnp.pad(x, ((0, 0), pad, pad, (0, 0)), mode='edge')
  return _windowed(x, jax.lax.add, 0.0, reach, 'VALID') / (2 * reach + 1) ** 2


def _largest(x: Array, reach: int) -> Array:
  """Largest over squares of `2 reach + 1`."""
  return _windowed(x, jax.lax.max, -jnp.inf, reach, 'SAME')


def _windowed(x: Array, what, start: float, reach: int, padding: str) -> Array:
  """One axis after the other."""
  for window in ((1, 2 * reach + 1, 1, 1), (1, 1, 2 * reach + 1, 1)):
    x = jax.lax.reduce_window(x, start, what, window, (1, 1, 1, 1), padding)
  return x
