"""What a run keeps an eye on: where its time goes, what it compiles, what it feeds.

`Goodput` shares out the wall clock, `compilations` counts what XLA compiled, `Profile`
records a few steps for a trace viewer, `dump_batch` keeps the batch that broke a run.
"""

import contextlib
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from etils import epath

from vasa_jax.files import write_whole

_COMPILED = '/jax/core/compile/backend_compile_duration'


class Compiled(NamedTuple):
  """`count` programs that this process has compiled, in `seconds`."""

  count: int
  seconds: float


class _Listener:
  """JAX offers no way to take a listener away, so a process has one."""

  def __init__(self):
    self.found: list[float] | None = None

  def start(self) -> None:
    if self.found is None:
      self.found = []
      jax.monitoring.register_event_duration_secs_listener(self._hear)

  def _hear(self, event: str, seconds: float, **more) -> None:
    del more
    if event == _COMPILED:
      self.found.append(seconds)


_listener = _Listener()


def compilations() -> Compiled:
  """What has been compiled since the first call."""
  _listener.start()
  return Compiled(len(_listener.found), sum(_listener.found))


class Goodput:
  """Shares out the wall clock between the steps and what keeps the devices waiting."""

  KINDS = ('data', 'save', 'eval')

  def __init__(self):
    """Starts the clock."""
    self._begin()

  def _begin(self) -> None:
    self._seconds = dict.fromkeys(self.KINDS, 0.0)
    self._since = time.monotonic()
    self._compiled = compilations().seconds

  @contextlib.contextmanager
  def spent(self, kind: str) -> Iterator[None]:
    """Counts the time inside for `kind`, one of `KINDS`."""
    before, compiled = time.monotonic(), compilations().seconds
    try:
      yield
    finally:
      # An evaluation that is compiled has that time counted as compilation.
      inside = time.monotonic() - before - (compilations().seconds - compiled)
      self._seconds[kind] += max(inside, 0.0)

  def take(self) -> dict[str, float]:
    """Shares since the last call.

    Returns:
      `data_wait`, `save_wait`, `eval_wait`, `compile_wait`, `goodput` (the rest), all
      0..1, and `seconds`, the time they are shares of.
    """
    seconds = max(time.monotonic() - self._since, 1e-9)
    shares = {f'{k}_wait': min(v / seconds, 1.0) for k, v in self._seconds.items()}
    compiled = compilations().seconds - self._compiled
    shares['compile_wait'] = min(compiled / seconds, 1.0)
    shares['goodput'] = max(1.0 - sum(shares.values()), 0.0)
    self._begin()
    return {**shares, 'seconds': seconds}


class Profile:
  """Records updates `first` to `first + steps - 1` under `WORKDIR/profile`."""

  def __init__(self, workdir: str | Path, first: int, steps: int):
    """`first` 0 records nothing."""
    self._folder = str(epath.Path(workdir) / 'profile')
    self._first, self._end = first, first + steps
    self._running = False

  def before(self, step: int) -> None:
    """Called before update `step` is dispatched."""
    if self._first and step == self._first:
      jax.profiler.start_trace(self._folder)
      self._running = True

  def after(self, step: int, result: Any) -> None:
    """Called after update `step`; waits for its result where the recording ends."""
    if self._running and step + 1 >= self._end:
      jax.block_until_ready(result)
      self.close()

  def close(self) -> None:
    """Ends a recording that is still on."""
    if self._running:
      jax.profiler.stop_trace()
      self._running = False


def dump_batch(workdir: str | Path, step: int, batch: Any) -> str:
  """Writes this host's share of a batch as `WORKDIR/bad_step_N/process_I.npz`.

  Returns:
    The path, or the reason why there is none: it goes into an error that is about
    something else, so it is never an error itself.
  """
  folder = epath.Path(workdir) / f'bad_step_{step:08d}'
  file = folder / f'process_{jax.process_index()}.npz'
  arrays = {
    jax.tree_util.keystr(path, simple=True, separator='/'): np.asarray(leaf)
    for path, leaf in jax.tree_util.tree_leaves_with_path(batch)
  }
  buffer = io.BytesIO()
  np.savez(buffer, **arrays)
  try:
    write_whole(file, buffer.getvalue())
  except OSError as error:
    return f'(not written: {error.strerror or error})'
  return str(file)
