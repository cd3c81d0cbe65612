"""Losses that compare latents, and what keeps them from saying more than they should.

The contrastive loss is MegaPortraits' L_cos (section 3.2 there), the rest are the
remedies of its authors' EMOPortraits.
"""

import jax
import jax.numpy as jnp

from vasa_jax.types import Array

SCALE, MARGIN = 5.0, 0.2


def cosine(a: Array, b: Array) -> Array:
  """Cosine of `(..., c)` vectors, `(...)`; smooth at zero."""
  dot = jnp.sum(a * b, -1)
  return dot * jax.lax.rsqrt(
    jnp.sum(jnp.square(a), -1) * jnp.sum(jnp.square(b), -1) + 1e-12
  )


def contrastive(
  made: Array,
  driver: Array,
  made_crossed: Array,
  stranger: Array,
  scale: float = SCALE,
  margin: float = MARGIN,
) -> Array:
  """L_cos: a picture's dynamics are its driver's, whoever it shows.

  Positives are (made, driver) and (made_crossed, stranger), negatives (made, stranger)
  and (made_crossed, driver). With `d = scale * (cosine - margin)` for positives and
  `scale * cosine` for negatives, so that the margin counts (CosFace), each positive
  pays `-log(exp(d) / (exp(d) + sum of exp(d) of the negatives))`.

  Args:
    made: `(b, k)` dynamics read from the picture of the source driven by `driver`.
    driver: `(b, k)` dynamics of the driver.
    made_crossed: of the source driven by somebody else.
    stranger: the dynamics of that driver.
  """
  negatives = jnp.stack([cosine(made, stranger), cosine(made_crossed, driver)])
  negatives = jax.nn.logsumexp(scale * negatives, 0)
  total = 0.0
  for pair in ((made, driver), (made_crossed, stranger)):
    positive = scale * (cosine(*pair) - margin)
    total += jnp.mean(jnp.logaddexp(positive, negatives) - positive)
  return total / 2


def canonical_l1(one: Array, other: Array) -> Array:
  """L1 of two canonical volumes of one person: they should show no expression.

  In shares of the volumes' own mean size, so that shrinking them is no way out.
  """
  size = jnp.mean(jnp.abs(jax.lax.stop_gradient(one)))
  size += jnp.mean(jnp.abs(jax.lax.stop_gradient(other)))
  return jnp.mean(jnp.abs(one - other)) / (size / 2 + 1e-6)


def mismatch(source: Array, driver: Array, margin: float) -> Array:
  """What the dynamics `(b, k)` of two frames agree on beyond `margin`: the person."""
  return jnp.mean(jnp.maximum(cosine(source, driver) - margin, 0.0))


def drop(z: Array, key: Array, share: float) -> Array:
  """`z` with that share of its numbers set to zero and the others scaled up."""
  kept = jax.random.bernoulli(key, 1 - share, z.shape)
  return jnp.where(kept, z / (1 - share), 0.0)
