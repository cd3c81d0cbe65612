"""What is not known of a picture, by what lies round it."""

import numpy as np

from vasa_jax.face.splat import pull_push
from vasa_jax.inference.programs import kept

_pull_push = kept(pull_push, 'pull and push')


def fill(picture: np.ndarray, known: np.ndarray) -> np.ndarray:
  """Continues a picture smoothly into what is not known of it.

  Args:
    picture: `(n, n, 3)`, n a power of two.
    known: `(n, n)`, 1 or 0.

  Returns:
    The picture where it is known, means of its surroundings elsewhere; all zeros where
    nothing is known.
  """
  known = known[..., None]
  filled, _ = _pull_push(np.concatenate([picture * known, known], -1))
  return np.asarray(filled)
