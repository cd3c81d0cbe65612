"""Draws one moved mesh: shadow map, depth buffer, colours, then what is see-through.

All in linear light. `surface.py` lists the samples that need a colour, `materials.py`
and its like colour them, here they are put together.
"""

import math
from typing import NamedTuple

import numba
import numpy as np

from data_pipelines.synthetic.drawing import (
  eye_light,
  hair_light,
  materials,
  raster,
  skin_light,
  surface,
)
from data_pipelines.synthetic.people.irises import IRIS_ANGLE
from data_pipelines.synthetic.people.pieces import GLASS, HAIR, SKIN

EYE = 100  # kind of material: an eyeball; only the renderer makes them
_IRIS = math.cos(math.radians(IRIS_ANGLE))


class Look(NamedTuple):
  """Materials of the p parts; textures one after the other in `texels`."""

  kind: np.ndarray  # (p,) int32
  tint: np.ndarray  # (p, 3) float32
  inner: np.ndarray  # (p,) float32, share of light inside the mouth
  gloss: np.ndarray  # (p,) float32
  roughness: np.ndarray  # (p,) float32, Phong exponent
  opaque: np.ndarray  # (p,) bool, drawn into the depth buffer
  cut_out: np.ndarray  # (p,) bool, has holes where its texture has
  casts: np.ndarray  # (p,) bool, casts a shadow
  cull: np.ndarray  # (p,) bool, one-sided
  texels: np.ndarray  # (k, 4) uint8 sRGB + alpha
  begin: np.ndarray  # (p,) int32, first texel of the part
  rows: np.ndarray  # (p,) int32
  columns: np.ndarray  # (p,) int32
  linear: np.ndarray  # (256,) float32, sRGB byte -> linear


class Scene(NamedTuple):
  """Lights, camera and backdrop of one frame; k lights."""

  directions: np.ndarray  # (k, 3) float32
  colours: np.ndarray  # (k, 3) float32
  ambient: np.ndarray  # (9, 3) float32, folded (`ambient.folded`)
  camera: np.ndarray  # (3,) float32, where it stands
  light_frame: np.ndarray  # (3, 3) float32, rows right, up, towards the key light
  light_centre: np.ndarray  # (3,) float32
  softness: int  # of the shadow's edge, in texels of the map
  backdrop: np.ndarray  # (s, s, 3) float32, before the film curve
  flush: float  # blood in the face, -1..1
  gaze: np.ndarray  # (3,) float32, where the eyes look
  up: np.ndarray  # (2,) float32, the head's up on the screen, y down
  scale: float  # samples on the screen of one mesh unit at distance 1


def draw(
  mesh: raster.Mesh,
  attributes: np.ndarray,
  moved: raster.Moved,
  screen: np.ndarray,
  light_screen: np.ndarray,
  look: Look,
  relief: np.ndarray,
  scene: Scene,
  shadow_size: int,
  supersample: int,
) -> tuple[np.ndarray, raster.Buffers]:
  """The picture's samples.

  Args:
    mesh, moved: the person.
    attributes: (m, 3) of the vertices, by `attributes`.
    screen: (m, 3) vertices on the screen, in samples.
    light_screen: (m, 3) vertices in the shadow map.
    look: the materials.
    relief: (side^2, 3) of the skin by `wrinkles.crease`.
    scene: light and camera.
    shadow_size: of the shadow map.
    supersample: samples a pixel and direction.

  Returns:
    Colours (s, s, 3) float32 before the film curve, and the buffers.
  """
  buffers = raster.new_buffers(scene.backdrop.shape[0])
  shadows = raster.new_buffers(shadow_size)
  for k in range(len(look.kind)):
    texture = (look.texels, look.begin[k], look.rows[k], look.columns[k])
    first, last, opaque = mesh.starts[k], mesh.starts[k + 1], bool(look.opaque[k])
    holes, cull = bool(look.cut_out[k]), bool(look.cull[k])
    if look.casts[k]:  # of what is see-through, only the solid half casts
      where = (mesh, first, last, holes or not opaque, *texture, False, False)
      raster.fill(shadows, light_screen, *where)
    if opaque:
      where = (mesh, first, last, holes, *texture, cull, supersample > 1)
      raster.fill(buffers, screen, *where)
  colour = scene.backdrop.copy()
  inputs = (
    mesh,
    attributes,
    moved,
    screen,
    look,
    relief,
    scene,
    shadows.depth,
    buffers,
  )
  samples, entry = surface.collect(buffers, mesh.starts, look.cut_out, supersample)
  _put(colour, entry, _colours(samples, *inputs, blended=False))
  over = surface.collect_overlays(
    mesh.triangles, mesh.starts, ~look.opaque, screen, buffers.depth
  )
  if len(over.where):
    shaded = _colours(over, *inputs, blended=True)
    _blend(colour.reshape(-1, 3), over.where, shaded)
  return colour, buffers


def _colours(
  samples,
  mesh,
  attributes,
  moved,
  screen,
  look,
  relief,
  scene,
  shadows,
  buffers,
  blended,
):
  """(n, 4) float32: linear colour times alpha, and alpha, of the samples."""
  rows = surface.interpolate(
    samples, look.kind, mesh.triangles, mesh.uv, attributes, moved.positions,
    moved.normals, screen, scene.camera, shadows, scene.softness, scene.light_frame,
    scene.light_centre,
  )  # fmt: skip
  out = np.empty((len(rows), 4), np.float32)
  lamps = (scene.directions, scene.colours, scene.ambient)
  for k, kind in enumerate(look.kind):
    a, b = int(samples.starts[k]), int(samples.starts[k + 1])
    if a == b:
      continue
    texture = (rows, a, b, look.texels, look.linear)
    texture += (look.begin[k], look.rows[k], look.columns[k])
    tint, gloss = look.tint[k], look.gloss[k]
    if kind == SKIN:
      skin_light.shade_skin(*texture, relief, tint, scene.flush, gloss, *lamps, out)
    elif kind == HAIR:
      hair_light.shade_hair(*texture, tint, gloss, *lamps, blended, out)
    elif kind == EYE:
      shade = eye_light.contact(
        samples.where[a:b], buffers.triangle, buffers.depth, mesh.starts[k],
        mesh.starts[k + 1], scene.up, scene.scale,
      )  # fmt: skip
      eye_light.shade_eye(
        *texture, tint, shade, scene.gaze, _IRIS, *lamps, scene.light_frame, out
      )
    elif kind == GLASS:
      materials.shade_glass(*texture, tint, gloss, *lamps, scene.light_frame, out)
    else:
      materials.shade_plain(
        *texture, tint, gloss, look.roughness[k], look.inner[k], *lamps, blended, out
      )
  return out


def attributes(mesh: raster.Mesh) -> np.ndarray:
  """(m, 3) float32: sky, curvature and flush of the vertices, side by side."""
  return np.stack([mesh.sky, mesh.bend, mesh.flush], -1)


@numba.njit(cache=True, fastmath=True)
def _put(colour, entry, shaded):
  for y in range(entry.shape[0]):
    for x in range(entry.shape[1]):
      e = entry[y, x]
      if e >= 0:
        colour[y, x, 0] = shaded[e, 0]
        colour[y, x, 1] = shaded[e, 1]
        colour[y, x, 2] = shaded[e, 2]


@numba.njit(cache=True, fastmath=True)
def _blend(colour, where, shaded):
  for i in range(where.shape[0]):
    below = colour[where[i]]
    rest = 1 - shaded[i, 3]
    for c in range(3):
      below[c] = below[c] * rest + shaded[i, c]
