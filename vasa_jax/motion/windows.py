"""Windows of W frames, each told the last K frames before it (VASA-1 section 3.2).

Speech of any length becomes a row of windows of one shape, so that one compiled program
serves them all: the last one is padded, and its missing audio is null, as the truncated
audio of training was, or repeats the last frame (`config.padding`).
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax.motion.config import MotionConfig
from vasa_jax.types import POSE_DIM, Array


class Block(NamedTuple):
  """Audio of one window: `features (w, a)` padded, of which `count` are real."""

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
    motion=np.zeros((config.previous, config.motion_dim), np.float32),
    features=np.zeros((config.previous, config.audio_dim), np.float32),
    known=np.zeros((), bool),
  )


def advance(motion: Array, features: Array, config: MotionConfig) -> Past:
  """The past of the next window, from a full window's `(w, m)` and `(w, a)`."""
  return Past(
    motion=motion[-config.previous :],
    features=features[-config.previous :],
    known=jnp.ones((), bool),
  )


def joined(z: Array, past: Past, config: MotionConfig) -> Array:
  """Bends the start of a window so that it goes on where the last one ended.

  The first frame is moved to one step, of the window's own first step, behind the last
  frame of the past; the move fades out smoothly over `join_pose` and `join_dynamics`
  frames, so that nothing is left of it to add up from window to window. Applied to
  every prediction of x0 while sampling, so that the rest of the window is made to
  agree.

  Args:
    z: `(b, w, m)` z-scored motion.
    past: of the window; unknown before the first, which stays as it is.
  """
  over = np.full(config.motion_dim, config.join_dynamics)
  over[:POSE_DIM] = config.join_pose
  over = np.minimum(over, config.window)
  gone = np.arange(config.window)[:, None] / np.maximum(over, 1)
  fade = np.where(gone < 1, (1 - gone) ** 2 * (1 + 2 * gone), 0) * (over > 0)
  move = past.motion[-1] + (z[:, 1:2] - z[:, :1]) - z[:, :1]
  return z + jnp.where(past.known, jnp.asarray(fade, z.dtype) * move, 0)


def blocks(
  chunks: Iterable[np.ndarray], window: int, padding: str = 'null'
) -> Iterator[Block]:
  """Cuts feature chunks `(t_i, a)` of any lengths into blocks of `window` frames.

  Holds less than one window plus one chunk. The last block may be short; it is padded
  with zeros ('null') or with its last frame ('repeat').
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
    mode = 'edge' if padding == 'repeat' else 'constant'
    yield Block(np.pad(joined, ((0, window - count), (0, 0)), mode), count)
