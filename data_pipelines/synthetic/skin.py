"""Paints a person's skin: a mix of photographs, tone, grain."""

import dataclasses

import cv2
import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.assets import RACES
from data_pipelines.synthetic.traits import Traits, stream


@dataclasses.dataclass(frozen=True)
class Skin:
  """A painted skin.

  Attributes:
    albedo: `(512, 512, 3)` uint8 sRGB in the base mesh's texture coordinates.
  """

  albedo: np.ndarray


def paint_skin(traits: Traits) -> Skin:
  """The skin of a person."""
  rng = stream(traits.seed, topic='skin')
  return Skin(_paint_skin(rng, traits.male, traits.age, traits.race))


def _paint_skin(rng, male, age, race):
  """A convex mix of the four best fitting photographs, with another tone and grain."""
  names = assets_lib.load_assets().skins
  years = {
    'young': max(0, 1 - 2 * age),
    'middleage': 1 - abs(2 * age - 1),
    'old': max(0, 2 * age - 1),
  }
  fit = np.zeros(len(names))
  for i, name in enumerate(names):
    when, origin, sex, _ = name.split('_')
    share = male if sex == 'male' else 1 - male
    fit[i] = race[RACES.index(origin)] ** 1.5 * (years[when] + 0.03) * share + 1e-6
  fit *= rng.gamma(1.2, 1, len(names))
  best = np.argsort(-fit)[:4]
  fit = fit[best] / fit[best].sum()
  skin = np.zeros((512, 512, 3), np.float32)
  for share, i in zip(fit, best, strict=True):
    skin += np.float32(share) * assets_lib.load_skin(names[i])[..., :3]
  melanin = rng.normal(0, 0.22)
  power = 2.2 * np.exp(np.array([0.8, 1.0, 1.1]) * melanin * 0.6)
  skin = (skin / 255) ** power.astype(np.float32)
  fine = rng.standard_normal((512, 512), np.float32)
  fine = cv2.GaussianBlur(fine, (0, 0), 1.0)
  coarse = rng.standard_normal((128, 128), np.float32)
  coarse = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 1.3), (512, 512))
  skin *= np.exp(0.08 * fine + 0.12 * coarse)[..., None]
  skin *= np.exp(coarse[..., None] * np.float32([0, -0.08, -0.08]))
  skin *= np.exp(rng.normal(0, 0.05, 3)).astype(np.float32)
  return (np.clip(skin, 0, 1) ** np.float32(1 / 2.2) * 255 + 0.5).astype(np.uint8)
