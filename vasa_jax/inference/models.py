"""How inference calls the two models: the only place that knows their interfaces."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.inference.directing import stance
from vasa_jax.inference.finding.portrait import Portrait
from vasa_jax.inference.programs import kept, noted
from vasa_jax.types import FaceCode, Motion

MAX_FIT_ERROR = 0.03  # crop units; frontal faces fit to 0.004, a profile to 0.016
DISTANCES = (0.9, 1.3)  # distance ratios that stage 2 was trained on
FRONTAL = 35.0  # degrees of yaw or pitch; the corpus has few heads beyond


class Size(NamedTuple):
  """What `vasa info` counts.

  Attributes:
    params: in all.
    parts: by top-level module.
  """

  params: int
  parts: dict[str, int]


def config_type(part: str) -> type:
  """The config dataclass of `'face'` or `'motion'`."""
  if part == 'face':
    from vasa_jax.face.config import FaceConfig

    return FaceConfig
  from vasa_jax.motion.config import MotionConfig

  return MotionConfig


def preset(name: str) -> dict[str, Any] | None:
  """Returns {'face': config, 'motion': config} of a preset, None if there is none."""
  from vasa_jax.face.config import PRESETS
  from vasa_jax.motion import config as motion

  if name not in PRESETS:
    return None
  # The latents of `base` are those of `lite`.
  moved_by = 'lite' if name == 'base' else name
  return {'face': PRESETS[name](), 'motion': getattr(motion, moved_by)()}


def init(part: str, config: Any, key: jax.Array) -> Any:
  """Random parameters of `'face'` or `'motion'`."""
  if part == 'face':
    from vasa_jax.face.autoencoder import init_params
  else:
    from vasa_jax.motion.step import init_params
  return init_params(config, key)


def abstract(part: str, config: Any) -> Any:
  """The parameters' shapes and types, without computing anything."""
  return jax.eval_shape(lambda key: init(part, config, key), jax.random.key(0))


@functools.cache
def shapes(part: str, config: Any) -> dict[str, tuple[int, ...]]:
  """Flat name `a/b/c` of each parameter to its shape."""

  def traced() -> dict[str, tuple[int, ...]]:
    return {name: leaf.shape for name, leaf in _named(abstract(part, config))}

  found = noted(traced, ('shapes', part, config))
  return {name: tuple(shape) for name, shape in found.items()}


def size(part: str, config: Any) -> Size:
  """Counts parameters without computing anything."""
  parts: dict[str, int] = {}
  tree = abstract(part, config)
  # Beside its parameters the motion model keeps the statistics of its training set.
  for name, leaf in _named(tree['params'] if part == 'motion' else tree):
    top = name.split('/')[0]
    parts[top] = parts.get(top, 0) + int(np.prod(leaf.shape, dtype=np.int64))
  return Size(sum(parts.values()), dict(sorted(parts.items())))


def flops_per_frame(config: Any) -> float:
  """Floating-point operations to decode one frame, as XLA counts them; nothing runs."""
  params = abstract('face', config)
  code = jax.eval_shape(lambda p: _encode(config, p, *_blank(config)), params)
  motion = jax.eval_shape(lambda: _still(config, 1))
  lowered = jax.jit(lambda *a: decode(config, *a)).lower(params, code, motion)
  return float(lowered.cost_analysis().get('flops', 0.0))


def to_numpy(tree: Any) -> Any:
  """Device arrays to host arrays, through nested dictionaries."""
  return jax.tree.map(np.asarray, tree)


class Source(NamedTuple):
  """How the portrait itself is posed, as the face model asks for it.

  Attributes:
    motion: of batch 1, or None where the model sees it by itself.
    vertices: `(1, v, 3)` neutral head, or None where no pixel path asks for it.
    notes: lines for the user.
  """

  motion: Motion | None
  vertices: np.ndarray | None
  notes: tuple[str, ...] = ()

  def defaults(self) -> dict[str, float]:
    """Controls that keep the head where the portrait has it."""
    if self.motion is None:
      return {}
    ratio = float(np.exp(self.motion.z_pose[0, 3]))
    return {'distance': float(np.clip(ratio, *DISTANCES))}


