"""Writes the mouth that inference draws between a portrait's lips.

  python -m data_pipelines.synthetic.pack_mouth [--out FILE]

Pictures of the corpus's own teeth, gums and tongue, without lips, without perspective
and evenly lit: what hangs on the skull, and what goes with the jaw, for each of some
views below each other. Teeth and tongue are those of one adult, on the mean of sampled
heads, so that the pictures lie in the coordinates of the head template.
`inference/drawing/mouth_pictures.py` reads them.
"""

import argparse
import pathlib

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.people import heads
from data_pipelines.synthetic.people.mouth import paint_teeth, paint_tongue, seat_teeth

OUT = pathlib.Path(__file__).parents[2] / 'vasa_jax/inference/assets/mouth.png'
PEOPLE, PERSON = 60, 37  # heads that are averaged; whose teeth are painted
FINER = 4  # times the picture's side at which it is drawn
CHEEK = 0.05  # model units: triangles that are higher join the rows
TONGUE_BACK = 0.08  # model units; at rest the tongue leans through the lower teeth
# Light that a surface keeps when it is turned away, and the way to the lamp.
SHADE, LAMP = 0.5, np.array([0.0, 0.25, 0.97])
BEHIND = 0.78  # of the light: upper lip and teeth lie before what goes with the jaw


def mean_parts() -> dict[str, np.ndarray]:
  """Vertices of teeth and tongue on the mean head, relative to its pivot."""
  assets = assets_lib.load_assets()
  total = {'teeth': 0.0, 'tongue': 0.0}
  for seed in range(10_000, 10_000 + PEOPLE):
    person = heads.sample_identity(seed)
    for name in total:
      part = assets.parts[name]
      at = (person.vertices[part.ref] * part.weight[..., None]).sum(1)
      at = at + part.offset * person.scale - person.pivot
      if name == 'teeth':
        at = at + seat_teeth(person.vertices)
      total[name] = total[name] + at / PEOPLE
  return total


def goes_with_jaw(part) -> np.ndarray:
  """`(t,)` bool: triangles of a part that sink as the jaw opens."""
  assets = assets_lib.load_assets()
  jaw = assets.units[assets_lib.UNITS.index('jawOpen')]
  sinks = (jaw[part.ref] * part.weight[..., None]).sum(1)[:, 1] < -0.02
  return sinks[part.triangles].all(1)


def is_row(places: np.ndarray, part) -> np.ndarray:
  """`(t,)` bool: triangles of teeth and gums, not of the cheeks that join both rows."""
  return np.ptp(places[part.triangles][..., 1], axis=1) < CHEEK


def lit(places: np.ndarray, part) -> np.ndarray:
  """Light on each vertex of a part, `(m,)`, by the mean normal of its faces."""
  corners = places[part.triangles]
  normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
  total = np.zeros((part.position_id.max() + 1, 3))
  for corner in range(3):
    np.add.at(total, part.position_id[part.triangles[:, corner]], normals)
  total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
  return (SHADE + (1 - SHADE) * (total @ LAMP).clip(0))[part.position_id]


def drawn(box, side: int, pieces) -> np.ndarray:
  """Triangles seen from the front, `(h, w, 4)` float in [0, 1], colour not multiplied.

  Args:
    box: what part of the view is drawn, a `mouth_pictures.Box`.
    side: width of the picture, px.
    pieces: of `(corners (t, 3, 3), light (t, 3), uv (t, 3, 2), texture (s, s, 4) in
      [0, 1])`.
  """
  wide, high = (FINER * px for px in (side, box.rows))
  picture, depth = np.zeros((high, wide, 4)), np.full((high, wide), -np.inf)
  scale = wide / (box.right - box.left)
  for corners, lights, uvs, texture in pieces:
    screen = (corners[..., :2] - [box.left, box.top]) * [scale, -scale]
    texture = np.concatenate([texture, texture[:1]])[::-1]  # v goes up
    rows = zip(screen, corners, lights, uvs, strict=True)
    for place, corner, light, uv in rows:
      (x0, y0), (bx, by), (cx, cy) = place[0], place[1] - place[0], place[2] - place[0]
      area = bx * cy - cx * by
      normal = np.cross(corner[1] - corner[0], corner[2] - corner[0])
      if abs(area) < 1e-9 or normal[2] <= 0:
        continue
      low = np.floor(place.min(0)).astype(int).clip(0, (wide, high))
      end = np.ceil(place.max(0)).astype(int).clip(low, (wide, high))
      y, x = np.mgrid[low[1] : end[1], low[0] : end[0]]
      px, py = x + 0.5 - x0, y + 0.5 - y0
      u, v = (px * cy - cx * py) / area, (bx * py - px * by) / area
      inside = (u >= 0) & (v >= 0) & (u + v <= 1)
      y, x, u, v = (values[inside] for values in (y, x, u, v))
      shares = np.stack([1 - u - v, u, v], -1)
      near = shares @ corner[:, 2]
      front = near > depth[y, x]
      y, x, shares, near = y[front], x[front], shares[front], near[front]
      at = (shares @ uv)[:, ::-1].T * (len(texture) - 1)
      colour = np.stack(
        [map_coordinates(c, at, order=1) for c in np.moveaxis(texture, -1, 0)], -1
      )
      whole = colour[:, 3] > 0.5
      lit = shares @ light
      picture[y[whole], x[whole], :3] = colour[whole, :3] * lit[whole, None]
      picture[y[whole], x[whole], 3] = 1
      depth[y[whole], x[whole]] = near[whole]
  small = picture.reshape(high // FINER, FINER, wide // FINER, FINER, 4).mean((1, 3))
  return np.concatenate([small[..., :3] / np.maximum(small[..., 3:], 1e-6),
                         small[..., 3:]], -1)  # fmt: skip


def main():
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--out', type=pathlib.Path, default=OUT)
  out = parser.parse_args().out
  from vasa_jax.inference.drawing import mouth_pictures

  assets, places = assets_lib.load_assets(), mean_parts()
  traits = heads.sample_identity(PERSON).traits
  textures = {'teeth': paint_teeth(traits), 'tongue': paint_tongue(traits)}
  teeth, tongue = assets.parts['teeth'], assets.parts['tongue']
  places['tongue'] = places['tongue'] - [0, 0, TONGUE_BACK]
  jaw, row = goes_with_jaw(teeth), is_row(places['teeth'], teeth)
  light = {name: lit(places[name], assets.parts[name]) for name in places}
  seen = {
    mouth_pictures.UPPER: (('teeth', teeth, ~jaw & row),),
    mouth_pictures.LOWER: (
      ('teeth', teeth, jaw & row),
      ('tongue', tongue, slice(None)),
    ),
  }
  pictures = []
  for view in mouth_pictures.VIEWS:
    for box, parts in seen.items():
      pieces = []
      for name, part, kept in parts:
        rows, turned = part.triangles[kept], mouth_pictures.turned(places[name], view)
        bright = light[name][rows] * (BEHIND if box == mouth_pictures.LOWER else 1)
        pieces.append((turned[rows], bright, part.uv[rows], textures[name] / 255))
      pictures.append(drawn(box, mouth_pictures.SIDE, pieces))
  whole = np.rint(255 * np.concatenate(pictures)).astype(np.uint8)
  Image.fromarray(whole).save(out, optimize=True)
  print(f'{out}: {whole.shape[1]} x {whole.shape[0]}, {out.stat().st_size} bytes')


if __name__ == '__main__':
  main()
