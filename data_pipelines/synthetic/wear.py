"""What a person wears beside clothes: glasses, earrings, hats, coverings, scarves."""

import numpy as np

from data_pipelines.synthetic.hair import Hair
from data_pipelines.synthetic.pieces import Piece
from data_pipelines.synthetic.traits import Traits


def dress(
  traits: Traits, vertices: np.ndarray, hair: Hair
) -> tuple[Hair, tuple[Piece, ...]]:
  """What the person wears, and the hair that is left to see under it.

  Args:
    traits: of the person.
    vertices: (n, 3) the person's neutral mesh.
    hair: of the person.
  """
  del traits, vertices
  return hair, ()
