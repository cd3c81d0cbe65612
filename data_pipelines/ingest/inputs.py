"""Which files are read, by which names, and the folder that they go to."""

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import re
from collections.abc import Iterator, Sequence

from data_pipelines.errors import UsageError, UserError
from data_pipelines.ingest.config import Config
from data_pipelines.ingest.outcome import Source

SUFFIXES = frozenset(
  '.264 .265 .3gp .asf .avi .flv .h264 .h265 .hevc .m2ts .m4v .mkv .mov .mp4 .mpeg '
  '.mpg .mts .mxf .ogv .ts .vob .webm .wmv'.split()
)


def find_videos(
  inputs: Sequence[str | os.PathLike], people: str = 'file', licence: str = 'unknown'
) -> list[Source]:
  """The videos to read, in the order of the corpus.

  Names come from the paths below each input, not from where the input lies: the same
  folder elsewhere gives the same records.

  Args:
    inputs: video files, or folders that are searched for files with known endings.
    people: 'file': every file has people of its own; 'folder': the first folder below
      an input names the person (VoxCeleb2: id00012/.../00001.mp4).
    licence: noted in the records.

  Raises:
    UserError: an input does not exist or cannot be looked at, or there is no video.
  """
  found: list[tuple[str, str, str]] = []
  for given in map(pathlib.Path, inputs):
    if given.is_dir():
      for path in given.rglob('*'):
        if path.suffix.lower() in SUFFIXES and path.is_file():
          below = path.relative_to(given)
          person = below.parts[0] if people == 'folder' and len(below.parts) > 1 else ''
          found.append((below.as_posix(), str(path), person))
    elif given.exists():
      person = given.parent.name if people == 'folder' else ''
      found.append((given.name, str(given), person))
    else:
      raise UserError(f'{given}: no such file or folder')
  if not found:
    known = ' '.join(sorted(SUFFIXES))
    raise UserError(f'no video in {", ".join(map(str, inputs))}; known are {known}')
  paths: dict[str, str] = {}
  sources = []
  try:
    for name, path, person in sorted(found):
      key = key_of(name)
      if key in paths and os.path.samefile(paths[key], path):
        continue  # given twice
      while key in paths:
        key += 'x'
      paths[key] = path
      sources.append(Source(key, path, person, licence, os.path.getsize(path)))
  except OSError as error:
    raise UserError(f'{error.filename}: {error.strerror}') from error
  return sorted(sources)


def key_of(name: str) -> str:
  """A short file name for a path below an input, unique but for accidents of sha256."""
  plain = re.sub(r'[^A-Za-z0-9]+', '_', pathlib.PurePosixPath(name).stem).strip('_')
  return f'{plain[:32] or "video"}-{hashlib.sha256(name.encode()).hexdigest()[:10]}'


@dataclasses.dataclass(frozen=True)
class Inventory:
  """What a corpus is made of; equal inventories give equal bytes.

  Attributes:
    config: sizes and thresholds.
    held_out: share of people in `validation`.
    videos: how many.
    digest: sha256 of name, person and bytes of each file.
    licence: of the videos.
    split: which of the folder's notes this is.
  """

  config: Config
  held_out: float
  videos: int
  digest: str
  licence: str
  split: str = 'video'

  def __post_init__(self):
    if not 0 <= self.held_out < 1:
      raise UsageError(f'--held-out is a share, 0 to 1, not {self.held_out}')


def take_stock(sources: Sequence[Source], config: Config, held_out: float) -> Inventory:
  """The inventory of some videos."""
  files = [(s.key, s.person, s.size) for s in sources]
  digest = hashlib.sha256(repr(files).encode()).hexdigest()
  return Inventory(config, held_out, len(files), digest, sources[0].licence)


@contextlib.contextmanager
def locked(folder: str | os.PathLike) -> Iterator[None]:
  """Keeps a second run out of a folder; the lock ends with the process.

  Raises:
    UserError: another run is at work there, or the folder cannot be written.
  """
  path = pathlib.Path(folder, '.lock')
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = open(path, 'w')  # noqa: SIM115
  except OSError as error:
    raise UserError(f'cannot write in {folder}: {error.strerror or error}') from error
  with file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
      raise UserError(f'{folder}: another run is at work there; wait for it') from None
    yield
