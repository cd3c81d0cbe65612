"""How fast a warp can be: `python -m experiments.benchmarks.warp`.

Every way of `vasa_jax/nn/sampling.py` on the shapes that the presets warp, forward and
with gradient: CPU milliseconds over all cores (other programs do not count), wall
milliseconds (they do), and the memory that the compiled program needs beside its inputs
and outputs. Medians, one JSON object a line. On a GPU the wall time is the one to read.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

from experiments.command import run_command

# Volume or picture, and the shape of the samples.
SHAPES = {
  'paper_volume': ((16, 64, 64, 96), (16, 64, 64)),
  'paper_offsets': ((16, 64, 64, 3), (16, 64, 64)),
  'lite_volume': ((8, 32, 32, 16), (8, 32, 32)),
  'lite_offsets': ((8, 16, 16, 3), (8, 32, 32)),
  'lite_picture': ((256, 256, 3), (256, 256)),
  'lite_features': ((64, 64, 32), (64, 64)),
  'tiny_volume': ((4, 8, 8, 16), (4, 8, 8)),
}


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  from vasa_jax.nn.sampling import SAMPLERS

  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.warp', description=__doc__.splitlines()[0]
  )
  parser.add_argument(
    '--shapes', nargs='+', default=list(SHAPES), choices=SHAPES, metavar='SHAPE',
    help=', '.join(SHAPES),
  )  # fmt: skip
  parser.add_argument(
    '--how', nargs='+', default=list(SAMPLERS), choices=SAMPLERS, metavar='HOW',
    help=', '.join(SAMPLERS),
  )  # fmt: skip
  parser.add_argument('--batch', type=int, default=1)
  parser.add_argument('--repeats', type=int, default=5)
  parser.add_argument('--dtype', choices=('float32', 'bfloat16'), default='float32')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if min(args.batch, args.repeats) < 1:
    parser.error('all numbers must be 1 or more')
  return args


def _timed(compiled, arguments, repeats: int) -> tuple[float, float]:
  """Median CPU and wall milliseconds of one call."""
  import jax

  jax.block_until_ready(compiled(*arguments))
  cpu, wall = [], []
  for _ in range(repeats):
    start = time.process_time(), time.perf_counter()
    jax.block_until_ready(compiled(*arguments))
    cpu.append(1e3 * (time.process_time() - start[0]))
    wall.append(1e3 * (time.perf_counter() - start[1]))
  return statistics.median(cpu), statistics.median(wall)


def measure_one(how: str, shape: str, args: argparse.Namespace) -> dict[str, Any]:
  """The figures of one way on one shape."""
  import jax
  import jax.numpy as jnp

  from vasa_jax.nn.sampling import SAMPLERS

  field, samples = SHAPES[shape]
  keys = jax.random.split(jax.random.key(0))
  field = jax.random.normal(keys[0], (args.batch, *field), jnp.dtype(args.dtype))
  sizes = jnp.array(field.shape[-2:0:-1], jnp.float32)
  # A smooth warp, as a head makes it: near neighbours fetch near cells.
  axes = jnp.meshgrid(*(jnp.linspace(-0.9, 0.9, n) for n in samples), indexing='ij')
  grid = jnp.stack(axes[::-1], -1)
  grid = grid + 0.1 * jnp.sin(4 * jnp.roll(grid, 1, -1))
  position = jnp.broadcast_to((grid + 1) * sizes / 2 - 0.5, (args.batch, *grid.shape))
  sample = SAMPLERS[how]

  def energy(field, position):
    return jnp.sum(jnp.square(sample(field, position).astype(jnp.float32)))

  found: dict[str, Any] = {'shape': shape, 'how': how}
  for name, call in (('forward', sample), ('gradient', jax.grad(energy, (0, 1)))):
    compiled = jax.jit(call).lower(field, position).compile()
    cpu, wall = _timed(compiled, (field, position), args.repeats)
    memory = compiled.memory_analysis()
    found[name] = {
      'cpu_ms': round(cpu, 2),
      'wall_ms': round(wall, 2),
      'temporary_mib': round(memory.temp_size_in_bytes / 2**20, 1) if memory else None,
    }
  return found


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  for shape in args.shapes:
    for how in args.how:
      print(json.dumps(measure_one(how, shape, args)), flush=True)
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
