"""Writes a trained judge as one small file: `python -m experiments.ship_judge`.

    python -m experiments.ship_judge runs/sync --out lipsync.safetensors --about TEXT
    python -m experiments.ship_judge runs/capp --out capp.safetensors --about TEXT

Takes runs of `configs/syncnet.py` and `configs/capp.py`; half precision, the averaged
parameters. Under these names in `vasa_jax/metrics/` they are what
`experiments.evaluate` scores with.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.command import run_command
from vasa_jax.errors import UserError


def trained_config(workdir: Path) -> Any:
  """The net's config in a run's folder: `LipSyncConfig` or `CappConfig`.

  Raises:
    UserError: it is no run of these nets.
  """
  from vasa_jax.teachers.capp import CappConfig
  from vasa_jax.teachers.lipsync import LipSyncConfig

  kinds = {'SyncRun': LipSyncConfig, 'CappRun': CappConfig}
  try:
    values = json.loads((workdir / 'config.json').read_text())
    kind = kinds[values['run']]
  except (OSError, ValueError, KeyError) as error:
    raise UserError(
      f'{workdir} is no run of configs/syncnet.py or configs/capp.py'
    ) from error
  fields = {
    name: tuple(value) if isinstance(value, list) else value
    for name, value in values['model'].items()
  }
  return kind(**fields)


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.ship_judge', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  parser.add_argument('workdir', type=Path, help='a run')
  parser.add_argument('--out', type=Path, required=True, help='the file, .safetensors')
  parser.add_argument('--about', required=True, help='what it was trained on')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)

  def work() -> int:
    from vasa_jax.metrics.shipped import save_shipped
    from vasa_jax.training.checkpoint import restore_params

    config = trained_config(args.workdir)
    save_shipped(args.out, config, restore_params(args.workdir), args.about)
    print(f'{args.out}: {args.out.stat().st_size / 2**20:.2f} MiB')
    return 0

  return run_command(work, args.debug)


if __name__ == '__main__':
  sys.exit(main())
