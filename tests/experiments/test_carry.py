"""Checkpoints as small files: what is exact, what is rounded, what refused."""

import dataclasses
import io
import json
import zipfile

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments import carry
from experiments.motion_run import MotionRun
from vasa_jax.errors import UserError
from vasa_jax.motion import config as config_lib
from vasa_jax.training.checkpoint import Checkpoints
from vasa_jax.training.config import to_json
from vasa_jax.training.state import init_state


def random_like(abstract, seed=0):
  """A tree of numbers like those of training: the average is near the parameters."""
  rng = np.random.default_rng(seed)

  def draw(leaf):
    if np.issubdtype(leaf.dtype, np.floating):
      return rng.normal(0, 0.05, leaf.shape).astype(leaf.dtype)
    return np.asarray(rng.integers(1, 9, leaf.shape), leaf.dtype)

  state = jax.tree.map(draw, abstract)
  near = jax.tree.map(lambda p: p + draw(p) * np.float32(0.01), state.params)
  return state.replace(ema=near)


def toy(seed=0):
  params = {'kernel': jnp.zeros((40, 30)), 'bias': jnp.zeros(30), 'idle': jnp.zeros(7)}
  optimizer = optax.scale_by_adam()
  state = random_like(jax.eval_shape(lambda: init_state(params, optimizer, 0.9)), seed)
  for tree in (state.params, state.ema):
    tree['idle'] = np.zeros(7, np.float32)
  return state


def through_a_file(state, exact):
  buffer = io.BytesIO()
  files = carry.encode(state, exact)
  with zipfile.ZipFile(buffer, 'w') as archive:
    for name, data in files.items():
      archive.writestr(name, data)
  with zipfile.ZipFile(buffer) as archive:
    target = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), state)
    return carry.decode(archive, target), sum(map(len, files.values()))


@pytest.mark.parametrize('bits', [4, 6, 16, 23])
def test_rounding_is_to_nearest(bits):
  rng = np.random.default_rng(0)
  values = rng.normal(size=2000) * np.exp(rng.normal(0, 10, 2000))
  values = np.concatenate([values, [0.0, 1.0, -1.0, 2.0**-100]]).astype(np.float32)
  got = carry.shorten(values, bits)
  scale = 2.0 ** np.floor(np.log2(np.abs(values[values != 0].astype(np.float64))))
  wanted = values[values != 0] / scale
  error = np.abs(got[values != 0] / scale - wanted)
  assert error.max() <= (0 if bits == 23 else 2.0 ** -(bits + 1))
  if bits < 23:  # and no better: the bits are really gone
    assert error.max() > 2.0 ** -(bits + 2)
    assert not np.any(got.view(np.uint32) & ((1 << (23 - bits)) - 1))
  np.testing.assert_array_equal(got[-4:], values[-4:])


def test_exact_keeps_every_bit():
  state = toy()
  again, _ = through_a_file(state, exact=True)
  assert jax.tree.structure(again) == jax.tree.structure(state)
  for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(again), strict=True):
    assert np.asarray(a).dtype == b.dtype
    np.testing.assert_array_equal(a, b)


def test_narrow_is_small_and_near():
  state = toy()
  again, size = through_a_file(state, exact=False)
  # exact: the counter, and all arrays of one axis
  assert again.step == state.step
  for tree, back in ((state.params, again.params), (state.ema, again.ema)):
    for name in ('bias', 'idle'):
      np.testing.assert_array_equal(back[name], tree[name])
  average = state.ema['kernel']
  error = np.abs(again.ema['kernel'] - average)
  assert np.all(error <= np.abs(average) * 2.0**-17)
  # The parameters keep their distance from the average, though it is small.
  step = state.params['kernel'] - average
  found = again.params['kernel'] - again.ema['kernel']
  assert np.abs(found - step).max() < 0.02 * np.abs(step).max()
  moment = state.opt_state.mu['kernel']
  relative = np.abs(again.opt_state.mu['kernel'] / moment - 1)
  assert 2.0**-7 < relative.max() <= 2.0**-5
  assert size < 0.5 * through_a_file(state, exact=True)[1]


@pytest.fixture(scope='module')
def motion():
  """A run and a made-up state of it."""
  run = MotionRun(
    model=config_lib.tiny(), cache='none', steps=9, batch_size=4, ema_decay=0.5
  )
  abstract = carry.abstract_state('motion', run)
  return run, random_like(abstract, 1)


def pack(motion, out, exact=True):
  run, state = motion
  out.mkdir(exist_ok=True)
  info = {'step': 7, 'loader': {'step': 11}, 'meta': {'seconds': 12.5}}
  texts = {'checkpoint.json': json.dumps(info), 'config.json': to_json(run)}
  texts['metrics.jsonl'] = '{"step": 7, "loss": 1.0}\n'
  return carry.write_parts(out, 'motion', carry.encode(state, exact), texts)


def test_parts_become_a_run_again(motion, tmp_path, monkeypatch):
  monkeypatch.setattr(carry, 'PART_BYTES', 1 << 20)
  parts = pack(motion, tmp_path / 'out')
  assert len(parts) > 1 and max(p.stat().st_size for p in parts) <= 1 << 20
  found = carry.unpack(tmp_path / 'out', 'motion', tmp_path / 'run')
  assert (found.run, found.step, found.seconds) == (motion[0], 7, 12.5)
  back = carry.read_checkpoint('motion', motion[0], tmp_path / 'run')
  assert back.step == 7 and back.loader == {'step': 11}
  for a, b in zip(jax.tree.leaves(motion[1]), jax.tree.leaves(back.state), strict=True):
    np.testing.assert_array_equal(a, b)
  assert (tmp_path / 'run' / 'metrics.jsonl').read_text().startswith('{"step": 7')
  assert carry.unpack(tmp_path / 'out', 'face', tmp_path / 'face') is None
  # A shorter state leaves none of the longer one's parts behind.
  pack(motion, tmp_path / 'out', exact=False)
  assert len(list((tmp_path / 'out').iterdir())) < len(parts)
  assert carry.unpack(tmp_path / 'out', 'motion', tmp_path / 'again').step == 7


def test_damage_is_named(motion, tmp_path, monkeypatch):
  monkeypatch.setattr(carry, 'PART_BYTES', 1 << 20)
  parts = pack(motion, tmp_path / 'out')
  whole = parts[0].read_bytes()
  parts[0].write_bytes(whole[:5000] + bytes([whole[5000] ^ 255]) + whole[5001:])
  with pytest.raises(UserError, match='missing or damaged'):
    carry.unpack(tmp_path / 'out', 'motion', tmp_path / 'run')
  parts[0].write_bytes(whole)
  parts[-1].unlink()
  with pytest.raises(UserError, match='copy all parts again'):
    carry.unpack(tmp_path / 'out', 'motion', tmp_path / 'run')
  assert not (tmp_path / 'run').exists()


def test_another_model_is_refused(motion, tmp_path):
  run, state = motion
  other = dataclasses.replace(
    run, model=dataclasses.replace(run.model, depth=run.model.depth + 1)
  )
  pack((other, state), tmp_path / 'out')
  with pytest.raises(UserError, match='another version'):
    carry.unpack(tmp_path / 'out', 'motion', tmp_path / 'run')


def test_no_checkpoint_is_none(motion, tmp_path):
  with Checkpoints(tmp_path):
    pass
  assert carry.read_checkpoint('motion', motion[0], tmp_path) is None
