"""Settings: overrides by name and type, JSON and back, files that are not configs."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from tests.training.toy import ToyRun
from vasa_jax.errors import UsageError
from vasa_jax.training.config import (
  RunConfig,
  apply_overrides,
  differing,
  from_json,
  load_config,
  load_sweep,
  to_dict,
  to_json,
)


@dataclass(frozen=True)
class Inner:
  width: int = 3
  rates: tuple[float, ...] = (0.1, 0.2)
  size: tuple[int, int] = (4, 8)
  kind: Literal['a', 'b'] = 'a'


@dataclass(frozen=True)
class Outer:
  inner: Inner = field(default_factory=Inner)
  flag: bool = False
  limit: float | None = None
  name: str = 'x'


@pytest.mark.parametrize(
  'text, value',
  [
    ('inner.width=5', Inner(width=5)),
    ('inner.rates=1,2.5,3', Inner(rates=(1.0, 2.5, 3.0))),
    ('inner.rates=(7,)', Inner(rates=(7.0,))),
    ('inner.size=2,3', Inner(size=(2, 3))),
    ('inner.kind=b', Inner(kind='b')),
  ],
)
def test_override_of_nested_settings(text, value):
  assert apply_overrides(Outer(), [text]) == Outer(inner=value)


def test_overrides_in_order_and_as_mapping():
  changed = apply_overrides(Outer(), ['flag=true', 'limit=3', 'name=a=b', 'flag=0'])
  assert changed == Outer(flag=False, limit=3.0, name='a=b')
  assert type(changed.limit) is float
  assert apply_overrides(changed, {'limit': None, 'inner.rates': [1]}) == Outer(
    inner=Inner(rates=(1.0,)), name='a=b'
  )
  assert apply_overrides(changed, ['limit=none']).limit is None


@pytest.mark.parametrize(
  'text, words',
  [
    ('inner.widht=5', 'inner.widht; did you mean inner.width'),
    ('width=5', 'unknown setting width; did you mean inner.width'),
    ('inner.width.x=5', 'unknown setting inner.width.x; did you mean inner.width'),
    ('flga=1', 'did you mean flag'),
    ('inner.width=wide', "inner.width='wide': expected int"),
    ('inner.width=1.5', 'expected int'),
    ('flag=maybe', 'expected bool'),
    ('limit=soon', 'expected float | None'),
    ('limit=nan', 'expected float'),
    ('inner.kind=c', 'expected one of a, b'),
    ('inner.size=1,2,3', 'expected'),
    ('inner=3', 'group of settings'),
    ('inner.width', 'NAME=VALUE'),
  ],
)
def test_wrong_overrides_say_what_is_right(text, words):
  with pytest.raises(UsageError) as caught:
    apply_overrides(Outer(), [text])
  assert words in str(caught.value)
  assert '\n' not in str(caught.value)


def test_wrong_type_in_mapping():
  with pytest.raises(UsageError, match='expected int'):
    apply_overrides(Outer(), {'inner.width': 2.0})
  with pytest.raises(UsageError, match='expected int'):
    apply_overrides(Outer(), {'inner.width': True})


def test_json_round_trip_and_difference():
  run = apply_overrides(ToyRun(), ['net.width=5', 'minutes=2', 'seed=9'])
  assert from_json(ToyRun, to_json(run)) == run
  assert differing(to_dict(ToyRun()), to_dict(run)) == ['minutes', 'net.width', 'seed']
  assert differing(to_dict(run), to_dict(run)) == []
  with pytest.raises(UsageError, match='of a ToyRun, not of a RunConfig'):
    from_json(RunConfig, to_json(run))
  with pytest.raises(UsageError, match='did you mean steps'):
    from_json(ToyRun, '{"run": "ToyRun", "stesp": 3}')


def test_load_config_and_sweep():
  run = load_config('tests/training/toy.py')
  assert type(run).__name__ == 'ToyRun' and run.steps == 6
  assert [name for name, _ in load_sweep('tests/training/toy.py')] == [
    'narrow',
    'broken',
    'wide',
  ]


@pytest.mark.parametrize(
  'source, words',
  [
    ('x = 1', 'no function get_config'),
    ('def get_config():\n  return 3', 'must return a RunConfig, not int'),
    ('import not_there', 'ModuleNotFoundError'),
    ('def get_config(:', 'SyntaxError'),
  ],
)
def test_files_that_are_no_config(tmp_path, source, words):
  file = tmp_path / 'c.py'
  file.write_text(source)
  with pytest.raises(UsageError) as caught:
    load_config(file)
  assert words in str(caught.value) and '\n' not in str(caught.value)


def test_missing_file_and_bad_sweeps(tmp_path):
  with pytest.raises(UsageError, match='does not exist'):
    load_config(tmp_path / 'none.py')
  file = tmp_path / 'c.py'
  for source, words in [
    ('x = 1', 'no function sweep'),
    ('def sweep():\n  yield "a", {}\n  yield "a", {}', 'twice'),
    ('def sweep():\n  yield "../a", {}', 'cannot name a folder'),
  ]:
    file.write_text(source)
    with pytest.raises(UsageError, match=words):
      load_sweep(file)


def test_a_run_without_stage_is_refused():
  with pytest.raises(UsageError, match='job'):
    RunConfig().job()
