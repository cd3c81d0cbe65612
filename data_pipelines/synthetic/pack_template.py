"""Writes the head template that `lite` carries: `vasa_jax/face/template.npz`.

  python -m data_pipelines.synthetic.pack_template [--out FILE]

Principal components of sampled people, the face units, surface samples for splatting,
and
where the 468 landmarks of the face mesh net sit on the head: the net looks at rendered
frontal heads, each landmark is traced back to the surface, the median over people
holds.
"""

import argparse
import pathlib

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.drawing import render, scene
from data_pipelines.synthetic.filming.backdrop import sample_backdrop
from data_pipelines.synthetic.people import heads
from data_pipelines.synthetic.shape import selection, template_vertices

PEOPLE, COMPONENTS, TRACED = 600, 64, 80
CELL = 0.022  # spacing of surface samples, model units
OUT = pathlib.Path(__file__).parents[2] / 'vasa_jax' / 'face' / 'template.npz'
SKIN, EYEBALL, MOUTH = 0, 1, 2
LOWER_RIM = (14, 87, 178, 88, 95, 96, 317, 402, 318, 324, 325)
LOWER_LIDS = (7, 163, 144, 145, 153, 154, 155, 249, 390, 373, 374, 380, 381, 382)
FACE = 1.0  # depth before which skin is face, not the inside of an eye's socket


def linear_head():
  """Everything but samples and landmarks, and the template's skin triangles."""
  assets, kept = assets_lib.load_assets(), selection()
  people = [template_vertices(heads.sample_identity(10_000 + i)) for i in range(PEOPLE)]
  data = np.stack(people).reshape(PEOPLE, -1)
  mean = data.mean(0)
  _, scale, rows = np.linalg.svd(data - mean, full_matrices=False)
  deviation = scale[:COMPONENTS, None] / np.sqrt(PEOPLE - 1)
  basis = (rows[:COMPONENTS] * deviation).reshape(COMPONENTS, -1, 3)
  mean = mean.reshape(-1, 3)

  units, weight, kind, eye, triangles, start = [], [], [], [], {}, 0
  for name, index in kept.items():
    part, count = assets.parts[name], len(index)
    ref, share = part.ref[index], part.weight[index]
    moved = (assets.units[:, ref] * share[..., None]).sum(2)
    units.append(np.zeros_like(moved) if name == 'eyes' else moved)
    turn = (
      (assets.head_weight[ref] * share).sum(1) if name == 'skin' else np.ones(count)
    )
    weight.append(turn.clip(0, 1))
    kind.append(np.full(count, {'skin': SKIN, 'eyes': EYEBALL}.get(name, MOUTH)))
    right = mean[start : start + count, 0] > 0
    eye.append(np.where(right, 1, 2) * (name == 'eyes'))
    place = np.full(part.position_id.max() + 1, -1)
    place[part.position_id[index]] = np.arange(count)
    corners = place[part.position_id[part.triangles]]
    triangles[name] = corners[(corners >= 0).all(1)] + start
    start += count
  head = {
    'mean': mean,
    'basis': basis,
    'units': np.concatenate(units, 1),
    'head_weight': np.concatenate(weight),
    'kind': np.concatenate(kind),
    'eye': np.concatenate(eye),
  }
  # Skin behind the teeth's front, within their box, lines the mouth.
  teeth = mean[-len(kept['teeth']) :]
  low, high = teeth.min(0), teeth.max(0)
  box = (np.abs(mean[:, 0]) < 0.85 * high[0]) & (mean[:, 2] < high[2] - 0.08)
  box &= (mean[:, 1] > low[1]) & (mean[:, 1] < high[1] + 0.02) & (mean[:, 2] > low[2])
  head['kind'] = np.where(box & (head['kind'] == SKIN), MOUTH, head['kind'])
  return head, triangles


def _normals(points, faces):
  """Normals (t, 3) as long as the triangles' areas."""
  a, b, c = (points[faces[:, i]] for i in range(3))
  return np.cross(b - a, c - a) / 2


