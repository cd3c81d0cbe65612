"""What is read, and what became of it: `Source`, `Outcome`, `Report`."""

import dataclasses
from typing import NamedTuple


class Source(NamedTuple):
  """A video that is to be read.

  Attributes:
    key: name in the corpus, unique; part of the ids of its clips.
    path: of the file.
    person: who is in it, where the folder says so; else empty.
    licence: what its pictures may be used for.
    size: of the file, bytes.
  """

  key: str
  path: str
  person: str = ''
  licence: str = 'unknown'
  size: int = 0


@dataclasses.dataclass
class Outcome:
  """What became of a stretch of one person.

  Attributes:
    clip_id: of the clip, or what it would have been.
    start: s on the clock of the video.
    frames: how many.
    reason: why it was dropped; None if it was kept.
    numbers: what was measured, by name.
    identity: of a clip that was kept.
    signature: of a clip that was kept (`duplicates.signature`).
    curve: of a clip that was kept (`sync.curve`).
    picture: its middle frame as base64 JPEG; empty beyond the first few of a reason.
  """

  clip_id: str
  start: float
  frames: int
  reason: str | None
  numbers: dict[str, float]
  identity: str = ''
  signature: str = ''
  curve: list[float] = dataclasses.field(default_factory=list)
  picture: str = ''


@dataclasses.dataclass
class Report:
  """What became of a video.

  Attributes:
    key: of the source.
    reason: why nothing of it could be used; None if it was read.
    note: that in words.
    seconds: its length on the clock.
    width, height: of its pictures, square px.
    tracks: of sound.
    decoded, lost, backwards: pictures, as `Timeline` counts them.
    shots: how many.
    faceless: s in which no face was found.
    crowded: s with more faces than are followed; the smallest were left out.
    outcomes: of its clips.
  """

  key: str
  reason: str | None = None
  note: str = ''
  seconds: float = 0.0
  width: float = 0.0
  height: float = 0.0
  tracks: int = 0
  decoded: int = 0
  lost: int = 0
  backwards: int = 0
  shots: int = 0
  faceless: float = 0.0
  crowded: float = 0.0
  outcomes: list[Outcome] = dataclasses.field(default_factory=list)
