"""Trains one stage: `python -m experiments.train --config FILE --workdir DIR`.

Run the same command again to go on from the last checkpoint. `--set a.b=c` changes one
setting. On several hosts start the same command on each, with `--distributed` (Cloud
TPU, Slurm, Kubernetes) or with `--coordinator HOST:PORT --processes N --process-id I`.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from experiments.command import run_command


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.train', description=__doc__.splitlines()[0]
  )
  parser.add_argument('--config', required=True, help='Python file with get_config()')
  parser.add_argument('--workdir', required=True, help='folder of this run')
  parser.add_argument(
    '--set',
    dest='overrides',
    action='extend',
    nargs='+',
    default=[],
    metavar='NAME=VALUE',
    help='change a setting, as steps=100 or model.width=64',
  )
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  parser.add_argument(
    '--stopped-code',
    type=int,
    default=0,
    metavar='CODE',
    help='exit code after a signal made the run save and stop (default 0)',
  )
  parser.add_argument('--compile-cache', metavar='DIR', help='keep compiled steps here')
  group = parser.add_argument_group('several hosts')
  group.add_argument('--distributed', action='store_true', help='find the cluster')
  group.add_argument('--coordinator', metavar='HOST:PORT', help='process 0')
  group.add_argument('--processes', type=int, metavar='N')
  group.add_argument('--process-id', type=int, metavar='I')
  group.add_argument(
    '--heartbeat-seconds',
    type=int,
    default=100,
    metavar='S',
    help='a process that is silent for so long ends the run (default 100)',
  )
  return parser.parse_args(argv)


def train(args: argparse.Namespace) -> int:
  """Trains as `args` say; 0 when finished."""
  import jax
  from etils import epath

  from data_pipelines import errors as pipeline_errors
  from experiments.report import write_report
  from vasa_jax.errors import UsageError, UserError
  from vasa_jax.files import refused, write_whole
  from vasa_jax.training import distributed
  from vasa_jax.training.config import apply_overrides, load_config, to_dict
  from vasa_jax.training.loop import Outcome, fit

  if args.compile_cache:
    jax.config.update('jax_compilation_cache_dir', args.compile_cache)
  run = apply_overrides(load_config(args.config), args.overrides)
  alone = [args.coordinator, args.processes, args.process_id] == [None] * 3
  if args.distributed or not alone:
    distributed.initialize(
      args.coordinator, args.processes, args.process_id, args.heartbeat_seconds
    )

  def tell(outcome: Outcome) -> None:
    file = epath.Path(args.workdir) / 'done.json'
    # Without figures it had finished before.
    if outcome.finished and (outcome.metrics or not file.exists()):
      done = {'step': outcome.step, 'metrics': outcome.metrics, 'config': to_dict(run)}
      write_whole(file, json.dumps(done, indent=2) + '\n')
    report = write_report(args.workdir)
    words = 'finished' if outcome.finished else 'stopped'
    print(f'{words} at step {outcome.step}: {report}')

  def work() -> int:
    try:
      outcome = fit(run, run.job(), args.workdir)
    except pipeline_errors.UsageError as error:
      raise UsageError(str(error)) from error
    except pipeline_errors.UserError as error:
      raise UserError(str(error)) from error
    if jax.process_index() == 0:
      try:
        tell(outcome)
      except OSError as error:  # all is saved by now
        raise refused(args.workdir, error) from error
    return 0 if outcome.finished else args.stopped_code

  return distributed.run_or_die(work, args.debug)


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: train(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
