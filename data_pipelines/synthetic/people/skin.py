"""Paints a person's skin: a mix of photographs, tone, marks, stubble, make-up.

Tone is melanin and blood: the target colour runs through the six Fitzpatrick types
by melanin and gets redder with blood. A mix of the best fitting photographs gives the
structure, relative to its own mean; densities of melanin and blood give the marks.
"""

import dataclasses
import functools

import cv2
import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.assets import RACES
from data_pipelines.synthetic.people import skin_map
from data_pipelines.synthetic.people.blemishes import add_blemishes
from data_pipelines.synthetic.people.creases import depth_of, draw_wrinkles
from data_pipelines.synthetic.people.makeup import apply_makeup, calm
from data_pipelines.synthetic.people.stubble import apply_stubble
from data_pipelines.synthetic.people.traits import Traits, stream

GAMMA = 2.2
# sRGB albedo of the six Fitzpatrick types, at melanin 0, 0.2 .. 1.
TONES = np.array(
  [
    [0.9, 0.755, 0.67],
    [0.845, 0.68, 0.575],
    [0.77, 0.595, 0.475],
    [0.65, 0.465, 0.345],
    [0.5, 0.335, 0.245],
    [0.345, 0.235, 0.185],
  ]
)
# What one unit of density takes away from r, g, b (natural logarithm, linear light).
MELANIN_TAKES = np.array([0.75, 1.0, 1.2])
BLOOD_TAKES = np.array([0.1, 0.85, 0.7])
GLOSS_SIDE = 256


@dataclasses.dataclass(frozen=True)
class Skin:
  """A painted skin, in the base mesh's texture coordinates.

  Attributes:
    albedo: `(1024, 1024, 3)` uint8 sRGB.
    wrinkles: `(5, 256, 256)` uint8 depths of creases in the order of
      `creases.NAMES`: 0 = smooth, 255 = the bottom of the deepest.
    gloss: `(256, 256)` uint8 oiliness, 128 = ordinary, 255 = twice that.
    wrinkle_depth: factor on all creases, about 0.2 (young) .. 2 (old).
  """

  albedo: np.ndarray
  wrinkles: np.ndarray
  gloss: np.ndarray
  wrinkle_depth: float


def tone_of(traits: Traits, undertone: float = 0.0) -> np.ndarray:
  """Mean albedo of a person's face, (3,) linear.

  Args:
    traits: of the person; melanin and redness count.
    undertone: > 0 = yellow or olive, < 0 = pink; about -0.2..0.2.
  """
  knots = np.linspace(0, 1, len(TONES))
  srgb = [np.interp(traits.melanin, knots, TONES[:, c]) for c in range(3)]
  blood = (traits.redness - 0.5) * (1 - 0.6 * traits.melanin)
  shift = -0.35 * blood * BLOOD_TAKES + undertone * np.array([-0.1, 0.15, -0.5])
  return np.array(srgb) ** GAMMA * np.exp(shift)


@functools.cache
def _photograph(name):
  """A photograph (512, 512, 3) uint8 and the mean linear colour of its face."""
  picture = np.ascontiguousarray(assets_lib.load_skin(name)[..., :3])
  where = skin_map.regions(512)
  mask = where['cheeks'] + where['forehead'] > 0.4
  face = picture[skin_map.head(512)][mask] / 255
  return picture, (face**GAMMA).mean(0)


def _mix_photographs(rng, traits):
  """A convex mix of up to three photographs that fit, and its mean face colour."""
  names = assets_lib.load_assets().skins
  years = {
    'young': max(0, 1 - 2 * traits.age),
    'middleage': 1 - abs(2 * traits.age - 1),
    'old': max(0, 2 * traits.age - 1),
  }
  fit = np.zeros(len(names))
  for i, name in enumerate(names):
    when, origin, sex, _ = name.split('_')
    share = traits.male if sex == 'male' else 1 - traits.male
    fit[i] = (traits.race[RACES.index(origin)] + 0.03) * (years[when] + 0.06)
    fit[i] *= share + 0.05
    pigment = 0.78 if origin == 'african' else 0.2
    fit[i] *= np.exp(-(((traits.melanin - pigment) / 0.36) ** 2))
  fit *= rng.gamma(0.7, 1, len(names)) + 1e-3
  best = np.argsort(-fit)[:3]
  shares = fit[best] / fit[best].sum()
  mix, mean = np.zeros((512, 512, 3), np.float32), np.zeros(3)
  for share, i in zip(shares, best, strict=True):
    picture, tone = _photograph(names[i])
    mix = cv2.scaleAdd(picture.astype(np.float32), float(share), mix)
    mean += share * tone ** (1 / GAMMA)
  return mix, mean**GAMMA


