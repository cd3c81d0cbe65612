"""Feature vectors of finished videos: rows for the distances of `frechet`.

A kind of features is a small frozen object: its fields are its protocol, its `of(path)`
reads a video. What was computed is kept beside the report, by video and protocol.
"""

import dataclasses
import functools
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.files import write_whole
from vasa_jax.metrics import fvd
from vasa_jax.metrics.clip_file import read_frames
from vasa_jax.metrics.evaluator import Clip
from vasa_jax.metrics.processes import in_processes, in_turn
from vasa_jax.types import FPS


class Kind(Protocol):
  """A protocol of features; equal objects give equal rows."""

  def of(self, path: Path) -> np.ndarray:
    """`(n, d)` rows of a video; n may be 0 (too short)."""


@dataclasses.dataclass(frozen=True)
class Windows:
  """I3D logits of 25 consecutive frames (`fvd`).

  Attributes:
    count: windows a video at most, spread over it; 0 is all.
  """

  count: int = 4

  def of(self, path: Path) -> np.ndarray:
    features = _i3d()
    rows = [features(w[None])[0] for w in fvd.windows(read_frames(path), self.count)]
    return np.array(rows, np.float32)


@dataclasses.dataclass(frozen=True)
class Pictures:
  """VGG16 `relu5_3`, averaged over the picture, of one frame in `every`, at 224 px.

  512 numbers a frame. It stands where FID has an Inception net: numbers are those of
  neither FID nor KID of the literature, and are not called so.
  """

  every: int = FPS

  def of(self, path: Path) -> np.ndarray:
    features = _vgg16()
    rows = [
      features(fvd.shrink(frame)[None] / 255)[0]
      for i, frame in enumerate(read_frames(path))
      if i % self.every == self.every // 2
    ]
    return np.array(rows, np.float32)


class FeatureSet(NamedTuple):
  """Rows of many videos.

  Attributes:
    rows: `(n, d)`.
    clips: `(n,)` which clip each row is of.
    failures: one line for each video that gave none.
  """

  rows: np.ndarray
  clips: np.ndarray
  failures: list[str]


def collect(
  clips: Sequence[Clip],
  kind: Kind,
  folder: Path,
  progress: Callable[[Sequence[Clip]], Iterable[Clip]] = iter,
  workers: int = 1,
) -> FeatureSet:
  """Features of all clips, in their order.

  Args:
    clips: videos.
    kind: of features.
    folder: where they are kept.
    progress: wraps the clips, for a bar.
    workers: processes.

  Raises:
    UserError: the net's weights are not here, no video gave a row, or `folder` cannot
      be written.
  """
  results = in_turn(_kept, clips, kind, folder)
  if workers > 1:
    results = in_processes(_kept, clips, workers, kind, folder)
  rows, owners, failures = [], [], []
  for i, (_, (found, failure)) in enumerate(zip(progress(clips), results, strict=True)):
    if failure is not None:
      failures.append(failure)
      continue
    rows.append(found)
    owners += [i] * len(found)
  if not rows:
    raise UserError(failures[0] if failures else 'there is no video to look at')
  return FeatureSet(np.concatenate(rows), np.array(owners), failures)


def _kept(clip: Clip, kind: Kind, folder: Path):
  """Rows of a clip, or why there are none."""
  try:
    stat = clip.path.stat()
    asked = f'1 {clip.path.resolve()} {stat.st_size} {stat.st_mtime_ns} {kind!r}'
    path = folder / f'{hashlib.sha256(asked.encode()).hexdigest()[:24]}.npy'
    try:
      return np.load(path), None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
      pass  # not there, or cut short
    rows = kind.of(clip.path)
    if not len(rows):
      return None, f'{clip.path} is too short for {kind!r}'
    data = io.BytesIO()
    np.save(data, rows)
    write_whole(path, data.getvalue())
  except UserError as error:
    return None, str(error)
  except OSError as error:
    return None, f'{clip.path}: {error.strerror or error}'
  return rows, None


@functools.cache
def _i3d() -> fvd.Features:
  from vasa_jax.teachers.fetch import load_teacher

  return fvd.make_features(load_teacher('i3d'))


@functools.cache
def _vgg16() -> Callable[[np.ndarray], np.ndarray]:
  import jax

  from vasa_jax.teachers.fetch import load_teacher
  from vasa_jax.teachers.vgg import VGG, VGG16

  layer = 'relu5_3'
  net, params = VGG(VGG16, (layer,)), load_teacher('vgg16')['trunk']

  @jax.jit
  def pooled(params, picture):
    return net.apply({'params': params}, picture)[layer].mean((1, 2))

  return lambda picture: np.asarray(pooled(params, picture))
