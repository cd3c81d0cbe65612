"""Shapes of faces: repeatable, bounded, and more of them than anyone needs."""

import numpy as np
import pytest

from data_pipelines.synthetic import assets
from data_pipelines.synthetic.people import features


@pytest.fixture(scope='module')
def shapes():
  return [features.sample_shape(seed) for seed in range(24)]


def test_same_seed_same_shape(shapes):
  again = features.sample_shape(5)
  np.testing.assert_array_equal(again.vertices, shapes[5].vertices)
  assert again.coefficients == shapes[5].coefficients


def test_opposites_exclude_each_other_and_sides_agree(shapes):
  for shape in shapes:
    c = shape.coefficients
    for name in c:
      for low, high in (('decr', 'incr'), ('down', 'up'), ('concave', 'convex')):
        if name.endswith(f'-{low}'):
          assert name[: -len(low)] + high not in c
      if '/l-' in name:
        assert c[name] == c[name.replace('/l-', '/r-')]
      assert 0 <= c[name] <= features.LARGEST_AMOUNT


def test_group_shifts_are_bounded(shapes):
  targets = assets.load_assets().locals
  for shape in shapes:
    for group, limit in features.LARGEST_SHIFT.items():
      shift = np.zeros_like(shape.vertices)
      for name, amount in shape.coefficients.items():
        if name.startswith(group + '/'):
          shift[targets[name].indices] += np.float32(amount) * targets[name].values
      assert np.linalg.norm(shift, axis=1).max() <= limit * 1.001


def test_axes_and_ageing_name_targets_that_exist():
  keys = {key for key, *_ in features._pairs()}
  for axis in features.AXES:
    assert set(axis) <= keys
  assert set(features.AGEING) | set(features.LIMITS) <= keys
  shares, _ = features._loadings()
  assert ((shares**2).sum(1) < 1).all()


def test_lips_are_full_or_thin_together():
  keys = [key for key, *_ in features._pairs()]
  a, b = (keys.index(f'mouth/mouth-{k}lip-height') for k in ('upper', 'lower'))
  shares, _ = features._loadings()
  assert shares[a] @ shares[b] > 0.4


def test_a_macro_mix_keeps_its_sums():
  amounts = features.macro_amounts(0.8, 0.3, -0.4, np.array([0.2, 0.5, 0.3]))
  races = sum(v for k, v in amounts.items() if not k.startswith('universal'))
  loads = sum(v for k, v in amounts.items() if k.startswith('universal'))
  np.testing.assert_allclose([races, loads], 1, atol=1e-6)
  assert amounts['asian-male-young'] > amounts['african-male-young']


def test_ten_thousand_people_are_all_distinct():
  """No pair of 300 comes near; a collision among 10,000 would need the pairs' low
  tail to reach zero, and it ends many standard deviations away from it."""
  vectors = np.stack([features.sample_shape(seed).vector() for seed in range(300)])
  assert vectors.shape == (300, 6 + len(assets.load_assets().locals))
  squares = (vectors**2).sum(1)
  gaps = squares[:, None] + squares - 2 * vectors @ vectors.T
  gaps = np.sqrt(np.maximum(gaps[np.triu_indices(300, 1)], 0))
  assert gaps.min() > 1.0
  assert gaps.mean() / gaps.std() > 6


def test_linings_stay_behind_the_face(shapes):
  """Nothing of the inside of the mouth lies in front of the lips and cheeks."""
  inner, *_, front, behind = features._linings()
  assert len(inner) > 500
  for shape in shapes:
    gaps = shape.vertices[front, 2].min(1) - shape.vertices[inner, 2]
    assert (gaps >= behind - 1e-4).all()


def test_lips_are_closed_at_rest(shapes):
  """The edges of the lips touch in the middle, in every face."""
  (upper, lower), shares = features._lips()
  assert shares[0, upper] == shares[1, lower] == 1
  for shape in shapes:
    gap = shape.vertices[upper, 1] - shape.vertices[lower, 1]
    assert abs(gap - features.LIP_GAP) < 0.005