def surface_samples(head, triangles, rng):
  """Vertices, and extra samples where triangles are large: index and weight (s, 3)."""
  mean, index, weight = head['mean'], [], []
  corner = np.array([[1.0, 0, 0]])
  for name, faces in triangles.items():
    if name == 'teeth':
      # A quarter of their vertices is kept, so they are points, not triangles.
      points = np.nonzero(head['kind'] == MOUTH)[0][-len(selection()['teeth']) :]
      index.append(np.repeat(points[:, None], 3, 1))
      weight.append(np.repeat(corner, len(points), 0))
      continue
    normal = _normals(mean, faces)
    facing = normal[:, 2] > -0.35 * np.linalg.norm(normal, axis=1)
    # A lid is a narrow fold until it closes: it is sampled for its largest extent.
    closed = mean + head['units'][[8, 9]].sum(0)
    area = np.maximum(np.abs(normal[:, 2]), np.abs(_normals(closed, faces)[:, 2]))
    on_lid = (np.abs(closed - mean).max(-1) > 0.01)[faces].any(1)
    cell = CELL * {'eyes': 0.6, 'tongue': 1.5}.get(name, 1.0)
    cell = np.where(on_lid, 0.5 * cell, cell)
    counts = np.floor(0.8 * area / cell**2 + rng.random(len(faces)))
    which = np.repeat(np.arange(len(faces)), (counts * facing).clip(0, 40).astype(int))
    u = rng.random((len(which), 2))
    u = np.where(u.sum(1, keepdims=True) > 1, 1 - u, u)
    index.append(faces[which])
    weight.append(np.stack([1 - u.sum(1), u[:, 0], u[:, 1]], 1))
    used = np.unique(faces[facing])
    index.append(np.repeat(used[:, None], 3, 1))
    weight.append(np.repeat(corner, len(used), 0))
  return np.concatenate(index), np.concatenate(weight)


def _barycentric(points, corners):
  """Weights (p, t, 3) of 2-D points (p, 2) in triangles (t, 3, 2)."""
  a, ab, ac = (
    corners[:, 0],
    corners[:, 1] - corners[:, 0],
    corners[:, 2] - corners[:, 0],
  )
  area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
  area = np.where(np.abs(area) < 1e-12, 1e-12, area)
  away = points[:, None] - a
  v = (away[..., 0] * ac[:, 1] - away[..., 1] * ac[:, 0]) / area
  w = (ab[:, 0] * away[..., 1] - ab[:, 1] * away[..., 0]) / area
  return np.stack([1 - v - w, v, w], -1)


