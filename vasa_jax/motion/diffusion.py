"""Gaussian diffusion: schedules, corruption, conversions.

    (1)  x_t = a_t x0 + s_t n,   n ~ N(0, I),   a_t^2 + s_t^2 = 1
    (2)  v   = a_t n - s_t x0                                   (Salimans and Ho 2022)
    (3)  x0  = (x_t - s_t n) / a_t = a_t x_t - s_t v
    (4)  L   = E || x0 - H(x_t, t, C) ||^2                       (VASA-1 section 3.2)

`a_t` and `s_t` are called `signal` and `noise`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.motion.config import MotionConfig
from vasa_jax.motion.objective import Path, log_snr_range
from vasa_jax.types import Array


class Schedule(NamedTuple):
  """`signal` and `noise`, each `(diffusion_steps,)` float32; step 0 is the cleanest."""

  signal: np.ndarray
  noise: np.ndarray


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


class Diffusion:
  """The objective of the paper; `t` is an int step, 0 .. diffusion_steps - 1."""

  def __init__(self, config: MotionConfig):
    self.levels = schedule(config)
    self.kind = config.predict

  def draw(self, key: Array, b: int) -> Array:
    return jax.random.randint(key, (b,), 0, len(self.levels.signal))

  def corrupt(self, x0: Array, t: Array, noise: Array) -> Array:
    return at(self.levels.signal, t, x0) * x0 + at(self.levels.noise, t, x0) * noise

  def target(self, x0: Array, noise: Array, t: Array) -> Array:
    if self.kind == 'x0':
      return x0
    if self.kind == 'noise':
      return noise
    return at(self.levels.signal, t, x0) * noise - at(self.levels.noise, t, x0) * x0

  def to_x0(self, out: Array, x_t: Array, t: Array) -> Array:
    if self.kind == 'x0':
      return out
    a, s = at(self.levels.signal, t, x_t), at(self.levels.noise, t, x_t)
    # a is 5e-5 or so at the noisiest step of the cosine schedule, never 0.
    return (x_t - s * out) / a if self.kind == 'noise' else a * x_t - s * out

  def start(self, noise: Array) -> Array:
    return noise

  def path(self, steps: int, spacing: str) -> Path:
    levels = Schedule(*(values.astype(np.float64) for values in self.levels))
    t = timesteps(levels, steps, spacing)
    return Path(t, levels.signal[t], levels.noise[t])


def timesteps(levels: Schedule, steps: int, spacing: str) -> np.ndarray:
  """Diffusion steps to visit, noisiest first, `(steps,)` int32, none twice.

  'uniform' goes from the noisiest to the cleanest; 'trailing' (Lin et al. 2024) leaves
  out the cleanest, where little is left to do; 'logsnr' (Lu et al. 2022) is even in the
  logarithm of the signal-to-noise ratio.
  """
  total = len(levels.signal)
  if spacing == 'trailing' or steps == 1:
    t = total - 1 - np.arange(steps) * total / steps
  elif spacing == 'uniform':
    t = np.linspace(total - 1, 0, steps)
  else:
    ratio = np.log(levels.signal) - np.log(levels.noise)
    low, high = np.clip(log_snr_range(steps), ratio[-1], ratio[0])
    wanted = np.linspace(low, high, steps)
    t = np.interp(wanted, ratio[::-1], np.arange(total)[::-1])
  t = np.rint(t).astype(np.int32)
  # Many steps crowd at the ends of 'logsnr': push them apart.
  down = np.arange(steps)
  t = np.minimum.accumulate(t + down) - down
  return np.maximum(t, steps - 1 - down).astype(np.int32)
