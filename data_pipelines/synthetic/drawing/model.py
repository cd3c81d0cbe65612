"""A person made ready to draw: one stacked mesh, materials, textures."""

import functools
from typing import NamedTuple

import cv2
import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.drawing import ambient, film, raster, shade, wrinkles
from data_pipelines.synthetic.people.heads import Identity
from data_pipelines.synthetic.people.mouth import TEETH, TONGUE, seat_teeth
from data_pipelines.synthetic.people.pieces import HAIR, LASHES, SKIN, Material

_BENDS = ('skin', 'hair', 'cloth')  # parts whose vertices turn by their own share
_COLUMNS = ('ref', 'weight', 'offset', 'uv', 'eye', 'turn', 'sky', 'flush')


class Model(NamedTuple):
  """The geometry of one person."""

  mesh: raster.Mesh
  part_slices: dict[str, slice]  # part -> its vertices


def _floats(values):
  return np.ascontiguousarray(values, np.float32)


def material_of(identity: Identity, name: str) -> Material:
  """The material of a part of the asset pack that the person has."""
  if name == 'skin':
    # From behind, skin is the inside of the mouth poking through a cheek: not drawn.
    return Material(SKIN, gloss=1.0, cull=True)
  if name.startswith('hair'):
    return Material(HAIR, tuple(identity.hair_colour), gloss=0.06, cut_out=True)
  if name.startswith('brow'):
    return Material(
      HAIR,
      tuple(identity.hair_colour * 0.8),
      gloss=0.06,
      see_through=True,
      casts=False,
    )
  if name == 'lashes':
    return Material(LASHES, see_through=True, casts=False)
  if name == 'eyes':
    return Material(shade.EYE, casts=False, cull=True)
  return {'teeth': TEETH, 'tongue': TONGUE}.get(name, Material())


@functools.lru_cache(maxsize=256)
def _flat_texture(part, halvings):
  """A shared texture, halved so many times: (h, w, 4) uint8."""
  return _halve(assets_lib.load_texture(part), halvings)


