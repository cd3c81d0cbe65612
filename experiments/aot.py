"""Does the training step fit? Compiled ahead of time, without a device to run it on.

    python -m experiments.aot --preset paper --devices 1 4 8 --batch 1 2 4 8

For every number of devices a process of its own compiles stage 1's whole step (model,
critic where the losses have one, AdamW, average) for every batch a device, by XLA on
CPU with that many host devices, and asks XLA what it needs: a line each with bytes and
operations of one device and whether 16, 40 and 80 GiB hold it. XLA for CPU fuses less
than for GPU or TPU, and has no bfloat16 of its own: what fits here has room there.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from experiments.command import run_command

LIMITS = (16, 40, 80)  # GiB
MARK = 'AOT '
# The scheduler that runs kernels side by side spends memory on it; this one saves it,
# as those of accelerators do.
FLAGS = '--xla_cpu_enable_concurrency_optimized_scheduler=false'


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.aot',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  add = parser.add_argument
  add('--preset', choices=('tiny', 'lite', 'paper'), default='paper')
  add('--devices', type=int, nargs='+', default=[1, 4, 8], metavar='N')
  add('--batch', type=int, nargs='+', default=[1, 2, 4, 8], metavar='N',
      help='samples a device')  # fmt: skip
  add('--micro-batches', type=int, default=1, metavar='N')
  add('--mode', choices=('pmap', 'jit', 'fsdp'), default='fsdp')
  add('--dtype', choices=('float32', 'bfloat16'), default='bfloat16')
  add('--no-remat', action='store_true', help='keep all activations')
  add('--no-judges', action='store_true',
      help='without VGG19, VGGFace, ArcFace and the gaze net')  # fmt: skip
  add('--no-spectral', action='store_true', help='leave out the power iterations: they '
      'weigh nothing, and XLA for CPU takes long over them')  # fmt: skip
  add('--json', metavar='FILE', help='write the rows there, too')
  add('--one', type=int, help=argparse.SUPPRESS)  # devices of this very process
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if min(*args.devices, *args.batch, args.micro_batches) < 1:
    parser.error('all numbers must be 1 or more')
  return args


def face_batch(size: int, samples: int, drivers: int = 1, points: int = 384) -> dict:
  """Shapes of a batch of stage 1 (`data_pipelines/pairs.py`)."""
  import jax
  import numpy as np

  def of(dtype, *shape):
    return jax.ShapeDtypeStruct((samples, *shape), dtype)

  batch = {
    'shape': of(np.float32, 64),
    'stranger_picture': of(np.uint8, size, size, 3),
  }
  for name, lead in (('source', ()), ('driver', (drivers,))):
    batch[f'{name}_picture'] = of(np.uint8, *lead, size, size, 3)
    for part, shape in (('pose', (6,)), ('dyn', (54,)), ('points', (points, 3))):
      batch[f'{name}_{part}'] = of(np.float32, *lead, *shape)
  return batch


def compile_step(args: argparse.Namespace, devices: int, batch: int) -> dict[str, Any]:
  """Compiles one step; XLA's figures of one device."""
  import dataclasses
  import time

  import jax

  from experiments.face_judges import abstract_judges
  from vasa_jax.face import config as face_config
  from vasa_jax.face.losses import LossConfig, paper_losses
  from vasa_jax.face.step import init_training, make_loss
  from vasa_jax.training.config import RunConfig
  from vasa_jax.training.optimizer import make_optimizer
  from vasa_jax.training.parallel import make_runner
  from vasa_jax.training.state import init_state
  from vasa_jax.training.update import make_step

  config = getattr(face_config, args.preset)()
  config = dataclasses.replace(
    config, dtype=args.dtype, remat=config.remat and not args.no_remat,
    spectral_norm=config.spectral_norm and not args.no_spectral,
  )  # fmt: skip
  weights = paper_losses() if args.preset == 'paper' else LossConfig()
  judged = args.preset == 'paper' and not args.no_judges
  frozen = (abstract_judges(),) if judged else ()
  weights = dataclasses.replace(
    weights, critic=dataclasses.replace(weights.critic, dtype=args.dtype)
  )
  run = RunConfig(beta1=0.5, weight_decay=0.01, ema_decay=0.999)
  optimizer = make_optimizer(run)

  def init(key):
    return init_state(init_training(config, weights, key), optimizer, run.ema_decay)

  key = jax.random.key(0)
  abstract = jax.eval_shape(init, key)
  step = make_step(
    make_loss(config, weights), optimizer, run.ema_decay, args.micro_batches
  )
  runner = make_runner(step, abstract, mode=args.mode, devices=devices, frozen=frozen)
  shapes = face_batch(config.size, batch * devices)
  if args.mode == 'pmap':
    shapes = jax.tree.map(
      lambda x: jax.ShapeDtypeStruct((devices, batch, *x.shape[1:]), x.dtype), shapes
    )
    abstract, frozen = jax.tree.map(
      lambda x: jax.ShapeDtypeStruct((devices, *x.shape), x.dtype), (abstract, frozen)
    )
  start = time.perf_counter()
  lowered = runner.lower(abstract, shapes, key, *frozen)
  print(f'traced in {time.perf_counter() - start:.0f} s', flush=True)
  compiled = lowered.compile()
  memory = compiled.memory_analysis()
  cost = compiled.cost_analysis() or {}
  cost = cost[0] if isinstance(cost, list) else cost
  # The state is donated: what comes out lies where it went in.
  total = (
    memory.argument_size_in_bytes
    + memory.output_size_in_bytes
    - memory.alias_size_in_bytes
    + memory.temp_size_in_bytes
  )
  params = abstract.params
  count = sum(x.size for x in jax.tree.leaves(params))
  return {
    'devices': devices,
    'batch': batch,
    'parameters_m': round(count / 1e6 / (devices if args.mode == 'pmap' else 1), 1),
    'state_gib': round(memory.argument_size_in_bytes / 2**30, 3),
    'temporary_gib': round(memory.temp_size_in_bytes / 2**30, 3),
    'total_gib': round(total / 2**30, 3),
    'tflop': round(cost.get('flops', float('nan')) / 1e12, 2),
    'compile_s': round(time.perf_counter() - start, 1),
  }


