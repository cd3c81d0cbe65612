import itertools
import threading
import time

import pytest

from vasa_jax.inference.prefetch import Prefetch


def test_order_and_end():
  assert list(Prefetch(range(100))) == list(range(100))
  assert list(Prefetch([])) == []


def test_errors_arrive_in_their_place():
  def source():
    yield 1
    raise KeyError('here')

  items = Prefetch(source())
  assert next(items) == 1
  with pytest.raises(KeyError, match='here'):
    next(items)


def test_runs_ahead_but_not_far():
  made = []

  def source():
    for i in itertools.count():
      made.append(i)
      yield i

  items = Prefetch(source(), depth=3)
  assert next(items) == 0
  time.sleep(0.2)
  # Taken, waiting (3), and the one that waits for a place.
  assert len(made) == 5
  items.close()


def test_starts_before_it_is_asked():
  started = threading.Event()

  def source():
    started.set()
    yield 1

  items = Prefetch(source())
  assert started.wait(10)
  assert list(items) == [1] and list(items) == []


@pytest.mark.parametrize('asked', [0, 1])
def test_closing_stops_the_thread(asked):
  items = Prefetch(itertools.count())
  assert list(itertools.islice(items, asked)) == list(range(asked))
  items.close()
  assert next(items, None) is None
  assert not [t for t in threading.enumerate() if t.name == 'vasa-prefetch']
