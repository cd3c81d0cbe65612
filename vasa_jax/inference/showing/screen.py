"""What a video shows: the crop at any size, or as much of it as the picture holds
(`viewport.py`), or the whole picture.

A model that carries the portrait's pixels (`face/enlarge.py`) takes them from a finer
crop: between its pixels bilinear sampling blurs less than between the video's own
(docs/architecture.md has figures). What does not hang on the head stays as it is in the
portrait (`matte.py`).

A `Screen` says how large the video is, how motions become pictures on the device, and
what is still done to them on the host. All is compiled once for a batch and a size.
"""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from vasa_jax.errors import UsageError, UserError
from vasa_jax.face import enlarge
from vasa_jax.inference.drawing import eyeballs as eyeballs_lib
from vasa_jax.inference.drawing import eyelids as eyelids_lib
from vasa_jax.inference.drawing import mouth as mouth_lib
from vasa_jax.inference.drawing.rims import Points
from vasa_jax.inference.finding.portrait import Portrait
from vasa_jax.inference.models import FaceNet, to_bytes
from vasa_jax.inference.programs import kept, passes
from vasa_jax.inference.showing import matte, paste, tone
from vasa_jax.inference.showing.cutout import cut_out
from vasa_jax.inference.showing.viewport import WHOLE, Viewport
from vasa_jax.types import FaceCode, Motion

SIZES = (64, 2048)
# The carried crop has so many times the side of the drawn one, and detail for fewer: a
# pixel is one sample of it, and detail much finer than pixels would flicker as the head
# moves.
FINER, DETAIL = 3, 1.5
MOST = 2048  # px of the carried crop's side, if the drawn one is not larger


passes(eyeballs_lib.Eyeballs, eyelids_lib.Eyelids, mouth_lib.Mouth, Points)


class Screen(NamedTuple):
  """How the frames of a video are made.

  Attributes:
    size: (height, width) of the video in px.
    decode: a code and n motions to `(n, s, s, 3)` uint8, without waiting for them.
    finish: those, on the host, to `(n, height, width, 3)` uint8.
  """

  size: tuple[int, int]
  decode: Callable[[FaceCode, Motion], jax.Array]
  finish: Callable[[np.ndarray], np.ndarray]


def check(config: Any, size: int | None, paste_back: bool) -> None:
  """Looks at the settings before any work is done.

  Args:
    config: of the face model.
    size: side of the video in px, or None.
    paste_back: whether the whole picture is to be shown.

  Raises:
    UsageError: the size is out of range, or given beside `paste_back`.
    UserError: these weights cannot paste back.
  """
  if size is not None and paste_back:
    raise UsageError(
      'a pasted-back video has the size of the picture; leave out the size, or '
      'scale the picture before'
    )
  if size is not None and not SIZES[0] <= size <= SIZES[1]:
    raise UsageError(f'size must lie between {SIZES[0]} and {SIZES[1]}, not {size}')
  if paste_back and not can_paste_back(config):
    raise UserError(
      'these weights do not know where the head is, so it cannot be pasted back; '
      'take weights with a pixel path and its prior, as the embedded ones'
    )


def can_paste_back(config: Any) -> bool:
  """Whether a face model knows where the head is."""
  return config.pixel_path is not None and bool(config.pixel_path.prior)


def screen(
  net: FaceNet,
  portrait: Portrait,
  code: FaceCode,
  batch: int,
  size: int | None = None,
  viewport: Viewport = WHOLE,
  paste_back: bool = False,
) -> Screen:
  """Chooses how to show a portrait, and compiles it.

  Args:
    net: the face model.
    portrait: one face; with `paste_back`, `paste.settled`.
    code: of that portrait.
    batch: frames that are decoded at once.
    size: side of the video in px; None is the model's own.
    viewport: the part of the crop that the video shows.
    paste_back: show the whole picture; `size` is None and `viewport` is `WHOLE` then.
  """
  own, path = net.config.size, net.config.pixel_path
  side = round(portrait.side) if paste_back else size or own
  if path is None:
    net.compile(code, batch)
    decode = tone.in_tone(net.decode, portrait)
    return Screen((side, side), decode, lambda made: _resized(made, side, viewport))
  seen = side if paste_back else max(side, own)
  drawn, corner = viewport.drawn(seen), np.int32(viewport.corner(seen))
  crop = portrait.cut(drawn)
  fine = _finer(portrait, drawn)
  if can_paste_back(net.config):
    pixels = code.pixels
    # NumPy: every operation on a device would be a program of its own to start with.
    parts = [part[None] for part in cut_out(portrait, drawn, fine)]
    parts, crop = jax.device_put((parts, crop[None]))
    mouth = mouth_lib.mouth(portrait, pixels.vertices, pixels.motion, drawn)
    eyes = eyeballs_lib.eyeballs(portrait, pixels.vertices, fine, drawn)
    lids = eyelids_lib.eyelids(portrait, pixels.vertices, drawn)
    mouth, eyes, lids, fine = jax.device_put((mouth, eyes, lids, fine))

    def finished(layers: enlarge.Layers, code: FaceCode, motion: Motion) -> jax.Array:
      moves = _moves(code, motion, size=own)
      shown = _before_the_rest(layers, moves, *parts, crop, corner, side=seen)
      still = code.pixels.motion
      return _opened(shown, mouth, eyes, lids, still, motion, fine, corner, whole=drawn)

  else:
    parts = enlarge.solid(jnp.asarray(fine)[None] / 255), jnp.zeros((1, *crop.shape))

    def finished(layers: enlarge.Layers, code: FaceCode, motion: Motion) -> jax.Array:
      return _drawn(layers, *parts, corner, side=seen)

  def decode(code: FaceCode, motion: Motion) -> jax.Array:
    return finished(net.layers(code, motion), code, motion)

  # On the host, as the motions that come: JAX compiles anew for arrays of a device.
  motion = jax.tree.map(lambda x: np.asarray(x).repeat(batch, 0), code.pixels.motion)
  # Both halves at once: together they take a first start most of its time.
  with ThreadPoolExecutor(1) as second:
    blank = jax.device_put(enlarge.blank(batch, own, path.prior_size))
    compiled = second.submit(finished, blank, code, motion)
    net.layers(code, motion)
    compiled.result()
  decode = tone.in_tone(decode, portrait)
  if not paste_back:
    return Screen((side, side), decode, lambda made: _resized(made, side))
  whole = portrait.picture.shape[:2]
  return Screen(whole, decode, lambda pictures: paste.pasted(pictures, portrait))


