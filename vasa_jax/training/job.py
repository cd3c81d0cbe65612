"""What a training stage hands to the engine: five functions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import numpy as np

from vasa_jax.training.update import Loss


class Batches(Protocol):
  """Endless iterator over this host's share of each global batch.

  A batch is a pytree of NumPy arrays with the batch on the first axis. Each batch owns
  its memory: a buffer that is filled again while a device still reads it corrupts
  training.
  """

  def __iter__(self) -> Iterator[Any]: ...

  def __next__(self) -> Any: ...

  def get_state(self) -> Any:
    """Position after the last batch given out; numbers, text, bytes, lists, dicts."""

  def set_state(self, state: Any) -> None:
    """Continues exactly where `get_state` was taken."""


def no_pictures(params: Any) -> dict[str, np.ndarray]:
  """The preview of a job that has nothing to show."""
  del params
  return {}


def no_figures(params: Any) -> dict[str, float]:
  """The evaluation of a job that has none."""
  del params
  return {}


@dataclass(frozen=True)
class Job:
  """One stage of training.

  Attributes:
    init: `init(key) -> params`; traced, must be pure.
    loss: `loss(params, batch, key, *frozen) -> (mean over the batch, dict of scalars)`.
    batches: `batches(start_state, host, hosts) -> Batches`; `start_state` is None at
      the first start, else what `get_state` gave when the checkpoint was written. If
      the state is the same on all hosts, a run may continue on another number of hosts.
    preview: `preview(params) -> {name: (h, w, 3) uint8}`; params are host arrays,
      averaged where the run keeps an average. Called on host 0 only.
    evaluate: `evaluate(params) -> {name: float}`, likewise.
    frozen: trees of arrays that the loss reads and nobody changes (weights of other
      nets): on every device once, not constants of the program, not in checkpoints.
  """

  init: Callable[[jax.Array], Any]
  loss: Loss
  batches: Callable[[Any | None, int, int], Batches]
  preview: Callable[[Any], dict[str, np.ndarray]] = no_pictures
  evaluate: Callable[[Any], dict[str, float]] = no_figures
  frozen: tuple[Any, ...] = ()
