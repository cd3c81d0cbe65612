"""Workers that hang, die or have nothing to do."""

import os
import time

import pytest

from data_pipelines.errors import UserError
from data_pipelines.ingest import watched_pool
from data_pipelines.ingest.watched_pool import run_watched


def setup():
  def work(job, beat):
    kind, value = job
    while kind == 'hang':
      pass
    while kind == 'busy':  # gets on, and never gets there
      beat()
    if kind == 'wait':
      time.sleep(600)
    if kind == 'die':
      os.kill(os.getpid(), 11)
    if kind == 'full':
      raise UserError('the disk is full')
    if kind == 'memory':
      raise MemoryError
    return value + 1

  return work


def test_bad_jobs_cost_themselves_only():
  jobs = [('ok', 1), ('hang', 2), ('die', 3), ('ok', 4), ('busy', 5), ('ok', 6)]
  found = {d.job: d for d in run_watched(setup, jobs, 2, limit=1.0, silence=0.5)}
  assert {job[1]: d.value for job, d in found.items() if d.reason is None} == {
    1: 2, 4: 5, 6: 7,
  }  # fmt: skip
  reasons = {job[0]: (d.reason, d.note) for job, d in found.items() if d.reason}
  assert reasons == {
    'hang': ('time limit', 'no progress for 0.5 s'),
    'busy': ('time limit', 'not finished after 1 s'),
    'die': ('crashed', 'its process died with signal 11'),
  }


def test_a_job_that_only_waits_is_not_waited_for_for_ever(monkeypatch):
  monkeypatch.setattr(watched_pool, '_PATIENCE', 2)
  (done,) = run_watched(setup, [('wait', 0)], 1, limit=60.0, silence=0.4)
  assert done.reason == 'time limit'


def test_memory_that_ran_out_is_a_crash():
  (done,) = run_watched(setup, [('memory', 0)], 1, 60.0, 60.0)
  assert (done.reason, done.note) == ('crashed', 'out of memory')


def test_a_full_disk_stops_everything():
  jobs = [('full', 0), ('ok', 1)]
  with pytest.raises(UserError, match='the disk is full'):
    list(run_watched(setup, jobs, 1, 60.0, 60.0))


def test_without_workers_it_happens_here():
  done = list(run_watched(setup, [('ok', 1), ('ok', 2)], 0, 60.0, 60.0))
  assert [d.value for d in done] == [2, 3]
