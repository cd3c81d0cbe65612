"""Runs a sweep: `python -m experiments.sweep FILE --workdir DIR [--jobs N]`.

Each `(name, overrides)` that `sweep()` of the config file yields becomes `DIR/name`,
made in a process of its own, so that one that fails or runs out of memory does not take
the others with it: `N` of them at a time. What is done is skipped, what was interrupted
goes on; the failures are listed at the end, and `report.html` compares the runs.

On a cluster: `--slurm` prints a script for `sbatch` (one array task a run), `--only
NAME` makes one run, and `--list` names them all, with their state.
"""

import argparse
import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from etils import epath

from experiments.command import run_command
from experiments.guidance.row import GuidanceRun
from experiments.report import write_report
from vasa_jax.errors import UsageError
from vasa_jax.training.config import (
  RESUMABLE,
  RunConfig,
  apply_overrides,
  differing,
  load_config,
  load_sweep,
  to_dict,
)

TRAIN = 'experiments.train'


@dataclass(frozen=True)
class Item:
  """One run of a sweep.

  Attributes:
    name: folder under the sweep's workdir.
    overrides: settings as `NAME=VALUE`.
    config: the settings that come of it.
  """

  name: str
  overrides: tuple[str, ...]
  config: RunConfig | GuidanceRun


def _text(value: Any) -> str:
  return value if isinstance(value, str) else repr(value)


def items(file: str, overrides: Sequence[str] = ()) -> list[Item]:
  """The sweep's runs; every override is checked before the first run starts.

  Args:
    file: config file with `get_config()` and `sweep()`.
    overrides: `NAME=VALUE` for all runs; a run's own overrides come after them.
  """
  base = load_config(file, RunConfig | GuidanceRun)
  found = []
  for name, own in load_sweep(file):
    words = (*overrides, *(f'{key}={_text(value)}' for key, value in own.items()))
    found.append(Item(name, words, apply_overrides(base, words)))
  return found


def state(item: Item, workdir: epath.Path) -> str:
  """'done', 'begun' or 'to do'; a run whose settings have changed is not done."""
  folder = workdir / item.name
  done = folder / 'done.json'
  if done.exists():
    written = json.loads(done.read_text())
    names = differing(written['config'], to_dict(item.config))
    if isinstance(item.config, RunConfig):
      end = written['step'] >= item.config.steps or item.config.minutes
      names = set(names) - RESUMABLE
    else:
      end = True  # it is written when all is scored
    if end and not names:
      return 'done'
  return 'begun' if (folder / 'config.json').exists() else 'to do'


def command(item: Item, args: argparse.Namespace, workdir: epath.Path) -> list[str]:
  """What makes one run."""
  program = getattr(item.config, 'PROGRAM', TRAIN)
  words = [sys.executable, '-m', program, '--config', args.file]
  words += ['--workdir', str(workdir / item.name)]
  if item.overrides:
    words += ['--set', *item.overrides]
  return [*words, '--debug'] if args.debug else words


def slurm_script(chosen: Sequence[Item], args: argparse.Namespace) -> str:
  """A script for `sbatch`: one array task for each run that is not done."""
  words = ['python', '-m', 'experiments.sweep', args.file, '--workdir', args.workdir]
  words += ['--only', '"${RUNS[$SLURM_ARRAY_TASK_ID]}"']
  if args.overrides:
    words += ['--set', *args.overrides]
  quoted = ' '.join(w if w.startswith('"$') else shlex.quote(w) for w in words)
  names = ' '.join(shlex.quote(item.name) for item in chosen)
  return f"""#!/bin/bash
#SBATCH --job-name=sweep
#SBATCH --array=0-{len(chosen) - 1}
#SBATCH --output=%x_%A_%a.log
#SBATCH --gpus-per-task=1
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@120
# A run that is cut off saves, and goes on when its task is queued again. When all are
# through: python -m experiments.report {shlex.quote(args.workdir)}
RUNS=({names})
exec srun {quoted}
"""


