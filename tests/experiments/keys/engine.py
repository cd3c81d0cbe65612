"""What the settings of `RunConfig` reach: the update, and how the loop behaves.

The loop runs for real over a runner that computes nothing and writers that write down
what they are asked for.
"""

import dataclasses
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.experiments.keys.traces import program
from vasa_jax.training import loop
from vasa_jax.training.config import RunConfig
from vasa_jax.training.job import Job
from vasa_jax.training.optimizer import make_optimizer
from vasa_jax.training.parallel import make_runner
from vasa_jax.training.state import init_state
from vasa_jax.training.update import make_step
from vasa_jax.types import CRITIC

BASE = RunConfig(
  steps=12, batch_size=8, warmup_steps=2, weight_decay=0.01, ema_decay=0.9,
  log_every=4, save_every=4, preview_every=4, eval_every=4, keep=2, devices=2,
  mode='fsdp', profile_at=3, profile_steps=2,
)  # fmt: skip
# Another value of each setting, and where it has to show.
CHANGES = {
  'steps': (9, 'update'),
  'minutes': (1e-9, 'behaviour'),
  'seed': (1, 'behaviour'),
  'batch_size': (16, 'behaviour'),
  'micro_batches': (2, 'update'),
  'optimizer': ('sgd', 'update'),
  'learning_rate': (2e-3, 'update'),
  'schedule': ('constant', 'update'),
  'warmup_steps': (3, 'update'),
  'final_lr_ratio': (0.5, 'update'),
  'beta1': (0.8, 'update'),
  'beta2': (0.98, 'update'),
  'weight_decay': (0.02, 'update'),
  'clip_norm': (2.0, 'update'),
  'critic_rate': (4.0, 'update'),
  'ema_decay': (0.99, 'update'),
  'log_every': (3, 'behaviour'),
  'save_every': (5, 'behaviour'),
  'preview_every': (6, 'behaviour'),
  'eval_every': (0, 'behaviour'),
  'keep': (3, 'behaviour'),
  'mode': ('pmap', 'placement'),
  'devices': (1, 'placement'),
  'fsdp_min_mib': (0.0, 'placement'),
  'profile_at': (0, 'behaviour'),
  'profile_steps': (9, 'behaviour'),
}


def update(run: RunConfig) -> str:
  """The program of one update of a small net and its critic."""
  optimizer = make_optimizer(run)

  def loss(params, batch, key):
    made = batch @ params['net'] + jax.random.normal(key, (len(batch), 3))
    return jnp.mean(made**2) + jnp.mean((batch @ params[CRITIC]) ** 2), {}

  def init():
    params = {'net': jnp.ones((4, 3)), CRITIC: jnp.ones((4, 1))}
    return init_state(params, optimizer, run.ema_decay)

  step = make_step(loss, optimizer, run.ema_decay, run.micro_batches)
  batch = jax.ShapeDtypeStruct((8, 4), jnp.float32)
  return program(step, jax.eval_shape(init), batch, jax.random.key(0))


def placement(run: RunConfig) -> str:
  """Where state and batch lie; needs two devices or more."""
  abstract = jax.ShapeDtypeStruct((256, 64), jnp.float32)  # 64 KiB
  runner = make_runner(
    lambda *args: args, abstract, mode=run.mode, devices=run.devices,
    fsdp_min_mib=run.fsdp_min_mib,
  )  # fmt: skip
  batch = runner.place_batch(np.zeros((8, 2), np.float32))
  kept = runner.restore_like(abstract)
  return f'{batch.shape} {batch.sharding} {getattr(kept, "sharding", type(kept))}'


def behaviour(run: RunConfig, folder, monkeypatch) -> str:
  """Everything that a run asks of its runner, writers and checkpoints, in order."""
  asked: list[Any] = []

  class State(SimpleNamespace):
    def replace(self, **changes):
      asked.append(('clock', sorted(changes)))
      return self

  class Checkpoints:
    def __init__(self, workdir, keep, tidy):
      asked.append(('keep', keep))

    def __enter__(self):
      return self

    def __exit__(self, *_):
      pass

    def latest(self):
      return None

    def save(self, step, *_):
      asked.append(('save', step))

    def wait(self):
      pass

  class Writer:
    def __init__(self, *_, **__):
      pass

    def figures(self, step, figures):
      asked.append(('figures', step, 'eval/size' in figures))

    def pictures(self, step, pictures):
      asked.append(('pictures', step))

    def close(self):
      pass

  class Profile:
    def __init__(self, workdir, at, steps):
      asked.append(('profile', at, steps))

    def before(self, step):
      pass

    def after(self, step, metrics):
      pass

    def close(self):
      pass

  def runner(step, abstract, **settings):
    def run_step(state, batch, key):
      asked.append(('step', batch.shape, float(batch.sum())))
      return state, {'loss': 0.0}

    def create(init, key):
      asked.append(('create', jax.random.key_data(key).tolist()))
      return State(best_params={})

    return SimpleNamespace(
      step=run_step, create=create, place_batch=lambda b: b, host=lambda t: t,
      scalars=lambda m: m, to_save=lambda s: s, place_scalar=lambda v: v,
    )  # fmt: skip

  for name, stand_in in (
    ('Checkpoints', Checkpoints), ('Writer', Writer), ('Profile', Profile),
    ('make_runner', runner), ('init_state', lambda params, *_: params),
  ):  # fmt: skip
    monkeypatch.setattr(loop, name, stand_in)
  job = Job(
    init=lambda key: {},
    loss=None,
    batches=lambda *_: _Batches(run),
    preview=lambda params: {'a': np.zeros((2, 2, 3), np.uint8)},
    evaluate=lambda params: {'size': 1.0},
  )
  outcome = loop.fit(run, job, folder)
  return f'{asked} {outcome.step}'


@dataclasses.dataclass
class _Batches:
  """Batches of the run's size and seed."""

  run: RunConfig
  count: int = 0

  def __next__(self):
    self.count += 1
    return np.full((self.run.batch_size, 1), self.run.seed + self.count, np.float32)

  def get_state(self):
    return self.count
