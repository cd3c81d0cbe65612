"""The same work for many items: in turn, or on several processes, in the same order."""

import concurrent.futures
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from vasa_jax.errors import UserError


def in_turn(work: Callable, items: Iterable, *more) -> Iterator:
  """`work(one, *more)` for each item, when it is asked for."""
  return (work(one, *more) for one in items)


def _watch() -> None:
  threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
  """A parent that is killed leaves pipes open among its workers, who would wait on."""
  multiprocessing.parent_process().join()
  os._exit(1)


def in_processes(work: Callable, items: Sequence, workers: int, *more) -> Iterator:
  """The same on several processes, in the same order.

  Raises:
    UserError: a process ended without an answer, as for want of memory.
  """
  # Spawned: a process that has used a device must not be copied.
  context = multiprocessing.get_context('spawn')
  with concurrent.futures.ProcessPoolExecutor(workers, context, _watch) as pool:
    waiting = [pool.submit(work, one, *more) for one in items]
    try:
      for job in waiting:
        yield job.result()
    except concurrent.futures.process.BrokenProcessPool:
      raise UserError(
        f'one of {workers} processes ended without an answer; is memory short? Run '
        'again with fewer, what is done is kept'
      ) from None
    finally:
      pool.shutdown(cancel_futures=True)