def fit_source(config: Any, portrait: Portrait, name: str = 'picture') -> Source:
  """Fits the head to the portrait's landmarks.

  Raises:
    UserError: the landmarks are not those of a head.
  """
  if not config.anchored:
    return Source(None, None)
  from vasa_jax.face.fit import fit_portrait

  fit = fit_portrait(portrait.points, portrait.irises[:, 0])
  if not fit.error < MAX_FIT_ERROR:
    raise UserError(f'{name}: the face is not clear; give a picture from the front')
  fitted = jax.tree.map(lambda x: np.asarray(x, np.float32)[None], fit.motion)
  motion = stance.levelled(fitted)
  yaw, pitch = np.degrees(fit.motion.z_pose[:2])
  notes = ()
  if max(abs(yaw), abs(pitch)) > FRONTAL:
    notes = (f'{name}: the head is turned away; a picture from the front gives more',)
  head = None if config.pixel_path is None else np.float32(fit.vertices)[None]
  return Source(motion, head, notes)


class FaceNet:
  """The face model with its parameters: a portrait once, then frames by the batch.

  Args:
    config: `FaceConfig`.
    params: nested dictionaries of arrays.
  """

  def __init__(self, config: Any, params: Any):
    self.config = config
    self.params = jax.device_put(params)
    self._encoder = kept(functools.partial(_encode, config), ('encode', config))
    self._decoder = jax.jit(functools.partial(decode, config))
    self._layers = kept(functools.partial(_layers, config), ('layers', config))
    self._ready: dict[int, Any] = {}

  def encode(self, portrait: Portrait, source: Source | None = None) -> FaceCode:
    """Encodes the crop, which has `config.size`.

    Args:
      portrait: one face.
      source: from `fit_source`; None fits it here.
    """
    source = fit_source(self.config, portrait) if source is None else source
    picture = portrait.crop[None].astype(np.float32) / 255
    return self._encoder(self.params, picture, source.motion, source.vertices)

  def code_shapes(self) -> FaceCode:
    """Shapes of what `encode` returns, without computing anything."""
    encoder = functools.partial(_encode, self.config)
    return jax.eval_shape(encoder, self.params, *_blank(self.config))

  def compile(self, code: FaceCode, frames: int) -> None:
    """Compiles `decode` for a batch size, ahead of the first batch."""
    if frames not in self._ready:
      still = jax.eval_shape(lambda: _still(self.config, frames))
      self._ready[frames] = self._decoder.lower(self.params, code, still).compile()

  def decode(self, code: FaceCode, motion: Motion) -> jax.Array:
    """`(n, s, s, 3)` uint8 pictures of n frames; returns before they are computed."""
    decoder = self._ready.get(len(motion.z_pose), self._decoder)
    return decoder(self.params, code, motion)

  def layers(self, code: FaceCode, motion: Motion) -> Any:
    """`face.enlarge.Layers` of n frames, for pictures of any size."""
    return self._layers(self.params, code, motion)


def _named(tree: Any) -> list[tuple[str, Any]]:
  leaves = jax.tree_util.tree_leaves_with_path(tree)
  return [('/'.join(str(key.key) for key in path), leaf) for path, leaf in leaves]


def _blank(config: Any) -> tuple[Any, Motion | None, Any]:
  """Arguments of `_encode` behind the parameters, for shapes only."""
  picture = jnp.zeros((1, config.size, config.size, 3))
  if not config.anchored:
    return picture, None, None
  if config.pixel_path is None:
    return picture, _still(config, 1), None
  from vasa_jax.face.template import load_template

  return picture, _still(config, 1), jnp.asarray(load_template().mean)[None]


def _still(config: Any, frames: int) -> Motion:
  return Motion(jnp.zeros((frames, 6)), jnp.zeros((frames, config.dyn_dim)))


def _encode(config: Any, params: Any, picture, motion, vertices) -> FaceCode:
  from vasa_jax.face.autoencoder import FaceModel

  model, variables = FaceModel(config), {'params': params}
  if motion is None:
    motion = model.apply(variables, picture, method='motion')
  return model.apply(variables, picture, motion, vertices, method='encode')


def decode(config: Any, params: Any, code: FaceCode, motion: Motion) -> jax.Array:
  """`(n, s, s, 3)` uint8 pictures of a code for n motions: what `FaceNet` compiles."""
  from vasa_jax.face.autoencoder import FaceModel

  rendering = FaceModel(config).apply({'params': params}, code, motion, method='decode')
  return to_bytes(rendering.picture)


def _layers(config: Any, params: Any, code: FaceCode, motion: Motion) -> Any:
  from vasa_jax.face.autoencoder import FaceModel
  from vasa_jax.face.enlarge import layers

  return layers(
    FaceModel(config).apply({'params': params}, code, motion, method='decode')
  )


def to_bytes(picture: jax.Array) -> jax.Array:
  """[0, 1] to uint8; what lies beyond is cut off."""
  picture = jnp.clip(picture.astype(jnp.float32), 0.0, 1.0)
  return (picture * 255 + 0.5).astype(jnp.uint8)
