"""How fast stage 1 is: `python -m experiments.benchmarks.face`.

    python -m experiments.benchmarks.face --presets lite paper --batches 1 4
    python -m experiments.benchmarks.face --presets lite --train lite

Random weights and pictures. `encode` (once per portrait), `decode` (every frame, in
batches of each size) and, for the presets named by `--train`, a whole training step
(model, its losses without judges that have weights of their own, optimizer, average).
For use the spectral norm is folded into the weights, as
`autoencoder.without_spectral_norm` does it; a training step has it.

Of each: the median wall time of a call; operations, from XLA's analysis of the program
before it is optimised (what a device's libraries take over is still counted); bytes
that the compiled program reads and writes and memory that it needs beside inputs and
outputs; GFLOP/s and their share of the largest matrix products in the same run and type
(`ceiling.py`). JSON on stdout or to `--json FILE`, then a Markdown table.
"""

import argparse
import dataclasses
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks.ceiling import ceiling, device, seconds
from experiments.command import run_command
from vasa_jax.face.autoencoder import FaceModel
from vasa_jax.face.config import PRESETS, FaceConfig
from vasa_jax.face.template import load_template
from vasa_jax.types import Motion

DTYPES = ('float32', 'bfloat16')


class Program(NamedTuple):
  """A compiled call with its arguments bound.

  Attributes:
    call: runs it.
    gflop: billions of operations of one call.
    gigabytes: read and written by one call.
    temporary_mib: memory that it needs beside inputs and outputs.
  """

  call: Callable[[], Any]
  gflop: float
  gigabytes: float
  temporary_mib: float


def _cost(stage: Any, what: str) -> float:
  """A figure of XLA's cost analysis; NaN where the backend does not say."""
  cost = stage.cost_analysis() or {}
  cost = cost[0] if isinstance(cost, list) else cost
  return float(cost.get(what, float('nan')))


def compiled_program(jitted: Any, *arguments: Any) -> Program:
  """`jitted` on these arguments, compiled and weighed."""
  lowered = jitted.lower(*arguments)
  compiled = lowered.compile()
  memory = compiled.memory_analysis()
  return Program(
    call=lambda: compiled(*arguments),
    gflop=_cost(lowered, 'flops') / 1e9,
    gigabytes=_cost(compiled, 'bytes accessed') / 1e9,
    temporary_mib=memory.temp_size_in_bytes / 2**20 if memory else float('nan'),
  )


def config_for_use(preset: str, dtype: str) -> FaceConfig:
  """A preset in `dtype` as it is when nothing learns."""
  return dataclasses.replace(
    PRESETS[preset](), dtype=dtype, spectral_norm=False, remat=False
  )


def _vertices(config: FaceConfig):
  if config.pixel_path is None:
    return None
  return jnp.asarray(load_template().mean)[None]


def some_motion(config: FaceConfig, frames: int) -> Motion:
  """Small motions, another one for each frame."""
  rng = np.random.default_rng(frames)
  pose = rng.normal(0, 0.05, (frames, 6))
  dyn = rng.uniform(0, 0.3, (frames, config.dyn_dim))
  return Motion(jnp.asarray(pose, jnp.float32), jnp.asarray(dyn, jnp.float32))


def random_params(config: FaceConfig) -> Any:
  """Weights of a model that has not been trained, without compiling its start."""
  rng = np.random.default_rng(0)
  picture = jnp.zeros((1, config.size, config.size, 3))

  def init(key):
    motion = some_motion(config, 1)
    return FaceModel(config).init(key, picture, _vertices(config), motion)

  def fill(shape):
    fan_in = max(1, int(np.prod(shape.shape[:-1])))
    values = rng.standard_normal(shape.shape, np.float32)
    return jnp.asarray(values / np.sqrt(fan_in))

  return jax.tree.map(fill, jax.eval_shape(init, jax.random.key(0))['params'])


class Model:
  """A preset with random weights: programs that encode and decode."""

  def __init__(self, preset: str, dtype: str):
    self.config = config_for_use(preset, dtype)
    self.params = random_params(self.config)
    self._model = FaceModel(self.config)

  def _jit(self, method: str, pick: Callable[[Any], Any] = lambda x: x) -> Any:
    def run(params, *arguments):
      return pick(self._model.apply({'params': params}, *arguments, method=method))

    return jax.jit(run)

  def encode(self) -> Program:
    """One portrait, its motion known."""
    side = self.config.size
    picture = np.random.default_rng(1).uniform(size=(1, side, side, 3))
    picture = jnp.asarray(picture, jnp.float32)
    return compiled_program(
      self._jit('encode'),
      self.params,
      picture,
      some_motion(self.config, 1),
      _vertices(self.config),
    )

  def some_code(self) -> Any:
    """A portrait's code with noise in it."""
    rng = np.random.default_rng(2)
    side = self.config.size
    shapes = jax.eval_shape(
      self._jit('encode'),
      self.params,
      jnp.zeros((1, side, side, 3)),
      some_motion(self.config, 1),
      _vertices(self.config),
    )
    code = jax.tree.map(
      lambda x: jnp.asarray(rng.standard_normal(x.shape, np.float32), x.dtype), shapes
    )
    if code.pixels is not None:
      pixels = code.pixels.replace(
        vertices=_vertices(self.config), motion=some_motion(self.config, 1)
      )
      code = code.replace(pixels=pixels)
    return code

  def decode(self, frames: int, code: Any) -> Program:
    """`frames` pictures of one portrait at once, 8 bits a channel."""

    def picture(out):
      return (out.picture * 255 + 0.5).astype(jnp.uint8)

    motion = some_motion(self.config, frames)
    return compiled_program(self._jit('decode', picture), self.params, code, motion)


