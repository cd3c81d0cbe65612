"""Stage 1 with loss terms that are switched by data: a sweep over them compiles once.

A weight is a constant of the compiled step, so that every run of an ordinary sweep over
weights compiles anew, which on few cores takes longer than a short training. Here the
switches travel with the batch, as ones and zeros. All terms are computed in every run;
one that is off has no gradient. With `JAX_COMPILATION_CACHE_DIR` set, the first run of
a sweep compiles for all.
"""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np

from experiments.face_run import FaceRun
from vasa_jax.errors import UsageError
from vasa_jax.face.judges import Judges
from vasa_jax.face.step import make_loss
from vasa_jax.training.job import Job
from vasa_jax.types import Array

NO_JUDGES = Judges()
INSIDE = ('eye_mouth', 'hidden')  # they weigh pixels within other terms


@dataclasses.dataclass(frozen=True, kw_only=True)
class AblationRun(FaceRun):
  """Settings of `FaceRun`, and what is switched off.

  Attributes:
    off: terms of `losses` that this run does without.
  """

  off: tuple[str, ...] = ()

  def job(self) -> Job:
    """The engine's functions; the loss reads its switches from the batch."""
    names = weighted(self.losses)
    if unknown := set(self.off) - set(names):
      raise UsageError(
        f'off={unknown.pop()}: losses has no such weight; it has {", ".join(names)}'
      )
    job = super().job()

    def loss(params, batch, key, judges=NO_JUDGES):
      batch = dict(batch)
      on = dict(zip(names, batch.pop('on')[0], strict=True))
      changed = {n: getattr(self.losses, n) * on[n] for n in INSIDE if n in on}
      weights = dataclasses.replace(self.losses, **changed)
      _, terms = make_loss(self.model, weights)(params, batch, key, judges)
      return total(terms, self.losses, on), terms

    def batches(state, host, hosts):
      on = np.array([name not in self.off for name in names], np.float32)
      return _Switched(job.batches(state, host, hosts), on)

    return dataclasses.replace(job, loss=loss, batches=batches)


def weighted(losses) -> tuple[str, ...]:
  """Names of the terms that have a weight, in the config's order."""
  known = {name for name, value in vars(losses).items() if isinstance(value, float)}
  known -= {'mismatch_margin', 'dyn_dropout'}
  return tuple(n for n in vars(losses) if n in known and getattr(losses, n))


def total(terms: dict[str, Array], losses, on: dict[str, Array]) -> Array:
  """Sum of the terms that are on; figures without a weight are left out."""
  return sum(
    (
      getattr(losses, name) * on[name] * term
      for name, term in terms.items()
      if name in on
    ),
    start=jnp.zeros(()),
  )


class _Switched:
  """Batches with the switches `on (b, k)` beside them; the same in every row."""

  def __init__(self, batches: Any, on: np.ndarray):
    self.batches, self.on = batches, on

  def __iter__(self):
    return self

  def __next__(self) -> dict[str, np.ndarray]:
    batch = next(self.batches)
    rows = len(batch['source_picture'])
    return batch | {'on': np.repeat(self.on[None], rows, 0)}

  def get_state(self) -> Any:
    return self.batches.get_state()

  def set_state(self, state: Any) -> None:
    self.batches.set_state(state)

  def close(self) -> None:
    close = getattr(self.batches, 'close', None)
    if close is not None:
      close()
