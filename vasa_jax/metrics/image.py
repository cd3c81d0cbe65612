"""Picture against picture: L1, PSNR, SSIM, over everything or under a mask.

All take `(b, h, w, c)` float32 in [0, 1] and give `(b,)`; all run under jit. A mask is
`(b, h, w, 1)` (or broadcastable), weights >= 0, for example the face.
"""

import jax.numpy as jnp
import numpy as np

from vasa_jax.types import Array

# Equal pictures would give infinity, which no mean survives: 8-bit pictures that differ
# at all stay below 99 dB at 256 px.
PSNR_CEILING = 100.0
_RADIUS, _SIGMA = 5, 1.5
_C1, _C2 = 0.01**2, 0.03**2


def l1(a: Array, b: Array, mask: Array | None = None) -> Array:
  """Mean absolute difference, 0..1."""
  return _mean(jnp.abs(a - b), mask)


def psnr(a: Array, b: Array, mask: Array | None = None) -> Array:
  """Peak signal-to-noise ratio in dB for a range of 1, at most `PSNR_CEILING`."""
  error = _mean(jnp.square(a - b), mask)
  return -10 * jnp.log10(jnp.maximum(error, 10 ** (-PSNR_CEILING / 10)))


def ssim(a: Array, b: Array, mask: Array | None = None) -> Array:
  """Structural similarity (Wang et al. 2004), -1..1: Gaussian window of 11, sigma 1.5.

  Only whole windows count, so the outer 5 px are the centre of none. Population
  covariance, mean over channels: scikit-image's `gaussian_weights=True,
  use_sample_covariance=False`.

  Raises:
    ValueError: a side below 11 px.
  """
  if min(a.shape[1:3]) < 2 * _RADIUS + 1:
    raise ValueError(f'SSIM needs 11 px a side, the pictures have {a.shape[1:3]}')
  mean_a, mean_b = _blur(a), _blur(b)
  var_a = _blur(a * a) - mean_a**2
  var_b = _blur(b * b) - mean_b**2
  cov = _blur(a * b) - mean_a * mean_b
  similarity = ((2 * mean_a * mean_b + _C1) * (2 * cov + _C2)) / (
    (mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2)
  )
  if mask is not None:
    mask = jnp.broadcast_to(mask, (*a.shape[:3], 1))
    mask = mask[:, _RADIUS:-_RADIUS, _RADIUS:-_RADIUS]
  return _mean(similarity, mask)


def _mean(values: Array, mask: Array | None) -> Array:
  """Mean over all axes but the first, weighted by `mask`; 0 under an empty mask."""
  if mask is None:
    return jnp.mean(values, axis=(1, 2, 3))
  mask = jnp.broadcast_to(mask, values.shape)
  total = jnp.sum(mask, axis=(1, 2, 3))
  return jnp.sum(values * mask, axis=(1, 2, 3)) / jnp.maximum(total, 1e-8)


def _blur(x: Array) -> Array:
  """Valid Gaussian blur as 11 + 11 shifted sums.

  Grouped convolutions are slow on CPU; these sums are one fused loop.
  """
  taps = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / _SIGMA) ** 2)
  taps = taps / taps.sum()
  height, width = (side - 2 * _RADIUS for side in x.shape[1:3])
  x = sum(float(w) * x[:, i : i + height] for i, w in enumerate(taps))
  return sum(float(w) * x[:, :, i : i + width] for i, w in enumerate(taps))