def decode_program(preset: str, dtype: str, frames: int) -> Program:
  """For other benchmarks: `frames` pictures with random weights."""
  model = Model(preset, dtype)
  return model.decode(frames, model.some_code())


def train_program(preset: str, dtype: str, batch: int, drivers: int) -> Program:
  """A training step on one device; its state is handed on from call to call."""
  from experiments.aot import face_batch
  from vasa_jax.face.losses import LossConfig, paper_losses
  from vasa_jax.face.step import init_training, make_loss
  from vasa_jax.training.config import RunConfig
  from vasa_jax.training.optimizer import make_optimizer
  from vasa_jax.training.state import init_state
  from vasa_jax.training.update import make_step

  config = dataclasses.replace(PRESETS[preset](), dtype=dtype)
  weights = paper_losses() if preset == 'paper' else LossConfig()
  critic = dataclasses.replace(weights.critic, dtype=dtype)
  weights = dataclasses.replace(weights, critic=critic)
  run = RunConfig(ema_decay=0.999)
  optimizer = make_optimizer(run)
  params = init_training(config, weights, jax.random.key(0))
  held = [init_state(params, optimizer, run.ema_decay)]
  rng = np.random.default_rng(3)

  def fill(shape):
    if shape.dtype == np.uint8:
      return jnp.asarray(rng.integers(0, 256, shape.shape, np.uint8))
    return jnp.asarray(rng.normal(0, 0.05, shape.shape), shape.dtype)

  data = jax.tree.map(fill, face_batch(config.size, batch, drivers))
  step = make_step(make_loss(config, weights), optimizer, run.ema_decay)
  key = jax.random.key(1)
  lowered = jax.jit(step, donate_argnums=0).lower(held[0], data, key)
  compiled = lowered.compile()
  memory = compiled.memory_analysis()

  def call():
    update = compiled(held[0], data, key)
    held[0] = update.state
    return update.metrics

  return Program(
    call,
    _cost(lowered, 'flops') / 1e9,
    _cost(compiled, 'bytes accessed') / 1e9,
    memory.temp_size_in_bytes / 2**20 if memory else float('nan'),
  )


def figures(program: Program, items: int, top: float, repeats: int) -> dict[str, Any]:
  """Of a program that makes `items` of something in a call."""
  times = seconds(program.call, repeats)
  middle = statistics.median(times)
  rate = program.gflop / middle
  return {
    'ms': round(1e3 * middle / items, 2),
    'least_ms': round(1e3 * min(times) / items, 2),
    'per_second': round(items / middle, 3),
    'gflop': round(program.gflop / items, 3),
    'gigabytes': round(program.gigabytes / items, 3),
    'temporary_mib': round(program.temporary_mib, 1),
    'gflops': round(rate, 1),
    'share_of_ceiling': round(rate / top, 3),
  }


def table(rows: Sequence[dict[str, Any]]) -> str:
  """The rows as Markdown; what is counted is one portrait, frame or training sample."""
  lines = [
    '| preset | what | type | batch | ms each | per second | GFLOP each | GB each | '
    'temporary MiB | GFLOP/s | of the ceiling |',
    '| --- ' * 11 + '|',
  ]
  for row in rows:
    lines.append(
      f'| `{row["preset"]}` | {row["what"]} | {row["dtype"]} | {row["batch"]} | '
      f'{row["ms"]:.4g} | {row["per_second"]:.3g} | {row["gflop"]:.4g} | '
      f'{row["gigabytes"]:.3g} | {row["temporary_mib"]:.0f} | {row["gflops"]:.0f} | '
      f'{row["share_of_ceiling"]:.0%} |'
    )
  return '\n'.join(lines)


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.face', description=__doc__.splitlines()[0]
  )
  add = parser.add_argument
  add('--presets', nargs='*', choices=PRESETS, default=['lite', 'paper'])
  add('--train', nargs='*', choices=PRESETS, default=[], metavar='PRESET',
      help='measure the training step of these, too')  # fmt: skip
  add('--batches', type=int, nargs='+', default=[1, 4], metavar='N', help='frames')
  add('--samples', type=int, default=2, help='portraits in a training batch')
  add('--drivers', type=int, default=2, help='frames of each of them to be drawn')
  add('--dtypes', nargs='+', choices=DTYPES, default=list(DTYPES))
  add('--repeats', type=int, default=5)
  add('--json', metavar='FILE', help='write the figures there, not to stdout')
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if min(args.repeats, *args.batches, args.samples, args.drivers) < 1:
    parser.error('all numbers must be 1 or more')
  return args


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  tops = {dtype: ceiling(dtype) for dtype in args.dtypes}
  rows: list[dict[str, Any]] = []

  def add(preset, what, dtype, batch, program):
    found = figures(program, batch, tops[dtype], args.repeats)
    head = {'preset': preset, 'what': what, 'dtype': dtype, 'batch': batch}
    rows.append(head | found)
    print(json.dumps(rows[-1]), file=sys.stderr, flush=True)

  for dtype in args.dtypes:
    for preset in args.presets:
      model = Model(preset, dtype)
      add(preset, 'encode', dtype, 1, model.encode())
      code = model.some_code()
      for batch in args.batches:
        add(preset, 'decode', dtype, batch, model.decode(batch, code))
      del model, code
    for preset in args.train:
      program = train_program(preset, dtype, args.samples, args.drivers)
      add(preset, f'train, {args.drivers} drivers', dtype, args.samples, program)
      del program
  told = device() | {f'ceiling_{k}_gflops': round(v) for k, v in tops.items()}
  text = json.dumps({**told, 'rows': rows}, indent=2)
  if args.json:
    with open(args.json, 'w') as file:
      file.write(text + '\n')
  else:
    print(text)
  print(table(rows))
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
