"""A regression small enough to train within a test: y = tanh(x W1) W2 + b."""

import json
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.training.config import RunConfig
from vasa_jax.training.job import Job

TRACES: list[str] = []  # one entry each time the loss is traced


class ToyBatches:
  """Batch `i` is a pure function of the seed and `i`; each host takes its slice."""

  def __init__(self, run: 'ToyRun', start, host: int, hosts: int):
    self._run, self._host, self._hosts, self._next = run, host, hosts, 0
    if start is not None:
      self.set_state(start)

  def __iter__(self):
    return self

  def __next__(self):
    i, run = self._next, self._run
    if run.fail_host == self._host and i == 3:
      raise UserError('this host has no data')
    self._next += 1
    rng = np.random.default_rng((run.seed, i))
    x = rng.standard_normal((run.batch_size, 6)).astype(np.float32)
    y = np.sin(x).sum(axis=1, keepdims=True)
    if run.nan_at == i:
      x = x * np.float32('nan')
    part = run.batch_size // self._hosts
    own = slice(self._host * part, (self._host + 1) * part)
    if run.seen_file:
      with open(run.seen_file, 'a') as out:
        out.write(json.dumps([i, float(x.sum())]) + '\n')
    return {'x': x[own], 'y': y[own]}

  def get_state(self):
    return {'next': self._next, 'name': b'toy'}

  def set_state(self, state):
    assert state['name'] == b'toy'
    self._next = state['next']


@dataclass(frozen=True)
class Net:
  """Size of the net."""

  width: int = 8
  noise: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ToyRun(RunConfig):
  """A run over `ToyBatches`."""

  net: Net = Net()
  nan_at: int = -1
  fail_host: int = -1
  seen_file: str = ''
  steps: int = 6
  batch_size: int = 8
  optimizer: str = 'adamw'
  save_every: int = 0
  log_every: int = 2

  def job(self) -> Job:
    """The five functions."""

    def init(key):
      a, b = jax.random.split(key)
      return {
        'first': jax.random.normal(a, (6, self.net.width)) * 0.4,
        'last': jax.random.normal(b, (self.net.width, 1)) * 0.4,
        'bias': jnp.zeros((1,)),
      }

    def loss(params, batch, key):
      TRACES.append('loss')
      x = batch['x'] + self.net.noise * jax.random.normal(key, batch['x'].shape)
      out = jnp.tanh(x @ params['first']) @ params['last'] + params['bias']
      error = jnp.mean((out - batch['y']) ** 2)
      return error, {'error': error}

    return Job(
      init,
      loss,
      lambda start, host, hosts: ToyBatches(self, start, host, hosts),
      preview=lambda params: {
        'weights': np.clip(params['first'][..., None] * 40 + 128, 0, 255)
        .repeat(3, axis=-1)
        .astype(np.uint8)
      },
      evaluate=lambda params: {'size': float(np.abs(params['first']).sum())},
    )


def get_config() -> ToyRun:
  """What the command line tests load."""
  return ToyRun()


def sweep():
  """Two that work and one that cannot."""
  yield 'narrow', {'net.width': 4}
  yield 'broken', {'nan_at': 1}
  yield 'wide', {'net.width': 16}
