"""The 468 landmarks of the face mesh on a rendered person, exact in every frame."""

import functools

import numpy as np

from data_pipelines.synthetic import shape


@functools.lru_cache(maxsize=1)
def _corners():
  """Per landmark three (part, vertex of the part), and their weights."""
  from vasa_jax.face.template import load_template

  template = load_template()
  parts, vertices = [], []
  for number, kept in enumerate(shape.selection().values()):
    parts += [number] * len(kept)
    vertices.append(kept)
  index = template.landmark_index
  part = np.array(parts)[index]
  vertex = np.concatenate(vertices)[index]
  return part, vertex, template.landmark_weight


def screen_landmarks(screen: np.ndarray, part_slices: dict[str, slice]) -> np.ndarray:
  """Where the landmarks are seen, `(468, 2)` float32 x, y in the unit of `screen`.

  They are given for hidden ones too, as a face mesh gives them.

  Args:
    screen: `(m, 3)` all vertices of a person on the screen.
    part_slices: which of them belong to which part.
  """
  part, vertex, weight = _corners()
  starts = np.array([part_slices[name].start for name in shape.PARTS])
  at = screen[starts[part] + vertex, :2]
  return (at * weight[..., None]).sum(1).astype(np.float32)
