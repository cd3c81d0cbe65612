"""What a video shows: the crop at any size, or the whole picture.

A model that carries the portrait's pixels (`face/enlarge.py`) takes them from a crop of
twice the side: between its pixels bilinear sampling blurs less than between the video's
own (docs/architecture.md has figures). What is far from the head stays as it is in the
portrait (`paste.matte`).

A `Screen` says how large the video is, how motions become pictures on the device, and
what is still done to them on the host. All is compiled once for a batch and a size.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from vasa_jax.errors import UsageError, UserError
from vasa_jax.face import enlarge
from vasa_jax.inference import paste
from vasa_jax.inference.models import FaceNet, to_bytes
from vasa_jax.inference.portrait import Portrait
from vasa_jax.types import FaceCode, Motion

SIZES = (64, 2048)
FINER, MOST = 2, 2048  # the carried crop: so many times the video's side, at most


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
  if paste_back and (config.pixel_path is None or not config.pixel_path.prior):
    raise UserError(
      'these weights do not know where the head is, so it cannot be pasted back; '
      'take weights with a pixel path and its prior, as the embedded ones'
    )


def screen(
  net: FaceNet,
  portrait: Portrait,
  code: FaceCode,
  batch: int,
  size: int | None = None,
  paste_back: bool = False,
) -> Screen:
  """Chooses how to show a portrait, and compiles it.

  Args:
    net: the face model.
    portrait: one face; with `paste_back`, `paste.settled`.
    code: of that portrait.
    batch: frames that are decoded at once.
    size: side of the video in px; None is the model's own.
    paste_back: show the whole picture; `size` is None then.
  """
  own, path = net.config.size, net.config.pixel_path
  side = round(portrait.side) if paste_back else size or own
  if path is None:
    net.compile(code, batch)
    return Screen((side, side), net.decode, lambda pictures: _resized(pictures, side))
  drawn = side if paste_back else max(side, own)
  crop = fine = jnp.asarray(portrait.cut(drawn))[None]
  if not paste_back:  # there the crop has the picture's own pixels already
    fine = jnp.asarray(portrait.cut(min(FINER * drawn, MOST)))[None]
  still = net.layers(
    code, jax.tree.map(lambda x: np.repeat(x, batch, 0), code.pixels.motion)
  )
  rest = still.head[:1] if path.prior else None
  _drawn(still, rest, fine, crop)

  def decode(code: FaceCode, motion: Motion) -> jax.Array:
    return _drawn(net.layers(code, motion), rest, fine, crop)

  if not paste_back:
    return Screen((side, side), decode, lambda pictures: _resized(pictures, side))
  whole = portrait.picture.shape[:2]
  return Screen(whole, decode, lambda pictures: paste.pasted(pictures, portrait))


@jax.jit
def _drawn(layers: enlarge.Layers, rest, fine: jax.Array, crop: jax.Array) -> jax.Array:
  """Pictures of the crop's size, their background still where `rest` says where it is.

  Args:
    layers: of b frames.
    rest: `(1, n, n, 1)`, `Layers.head` of the portrait's own pose, or None.
    fine: `(1, z s, z s, 3)` uint8 whose pixels are carried.
    crop: `(1, s, s, 3)` uint8 that is shown where nothing moves.
  """
  side = crop.shape[1]
  fine, crop = (x.astype(jnp.float32) / 255 for x in (fine, crop))
  if rest is None:
    return to_bytes(enlarge.enlarged(layers, fine, side))
  own = layers.flow.shape[1]
  matte = paste.matte(layers.head, rest, own)
  moved = enlarge.enlarged(enlarge.faded(layers, matte), fine, side)
  # Both lie still where they go over into each other: nothing shows twice.
  shown = jnp.minimum(4 * matte, 1)
  if side != own:
    shown = enlarge.stretched(shown, side)
  return to_bytes(crop + shown * (moved - crop))


def _resized(pictures: np.ndarray, side: int) -> np.ndarray:
  """`(n, s, s, 3)` to `(n, side, side, 3)`."""
  if pictures.shape[1] == side:
    return pictures
  resized = [
    Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS)
    for picture in pictures
  ]
  return np.stack([np.asarray(picture) for picture in resized])
