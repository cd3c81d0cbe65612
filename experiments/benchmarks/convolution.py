"""How fast a convolution can be: `python -m experiments.benchmarks.convolution`.

Every way of `vasa_jax/nn/convolution.py` on the shapes that the presets have, forward
and with gradient: wall milliseconds and GFLOP/s of the convolution as it is written
down (a way that computes less, or more, is judged by its time), and the memory that the
compiled program needs beside its inputs and outputs. Medians, one JSON object a line;
`--table` prints Markdown at the end.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from typing import Any

from experiments.benchmarks.ceiling import ceiling, device, seconds
from experiments.command import run_command

# Input without its batch, outputs, kernel's side, stride.
SHAPES = {
  'paper_volume': ((16, 64, 64, 96), 96, 3, 1),
  'paper_warp_8': ((8, 8, 8, 128), 128, 3, 1),
  'paper_warp_32': ((16, 32, 32, 64), 32, 3, 1),
  'paper_offsets': ((16, 64, 64, 32), 3, 3, 1),
  'paper_g3d_192': ((16, 64, 64, 96), 192, 3, 1),
  'paper_g3d_384': ((32, 32, 32, 192), 384, 3, 1),
  'paper_g3d_512': ((16, 16, 16, 512), 512, 3, 1),
  'paper_trunk': ((64, 64, 512), 512, 3, 1),
  'paper_fine': ((512, 512, 64), 64, 3, 1),
  'paper_picture': ((512, 512, 64), 3, 3, 1),
  'paper_stem': ((512, 512, 3), 64, 7, 1),
  'paper_strided': ((64, 64, 256), 256, 3, 2),
  'lite_volume': ((8, 32, 32, 16), 16, 3, 1),
  'lite_pixels': ((64, 64, 48), 48, 3, 1),
  'lite_fine': ((128, 128, 41), 24, 3, 1),
}


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  from vasa_jax.nn.convolution import CONVOLUTIONS

  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.convolution',
    description=__doc__.splitlines()[0],
  )
  parser.add_argument(
    '--shapes', nargs='+', default=list(SHAPES), choices=SHAPES, metavar='SHAPE',
    help=', '.join(SHAPES),
  )  # fmt: skip
  parser.add_argument(
    '--how', nargs='+', default=list(CONVOLUTIONS), choices=CONVOLUTIONS,
    metavar='HOW', help=', '.join(CONVOLUTIONS),
  )  # fmt: skip
  parser.add_argument('--batch', type=int, default=1)
  parser.add_argument('--repeats', type=int, default=5)
  parser.add_argument('--dtype', choices=('float32', 'bfloat16'), default='float32')
  parser.add_argument('--forward', action='store_true', help='no gradients')
  parser.add_argument('--table', action='store_true', help='Markdown at the end')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if min(args.batch, args.repeats) < 1:
    parser.error('all numbers must be 1 or more')
  return args


def measure_one(how: str, shape: str, args: argparse.Namespace) -> dict[str, Any]:
  """The figures of one way on one shape."""
  import jax
  import jax.numpy as jnp
  import numpy as np

  from vasa_jax.nn.convolution import CONVOLUTIONS, operations

  size, features, side, stride = SHAPES[shape]
  rng = np.random.default_rng(0)

  def random(*shape):
    values = rng.standard_normal(shape, np.float32)
    return jnp.asarray(values, jnp.dtype(args.dtype))

  x = random(args.batch, *size)
  kernel = random(*[side] * (len(size) - 1), size[-1], features)

  def forward(x, kernel):
    return CONVOLUTIONS[how](x, kernel, stride)

  def gradient(x, kernel, slope):
    value, pull = jax.vjp(forward, x, kernel)
    return value, pull(slope)

  slope = random(*jax.eval_shape(forward, x, kernel).shape)
  gflop = operations(x.shape, kernel.shape, stride) / 1e9
  found: dict[str, Any] = {'shape': shape, 'how': how, 'gflop': round(gflop, 3)}
  calls = {'forward': (forward, (x, kernel), gflop)}
  if not args.forward:
    calls['gradient'] = (gradient, (x, kernel, slope), 3 * gflop)
  for name, (call, arguments, work) in calls.items():
    compiled = jax.jit(call).lower(*arguments).compile()
    try:
      wall = statistics.median(
        seconds(lambda c=compiled, a=arguments: c(*a), args.repeats)
      )
    except jax.errors.JaxRuntimeError:
      wall = float('inf')  # more memory than there is
    memory = compiled.memory_analysis()
    found[name] = {
      'wall_ms': round(1e3 * wall, 2),
      'gflops': round(work / wall, 1),
      'temporary_mib': round(memory.temp_size_in_bytes / 2**20, 1) if memory else None,
    }
  return found


def table(rows: Sequence[dict[str, Any]]) -> str:
  """A line for each shape: `forward / with gradient` milliseconds, the least bold."""
  ways = list(dict.fromkeys(row['how'] for row in rows))
  by_shape: dict[str, dict[str, dict]] = {}
  for row in rows:
    by_shape.setdefault(row['shape'], {})[row['how']] = row
  lines = [
    '| shape | GFLOP | ' + ' | '.join(ways) + ' |',
    '| --- ' * (len(ways) + 2) + '|',
  ]
  for shape, found in by_shape.items():
    cells = []
    for part in ('forward', 'gradient'):
      times = {how: row[part]['wall_ms'] for how, row in found.items() if part in row}
      least = min(times.values(), default=0)
      cells.append(
        {how: f'**{t:g}**' if t == least else f'{t:g}' for how, t in times.items()}
      )
    columns = [' / '.join(c[how] for c in cells if how in c) or '-' for how in ways]
    gflop = next(iter(found.values()))['gflop']
    lines.append(f'| `{shape}` | {gflop:g} | ' + ' | '.join(columns) + ' |')
  return '\n'.join(lines)


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  told = device() | {'dtype': args.dtype, 'batch': args.batch}
  print(json.dumps(told | {'ceiling_gflops': round(ceiling(args.dtype))}), flush=True)
  rows = []
  for shape in args.shapes:
    for how in args.how:
      rows.append(measure_one(how, shape, args))
      print(json.dumps(rows[-1]), flush=True)
  if args.table:
    print(table(rows))
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
