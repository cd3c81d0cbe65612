"""Several processes as one training run, by `jax.distributed`.

Start the same command once on every host. A process that fails must not leave the
others waiting: it ends at once and without ceremony. What the others notice of it, or
of one that was killed or lost its machine (tried with two processes on one machine):

- its connections close: the collective fails within a second, and `run_or_die` ends
  this process with one line and exit code 1;
- it falls silent (power, network): after about `heartbeat_seconds` JAX itself ends this
  process by SIGABRT with "Terminating process because the JAX distributed service
  detected fatal errors". No handler of ours can run then.

Either way what was saved is whole, and the same command on all hosts goes on from it. A
save that was under way stays behind as a temporary folder; the next start removes it.
"""

import os
import re
import sys
import traceback
from collections.abc import Callable

import jax

from vasa_jax.errors import UsageError, UserError


def initialize(
  coordinator: str | None = None,
  processes: int | None = None,
  process_id: int | None = None,
  heartbeat_seconds: int = 100,
) -> None:
  """Joins the run; call before anything touches a device.

  Args:
    coordinator: `HOST:PORT` of process 0; None lets JAX find the cluster (Cloud TPU,
      Slurm, Open MPI, Kubernetes).
    processes: how many; needed with `coordinator`.
    process_id: which one this is, from 0; needed with `coordinator`.
    heartbeat_seconds: after this long without a sign of life a process counts as dead.

  Raises:
    UsageError: `coordinator` without the numbers, or the other way round.
    UserError: the cluster could not be joined.
  """
  given = [coordinator is not None, processes is not None, process_id is not None]
  if any(given) and not all(given):
    raise UsageError(
      '--coordinator, --processes and --process-id belong together; give all three, '
      'or --distributed alone on a cluster that JAX knows'
    )
  if all(given) and not 0 <= process_id < processes:
    raise UsageError(f'--process-id {process_id} is not one of 0..{processes - 1}')
  try:
    jax.distributed.initialize(
      coordinator,
      num_processes=processes,
      process_id=process_id,
      heartbeat_timeout_seconds=heartbeat_seconds,
    )
  except (RuntimeError, ValueError) as error:
    line = str(error).strip().splitlines()[0]
    raise UserError(
      f'cannot join the training cluster: {line}; check that all processes have the '
      'same --coordinator and --processes, and that its port is open'
    ) from error


# How XLA's collectives and JAX's coordination service say that somebody else is gone.
_PEER = re.compile(
  'by peer|read error|broken pipe|gloo|nccl|heartbeat|coordination|unavailable', re.I
)


def ending(error: BaseException) -> str:
  """The line about what ended a process of a run of several."""
  text = str(error).strip() or type(error).__name__
  if isinstance(error, UserError):
    return text
  line = text.splitlines()[0][:300]
  if isinstance(error, jax.errors.JaxRuntimeError) and _PEER.search(line):
    return (
      f'another process of this run was lost ({line}); what is saved is whole, start '
      'the same command on all hosts to go on'
    )
  return f'{type(error).__name__}: {line}'


def run_or_die(main: Callable[[], int], debug: bool = False) -> int:
  """Runs `main`; in a run of several processes an error ends this one at once.

  An exception would otherwise wait in JAX's shutdown barrier for peers that wait in a
  collective for us: minutes of an idle cluster, and no message.
  """
  try:
    return main()
  except BaseException as error:
    if jax.process_count() == 1 or isinstance(error, SystemExit):
      raise
    if debug:
      traceback.print_exc()
    who = f'process {jax.process_index()} of {jax.process_count()}'
    print(f'error: {who}: {ending(error)}', file=sys.stderr, flush=True)
    os._exit(2 if isinstance(error, UsageError) else 1)
