"""Windows of W frames, each told the last K frames before it (VASA-1 section 3.2).

Speech of any length becomes a row of windows of one shape, so that one compiled program
serves them all: the last one is padded, and its missing audio is null, as the truncated
audio of training was.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax.motion.config import MotionConfig
from vasa_jax.types import Array


class Block(NamedTuple):
  """Audio of one window: `features (w, a)` zero-padded, of which `count` are real."""

  features: np.ndarray
  count: int


@struct.dataclass
class Past:
  """What one window hands to the next.

  Attributes:
    motion: `(k, m)` z-scored motion of the last K frames.
    features: `(k, a)` their audio.
    known: bool scalar; False before the first window.
  """

  motion: Array
  features: Array
  known: Array


def no_past(config: MotionConfig) -> Past:
  """Before the first window: X_pre and A_pre are null."""
  return Past(
    motion=jnp.zeros((config.previous, config.motion_dim)),
    features=jnp.zeros((config.previous, config.audio_dim)),
    known=jnp.zeros((), bool),
  )


def advance(motion: Array, features: Array, config: MotionConfig) -> Past:
  """The past of the next window, from a full window's `(w, m)` and `(w, a)`."""
  return Past(
    motion=motion[-config.previous :],
    features=features[-config.previous :],
    known=jnp.ones((), bool),
  )


def blocks(chunks: Iterable[np.ndarray], window: int) -> Iterator[Block]:
  """Cuts feature chunks `(t_i, a)` of any lengths into blocks of `window` frames.

  Holds less than one window plus one chunk. The last block may be short.
  """
  held: list[np.ndarray] = []
  count = 0
  for chunk in chunks:
    if not len(chunk):
      continue
    held.append(np.asarray(chunk, np.float32))
    count += len(chunk)
    if count < window:
      continue
    joined = np.concatenate(held)
    full = count // window
    for i in range(full):
      yield Block(joined[i * window : (i + 1) * window], window)
    held, count = [joined[full * window :]], count - full * window
  if count:
    joined = np.concatenate(held)
    yield Block(np.pad(joined, ((0, window - count), (0, 0))), count)
