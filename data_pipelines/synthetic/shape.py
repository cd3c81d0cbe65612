"""A rendered person in terms of the head template of `vasa_jax/face/template.py`.

The template keeps the part of the mesh that turns with the head: skin, eyeballs, tongue
and a quarter of the teeth; every place once (texture seams double vertices).
"""

import functools

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.people.mouth import seat_teeth

PARTS = ('skin', 'eyes', 'tongue', 'teeth')
TEETH_STRIDE = 4
STATIC = 0.02  # skin that follows less of the head's rotation than this is left out


@functools.lru_cache(maxsize=1)
def selection() -> dict[str, np.ndarray]:
  """The vertices of each part that the template keeps, in its order."""
  assets, kept = assets_lib.load_assets(), {}
  for name in PARTS:
    part = assets.parts[name]
    first = np.unique(part.position_id, return_index=True)[1]
    if name == 'skin':
      turn = (assets.head_weight[part.ref[first]] * part.weight[first]).sum(1)
      first = first[turn > STATIC]
    kept[name] = first[::TEETH_STRIDE] if name == 'teeth' else first
  return kept


def template_vertices(identity) -> np.ndarray:
  """The person's neutral head as template vertices, (v, 3), relative to the pivot."""
  assets, rows = assets_lib.load_assets(), []
  for name, index in selection().items():
    part = assets.parts[name]
    ref, weight = part.ref[index], part.weight[index][..., None]
    at, size = (identity.vertices[ref] * weight).sum(1), identity.scale
    if name == 'eyes':
      away = np.linalg.norm(at[:, None] - identity.eye_centres, axis=-1)
      size = identity.eye_scale[away.argmin(1)][:, None]
    at = at + part.offset[index] * size
    rows.append(at + seat_teeth(identity.vertices)[index] if name == 'teeth' else at)
  return (np.concatenate(rows) - identity.pivot).astype(np.float32)


def identity_shape(identity) -> np.ndarray:
  """The person's 64 identity coefficients, float32 (`Template.shape_of`)."""
  from vasa_jax.face.template import load_template

  return load_template().shape_of(template_vertices(identity)).astype(np.float32)
