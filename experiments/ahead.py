"""Work that goes on beside the device: batches drawn, people rendered ahead of time."""

import threading
from typing import Any

from vasa_jax.errors import UserError
from vasa_jax.inference.prefetch import Prefetch


class Ahead:
  """Draws batches in a thread, so that the device need not wait for numpy.

  Up to four batches that were drawn and not trained on are skipped by a resumed run.
  """

  def __init__(self, batches: Any):
    self._batches = batches
    self._items = Prefetch(batches, depth=3)

  def __iter__(self) -> 'Ahead':
    return self

  def __next__(self) -> Any:
    return next(self._items)

  def get_state(self) -> Any:
    return self._batches.get_state()

  def set_state(self, state: Any) -> None:
    raise UserError('the batches have begun; their state is given when they are made')

  def close(self) -> None:
    self._items.close()
    if close := getattr(self._batches, 'close', None):
      close()


class Pool:
  """Fills the renderer's pool in a thread while the first programs are compiled.

  Args:
    batches: `LivePairs` that were made with no pool to wait for.
    people: how many to wait for.
  """

  def __init__(self, batches: Any, people: int):
    self.batches = batches
    self._people, self._stop, self._error = people, threading.Event(), None
    self._thread = threading.Thread(target=self._fill, name='pool', daemon=True)
    self._thread.start()

  def _fill(self) -> None:
    try:
      for people in range(1, self._people + 1):
        if self._stop.is_set():
          return
        self.batches.fill(people, progress=False)
    except Exception as error:  # told to who waits for the pool
      self._error = error

  def ready(self) -> Any:
    """The batches, as soon as the pool is full."""
    while self._thread.is_alive():
      self._thread.join(0.2)  # in pieces, so that signals are heard
    if self._error is not None:
      raise UserError(str(self._error)) from self._error
    return self.batches

  def close(self) -> None:
    self._stop.set()
    self._thread.join()
    self.batches.close()
