"""Gaussian diffusion: schedules, corruption, conversions, the loss.

    (1)  x_t = a_t x0 + s_t n,   n ~ N(0, I),   a_t^2 + s_t^2 = 1
    (2)  v   = a_t n - s_t x0                                   (Salimans and Ho 2022)
    (3)  x0  = (x_t - s_t n) / a_t = a_t x_t - s_t v
    (4)  n   = (x_t - a_t x0) / s_t = s_t x_t + a_t v
    (5)  L   = E || x0 - H(x_t, t, C) ||^2                       (VASA-1 section 3.2)

`a_t` and `s_t` are called `signal` and `noise`.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from vasa_jax.motion.config import MotionConfig
from vasa_jax.types import Array


class Schedule(NamedTuple):
  """`signal` and `noise`, each `(diffusion_steps,)` float32; step 0 is the cleanest."""

  signal: np.ndarray
  noise: np.ndarray


class Views(NamedTuple):
  """Three ways to say the same prediction, each shaped as `x_t`."""

  x0: Array
  noise: Array
  v: Array


def schedule(config: MotionConfig) -> Schedule:
  """The config's schedule: cosine (Nichol and Dhariwal 2021) or linear (Ho 2020)."""
  steps = config.diffusion_steps
  if config.schedule == 'cosine':
    u = (np.arange(steps + 1) / steps + 0.008) / 1.008
    left = np.cos(u * np.pi / 2) ** 2
    beta = np.minimum(1 - left[1:] / left[:-1], 0.999)
  else:
    beta = np.linspace(1e-4, 0.02, steps) * (1000 / steps)
    beta = np.minimum(beta, 0.999)
  kept = np.cumprod(1 - beta)
  return Schedule(
    np.sqrt(kept).astype(np.float32), np.sqrt(1 - kept).astype(np.float32)
  )


def at(values: np.ndarray, t: Array, like: Array) -> Array:
  """`values[t]` with `t` `(b,)`, shaped to multiply `like` `(b, ...)`."""
  return jnp.asarray(values)[t].reshape(t.shape + (1,) * (like.ndim - t.ndim))


def corrupt(x0: Array, t: Array, noise: Array, levels: Schedule) -> Array:
  """Equation (1). `x0`, `noise` `(b, w, m)`, `t` `(b,)` int."""
  return at(levels.signal, t, x0) * x0 + at(levels.noise, t, x0) * noise


def views(kind: str, value: Array, x_t: Array, t: Array, levels: Schedule) -> Views:
  """What `value`, a prediction of the given kind, says about x0, noise and v."""
  a, s = at(levels.signal, t, x_t), at(levels.noise, t, x_t)
  if kind == 'x0':
    x0, noise = value, (x_t - a * value) / s
  elif kind == 'noise':
    # a is 5e-5 or so at the noisiest step of the cosine schedule, never 0.
    x0, noise = (x_t - s * value) / a, value
  else:
    x0, noise = a * x_t - s * value, s * x_t + a * value
  return Views(x0, noise, a * noise - s * x0)


def target(kind: str, x0: Array, noise: Array, t: Array, levels: Schedule) -> Array:
  """What a network that predicts `kind` should put out."""
  if kind == 'x0':
    return x0
  if kind == 'noise':
    return noise
  return at(levels.signal, t, x0) * noise - at(levels.noise, t, x0) * x0


def masked_mean(values: Array, mask: Array) -> Array:
  """Mean of `(b, w, m)` over the frames where `mask` `(b, w)` is 1."""
  total = (values * mask[..., None]).sum()
  return total / jnp.maximum(mask.sum() * values.shape[-1], 1.0)


def velocity_error(x0_hat: Array, x0: Array, mask: Array, spread: Array) -> Array:
  """Mean squared error of frame-to-frame differences, in units of their own spread.

  Args:
    x0_hat, x0: `(b, w, m)` z-scored motion.
    mask: `(b, w)`.
    spread: `(m,)` deviation of the differences of `x0` over the training set.
  """
  error = jnp.diff(x0_hat, axis=1) - jnp.diff(x0, axis=1)
  return masked_mean((error / spread) ** 2, mask[:, 1:] * mask[:, :-1])
