"""CAPP's score: its windows, and after learning a toy, what must lower it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments.capp_run import curves
from experiments.syncnet_run import info_nce
from vasa_jax.metrics.capp import CappJudge, bridged, scaled_motion, shifted_pairs
from vasa_jax.teachers.capp import Capp, CappConfig

SMALL = CappConfig(
  pose='steps', width=16, heads=2, depth=1, audio_depth=1, embedding=300, audio_dim=4
)

POSE = np.cumsum(np.random.default_rng(0).normal(0, 0.4, (120, 3)), 0)


class Ruler(CappJudge):
  """Cosine replaced by the first frame of the window, to see which were cut."""

  def cosines(self, pose, features):
    return features[:, 0, 0]


def test_windows_begin_every_second():
  ruler = Ruler(None, None)
  features = np.arange(130, dtype=np.float32)[:, None]
  assert ruler.score(POSE, features) == np.mean([0, 25])
  assert np.isnan(ruler.score(POSE[:74], features))
  found = np.ones(120, bool)
  found[:20] = False  # a quarter of the first window
  assert ruler.score(POSE, features, found) == 25
  assert np.isnan(ruler.score(POSE, features, np.zeros(120, bool)))


def test_gaps_become_straight_lines_and_turns_no_jumps():
  pose = np.stack([np.linspace(170, 190, 11), np.zeros(11), np.zeros(11)], 1)
  told = (pose + 180) % 360 - 180
  found = np.ones(11, bool)
  found[3:6] = False
  told[3:6] = np.nan
  np.testing.assert_allclose(bridged(told, found), pose, atol=1e-4)


def test_scaled_motion_scales_each_step():
  for factor in (0.2, 1.0, 3.0):
    made = scaled_motion(POSE, factor)
    np.testing.assert_allclose(made[0], POSE[0])
    np.testing.assert_allclose(np.diff(made, axis=0), factor * np.diff(POSE, axis=0))


def test_shifts_move_the_sound_only():
  features = np.arange(120)[:, None]
  for shift in (-4, 0, 4):
    pose, heard = shifted_pairs(POSE, features, shift)
    np.testing.assert_array_equal(pose[0], POSE[4:79])
    assert heard[0, 0, 0] == 4 + shift and heard.shape == (2, 75, 1)
  assert len(shifted_pairs(POSE[:82], features[:82], 0)[0]) == 0


@pytest.fixture(scope='module')
def learnt():
  """A small net that has learnt a toy in 150 steps: heads step as the voice rises."""
  net = Capp(SMALL)
  rng = np.random.default_rng(0)
  params = net.init(jax.random.key(0), *toy(rng, 1))['params']
  optimizer = optax.adam(5e-3)
  state = optimizer.init(params)

  def loss(params, pose, features, stretched):
    made, extra = (
      net.apply({'params': params}, x, features, method='logits')
      for x in (pose, stretched)
    )
    right = jnp.diagonal(made)
    wrong = jax.nn.logsumexp(jnp.concatenate([made, extra]), axis=0)
    return info_nce(made) + jnp.mean(wrong - right)

  @jax.jit
  def step(params, state, *batch):
    updates, state = optimizer.update(jax.grad(loss)(params, *batch), state)
    return optax.apply_updates(params, updates), state

  for _ in range(150):
    pose, features = toy(rng, 8)
    cut = rng.integers(0, 20, (8, 2))  # two moments of each clip
    windows = [(pose[i, c : c + 75], features[i, c : c + 75])
               for i in range(8) for c in cut[i]]  # fmt: skip
    pose, features = (np.stack(part) for part in zip(*windows, strict=True))
    factor = np.where(rng.random(16) < 0.5, 0.3, 2.5)[:, None, None]
    stretched = scaled_motion(pose, factor.astype(np.float32))
    params, state = step(params, state, pose, features, stretched)
  return CappJudge(SMALL, params)


def toy(rng, clips, frames=95):
  """`(n, t, 3)` degrees and `(n, t, 4)`: steps of pitch are the first feature."""
  voice = rng.standard_normal((clips, frames, 4)).astype(np.float32)
  voice[..., 0] = np.apply_along_axis(
    lambda x: np.convolve(x, [0.3, 0.5, 0.3], 'same'), 1, voice[..., 0]
  )
  steps = rng.normal(0, 0.05, (clips, frames, 3))
  steps[..., 1] += voice[..., 0]
  frames = slice(0, 75) if clips == 1 else slice(None)
  return np.cumsum(steps, 1)[:, frames].astype(np.float32), voice[:, frames]


def test_shifted_sound_and_scaled_motion_lower_the_score(learnt):
  pose, features = toy(np.random.default_rng(9), 12)
  found = {
    name: values.mean()
    for name, values in curves(learnt, list(zip(pose, features, strict=True))).items()
  }
  assert found['shift 0'] > 0.5
  for shift in (-4, -2, 2, 4):
    assert found['shift 0'] > found[f'shift {shift}'] + 0.3
  assert found['scale 1'] > found['scale 0.2'] + 0.05
  assert found['scale 1'] > found['scale 3'] + 0.05


def test_same_input_same_score_and_a_common_turn_changes_nothing(learnt):
  pose, features = toy(np.random.default_rng(3), 2)
  one = learnt.score(pose[0], features[0])
  assert learnt.score(pose[0], features[0]) == one
  turned = learnt.score(pose[0] + [20, -5, 3], features[0])
  assert turned == pytest.approx(one, abs=1e-3)
