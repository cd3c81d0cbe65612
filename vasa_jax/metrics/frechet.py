"""Distances between two sets of feature vectors: Frechet (FID, FVD) and kernel (KID).

Both take `(n, d)` and `(m, d)`, one row a sample, and work in float64. The Frechet
distance of Gaussians (Dowson and Landau 1982) is biased upwards by few samples, by
hundreds of FVD points where n is below d: two numbers compare only at the same n, and
the distance between two halves of the same set says what nothing amounts to
(docs/metrics.md has the table). The kernel distance (Binkowski et al. 2018) is unbiased
and may be negative.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vasa_jax.errors import UserError

Distance = Callable[[np.ndarray, np.ndarray], float]
GROUPS = 20


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
  """`|mean_a - mean_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2))` of two sample sets.

  Covariances are divided by n - 1. The trace of the root is the sum of the singular
  values of `R_a R_b^T`, where `X - mean = Q R`: no root of a product is taken, so
  singular covariances (fewer samples than features) are as exact as others.

  Raises:
    UserError: fewer than two samples, another number of features, or a value that is
      not finite.
  """
  a, b = _checked(a, b)
  parts = []
  for x in (a, b):
    centred = (x - x.mean(0)) / np.sqrt(len(x) - 1)
    parts.append(np.linalg.qr(centred, mode='r'))
  root = np.linalg.svd(parts[0] @ parts[1].T, compute_uv=False).sum()
  spread = sum(float(np.sum(part**2)) for part in parts)
  shift = float(np.sum((a.mean(0) - b.mean(0)) ** 2))
  return max(shift + spread - 2 * float(root), 0.0)


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
  """Squared maximum mean discrepancy, kernel `(x . y / d + 1)^3`, unbiased: KID.

  Over all pairs, not over random subsets: the same input gives the same number.

  Raises:
    UserError: as `frechet_distance`.
  """
  a, b = _checked(a, b)
  within = []
  for x in (a, b):
    k = _kernel(x, x)
    n = len(x)
    within.append((k.sum() - np.trace(k)) / (n * (n - 1)))
  return float(within[0] + within[1] - 2 * _kernel(a, b).mean())


class Interval(NamedTuple):
  """A distance and its 95 % interval; (NaN, NaN) where there are too few clips."""

  value: float
  low: float
  high: float


def with_interval(
  distance: Distance,
  a: np.ndarray,
  b: np.ndarray,
  clips_a: np.ndarray,
  clips_b: np.ndarray,
) -> Interval:
  """A distance, and its interval by the jackknife over groups of clips.

  Drawing with replacement, as for a mean, would repeat samples, which a covariance
  reads as less variety and the kernel as pairs that agree: both move the distance
  itself. Here each of up to `GROUPS` groups of clips of either side is left out in
  turn, and the interval is 1.96 standard errors to both sides. It says how far other
  clips might have moved the number; not how large its bias is.

  Args:
    distance: of two sets.
    a, b: `(n, d)`, `(m, d)`.
    clips_a, clips_b: `(n,)`, `(m,)` which clip a row is of; rows of one clip resemble
      each other and go together.
  """
  value, variance = distance(a, b), 0.0
  for x, clips, other in ((a, clips_a, b), (b, clips_b, a)):
    names, of = np.unique(clips, return_inverse=True)
    if len(names) < 4:  # none, or half of the set, would be left
      return Interval(value, float('nan'), float('nan'))
    group = of % min(len(names), GROUPS)
    left = np.array([distance(x[group != g], other) for g in range(group.max() + 1)])
    count = len(left)
    variance += (count - 1) / count * float(np.sum((left - left.mean()) ** 2))
  error = 1.96 * np.sqrt(variance)
  return Interval(value, value - error, value + error)


def half_distance(distance: Distance, x: np.ndarray, clips: np.ndarray) -> float:
  """Distance between two halves of one set, by clip; what no difference looks like.

  Mean over five random halvings (fixed seed). NaN with fewer than four clips. Each half
  has half the samples, so a biased distance is biased more than that of whole sets.
  """
  names, of = np.unique(clips, return_inverse=True)
  if len(names) < 4:
    return float('nan')
  rng, found = np.random.default_rng(0), []
  for _ in range(5):
    first = np.isin(of, rng.permutation(len(names))[: len(names) // 2])
    found.append(distance(x[first], x[~first]))
  return float(np.mean(found))


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  return (a @ b.T / a.shape[1] + 1) ** 3


def _checked(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
  if min(len(a), len(b)) < 2:
    raise UserError(
      f'a distance between distributions needs 2 samples or more a side; there are '
      f'{len(a)} and {len(b)}'
    )
  if a.shape[1:] != b.shape[1:]:
    raise UserError(f'features differ in size: {a.shape[1:]} and {b.shape[1:]}')
  if not (np.isfinite(a).all() and np.isfinite(b).all()):
    raise UserError('a feature is not finite; the video may be damaged')
  return a, b
