"""Whether input keeps up: `python -m experiments.benchmarks.loader --records DIR`.

One JSON object on stdout. `pairs_per_second` (a source and one of its drivers) of the
loader by the number of worker processes, `cpu_ms` of one core for a pair, and with
`--run WORKDIR`, a run that has trained, beside it what its steps took: `needed`
pairs/s, `data_wait` (share of the time that it waited for data) and `cores`, how many
cores' time the loader needs to feed it. The first batch, which opens files and starts
workers, is not counted, nor is a run's first line, which compiles.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from data_pipelines.loader import face_pairs
from experiments.command import run_command
from vasa_jax.errors import UserError


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.loader', description=__doc__.splitlines()[0]
  )
  parser.add_argument('--records', required=True, help='a corpus of rendered clips')
  parser.add_argument('--split', default='train')
  parser.add_argument('--batch', type=int, default=2, help='sources in a batch')
  parser.add_argument('--drivers', type=int, default=2, help='drivers of each source')
  parser.add_argument('--workers', type=int, nargs='+', default=[0, 1, 2])
  parser.add_argument('--batches', type=int, default=100, help='how many are timed')
  parser.add_argument('--run', metavar='WORKDIR', help='a run to compare with')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if min(args.batch, args.drivers, args.batches) < 1 or min(args.workers) < 0:
    parser.error('all numbers must be 1 or more, workers 0 or more')
  return args


class Cost(NamedTuple):
  """Of a pair: wall `seconds`, and `cpu` seconds of this process."""

  seconds: float
  cpu: float


def speed(args: argparse.Namespace, workers: int) -> Cost:
  """What a pair costs with so many workers."""
  batches = face_pairs(
    args.records, args.batch, args.drivers, split=args.split, workers=workers
  )
  try:
    # What is read ahead while the clock starts would be counted as free.
    for _ in range(1 + 2 * max(workers, 1) * 4):
      next(batches)
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(args.batches):
      next(batches)
    pairs = args.batches * args.batch * args.drivers
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return Cost(seconds / pairs, cpu / pairs)
  finally:
    batches.close()


def needed(workdir: str) -> dict[str, float]:
  """What the steps of a run took: medians over the lines of its metrics.jsonl.

  Raises:
    UserError: it has no second line.
  """
  file = Path(workdir, 'metrics.jsonl')
  config = Path(workdir, 'config.json')
  if not file.exists() or not config.exists():
    raise UserError(f'{workdir} is not the folder of a run')
  lines = [json.loads(line) for line in file.read_text().splitlines()]
  rows = [row for row in lines[1:] if 'samples_per_second' in row]
  if not rows:
    raise UserError(f'{file} has no second line; train longer or set log_every lower')
  settings = json.loads(config.read_text())
  rate = statistics.median(row['samples_per_second'] for row in rows)
  return {
    'needed': rate * settings['drivers'],
    'data_wait': statistics.median(row['data_wait'] for row in rows),
    'goodput': statistics.median(row['goodput'] for row in rows),
    'steps': lines[-1]['step'] - lines[0]['step'],
  }


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  found: dict[str, Any] = {'batch': args.batch, 'drivers': args.drivers}
  rates = {}
  for workers in args.workers:
    cost = speed(args, workers)
    rates[str(workers)] = round(1 / cost.seconds, 1)
    if not workers:  # with workers the work is theirs, and this clock does not see it
      found['cpu_ms'] = round(1e3 * cost.cpu, 3)
  found['pairs_per_second'] = rates
  if args.run:
    need = needed(args.run)
    if 'cpu_ms' in found:
      found['cores'] = round(need['needed'] * found['cpu_ms'] / 1e3, 3)
    found |= {name: round(value, 4) for name, value in need.items()}
  print(json.dumps(found, indent=2))
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
