"""The same network without noise: motion from its conditions in one evaluation.

What the squared error leaves is the mean of all motions that fit the speech: lips that
follow it, and a head that hardly moves. It is there to be beaten.
"""

import jax.numpy as jnp
import numpy as np

from vasa_jax.motion.config import MotionConfig
from vasa_jax.motion.objective import Path
from vasa_jax.types import Array


class Regression:
  """`x_t` and `t` are zero, in training and after."""

  def __init__(self, config: MotionConfig):
    del config

  def draw(self, key: Array, b: int) -> Array:
    del key
    return jnp.zeros(b, jnp.int32)

  def corrupt(self, x0: Array, t: Array, noise: Array) -> Array:
    del t, noise
    return jnp.zeros_like(x0)

  def target(self, x0: Array, noise: Array, t: Array) -> Array:
    del noise, t
    return x0

  def to_x0(self, out: Array, x_t: Array, t: Array) -> Array:
    del x_t, t
    return out

  def start(self, noise: Array) -> Array:
    return jnp.zeros_like(noise)

  def path(self, steps: int, spacing: str) -> Path:
    """One evaluation, however many steps are asked for."""
    del steps, spacing
    return Path(np.zeros(1, np.int32), np.zeros(1), np.ones(1))
