"""What this device can do at most: `python -m experiments.benchmarks.ceiling`.

Large matrix products, the best of several sizes, in float32 and bfloat16: GFLOP/s that
the shares of other benchmarks refer to (`ceiling` is measured in the same run, since a
shared machine is not the same from hour to hour). One JSON object on stdout.
"""

import argparse
import functools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from experiments.command import run_command

# A CPU is at its best from 1024 on; an accelerator needs more to be filled.
SIZES = {'cpu': (1024, 2048), 'accelerator': (4096, 8192)}
DTYPES = ('float32', 'bfloat16')


def seconds(call: Callable[[], Any], repeats: int) -> list[float]:
  """Wall time of each of `repeats` calls, after one that does not count."""
  import jax

  jax.block_until_ready(call())
  times = []
  for _ in range(repeats):
    start = time.perf_counter()
    jax.block_until_ready(call())
    times.append(time.perf_counter() - start)
  return times


def ceiling(dtype: str = 'float32', repeats: int = 5) -> float:
  """GFLOP/s of the fastest square product, medians of `repeats` calls.

  Products of float32 are made as XLA makes them by default, as in the nets: on GPU and
  TPU with fewer bits than float32 has.
  """
  import jax
  import jax.numpy as jnp

  kind = 'cpu' if jax.default_backend() == 'cpu' else 'accelerator'
  best = 0.0
  product = jax.jit(jnp.matmul)
  for size in SIZES[kind]:
    matrix = jnp.full((size, size), 1 / size, jnp.dtype(dtype))
    # Several calls at once hide what it costs to start one.
    calls = max(1, round(2e9 / size**3))

    def several(matrix=matrix, calls=calls):
      return functools.reduce(lambda x, _: product(x, matrix), range(calls), matrix)

    time_one = statistics.median(seconds(several, repeats)) / calls
    best = max(best, 2 * size**3 / time_one / 1e9)
  return best


def device() -> dict[str, Any]:
  """What a figure has to be read with."""
  import jax

  return {
    'device': jax.devices()[0].device_kind,
    'platform': jax.default_backend(),
    'cores': len(os.sched_getaffinity(0)),
    'jax': jax.__version__,
  }


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.ceiling', description=__doc__.splitlines()[0]
  )
  parser.add_argument('--repeats', type=int, default=5)
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.repeats < 1:
    parser.error('--repeats must be 1 or more')
  return args


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  found = {f'{name}_gflops': round(ceiling(name, args.repeats)) for name in DTYPES}
  print(json.dumps(device() | found, indent=2))
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
