"""Our sync net after it has learnt a toy: mouths open as far as the voice is loud."""

import jax
import numpy as np
import optax
import pytest

from experiments.syncnet_run import info_nce
from vasa_jax.metrics.mouth_judge import MouthJudge
from vasa_jax.metrics.sync import score_sync
from vasa_jax.teachers.lipsync import LipSync, LipSyncConfig, abstract_inputs

SMALL = LipSyncConfig(widths=(16, 32, 32), sound=16, embedding=16)
ROWS = np.abs(np.arange(48) - 24)[:, None] * np.ones(48)


def toy(rng, clips, frames):
  """Mouths `(n, t, 48, 48)` and log-mel `(n, t, 320)` of random loudness."""
  loud = rng.uniform(0, 1, (clips, frames)).astype(np.float32)
  mouths = np.where(ROWS < 4 + 14 * loud[..., None, None], 40.0, 160.0)
  mouths += rng.normal(0, 8, mouths.shape)
  features = np.repeat(2 * loud[..., None] - 1, 320, -1)
  features += rng.normal(0, 0.2, features.shape)
  return mouths.astype(np.float32), features.astype(np.float32)


@pytest.fixture(scope='module')
def learnt():
  net = LipSync(SMALL)
  params = net.init(jax.random.key(0), *abstract_inputs())['params']
  optimizer = optax.adam(5e-3)
  state = optimizer.init(params)

  def loss(params, *batch):
    return info_nce(net.apply({'params': params}, *batch, method='similarities'))

  @jax.jit
  def step(params, state, *batch):
    updates, state = optimizer.update(jax.grad(loss)(params, *batch), state)
    return optax.apply_updates(params, updates), state

  rng = np.random.default_rng(0)
  for _ in range(120):
    params, state = step(params, state, *toy(rng, 4, 20))
  return MouthJudge(SMALL, params)


def vectors(judge, mouths, features):
  """As `MouthJudge.vectors`, from features instead of samples."""
  net = LipSync(SMALL)
  lips, sound = net.apply({'params': judge.params}, mouths[None], features[None])
  return np.asarray(lips[0]), np.asarray(sound[0])


def test_finds_planted_offsets(learnt):
  mouths, features = toy(np.random.default_rng(5), 3, 80)
  for clip, planted in enumerate((-12, 4, 12)):
    lips, sound = vectors(learnt, mouths[clip], features[clip])
    late = slice(max(planted, 0), len(sound) + min(planted, 0))
    early = slice(max(-planted, 0), len(sound) + min(-planted, 0))
    assert abs(score_sync(lips[early], sound[late]).offset - planted) <= 1


def test_strange_sound_lowers_confidence_and_raises_distance(learnt):
  mouths, features = toy(np.random.default_rng(6), 2, 80)
  own = score_sync(*vectors(learnt, mouths[0], features[0]))
  other = score_sync(*vectors(learnt, mouths[0], features[1]))
  assert own.confidence > 2 * other.confidence and own.distance < other.distance


def test_long_clips_are_heard_in_pieces(learnt, monkeypatch):
  mouths = toy(np.random.default_rng(7), 1, 30)[0][0]
  samples = np.random.default_rng(8).uniform(-0.3, 0.3, 30 * 640).astype(np.float32)
  whole = learnt.vectors(mouths, samples)
  assert whole[0].shape == whole[1].shape == (26, 16)
  monkeypatch.setattr('vasa_jax.metrics.mouth_judge._CHUNK', 7)
  pieces = learnt.vectors(mouths, samples)
  for a, b in zip(whole, pieces, strict=True):
    np.testing.assert_allclose(a, b, atol=1e-5)
