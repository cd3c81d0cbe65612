"""Every setting that all runs have reaches the update, the devices or the loop."""

import dataclasses
import functools

import pytest

from tests.experiments.keys import engine
from vasa_jax.training.config import RunConfig, apply_overrides, flatten_names


def test_every_setting_is_tried():
  assert list(engine.CHANGES) == flatten_names(RunConfig())


@functools.cache
def base(where):
  return getattr(engine, where)(engine.BASE)


@pytest.mark.parametrize('name', engine.CHANGES)
def test_the_setting_reaches_something(name, tmp_path, monkeypatch):
  value, where = engine.CHANGES[name]
  changed = apply_overrides(engine.BASE, {name: value})
  assert changed != engine.BASE
  if where == 'behaviour':
    with monkeypatch.context() as patch:
      before = engine.behaviour(engine.BASE, tmp_path / 'a', patch)
      again = engine.behaviour(engine.BASE, tmp_path / 'b', patch)
      after = engine.behaviour(changed, tmp_path / 'c', patch)
    assert before == again
  else:
    before, after = base(where), getattr(engine, where)(changed)
  assert before != after


def test_a_copy_is_no_change():
  for where in ('update', 'placement'):
    assert getattr(engine, where)(dataclasses.replace(engine.BASE)) == base(where)
