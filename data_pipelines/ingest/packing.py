"""From the clips of all videos to shards: what only the whole corpus can decide.

The plan is a function of the reports alone, so that it is the same after every
interruption: which clips are duplicates, which videos have their sound shifted, who
belongs to which split, and which clip lies in which shard.
"""

import dataclasses
import os
import pathlib
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from data_pipelines.ingest import duplicates, staging, sync
from data_pipelines.ingest.config import Config
from data_pipelines.ingest.staging import Staged

SHARD_CLIPS = 16  # 16 clips of 10 s at 512 px are about 200 MB


class Place(NamedTuple):
  """Where a record comes from: video and number in the list, and its person's split."""

  video: int
  record: int
  split: str


@dataclasses.dataclass(frozen=True)
class Plan:
  """What becomes of the clips that passed alone.

  Attributes:
    shards: for each (split, number) the places of its records, in order.
    totals: shards of each split.
    late: (video, record) to the reason it is dropped after all.
    offsets: of each video's sound (`sync.Offset`).
  """

  shards: dict[tuple[str, int], list[Place]]
  totals: dict[str, int]
  late: dict[tuple[int, int], str]
  offsets: list[sync.Offset]

  @property
  def clips(self) -> int:
    """How many clips the corpus has."""
    return sum(map(len, self.shards.values()))


def make_plan(videos: Sequence[Staged], config: Config, held_out: float) -> Plan:
  """Decides where every record goes.

  Args:
    videos: finished ones, in the order of the corpus.
    config: thresholds.
    held_out: share of the people that go to the split `validation`, 0..1.
  """
  late: dict[tuple[int, int], str] = {}
  offsets = []
  for v, video in enumerate(videos):
    moving = [o for o in video.kept if any(o.curve)]
    found = sync.offset([o.curve for o in moving], [o.frames for o in moving])
    offsets.append(found)
    if found.clear and abs(found.frames) > config.max_offset:
      late |= {(v, r): 'sync' for r in range(len(video.kept))}
  places = [
    (v, r)
    for v, video in enumerate(videos)
    for r in range(len(video.kept))
    if (v, r) not in late
  ]
  kept = [videos[v].kept[r] for v, r in places]
  repeated = duplicates.find_duplicates(
    [o.signature for o in kept], [o.frames for o in kept],
    config.picture_bits, config.sound_bits,
  )  # fmt: skip
  late |= {places[i]: 'duplicate' for i in repeated}
  splits: dict[str, list[Place]] = {}
  for (v, r), outcome in zip(places, kept, strict=True):
    if (v, r) not in late:
      split = split_of(outcome.identity, held_out)
      splits.setdefault(split, []).append(Place(v, r, split))
  shards = {
    (split, at // SHARD_CLIPS): here[at : at + SHARD_CLIPS]
    for split, here in splits.items()
    for at in range(0, len(here), SHARD_CLIPS)
  }
  totals = {split: -(-len(here) // SHARD_CLIPS) for split, here in splits.items()}
  return Plan(shards, totals, late, offsets)


def split_of(identity: str, held_out: float) -> str:
  """'train' or 'validation': all clips of a person in one, the same in every run."""
  share = zlib.crc32(identity.encode()) / 2**32
  return 'validation' if share < held_out else 'train'


def write_shards(
  folder: str | os.PathLike, videos: Sequence[Staged], plan: Plan
) -> int:
  """Writes the shards that are missing, and forgets records that all lie in shards.

  Returns:
    How many shards were written.

  Raises:
    UserError: the disk is full, or a record is gone; finished shards stay whole.
  """
  from data_pipelines import builder

  def path_of(split: str, number: int) -> pathlib.Path:
    return builder.shard_path(folder, split, number, plan.totals[split])

  missing = [shard for shard in plan.shards if not path_of(*shard).exists()]
  left = [0] * len(videos)  # shards that still need a video's records
  for shard in missing:
    for video in {place.video for place in plan.shards[shard]}:
      left[video] += 1
  for video, count in enumerate(left):
    if not count:
      _forget(folder, videos[video])
  for shard in missing:
    places = plan.shards[shard]
    pieces = pieces_of(videos, places)
    staging.check_room(folder, sum(piece.size for piece in pieces))
    records = [staging.read_piece(folder, piece) for piece in pieces]
    builder.write_shard(path_of(*shard), records)
    for video in {place.video for place in places}:
      left[video] -= 1
      if not left[video]:
        _forget(folder, videos[video])
  return len(missing)


def pieces_of(videos: Sequence[Staged], places: Sequence[Place]) -> list[staging.Piece]:
  """Where the records of a shard lie."""
  return [staging.piece_of(videos[p.video], p.record) for p in places]


def _forget(folder, video: Staged) -> None:
  staging.records_path(folder, video.report.key).unlink(missing_ok=True)
