"""Reads MakeHuman's files: base mesh, shape targets, and proxies hung on the mesh."""

import json

import numpy as np


def parse_obj(text):
  """Vertices (n, 3), texture coordinates (m, 2) and faces of a Wavefront file.

  Each face is (group, vertex indices, texture indices), indices from 0.
  """
  vertices, uvs, faces, group = [], [], [], ''
  for line in text.splitlines():
    key, _, rest = line.partition(' ')
    if key == 'v':
      vertices.append([float(x) for x in rest.split()[:3]])
    elif key == 'vt':
      uvs.append([float(x) for x in rest.split()[:2]])
    elif key == 'g':
      group = rest.strip()
    elif key == 'f':
      corners = [c.split('/') for c in rest.split()]
      faces.append(
        (group, [int(c[0]) - 1 for c in corners], [int(c[1]) - 1 for c in corners])
      )
  return np.array(vertices), np.array(uvs), faces


def parse_target(text, count):
  """Displacements (count, 3) of a MakeHuman target: lines `index dx dy dz`."""
  delta = np.zeros((count, 3), np.float32)
  for line in text.splitlines():
    if line.strip() and not line.startswith('#'):
      index, *xyz = line.split()
      delta[int(index)] = [float(x) for x in xyz[:3]]
  return delta


def parse_proxy(text):
  """A proxy mesh: faces, uv, and how its vertices hang on the base mesh.

  The file follows three.js JSON model format 3: each face starts with a bit mask
  (1 quad, 2 material, 4/8 face/vertex uv, 16/32 normals, 64/128 colours).
  """
  data = json.loads(text)
  stream, faces, face_uvs, i = data['faces'], [], [], 0
  while i < len(stream):
    mask = stream[i]
    corners = 4 if mask & 1 else 3
    i += 1
    faces.append(stream[i : i + corners])
    i += corners + bool(mask & 2) + bool(mask & 4)
    face_uvs.append(stream[i : i + corners] if mask & 8 else None)
    i += corners * bool(mask & 8) + bool(mask & 16) + corners * bool(mask & 32)
    i += bool(mask & 64) + corners * bool(mask & 128)
  ref = np.array([r if isinstance(r, list) else [r] * 3 for r in data['ref_vIdxs']])
  return {
    'faces': faces,
    'face_uvs': face_uvs,
    'uv': np.array(data['uvs'][0]).reshape(-1, 2),
    'ref': ref,
    'weight': np.array(data['weights'], float),
    'offset': np.array(data['offsets'], float),
    'texture': data['materials'][0].get('mapDiffuse'),
    'hidden': np.array(data['metadata'].get('deleteVerts', []), bool),
  }


def make_part(faces, face_uvs, uv, ref, weight, offset):
  """Triangles over unique (vertex, uv) pairs; `position_id` joins the uv seams."""
  triangles = [
    ((f[0], t[0]), (f[k], t[k]), (f[k + 1], t[k + 1]))
    for f, t in zip(faces, face_uvs, strict=True)
    for k in range(1, len(f) - 1)
  ]
  pairs = np.array(triangles).reshape(-1, 2)
  unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
  source = unique[:, 0]
  return {
    'triangles': inverse.reshape(-1, 3),
    'uv': uv[unique[:, 1]],
    'ref': ref[source],
    'weight': weight[source],
    'offset': offset[source],
    'position_id': np.unique(source, return_inverse=True)[1].reshape(-1),
  }