def paint_skin(traits: Traits) -> Skin:
  """The skin of a person."""
  rng = stream(traits.seed, topic='skin')
  mix, mean = _mix_photographs(rng, traits)
  undertone = rng.normal(0.18 * traits.race[1] - 0.12 * traits.race[2], 0.13)
  tone = tone_of(traits, undertone)
  contrast = rng.uniform(0.75, 1.5)
  values = (np.arange(256) / 255) ** GAMMA
  table = tone * (values[:, None] / mean) ** contrast
  table = np.clip(table, 0, 1) ** (1 / GAMMA) * 255 + 0.5
  mix = cv2.convertScaleAbs(mix)
  base = cv2.LUT(mix, table.astype(np.uint8)[None])
  size = (skin_map.SIDE, skin_map.SIDE)
  albedo = cv2.resize(base, size, interpolation=cv2.INTER_CUBIC)
  head = skin_map.head(skin_map.SIDE)
  paint = albedo[head].astype(np.float32) * np.float32(1 / 255)

  marks = np.zeros((2, *paint.shape[:2]), np.float32)
  add_blemishes(stream(traits.seed, topic='blemishes'), traits, *marks)
  rng_makeup = stream(traits.seed, topic='make-up')
  marks *= np.float32(calm(rng_makeup, traits))
  lips = skin_map.regions()['lips']
  marks[1] += lips * np.float32(rng.normal(0, 0.35))
  marks[0] += lips * np.float32(
    rng.normal(0, 0.2) + 0.35 * max(traits.melanin - 0.4, 0)
  )
  creases = draw_wrinkles(stream(traits.seed, topic='wrinkles'))
  depth = depth_of(rng, traits)
  old = cv2.resize(creases.max(0)[skin_map.head(256)], paint.shape[1::-1])
  marks[0] += old * np.float32(0.28 / 255 * max(depth - 0.5, 0))
  for c in range(3):
    density = marks[0] * np.float32(-MELANIN_TAKES[c] / GAMMA)
    density -= marks[1] * np.float32(BLOOD_TAKES[c] / GAMMA)
    paint[..., c] *= np.exp(density)

  oily = np.ones(paint.shape[:2], np.float32)
  if traits.stubble > 0.02:
    oily += apply_stubble(stream(traits.seed, topic='stubble'), traits, paint)
  oily += apply_makeup(rng_makeup, traits, paint)
  albedo[head] = cv2.convertScaleAbs(paint, alpha=255)
  return Skin(albedo, creases, _gloss(rng, traits, oily), depth)


def _gloss(rng, traits, oily):
  """Oil: most on nose and forehead, less with age and powder; lips are moist."""
  where = skin_map.regions()
  zone = where['nose'] + 0.6 * where['forehead'] + 0.4 * where['chin'] - 0.25
  oily = oily + zone * np.float32(rng.uniform(0.1, 0.7)) + 0.5 * where['lips']
  oily += 0.12 * skin_map.noise(rng, 'patches')
  level = rng.uniform(0.6, 1.2) * (1.1 - 0.35 * traits.age) * (1 - 0.2 * traits.makeup)
  full = np.full((GLOSS_SIDE, GLOSS_SIDE), np.float32(level))
  small = skin_map.head(GLOSS_SIDE)
  shape = full[small].shape[::-1]
  full[small] = cv2.resize(oily, shape, interpolation=cv2.INTER_AREA) * level
  return np.clip(full * 128 + 0.5, 0, 255).astype(np.uint8)
