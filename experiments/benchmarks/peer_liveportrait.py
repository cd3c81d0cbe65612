"""`paper` and LivePortrait's renderer in turns, on this machine, in one run.

    python -m experiments.benchmarks.peer_liveportrait --source CHECKOUT \\
        --torch-python PYTHON

Both make one frame of 512 px with random weights and the portrait's side cached: ours
is `FaceModel.decode`, theirs what their audio-driven users run a frame (stitching,
warping, generator). PyTorch is no dependency of this project: `PYTHON` is an
interpreter of its own with torch and PyYAML, and CHECKOUT a copy of the peer's
repository, of which nothing is kept here. The two take turns and one sleeps while the
other works, so what else the machine does meets both. One JSON object and a Markdown
table.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from experiments.benchmarks.ceiling import ceiling, device
from experiments.command import run_command

CHILD = Path(__file__).with_name('peer_child.py')
PAUSE = 0.3  # s; threads of the side that has just finished fall asleep


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.peer_liveportrait',
    description=__doc__.splitlines()[0],
  )
  add = parser.add_argument
  add('--source', required=True, metavar='CHECKOUT', help="LivePortrait's repository")
  add('--torch-python', required=True, metavar='PYTHON', help='has torch and PyYAML')
  add('--preset', choices=('tiny', 'lite', 'paper'), default='paper')
  add('--dtype', choices=('float32', 'bfloat16'), default='float32', help='of ours')
  add('--peer-dtype', choices=('float32', 'float16', 'bfloat16'), default='float32')
  add('--repeats', type=int, default=5)
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.repeats < 1:
    parser.error('--repeats must be 1 or more')
  return args


class Peer:
  """The child process with PyTorch; `seconds()` asks it for one piece of its work."""

  name, proof = 'LivePortrait', 'src/modules/spade_generator.py'

  def __init__(self, python: str, source: str, dtype: str, threads: int):
    from vasa_jax.errors import UserError

    for what, path in (('--torch-python', python), ('--source', source)):
      if not Path(path).exists():
        raise UserError(f'{what} {path}: there is nothing')
    if not (Path(source) / self.proof).is_file():
      raise UserError(f'--source {source}: not a checkout of {self.name}')
    environment = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    self._process = subprocess.Popen(
      [python, str(self.child()), source, dtype, str(threads)],
      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    self.told = self._read()

  def child(self) -> Path:
    """The script that the other interpreter runs."""
    return CHILD

  def _read(self) -> dict[str, Any]:
    from vasa_jax.errors import UserError

    line = self._process.stdout.readline()
    if not line:
      self.close()
      code = self._process.returncode
      raise UserError(f'the process with PyTorch ended with code {code}; see above')
    return json.loads(line)

  def seconds(self) -> float:
    """Wall time of one piece of work."""
    self._process.stdin.write('frame\n')
    self._process.stdin.flush()
    return self._read()['seconds']

  def close(self) -> None:
    """Ends the process; its input ends and so does its loop."""
    self._process.stdin.close()
    self._process.wait()
    self._process.stdout.close()


def take_turns(ours: Callable[[], float], theirs: Callable[[], float], repeats: int):
  """Seconds of both, alternating, each once before that does not count."""
  times: tuple[list[float], list[float]] = ([], [])
  for turn in range(repeats + 1):
    for call, kept in zip((ours, theirs), times, strict=True):
      time.sleep(PAUSE)
      taken = call()
      if turn:
        kept.append(taken)
  return times


def figures(times: Sequence[float], gflop: float) -> dict[str, Any]:
  """Of one side."""
  middle = statistics.median(times)
  return {
    'seconds': round(middle, 4),
    'least': round(min(times), 4),
    'most': round(max(times), 4),
    'frames_per_second': round(1 / middle, 3),
    'gflop': round(gflop, 1),
    'gflops': round(gflop / middle, 1),
  }


def table(found: dict[str, dict[str, Any]]) -> str:
  """The sides as Markdown."""
  head = (
    '| one frame of 512 px | median s | least to most | frames/s | GFLOP | GFLOP/s |'
  )
  lines = [head, '| --- | --- | --- | --- | --- | --- |']
  for name, row in found.items():
    lines.append(
      f'| {name} | {row["seconds"]:.3g} | {row["least"]:.3g} to {row["most"]:.3g} | '
      f'{row["frames_per_second"]:.3g} | {row["gflop"]:.4g} | {row["gflops"]:.3g} |'
    )
  return '\n'.join(lines)


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  import jax

  from experiments.benchmarks.face import decode_program

  threads = len(os.sched_getaffinity(0))
  peer = Peer(args.torch_python, args.source, args.peer_dtype, threads)
  try:
    program = decode_program(args.preset, args.dtype, 1)

    def ours() -> float:
      start = time.perf_counter()
      jax.block_until_ready(program.call())
      return time.perf_counter() - start

    top = round(ceiling(args.dtype))
    our_times, their_times = take_turns(ours, peer.seconds, args.repeats)
  finally:
    peer.close()
  sides = {
    f'{args.preset}, JAX, {args.dtype}': figures(our_times, program.gflop),
    f'LivePortrait, PyTorch, {args.peer_dtype}': figures(
      their_times, peer.told['gflop']
    ),
  }
  one, other = sides.values()
  ratio = round(other['seconds'] / one['seconds'], 3)
  told = device() | {'ceiling_gflops': top} | peer.told
  print(json.dumps({**told, 'sides': sides, 'ours_is_faster_by': ratio}, indent=2))
  print(table(sides))
  print(f'\nours takes {1 / ratio:.2f} of the time of theirs')
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
