"""How many training windows a second a motion cache gives, and what stage 2 needs.

    python -m experiments.benchmarks.motion_windows                    random clips
    python -m experiments.benchmarks.motion_windows --cache DIR        a cache of yours

Random clips have the sizes of `motion_paper.py`: 768 features of a speech net and 134
values of motion a frame, windows of 100 + 25 frames, as ArrayRecord on the disk. One
JSON object on stdout: `windows_per_second`, `megabytes_per_second` (float32, as the
step gets them), and `needed`, what four devices ask for that train the 400,000 steps of
256 in the paper's three days.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np

from data_pipelines.motion_cache import MotionClip, read_cache
from data_pipelines.motion_shards import write_shards
from data_pipelines.motion_windows import MotionWindows, read_ahead
from experiments.command import run_command

STEPS, BATCH, DAYS = 400_000, 256, 3
WINDOW, PREVIOUS = 100, 25


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.motion_windows',
    description=__doc__.splitlines()[0],
  )
  parser.add_argument('--cache', metavar='DIR', help='default: random clips')
  parser.add_argument('--clips', type=int, default=512, help='random ones')
  parser.add_argument('--batch', type=int, default=BATCH)
  parser.add_argument('--batches', type=int, default=20)
  parser.add_argument('--threads', type=int, default=4)
  parser.add_argument('--workers', type=int, default=0, help='processes')
  parser.add_argument('--augment', action='store_true', help='change the voices')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if min(args.clips, args.batch, args.batches, args.threads) < 1:
    parser.error('--clips, --batch, --batches and --threads must be 1 or more')
  return args


def random_clips(numbers):
  """Clips of 2 to 10 s of noise, which no compression shrinks."""
  for i in numbers:
    rng = np.random.default_rng(i)
    t = int(rng.integers(50, 251))
    yield MotionClip(
      name=str(i),
      features=rng.normal(size=(t, 768)).astype(np.float16),
      motion=rng.normal(size=(t, 134)).astype(np.float32),
      gaze=np.zeros(2, np.float32),
      distance=1.0,
      emotion=np.zeros(8, np.float32),
    )


def rate(cache, args: argparse.Namespace) -> tuple[float, int]:
  """Windows a second after the first batch, and bytes of one window."""
  windows = MotionWindows(cache, WINDOW, PREVIOUS, args.batch, augment=args.augment)
  ahead = read_ahead(windows, args.threads, args.workers)
  # what was read ahead while the first batch was awaited must not count
  for _ in range(1 + 4 * max(args.workers, 1)):
    batch = next(ahead)
  start = time.perf_counter()
  for _ in range(args.batches):
    batch = next(ahead)
  seconds = time.perf_counter() - start
  ahead.close()
  size = sum(array.nbytes for array in batch.values()) // args.batch
  return args.batch * args.batches / seconds, size


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  with tempfile.TemporaryDirectory() as folder:
    if not args.cache:
      write_shards(folder, random_clips, args.clips)
    cache = read_cache(args.cache or folder)
    found, size = rate(cache, args)
  figures = {
    'cores': len(os.sched_getaffinity(0)),
    'threads': args.threads,
    'workers': args.workers,
    'batch': args.batch,
    'windows_per_second': round(found, 1),
    'megabytes_per_second': round(found * size / 1e6, 1),
    'needed': round(STEPS * BATCH / (DAYS * 86_400), 1),
  }
  print(json.dumps(figures, indent=2))
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
