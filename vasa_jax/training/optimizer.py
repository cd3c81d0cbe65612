"""AdamW (or SGD) with warm-up, cosine decay by progress, and clipping.

Progress is `max(step / steps, clock)`: a run limited by minutes decays to its end just
as one limited by steps does, whatever the speed of the machine.

Generator and critic learn in one step from one gradient tree. All that an optimizer
does element by element (moments, decay) is the same for both players as two optimizers
would do it, as in MegaPortraits: AdamW twice, same betas. What looks at a whole
gradient is done for each player by itself: under one common limit the larger gradient,
mostly the generator's with its weights of 20 to 40, would set the pace of the other.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from vasa_jax.training.config import RunConfig
from vasa_jax.types import CRITIC


class Players(NamedTuple):
  """A tree of parameters or gradients, divided; `critic` is None where none learns."""

  generator: Any
  critic: Any


def players(tree: Any) -> Players:
  """Who learns what: the critic's part of a tree, and all the rest."""
  if not isinstance(tree, Mapping) or CRITIC not in tree:
    return Players(tree, None)
  return Players({k: v for k, v in tree.items() if k != CRITIC}, tree[CRITIC])


def _joined(parts: Players) -> Any:
  if parts.critic is None:
    return parts.generator
  return {**parts.generator, CRITIC: parts.critic}


def clip_each_player(limit: float) -> optax.GradientTransformation:
  """Scales the gradient of each player down to a norm of `limit`, if it is longer."""
  clip = optax.clip_by_global_norm(limit)

  def update(updates, state, params=None):
    del params
    clipped = Players(*(clip.update(part, state)[0] for part in players(updates)))
    return _joined(clipped), state

  return optax.GradientTransformation(clip.init, update)


class ScheduleState(NamedTuple):
  """`count`: int32 scalar, updates done."""

  count: jax.Array


def learning_rate(run: RunConfig, step, clock=0.0) -> jax.Array:
  """Learning rate of the update number `step` (from 0).

  `lr = peak * min(1, (step + 1) / warmup) * (f + (1 - f) (1 + cos(pi p)) / 2)` with
  `p = max(step / steps, clock)` and `f = final_lr_ratio`.
  """
  step = jnp.asarray(step, jnp.float32)
  warm = jnp.minimum(1.0, (step + 1) / max(run.warmup_steps, 1))
  if run.schedule == 'constant':
    return run.learning_rate * warm
  progress = jnp.clip(jnp.maximum(step / max(run.steps, 1), clock), 0.0, 1.0)
  decay = 0.5 * (1.0 + jnp.cos(jnp.pi * progress))
  return (
    run.learning_rate * warm * (run.final_lr_ratio + (1.0 - run.final_lr_ratio) * decay)
  )


def _scale_by_schedule(run: RunConfig) -> optax.GradientTransformationExtraArgs:
  """Multiplies by `-learning_rate`; takes `clock` (0..1) as an extra argument.

  The critic's rate is `critic_rate` times as large.
  """

  def init(params):
    del params
    return ScheduleState(jnp.zeros((), jnp.int32))

  def update(updates, state, params=None, *, clock=0.0, **extra):
    del params, extra
    rate = -learning_rate(run, state.count, clock)

    def scaled(tree, rate):
      return jax.tree.map(lambda u: (rate * u).astype(u.dtype), tree)

    parts = players(updates)
    both = Players(
      scaled(parts.generator, rate), scaled(parts.critic, rate * run.critic_rate)
    )
    return _joined(both), ScheduleState(state.count + 1)

  return optax.GradientTransformationExtraArgs(init, update)


def _is_matrix(params):
  """Decay weights only: biases, norm scales and stored statistics are left alone."""
  return jax.tree.map(lambda p: p.ndim > 1, params)


def make_optimizer(run: RunConfig) -> optax.GradientTransformationExtraArgs:
  """The optimizer that `run` describes; `update` takes `clock=` (see `TrainState`)."""
  parts = []
  if run.clip_norm:
    parts.append(clip_each_player(run.clip_norm))
  if run.optimizer == 'adamw':
    parts.append(optax.scale_by_adam(b1=run.beta1, b2=run.beta2))
  if run.weight_decay:
    parts.append(optax.add_decayed_weights(run.weight_decay, mask=_is_matrix))
  parts.append(_scale_by_schedule(run))
  return optax.with_extra_args_support(optax.chain(*parts))
