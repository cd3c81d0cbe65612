"""A person made ready to draw: one stacked mesh, materials, textures."""

import functools
from typing import NamedTuple

import cv2
import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic import raster, shade
from data_pipelines.synthetic.heads import Identity
from data_pipelines.synthetic.pieces import HAIR, LASHES, PLAIN, SKIN, Material

_BENDS = ('skin', 'hair', 'cloth')  # parts whose vertices turn by their own share
_COLUMNS = ('ref', 'weight', 'offset', 'uv', 'eye', 'turn', 'sky')


class Model(NamedTuple):
  """The geometry of one person."""

  mesh: raster.Mesh
  part_slices: dict[str, slice]  # part -> its vertices


def _floats(values):
  return np.ascontiguousarray(values, np.float32)


def material_of(identity: Identity, name: str) -> Material:
  """The material of a part of the asset pack that the person has."""
  if name == 'skin':
    return Material(SKIN, gloss=0.16, roughness=14.0)
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
    return Material(gloss=0.9, roughness=180.0, casts=False, cull=True)
  if name == 'teeth':
    tint = (1.15, 1.05, 0.92)
    return Material(PLAIN, tint, 0.8, 0.2, 40.0, casts=False, cull=True)
  if name == 'tongue':
    return Material(inner=0.55, gloss=0.15, casts=False, cull=True)
  return Material(tint=tuple(identity.cloth_tint))


@functools.lru_cache(maxsize=256)
def _flat_texture(part, halvings):
  """A shared texture, halved so many times: (h, w, 4) uint8."""
  return _halve(assets_lib.load_texture(part), halvings)


def _halve(image, halvings):
  for _ in range(halvings):
    size = (max(image.shape[1] // 2, 1), max(image.shape[0] // 2, 1))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
  return np.ascontiguousarray(image)


def _fade(image, saturation):
  """A texture with its colours drawn towards a light grey, which a tint then dyes."""
  grey = image[..., :3].mean(-1, keepdims=True)
  grey = np.clip(grey * (150 / max(float(grey.mean()), 60.0)), 0, 255)
  out = image.copy()
  out[..., :3] = grey + (image[..., :3] - grey) * np.float32(saturation)
  return out


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
    columns['ref'].append(part.ref)
    columns['weight'].append(part.weight)
    columns['offset'].append(part.offset * size)
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
    **stacked,
  )
  return Model(mesh, part_slices)


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
  own = {'skin': identity.skin.albedo, 'eyes': identity.eye_texture}
  own[identity.cloth] = _fade(
    assets_lib.load_texture(identity.cloth), identity.cloth_saturation
  )
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
    linear=_floats((np.arange(256) / 255) ** shade.GAMMA),
  )


def _halvings(mesh, part, screen, shape):
  """How often to halve a texture so that it has about a texel for each sample."""
  corners = mesh.triangles[mesh.starts[part] : mesh.starts[part + 1]]

  def areas(xy):
    a, b, c = (xy[corners[:, i]] for i in range(3))
    (bx, by), (cx, cy) = (b - a).T, (c - a).T
    return np.abs(bx * cy - by * cx)

  on_screen = areas(screen)
  texels = areas(mesh.uv) * shape[0] * shape[1]
  seen = on_screen > 1e-6
  density = np.sqrt(np.median(texels[seen] / on_screen[seen])) if seen.any() else 1.0
  return int(np.clip(np.floor(np.log2(max(density, 1e-3)) + 0.4), 0, 5))
