"""Runs a sweep: `python -m experiments.sweep FILE --workdir DIR`.

Each `(name, overrides)` that `sweep()` of the config file yields becomes `DIR/name`,
trained in a process of its own, so that one that fails or runs out of memory does not
take the others with it. What is done is skipped, what was interrupted goes on; the
failures are listed at the end. `--only NAME`
runs one: a cluster's job array is a loop over `--list`.
"""

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from etils import epath

from experiments.command import run_command
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
  config: RunConfig


def _text(value: Any) -> str:
  return value if isinstance(value, str) else repr(value)


def items(file: str, overrides: Sequence[str] = ()) -> list[Item]:
  """The sweep's runs; every override is checked before the first run starts.

  Args:
    file: config file with `get_config()` and `sweep()`.
    overrides: `NAME=VALUE` for all runs; a run's own overrides come after them.
  """
  base = load_config(file)
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
    end = written['step'] >= item.config.steps or item.config.minutes
    if end and not set(names) - RESUMABLE:
      return 'done'
  return 'begun' if (folder / 'config.json').exists() else 'to do'


def _train(item: Item, args: argparse.Namespace, workdir: epath.Path) -> int:
  command = [sys.executable, '-m', 'experiments.train', '--config', args.file]
  command += ['--workdir', str(workdir / item.name)]
  if item.overrides:
    command += ['--set', *item.overrides]
  if args.debug:
    command.append('--debug')
  process = subprocess.Popen(command)
  # A cluster that ends the sweep gives the run its chance to save.
  old = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
  try:
    return process.wait()
  except KeyboardInterrupt:
    process.wait()  # Ctrl-C has reached the run as well, which saves
    raise
  finally:
    signal.signal(signal.SIGTERM, old)


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

  failed = []
  for number, item in enumerate(chosen, 1):
    where = f'[{number}/{len(chosen)}] {item.name}'
    if state(item, workdir) == 'done':
      print(f'{where}: done before', flush=True)
      continue
    print(f'{where}: {" ".join(item.overrides)}', flush=True)
    code = _train(item, args, workdir)
    if code:
      failed.append(item.name)
      print(f'{where}: failed (exit code {code})', file=sys.stderr, flush=True)
    elif state(item, workdir) != 'done':
      print(f'stopped in {item.name}; run the same command again to go on')
      return 0
  if len(failed) < len(chosen) and any(
    (workdir / name / 'metrics.jsonl').exists() for name in names
  ):
    print(write_report(workdir))
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
  parser.add_argument('--list', action='store_true', help='name the runs and stop')
  parser.add_argument('--only', metavar='NAME', help='this run alone')
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
  return run_command(lambda: sweep(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
