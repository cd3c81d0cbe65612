"""What training carries from one step to the next."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct

Params = Any


@struct.dataclass
class TrainState:
  """Everything that a step reads and writes; all of it is saved.

  Attributes:
    step: int32 scalar, number of updates done.
    params: the job's parameters, a pytree of float arrays.
    opt_state: the optimizer's state.
    ema: moving average of `params` (same tree), or None where `ema_decay` is 0.
    clock: float32 scalar, share of the time limit used when the loop last looked, 0..1;
      stays 0 in runs without a time limit. The learning rate follows it.
  """

  step: jax.Array
  params: Params
  opt_state: Any
  ema: Params | None
  clock: jax.Array

  @property
  def best_params(self) -> Params:
    """What is evaluated and shipped: the average where there is one."""
    return self.params if self.ema is None else self.ema


def init_state(
  params: Params, optimizer: optax.GradientTransformation, ema_decay: float
) -> TrainState:
  """State before the first step. The average starts at the parameters themselves."""
  return TrainState(
    step=jnp.zeros((), jnp.int32),
    params=params,
    opt_state=optimizer.init(params),
    # A true copy: the same buffer twice in one state could not be donated.
    ema=jax.tree.map(jnp.copy, params) if ema_decay else None,
    clock=jnp.zeros((), jnp.float32),
  )
