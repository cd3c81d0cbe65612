"""Do lips and sound belong together: S_C, S_D and the offset, by SyncNet's protocol.

Every window of five pictures at 25 frames a second is compared with the sound at
offsets of -15 to +15 frames; the distances are averaged over the windows, which leaves
31 numbers (Chung and Zisserman 2016, as joonson/syncnet_python does it and the
literature reports it):

    S_D = their least    S_C = their median less their least    offset = where it lies

Both are taken at the best offset, not at none: a video that is late by four frames
scores as one in time, and the offset tells. Where an offset reaches beyond the
recording, the published code compares with a vector of zeros; so does this one, unless
it is told to leave those windows out.

`score_sync` is the protocol on vectors, `score_video` on a finished video, `Published`
the judge with the published net on the crops of `face_crop`; our own small net is
`mouth_judge.MouthJudge`.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from vasa_jax.audio.mfcc import mfcc
from vasa_jax.metrics.face_crop import FaceBoxes, crop_face, face_boxes
from vasa_jax.metrics.faces import FaceTrack
from vasa_jax.types import SAMPLES_PER_FRAME

SHIFT = 15  # frames either way
WINDOW = 5  # pictures
_TINY = 1e-6  # what PyTorch's `pairwise_distance` adds to a difference
_BATCH = 16  # windows at a time: 16 pictures of 224 px through the lip net


class SyncScore(NamedTuple):
  """How a clip is synchronised.

  Attributes:
    confidence: S_C, higher is better.
    distance: S_D, lower is better.
    offset: frames by which the picture is later than the sound.
    curve: `(2 shift + 1,)` mean distance, from the picture `shift` frames late to
      `shift` frames early.
    windows: how many were averaged.
  """

  confidence: float
  distance: float
  offset: int
  curve: np.ndarray
  windows: int


def offset_distances(
  lips: np.ndarray, sound: np.ndarray, shift: int = SHIFT
) -> np.ndarray:
  """Distances of each window of lips to the sound around it.

  Args:
    lips, sound: `(n, d)` vectors of the same instants.
    shift: frames either way.

  Returns:
    `(n, 2 shift + 1)`: column j is the sound `j - shift` frames later; beyond the
    recording the sound is a vector of zeros.

  Raises:
    ValueError: the two differ in shape.
  """
  if lips.shape != sound.shape:
    raise ValueError(f'{lips.shape} vectors of lips for {sound.shape} of sound')
  n = len(lips)
  padded = np.pad(sound, ((shift, shift), (0, 0)))
  return np.stack(
    [
      np.linalg.norm(lips - padded[j : j + n] + _TINY, axis=1)
      for j in range(2 * shift + 1)
    ],
    axis=1,
  )


def score_sync(
  lips: np.ndarray, sound: np.ndarray, shift: int = SHIFT, edges: str = 'zeros'
) -> SyncScore:
  """S_C, S_D and the offset.

  Args:
    lips, sound: `(n, d)` vectors of the same instants, at 25 a second.
    shift: frames either way.
    edges: 'zeros' is the published protocol; 'inside' leaves out what reaches beyond
      the recording.

  Raises:
    ValueError: fewer windows than 'inside' needs, or lips and sound differ in shape.
  """
  distances = offset_distances(lips, sound, shift)
  n = len(distances)
  if edges == 'inside':
    if n <= shift:
      raise ValueError(f'{n} windows are too few for offsets of {shift} frames')
    at = np.arange(n)[:, None] + np.arange(-shift, shift + 1)
    inside = (at >= 0) & (at < n)
    curve = np.sum(distances * inside, 0) / inside.sum(0)
  elif edges == 'zeros':
    curve = distances.mean(0)
  else:
    raise ValueError(f"edges is 'zeros' or 'inside', not {edges!r}")
  best = int(curve.argmin())
  # an odd number of offsets: the median is one of them, as PyTorch takes it
  confidence = float(np.median(curve) - curve[best])
  return SyncScore(confidence, float(curve[best]), shift - best, curve, n)


class SyncJudge(Protocol):
  """Scores a face track.

  Attributes:
    name: what a table calls its numbers.
    about: which net it is, for the report.
    shortest, smallest: a track must have more frames, its face more pixels than that.
  """

  name: str
  about: str
  shortest: int
  smallest: int

  def crops(self, pictures: Iterable[np.ndarray], boxes: FaceBoxes) -> np.ndarray:
    """What it wants to see of the pictures of a track, `(t, ...)` uint8."""

  def score(self, crops: np.ndarray, samples: np.ndarray) -> SyncScore:
    """Scores crops `(t, ...)` and the `(640 t,)` float samples beside them."""


def score_video(
  judge: SyncJudge,
  pictures: Iterable[np.ndarray],
  track: FaceTrack,
  samples: np.ndarray,
) -> SyncScore | None:
  """Scores the longest face track of a video.

  Args:
    judge: by which net.
    pictures: `(h, w, 3)` uint8 RGB at 25 fps, from the first frame on.
    track: `metrics.faces.track_faces` of the same pictures.
    samples: `(n,)` float, 16 kHz mono.

  Returns:
    None if there is no track that is long and large enough, or the sound ends before.
  """
  boxes = face_boxes(track.found, track.points)
  if boxes is None:
    return None
  count = min(len(boxes), len(samples) // SAMPLES_PER_FRAME - boxes.start)
  if count <= judge.shortest or 2 * float(np.mean(boxes.half)) <= judge.smallest:
    return None
  shown = itertools.islice(pictures, boxes.start, boxes.start + count)
  crops = judge.crops(shown, boxes)
  first = boxes.start * SAMPLES_PER_FRAME
  return judge.score(crops, samples[first : first + count * SAMPLES_PER_FRAME])


@dataclasses.dataclass(frozen=True)
class Published:
  """The judge of the literature.

  Attributes:
    params: of `teachers.syncnet.SyncNet`, from `load_syncnet`.
    shift: frames either way.
    shortest, smallest: frames of a track, px of a face; the published pipeline scores
      neither shorter nor smaller ones.
  """

  params: Any
  shift: int = SHIFT
  name: str = 'syncnet_v2'
  about: str = 'published weights'
  shortest: int = 100
  smallest: int = 100

  @classmethod
  def load(cls, path: str | Path) -> 'Published':
    """From the user's copy of `syncnet_v2.model`.

    Raises:
      UserError: no file, or another net.
    """
    from vasa_jax.teachers.syncnet import load_syncnet

    return cls(load_syncnet(path))

  def crops(self, pictures: Iterable[np.ndarray], boxes: FaceBoxes) -> np.ndarray:
    """`(t, 224, 224, 3)` uint8, blue first: the net was trained on OpenCV's order."""
    from vasa_jax.teachers.syncnet import SIDE

    made = [crop_face(p, boxes, i, SIDE) for i, p in enumerate(pictures)]
    return np.stack(made)[..., ::-1]

  @functools.cached_property
  def _compiled(self):
    import jax

    from vasa_jax.teachers.syncnet import SyncNet

    net = SyncNet()
    return (
      jax.jit(lambda p, x: net.apply({'params': p}, x, method='lip')['out']),
      jax.jit(lambda p, x: net.apply({'params': p}, x, method='sound')['out']),
    )

  def vectors(
    self, crops: np.ndarray, samples: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """Lips and sound `(t - 5, 1024)`; the published loop stops one window early.

    Raises:
      ValueError: fewer than six pictures, or as little sound.
    """
    from vasa_jax.teachers.syncnet import FRAMES, STEPS

    see, hear = self._compiled
    n = min(len(crops), len(samples) // SAMPLES_PER_FRAME) - FRAMES
    if n < 1:
      raise ValueError(f'{len(crops)} pictures are too few for SyncNet')
    steps = mfcc(samples).T
    heard = np.stack([steps[:, 4 * i : 4 * i + STEPS] for i in range(n)])
    lips, sound = [], []
    for start in range(0, n, _BATCH):
      # always the same shape, so that the net is compiled once
      at = np.minimum(np.arange(start, start + _BATCH), n - 1)
      seen = crops[np.minimum(np.arange(start, start + _BATCH + 4), n + 3)]
      lips.append(np.asarray(see(self.params, seen[None]))[0][: n - start])
      sound.append(np.asarray(hear(self.params, heard[at]))[: n - start])
    return np.concatenate(lips), np.concatenate(sound)

  def score(self, crops: np.ndarray, samples: np.ndarray) -> SyncScore:
    return score_sync(*self.vectors(crops, samples), self.shift)
