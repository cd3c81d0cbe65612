"""8 bits a weight: what is lost, what is not, what is refused."""

import numpy as np
import pytest

from vasa_jax.teachers.eight_bits import STEP, packed, unpacked


def arrays():
  rng = np.random.default_rng(0)
  return {
    'kernel': rng.normal(size=(3, 7, 5)).astype(np.float32) * np.arange(5),
    # Transposed: its memory has another order than its axes.
    'turned': rng.normal(size=(6, 4)).astype(np.float32).T,
    'bias': rng.normal(size=5).astype(np.float32),
    'count': np.arange(6).reshape(2, 3),
  }


def test_within_half_a_step_of_each_output():
  given = arrays()
  stored = packed(given)
  assert stored['kernel'].dtype == stored['turned'].dtype == np.int8
  assert stored['turned'].flags.c_contiguous
  again = unpacked(stored)
  assert set(again) == set(given)
  for name in ('kernel', 'turned'):
    step = np.abs(given[name]).max(tuple(range(given[name].ndim - 1))) / 127
    assert again[name].dtype == np.float32
    assert (np.abs(again[name] - given[name]) <= 0.501 * step).all()
    assert np.abs(again[name] - given[name]).max() > 0.2 * step.max()
  for name in ('bias', 'count'):
    np.testing.assert_array_equal(again[name], given[name])


def test_a_second_time_nothing_is_lost():
  once = unpacked(packed(arrays()))
  for name, array in unpacked(packed(once)).items():
    np.testing.assert_array_equal(array, once[name])


def test_steps_of_nothing_are_refused():
  stored = packed(arrays())
  for wrong in ({'kernel' + STEP: np.ones(4)}, {'other' + STEP: np.ones(5)}):
    with pytest.raises(ValueError, match='step of nothing'):
      unpacked(stored | wrong)
