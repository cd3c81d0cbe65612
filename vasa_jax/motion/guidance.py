"""Guidance by several conditions (VASA-1 equation 2).

    x0_hat = (1 + sum_c lambda_c) H(x_t, t, C) - sum_c lambda_c H(x_t, t, C | c = null)

The plain and the null evaluations go through the network as one batch: `variants` makes
its conditions, `combine` its result. Conditions whose weight is zero are not evaluated;
the paper's defaults need three evaluations a step.
"""

import jax
import jax.numpy as jnp

from vasa_jax.motion.conditions import CONDITIONS, Conditions
from vasa_jax.types import Array


def without(conditions: Conditions, name: str) -> Conditions:
  """The conditions with one of them null; 'previous' is X_pre and A_pre."""
  if name not in CONDITIONS:
    raise ValueError(f'{name!r} is not one of {CONDITIONS}')
  fields = [name] if name != 'previous' else ['previous_motion', 'previous_audio']
  missing = {f: jnp.zeros_like(getattr(conditions.keep, f)) for f in fields}
  return conditions.replace(keep=conditions.keep.replace(**missing))


def repeated(value: Array, copies: int) -> Array:
  """`(b, ...)` to `(copies * b, ...)`, in the order of `variants`."""
  return jnp.concatenate([value] * copies)


def variants(conditions: Conditions, names: tuple[str, ...]) -> Conditions:
  """Conditions `(b, ...)` to `((1 + n) b, ...)`: all, then without each of `names`."""
  given = [conditions, *(without(conditions, name) for name in names)]
  return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *given)


def combine(x0: Array, weights: Array) -> Array:
  """Equation 2: `((1 + n) b, w, m)` and `(n,)` lambdas to `(b, w, m)`."""
  x0 = x0.reshape(1 + len(weights), -1, *x0.shape[1:])
  return x0[0] + jnp.tensordot(weights, x0[:1] - x0[1:], 1)
