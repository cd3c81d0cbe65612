"""Flow matching on straight paths (Lipman et al. 2023), the choice of FLOAT.

    (1)  x_s = (1 - s) x0 + s n,   n ~ N(0, I),   s in [0, 1]
    (2)  v   = dx_s / ds = n - x0
    (3)  x0  = x_s - s v

`s` falls from 1 to 0 while sampling. The network is told `t = s * diffusion_steps`, so
that its embedding of time sees the same range as with diffusion. A DDIM step on this
path is Euler's: `x_r = (1 - r) x0 + r n = x_s + (r - s) v`.
"""

import jax
import numpy as np

from vasa_jax.motion.config import MotionConfig
from vasa_jax.motion.objective import Path, log_snr_range
from vasa_jax.types import Array


class FlowMatching:
  """Learns the velocity; `t` is a float, 0 .. diffusion_steps."""

  def __init__(self, config: MotionConfig):
    self.scale = float(config.diffusion_steps)

  def _level(self, t: Array, like: Array) -> Array:
    return (t / self.scale).reshape(t.shape + (1,) * (like.ndim - t.ndim))

  def draw(self, key: Array, b: int) -> Array:
    return jax.random.uniform(key, (b,)) * self.scale

  def corrupt(self, x0: Array, t: Array, noise: Array) -> Array:
    s = self._level(t, x0)
    return (1 - s) * x0 + s * noise

  def target(self, x0: Array, noise: Array, t: Array) -> Array:
    del t
    return noise - x0

  def to_x0(self, out: Array, x_t: Array, t: Array) -> Array:
    return x_t - self._level(t, x_t) * out

  def start(self, noise: Array) -> Array:
    return noise

  def path(self, steps: int, spacing: str) -> Path:
    if spacing == 'logsnr' and steps > 1:
      s = 1 / (1 + np.exp(np.linspace(*log_snr_range(steps), steps)))
    else:  # Euler's even steps; the cleanest is never visited
      s = np.linspace(1, 0, steps + 1)[:-1]
    return Path((s * self.scale).astype(np.float32), 1 - s, s)