def _finer(portrait: Portrait, side: int) -> np.ndarray:
  """The crop whose pixels a video of that side carries, `(s, s, 3)` uint8."""
  finer = min(FINER * side, max(MOST, side))
  crop = portrait.cut(min(round(DETAIL * side), finer))
  return _resized(crop[None], finer)[0]


@functools.partial(kept, about='moves', static_argnames=('size',))
def _moves(code: FaceCode, motion: Motion, *, size: int) -> jax.Array:
  """`matte.matte` of a portrait's code."""
  return matte.matte(code.pixels.vertices, code.pixels.motion, motion, size)


@functools.partial(kept, about='before the rest', static_argnames=('side',))
def _before_the_rest(
  layers: enlarge.Layers,
  moves: jax.Array,
  carried: jax.Array,
  behind: jax.Array,
  crop: jax.Array,
  corner: jax.Array,
  *,
  side: int,
) -> jax.Array:
  """Pictures of a head that moves before what does not.

  Args:
    layers: of b frames.
    moves: `(b, n, n, 1)` of `_moves`.
    carried, behind: of a `Cutout`, as `enlarge.enlarged` takes them.
    crop: `(1, s, s, 3)` uint8 that is shown where nothing moves.
    corner, side: the part of the crop that is drawn, px.
  """
  part = enlarge.Part(corner[0], corner[1], side, crop.shape[1])
  drawn = enlarge.before_the_rest(layers, moves)
  moved = enlarge.enlarged(drawn, carried, behind, part)
  # Both lie still where they go over into each other: nothing shows twice.
  shown = jnp.minimum(4 * moves, 1)
  if part.whole == moves.shape[1]:
    shown = part.of(shown)
  else:
    shown = enlarge.stretched(shown, part.whole, part)
  crop = part.of(crop).astype(jnp.float32) / 255
  return crop + shown * (moved - crop)


@functools.partial(kept, about='opened', static_argnames=('whole',))
def _opened(
  pictures, mouth, eyes, lids, own: Motion, asked: Motion, fine, corner, *, whole: int
) -> jax.Array:
  """What opens, closes and looks is drawn into pictures, `(n, s, s, 3)` uint8."""
  part = enlarge.Part(corner[0], corner[1], pictures.shape[1], whole)
  pictures = mouth_lib.drawn(pictures, mouth, own, asked, fine, part)
  pictures = eyeballs_lib.drawn(pictures, eyes, own, asked, part)
  return to_bytes(eyelids_lib.drawn(pictures, lids, own, asked, fine, part))


@functools.partial(kept, about='drawn', static_argnames=('side',))
def _drawn(
  layers: enlarge.Layers,
  carried: jax.Array,
  behind: jax.Array,
  corner: jax.Array,
  *,
  side: int,
) -> jax.Array:
  """Pictures all of which moves, as `enlarge.enlarged` makes them."""
  part = enlarge.Part(corner[0], corner[1], side, behind.shape[1])
  return to_bytes(enlarge.enlarged(layers, carried, behind, part))


def _resized(pictures: np.ndarray, side: int, viewport: Viewport = WHOLE) -> np.ndarray:
  """`(n, s, s, 3)` to `(n, side, side, 3)`."""
  if pictures.shape[1] == side and viewport == WHOLE:
    return pictures
  left, top, share = (at * pictures.shape[1] for at in viewport)
  box = left, top, left + share, top + share
  resized = [
    Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS, box)
    for picture in pictures
  ]
  return np.stack([np.asarray(picture) for picture in resized])
