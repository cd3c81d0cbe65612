"""The latent cache at any size: ArrayRecord shards, read clip by clip from the disk.

    motion.json                              what the cache is made of
    motion-00000-of-00010.array_record       records, one clip each
    motion-00000-of-00010.index.npz          their lengths, conditions, and sums

A record is a line of JSON that tells names and shapes, then the bytes of features and
motion; decoding one copies nothing. Whoever has the index can draw windows without
touching a record, and has the statistics of the corpus without a pass over it. Shards
appear whole or not at all, and a command that was interrupted goes on with the missing
ones.
"""

import dataclasses
import functools
import json
import os
import pathlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.motion_cache import Cut, MotionClip
from data_pipelines.motion_moments import Moments

VERSION = 1
SHARD_CLIPS = 64
# Longer clips are cut: a window is short, and its whole record is read for it.
LONGEST = 500  # frames
_INDEX = ('frames', 'gaze', 'distance', 'emotion', 'held_out', 'sizes')
_MOMENTS = tuple(field.name for field in dataclasses.fields(Moments))

Make = Callable[[Sequence[int]], Iterator[MotionClip | None]]


def to_record(clip: MotionClip) -> bytes:
  """The bytes of a clip; its conditions are in the index."""
  head = {'name': clip.name, 'frames': len(clip.motion)}
  body = b''
  for name, array in (('features', clip.features), ('motion', clip.motion)):
    array = np.ascontiguousarray(array, None if name == 'features' else np.float16)
    head[name] = [array.dtype.name, array.shape[1]]
    body += array.tobytes()
  return json.dumps(head).encode() + b'\n' + body


def from_record(record: bytes) -> tuple[str, np.ndarray, np.ndarray]:
  """Name, features `(t, a)` and motion `(t, m)` as stored.

  Raises:
    ValueError: the record is damaged.
  """
  line, _, body = record.partition(b'\n')
  head = json.loads(line)
  arrays, at = [], 0
  for name in ('features', 'motion'):
    kind, width = head[name]
    count = head['frames'] * width
    arrays.append(np.frombuffer(body, kind, count, at).reshape(-1, width))
    at += arrays[-1].nbytes
  return head['name'], *arrays


