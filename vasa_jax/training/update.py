"""One optimizer step as a pure function: `step(state, batch, key) -> Update`."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from vasa_jax.errors import UserError
from vasa_jax.training.optimizer import players
from vasa_jax.training.state import TrainState

Loss = Callable[..., tuple[jax.Array, dict[str, jax.Array]]]


class Update(NamedTuple):
  """What one step gives back.

  Attributes:
    state: the new state.
    metrics: scalars of this step, computed with the parameters *before* the update:
      those of the loss, `loss`, `grad_norm` before any clipping, and beside it
      `grad_norm_critic` where a critic learns.
  """

  state: TrainState
  metrics: dict[str, jax.Array]


def make_step(
  loss: Loss,
  optimizer: optax.GradientTransformation,
  ema_decay: float = 0.0,
  micro_batches: int = 1,
) -> Callable[..., Update]:
  """Builds the step that `parallel` maps over devices.

  Args:
    loss: `loss(params, batch, key, *frozen) -> (value, scalars)`; `value` is a *mean*
      over the batch, so that the mean over devices is the mean over the global batch.
    optimizer: from `make_optimizer`, or any optax transformation.
    ema_decay: decay of the moving average of the parameters; 0 keeps none.
    micro_batches: parts that the batch is cut into; their gradients are averaged.

  Returns:
    `step(state, batch, key, *frozen, axis_name=None)`. `key` is the run's root key, the
    same at every call: the step's own key is folded from it with `state.step` (and,
    under a named axis, with the device's index, so that replicas draw differently).
    With `axis_name` the gradients and scalars are averaged over that axis.
  """
  optimizer = optax.with_extra_args_support(optimizer)

  def step(
    state: TrainState, batch, key, *frozen, axis_name: str | None = None
  ) -> Update:
    key = jax.random.fold_in(key, state.step)
    if axis_name is not None:
      key = jax.random.fold_in(key, jax.lax.axis_index(axis_name))
    grad_fn = _in_parts(
      jax.value_and_grad(lambda *inputs: loss(*inputs, *frozen), has_aux=True),
      micro_batches,
    )
    (value, scalars), grads = grad_fn(state.params, batch, key)
    metrics = {**scalars, 'loss': value}
    if axis_name is not None:
      grads, metrics = jax.lax.pmean((grads, metrics), axis_name)
    updates, opt_state = optimizer.update(
      grads, state.opt_state, state.params, clock=state.clock
    )
    params = optax.apply_updates(state.params, updates)
    ema = state.ema
    if ema_decay:
      # A young average follows closely: decay = min(d, (1 + n) / (10 + n)).
      n = state.step.astype(jnp.float32)
      decay = jnp.minimum(ema_decay, (1.0 + n) / (10.0 + n))
      ema = optax.incremental_update(params, ema, 1.0 - decay)
    parts = players(grads)
    metrics['grad_norm'] = optax.tree.norm(parts.generator)
    if parts.critic is not None:
      metrics['grad_norm_critic'] = optax.tree.norm(parts.critic)
    new = state.replace(
      step=state.step + 1, params=params, opt_state=opt_state, ema=ema
    )
    return Update(new, metrics)

  return step


def _in_parts(grad_fn, parts: int):
  """`grad_fn`, evaluated on `parts` equal parts of the batch in turn and averaged."""
  if parts == 1:
    return grad_fn

  def cut(x):
    if x.shape[0] % parts:
      raise UserError(
        f'a batch of {x.shape[0]} a device cannot be cut into micro_batches={parts}'
      )
    # Part i takes every `parts`-th sample: under jit the samples of one part then lie
    # on all devices, not on one.
    return jnp.swapaxes(x.reshape(x.shape[0] // parts, parts, *x.shape[1:]), 0, 1)

  def averaged(params, batch, key):
    pieces = jax.tree.map(cut, batch)
    first = jax.tree.map(lambda x: x[0], pieces)
    zeros = jax.tree.map(
      lambda a: jnp.zeros(a.shape, a.dtype),
      jax.eval_shape(grad_fn, params, first, key),
    )

    def add(total, piece):
      i, part = piece
      out = grad_fn(params, part, jax.random.fold_in(key, i))
      return jax.tree.map(lambda t, o: t + o / parts, total, out), None

    return jax.lax.scan(add, zeros, (jnp.arange(parts), pieces))[0]

  return averaged
