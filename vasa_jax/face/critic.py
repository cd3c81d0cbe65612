"""The multi-scale patch critic and the adversarial terms that it gives.

MegaPortraits' L_adv (hinge) and L_FM (feature matching), section 2.3 of its paper; the
layout of the critic is that of face-vid2vid and of the authors' released run: two
scales, four 3 x 3 convolutions each, instance norm, leaky ReLU, one score per patch.

Critic and generator learn in one step: `adversarial` adds both objectives, each with
the other's parameters held still, so that one gradient of the sum is the gradient of
each player.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax.nn.blocks import Conv, average_pool
from vasa_jax.types import Array


@dataclasses.dataclass(frozen=True)
class CriticConfig:
  """Layout of the critic.

  Attributes:
    channels: of each convolution; all but the last halve the resolution.
    scales: the picture, and that many less one halvings of it, each with a net of its
      own.
    dtype: compute type.
  """

  channels: tuple[int, ...] = (64, 128, 256, 512)
  scales: int = 2
  dtype: str = 'float32'


class Verdict(NamedTuple):
  """One scale's opinion: `score (b, h, w, 1)` and the features it rests on."""

  score: Array
  features: tuple[Array, ...]


class PatchCritic(nn.Module):
  """One scale: `(b, h, w, 3)` in [0, 1] -> Verdict."""

  config: CriticConfig

  @nn.compact
  def __call__(self, picture: Array) -> Verdict:
    c = self.config
    dtype = jnp.dtype(c.dtype)
    x, features = 2 * picture - 1, []
    last = len(c.channels) - 1
    for i, channels in enumerate(c.channels):
      stride = 1 if i == last else 2
      x = Conv(channels, (3, 3), stride, standardise=False, dtype=dtype)(x)
      if i:  # the first sees colours: a norm would hide the picture's own
        x = nn.InstanceNorm(dtype=jnp.float32)(x.astype(jnp.float32)).astype(dtype)
      x = nn.leaky_relu(x, 0.2)
      features.append(x)
    score = Conv(1, (1, 1), standardise=False, dtype=dtype)(x)
    return Verdict(score.astype(jnp.float32), tuple(features))


class Critic(nn.Module):
  """All scales, finest first."""

  config: CriticConfig

  @nn.compact
  def __call__(self, picture: Array) -> tuple[Verdict, ...]:
    verdicts = []
    for scale in range(self.config.scales):
      if scale:
        picture = average_pool(picture, (2, 2))
      verdicts.append(PatchCritic(self.config, name=f'scale_{scale}')(picture))
    return tuple(verdicts)


def hinge_generator(made: tuple[Verdict, ...]) -> Array:
  """What the generator pays: minus the mean score of what it made, over scales."""
  return -sum(jnp.mean(v.score) for v in made) / len(made)


def hinge_critic(real: tuple[Verdict, ...], made: tuple[Verdict, ...]) -> Array:
  """What the critic pays: real patches below 1, made ones above -1, over scales."""
  total = 0.0
  for r, m in zip(real, made, strict=True):
    total += jnp.mean(nn.relu(1 - r.score)) + jnp.mean(nn.relu(1 + m.score))
  return total / len(real)


def feature_matching(real: tuple[Verdict, ...], made: tuple[Verdict, ...]) -> Array:
  """L1 of the critic's features, mean over layers and scales; real ones held still."""
  terms = [
    jnp.mean(jnp.abs(m.astype(jnp.float32) - jax.lax.stop_gradient(r)))
    for one, other in zip(real, made, strict=True)
    for r, m in zip(one.features, other.features, strict=True)
  ]
  return sum(terms) / len(terms)


class Adversarial(NamedTuple):
  """The terms of one batch, each with gradient to one player only.

  generator, matching: to the generator. critic: to the critic.
  """

  generator: Array
  matching: Array
  critic: Array


def adversarial(
  judge: Callable[..., tuple[Verdict, ...]], params, real: Array, made: Array
) -> Adversarial:
  """Both players' objectives.

  Args:
    judge: `judge(params, picture) -> verdicts`, such as `Critic.apply`.
    params: of the critic.
    real, made: `(b, h, w, 3)` pictures in [0, 1]; `made` carries the generator's
      gradient.
  """
  still = jax.lax.stop_gradient(params)
  on_made = judge(still, made)
  # Norms are of one picture each: both kinds may go through side by side.
  both = judge(params, jnp.concatenate([real, jax.lax.stop_gradient(made)]))
  on_real = jax.tree.map(lambda x: x[: len(real)], both)
  critic = hinge_critic(on_real, jax.tree.map(lambda x: x[len(real) :], both))
  return Adversarial(
    hinge_generator(on_made), feature_matching(on_real, on_made), critic
  )
