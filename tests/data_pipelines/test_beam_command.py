"""The command line that Beam shares with ours."""

import importlib
import runpy
import sys

import pytest

from data_pipelines.beam_command import check_address, options_of, parted
from data_pipelines.errors import UsageError, UserError


@pytest.mark.parametrize(
  'line, ours, beams',
  [
    ('a --out b', 'a --out b', ''),
    ('a -- --runner X', 'a', '--runner X'),
    ('-- --runner X', '', '--runner X'),
    ('a -- b -- c', 'a', 'b -- c'),
  ],
)
def test_the_first_dashes_part_the_line(line, ours, beams):
  assert parted(line.split()) == (ours.split(), beams.split())


def test_without_beam_the_extra_is_named(monkeypatch):
  name = 'apache_beam.options.pipeline_options'
  monkeypatch.setitem(sys.modules, name, None)
  with pytest.raises(UserError, match=r"pip install '\.\[beam\]'"):
    options_of([])


def test_addresses_that_cannot_be_written_are_refused_before_the_work():
  for out in ('records', '/mnt/a', 'gs://b/c', 's3://b/c'):
    check_address(out)
  with pytest.raises(UsageError, match='hdfs://host/a: gs://'):
    check_address('hdfs://host/a')


@pytest.mark.parametrize('module', ['ingest.beam', 'synthetic.beam'])
def test_what_travels_belongs_to_a_module_that_workers_can_import(module, monkeypatch):
  """Classes of `__main__` cannot be unpickled in another process."""
  name = f'data_pipelines.{module}'
  monkeypatch.setattr(importlib.import_module(name), 'main', lambda: 7)
  with pytest.raises(SystemExit) as ended, pytest.warns(RuntimeWarning, match='found'):
    runpy.run_module(name, run_name='__main__')
  assert ended.value.code == 7
