"""One row of Table 5: what guidance and steps make of the same speeches.

    python -m experiments.guidance_run --config FILE --workdir DIR \\
        --set guidance_audio=1.0

`experiments.sweep experiments/configs/ablate_guidance.py` runs all rows and makes the
table. `DIR/videos/SEED` holds the videos, `DIR/scores.json` the scores of every clip.
An interrupted row goes on.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.command import run_command
from experiments.guidance.row import GuidanceRun, score, write_json
from vasa_jax.errors import UserError


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.guidance_run', description=__doc__.splitlines()[0]
  )
  parser.add_argument('--config', required=True, help='Python file with get_config()')
  parser.add_argument('--workdir', required=True, type=Path, help='folder of this row')
  parser.add_argument(
    '--set', dest='overrides', action='extend', nargs='+', default=[],
    metavar='NAME=VALUE', help='change a setting',
  )  # fmt: skip
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)

  def work() -> int:
    from vasa_jax.training.config import apply_overrides, load_config, to_dict, to_json

    run = apply_overrides(load_config(args.config, GuidanceRun), args.overrides)
    try:
      args.workdir.mkdir(parents=True, exist_ok=True)
      (args.workdir / 'config.json').write_text(to_json(run))
      result = score(run, args.workdir)
      from experiments.guidance.tables import means

      figures = means(result)
      write_json(
        args.workdir / 'done.json', {'metrics': figures, 'config': to_dict(run)}
      )
    except OSError as error:
      raise UserError(f'{args.workdir}: {error.strerror or error}') from error
    print(json.dumps(figures))
    return 0

  return run_command(work, args.debug)


if __name__ == '__main__':
  sys.exit(main())
