"""Painted and drawn looks: what is drawn once for a clip (`stylise.py` does it).

A model that only ever saw photographs fails on art, so a share of clips is turned into
art: an oil painting, a sketch, a cartoon.
"""

import dataclasses

import numpy as np

from data_pipelines.synthetic.filming.strokes import LUMA

ODDS = {
  'oil': 2.0,
  'impasto': 1.0,
  'watercolour': 1.5,
  'pencil': 1.2,
  'charcoal': 0.8,
  'ink': 0.8,
  'pastel': 1.0,
  'poster': 0.8,
  'cartoon': 2.0,
  'anime': 1.2,
  'engraving': 0.7,
  'fresco': 0.8,
}


@dataclasses.dataclass(frozen=True)
class Style:
  """One artist's hand.

  Attributes:
    kind: a key of `ODDS`.
    scale: size of strokes and lines, 1 = usual.
    strength: how far it goes from the photograph, 0..1.
    saturation: factor on colours.
    tint: `(3,)` colour of paper or varnish, 0..1.
    dark: `(3,)` colour of lines.
    palette: `(5, 3)` colours from dark to light, for posters.
    texture: how much canvas, paper or plaster shows, 0..1.
  """

  kind: str
  scale: float
  strength: float
  saturation: float
  tint: tuple[float, ...]
  dark: tuple[float, ...]
  palette: np.ndarray
  texture: float


def sample_style(rng: np.random.Generator) -> Style:
  """A random look."""
  names = tuple(ODDS)
  odds = np.array(list(ODDS.values()))
  kind = names[rng.choice(len(names), p=odds / odds.sum())]
  warm = rng.uniform(0, 0.16)
  tint = np.array([1.0, 1 - 0.4 * warm, 1 - warm]) * rng.uniform(0.88, 1.0)
  dark = rng.uniform(0.0, 0.16) * np.ones(3) + rng.uniform(0, 0.1, 3)
  palette = rng.uniform(0, 1, (5, 3))
  level = np.linspace(0.06, 0.97, 5)
  luma = palette @ LUMA[0]
  palette = np.clip(level[:, None] + (palette - luma[:, None]) * 0.6, 0, 1)
  return Style(
    kind=kind,
    scale=float(rng.uniform(0.7, 1.3)),
    strength=float(rng.uniform(0.6, 1.0)),
    saturation=float(rng.uniform(0.75, 1.5)),
    tint=tuple(tint.tolist()),
    dark=tuple(dark.tolist()),
    palette=palette.astype(np.float32),
    texture=float(rng.uniform(0.3, 1.0)),
  )
