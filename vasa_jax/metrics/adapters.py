"""The face model and its floors as `oracle.FaceAdapter`s."""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from vasa_jax.face.autoencoder import FaceModel
from vasa_jax.face.config import FaceConfig
from vasa_jax.face.prior import HeadTemplate, prior_flow, shape_vertices
from vasa_jax.face.template import load_template
from vasa_jax.metrics.oracle import FaceAdapter
from vasa_jax.nn.warp import screen_grid, warp_picture
from vasa_jax.types import Array, Motion


def face_adapter(
  config: FaceConfig, params: Mapping[str, Any], own_motion: bool = False
) -> FaceAdapter:
  """Our face model.

  Args:
    config, params: of the model.
    own_motion: True: it reads the motion of both pictures with its own encoder. Always
      so where the latents are learned (`anchored` is off); otherwise False drives it by
      the exact labels, which is what stage 2 does.
  """
  model, variables = FaceModel(config), {'params': params}
  own_motion = own_motion or not config.anchored
  template = None
  if config.pixel_path is not None:
    template = HeadTemplate.of(load_template())

  # Parameters are arguments: as constants they would be compiled in, anew for each run.
  @jax.jit
  def perceived(variables, picture: Array) -> Motion:
    return model.apply(variables, picture, method='motion')

  @jax.jit
  def encoded(variables, picture: Array, motion: Motion, shape: Array):
    vertices = None if template is None else shape_vertices(template, shape)
    return model.apply(variables, picture, motion, vertices, method='encode')

  @jax.jit
  def decoded(variables, code: Any, motion: Motion) -> Array:
    rendering = model.apply(variables, code, motion, method='decode')
    return rendering.picture.astype(jnp.float32)

  perceive = functools.partial(perceived, variables)
  decode = functools.partial(decoded, variables)

  def encode(picture: Array, motion: Motion, shape: Array):
    if own_motion:
      motion = perceive(picture)
    return encoded(variables, picture, motion, shape)

  return FaceAdapter(encode, decode, perceive if own_motion else None)


def bare_warp(grid: int = 128) -> FaceAdapter:
  """The floor without learning: the portrait's pixels along the template's flow.

  Args:
    grid: cells along a side of the flow; the `lite` config's `prior_size`.
  """
  template = HeadTemplate.of(load_template())

  def encode(picture: Array, motion: Motion, shape: Array):
    return picture, motion, shape_vertices(template, shape)

  @jax.jit
  def decode(code: Any, motion: Motion) -> Array:
    picture, source, vertices = code
    flow = prior_flow(template, vertices, source, motion, grid).flow
    b, h, w, _ = picture.shape
    flow = jax.image.resize(flow, (b, h, w, 2), 'linear')
    return warp_picture(picture, screen_grid(h) + flow)

  return FaceAdapter(encode, decode)
