"""The oracle: a face model against exact rendered truth, on people it has never seen.

A rendered head knows its pose, expression and every pixel. So a portrait can be driven
and the answer compared with the true picture, and the pose of one person can be given
to another and read back. Any face model can be scored: it comes as a `FaceAdapter`.
Always beside it stand the floors, systems that do no work at all.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.metrics import image
from vasa_jax.metrics.faces import find_mesh, mesh_pose
from vasa_jax.metrics.pose import angle_error, geodesic_error
from vasa_jax.types import Array, Motion


@dataclasses.dataclass(frozen=True)
class FaceAdapter:
  """What the oracle needs of a face model.

  Attributes:
    encode: `(picture (b, h, w, 3) in [0, 1], motion, shape (b, k)) -> code`. `motion`
      and `shape` are the portrait's true labels; who reads his own ignores them.
    decode: `(code, motion) -> picture`, one motion for each row of the code.
    perceive: `picture -> Motion`, the model's own motion encoder; None if it is driven
      by the anchored motion itself (`lite`).
  """

  encode: Callable[[Array, Motion, Array], Any]
  decode: Callable[[Any, Motion], Array]
  perceive: Callable[[Array], Motion] | None = None


@dataclasses.dataclass(frozen=True)
class OraclePair:
  """A portrait and a driving frame with exact labels.

  In a self pair both show the same person and `driver` is the true answer. In a cross
  pair the driver is another person and only its motion counts.

  Attributes:
    name: for the report; pairs of one clip share it and are resampled together.
    source, driver: `(h, w, 3)` uint8 RGB.
    source_motion, driver_motion: `z_pose (6,)`, `z_dyn (k,)`.
    shape: `(k,)` identity coefficients of the source.
  """

  name: str
  source: np.ndarray
  source_motion: Motion
  driver: np.ndarray
  driver_motion: Motion
  shape: np.ndarray


def copy_source() -> FaceAdapter:
  """The floor that answers every question with the portrait."""
  return FaceAdapter(lambda picture, motion, shape: picture, lambda code, motion: code)


def score_pairs(
  systems: Mapping[str, FaceAdapter],
  pairs: Iterable[OraclePair],
  perceptual: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType({}),
  batch: int = 8,
) -> list[dict[str, Any]]:
  """Self reenactment: drives each portrait and compares with the true picture.

  Args:
    systems: by name, the model and its floors.
    pairs: self pairs, all of one size.
    perceptual: by name `(a, b) -> (b,)` on pictures in [0, 1], as
      `teachers.lpips.make_lpips`.
    batch: pairs a call; the last one is filled up, so there is one compilation.

  Returns:
    One row a pair and system: clip, system, psnr (dB), ssim, l1 (0..1), and what is
    in `perceptual`.
  """
  measures = {'psnr': image.psnr, 'ssim': image.ssim, 'l1': image.l1}
  measures = {name: jax.jit(measure) for name, measure in measures.items()}
  measures |= perceptual
  rows = []
  for names, count, source, driver, truth in _batches(pairs, batch):
    for system, adapter in systems.items():
      # What is saved as a picture is 8 bit: so is what is scored.
      answer = jnp.round(jnp.clip(_drive(adapter, source, driver), 0, 1) * 255) / 255
      scores = {name: np.asarray(f(answer, truth)) for name, f in measures.items()}
      for i in range(count):
        row = {name: float(values[i]) for name, values in scores.items()}
        rows.append({'clip': names[i], 'system': system, **row})
  return rows


def pose_transfer(
  systems: Mapping[str, FaceAdapter], pairs: Iterable[OraclePair], batch: int = 8
) -> list[dict[str, Any]]:
  """Gives the driver's motion to another person and reads the head pose back.

  The pose is read by the face mesh, which errs by some degrees itself: the same reading
  of the driver's own picture is there as the system `true picture`.

  Returns:
    One row a pair and system: clip, system, found (0 or 1), pose_error (degrees, mean
    of the three angles against the exact label), pose_angle (degrees, one angle between
    the rotations). Errors are NaN where no face was found.
  """
  rows = []
  for names, count, source, driver, truth in _batches(pairs, batch):
    label = np.degrees(np.asarray(driver[0].z_pose)[:, :3])
    answers = {'true picture': truth}
    for system, adapter in systems.items():
      answers[system] = _drive(adapter, source, driver)
    for system, pictures in answers.items():
      pictures = np.asarray(pictures, np.float32)
      for i in range(count):
        read = _read_pose(pictures[i])
        rows.append(
          {
            'clip': names[i],
            'system': system,
            'found': float(np.isfinite(read).all()),
            'pose_error': float(angle_error(read, label[i])),
            'pose_angle': float(geodesic_error(read, label[i])),
          }
        )
  return rows


def gains(rows: list[dict[str, Any]], over: str) -> list[dict[str, Any]]:
  """Model minus floor, pair by pair: what training is worth.

  Pairs differ far more than systems do, so that this difference has a much narrower
  interval than the two means.

  Args:
    rows: of `score_pairs`.
    over: the floor's name.

  Returns:
    Rows of the system `model - FLOOR`; empty if the floor was not scored.
  """
  mine = [row for row in rows if row['system'] == 'model']
  floor = [row for row in rows if row['system'] == over]
  if not floor:
    return []
  return [
    {
      name: value if name == 'clip' else value - other[name]
      for name, value in row.items()
      if name != 'system'
    }
    | {'system': f'model - {over}'}
    for row, other in zip(mine, floor, strict=True)
  ]


def _drive(adapter: FaceAdapter, source: tuple, driver: tuple) -> Array:
  picture, motion, shape = source
  wanted, driving_picture = driver
  code = adapter.encode(picture, motion, shape)
  if adapter.perceive is not None:
    wanted = adapter.perceive(driving_picture)
  return adapter.decode(code, wanted)


def _read_pose(picture: np.ndarray) -> np.ndarray:
  """`(h, w, 3)` in [0, 1] to `(3,)` degrees, NaN without a face."""
  points = find_mesh(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
  return np.full(3, np.nan) if points is None else mesh_pose(points)


def _batches(pairs: Iterable[OraclePair], size: int):
  """Stacks pairs to device batches of exactly `size`, the last filled with repeats."""
  group: list[OraclePair] = []
  for pair in pairs:
    group.append(pair)
    if len(group) == size:
      yield _stack(group, size)
      group = []
  if group:
    yield _stack(group, size)


def _stack(group: list[OraclePair], size: int):
  full = group + [group[-1]] * (size - len(group))
  source = _pictures([pair.source for pair in full])
  truth = _pictures([pair.driver for pair in full])
  source_motion, driver_motion = (
    Motion(
      z_pose=jnp.asarray([m.z_pose for m in motions], jnp.float32),
      z_dyn=jnp.asarray([m.z_dyn for m in motions], jnp.float32),
    )
    for motions in (
      [pair.source_motion for pair in full], [pair.driver_motion for pair in full]
    )
  )  # fmt: skip
  shape = jnp.asarray([pair.shape for pair in full], jnp.float32)
  names = [pair.name for pair in group]
  return (
    names, len(group), (source, source_motion, shape), (driver_motion, truth), truth
  )  # fmt: skip


def _pictures(pictures: list[np.ndarray]) -> Array:
  return jnp.asarray(np.stack(pictures), jnp.float32) / 255
