"""The points of a person whose place in every frame is told along with the picture."""

import functools

import numpy as np

from data_pipelines import errors
from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.drawing import raster, shade
from data_pipelines.synthetic.drawing.model import Model
from data_pipelines.synthetic.people.heads import Identity

POINTS = 384
SCREEN = (
  128  # pixels of the screen on which it is judged what can be seen from the front
)

# How the tracked points are shared out; what a person lacks goes to the face.
POINT_SHARES = {'face': 192, 'hair': 64, 'head': 56, 'cloth': 48, 'eyes': 24}
VISIBLE_BEHIND, VISIBLE_BEFORE = 0.02, 0.06  # mesh units of slack at the depth test


@functools.lru_cache(maxsize=1)
def _mobility() -> np.ndarray:
  """(n,) how far the face units move each base vertex, 0..1."""
  moved = np.linalg.norm(assets_lib.load_assets().units, axis=-1).sum(0)
  return moved / moved.max()


def choose_points(
  identity: Identity,
  model: Model,
  look: shade.Look,
  moved: raster.Moved,
  screen: np.ndarray,
) -> np.ndarray:
  """Picks the vertices to track, the same for the same person at every size.

  Half lie on the face, more where the face moves more; a vertex that cannot be
  seen from the front (inside of the mouth, under the hair) is rarely taken.

  Args:
    identity, model, look: the person.
    moved: the vertices at rest.
    screen: (m, 3) the same on a screen of `SCREEN` pixels, by `raster.project`.

  Returns:
    (384,) indices of vertices.

  Raises:
    UserError: the person has fewer vertices than that.
  """
  mesh = model.mesh
  rng = np.random.default_rng([identity.seed, 0x90])
  buffers = raster.new_buffers(SCREEN)
  for k in range(len(look.kind)):
    if look.opaque[k]:
      raster.fill(
        buffers, screen, mesh, mesh.starts[k], mesh.starts[k + 1], False,
        look.texels, 0, 1, 1, bool(look.cull[k]), False,
      )  # fmt: skip
  seen = visible(screen, buffers.depth)

  def belongs(*starts):
    out = np.zeros(len(mesh.ref), bool)
    for name, where in model.part_slices.items():
      out[where] = name.startswith(starts)
    return out

  skin, eyes = belongs('skin'), belongs('eyes')
  mobile = _mobility()[mesh.ref[:, 0]]
  drawn = np.zeros(len(mesh.ref), bool)
  drawn[mesh.triangles] = True
  # One vertex of each place: seams would count twice.
  first = np.zeros(mesh.position_id.max() + 1, np.int64)
  first[mesh.position_id[::-1]] = np.arange(len(mesh.ref))[::-1]
  first = np.bincount(first, minlength=len(mesh.ref)) > 0
  odds = np.where(seen, 1.0, 0.05) * (drawn & first)
  in_face = (mesh.turn > 0.99) & (screen[:, 2] < np.median(screen[:, 2])) & seen
  groups = {
    'face': skin & in_face & (mobile > 0.01),
    'hair': belongs('hair', 'hat') & _solid(identity, model),
    'head': skin & ~(in_face & (mobile > 0.01)),
    'cloth': belongs(identity.cloth),
    'eyes': eyes & (moved.normals[:, 2] > 0.6),
  }
  chosen, spare = [], 0
  for group in ('hair', 'head', 'cloth', 'eyes', 'face'):
    weight = odds * groups[group]
    if group == 'face':
      weight = weight * (0.05 + np.sqrt(mobile))
    if group == 'eyes':
      weight = (groups[group] & first).astype(float)
    wanted = POINT_SHARES[group] + (spare if group == 'face' else 0)
    count = min(wanted, int((weight > 0).sum()))
    spare += wanted - count
    if count:
      chosen.append(
        rng.choice(len(weight), count, replace=False, p=weight / weight.sum())
      )
  indices = np.concatenate(chosen)
  if len(indices) != POINTS:
    raise errors.UserError(f'identity {identity.seed}: too few vertices to track')
  return indices


def _solid(identity, model):
  """(m,) bool: the vertex is not in a hole of its texture (hair is cut out)."""
  solid = np.ones(len(model.mesh.ref), bool)
  own = {piece.name: piece.texture for piece in identity.pieces}
  for name, where in model.part_slices.items():
    if name.startswith(('hair', 'hat')):
      texture = own[name] if name in own else assets_lib.load_texture(name)
      alpha = texture[..., 3]
      rows, columns = alpha.shape
      uv = model.mesh.uv[where]
      row = np.floor((1 - uv[:, 1]) * rows).astype(int) % rows
      column = np.floor(uv[:, 0] * columns).astype(int) % columns
      solid[where] = alpha[row, column] > 160
  return solid


def visible(screen: np.ndarray, depth: np.ndarray) -> np.ndarray:
  """(k,) bool: inside the picture, and at the depth of what is drawn there.

  `screen` (k, 3) is in samples, as `raster.project` gives it; `depth` (s, s) is the
  depth buffer. The neighbours of the sample count too, for a vertex at an edge.
  """
  size = depth.shape[0]
  column = np.floor(screen[:, 0]).astype(int)
  row = np.floor(screen[:, 1]).astype(int)
  inside = (column >= 0) & (row >= 0) & (column < size) & (row < size)
  column, row = column.clip(0, size - 1), row.clip(0, size - 1)
  distance = -1 / screen[:, 2]
  near, far = np.full(len(screen), np.inf), np.full(len(screen), -np.inf)
  for j in (-1, 0, 1):
    for i in (-1, 0, 1):
      around = depth[(row + j).clip(0, size - 1), (column + i).clip(0, size - 1)]
      at = np.where(around < 0, -1 / np.minimum(around, -1e-9), np.inf)
      near = np.minimum(near, at)
      far = np.maximum(far, np.where(np.isfinite(at), at, -np.inf))
  return inside & (distance < far + VISIBLE_BEHIND) & (distance > near - VISIBLE_BEFORE)
