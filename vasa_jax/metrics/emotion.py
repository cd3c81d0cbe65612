"""Reads the expression of a face with a small public net that we did not train.

A mini-Xception over grey 64 px faces with seven classes (the emotion net of the `human`
library, MIT). It is fetched by `python -m experiments.fetch_weights emotion` and never
vendored. The face is cut out upright around its 468-point mesh.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.metrics.emotion_view import CLASSES, SIZE
from vasa_jax.metrics.emotion_view import MARGIN as MARGIN
from vasa_jax.metrics.emotion_view import crop_face as crop_face


def load_reader() -> Callable[[np.ndarray], np.ndarray]:
  """`(n, 64, 64, 1)` crops to `(n, 7)` probabilities in the order of `CLASSES`.

  Raises:
    UserError: the weights are not fetched.
  """
  from vasa_jax.teachers.fetch import load_fetched
  from vasa_jax.teachers.graph import run_graph

  run = jax.jit(run_graph(load_fetched('emotion')))

  def read(crops: np.ndarray) -> np.ndarray:
    out = []
    for start in range(0, len(crops), 32):  # one shape, so one compilation
      part = crops[start : start + 32]
      full = np.concatenate([part, np.zeros((32 - len(part), SIZE, SIZE, 1))])
      out.append(np.asarray(run(jnp.asarray(full, jnp.float32)))[: len(part)])
    return np.concatenate(out) if out else np.zeros((0, len(CLASSES)), np.float32)

  return read
