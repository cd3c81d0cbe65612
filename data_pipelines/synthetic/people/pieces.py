"""A piece: something worn or grown that is not in the asset pack.

Hair cards, a beard, glasses, a hat: each is made for one person when the person is
sampled, as a `Part` that hangs on the base mesh, with its own texture and material, so
that it moves with the skin below it and is drawn like everything else.
"""

import dataclasses

import numpy as np

from data_pipelines.synthetic.assets import Part

SKIN, HAIR, PLAIN, LASHES, GLASS = range(5)  # kinds of material


@dataclasses.dataclass(frozen=True)
class Material:
  """How a surface takes light.

  Attributes:
    kind: `SKIN` scatters, `HAIR` takes its colour from the tint and only brightness
      from the texture, `GLASS` is blended over what is behind it by its alpha and
      mirrors the surroundings, `LASHES` is blended by alpha, `PLAIN` is all else.
    tint: `(3,)` factor on the linear texture (for hair: the colour itself).
    inner: share of light that reaches it, below 1 inside the mouth.
    gloss: height of the highlight, 0..1.
    roughness: Phong exponent of the highlight; larger is tighter.
    cut_out: samples of the texture with alpha below one half are holes.
    see_through: blended over the finished picture by alpha, writes no depth.
    casts: casts a shadow.
    cull: drawn from its front only.
  """

  kind: int = PLAIN
  tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
  inner: float = 1.0
  gloss: float = 0.02
  roughness: float = 20.0
  cut_out: bool = False
  see_through: bool = False
  casts: bool = True
  cull: bool = False


@dataclasses.dataclass(frozen=True)
class Piece:
  """One thing to draw: geometry, texture, material.

  Attributes:
    name: unique within a person, such as `beard` or `glasses`; `hair...` and `hat...`
      pieces count as hair where points to track are chosen.
    part: geometry that hangs on the base mesh (`assets.Part`). Offsets are mesh units
      at the person's own size: they are not scaled again.
    texture: `(h, w, 4)` uint8 sRGB and alpha.
    material: how it is drawn.
    rigid: turns with the head alone (glasses, hats); else by the share of the head's
      rotation of the skin that it hangs on (scarves, long hair, beards).
  """

  name: str
  part: Part
  texture: np.ndarray
  material: Material
  rigid: bool = False