def table(rows: Sequence[dict[str, Any]]) -> str:
  """The rows as text, with what holds them."""
  names = list(rows[0])
  lines = [[*names, *(f'{limit} GiB' for limit in LIMITS)]]
  for row in rows:
    fits = ['fits' if row['total_gib'] <= limit else '-' for limit in LIMITS]
    lines.append([*(str(row[name]) for name in names), *fits])
  widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
  return '\n'.join(
    '  '.join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
    for line in lines
  )


def check(args: argparse.Namespace, argv: Sequence[str]) -> int:
  """Compiles in processes of their own, prints the table."""
  from vasa_jax.errors import UserError

  if args.one:
    for batch in args.batch:
      row = compile_step(args, args.one, batch)
      print(MARK + json.dumps(row), flush=True)
    return 0
  rows = []
  for devices in args.devices:
    # How many devices a host has is settled when JAX starts.
    flags = f'--xla_force_host_platform_device_count={devices} {FLAGS}'
    environment = os.environ | {
      'JAX_PLATFORMS': 'cpu',
      'XLA_FLAGS': f'{os.environ.get("XLA_FLAGS", "")} {flags}'.strip(),
    }
    command = [sys.executable, '-m', 'experiments.aot', *argv, '--one', str(devices)]
    with subprocess.Popen(
      command, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
      for line in process.stdout:
        if line.startswith(MARK):
          rows.append(json.loads(line.removeprefix(MARK)))
          print(line.strip(), file=sys.stderr, flush=True)
        else:
          print(line, end='', flush=True)
    if process.returncode:
      raise UserError(f'the step cannot be compiled for {devices} devices; see above')
  print(f'{args.preset}, {args.mode}, {args.dtype}, per device:')
  print(table(rows))
  if args.json:
    with open(args.json, 'w') as file:
      json.dump(rows, file, indent=2)
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  argv = sys.argv[1:] if argv is None else list(argv)
  args = parse(argv)
  return run_command(lambda: check(args, argv), args.debug)


if __name__ == '__main__':
  sys.exit(main())
