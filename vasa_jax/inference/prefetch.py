"""Runs a generator ahead in a thread, so that stages of the pipeline overlap."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar('T')
_END = object()


class Prefetch(Iterator[T], Generic[T]):
  """Yields items in order; at most `depth` of them wait.

  The thread starts at once, not with the first item that is asked for. An exception in
  the source is raised where the item would have come.
  """

  def __init__(self, items: Iterable[T], depth: int = 2):
    self._items = items
    self._ready: queue.Queue = queue.Queue(maxsize=depth)
    self._stop = threading.Event()
    self._thread = threading.Thread(
      target=self._work, name='vasa-prefetch', daemon=True
    )
    self._thread.start()

  def __next__(self) -> T:
    if self._stop.is_set():
      raise StopIteration
    item, error = self._ready.get()
    if item is _END:
      self.close()
      if error is not None:
        raise error
      raise StopIteration
    return item

  def close(self) -> None:
    """Stops the thread after the item it is at, and waits for it."""
    self._stop.set()
    self._thread.join()

  def _put(self, item, error=None) -> bool:
    while not self._stop.is_set():
      try:
        self._ready.put((item, error), timeout=0.1)
        return True
      except queue.Full:
        continue
    return False

  def _work(self) -> None:
    try:
      for item in self._items:
        if not self._put(item):
          return
      self._put(_END)
    except BaseException as error:  # noqa: BLE001 - handed to the consumer.
      self._put(_END, error)
