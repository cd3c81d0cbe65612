"""Draws a person: head shape, skin, hair, brows, eyes and clothes, from one seed.

Every part has its own module and its own random stream (`traits.stream`), so that a
change of one leaves the rest of the person alone: `features` the shape, `skin` the
paint, `brows`, `irises`, `hair`, `beard`, and `wear`.
"""

import dataclasses

import numpy as np

from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.people.beard import grow_beard
from data_pipelines.synthetic.people.brows import grow_brows
from data_pipelines.synthetic.people.clothes import paint_cloth
from data_pipelines.synthetic.people.features import Shape, sample_shape
from data_pipelines.synthetic.people.hair import grow_hair
from data_pipelines.synthetic.people.irises import paint_eye
from data_pipelines.synthetic.people.mouth import paint_teeth, paint_tongue
from data_pipelines.synthetic.people.pieces import Piece
from data_pipelines.synthetic.people.skin import Skin, paint_skin
from data_pipelines.synthetic.people.traits import Traits, stream
from data_pipelines.synthetic.people.wear import dress


@dataclasses.dataclass(frozen=True)
class Identity:
  """One person at rest, looking straight ahead."""

  seed: int
  vertices: np.ndarray  # (n, 3) float32, the neutral mesh
  pivot: np.ndarray  # (3,) float32, the point the head turns about
  eye_centres: np.ndarray  # (2, 3) float32, eyeball at x > 0, then at x < 0
  eye_scale: np.ndarray  # (2,) float32, radius of the eyeballs, 1 = the base mesh's
  scale: float  # size of the head, 1 = the base mesh's
  male: float  # 0 = female .. 1 = male
  age: float  # 0 = young adult .. 1 = old
  weight: float  # -1 = thin .. 1 = heavy
  race: np.ndarray  # (3,) float32 mix of RACES, sums to 1
  parts: tuple[str, ...]  # what is drawn, in order; the cloth comes last
  hair: str | None
  cloth: str
  skin: Skin
  textures: dict[str, np.ndarray]  # part -> (h, w, 3 or 4) uint8 sRGB of its own
  hair_colour: np.ndarray  # (3,) float32 linear
  pieces: tuple[Piece, ...]  # grown or worn, drawn after `parts`
  coefficients: dict[str, float]  # local targets that are not zero
  traits: Traits

  def vector(self) -> np.ndarray:
    """The person as numbers: male, age, weight, race (3), then every local target.

    Shape (350,) float32; the order of local targets is that of `load_assets`.
    """
    return Shape(self.traits, self.vertices, self.coefficients).vector()


def sample_identity(seed: int) -> Identity:
  """The person with this number: the same seed gives the same person, always."""
  assets = assets_lib.load_assets()
  traits, vertices, coefficients = sample_shape(seed)
  male = traits.male

  hair, worn = dress(traits, vertices, grow_hair(traits, vertices))
  brows = (grow_brows(traits),)
  pieces = brows + hair.pieces + grow_beard(traits, vertices) + worn
  rng = stream(seed, topic='clothes')
  sex = 'male' if male > 0.5 else 'female'
  cloth = str(rng.choice(assets.part_names(f'cloth_{sex}')))
  parts = ['skin', 'eyes', 'teeth', 'tongue', 'lashes']
  parts += ([hair.style] if hair.style else []) + [cloth]
  textures = {
    'eyes': paint_eye(stream(seed, topic='eyes'), traits.iris, age=traits.age),
    'teeth': paint_teeth(traits),
    'tongue': paint_tongue(traits),
    cloth: paint_cloth(traits, assets_lib.load_texture(cloth)),
  }

  def joint(name, mesh=vertices):
    return mesh[assets.joints[name]].mean(0)

  balls = [vertices[assets.joints[k]] for k in ('left_ball', 'right_ball')]
  centres = np.stack([(b.min(0) + b.max(0)) / 2 for b in balls])
  radii = [
    np.linalg.norm(b - c, axis=1).mean() for b, c in zip(balls, centres, strict=True)
  ]
  base = np.linalg.norm(
    joint('left_eye', assets.vertices) - joint('right_eye', assets.vertices)
  )
  return Identity(
    seed=seed,
    vertices=vertices,
    pivot=(joint('neck') + joint('head')) / 2,
    eye_centres=centres,
    eye_scale=np.array(radii, np.float32) / np.float32(assets_lib.EYE_RADIUS),
    scale=float(np.linalg.norm(centres[0] - centres[1]) / base),
    male=male,
    age=traits.age,
    weight=traits.weight,
    race=traits.race,
    traits=traits,
    parts=tuple(parts),
    hair=hair.style,
    cloth=cloth,
    skin=paint_skin(traits),
    textures=textures,
    hair_colour=traits.hair_colour.astype(np.float32),
    pieces=pieces,
    coefficients=coefficients,
  )
