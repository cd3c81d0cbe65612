import os
import signal
import time

import numpy as np
import pytest

from data_pipelines.errors import UserError
from data_pipelines.synthetic import clips
from data_pipelines.synthetic.live import LivePairs


def alive(pid: int) -> bool:
  try:
    os.kill(pid, 0)
  except ProcessLookupError:
    return False
  return True


def test_the_pool_holds_rendered_people_and_is_renewed():
  settings = {'batch': 3, 'drivers': 2, 'frames': 4, 'pool': 2, 'supersample': 1}
  with LivePairs(7, 32, 1, augment=False, **settings) as live:
    live.fill(2, progress=False)
    pids = [process.pid for process in live._processes.values()]
    assert live.clips == 2 and sorted(live._people) == [7, 8]
    want = clips.render_stills(7, 4, 32, 1, art=0.1)
    slot = int(np.flatnonzero(live._people == 7)[0])
    np.testing.assert_array_equal(live._pictures[slot], want.pictures)
    np.testing.assert_array_equal(live._shape[slot], want.shape)

    batch = next(live)
    assert batch['driver_picture'].shape == (3, 2, 32, 32, 3)
    assert batch['source_points'].shape == (3, 384, 3)
    for i in range(3):  # label and picture are of the same frame
      own = np.abs(live._shape - batch['shape'][i]).sum(1).argmin()
      where = (live._pictures[own] == batch['source_picture'][i]).all((1, 2, 3))
      frame = int(np.flatnonzero(where)[0])
      np.testing.assert_array_equal(
        live._labels['dyn'][own, frame], batch['source_dyn'][i]
      )
      assert (
        not (live._pictures[own] == batch['stranger_picture'][i]).all((1, 2, 3)).any()
      )

    until = time.monotonic() + 60
    while 7 in live._people and time.monotonic() < until:
      time.sleep(0.05)
      next(live)
    assert 7 not in live._people and live.received > 2
    state = live.get_state()
  assert not any(alive(pid) for pid in pids)

  later = LivePairs(7, 32, 1, **settings)
  later.set_state(state)
  assert later.get_state()['people'] >= state['people']  # nobody is seen twice
  assert later.get_state()['step'] == state['step']


def test_a_killed_worker_ends_the_run_with_one_line():
  with LivePairs(0, 32, 1, frames=2, pool=2, supersample=1) as live:
    live.fill(1, progress=False)
    (process,) = live._processes.values()
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(UserError, match='renderer-0 ended with code -9'):
      for _ in range(100):
        live.fill(2, progress=False)
        next(live)
        time.sleep(0.01)


def test_a_failing_worker_says_why():
  # a picture of 2 pixels cannot be rendered
  with LivePairs(0, 2, 1, frames=2, pool=2) as live:
    with pytest.raises(UserError, match='rendering failed'):
      live.fill(1, progress=False)


def test_bad_arguments_are_refused():
  with pytest.raises(UserError, match='workers'):
    LivePairs(0, 32, 0)
  with LivePairs(0, 32, 1, pool=2, frames=2) as live:
    live.close()  # never started: nothing to stop
