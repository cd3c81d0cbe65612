"""What all commands here share: one line for people, and the right exit code."""

import sys
import traceback
from collections.abc import Callable

from data_pipelines import errors as pipeline_errors
from vasa_jax.errors import UsageError, UserError


def run_command(main: Callable[[], int], debug: bool = False) -> int:
  """Exit code of `main()`: its own, or 1 UserError, 2 UsageError, 130 Ctrl-C.

  Any other exception is a defect of ours; it too becomes one line, which says how to
  see the rest. With `debug` the traceback is printed as well.
  """
  try:
    return main()
  except (UserError, pipeline_errors.UserError) as error:
    if debug:
      traceback.print_exc()
    print(f'error: {error}', file=sys.stderr)
    wrong_use = (UsageError, pipeline_errors.UsageError)
    return 2 if isinstance(error, wrong_use) else 1
  except KeyboardInterrupt:
    print('interrupted', file=sys.stderr)
    return 130
  except Exception as error:
    if debug:
      traceback.print_exc()
    lines = str(error).strip().splitlines() or ['']
    what = f'{type(error).__name__}: {lines[0]}'
    print(f'error: {what} (run again with --debug to see where)', file=sys.stderr)
    return 1
