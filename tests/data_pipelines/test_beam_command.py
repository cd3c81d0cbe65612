"""The command line that Beam shares with ours."""

import sys

import pytest

from data_pipelines.beam_command import options_of, parted
from data_pipelines.errors import UserError


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