def pieces(clip: MotionClip) -> Iterator[MotionClip]:
  """The clip, or its parts where it is longer than `LONGEST` frames."""
  t = len(clip.motion)
  count = -(-t // LONGEST)
  edges = np.linspace(0, t, count + 1).round().astype(int)
  for i in range(count):
    rows = slice(edges[i], edges[i + 1])
    name = clip.name if count == 1 else f'{clip.name} part {i + 1} of {count}'
    yield dataclasses.replace(
      clip, name=name, features=clip.features[rows], motion=clip.motion[rows]
    )


def shard_name(number: int, shards: int) -> str:
  """Of both files of a shard, without their endings."""
  return f'motion-{number:05d}-of-{shards:05d}'


def claim(folder: pathlib.Path, about: dict[str, Any]) -> None:
  """Notes what a cache is made of, or checks that the folder was begun for the same.

  Raises:
    UserError: it cannot be written, or holds another cache.
  """
  file, text = folder / 'motion.json', json.dumps(about, indent=1) + '\n'
  try:
    folder.mkdir(parents=True, exist_ok=True)
    if file.exists():
      if file.read_text() != text:
        raise UserError(
          f'{folder} holds a cache made of something else (see motion.json); choose '
          'another --out, or give the command that made it'
        )
      return
    part = folder / 'motion.json.part'
    part.write_text(text)
    part.replace(file)
  except OSError as error:
    raise UserError(f'cannot write {file}: {error.strerror or error}') from error


def write_shards(
  out: str | os.PathLike,
  make: Make,
  total: int,
  *,
  scale: float = 1.0,
  offset: float = 0.0,
  front_end: str = 'log-mel',
  source: dict[str, Any] | None = None,
  shard_clips: int = SHARD_CLIPS,
) -> int:
  """Writes the shards that are not there yet.

  Args:
    out: the folder.
    make: the clips of these numbers, in order; None where a number has no clip.
    total: how many numbers there are.
    scale, offset, front_end: of the features.
    source: whatever else decides what the clips are; another one is refused.
    shard_clips: numbers a shard.

  Returns:
    How many numbers were made now.

  Raises:
    UserError: the place cannot be written, or holds another cache, or no number has a
      clip.
  """
  from data_pipelines.builder import write_shard

  folder, shards = pathlib.Path(out), -(-total // shard_clips)
  about = {
    'version': VERSION, 'total': total, 'shard_clips': shard_clips, 'scale': scale,
    'offset': offset, 'front_end': front_end, 'source': source or {},
  }  # fmt: skip
  claim(folder, about)
  numbers = {s: range(total)[s * shard_clips :][:shard_clips] for s in range(shards)}
  names = {s: folder / shard_name(s, shards) for s in range(shards)}
  missing = [s for s in numbers if not _records(names[s]).exists()]
  made = make([i for s in missing for i in numbers[s]])
  for s in missing:
    clips = [
      clip for _, clip in zip(numbers[s], made, strict=False) if clip is not None
    ]
    clips = [piece for clip in clips for piece in pieces(clip)]
    _write_index(names[s], clips)  # first: the records stand for the whole shard
    write_shard(_records(names[s]), [to_record(clip) for clip in clips])
  open_shards(folder)  # says so if all of it is empty
  return sum(len(numbers[s]) for s in missing)


def _records(name: pathlib.Path) -> pathlib.Path:
  return name.with_name(name.name + '.array_record')


def _index(name: pathlib.Path) -> pathlib.Path:
  return name.with_name(name.name + '.index.npz')


def _write_index(name: pathlib.Path, clips: Sequence[MotionClip]) -> None:
  sizes = np.zeros(2, int)
  if clips:
    sizes = np.array([clips[0].features.shape[1], clips[0].motion.shape[1]])
  sums = Moments.none(sizes[1])
  for clip in clips:
    if not clip.held_out:
      # as stored, so that both forms of a cache have the same statistics
      sums += Moments.of(clip.motion.astype(np.float16), clip.distance)
  file, part = _index(name), name.with_name(name.name + '.index.part')
  try:
    with part.open('wb') as opened:
      np.savez(
        opened,
        frames=np.array([len(clip.motion) for clip in clips], int),
        gaze=np.array([clip.gaze for clip in clips], np.float32).reshape(-1, 2),
        distance=np.array([[clip.distance] for clip in clips], np.float32).reshape(
          -1, 1
        ),
        emotion=np.array([clip.emotion for clip in clips], np.float32).reshape(-1, 8),
        held_out=np.array([clip.held_out for clip in clips], bool),
        sizes=sizes,
        **{f'sum_{n}': getattr(sums, n) for n in _MOMENTS},
      )
    part.replace(file)
  except OSError as error:
    part.unlink(missing_ok=True)
    raise UserError(f'cannot write {file}: {error.strerror or error}') from error


@dataclasses.dataclass(frozen=True)
class ShardedCache:
  """Clips on the disk; the same reader as `motion_cache.MotionCache`.

  A copy in another process opens the files anew.

  Attributes:
    paths: files with records, in the order of the clips.
    frames, gaze, distance, emotion, held_out: of each clip.
    feature_dim, motion_dim: sizes of a frame.
    sums: over the clips that are not held out.
    scale, offset, front_end: of the features.
  """

  paths: tuple[str, ...]
  frames: np.ndarray
  gaze: np.ndarray
  distance: np.ndarray
  emotion: np.ndarray
  held_out: np.ndarray
  feature_dim: int
  motion_dim: int
  sums: Moments
  scale: float
  offset: float
  front_end: str

  @functools.cached_property
  def _source(self):
    from array_record.python.array_record_data_source import ArrayRecordDataSource

    return ArrayRecordDataSource(self.paths)

  def __getstate__(self):
    return {k: v for k, v in self.__dict__.items() if k != '_source'}

  @property
  def ends(self) -> np.ndarray:
    return np.cumsum(self.frames)

  @property
  def hours(self) -> float:
    return float(self.frames.sum()) / 25 / 3600

  def hear(self, stored: np.ndarray) -> np.ndarray:
    """Stored features to float32."""
    return stored.astype(np.float32) * np.float32(self.scale) + np.float32(self.offset)

  def moments(self) -> Moments:
    """Sums over the clips that are not held out."""
    return self.sums

  def _read(self, i: int) -> tuple[str, np.ndarray, np.ndarray]:
    try:
      return from_record(self._source[int(i)])
    except (ValueError, KeyError, RuntimeError, OSError) as error:
      why = ' '.join(str(error).split())[:120]
      raise UserError(
        f'clip {i} of the motion cache is damaged ({why}); delete its shard in '
        f'{pathlib.Path(self.paths[0]).parent} and run cache_latents again'
      ) from error

  def clip(self, i: int) -> MotionClip:
    """Clip number `i` with float32 features and motion."""
    name, features, motion = self._read(i)
    return MotionClip(
      name=name,
      features=self.hear(features),
      motion=motion.astype(np.float32),
      gaze=self.gaze[i],
      distance=float(self.distance[i, 0]),
      emotion=self.emotion[i],
      held_out=bool(self.held_out[i]),
    )

  def cut(self, clips: np.ndarray, begin: np.ndarray, length: int) -> Cut:
    """Stretches of `length` frames of `clips (b,)`, from frame `begin (b,)` on.

    `begin` may be negative, and a stretch may end behind its clip.
    """
    rows = begin[:, None] + np.arange(length)
    inside = (rows >= 0) & (rows < self.frames[clips, None])
    rows = np.clip(rows, 0, self.frames[clips, None] - 1)
    features, motion = [], []
    for i, row in zip(clips, rows, strict=True):
      _, heard, moved = self._read(i)
      features.append(heard[row])
      motion.append(moved[row])
    return Cut(
      self.hear(np.stack(features)), np.stack(motion).astype(np.float32), inside,
      self.gaze[clips], self.distance[clips], self.emotion[clips],
    )  # fmt: skip


def open_shards(folder: str | os.PathLike) -> ShardedCache:
  """Opens a finished cache; the indices are read, the records are not.

  Raises:
    UserError: it is unfinished, damaged or empty, or of another version.
  """
  folder = pathlib.Path(folder)
  try:
    about = json.loads((folder / 'motion.json').read_text())
    version = about['version']
  except (OSError, ValueError, KeyError, TypeError) as error:
    raise UserError(f'{folder} is no motion cache: motion.json says nothing') from error
  if version != VERSION:
    raise UserError(
      f'{folder} is a motion cache of version {version}, this program reads {VERSION}: '
      'make it again'
    )
  shards = -(-about['total'] // about['shard_clips'])
  names = [folder / shard_name(s, shards) for s in range(shards)]
  missing = sum(not _records(name).is_file() for name in names)
  if missing:
    raise UserError(
      f'{missing} of {shards} shards in {folder} are not made yet; run the command '
      'that makes it again, it goes on where it stopped'
    )
  tables, sums, paths = [], [], []
  for name in names:
    try:
      with _index(name).open('rb') as opened, np.load(opened) as data:
        table = {key: data[key] for key in _INDEX}
        if not len(table['frames']):
          continue
        sums.append(Moments(*(data[f'sum_{n}'] for n in _MOMENTS)))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
      raise UserError(f'{_index(name)} cannot be read ({error})') from error
    tables.append(table)
    paths.append(str(_records(name)))
  if not tables:
    raise UserError(f'the motion cache in {folder} has no clip')
  joined = {k: np.concatenate([t[k] for t in tables]) for k in _INDEX[:-1]}
  features, motion = (int(size) for size in tables[0]['sizes'])
  return ShardedCache(
    tuple(paths),
    **joined,
    feature_dim=features,
    motion_dim=motion,
    sums=sum(sums[1:], sums[0]),
    scale=about['scale'],
    offset=about['offset'],
    front_end=about['front_end'],
  )