def landmarks(head, faces):
  """Where the landmarks sit: vertex index and weight (468, 3)."""
  from vasa_jax.inference.finding.portrait import find_portrait

  # Lips apart, so that upper and lower lip are told apart.
  units = np.zeros(52, np.float32)
  units[assets_lib.UNITS.index('jawOpen')] = 0.12
  opened = np.tensordot(units, head['units'], 1)
  faces = faces[_normals(head['mean'] + opened, faces)[:, 2] > 0]
  jaw = head['units'][assets_lib.UNITS.index('jawOpen')]
  sinks = jaw[faces][..., 1].mean(1) < -0.15
  lower = faces[sinks & (head['mean'][faces][..., 2].min(1) > 0.9)]
  shares = np.array([(i, j, 6 - i - j) for i in range(7) for j in range(7 - i)]) / 6
  renderer, traced = render.Renderer(512, 2), []
  for seed in range(20_000, 20_000 + TRACED):
    rng = np.random.default_rng(seed)
    person = heads.sample_identity(seed)
    if person.hair in ('hair_bob01', 'hair_bob02', 'hair_short03'):
      continue  # they hide an eye
    renderer.load(person, sample_backdrop(rng, 128).picture)
    picture = renderer.frame(
      units, np.array([0, 0, 0, 0.1, 0, 0]), np.zeros(2), scene.sample_light(rng)
    ).picture
    try:
      found = find_portrait(picture, size=512)
    except Exception as error:  # a face the net does not find teaches nothing
      print(f'person {seed}: {error}')
      continue
    screen = found.to_picture(found.points * 512) / 512
    points = template_vertices(person) + opened
    x, y, z = (points - [0, render.TARGET_HEIGHT, 0]).T
    span = 2 * np.tan(np.deg2rad(12)) * (render.CAMERA_DISTANCE * np.exp(0.1) - z)
    flat = np.stack([0.5 + x / span, 0.5 - y / span], -1)
    weights = _barycentric(screen, flat[faces])
    inside = (weights > -1e-6).all(-1)
    depth = np.where(inside, (weights * z[faces]).sum(-1), -np.inf)
    best = depth.argmax(1)
    rows = np.arange(len(screen))
    at = (weights[rows, best][..., None] * head['mean'][faces[best]]).sum(1)
    at[~inside.any(1)] = np.nan
    # Between the opened lips a ray meets no skin before the neck: the inner rim of the
    # lower lip is the nearest place on the screen that the jaw takes along.
    rim = np.einsum('sk,tkc->tsc', shares, flat[lower]).reshape(-1, 2)
    near = np.square(rim[:, None] - screen[list(LOWER_RIM)]).sum(-1).argmin(0)
    corners = lower[near // len(shares)]
    weight = shares[near % len(shares)]
    at[list(LOWER_RIM)] = (weight[..., None] * head['mean'][corners]).sum(1)
    traced.append(at)
  places = np.nanmedian(np.stack(traced), 0)
  spread = np.nanmedian(np.abs(np.stack(traced) - places), 0)
  print(f'{len(traced)} people; median spread {np.nanmean(spread):.4f} model units')
  # Back onto the mean head: the nearest sample of every triangle, finely.
  # Lips touch at rest: the lower rim is looked for on what the jaw takes along. A ray
  # just above a lower lid meets the socket behind the eye; lids lie before it.
  front = faces[head['mean'][faces][..., 2].min(1) > FACE]
  index, weight = [], []
  for mark, place in enumerate(places):
    on_lid = mark in LOWER_LIDS
    among = lower if mark in LOWER_RIM else front if on_lid else faces
    cloud = np.einsum('sk,tkc->tsc', shares, head['mean'][among]).reshape(-1, 3)
    apart = np.square(cloud - place)[:, : 2 if on_lid else 3]
    near = int(apart.sum(1).argmin())
    index.append(among[near // len(shares)])
    weight.append(shares[near % len(shares)])
  return np.stack(index), np.stack(weight)


def main():
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--out', type=pathlib.Path, default=OUT)
  out = parser.parse_args().out
  head, triangles = linear_head()
  arrays = {}
  for name in ('mean', 'basis', 'units'):
    step = np.float32(np.abs(head[name]).max() / 32_000)
    arrays[name] = np.round(head[name] / step).astype(np.int16)
    arrays[f'{name}_step'] = step
    # Samples are drawn on the head as it will be read.
    head[name] = arrays[name].astype(np.float32) * step
  index, weight = surface_samples(head, triangles, np.random.default_rng(0))
  skin = triangles['skin']
  outside = skin[(head['kind'][skin] == SKIN).all(1)]
  marks, shares = landmarks(head, outside)
  arrays |= {
    'surfel_index': index.astype(np.uint16),
    'surfel_weight': weight.astype(np.float16),
    'landmark_index': marks.astype(np.uint16),
    'landmark_weight': shares.astype(np.float16),
    'head_weight': head['head_weight'].astype(np.float16),
    'eye': head['eye'].astype(np.uint8),
    'kind': head['kind'].astype(np.uint8),
  }
  np.savez_compressed(out, **arrays)
  print(
    f'{out}: {len(head["mean"])} vertices, {len(index)} samples, '
    f'{out.stat().st_size / 1e6:.2f} MB'
  )


if __name__ == '__main__':
  main()
