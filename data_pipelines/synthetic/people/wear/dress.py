"""What a person wears beside clothes: glasses, earrings, hats, coverings, scarves."""

import numpy as np

from data_pipelines.synthetic.people.hair import Hair
from data_pipelines.synthetic.people.pieces import Piece
from data_pipelines.synthetic.people.traits import Traits, stream
from data_pipelines.synthetic.people.wear import (
  brimmed,
  earrings,
  glasses,
  headphones,
  headwear,
  tuck,
  wraps,
)
from data_pipelines.synthetic.people.wear.head_map import head_map
from data_pipelines.synthetic.people.wear.landmarks import landmarks

# Shares of people, priors of ours: rough counts of what is worn in front of a camera.
# Glasses rise with age: 10 % of the young, 32 % of the old, 18 % of all.
GLASSES_YOUNG, GLASSES_OLD = 0.10, 0.32
EARRINGS_FEMALE, EARRINGS_MALE = 0.42, 0.06
SCARF = 0.03
HEADPHONES = 0.01  # of those without a hat
HEADWEAR = {  # women, men; 12 % of all
  'cap': (0.02, 0.055),
  'beanie': (0.022, 0.028),
  'brimmed': (0.014, 0.012),
  'bandana': (0.006, 0.006),
  'hijab': (0.036, 0.0),
  'headscarf': (0.01, 0.0),
  'hood': (0.01, 0.016),
  'turban': (0.002, 0.012),
}
_MAKERS = {
  'cap': headwear.make_cap,
  'beanie': headwear.make_beanie,
  'brimmed': brimmed.make_brimmed,
  'bandana': headwear.make_bandana,
  'turban': headwear.make_turban,
  'hijab': wraps.make_hijab,
  'headscarf': wraps.make_headscarf,
  'hood': wraps.make_hood,
}
_OVER_EARS = ('hijab', 'headscarf', 'hood', 'headphones')


def choose(traits: Traits) -> tuple[str, ...]:
  """What the person wears: `glasses`, `earrings`, `scarf`, `headphones`, or a
  name of `HEADWEAR`."""
  rng = stream(traits.seed, topic='wear')
  male = traits.male > 0.5
  glass, ring, scarf, hat, phones = rng.random(5)
  worn = []
  if glass < GLASSES_YOUNG + (GLASSES_OLD - GLASSES_YOUNG) * traits.age:
    worn.append('glasses')
  limit = 0.0
  for name, odds in HEADWEAR.items():
    limit += odds[male]
    if hat < limit:
      worn.append(name)
      break
  hatless = not (worn and worn[-1] in HEADWEAR)
  if hatless and phones < HEADPHONES:
    worn.append('headphones')
  covered = bool(worn) and worn[-1] in _OVER_EARS
  if ring < (EARRINGS_MALE if male else EARRINGS_FEMALE) and not covered:
    worn.append('earrings')
  if scarf < SCARF and (not covered or worn[-1] == 'headphones'):
    worn.append('scarf')
  return tuple(worn)


def dress(
  traits: Traits, vertices: np.ndarray, hair: Hair
) -> tuple[Hair, tuple[Piece, ...]]:
  """What the person wears, and the hair that is left to see under it.

  Args:
    traits: of the person.
    vertices: (n, 3) the person's neutral mesh.
    hair: of the person.
  """
  worn = choose(traits)
  if not worn:
    return hair, ()
  marks, pieces = landmarks(vertices), []

  def random(topic):
    return stream(traits.seed, topic=topic)

  needed = set(worn) - {'glasses', 'earrings', 'headphones'}
  head = head_map(vertices, traits.male > 0.5) if needed else None
  for name in worn:
    rng = random(name)
    if name == 'glasses':
      frame = glasses.sample_frame(rng, traits.male, traits.age)
      pieces += glasses.make_glasses(frame, rng, vertices, marks)
    elif name == 'earrings':
      pieces.append(earrings.make_earrings(rng, traits.male > 0.5, vertices, marks))
    elif name == 'headphones':
      pieces.append(headphones.make_headphones(rng, vertices, marks, hair))
    elif name == 'scarf':
      pieces.append(wraps.make_scarf(rng, vertices, head, marks))
    else:
      hat = _MAKERS[name](rng, vertices, head, marks)
      pieces += hat.pieces
      hair = tuck.tuck_hair(
        hair, vertices, head, hat.cover, traits.hair_colour, marks.scale
      )
  return hair, tuple(pieces)
