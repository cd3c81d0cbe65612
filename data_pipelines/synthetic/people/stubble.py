"""The shadow of a shaven beard, and the short hairs of a few days."""

import numpy as np

from data_pipelines.synthetic.people.skin_map import noise, regions
from data_pipelines.synthetic.people.traits import Traits


def apply_stubble(
  rng: np.random.Generator, traits: Traits, paint: np.ndarray
) -> np.ndarray:
  """Darkens the skin where a beard would grow; hairs under the skin look bluish.

  Args:
    rng: the person's own stream for this.
    traits: of the person; `stubble` says how much.
    paint: `(h, w, 3)` float32 sRGB 0..1 of the head's island; painted in place.

  Returns:
    `(h, w)` float32, what it adds to the skin's gloss, negative: stubble is matt.
  """
  grown = regions()['growth']
  # Thick and thin places, different from man to man.
  patchy = np.clip(1 + 0.3 * noise(rng, 'patches') + 0.2 * noise(rng, 'shades'), 0, 2)
  hairs = np.clip(0.65 + 0.5 * noise(rng, 'pores'), 0, 1.6)
  amount = np.float32(traits.stubble) * grown * patchy
  share = np.clip(0.34 * amount * hairs + 0.16 * amount, 0, 0.75)[..., None]
  hair = np.clip(traits.hair_colour, 0, 1) ** (1 / 2.2)
  level = paint.mean((0, 1))
  # Half hair, half skin: a hair that is just cut shows through a layer of skin.
  colour = (0.55 * hair + 0.45 * level * [0.66, 0.72, 0.8]).astype(np.float32)
  paint += (colour - paint) * share
  return -0.5 * amount
