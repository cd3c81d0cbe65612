"""What is known of one finished video, on disk: its records, then its report.

    DIR/videos/KEY.records    the records of its clips, one after the other
    DIR/videos/KEY.json       the report; written last, so that it says "finished"

Both are written under another name and renamed. The records go once they are in shards;
the reports stay: they are what a second run, and the report of the corpus, read.
"""

import dataclasses
import errno
import json
import os
import pathlib
import shutil
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from data_pipelines import schema
from data_pipelines.errors import UserError
from data_pipelines.ingest.config import Config
from data_pipelines.ingest.eyes import Eyes
from data_pipelines.ingest.outcome import Outcome, Report, Source
from data_pipelines.ingest.video_job import read_video

FOLDER = 'videos'
RESERVE = 256 << 20  # bytes that must be free before work on a video or shard begins
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def report_path(folder: str | os.PathLike, key: str) -> pathlib.Path:
  """Where the report of a video lies."""
  return pathlib.Path(folder, FOLDER, f'{key}.json')


def records_path(folder: str | os.PathLike, key: str) -> pathlib.Path:
  """Where the records of a video lie until they are in shards."""
  return pathlib.Path(folder, FOLDER, f'{key}.records')


def stage(
  source: Source,
  folder: str | os.PathLike,
  config: Config,
  eyes: Eyes,
  serialize: Callable[[schema.Clip], bytes],
  beat: Callable[[], None] = lambda: None,
) -> Report:
  """Reads a video and writes both files.

  Args:
    source: the video.
    folder: of the corpus.
    config, eyes, beat: as for `read_video`.
    serialize: `builder.serializer()`.

  Raises:
    UserError: the disk is full or cannot be written; nothing is left behind.
  """
  check_room(folder)
  path = records_path(folder, source.key)
  part = path.with_name(f'{path.name}.{os.getpid()}.part')
  sizes: list[tuple[int, int]] = []
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(part, 'wb') as file:

      def keep(clip: schema.Clip) -> None:
        record = serialize(clip)
        file.write(record)
        sizes.append((len(record), zlib.crc32(record)))

      report = _read(source, config, eyes, keep, beat)
      file.flush()
      os.fsync(file.fileno())
    if sizes and report.reason is None:
      os.replace(part, path)
    write_report(folder, report, sizes if report.reason is None else [])
    return report
  except OSError as error:
    raise UserError(why_not(path, error)) from error
  finally:
    part.unlink(missing_ok=True)


def _read(source, config, eyes, keep, beat) -> Report:
  """`read_video`; whatever a broken file makes a decoder raise is its reason."""
  try:
    return read_video(source, config, eyes, keep, beat)
  except (MemoryError, UserError):
    raise
  except OSError as error:
    if error.errno in _FULL:
      raise
    return failed(source.key, 'broken file', f'{error}')
  except Exception as error:
    return failed(source.key, 'broken file', f'{type(error).__name__}: {error}')


def failed(key: str, reason: str, note: str) -> Report:
  """The report of a video of which nothing can be used."""
  return Report(key, reason, ' '.join(note.split())[:200])


def why_not(path: pathlib.Path, error: OSError) -> str:
  """One line about a failure to write."""
  if error.errno in _FULL:
    return f'{path.parent}: the disk is full; free some space and start it again'
  return f'cannot write {path}: {error.strerror or error}'


def check_room(folder: str | os.PathLike, more: int = 0) -> None:
  """Raises UserError unless `more` bytes, and a reserve, are free at `folder`."""
  place = pathlib.Path(folder)
  while not place.exists() and place != place.parent:
    place = place.parent
  free = shutil.disk_usage(place).free
  if free < RESERVE + more:
    raise UserError(
      f'{folder}: {free >> 20} MB are free, {(RESERVE + more) >> 20} MB are needed; '
      'free some space and give the command again, it goes on where it stopped'
    )


def write_report(
  folder: str | os.PathLike, report: Report, sizes: list[tuple[int, int]]
) -> None:
  """Writes a report; `sizes` are bytes and checksum of each record, in order."""
  path = report_path(folder, report.key)
  part = path.with_name(f'{path.name}.{os.getpid()}.part')
  path.parent.mkdir(parents=True, exist_ok=True)
  try:
    text = json.dumps({**dataclasses.asdict(report), 'records': sizes}, indent=1)
    with open(part, 'w') as file:
      file.write(text + '\n')
      file.flush()
      os.fsync(file.fileno())
    os.replace(part, path)
  finally:
    part.unlink(missing_ok=True)


@dataclasses.dataclass(frozen=True)
class Staged:
  """A finished video.

  Attributes:
    report: what became of it.
    kept: its clips that passed, in the order of their records.
    records: (bytes, checksum) of each.
  """

  report: Report
  kept: tuple[Outcome, ...]
  records: tuple[tuple[int, int], ...]


def load(folder: str | os.PathLike, key: str) -> Staged | None:
  """The finished video of a key; None if it is not finished.

  Raises:
    UserError: its report is damaged.
  """
  path = report_path(folder, key)
  try:
    found: dict[str, Any] = json.loads(path.read_text())
    records = tuple((int(size), int(check)) for size, check in found.pop('records'))
    found['outcomes'] = [Outcome(**outcome) for outcome in found['outcomes']]
    report = Report(**found)
  except FileNotFoundError:
    return None
  except (ValueError, KeyError, TypeError) as error:
    raise UserError(
      f'{path} is damaged ({error}); delete it to read that video again'
    ) from error
  kept = tuple(o for o in report.outcomes if o.reason is None)
  if report.reason is not None:
    kept = ()
  return Staged(report, kept, records)


class Piece(NamedTuple):
  """Where a record lies: video, first byte, bytes, checksum."""

  key: str
  start: int
  size: int
  check: int


def piece_of(staged: Staged, record: int) -> Piece:
  """The place of a record of a video."""
  start = sum(size for size, _ in staged.records[:record])
  return Piece(staged.report.key, start, *staged.records[record])


def read_piece(folder: str | os.PathLike, piece: Piece) -> bytes:
  """The bytes of a record.

  Raises:
    UserError: they are gone or damaged.
  """
  path = records_path(folder, piece.key)
  again = f'delete {piece.key}.json beside it to read that video again'
  try:
    with open(path, 'rb') as file:
      file.seek(piece.start)
      return checked(file.read(piece.size), piece)
  except ValueError as error:
    raise UserError(f'{path} is damaged; {again}') from error
  except OSError as error:
    raise UserError(f'cannot read {path} ({error.strerror}); {again}') from error


def checked(record: bytes, piece: Piece) -> bytes:
  """The record; raises ValueError if it is not the one that was written."""
  if len(record) != piece.size or zlib.crc32(record) != piece.check:
    raise ValueError(f'the records of {piece.key} are damaged')
  return record
