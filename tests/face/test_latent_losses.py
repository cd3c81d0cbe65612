"""Losses of latents in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.face import latent_losses as losses

X, Y = jnp.array([[1.0, 0.0]]), jnp.array([[0.0, 2.0]])


def test_contrastive_in_closed_form():
  # Positives agree wholly, negatives are at right angles.
  good = losses.contrastive(X, X, Y, Y)
  assert good == pytest.approx(-np.log(np.exp(4) / (np.exp(4) + 2)), rel=1e-5)
  # Each made picture says what the other driver says.
  bad = losses.contrastive(Y, X, X, Y)
  assert bad == pytest.approx(
    -np.log(np.exp(-1) / (np.exp(-1) + 2 * np.exp(5))), rel=1e-5
  )
  # A margin must cost something, or it has cancelled out.
  assert losses.contrastive(X, X, Y, Y, margin=0.0) < good
  assert losses.contrastive(3 * X, X, Y, 0.1 * Y) == pytest.approx(
    float(good), rel=1e-4
  )


def test_contrastive_pulls_towards_the_own_driver():
  start = jnp.array([[1.0, 1.0]])
  slope = jax.grad(lambda made: losses.contrastive(made, X, Y, Y))(start)
  assert slope[0, 0] < 0 < slope[0, 1]


def test_canonical_volumes_cannot_win_by_shrinking():
  one = jax.random.normal(jax.random.key(0), (2, 3, 4, 4, 5))
  other = one + 0.1
  assert losses.canonical_l1(one, one) == 0
  assert losses.canonical_l1(one, other) == pytest.approx(
    float(losses.canonical_l1(0.01 * one, 0.01 * other)), rel=1e-3
  )


def test_mismatch_starts_at_its_margin():
  assert losses.mismatch(X, Y, 0.5) == 0
  assert losses.mismatch(X, 7 * X, 0.5) == pytest.approx(0.5)
  assert losses.mismatch(jnp.zeros((1, 2)), X, 0.5) == 0


def test_dropout_keeps_the_mean():
  z = jnp.ones((100, 100))
  found = losses.drop(z, jax.random.key(0), 0.2)
  assert set(np.unique(found).tolist()) == {0.0, 1.25}
  assert found.mean() == pytest.approx(1.0, abs=0.02)
