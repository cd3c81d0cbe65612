import itertools
import threading
import time

import pytest

from vasa_jax.inference.prefetch import prefetch


def test_order_and_end():
  assert list(prefetch(range(100))) == list(range(100))
  assert list(prefetch([])) == []


def test_errors_arrive_in_their_place():
  def source():
    yield 1
    raise KeyError('here')

  items = prefetch(source())
  assert next(items) == 1
  with pytest.raises(KeyError, match='here'):
    next(items)


def test_runs_ahead_but_not_far():
  made = []

  def source():
    for i in itertools.count():
      made.append(i)
      yield i

  items = prefetch(source(), depth=3)
  assert next(items) == 0
  time.sleep(0.2)
  # Taken, waiting (3), and the one that waits for a place.
  assert len(made) == 5
  items.close()


def test_closing_stops_the_thread():
  items = prefetch(itertools.count())
  next(items)
  items.close()
  assert not [t for t in threading.enumerate() if t.name == 'vasa-prefetch']
