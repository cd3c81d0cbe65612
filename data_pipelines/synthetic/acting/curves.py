"""Curves that movements are made of: noise, bumps, steps, all at 25 frames a second."""

import numpy as np

FPS = 25


def drift(rng: np.random.Generator, frames: int, seconds: float) -> np.ndarray:
  """`(t,)` smooth noise of unit standard deviation (Ornstein-Uhlenbeck, smoothed).

  Args:
    rng: where the noise comes from.
    frames: how many frames at 25 Hz.
    seconds: correlation time of the result.
  """
  keep = np.exp(-2.0 / (FPS * seconds))
  noise = rng.standard_normal(frames)
  out = np.zeros(frames)
  fast = rng.standard_normal()
  slow = fast * 0.7 + 0.7 * rng.standard_normal()
  for i in range(frames):
    fast = keep * fast + np.sqrt(1.0 - keep * keep) * noise[i]
    slow = keep * slow + (1.0 - keep) * fast
    out[i] = slow
  # standard deviation of the second filter's output in its stationary state
  gain = np.sqrt((1.0 - keep) / (1.0 + keep) * (1.0 + keep**2) / (1.0 - keep**2))
  return out / gain


def bump(frames: int, centre: float, rise: float, fall: float) -> np.ndarray:
  """`(t,)` asymmetric bell of height 1; times in frames."""
  away = np.arange(frames) - centre
  return np.exp(-0.5 * (away / np.where(away < 0, rise, fall)) ** 2)


def ease(x: np.ndarray) -> np.ndarray:
  """Minimum-jerk step: 0 for x <= 0, 1 for x >= 1 (Flash and Hogan 1985)."""
  x = np.clip(x, 0.0, 1.0)
  return x**3 * (10.0 - 15.0 * x + 6.0 * x * x)


def plateau(
  frames: int, start: float, end: float, rise: float, fall: float
) -> np.ndarray:
  """`(t,)` that eases to 1 from `start` over `rise`, and to 0 by `end`; frames."""
  at = np.arange(frames)
  up = ease((at - start) / max(rise, 1e-6))
  return up * ease((end - at) / max(fall, 1e-6))


def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
  """`(t,)` through a Gaussian of `sigma` frames; ends are continued as they are."""
  reach = int(np.ceil(3 * sigma))
  kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
  padded = np.pad(np.asarray(values, np.float64), reach, mode='edge')
  return np.convolve(padded, kernel / kernel.sum(), 'valid')


def steps(
  frames: int, times: list[float], values: np.ndarray, length: np.ndarray
) -> np.ndarray:
  """`(t, k)` track that stands at `values[0]` and eases to `values[i]` at `times[i]`.

  Args:
    frames: t.
    times: n start frames of the movements, in order; the first is not looked at.
    values: `(n, k)` places.
    length: `(n,)` frames that each movement takes.
  """
  at = np.arange(frames)[:, None]
  track = np.tile(np.asarray(values[0], np.float64), (frames, 1))
  for i in range(1, len(times)):
    way = ease((at - times[i]) / max(float(length[i]), 1e-6))
    track = track + way * (values[i] - values[i - 1])
  return track
