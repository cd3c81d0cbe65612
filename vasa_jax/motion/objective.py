"""What the network is asked for; three answers behind one interface.

    diffusion    Gaussian diffusion (the paper)                      diffusion.py
    flow         straight paths from noise to motion (FLOAT)         flow_matching.py
    regression   the same net without noise, in one evaluation       regression.py

All of them speak of a path `x_t = signal x0 + noise n` and turn what the network puts
out into x0; guidance and samplers know no more than that. For velocities this loses
nothing: at a given `x_t` every target is an affine function of x0, and the weights of
equation 2 sum to 1.
"""

from typing import NamedTuple, Protocol

import numpy as np

from vasa_jax.motion.config import MotionConfig
from vasa_jax.types import Array


class Path(NamedTuple):
  """Times a sampler visits, noisiest first, each `(n,)`.

  Attributes:
    t: as the network is told them.
    signal, noise: what `x_t` is made of there, float64. After the last comes x0.
  """

  t: np.ndarray
  signal: np.ndarray
  noise: np.ndarray


def log_snr_range(steps: int) -> tuple[float, float]:
  """Where the spacing 'logsnr' begins and ends, in `log(signal / noise)`.

  Noisier than the first the prediction is the mean motion, cleaner than the last it is
  `x_t` itself. What is cut off costs accuracy, what is kept costs steps: the range
  grows with their number. Chosen on a Gaussian and a mixture whose flow is known.
  """
  more = 0.6 * np.log2(steps)
  return -1.5 - more, 0.5 + more


class Objective(Protocol):
  """What `step` and `generate` ask of an objective."""

  def draw(self, key: Array, b: int) -> Array:
    """Times of a training batch, `(b,)`."""

  def corrupt(self, x0: Array, t: Array, noise: Array) -> Array:
    """`x_t` from `x0`, `noise` `(b, w, m)` and `t` `(b,)`."""

  def target(self, x0: Array, noise: Array, t: Array) -> Array:
    """What the network should put out, `(b, w, m)`."""

  def to_x0(self, out: Array, x_t: Array, t: Array) -> Array:
    """What `out` says about x0, `(b, w, m)`."""

  def start(self, noise: Array) -> Array:
    """Where sampling begins, from standard normal `noise (b, w, m)`."""

  def path(self, steps: int, spacing: str) -> Path:
    """Where to evaluate the network."""


def make_objective(config: MotionConfig) -> Objective:
  """The config's objective."""
  from vasa_jax.motion.diffusion import Diffusion
  from vasa_jax.motion.flow_matching import FlowMatching
  from vasa_jax.motion.regression import Regression

  kinds = {'diffusion': Diffusion, 'flow': FlowMatching, 'regression': Regression}
  return kinds[config.objective](config)
