"""Portraits without colours, and with only one: grey, sepia, a blue print.

The face model learned on pictures in colour, and what it paints may have one: eyes that
open wider than in a grey photograph came out blue. In such a portrait brightness tells
the colour, and frames are given it back.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from vasa_jax.inference.finding.portrait import Portrait
from vasa_jax.inference.programs import kept

LUMINANCE = np.float32([0.299, 0.587, 0.114])
LEVELS = 256
WIDTH = 8.0  # levels over which colours are averaged
# Of the coarse pixels of a face, so many have the colour that their brightness tells,
# but for so much of 255. The 99 %: 0 in grey files, up to 7.2 in faces that were turned
# to sepia and kept as poor JPEG files, from 11.4 in 27 faces in colour.
SHARE, OFF = 0.99, 9.0
COARSE = 64  # px of the crop's side: JPEG's own errors of colour lie in finer ones


class _Told(NamedTuple):
  """What brightness tells of colour in some pixels.

  Attributes:
    table: `(256, 3)` colour less brightness.
    off: `(n,)` of each pixel, root mean square of three channels.
  """

  table: np.ndarray
  off: np.ndarray


def tone(portrait: Portrait) -> np.ndarray | None:
  """What colour each brightness has, if the portrait has one tone only.

  Returns:
    `(256, 3)` uint8; None for a portrait in colour.
  """
  side = len(portrait.crop)
  low = (portrait.points.min(0) * side).astype(int).clip(0, side - 2)
  high = (portrait.points.max(0) * side).astype(int).clip(low + 2, side)
  # The face alone: dark clothes before a white wall have no colour to speak of.
  face = portrait.crop[low[1] : high[1], low[0] : high[0]]
  coarse = Image.fromarray(face).reduce(max(1, side // COARSE))
  if np.quantile(_told(np.asarray(coarse)).off, SHARE) > OFF:
    return None
  table = np.arange(LEVELS)[:, None] + _told(portrait.crop).table
  return np.rint(table).clip(0, LEVELS - 1).astype(np.uint8)


def in_tone(
  decode: Callable[..., jax.Array], portrait: Portrait
) -> Callable[..., jax.Array]:
  """`decode` as it is for a portrait in colour, else in the portrait's tone.

  Args:
    decode: returns `(n, s, s, 3)` uint8.
    portrait: one face.
  """
  found = tone(portrait)
  if found is None:
    return decode
  table = jnp.asarray(found)

  def toned(*args: Any) -> jax.Array:
    return _toned(decode(*args), table)

  return toned


def _told(picture: np.ndarray) -> _Told:
  colours = picture.reshape(-1, 3).astype(np.float32)
  bright = _brightness(colours)
  chroma = colours - bright[:, None]
  levels = np.arange(LEVELS)
  counts = np.bincount(bright, minlength=LEVELS)
  sums = [np.bincount(bright, channel, LEVELS) for channel in chroma.T]
  near = np.exp(-0.5 * ((levels[:, None] - levels) / WIDTH) ** 2) + 1e-9
  table = (near @ np.stack(sums, -1)) / (near @ counts)[:, None]
  return _Told(table, np.sqrt(((chroma - table[bright]) ** 2).mean(-1)))


@functools.partial(kept, about='toned')
def _toned(pictures: jax.Array, table: jax.Array) -> jax.Array:
  return table[_brightness(pictures.astype(jnp.float32))]


def _brightness(colours: Any) -> Any:
  """`(..., 3)` in [0, 255] to whole numbers `(...)`; grey stays what it is."""
  return (colours @ LUMINANCE + 0.5).astype(np.int32)
