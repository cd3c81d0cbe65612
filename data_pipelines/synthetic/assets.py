"""Reads the packed head assets (`pack_assets.py`) into arrays.

One mesh of n vertices (decimetres; x to the person's left, which is the right of
the picture; y up; z out of the face) carries everything: skin, eyeballs, teeth,
hair and clothes are parts whose vertices are fixed combinations of mesh vertices,
so one shape or one face unit moves them all.
"""

import dataclasses
import functools
import pathlib

import cv2
import numpy as np

from data_pipelines import errors

FOLDER = pathlib.Path(__file__).parent / 'assets'

RACES = ('african', 'asian', 'caucasian')

# Fixed-point steps of the packed arrays. The mesh is in decimetres (the head is
# about 2.4 high), so a step of 1e-3 is a tenth of a millimetre.
TARGET_STEP = 1e-3
UV_STEP = 1 / 16384
WEIGHT_STEP = 1 / 4096
OFFSET_STEP = 1e-4

# The eyeballs' texture is laid out by angle from the pupil, up to EYE_ANGLE degrees.
EYE_ANGLE, EYE_RADIUS = 110.0, 0.15

UNITS = tuple(
  """browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff
  cheekSquintLeft cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft
  eyeLookDownRight eyeLookInLeft eyeLookInRight eyeLookOutLeft eyeLookOutRight
  eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight
  jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight
  mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft
  mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight
  mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft
  mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft
  mouthUpperUpRight noseSneerLeft noseSneerRight tongueOut""".split()
)
"""The 52 ARKit face units, in alphabetical order: the order of every unit vector."""


@dataclasses.dataclass(frozen=True)
class Target:
  """A sparse displacement of the mesh."""

  indices: np.ndarray  # (k,) int32
  values: np.ndarray  # (k, 3) float32


@dataclasses.dataclass(frozen=True)
class Part:
  """A mesh hung on the base mesh: vertex = sum_j weight_j base[ref_j] + offset."""

  triangles: np.ndarray  # (t, 3) int32
  uv: np.ndarray  # (m, 2) float32, v up
  ref: np.ndarray  # (m, 3) int32
  weight: np.ndarray  # (m, 3) float32
  offset: np.ndarray  # (m, 3) float32, to be scaled with the head
  position_id: np.ndarray  # (m,) int32, equal where vertices share a place


@dataclasses.dataclass(frozen=True)
class Assets:
  """All the geometry; textures are read on demand."""

  vertices: np.ndarray  # (n, 3) float32
  units: np.ndarray  # (52, n, 3) float32, displacement at value 1, order of UNITS
  macros: dict[str, Target]  # race-sex-age and universal-sex-age-muscle-weight
  locals: dict[str, Target]  # group/name
  parts: dict[str, Part]
  head_weight: np.ndarray  # (n,) float32, share of the head's rotation, 0..1
  sky: np.ndarray  # (n,) float32, share of the sky that a skin vertex sees, 0..1
  joints: dict[str, np.ndarray]  # vertex indices whose mean is the joint
  hidden: dict[str, np.ndarray]  # cloth part -> (n,) bool, skin under it
  skins: tuple[str, ...]  # names age_race_sex_number

  def part_names(self, prefix: str) -> list[str]:
    """The names of the parts that start with `prefix`, sorted."""
    return sorted(name for name in self.parts if name.startswith(prefix))


def _targets(arrays, prefix):
  starts = arrays[f'{prefix}/starts']
  indices = arrays[f'{prefix}/indices'].astype(np.int32)
  values = arrays[f'{prefix}/values'].astype(np.float32) * TARGET_STEP
  return {
    str(name): Target(indices[a:b], values[a:b])
    for name, a, b in zip(
      arrays[f'{prefix}/names'], starts[:-1], starts[1:], strict=True
    )
  }


@functools.lru_cache(maxsize=1)
def load_assets() -> Assets:
  """Reads geometry.npz once per process (about 0.2 s).

  Raises:
    UserError: the asset folder is missing or incomplete.
  """
  path = FOLDER / 'geometry.npz'
  if not path.is_file():
    raise errors.UserError(
      f'{path} is missing: restore it from the repository, or make it with '
      'python -m data_pipelines.synthetic.pack_assets'
    )
  with np.load(path) as file:
    arrays = {key: file[key] for key in file.files}
  vertices = arrays['vertices']
  dense = np.zeros((len(UNITS), *vertices.shape), np.float32)
  sparse = _targets(arrays, 'units')
  for row, name in zip(dense, UNITS, strict=True):
    row[sparse[name].indices] = sparse[name].values

  def fixed(name, key, step):
    return arrays[f'parts/{name}/{key}'].astype(np.float32) * np.float32(step)

  def whole(name, key):
    return arrays[f'parts/{name}/{key}'].astype(np.int32)

  names = {key.split('/')[1] for key in arrays if key.startswith('parts/')}
  parts = {
    name: Part(
      triangles=whole(name, 'triangles'),
      uv=fixed(name, 'uv', UV_STEP),
      ref=whole(name, 'ref'),
      weight=fixed(name, 'weight', WEIGHT_STEP),
      offset=fixed(name, 'offset', OFFSET_STEP),
      position_id=whole(name, 'position_id'),
    )
    for name in sorted(names)
  }
  under = {
    key.removeprefix('hidden/'): np.unpackbits(value, count=len(vertices)).astype(bool)
    for key, value in arrays.items()
    if key.startswith('hidden/')
  }
  joints = {
    key.removeprefix('joints/'): value.astype(np.int32)
    for key, value in arrays.items()
    if key.startswith('joints/')
  }
  return Assets(
    vertices=vertices,
    units=dense,
    macros=_targets(arrays, 'macros'),
    locals=_targets(arrays, 'locals'),
    parts=parts,
    head_weight=arrays['head_weight'],
    sky=arrays['sky'].astype(np.float32) / 255,
    joints=joints,
    hidden=under,
    skins=tuple(sorted(p.stem for p in (FOLDER / 'skins').glob('*.webp'))),
  )


def _read_picture(path):
  image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
  if image is None:
    raise errors.UserError(f'{path} is missing: restore it from the repository')
  code = cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGBA
  image = cv2.cvtColor(image, code)
  image.setflags(write=False)
  return image


@functools.cache
def load_skin(name: str) -> np.ndarray:
  """A skin as (512, 512, 4) uint8 RGBA, sRGB; read-only."""
  return _read_picture(FOLDER / 'skins' / f'{name}.webp')


@functools.cache
def load_texture(part: str) -> np.ndarray:
  """The texture of a hair, brow, lash, teeth, tongue or cloth part: (h, w, 4) uint8."""
  return _read_picture(FOLDER / 'textures' / f'{part}.webp')
