"""Runs a generator ahead in a thread, so that stages of the pipeline overlap."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar('T')
_END = object()


def prefetch(items: Iterable[T], depth: int = 2) -> Iterator[T]:
  """Yields the items in order; at most `depth` of them wait.

  An exception in the source is raised where the item would have come. Closing the
  returned generator stops the thread after the item it is at.
  """
  ready: queue.Queue = queue.Queue(maxsize=depth)
  stop = threading.Event()

  def put(entry) -> bool:
    while not stop.is_set():
      try:
        ready.put(entry, timeout=0.1)
        return True
      except queue.Full:
        continue
    return False

  def work() -> None:
    try:
      for item in items:
        if not put((item, None)):
          return
      put((_END, None))
    except BaseException as error:  # noqa: BLE001 - handed to the consumer.
      put((_END, error))

  thread = threading.Thread(target=work, name='vasa-prefetch', daemon=True)
  thread.start()
  try:
    while True:
      item, error = ready.get()
      if error is not None:
        raise error
      if item is _END:
        return
      yield item
  finally:
    stop.set()
    thread.join()