def _halve(image, halvings):
  for _ in range(halvings):
    size = (max(image.shape[1] // 2, 1), max(image.shape[0] // 2, 1))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
  return np.ascontiguousarray(image)


def build_mesh(identity: Identity) -> Model:
  """Hangs the person's parts on the mesh and stacks them."""
  assets = assets_lib.load_assets()
  columns = {name: [] for name in _COLUMNS}
  front = assets.vertices[assets.parts['teeth'].ref[:, 0], 2].max()
  triangles, ids, starts, vertices, positions = [], [], [0], 0, 0
  part_slices: dict[str, slice] = {}
  pieces = {piece.name: piece for piece in identity.pieces}
  for name in (*identity.parts, *pieces):
    part = pieces[name].part if name in pieces else assets.parts[name]
    count = len(part.ref)
    kept = part.triangles
    if name == 'skin':  # what the clothes hide is not drawn
      covered = assets.hidden[identity.cloth][part.ref[:, 0]]
      kept = kept[~covered[kept].all(1)]
    eye, size = np.zeros(count, np.int32), np.float32(identity.scale)
    turn = (assets.head_weight[part.ref] * part.weight).sum(1).clip(0, 1)
    if name == 'eyes':
      at = (identity.vertices[part.ref] * part.weight[..., None]).sum(1)
      away = np.linalg.norm(at[:, None] - identity.eye_centres, axis=-1)
      eye = away.argmin(1).astype(np.int32) + 1
      size = identity.eye_scale[eye - 1][:, None]
    if name in pieces:
      size = np.float32(1)
    if pieces[name].rigid if name in pieces else not name.startswith(_BENDS):
      turn = np.ones(count, np.float32)
    sky = np.ones(count)
    if name == 'skin':
      sky = assets.sky[part.ref[:, 0]]
    elif name in ('teeth', 'tongue'):  # darker further behind the front teeth
      behind = front - assets.vertices[part.ref[:, 0], 2]
      sky = np.clip((1.0 if name == 'teeth' else 0.45) - behind, 0, 1)
    columns['sky'].append(sky.astype(np.float32))
    flush = np.zeros(count, np.float32)
    if name == 'skin':
      flush = wrinkles.blush_places()[part.ref[:, 0]]
    columns['flush'].append(flush)
    columns['ref'].append(part.ref)
    columns['weight'].append(part.weight)
    offset = part.offset * size
    if name == 'teeth':
      offset = offset + seat_teeth(identity.vertices)
    columns['offset'].append(offset)
    columns['uv'].append(part.uv)
    columns['eye'].append(eye)
    columns['turn'].append(turn.astype(np.float32))
    triangles.append(kept + vertices)
    ids.append(part.position_id + positions)
    starts.append(starts[-1] + len(kept))
    part_slices[name] = slice(vertices, vertices + count)
    vertices += count
    positions += int(part.position_id.max()) + 1
  stacked = {key: np.concatenate(value) for key, value in columns.items()}
  mesh = raster.Mesh(
    neutral=_floats(identity.vertices),
    units=assets.units,
    eye_centres=_floats(identity.eye_centres),
    pivot=_floats(identity.pivot),
    position_id=np.concatenate(ids).astype(np.int32),
    triangles=np.ascontiguousarray(np.concatenate(triangles), np.int32),
    starts=np.array(starts, np.int32),
    bend=np.zeros(vertices, np.float32),
    **stacked,
  )
  return Model(mesh, part_slices)


def _oiled(skin):
  """The albedo with the oiliness in the alpha channel, one half = ordinary."""
  return np.dstack([skin.albedo, cv2.resize(skin.gloss, skin.albedo.shape[1::-1])])


def build_look(
  identity: Identity, mesh: raster.Mesh, rest: np.ndarray, side: int, hair_side: int
) -> shade.Look:
  """Materials and textures, each shrunk to about one texel per sample.

  Args:
    identity: the person.
    mesh: of the same person.
    rest: (m, 2) the vertices on the screen at rest, in crop units.
    side: samples along the picture's side that are shaded.
    hair_side: the same for hair, whose holes are cut at every sample.
  """
  own = {'skin': _oiled(identity.skin), **identity.textures}
  own |= {piece.name: piece.texture for piece in identity.pieces}
  materials = {name: material_of(identity, name) for name in identity.parts}
  materials |= {piece.name: piece.material for piece in identity.pieces}
  images = []
  for k, (name, material) in enumerate(materials.items()):
    texture = own[name] if name in own else assets_lib.load_texture(name)
    at = rest * (hair_side if material.cut_out else side)
    halvings = _halvings(mesh, k, at, texture.shape)
    if name in own:
      texture = _halve(texture, halvings)
      if texture.shape[2] == 3:
        texture = cv2.cvtColor(texture, cv2.COLOR_RGB2RGBA)
    else:
      texture = _flat_texture(name, halvings)
    images.append(texture)
  sizes = [image.shape[0] * image.shape[1] for image in images]
  drawn = materials.values()

  def column(name, kind):
    return np.array([getattr(m, name) for m in drawn], kind)

  return shade.Look(
    kind=column('kind', np.int32),
    tint=column('tint', np.float32),
    inner=column('inner', np.float32),
    gloss=column('gloss', np.float32),
    roughness=column('roughness', np.float32),
    opaque=~column('see_through', bool),
    cut_out=column('cut_out', bool),
    casts=column('casts', bool),
    cull=column('cull', bool),
    texels=np.concatenate([image.reshape(-1, 4) for image in images]),
    begin=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32),
    rows=np.array([image.shape[0] for image in images], np.int32),
    columns=np.array([image.shape[1] for image in images], np.int32),
    linear=film.LINEAR,
  )


def attach_light(
  mesh: raster.Mesh, look: shade.Look, moved: raster.Moved
) -> raster.Mesh:
  """The mesh with what each vertex sees of the sky and how the surface bends there.

  Args:
    mesh, look: of the same person.
    moved: the vertices at rest.
  """
  seen = ambient.open_sky(mesh, look, moved)
  # The inside of the mouth has its own measure: the lips move.
  inside = np.repeat(look.inner < 1, np.diff(mesh.starts))
  corners = np.unique(mesh.triangles[inside])
  sky = np.minimum(mesh.sky, seen)
  sky[corners] = mesh.sky[corners]
  bend = ambient.curvature(
    mesh.triangles, mesh.position_id, moved.positions, moved.normals
  )
  return mesh._replace(sky=_floats(sky), bend=bend)


def relief_side(mesh: raster.Mesh, rest: np.ndarray, side: int) -> int:
  """Texels along the skin's relief, a power of two: about one for each sample.

  Args:
    mesh, rest, side: as for `build_look`.
  """
  density = _density(mesh, 0, rest * side, (1, 1))
  return int(2 ** np.clip(np.round(-np.log2(max(density, 1e-6))), 7, 10))


def _halvings(mesh, part, screen, shape):
  """How often to halve a texture so that it has about a texel for each sample."""
  density = _density(mesh, part, screen, shape)
  return int(np.clip(np.floor(np.log2(max(density, 1e-3)) + 0.4), 0, 5))


def _density(mesh, part, screen, shape):
  """Texels along one sample: the median over the part's triangles."""
  corners = mesh.triangles[mesh.starts[part] : mesh.starts[part + 1]]

  def areas(xy):
    a, b, c = (xy[corners[:, i]] for i in range(3))
    (bx, by), (cx, cy) = (b - a).T, (c - a).T
    return np.abs(bx * cy - by * cx)

  on_screen = areas(screen)
  texels = areas(mesh.uv) * shape[0] * shape[1]
  seen = on_screen > 1e-6
  return np.sqrt(np.median(texels[seen] / on_screen[seen])) if seen.any() else 1.0
