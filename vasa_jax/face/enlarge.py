"""Larger pictures of the pixel path: its flow carries the pixels of a larger crop.

What the model computed at its own size is smooth (a flow, a share, a correction) and is
enlarged; the detail comes from the portrait itself. With p the model's picture, w its
moved pixels and s the share of them, the large picture is

    enlarged(p - s w) + enlarged(s) * moved(large crop)

The share is the model's mask with its soft middle pulled up. A mask of 0.85 costs the
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
from vasa_jax.types import Array

# Masks at which fine detail begins to show and shows whole.
PAINTED, CARRIED = 0.15, 0.5
# Rows that are drawn at once. A frame at once leaves the caches: twice as slow on CPU.
BAND = 32


@struct.dataclass
class Layers:
  """What a large picture is made of, at the model's size (b frames).

  Attributes:
    flow: `(b, h, w, 2)` backward, crop units.
    share: `(b, h, w, 1)` of the carried pixels, 0..1.
    rest: `(b, h, w, 3)` the model's picture less that share of its moved pixels.
  """

  flow: Array
  share: Array
  rest: Array


def layers(rendering: Rendering) -> Layers:
  """What `enlarged` needs of a frame.

  Args:
    rendering: of a model with a pixel path.
  """
  # Masks come from a coarser grid, four pixels in one go; enlarged, one would see it.
  mask = jnp.pad(rendering.mask, ((0, 0), (1, 1), (1, 1), (0, 0)), mode='edge')
  summed = jax.lax.reduce_window(
    mask, 0.0, jax.lax.add, (1, 3, 3, 1), (1, 1, 1, 1), 'VALID'
  )
  share = _smooth_step((summed / 9 - PAINTED) / (CARRIED - PAINTED))
  return Layers(
    flow=rendering.fine_flow,
    share=share,
    rest=rendering.picture - share * rendering.warped,
  )


def faded(layers: Layers, matte: Array) -> Layers:
  """Layers whose pictures go over into the portrait's crop, unmoved.

  The flow itself fades: two pictures of hair, one moved and one not, laid over each
  other would show twice, while a flow that fades bends it.

  Args:
    matte: `(b, h, w, 1)`; 1 as asked, 0 the crop as it is, exactly.
  """
  return layers.replace(
    flow=matte * layers.flow,
    share=1 - matte * (1 - layers.share),
    rest=matte * layers.rest,
  )


def enlarged(layers: Layers, crop: Array, side: int | None = None) -> Array:
  """The pictures at another size.

  Args:
    layers: of b frames.
    crop: `(1, s, s, 3)` in [0, 1], the portrait's crop at any size.
    side: of the pictures; None is the crop's. A crop of a few times the side keeps
      what bilinear sampling between pixels would blur.

  Returns:
    `(b, side, side, 3)`, about [0, 1].
  """
  own = crop.shape[1]
  side = side or own
  zoom = own / side
  rows = jnp.asarray(crop).reshape(-1, 3)
  bands = -(-side // BAND)
  y = np.minimum(np.arange(bands * BAND), side - 1).reshape(bands, BAND)
  x = np.arange(side)
  across = _between(x, side, layers.flow.shape[2])
  along = _between(y, side, layers.flow.shape[1])

  def band(drawn, at):
    y, rows_between = at
    drawn = _blended(_blended(drawn, rows_between, 0), across, 1)
    flow, share, rest = jnp.split(drawn, (2, 3), -1)
    place = jnp.stack(jnp.broadcast_arrays(x, y[:, None]), -1)
    place = (place + 0.5) * zoom - 0.5 + flow * own
    return rest + share * _sampled(rows, place, own)

  def frame(layers):
    drawn = jnp.concatenate([layers.flow, layers.share, layers.rest], -1)
    done = jax.lax.map(lambda at: band(drawn, at), (y, along))
    return done.reshape(-1, side, 3)[:side]

  return jax.lax.map(frame, layers)


def stretched(x: Array, side: int) -> Array:
  """Bilinear: `(b, h, w, c)` to `(b, side, side, c)`."""
  down, across = (_between(np.arange(side), side, cells) for cells in x.shape[1:3])
  return jax.vmap(lambda one: _blended(_blended(one, down, 0), across, 1))(x)


class Between(NamedTuple):
  """Where samples of a line lie between its cells: the cell below, and how far on."""

  low: Array
  part: Array


def _between(at: np.ndarray, side: int, cells: int) -> Between:
  """Pixels `at` of `side` among `cells`; the border is repeated."""
  position = np.clip((at + 0.5) * cells / side - 0.5, 0, cells - 1)
  low = np.minimum(position.astype(np.int32), cells - 2)
  return Between(low, (position - low).astype(np.float32))


def _blended(x: Array, at: Between, axis: int) -> Array:
  """Bilinear along an axis of `(h, w, c)`.

  `jax.image.resize` multiplies by matrices and takes ten times as long.
  """
  part = at.part.reshape(-1, *[1] * (2 - axis))
  low, high = (jnp.take(x, at.low + step, axis, mode='clip') for step in (0, 1))
  return low * (1 - part) + high * part


def _sampled(rows: Array, place: Array, side: int) -> Array:
  """Bilinear; `nn.sampling` also knows zeros outside and gradients, at half the speed.

  Args:
    rows: `(side * side, 3)` pixels.
    place: `(..., 2)` x, y in pixels.
    side: of the square.
  """
  place = jnp.clip(place, 0.0, side - 1.0)
  low = jnp.minimum(place.astype(jnp.int32), side - 2)
  x, y = jnp.split(place - low, 2, -1)
  first = low[..., 1] * side + low[..., 0]

  def at(step):
    return rows.at[first + step].get(mode='promise_in_bounds')

  upper = at(0) * (1 - x) + at(1) * x
  lower = at(side) * (1 - x) + at(side + 1) * x
  return upper * (1 - y) + lower * y


def _smooth_step(x: Array) -> Array:
  x = jnp.clip(x, 0.0, 1.0)
  return x * x * (3 - 2 * x)
