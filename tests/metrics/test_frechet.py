"""Distances of sample sets against SciPy, a closed form and a slow double loop."""

import numpy as np
import pytest
import scipy.linalg

from vasa_jax.errors import UserError
from vasa_jax.metrics import frechet


def samples(n, d, seed=0, scale=1.0):
  rng = np.random.default_rng(seed)
  return rng.standard_normal((n, d)) @ np.diag(scale * np.linspace(0.2, 2, d)) + 0.1


def by_scipy(a, b):
  ca, cb = np.cov(a.T), np.cov(b.T)
  root = scipy.linalg.sqrtm(ca @ cb).real
  return np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(ca + cb - 2 * root)


def test_frechet_is_scipys():
  a, b = samples(200, 12), samples(150, 12, 1, 1.5)
  np.testing.assert_allclose(frechet.frechet_distance(a, b), by_scipy(a, b), rtol=1e-9)


def test_frechet_with_fewer_samples_than_features():
  # Both sets lie in the same three axes: the distance is that of these axes alone.
  a, b = samples(9, 3), samples(8, 3, 1, 2.0)
  wide = np.linalg.qr(np.random.default_rng(2).standard_normal((40, 40)))[0][:3]
  np.testing.assert_allclose(
    frechet.frechet_distance(a @ wide, b @ wide), by_scipy(a, b), rtol=1e-9
  )


def test_frechet_in_closed_form():
  # Diagonal covariances of exact samples: |shift|^2 + sum (s - t)^2.
  axes = np.concatenate([np.eye(3), -np.eye(3)])
  unit = axes / axes.std(0, ddof=1)
  s, t, shift = np.array([1.0, 2, 3]), np.array([2.0, 2, 1]), np.array([0.5, 0, -1])
  expected = np.sum(shift**2) + np.sum((s - t) ** 2)
  np.testing.assert_allclose(
    frechet.frechet_distance(unit * s, unit * t + shift), expected, rtol=1e-12
  )


@pytest.mark.parametrize(
  'distance', [frechet.frechet_distance, frechet.kernel_distance]
)
def test_invariance(distance):
  a, b = samples(60, 8), samples(50, 8, 1, 1.3)
  value = distance(a, b)
  np.testing.assert_allclose(distance(b, a), value, rtol=1e-9)
  np.testing.assert_allclose(distance(a[::-1], b), value, rtol=1e-9)
  turn = np.linalg.qr(np.random.default_rng(3).standard_normal((8, 8)))[0]
  np.testing.assert_allclose(distance(a @ turn, b @ turn), value, rtol=1e-8)


@pytest.mark.parametrize(
  'distance', [frechet.frechet_distance, frechet.kernel_distance]
)
def test_further_is_larger(distance):
  a = samples(80, 8)
  far = [distance(a, samples(80, 8, 1) + shift) for shift in (0, 0.3, 1, 3)]
  wide = [distance(a, samples(80, 8, 1, scale)) for scale in (1, 1.5, 3)]
  assert np.all(np.diff(far) > 0) and np.all(np.diff(wide) > 0)


def test_equal_sets_are_no_distance_apart():
  a = samples(30, 50)
  assert frechet.frechet_distance(a, a) < 1e-9


def test_kernel_distance_is_the_double_loop():
  a, b = samples(7, 5), samples(6, 5, 1)

  def k(x, y):
    return (sum(p * q for p, q in zip(x, y, strict=True)) / 5 + 1) ** 3

  def within(x):
    pairs = [(i, j) for i in range(len(x)) for j in range(len(x)) if i != j]
    return sum(k(x[i], x[j]) for i, j in pairs) / len(pairs)

  across = sum(k(x, y) for x in a for y in b) / (len(a) * len(b))
  np.testing.assert_allclose(
    frechet.kernel_distance(a, b), within(a) + within(b) - 2 * across, rtol=1e-12
  )


def test_few_samples_bias_the_frechet_distance_alone():
  halves = {
    n: [
      (frechet.frechet_distance(*pair), frechet.kernel_distance(*pair))
      for pair in ((samples(n, 40, s), samples(n, 40, 100 + s)) for s in range(12))
    ]
    for n in (10, 40, 160)
  }
  means = [np.mean(halves[n], 0) for n in (10, 40, 160)]
  assert means[0][0] > 2 * means[1][0] > 4 * means[2][0]
  error = np.std(halves[10], 0)[1] / np.sqrt(12)
  assert abs(means[0][1]) < 3 * error


def test_the_interval_holds_the_truth():
  # One feature, known truth: |1 - 0|^2 + (2 - 1)^2.
  held = 0
  for seed in range(40):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((80, 1)), 1 + 2 * rng.standard_normal((80, 1))
    clips = np.arange(80)
    found = frechet.with_interval(frechet.frechet_distance, a, b, clips, clips)
    held += found.low <= 2 <= found.high
  assert 34 <= held


def test_rows_of_one_clip_are_one_observation():
  a, b = samples(24, 3), samples(24, 3, 1) + 1
  one, four = np.arange(24), np.arange(96) // 4
  wide = frechet.with_interval(frechet.kernel_distance, a, b, one, one)
  same = frechet.with_interval(
    frechet.kernel_distance, a.repeat(4, 0), b.repeat(4, 0), four, four
  )
  width, again = wide.high - wide.low, same.high - same.low
  assert 0.7 < again / width < 1.4  # not half, as for four times the clips
  few = frechet.with_interval(frechet.kernel_distance, a, b, one % 3, one)
  assert np.isnan(few.low)


def test_halves():
  x = samples(40, 4)
  assert 0 < frechet.half_distance(frechet.frechet_distance, x, np.arange(40)) < 2
  assert np.isnan(frechet.half_distance(frechet.frechet_distance, x, np.arange(40) % 2))


def test_refusals():
  good = samples(4, 3)
  for bad, words in (
    (good[:1], '2 samples'),
    (good[:, :2], 'differ in size'),
    (good * np.nan, 'not finite'),
  ):
    with pytest.raises(UserError, match=words):
      frechet.frechet_distance(good, bad)
