"""The pixel path of `lite`: the portrait's own pixels carried along a predicted flow.

A small generator cannot redraw a real person's skin and hair, but it can move them. The
geometric prior gives a first flow; a network at a quarter of the resolution corrects
it, decides where the picture stays (background, clothes) and, at half the resolution,
paints what the portrait does not show: teeth, closed lids, the far cheek. The output is
a blend. Not part of VASA-1; `FaceConfig.pixel_path = None` removes it.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct

from vasa_jax.face.config import FaceConfig
from vasa_jax.face.prior import PRIOR_CHANNELS, HeadTemplate, Prior, prior_flow
from vasa_jax.nn.blocks import (
  Conv,
  Norm,
  ResBlock,
  average_pool,
  depth_to_space,
  space_to_depth,
  upsample,
)
from vasa_jax.nn.warp import screen_grid, warp_picture
from vasa_jax.types import Array, Motion

MAX_CORRECTION = 0.15  # crop units: how far the network may bend the prior's flow


@struct.dataclass
class PixelCode:
  """What the pixel path keeps of a portrait.

  Attributes:
    picture: `(b, h, w, 3)` in [0, 1].
    features: `(b, h / 4, w / 4, c)` of `PixelEncoder`.
    vertices: `(b, v, 3)` the head's neutral vertices (`face/template.py`).
    motion: the portrait's own motion.
  """

  picture: Array
  features: Array
  vertices: Array
  motion: Motion


@struct.dataclass
class Rendering:
  """A decoded frame and how it came about (the rest is for losses and pictures).

  Attributes:
    picture: `(b, h, w, 3)` in [0, 1].
    warped: the portrait's pixels alone, moved.
    paint: `(b, h, w, 3)` what the network draws, everywhere.
    mask: `(b, h, w, 1)` share of the moved pixels in the picture.
    flow: `(b, h / 4, w / 4, 2)` backward flow, crop units.
    prior: the geometric prior.
    fine_flow: `(b, h, w, 2)` the flow that moved the pixels.
  """

  picture: Array
  warped: Array | None = None
  paint: Array | None = None
  mask: Array | None = None
  flow: Array | None = None
  prior: Prior | None = None
  fine_flow: Array | None = None


class PixelEncoder(nn.Module):
  """The portrait's features at a quarter of the resolution, once per portrait."""

  config: FaceConfig

  @nn.compact
  def __call__(self, picture: Array) -> Array:
    p, dtype = self.config.pixel_path, jnp.dtype(self.config.dtype)
    x = Conv(p.features, (3, 3), standardise=False, dtype=dtype)(
      space_to_depth(picture, 4)
    )
    return ResBlock(p.features, dtype=dtype)(x)


class PixelPath(nn.Module):
  """Corrects the flow, moves the pixels, paints the rest."""

  config: FaceConfig

  @nn.compact
  def __call__(
    self, trunk: Array, code: PixelCode, motion: Motion, template: HeadTemplate
  ) -> Rendering:
    c = self.config
    p, dtype = c.pixel_path, jnp.dtype(c.dtype)
    quarter = c.size // 4
    prior = self._prior(code, motion, template)
    ratio = p.prior_size // quarter
    flow = average_pool(prior.flow, (ratio, ratio))
    hints = space_to_depth(prior.hints, ratio).astype(dtype)

    grid = screen_grid(quarter)
    features = code.features
    moved = warp_picture(features, grid + flow)
    still = jnp.broadcast_to(features, moved.shape)
    scale = quarter // trunk.shape[1]
    inputs = [upsample(trunk, (scale, scale)), moved, still, hints]
    inputs += [(flow * 8).astype(dtype)]
    x = Conv(p.width, (3, 3), dtype=dtype)(jnp.concatenate(inputs, -1))
    for _ in range(p.blocks):
      x = ResBlock(p.width, dtype=dtype)(x)
    x = nn.relu(Norm(dtype)(x))

    # Flow: the prior's where the head moves, none where the picture stays.
    out = Conv(3, (3, 3), standardise=False, zero_init=True)(x.astype(jnp.float32))
    nearness = average_pool(prior.hints[..., -1:], (ratio, ratio))
    moves = nn.sigmoid(out[..., :1] + 6 * nearness - 1)
    flow = moves * flow + MAX_CORRECTION * jnp.tanh(out[..., 1:])
    fine_flow = _resize(flow, c.size)
    if p.prior_size > quarter:
      # The prior is finer than the correction; its detail (lips, lids) is kept.
      detail = prior.flow - _resize(
        average_pool(prior.flow, (ratio,) * 2), p.prior_size
      )
      detail = detail * _resize(moves, p.prior_size) * prior.hints[..., :1]
      fine_flow = fine_flow + _resize(detail, c.size)
    warped = warp_picture(code.picture, screen_grid(c.size) + fine_flow)

    # Paint at half the resolution, seeing the moved pixels.
    coarse = Conv(4 * p.fine_width, (1, 1), dtype=dtype)(x)
    fine = [depth_to_space(coarse, 2), space_to_depth(warped.astype(dtype), 2)]
    fine += [_resize(prior.hints, c.size // 2).astype(dtype)]
    y = nn.relu(Conv(p.fine_width, (3, 3), dtype=dtype)(jnp.concatenate(fine, -1)))
    y = nn.relu(Conv(p.fine_width, (3, 3), dtype=dtype)(y))
    y = Conv(16, (3, 3), standardise=False, zero_init=True, dtype=dtype)(y)
    y = depth_to_space(y.astype(jnp.float32), 2)  # b h w 4
    mask = nn.sigmoid(y[..., 3:] + 2.0)  # starts by trusting the pixels
    # Painting starts from the moved pixels' blurred colours, so that the mask has no
    # reason to shut it out before it has learned anything.
    blurred = _resize(average_pool(warped, (8, 8)), c.size)
    paint = blurred + y[..., :3]
    picture = mask * warped + (1 - mask) * paint
    return Rendering(picture, warped, paint, mask, flow, prior, fine_flow)

  def _prior(self, code: PixelCode, motion: Motion, template: HeadTemplate) -> Prior:
    p = self.config.pixel_path
    if p.prior:
      return prior_flow(template, code.vertices, code.motion, motion, p.prior_size)
    shape = (motion.z_pose.shape[0], p.prior_size, p.prior_size)
    return Prior(jnp.zeros((*shape, 2)), jnp.zeros((*shape, PRIOR_CHANNELS)))


def _resize(x: Array, side: int) -> Array:
  return jax.image.resize(x, (x.shape[0], side, side, x.shape[-1]), 'linear')
