"""DDIM with eta = 0 (Song 2021) and guidance by several conditions (VASA-1 eq. 2).

    x0_hat = (1 + sum_c lambda_c) H(x_t, t, C) - sum_c lambda_c H(x_t, t, C | c = null)

The plain and the null evaluations go through the network as one batch. Conditions whose
weight is zero are not evaluated; the paper's defaults need three evaluations a step.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.motion.conditions import CONDITIONS, Conditions
from vasa_jax.motion.diffusion import Schedule
from vasa_jax.types import Array

Network = Callable[[Array, Array, Conditions], Array]


def without(conditions: Conditions, name: str) -> Conditions:
  """The conditions with one of them null."""
  if name not in CONDITIONS:
    raise ValueError(f'{name!r} is not one of {CONDITIONS}')
  given = jnp.zeros_like(getattr(conditions.keep, name))
  return conditions.replace(keep=conditions.keep.replace(**{name: given}))


def guided(
  network: Network,
  x_t: Array,
  t: Array,
  conditions: Conditions,
  names: tuple[str, ...],
  weights: Array,
) -> Array:
  """Equation 2.

  Args:
    network: `(x_t, t, conditions) -> x0`.
    x_t: `(b, w, m)`; t: `(b,)` int.
    conditions: what is given.
    names: conditions to guide by, static.
    weights: `(len(names),)` lambdas.

  Returns:
    Guided x0, `(b, w, m)`.
  """
  variants = [conditions, *(without(conditions, name) for name in names)]
  copies = len(variants)
  joined = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *variants)
  x0 = network(jnp.concatenate([x_t] * copies), jnp.concatenate([t] * copies), joined)
  x0 = x0.reshape(copies, *x_t.shape)
  return (1 + weights.sum()) * x0[0] - jnp.tensordot(weights, x0[1:], 1)


def timesteps(total: int, steps: int) -> np.ndarray:
  """Diffusion steps to visit, evenly spaced, noisiest first, `(steps,)` int32."""
  if steps == 1:
    return np.array([total - 1], np.int32)
  return np.rint(np.linspace(total - 1, 0, steps)).astype(np.int32)


def sample(
  predict: Callable[[Array, Array], Array],
  noise: Array,
  levels: Schedule,
  steps: int,
) -> Array:
  """Walks from noise to motion.

  Args:
    predict: `(x_t (b, w, m), t (b,)) -> x0`.
    noise: `(b, w, m)` standard normal.
    levels: the schedule of training.
    steps: how many evaluations, static.

  Returns:
    `(b, w, m)`, the last x0.
  """
  visited = timesteps(len(levels.signal), steps)
  now = np.stack([levels.signal[visited], levels.noise[visited]], 1)
  then = np.concatenate([now[1:], [[1.0, 0.0]]]).astype(np.float32)

  def step(x_t, inputs):
    t, (a, s), (a_next, s_next) = inputs
    x0 = predict(x_t, jnp.full(x_t.shape[0], t))
    direction = (x_t - a * x0) / s
    return a_next * x0 + s_next * direction, None

  xs = (jnp.asarray(visited), jnp.asarray(now), jnp.asarray(then))
  return jax.lax.scan(step, noise, xs)[0]
