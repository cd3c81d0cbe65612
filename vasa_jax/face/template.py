"""The head template: a linear head model that gives `lite` its geometric prior.

A head is `vertices = mean + shape @ basis` (64 unit-variance coefficients, the
principal components of the corpus's identity sampler), its expression adds the 52 face
units. The template holds what is needed to carry a portrait's pixels to another pose
and expression (`face/prior.py`) and to fit the head to 468 landmarks of a photograph
(`face/fit.py`).

NumPy only: data workers read it and must not import jax. Units are the corpus's model
units, relative to the neck pivot (x right, y up, z to the camera); the reference crop
is 3.15 units wide. Written by `data_pipelines/synthetic/pack_template.py`.
"""

import dataclasses
import functools
import pathlib

import numpy as np

PATH = pathlib.Path(__file__).with_name('template.npz')
FIELD_OF_VIEW = np.deg2rad(24.0)
REFERENCE_DISTANCE = 7.4
TARGET_HEIGHT = 0.8  # the camera looks at this height over the neck pivot
SKIN, EYEBALL, MOUTH = 0, 1, 2


@dataclasses.dataclass(frozen=True)
class Template:
  """A linear head. `v` vertices, `s` surface samples (surfels), `k` = 64.

  Attributes:
    mean: `(v, 3)` mean neutral head.
    basis: `(k, v, 3)` unit-variance identity directions.
    units: `(52, v, 3)` displacement of each face unit at value 1.
    head_weight: `(v,)` share of the head's rotation that a vertex follows, 0..1.
    eye: `(v,)` 0 elsewhere, 1 the eye on the image's right, 2 on its left.
    kind: `(v,)` SKIN, EYEBALL or MOUTH (teeth, tongue, cavity).
    surfel_index, surfel_weight: `(s, 3)` vertices and barycentric weights.
    landmark_index, landmark_weight: `(468, 3)` where the landmarks of the face mesh
    sit.
  """

  mean: np.ndarray
  basis: np.ndarray
  units: np.ndarray
  head_weight: np.ndarray
  eye: np.ndarray
  kind: np.ndarray
  surfel_index: np.ndarray
  surfel_weight: np.ndarray
  landmark_index: np.ndarray
  landmark_weight: np.ndarray

  def vertices(self, shape: np.ndarray) -> np.ndarray:
    """`(..., k)` identity coefficients -> `(..., v, 3)` neutral vertices."""
    return self.mean + np.tensordot(shape, self.basis, 1)

  def shape_of(self, vertices: np.ndarray) -> np.ndarray:
    """Neutral vertices `(v, 3)` -> the `(k,)` coefficients nearest to them."""
    flat = self.basis.reshape(len(self.basis), -1)
    # The basis is orthogonal, each row scaled by its standard deviation.
    return flat @ (vertices - self.mean).ravel() / np.square(flat).sum(1)


@functools.lru_cache(maxsize=1)
def load_template() -> Template:
  """Reads the template that ships with the package."""
  with np.load(PATH) as file:
    arrays = {name: file[name] for name in file.files}
  for name in ('mean', 'basis', 'units'):
    arrays[name] = arrays[name].astype(np.float32) * arrays.pop(f'{name}_step')
  for name in ('surfel_weight', 'landmark_weight', 'head_weight'):
    arrays[name] = arrays[name].astype(np.float32)
  for name in ('surfel_index', 'landmark_index', 'eye', 'kind'):
    arrays[name] = arrays[name].astype(np.int32)
  return Template(**arrays)
