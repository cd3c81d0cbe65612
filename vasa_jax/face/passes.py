"""One batch through the model: every picture and latent that the objective looks at.

The objective asks the same nets about several things: motions of sources, drivers and
strangers, pictures for the drivers, for l_consist and across people. Each net is asked
once, about all of it side by side: a third of the program to compile, one set of
standardised kernels, fuller matrix units.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from vasa_jax.face import latent_losses
from vasa_jax.face.augment import hide_identity
from vasa_jax.face.config import FaceConfig
from vasa_jax.face.judges import Judges
from vasa_jax.face.losses import LossConfig
from vasa_jax.face.pixel_path import Rendering
from vasa_jax.types import Array, FaceCode, Motion


class Crossed(NamedTuple):
  """The sources as somebody else moves.

  Attributes:
    picture: `(b, s, s, 3)`.
    motion: somebody else's.
  """

  picture: Array
  motion: Motion


class Twins(NamedTuple):
  """l_consist: two pictures `(b, s, s, 3)` with pose i and dynamics j.

  Attributes:
    driver: made of the driver's volume; source: made of the source's.
  """

  driver: Array
  source: Array


class Pass(NamedTuple):
  """What the model made of a batch. b sources, n = b d drivers.

  Attributes:
    source: `(b, s, s, 3)`; target: `(n, s, s, 3)` the drivers' pictures.
    first: `(b,)` the first driver of each source among the n.
    exact_source, exact: the corpus's labels of sources and drivers.
    source_motion, motion: what drives the generator, of source and drivers.
    poses: `(b + n, 6)` as read from sources and drivers, with its gradient; None where
      latents are anchored.
    code: of the sources.
    out: what the generator made of the sources for the drivers' motion.
    other_volume: `v_app` of each first driver; None where no term asks.
    twins, crossed: None where no term asks.
  """

  source: Array
  target: Array
  first: Array
  exact_source: Motion
  exact: Motion
  source_motion: Motion
  motion: Motion
  poses: Array | None
  code: FaceCode
  out: Rendering
  other_volume: Array | None
  twins: Twins | None
  crossed: Crossed | None


def flat(x: Array) -> Array:
  """`(b, d, ...)` -> `(b d, ...)`."""
  return x.reshape(-1, *x.shape[2:])


def repeated(tree: Any, times: int) -> Any:
  """Each sample of a tree `times` times in a row."""
  return jax.tree.map(lambda x: jnp.repeat(x, times, 0), tree)


def joined(*trees: Any) -> Any:
  """Trees of one structure, along their batch axis."""
  return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *trees)


def part(tree: Any, start: int, count: int) -> Any:
  """Samples `start .. start + count` of a tree."""
  return jax.tree.map(lambda x: x[start : start + count], tree)


def wants_twins(weights: LossConfig, judges: Judges) -> bool:
  """Whether l_consist has a term."""
  features = weights.consistency_pyramid and judges.pictures is not None
  return bool(weights.consistency or features)


def wants_crossing(config: FaceConfig, weights: LossConfig, judges: Judges) -> bool:
  """Whether a term looks at sources moved by somebody else."""
  kept = weights.identity and judges.identity is not None
  return bool(kept or (weights.contrastive and not config.anchored))


def run(
  config: FaceConfig, weights: LossConfig, judges: Judges, apply, batch, vertices, key
) -> Pass:
  """The pass of one batch (its keys: `step.py`).

  Args:
    apply: `apply(method, *inputs)` of the model.
    vertices: `(b, v, 3)` neutral heads of the sources.
  """
  source = batch['source_picture'].astype(jnp.float32) / 255
  target = flat(batch['driver_picture']).astype(jnp.float32) / 255
  b, n = len(source), len(target)
  first = jnp.arange(0, n, n // b)
  exact_source = Motion(batch['source_pose'], batch['source_dyn'])
  exact = Motion(flat(batch['driver_pose']), flat(batch['driver_dyn']))
  crossing = wants_crossing(config, weights, judges)

  # 1. What drives the generator, and somebody else's motion.
  other = poses = None
  if config.anchored:
    source_motion, motion = exact_source, exact
    # Somebody else of the same batch; alone, a source is driven by its own motion.
    other = jax.tree.map(lambda x: jnp.roll(x[first], 1, 0), motion)
  else:
    pictures = [source, target]
    if crossing:
      pictures.append(batch['stranger_picture'].astype(jnp.float32) / 255)
    found = _read(config, weights, apply, jnp.concatenate(pictures), key)
    poses = found.z_pose[: b + n]
    if weights.pose:  # told by the labels alone, as a pre-trained net would be
      found = found.replace(z_pose=jax.lax.stop_gradient(found.z_pose))
    source_motion, motion = part(found, 0, b), part(found, b, n)
    other = part(found, b + n, b)

  # 2. Volumes: the sources', and those of the same people as drivers.
  twins = wants_twins(weights, judges)
  own = jax.tree.map(lambda x: x[first], motion)
  code = other_code = None
  if twins or weights.canonical:
    pictures = jnp.concatenate([source, target[first]])
    codes = apply(
      'encode', pictures, joined(source_motion, own), joined(vertices, vertices)
    )
    code, other_code = part(codes, 0, b), part(codes, b, b)
  else:
    code = apply('encode', source, source_motion, vertices)

  # 3. Pictures.
  codes, motions = [repeated(code, n // b)], [motion]
  if twins:
    asked = Motion(source_motion.z_pose, own.z_dyn)
    codes += [other_code, code]
    motions += [asked, asked]
  if crossing:
    codes.append(code)
    motions.append(other)
  made = apply('decode', joined(*codes), joined(*motions))
  rest = made.picture[n:]
  return Pass(
    source, target, first, exact_source, exact, source_motion, motion, poses, code,
    part(made, 0, n),
    other_code.v_app if weights.canonical else None,
    Twins(rest[:b], rest[b : 2 * b]) if twins else None,
    Crossed(rest[-b:], other) if crossing else None,
  )  # fmt: skip


def _read(config, weights, apply, pictures: Array, key: Array) -> Motion:
  """E_mtn in training: the dynamics net may see its pictures in disguise."""
  disguised = None
  if config.disguise:
    disguised = hide_identity(pictures, jax.random.fold_in(key, 1))
  found = apply('motion', pictures, disguised)
  if weights.dyn_dropout:
    dropped = latent_losses.drop(
      found.z_dyn, jax.random.fold_in(key, 2), weights.dyn_dropout
    )
    found = found.replace(z_dyn=dropped)
  return found
