"""The step without corners, of NumPy's and JAX's arrays alike."""

from vasa_jax.types import Array


def smooth_step(x: Array) -> Array:
  """0 up to 0, 1 from 1 on, `3 x^2 - 2 x^3` between; any shape."""
  x = x.clip(0, 1)
  return x * x * (3 - 2 * x)
