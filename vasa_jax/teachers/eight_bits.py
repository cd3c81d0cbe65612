"""Weights in 8 bits: integers, and one step for each output of a matrix.

    name        int8, the weight over its step
    name:step   float32, of the last axis: the largest weight is 127 steps

What has fewer than two axes (biases, norms, statistics) stays as it is. A quarter of
float32 and half of float16 on disk; in memory everything is float32 again.
"""

from collections.abc import Mapping

import numpy as np

STEP = ':step'


def packed(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Flat float arrays as they are stored; each weight is within half a step."""
  stored = {}
  for name, array in arrays.items():
    # What is not contiguous would be stored in the order of its memory.
    array = np.ascontiguousarray(array)
    if array.ndim < 2 or array.dtype.kind != 'f':
      stored[name] = array
      continue
    array = array.astype(np.float32)
    step = np.abs(array).max(tuple(range(array.ndim - 1))) / 127
    step = np.maximum(step, np.finfo(np.float32).tiny)
    stored[name] = np.rint(array / step).astype(np.int8)
    stored[name + STEP] = step
  return stored


def unpacked(stored: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
  """The arrays again, float32 where there are steps; others untouched.

  Raises:
    ValueError: steps of something that is not there, or of another shape.
  """
  arrays = {name: a for name, a in stored.items() if not name.endswith(STEP)}
  for name, step in stored.items():
    if not name.endswith(STEP):
      continue
    of = name.removesuffix(STEP)
    if of not in arrays or arrays[of].shape[-1:] != step.shape:
      raise ValueError(f'{name} is the step of nothing')
    arrays[of] = arrays[of].astype(np.float32) * step.astype(np.float32)
  return arrays