class _Runner:
  """Makes runs, `jobs` at a time; ends its children when it is ended."""

  def __init__(self, args: argparse.Namespace, workdir: epath.Path, total: int):
    self.args, self.workdir, self.total = args, workdir, total
    self.children: set[subprocess.Popen] = set()
    self.stopped = False

  def run(self, numbered: tuple[int, Item]) -> int | None:
    """Exit code of a run; None where there was nothing to do, or no more time."""
    number, item = numbered
    where = f'[{number}/{self.total}] {item.name}'
    if self.stopped:
      return None
    if state(item, self.workdir) == 'done':
      print(f'{where}: done before', flush=True)
      return None
    print(f'{where}: {" ".join(item.overrides)}', flush=True)
    words = command(item, self.args, self.workdir)
    if self.args.jobs == 1:
      code = self._wait(subprocess.Popen(words))
    else:  # their lines would run into each other
      log = self.workdir / item.name / 'log.txt'
      log.parent.mkdir(parents=True, exist_ok=True)
      with open(log, 'a') as file:
        code = self._wait(subprocess.Popen(words, stdout=file, stderr=file))
    if code:
      what = f'{where}: failed (exit code {code})'
      print(what, file=sys.stderr, flush=True)
    elif state(item, self.workdir) != 'done':
      self.stopped = True  # it was told to end, and saved
    elif self.args.jobs > 1:
      print(f'{where}: finished', flush=True)
    return code

  def _wait(self, process: subprocess.Popen) -> int:
    self.children.add(process)
    try:
      return process.wait()
    except KeyboardInterrupt:
      process.wait()  # Ctrl-C has reached the run as well, which saves
      raise
    finally:
      self.children.discard(process)

  def end(self, *_: Any) -> None:
    """SIGTERM: a cluster that ends the sweep gives its runs the chance to save."""
    self.stopped = True
    for process in list(self.children):
      process.terminate()


def _run_all(runner: _Runner, chosen: Sequence[Item]) -> list[str]:
  """Makes all runs; names of those that failed."""
  numbered = list(enumerate(chosen, 1))
  old = signal.signal(signal.SIGTERM, runner.end)
  try:
    if runner.args.jobs == 1:
      codes = [runner.run(one) for one in numbered]
    else:
      with ThreadPoolExecutor(runner.args.jobs) as pool:
        try:
          codes = list(pool.map(runner.run, numbered))
        except KeyboardInterrupt:
          runner.stopped = True
          raise
  finally:
    signal.signal(signal.SIGTERM, old)
  return [item.name for (_, item), code in zip(numbered, codes, strict=True) if code]


def sweep(args: argparse.Namespace) -> int:
  """Runs, or lists; 1 if any run failed."""
  workdir = epath.Path(args.workdir)
  chosen = items(args.file, args.overrides)
  names = [item.name for item in chosen]
  if args.only is not None:
    if args.only not in names:
      raise UsageError(f'no run {args.only} in {args.file}; it has {", ".join(names)}')
    chosen = [item for item in chosen if item.name == args.only]
  if args.list:
    for item in chosen:
      print(f'{item.name}\t{state(item, workdir)}\t{" ".join(item.overrides)}')
    return 0
  if args.slurm:
    chosen = [item for item in chosen if state(item, workdir) != 'done']
    if not chosen:
      raise UsageError(f'all runs of {args.file} are done in {args.workdir}')
    print(slurm_script(chosen, args), end='')
    return 0

  runner = _Runner(args, workdir, len(chosen))
  failed = _run_all(runner, chosen)
  if runner.stopped and not failed:
    left = [item.name for item in chosen if state(item, workdir) != 'done']
    print(f'stopped in {left[0]}; run the same command again to go on')
    return 0
  if any(state(item, workdir) == 'done' for item in chosen):
    collect = getattr(chosen[0].config, 'collect', write_report)
    print(collect(workdir))
  if failed:
    again = f'python -m experiments.sweep {args.file} --workdir {args.workdir}'
    print(
      f'error: {len(failed)} of {len(chosen)} runs failed: {", ".join(failed)}; see '
      f'above, then run again: {again}',
      file=sys.stderr,
    )
  return 1 if failed else 0


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.sweep', description=__doc__.splitlines()[0]
  )
  parser.add_argument('file', help='config file with get_config() and sweep()')
  parser.add_argument('--workdir', required=True, help='folder of all runs')
  what = parser.add_mutually_exclusive_group()
  what.add_argument('--list', action='store_true', help='name the runs and stop')
  what.add_argument('--slurm', action='store_true', help='print a script for sbatch')
  what.add_argument('--only', metavar='NAME', help='this run alone')
  parser.add_argument(
    '--jobs', type=int, default=1, metavar='N',
    help='runs at a time; with several, each writes to DIR/NAME/log.txt',
  )  # fmt: skip
  parser.add_argument(
    '--set',
    dest='overrides',
    action='extend',
    nargs='+',
    default=[],
    metavar='NAME=VALUE',
    help='change a setting of every run',
  )
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.jobs < 1:
    parser.error('--jobs must be 1 or more')
  return run_command(lambda: sweep(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
