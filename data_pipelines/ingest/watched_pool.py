"""Processes that are watched: one that hangs or dies costs one job, not the run.

A decoder that a damaged file has caught in a loop cannot be interrupted from inside,
and one that crashes takes its process along. So every worker tells when it last got on
(`beat`); the parent kills those that have been silent for too long and starts others.

Time is that which the worker has computed, so that a busy machine condemns no good
file; one that waits without computing has `_PATIENCE` times as long.
"""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from data_pipelines.errors import UserError

_BEAT = 0.5  # s between two signs of life, at least
_START = 300.0  # s that a process may take until its nets are loaded
_PATIENCE = 10


class Done(NamedTuple):
  """A finished job.

  Attributes:
    job: as it was given.
    value: what the work returned; None if it failed.
    reason: None, 'time limit', or 'crashed'.
    note: that in words.
  """

  job: Any
  value: Any
  reason: str | None = None
  note: str = ''


# Matrix products of a worker on all cores at once would only wait for each other: a
# small net takes 10 ms on one thread, 110 ms on two that share a busy machine.
_THREADS = ('OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS')


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
  """A process started meanwhile computes with one thread, unless the user said more."""
  added = [name for name in _THREADS if name not in os.environ]
  os.environ.update(dict.fromkeys(added, '1'))
  try:
    yield
  finally:
    for name in added:
      del os.environ[name]


class _Clock(NamedTuple):
  wall: float
  computed: float

  def since(self, before: '_Clock') -> float:
    """s that have passed: computed, or a tenth of those on the wall if that is more."""
    wall = (self.wall - before.wall) / _PATIENCE
    return max(self.computed - before.computed, wall)


def computed(pid: int) -> float:
  """s that a process has computed; where Linux does not tell, those on the wall."""
  try:
    with open(f'/proc/{pid}/stat') as file:
      fields = file.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
  except (OSError, IndexError, ValueError):
    return time.monotonic()


class _Worker:
  def __init__(self, context, setup: Callable[[], Callable], memory: int):
    self.pipe, theirs = context.Pipe()
    self.process = context.Process(
      target=_serve, args=(theirs, setup, os.getpid(), memory), daemon=True
    )
    with _single_threaded():
      self.process.start()
    theirs.close()
    self.job: Any = None
    self.ready = False
    self.began = self.heard = self.now()

  def give(self, job: Any) -> None:
    self.job = job
    self.began = self.heard = self.now()
    with contextlib.suppress(OSError):  # dead already: noticed at once by the reader
      self.pipe.send(job)

  def now(self) -> '_Clock':
    """The time on the wall, and that which the process has computed."""
    return _Clock(time.monotonic(), computed(self.process.pid))

  def stop(self) -> None:
    self.process.kill()
    self.process.join()
    self.pipe.close()


def run_watched(
  setup: Callable[[], Callable[[Any, Callable[[], None]], Any]],
  jobs: Sequence[Any],
  workers: int,
  limit: float,
  silence: float,
  memory: int = 0,
) -> Iterator[Done]:
  """Yields the jobs as they finish, in no order.

  Args:
    setup: a function of a module; called once in each process, it returns the work: a
      function of a job and of `beat`, which the work calls while it gets on.
    jobs: what is to be done.
    workers: processes; 0 works in this one, unwatched.
    limit: s that a job may compute.
    silence: s of computing without a beat after which a job is taken for hung.
    memory: bytes that a process may allocate; 0 is no limit.

  Raises:
    UserError: the work raised one: it concerns all jobs (a full disk), so all stop.
  """
  if workers < 1:
    work = setup()
    for job in jobs:
      yield Done(job, work(job, lambda: None))
    return
  context = multiprocessing.get_context('spawn')
  waiting = list(reversed(jobs))
  again: set[int] = set()
  pool: list[_Worker] = []
  try:
    while waiting or any(worker.job is not None for worker in pool):
      while len(pool) < workers and len(pool) < len(jobs) and waiting:
        pool.append(_Worker(context, setup, memory))
      for worker in pool:
        if worker.job is None and waiting:
          worker.give(waiting.pop())
      multiprocessing.connection.wait([worker.pipe for worker in pool], _BEAT)
      for worker in list(pool):
        done = _hear(worker, limit, silence)
        if done is None:
          continue
        worker.job = None
        if done.reason is not None:
          worker.stop()
          pool.remove(worker)
        # Memory may have run out because of others: such a job has a second chance.
        if done.reason == 'crashed' and id(done.job) not in again:
          again.add(id(done.job))
          waiting.append(done.job)
        else:
          yield done
  finally:
    for worker in pool:
      worker.stop()


def _hear(worker: _Worker, limit: float, silence: float) -> Done | None:
  """What a worker has to say; its job if that is over."""
  job = worker.job
  try:
    while worker.pipe.poll():
      kind, value = worker.pipe.recv()
      worker.heard = worker.now()
      if kind == 'ready':
        worker.ready, worker.began = True, worker.heard
      if kind == 'error':
        raise UserError(value)
      if kind == 'crash':
        return Done(job, None, 'crashed', value)
      if kind == 'done':
        return Done(job, value)
  except (EOFError, OSError):
    worker.process.join()
    code = worker.process.exitcode
    note = f'its process died with signal {-code}' if code < 0 else f'exit code {code}'
    if job is None:
      raise UserError(f'a worker could not start ({note})') from None
    return Done(job, None, 'crashed', note)
  if job is None:
    return None
  now = worker.now()
  quiet = now.since(worker.heard)
  if quiet > (silence if worker.ready else max(silence, _START)):
    return Done(job, None, 'time limit', f'no progress for {silence:g} s')
  if worker.ready and now.since(worker.began) > limit:
    return Done(job, None, 'time limit', f'not finished after {limit:g} s')
  return None


def _serve(pipe, setup, parent: int, memory: int) -> None:
  """The life of a worker."""
  signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent alone answers Ctrl-C
  _die_with(parent)
  if memory:
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
  import cv2

  cv2.setNumThreads(0)
  last = 0.0

  def beat() -> None:
    nonlocal last
    now = time.monotonic()
    if now - last > _BEAT:
      last = now
      pipe.send(('beat', None))

  try:
    work = setup()
    pipe.send(('ready', None))
    while True:
      job = pipe.recv()
      try:
        pipe.send(('done', work(job, beat)))
      except UserError as error:
        pipe.send(('error', str(error)))
      except MemoryError:
        pipe.send(('crash', 'out of memory'))
  except (EOFError, BrokenPipeError, ConnectionResetError):
    return  # the parent is gone


def _die_with(parent: int) -> None:
  """Asks Linux to kill this process when its parent dies, however that happens."""
  with contextlib.suppress(OSError, AttributeError):
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
  if os.getppid() != parent:
    os._exit(1)
