"""The same parameters from every mode and number of devices, with SGD to 1e-6."""

import jax
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from tests.training import toy
from vasa_jax.errors import UserError
from vasa_jax.training.optimizer import make_optimizer
from vasa_jax.training.parallel import fsdp_spec, make_runner
from vasa_jax.training.state import init_state
from vasa_jax.training.update import make_step

RUN = toy.ToyRun(optimizer='sgd', learning_rate=0.1, schedule='constant', clip_norm=0.0)


def _setup(run, mode, devices):
  job, optimizer = run.job(), make_optimizer(run)

  def init(key):
    return init_state(job.init(key), optimizer, run.ema_decay)

  abstract = jax.eval_shape(init, jax.random.key(0))
  step = make_step(job.loss, optimizer, run.ema_decay)
  runner = make_runner(step, abstract, mode=mode, devices=devices, fsdp_min_mib=0.0)
  return runner, runner.create(init, jax.random.key(0))


def _train(mode, devices, steps=5, run=RUN):
  runner, state = _setup(run, mode, devices)
  batches = run.job().batches(None, 0, 1)
  metrics = []
  for _ in range(steps):
    batch = runner.place_batch(next(batches))
    state, figures = runner.step(state, batch, jax.random.key(1))
    metrics.append(figures)
  return runner.host(state), runner.scalars(metrics), state


@pytest.fixture(scope='module')
def reference():
  return _train('pmap', 1)


@pytest.mark.parametrize(
  'mode, devices', [('pmap', 4), ('jit', 1), ('jit', 4), ('fsdp', 4), ('fsdp', 2)]
)
def test_modes_and_devices_agree(reference, mode, devices):
  state, figures, _ = _train(mode, devices)
  for a, b in zip(jax.tree.leaves(reference[0]), jax.tree.leaves(state), strict=True):
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
  for a, b in zip(reference[1], figures, strict=True):
    assert a == pytest.approx(b, abs=1e-5)
  moved = np.abs(state.params['first'] - _train('pmap', 1, 0)[0].params['first']).max()
  assert moved > 0.01  # or the comparison above shows nothing


def test_fsdp_cuts_the_state():
  state = _train('fsdp', 4, steps=1)[2]
  first = state.params['first']  # (6, 8): 8 divides by 4
  assert first.addressable_data(0).shape == (6, 2)
  assert state.params['bias'].addressable_data(0).shape == (1,)


@pytest.mark.parametrize(
  'shape, spec',
  [
    ((8, 16, 4), PartitionSpec(None, 'data', None)),
    ((7, 12), PartitionSpec(None, 'data')),
    ((16, 16), PartitionSpec('data', None)),
    ((7, 9), PartitionSpec()),
    ((), PartitionSpec()),
  ],
)
def test_fsdp_rule(shape, spec):
  assert fsdp_spec(shape, 4, 4, 0.0) == spec


def test_fsdp_leaves_small_arrays_whole():
  assert fsdp_spec((512, 512), 4, 4, 4.0) == PartitionSpec()
  assert fsdp_spec((1024, 1024), 4, 4, 4.0) == PartitionSpec('data', None)


@pytest.fixture
def lowered():
  """Names of what JAX lowers for compilation while the test runs."""
  events = []

  def listen(name, seconds, **_):
    if name == '/jax/core/compile/jaxpr_to_mlir_module_duration':
      events.append(name)

  jax.monitoring.register_event_duration_secs_listener(listen)
  yield events
  jax.monitoring.unregister_event_duration_listener(listen)


@pytest.mark.parametrize('mode', ['pmap', 'jit', 'fsdp'])
def test_steps_do_not_compile_again(mode, lowered):
  runner, state = _setup(RUN, mode, 4)
  key = jax.random.key(1)
  batches = RUN.job().batches(None, 0, 1)
  traces = len(toy.TRACES)
  state = runner.step(state, runner.place_batch(next(batches)), key).state
  assert len(toy.TRACES) == traces + 1 and lowered
  host = runner.host(state)
  lowered.clear()
  for _ in range(3):
    state = runner.step(state, runner.place_batch(next(batches)), key).state
  # What the loop does with a time limit, and after a restore.
  state = state.replace(clock=runner.place_scalar(0.5))
  runner.step(state, runner.place_batch(next(batches)), key)
  runner.step(runner.place_state(host), runner.place_batch(next(batches)), key)
  assert len(toy.TRACES) == traces + 1
  assert not lowered


def test_host_copy_survives_donation():
  runner, state = _setup(RUN, 'pmap', 4)
  host = runner.host(state)
  kept = host.params['first'].copy()
  batch = runner.place_batch(next(RUN.job().batches(None, 0, 1)))
  new = runner.step(state, batch, jax.random.key(1)).state
  np.testing.assert_array_equal(host.params['first'], kept)
  assert state.params['first'].is_deleted()
  assert np.abs(runner.host(new).params['first'] - kept).max() > 0


def test_batches_that_do_not_fit():
  runner, _ = _setup(RUN, 'pmap', 4)
  with pytest.raises(UserError, match='batch of 6 .* multiple of 4'):
    runner.place_batch({'x': np.zeros((6, 2))})
  with pytest.raises(UserError, match='differ in their first axis'):
    runner.place_batch({'x': np.zeros((8, 2)), 'y': np.zeros((4, 2))})


def test_more_devices_than_there_are():
  with pytest.raises(UserError, match='devices=9, but this host has 4'):
    _setup(RUN, 'pmap', 9)


@pytest.mark.parametrize('mode, devices', [('pmap', 2), ('fsdp', 2)])
def test_frozen_arrays_are_arguments_not_constants(mode, devices):
  """A judge's weights reach the loss in every mode, and are not in the program."""
  job, optimizer = RUN.job(), make_optimizer(RUN)
  weights = np.random.default_rng(0).normal(size=(256, 256)).astype(np.float32)
  judge = jax.tree_util.Partial(lambda w, x: (w[:1, :6] * x).sum(-1).mean(), weights)

  def loss(params, batch, key, judge):
    value, scalars = job.loss(params, batch, key)
    said = judge(batch['x'] @ params['first'] @ params['first'].T)
    return value + 0.1 * said, scalars | {'said': said}

  def init(key):
    return init_state(job.init(key), optimizer, RUN.ema_decay)

  abstract = jax.eval_shape(init, jax.random.key(0))
  batch = next(job.batches(None, 0, 1))
  ends = []
  # An empty tree, a run without judges, is an argument as well.
  for frozen in ((), (judge,), (judge, None)):
    step = make_step(
      (lambda *inputs: loss(*inputs[:3], judge)) if len(frozen) != 1 else loss,
      optimizer,
      RUN.ema_decay,
    )
    runner = make_runner(
      step, abstract, mode=mode, devices=devices, fsdp_min_mib=0.0, frozen=frozen
    )
    state = runner.create(init, jax.random.key(0))
    state, figures = runner.step(state, runner.place_batch(batch), jax.random.key(1))
    assert runner.scalars([figures])[0]['said'] != 0
    ends.append(runner.host(state))
  for one in ends[1:]:
    for a, b in zip(*map(jax.tree.leaves, (ends[0], one)), strict=True):
      np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
  step = make_step(loss, optimizer, RUN.ema_decay)
  text = jax.jit(step).lower(abstract, batch, jax.random.key(1), judge).as_text()
  assert len(text) < weights.nbytes  # a constant is written out as hexadecimals
