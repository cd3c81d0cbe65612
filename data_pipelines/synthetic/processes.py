"""Work shared out to processes, its results in order: `InOrder`."""

import collections
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from data_pipelines.errors import UserError


def _start_worker() -> None:
  """The parent alone answers Ctrl-C; one thread each, for there are many workers."""
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  threading.Thread(target=_end_with_parent, daemon=True).start()
  import cv2

  cv2.setNumThreads(0)


def _end_with_parent() -> None:
  """A parent that is killed leaves pipes open among its workers, who would wait on."""
  multiprocessing.parent_process().join()
  os._exit(1)


class InOrder:
  """Context with an iterator over `work(job)` of all jobs, in their order.

  Args:
    work: a function of a module, so that a new process finds it.
    jobs: its arguments, one each.
    workers: processes; 0 works in this one.
  """

  def __init__(self, work: Callable[[Any], Any], jobs: Sequence[Any], workers: int):
    self._work, self._jobs, self._pool = work, jobs, None
    self._workers = min(workers, len(jobs))

  def __enter__(self) -> Iterator[Any]:
    if self._workers < 1:
      return map(self._work, self._jobs)
    # executors, not multiprocessing.Pool: a Pool waits for ever for a killed worker
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context('spawn')
    self._pool = ProcessPoolExecutor(self._workers, context, _start_worker)
    return self._drain()

  def _drain(self) -> Iterator[Any]:
    """Keeps a bounded number of jobs under way, so that memory stays flat."""
    from concurrent.futures.process import BrokenProcessPool

    ahead = collections.deque()
    try:
      for job in self._jobs:
        ahead.append(self._pool.submit(self._work, job))
        if len(ahead) >= 4 * self._workers:
          yield ahead.popleft().result()
      while ahead:
        yield ahead.popleft().result()
    except BrokenProcessPool as error:
      raise UserError(
        'a rendering process was killed (out of memory?); '
        'run the command again with fewer --workers, it goes on where it stopped'
      ) from error

  def __exit__(self, kind, error, trace) -> bool:
    if self._pool is not None:
      self._pool.shutdown(wait=True, cancel_futures=True)
    return False
