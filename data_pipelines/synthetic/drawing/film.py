"""From linear light to bytes and back: a filmic tone curve, then gamma."""

import numba
import numpy as np

# y = 1.25 q (1 + 0.15 q) / (1 + 0.75 q), then gamma 2.2.
EXPOSURE, SHOULDER, TOE, GAMMA = 1.25, 0.75, 0.15, 2.2

LINEAR = ((np.arange(256) / 255) ** GAMMA).astype(np.float32)  # of an sRGB byte
# Bytes by the square root of the light after the curve, in 4095 steps.
_STEPS = 4095
_BYTES = (255 * (np.arange(_STEPS + 1) / _STEPS) ** (2 / GAMMA) + 0.5).astype(np.uint8)


def inverse_film(picture: np.ndarray) -> np.ndarray:
  """Light (..., 3) float32 that the curve maps to `picture` (uint8 sRGB)."""
  y = LINEAR.astype(np.float64) / EXPOSURE
  b = 1 - SHOULDER * y
  light = (-b + np.sqrt(b * b + 4 * TOE * y)) / (2 * TOE)
  return light.astype(np.float32)[picture]


def develop(colour: np.ndarray, supersample: int) -> np.ndarray:
  """Film curve, then the mean of supersample^2 samples: (s, s, 3) uint8 sRGB."""
  return _develop(colour, supersample, _BYTES)


@numba.njit(cache=True, fastmath=True)
def _develop(colour, supersample, table):
  size = colour.shape[0] // supersample
  out = np.empty((size, size, 3), np.uint8)
  one, share = np.float32(1), np.float32(1 / supersample**2)
  shoulder, toe = np.float32(SHOULDER), np.float32(TOE)
  for y in range(size):
    for x in range(size):
      for c in range(3):
        total = np.float32(0)
        for j in range(supersample):
          for i in range(supersample):
            q = colour[y * supersample + j, x * supersample + i, c]
            total += q * (one + toe * q) / (one + shoulder * q)
        mean = min(max(total * share * np.float32(EXPOSURE), np.float32(0)), one)
        out[y, x, c] = table[int(np.sqrt(mean) * np.float32(_STEPS) + np.float32(0.5))]
  return out
