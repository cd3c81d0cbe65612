"""FVD25: Frechet distance between I3D features of 25 consecutive frames at 224 px.

VASA-1 section 4.1: 25 frames, 224 x 224, 2,000 clips of each side; the net is the
Kinetics-400 I3D and the feature its 400 raw logits (StyleGAN-V's protocol, one of three
that the paper cites). Here: pictures of any size are resized bilinearly between pixel
centres, without a filter, squashed if they are not square; windows do not overlap and
are spread evenly over a clip. Every choice moves the number: it compares with numbers
of this file alone, at the same count of windows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import cv2
import numpy as np

from vasa_jax.teachers.i3d import KINETICS, SIDE, I3DConfig

FRAMES = 25
Features = Callable[[np.ndarray], np.ndarray]


def make_features(params: Mapping[str, Any], config: I3DConfig = KINETICS) -> Features:
  """A compiled `(n, 25, 224, 224, 3)` uint8 or [0, 255] float -> `(n, classes)`.

  Args:
    params: `fetch.load_teacher('i3d')`.
    config: of the net.
  """
  import jax
  import jax.numpy as jnp

  from vasa_jax.teachers.i3d import I3D, to_input

  net = I3D(config)
  weights = jax.device_put(dict(params))

  @jax.jit
  def one(weights, clip):
    return net.apply({'params': weights}, to_input(clip.astype(jnp.float32) / 255))

  def features(clips: np.ndarray) -> np.ndarray:
    # One at a time: a batch is no faster on a CPU, and takes its multiple of memory.
    return np.concatenate([np.asarray(one(weights, clip[None])) for clip in clips])

  return features


def windows(
  frames: Iterable[np.ndarray], count: int = 1, length: int = FRAMES
) -> Iterator[np.ndarray]:
  """Yields windows of consecutive frames of a video, without overlap.

  Args:
    frames: `(h, w, 3)` uint8 RGB at 25 fps.
    count: how many at most, the first at the start of the video and the others spread
      over it; 0 is all. A longer video needs no more memory than twice as many windows.
    length: frames of each.

  Yields:
    `(length, 224, 224, 3)` float32 in [0, 255]; nothing if the video is shorter.
  """
  kept: list[np.ndarray] = []
  held: list[np.ndarray] = []
  step = 1  # every so many windows are kept
  for i, frame in enumerate(frames):
    number, place = divmod(i, length)
    if number % step:
      continue
    held.append(shrink(frame))
    if place < length - 1:
      continue
    window, held = np.stack(held), []
    if count == 0:
      yield window
      continue
    kept.append(window)
    if len(kept) == 2 * count:
      kept, step = kept[::2], 2 * step
  some = min(count, len(kept))
  for part in range(some):
    yield kept[part * len(kept) // some]


def shrink(frame: np.ndarray) -> np.ndarray:
  """`(h, w, 3)` uint8 to `(224, 224, 3)` float32 in [0, 255], as `i3d.to_input`."""
  frame = np.asarray(frame, np.float32)
  if frame.shape[:2] == (SIDE, SIDE):
    return frame
  return cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
