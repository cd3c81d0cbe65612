"""The critic: shapes, closed forms of the hinge, and who gets which gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from vasa_jax.face import critic
from vasa_jax.face.critic import Critic, CriticConfig, Verdict

SMALL = CriticConfig(channels=(4, 8, 8), scales=2)


@pytest.fixture(scope='module')
def setup():
  net = Critic(SMALL)
  picture = jax.random.uniform(jax.random.key(0), (2, 32, 32, 3))
  params = jax.jit(net.init)(jax.random.key(1), picture)['params']
  return lambda p, x: net.apply({'params': p}, x), params, picture


def _verdicts(*scores):
  return tuple(Verdict(jnp.asarray(s), (jnp.asarray(s),)) for s in scores)


def test_two_scales_and_their_patches(setup):
  judge, params, picture = setup
  fine, coarse = jax.jit(judge)(params, picture)
  assert fine.score.shape == (2, 8, 8, 1) and coarse.score.shape == (2, 4, 4, 1)
  assert [f.shape[-1] for f in fine.features] == [4, 8, 8]
  # each scale is a net of its own
  assert set(params) == {'scale_0', 'scale_1'}


def test_hinge_closed_form():
  real, made = _verdicts([2.0, 0.5], [1.5]), _verdicts([-2.0, 0.0], [-0.5])
  # real: (0 + .5)/2, 0; made: (0 + 1)/2, .5
  assert float(critic.hinge_critic(real, made)) == pytest.approx(
    (0.25 + 0.5 + 0.0 + 0.5) / 2
  )
  assert float(critic.hinge_generator(made)) == pytest.approx((1.0 + 0.5) / 2)
  assert float(critic.feature_matching(real, made)) == pytest.approx((2.25 + 2.0) / 2)
  assert float(critic.feature_matching(real, real)) == 0


def test_a_term_reaches_its_own_player_only(setup):
  judge, params, picture = setup
  real = jnp.roll(picture, 1, 0) * 0.8

  def terms(gain, params):
    return critic.adversarial(judge, params, real, picture * gain)

  def size(tree):
    return max(float(jnp.abs(x).max()) for x in jax.tree.leaves(tree))

  grads = jax.jit(jax.jacrev(terms, (0, 1)))(1.0, params)
  for name, to_generator in (
    ('generator', True),
    ('matching', True),
    ('critic', False),
  ):
    reached = [size(grad) > 0 for grad in getattr(grads, name)]
    assert reached == [to_generator, not to_generator], name


def test_the_sum_gives_each_player_its_own_gradient(setup):
  judge, params, picture = setup
  real = picture[::-1] * 0.9

  def total(gain, params):
    found = critic.adversarial(judge, params, real, picture * gain)
    return found.generator + 3.0 * found.matching + found.critic

  def of_generator(gain):
    made = judge(params, picture * gain)
    matched = critic.feature_matching(judge(params, real), made)
    return critic.hinge_generator(made) + 3.0 * matched

  def of_critic(params):
    return critic.hinge_critic(judge(params, real), judge(params, picture))

  both = jax.jit(jax.grad(total, (0, 1)))(1.0, params)
  by_gain = jax.jit(jax.grad(of_generator))(1.0)
  np.testing.assert_allclose(both[0], by_gain, rtol=1e-4)
  alone = jax.jit(jax.grad(of_critic))(params)
  for a, b in zip(jax.tree.leaves(both[1]), jax.tree.leaves(alone), strict=True):
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_steps_of_the_critic_tell_real_from_made(setup):
  judge, params, real = setup
  made = (real + jnp.roll(real, 1, 1) + jnp.roll(real, 1, 2)) / 3
  optimizer = optax.adam(1e-2)

  @jax.jit
  def descend(params, state):
    value, grads = jax.value_and_grad(
      lambda p: critic.adversarial(judge, p, real, made).critic
    )(params)
    updates, state = optimizer.update(grads, state)
    return value, optax.apply_updates(params, updates), state

  state = optimizer.init(params)
  first, params, state = descend(params, state)
  for _ in range(80):
    last, params, state = descend(params, state)
  assert float(last) < 0.3 * float(first)
