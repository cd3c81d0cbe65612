"""Does the training step fit? Compiled ahead of time, without a device to run it on.

    python -m experiments.aot --preset paper --devices 1 4 8 --batch 1 2 4
    python -m experiments.aot --topology v5e:2x2 v6e:2x4 --batch 1 2 4 8

Stage 1's whole step (model, critic where the losses have one, all judges, AdamW,
average) is compiled for every number of devices and every batch a device, and XLA says
what it needs: a line each with bytes and operations of one device and whether it holds
them. Without `--topology` that is XLA for CPU with as many host devices: no bfloat16 of
its own, weight gradients late; take it as an upper bound. With `--topology` it is the
compiler for Cloud TPU, for a slice of that shape (`pip install libtpu`; no TPU is
needed): the figures are those of a run there. A process of its own compiles each.
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
# GiB of one device of each generation, as XLA lets programs have them.
TPU_MEMORY = {'v4': 32, 'v5e': 16, 'v5p': 95, 'v6e': 32}
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
  add('--preset', choices=('tiny', 'lite', 'base', 'paper'), default='paper')
  where = parser.add_mutually_exclusive_group()
  where.add_argument('--devices', type=int, nargs='+', default=[1, 4, 8], metavar='N')
  where.add_argument('--topology', nargs='+', default=[], metavar='NAME',
      help=f'TPU slices, as v5e:2x2; of {", ".join(TPU_MEMORY)}')  # fmt: skip
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
  add('--one', help=argparse.SUPPRESS)  # devices or topology of this very process
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if min(*args.devices, *args.batch, args.micro_batches) < 1:
    parser.error('all numbers must be 1 or more')
  for name in args.topology:
    if name.split(':')[0] not in TPU_MEMORY or ':' not in name:
      parser.error(f'--topology {name}: it reads GENERATION:CHIPS, as v5e:2x2')
  if args.topology and args.mode == 'pmap':
    parser.error('--topology compiles --mode jit or fsdp: pmap needs devices')
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
    for part, shape in (
      ('pose', (6,)), ('dyn', (54,)), ('points', (points, 3)), ('centres', (3, 2))
    ):  # fmt: skip
      batch[f'{name}_{part}'] = of(np.float32, *lead, *shape)
  return batch


def slice_devices(name: str) -> list:
  """The devices of a TPU slice that is not there.

  Raises:
    UserError: no compiler for TPU is installed, or it knows no such slice.
  """
  from jax.experimental import topologies

  from vasa_jax.errors import UserError

  try:
    return list(topologies.get_topology_desc(name, platform='tpu').devices)
  except Exception as error:
    raise UserError(
      f'cannot compile for {name}: {str(error).splitlines()[0]}; it takes '
      '`pip install libtpu` and a slice that exists, such as v5e:2x2 or v5p:2x2x1'
    ) from error


def compile_step(args: argparse.Namespace, where: str, batch: int) -> dict[str, Any]:
  """Compiles one step for a number of devices or a slice; XLA's figures of a device."""
  import dataclasses
  import time

  import jax

  from experiments.face_judges import abstract_judges
  from vasa_jax.face import config as face_config
  from vasa_jax.face.losses import LossConfig, paper_losses
  from vasa_jax.face.step import init_training, make_loss
  from vasa_jax.training.config import RunConfig
  from vasa_jax.training.optimizer import make_optimizer
  from vasa_jax.training.parallel import make_runner, mesh_runner
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

  key = jax.eval_shape(lambda: jax.random.key(0))
  abstract = jax.eval_shape(init, key)
  count = sum(x.size for x in jax.tree.leaves(abstract.params))
  step = make_step(
    make_loss(config, weights), optimizer, run.ema_decay, args.micro_batches
  )
  if ':' in where:
    chips = slice_devices(where)
    devices, cut = len(chips), run.fsdp_min_mib if args.mode == 'fsdp' else None
    runner = mesh_runner(step, abstract, chips, devices, cut, frozen)
  else:
    devices = int(where)
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
  row = {'on': where, 'devices': devices, 'batch': batch}
  row['parameters_m'] = round(count / 1e6, 1)
  try:
    compiled = lowered.compile()
  except jax.errors.JaxRuntimeError as error:
    if 'RESOURCE_EXHAUSTED' not in str(error):
      raise
    # The compiler for TPU refuses what does not fit and says by how much.
    return row | {'refused': ' '.join(str(error).split())[:400]}
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
  return row | {
    'state_gib': round(memory.argument_size_in_bytes / 2**30, 3),
    'temporary_gib': round(memory.temp_size_in_bytes / 2**30, 3),
    'total_gib': round(total / 2**30, 3),
    'tflop': round(cost.get('flops', float('nan')) / 1e12, 2),
    'compile_s': round(time.perf_counter() - start, 1),
  }


def table(rows: Sequence[dict[str, Any]]) -> str:
  """The rows as text, with what holds them."""
  names = list(max(rows, key=len))
  names = [name for name in names if name != 'refused']
  lines = [[*names, 'fits']]
  for row in rows:
    generation = str(row['on']).split(':')[0]
    limits = [TPU_MEMORY[generation]] if generation in TPU_MEMORY else LIMITS
    total = row.get('total_gib', float('inf'))
    fits = ' '.join(f'{limit}' for limit in limits if total <= limit)
    cells = [str(row.get(name, '-')) for name in names]
    lines.append([*cells, f'{fits} GiB' if fits else 'no'])
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
  for where in args.topology or map(str, args.devices):
    # How many devices a host has is settled when JAX starts.
    count = '' if ':' in where else f'--xla_force_host_platform_device_count={where} '
    environment = os.environ | {
      'JAX_PLATFORMS': 'cpu',
      'XLA_FLAGS': f'{os.environ.get("XLA_FLAGS", "")} {count}{FLAGS}'.strip(),
      'TPU_SKIP_MDS_QUERY': '1',  # there is no machine to ask what it is
    }
    command = [sys.executable, '-m', 'experiments.aot', *argv, '--one', where]
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
      raise UserError(f'the step cannot be compiled for {where}; see above')
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
