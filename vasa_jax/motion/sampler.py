"""From noise to motion: DDIM with eta 0, DPM-Solver++(2M), in few steps or many.

Between two points of a path `x_t = a x0 + s n` the probability flow is solved with x0
held still (DDIM, Song et al. 2021; on straight paths the step of Euler) or going on in
a line through its last two values (DPM-Solver++(2M), Lu et al. 2022):

    D    = x0 + r (x0 - x0 before),   r = 0  or  (l' - l) / (2 (l - l before))
    x'   = (s' / s) x + (a' - a s' / s) D,        l = log(a / s)

All coefficients are known before the walk starts, so that both samplers are one scan
over a table. The last step goes to x0 itself (a' = 1, s' = 0), where D is x0.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.motion.objective import Objective, Path
from vasa_jax.types import Array


class Table(NamedTuple):
  """Coefficients of each step, `(n,)` each: `x' = keep x + clean (x0 + ahead (x0 -
  before))` with x0 predicted at `t`."""

  t: np.ndarray
  keep: np.ndarray
  clean: np.ndarray
  ahead: np.ndarray


def table(path: Path, kind: str) -> Table:
  """The coefficients of 'ddim' or 'dpm++' on a path."""
  a, s = np.append(path.signal, 1.0), np.append(path.noise, 0.0)
  keep = s[1:] / s[:-1]
  clean = a[1:] - a[:-1] * keep
  ahead = np.zeros_like(keep)
  if kind == 'dpm++':
    with np.errstate(divide='ignore'):
      ratio = np.log(a) - np.log(s)
    step = np.diff(ratio)
    # Where a step is endless (from pure noise, to pure signal) there is no line.
    known = np.isfinite(step[1:]) & np.isfinite(step[:-1])
    ahead[1:][known] = step[1:][known] / (2 * step[:-1][known])
  numbers = (values.astype(np.float32) for values in (keep, clean, ahead))
  return Table(path.t, *numbers)


def walk(predict: Callable[[Array, Array], Array], x: Array, steps: Table) -> Array:
  """Follows a table.

  Args:
    predict: `(x_t (b, w, m), t (b,)) -> x0`.
    x: `(b, w, m)`, where to begin.
    steps: see `table`; its length is static.

  Returns:
    `(b, w, m)`, the motion at the end.
  """

  def step(carry, now):
    x, before = carry
    x0 = predict(x, jnp.full(x.shape[0], now.t))
    x = now.keep * x + now.clean * (x0 + now.ahead * (x0 - before))
    return (x, x0), None

  return jax.lax.scan(step, (x, x), jax.tree.map(jnp.asarray, steps))[0][0]


def sample(
  objective: Objective,
  predict: Callable[[Array, Array], Array],
  noise: Array,
  steps: int,
  kind: str = 'ddim',
  spacing: str = 'uniform',
) -> Array:
  """Motion from standard normal `noise (b, w, m)` in `steps` evaluations."""
  visited = objective.path(steps, spacing)
  return walk(predict, objective.start(noise), table(visited, kind))
