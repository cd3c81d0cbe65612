"""Beards and moustaches: cards that hang on the skin and move with the jaw."""

import numpy as np

from data_pipelines.synthetic.pieces import Piece
from data_pipelines.synthetic.traits import Traits


def grow_beard(traits: Traits, vertices: np.ndarray) -> tuple[Piece, ...]:
  """The beard of a person: none, one or several pieces.

  Args:
    traits: of the person.
    vertices: (n, 3) the person's neutral mesh.
  """
  del traits, vertices
  return ()
