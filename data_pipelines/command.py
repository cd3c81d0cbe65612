"""What the commands that render share: one line for people, and the right exit code."""

import sys
from collections.abc import Callable

from data_pipelines.errors import UsageError, UserError


def run_command(name: str, work: Callable[[], None], debug: bool = False) -> int:
  """Exit code of a command: 0, or 1 UserError and Ctrl-C, 2 UsageError.

  Args:
    name: of the command, in front of its errors.
    work: what it does.
    debug: lets an error through, with its traceback.
  """
  try:
    work()
    return 0
  except KeyboardInterrupt:
    print('interrupted; the same command goes on where it stopped', file=sys.stderr)
    return 1
  except UserError as error:
    if debug:
      raise
    print(f'{name}: {error}', file=sys.stderr)
    return 2 if isinstance(error, UsageError) else 1
