"""Motion records: what stage 2 trains on.

Two forms behind one reader, `read_cache`. The small one, here, needs numpy alone and is
carried to machines that have nothing else; the large one (`motion_shards.py`) is
ArrayRecord, of any size, read clip by clip from the disk.

A small cache is one `.npz` file or a folder of them, each below 16 MiB, that hold whole
clips one after another:

    features  (n, a) uint8 or float16; the model hears `features * scale + offset`
    motion    (n, m) float16 z_pose (radians, log ratio, crop units) and z_dyn
    ends      (c,) int64, where each clip ends
    gaze      (c, 2) float32 main gaze in degrees; distance (c, 1) mean ratio;
    emotion   (c, 8) mean scores; names (c,) text; held_out (c,) bool
    front_end text, what made the features (`motion_hearing.py`)

25 frames a second throughout. `motion_windows.py` cuts training batches from it.
"""

import contextlib
import dataclasses
import pathlib
import zipfile
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.motion_hearing import LOG_MEL
from data_pipelines.motion_moments import Moments

if TYPE_CHECKING:
  from data_pipelines.motion_shards import ShardedCache

FILE_BYTES = 15 << 20  # before compression, so always below 16 MiB
BIN = 5.0  # degrees
_FIELDS = (
    'features', 'motion', 'ends', 'gaze', 'distance', 'emotion', 'names', 'held_out',
    'scale', 'offset',
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class MotionClip:
  """A clip: features `(t, a)` as stored, motion `(t, m)`, and its three conditions."""

  name: str
  features: np.ndarray
  motion: np.ndarray
  gaze: np.ndarray
  distance: float
  emotion: np.ndarray
  held_out: bool = False


class Cut(NamedTuple):
  """Stretches of `l` frames out of `b` clips, float32; outside, the edge is repeated.

  features `(b, l, a)`, motion `(b, l, m)`, inside `(b, l)` bool, gaze `(b, 2)`,
  distance `(b, 1)`, emotion `(b, 8)`.
  """

  features: np.ndarray
  motion: np.ndarray
  inside: np.ndarray
  gaze: np.ndarray
  distance: np.ndarray
  emotion: np.ndarray


@dataclasses.dataclass(frozen=True)
class MotionCache:
  """All clips in memory; the fields are those of the file's docstring."""

  features: np.ndarray
  motion: np.ndarray
  ends: np.ndarray
  gaze: np.ndarray
  distance: np.ndarray
  emotion: np.ndarray
  names: np.ndarray
  held_out: np.ndarray
  scale: float
  offset: float
  front_end: str = LOG_MEL

  @property
  def starts(self) -> np.ndarray:
    return np.concatenate([[0], self.ends[:-1]])

  @property
  def frames(self) -> np.ndarray:
    """`(c,)` length of each clip."""
    return np.diff(self.ends, prepend=0)

  @property
  def feature_dim(self) -> int:
    return self.features.shape[1]

  @property
  def motion_dim(self) -> int:
    return self.motion.shape[1]

  @property
  def hours(self) -> float:
    return len(self.motion) / 25 / 3600

  def hear(self, stored: np.ndarray) -> np.ndarray:
    """Stored features to float32."""
    return stored.astype(np.float32) * np.float32(self.scale) + np.float32(self.offset)

  def clip(self, i: int) -> MotionClip:
    """Clip number `i` with float32 features and motion."""
    rows = slice(self.starts[i], self.ends[i])
    return MotionClip(
      name=str(self.names[i]),
      features=self.hear(self.features[rows]),
      motion=self.motion[rows].astype(np.float32),
      gaze=self.gaze[i],
      distance=float(self.distance[i, 0]),
      emotion=self.emotion[i],
      held_out=bool(self.held_out[i]),
    )

  def cut(self, clips: np.ndarray, begin: np.ndarray, length: int) -> Cut:
    """Stretches of `length` frames of `clips (b,)`, from frame `begin (b,)` on.

    `begin` may be negative, and a stretch may end behind its clip.
    """
    first, end = self.starts[clips, None], self.ends[clips, None]
    rows = first + begin[:, None] + np.arange(length)
    inside = (rows >= first) & (rows < end)
    rows = np.clip(rows, first, end - 1)
    return Cut(
      self.hear(self.features[rows]), self.motion[rows].astype(np.float32), inside,
      self.gaze[clips], self.distance[clips], self.emotion[clips],
    )  # fmt: skip

  def moments(self) -> Moments:
    """Sums over the clips that are not held out."""
    found = Moments.none(self.motion_dim)
    for i in np.flatnonzero(~self.held_out):
      motion = self.motion[self.starts[i] : self.ends[i]]
      found += Moments.of(motion, self.distance[i, 0])
    return found


def main_gaze(gaze: np.ndarray) -> np.ndarray:
  """The clip's main direction: mean of the fullest 5-degree bin of `(t, 2)` degrees.

  VASA-1 section 3.2 says "simple histogram-based clustering"; the bin is ours. The four
  half-shifted grids are tried too, or a direction on an edge would be split.
  """
  best, fullest = gaze.mean(0), 0
  for shift in ((0, 0), (0.5, 0), (0, 0.5), (0.5, 0.5)):
    cell = np.floor(gaze / BIN + shift).astype(int)
    _, which, counts = np.unique(cell, axis=0, return_inverse=True, return_counts=True)
    if counts.max() > fullest:
      fullest = counts.max()
      best = gaze[which.reshape(-1) == counts.argmax()].mean(0)
  return best.astype(np.float32)


def write_cache(
  out: str | pathlib.Path,
  clips: Iterable[MotionClip],
  scale: float = 1.0,
  offset: float = 0.0,
  front_end: str = LOG_MEL,
) -> list[pathlib.Path]:
  """Writes clips to `out`: one file if it ends in `.npz`, else a folder of files.

  Files appear whole or not at all.

  Raises:
    UserError: the place cannot be written, there are no clips, or they do not fit the
      one file.
  """
  out = pathlib.Path(out)
  single = out.suffix == '.npz'
  written: list[pathlib.Path] = []
  held: list[MotionClip] = []
  size = 0

  def flush() -> None:
    if single and written:
      raise UserError(
        f'{out} would grow beyond 16 MiB; give a folder (no .npz) instead'
      )
    path = out if single else out / f'motion-{len(written):04d}.npz'
    part = path.with_suffix('.part')
    try:
      path.parent.mkdir(parents=True, exist_ok=True)
      with part.open('wb') as file:
        np.savez_compressed(
          file,
          features=np.concatenate([clip.features for clip in held]),
          motion=np.concatenate([clip.motion for clip in held]).astype(np.float16),
          ends=np.cumsum([len(clip.motion) for clip in held]),
          gaze=np.stack([clip.gaze for clip in held]).astype(np.float32),
          distance=np.array([[clip.distance] for clip in held], np.float32),
          emotion=np.stack([clip.emotion for clip in held]).astype(np.float32),
          names=np.array([clip.name for clip in held]),
          held_out=np.array([clip.held_out for clip in held]),
          scale=np.float32(scale),
          offset=np.float32(offset),
          front_end=np.array(front_end),
        )
      part.replace(path)
    except OSError as error:
      with contextlib.suppress(OSError):
        part.unlink()
      raise UserError(f'cannot write {path}: {error.strerror or error}') from error
    written.append(path)

  for clip in clips:
    bytes_here = clip.features.nbytes + 2 * clip.motion.size + 100
    if held and size + bytes_here > FILE_BYTES:
      flush()
      held, size = [], 0
    held.append(clip)
    size += bytes_here
  if held:
    flush()
  if not written:
    raise UserError('there is no clip to cache')
  return written


def read_cache(path: str | pathlib.Path) -> 'MotionCache | ShardedCache':
  """Reads a file or a folder of files; a folder of ArrayRecord stays on the disk.

  Raises:
    UserError: nothing there, a damaged file, or files that do not belong together.
  """
  path = pathlib.Path(path)
  if (path / 'motion.json').is_file():
    from data_pipelines.motion_shards import open_shards

    return open_shards(path)
  files = sorted(path.glob('*.npz')) if path.is_dir() else [path]
  if not files or not files[0].is_file():
    raise UserError(
      f'no motion cache at {path}; make one with python -m experiments.cache_latents'
    )
  parts = []
  for file in files:
    try:
      # opened here: np.load leaves the file of a broken archive open
      with file.open('rb') as opened, np.load(opened, allow_pickle=False) as data:
        parts.append({name: data[name] for name in _FIELDS})
        parts[-1]['front_end'] = (
          str(data['front_end']) if 'front_end' in data else LOG_MEL  # older caches
        )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
      raise UserError(f'{file} is not a whole motion cache ({error})') from error
  first = parts[0]
  for file, part in zip(files, parts, strict=True):
    alike = all(
      part[name].shape[1:] == first[name].shape[1:] for name in ('features', 'motion')
    )
    same = all(part[name] == first[name] for name in ('scale', 'front_end'))
    if not alike or not same:
      raise UserError(f'{file} has other features or motion than {files[0]}')
  before = np.cumsum([0] + [len(part['motion']) for part in parts[:-1]])
  joined = {
    name: np.concatenate([part[name] for part in parts]) for name in _FIELDS[:-2]
  }
  joined['ends'] = np.concatenate(
    [part['ends'] + base for part, base in zip(parts, before, strict=True)]
  )
  return MotionCache(
    **joined,
    scale=float(first['scale']),
    offset=float(first['offset']),
    front_end=first['front_end'],
  )
