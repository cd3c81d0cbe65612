"""Equation 2."""

import jax.numpy as jnp
import numpy as np
import pytest

from tests.motion.test_transformer import inputs
from vasa_jax.motion import config as config_lib
from vasa_jax.motion import guidance
from vasa_jax.motion.conditions import CONDITIONS

TINY = config_lib.tiny()


def linear_network(x_t, t, conditions):
  """Answers with what it was told, each condition in its own way."""
  keep = conditions.keep
  told = (keep.audio * conditions.features.mean(-1)).sum(1)
  told += keep.gaze * 10 * conditions.gaze.sum(-1) + t
  told += keep.distance * 3 * conditions.distance[:, 0]
  told += keep.emotion * conditions.emotion.sum(-1)
  told += keep.previous_motion * conditions.previous_motion.sum((1, 2))
  told += keep.previous_audio * conditions.previous_features.sum((1, 2))
  return x_t * 0.5 + told[:, None, None]


def guided(x_t, t, conditions, names, weights):
  joined = guidance.variants(conditions, names)
  copies = 1 + len(names)
  out = linear_network(
    guidance.repeated(x_t, copies), guidance.repeated(t, copies), joined
  )
  return guidance.combine(out, jnp.asarray(weights, jnp.float32))


def test_guidance_is_equation_2():
  x_t, t, conditions = inputs(TINY)
  plain = linear_network(x_t, t, conditions)
  weights = np.array([0.3, 0.5, 1.5, 0.2, 0.7])
  expected = (1 + weights.sum()) * plain
  for name, weight in zip(CONDITIONS, weights, strict=True):
    null = linear_network(x_t, t, guidance.without(conditions, name))
    assert np.abs(null - plain).max() > 0.01
    expected = expected - weight * null
  found = guided(x_t, t, conditions, CONDITIONS, weights)
  np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-2)


def test_no_weight_is_the_conditional():
  x_t, t, conditions = inputs(TINY)
  plain = linear_network(x_t, t, conditions)
  np.testing.assert_array_equal(guided(x_t, t, conditions, (), []), plain)
  made = jnp.concatenate([plain, plain + 5.0, plain - 2.0])
  np.testing.assert_allclose(guidance.combine(made, jnp.zeros(2)), plain, atol=1e-6)


def test_conditions_without_weight_cost_nothing():
  conditions = inputs(TINY, b=2)[2]
  assert guidance.variants(conditions, ('gaze',)).gaze.shape == (4, 2)
  assert guidance.variants(conditions, ()).gaze.shape == (2, 2)


def test_unknown_condition():
  with pytest.raises(ValueError, match='mood'):
    guidance.without(inputs(TINY)[2], 'mood')
