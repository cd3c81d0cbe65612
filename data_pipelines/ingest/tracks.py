"""People through a shot: which face of one look is which of the next."""

import dataclasses

import numpy as np

from data_pipelines.ingest.eyes import CENTRE, CROP_PER_FACE, Seen, overlap
from data_pipelines.ingest.picture import Picture, Square, part

STRIDE = 5  # frames from look to look: a head moves by a fraction of itself in 0.2 s
MOST = 4  # people who are followed at once; a crowd is no talking face
_SAME = 0.3  # overlap of the boxes of two looks
LOOSE = 1.35  # side of what is kept for a crop, over the side of the crop


def reference_square(seen: Seen) -> Square:
  """The square in which `vasa_jax.inference.finding.portrait` would put this face."""
  side = CROP_PER_FACE * seen.height
  x, y = seen.middle + (0.5 - np.array(CENTRE)) * side
  return Square(float(x), float(y), side)


def between(a: Square, b: Square, share: float) -> Square:
  """The square that lies `share` of the way from a to b."""
  return Square(*(p + share * (q - p) for p, q in zip(a, b, strict=True)))


@dataclasses.dataclass
class Track:
  """One person in one shot, as far as it has been seen.

  Attributes:
    number: of the track in its file.
    start: index of its first frame on the clock.
    squares: one a frame, where the face lies.
    parts: one a frame, what is kept of the picture: the same object where it is held.
    fresh: one a frame, pictures that the file brought.
    looks: (frame, `Seen`, boxes of the other faces) of each look.
    bounds: (width, height) of the whole picture, square px.
    size: side of the crops to be made, px; finer parts are averaged down.
  """

  number: int
  start: int
  bounds: tuple[float, float]
  size: int
  squares: list[Square] = dataclasses.field(default_factory=list)
  parts: list[Picture] = dataclasses.field(default_factory=list)
  fresh: list[int] = dataclasses.field(default_factory=list)
  looks: list[tuple[int, Seen, tuple]] = dataclasses.field(default_factory=list)

  def __len__(self) -> int:
    return len(self.squares)

  @property
  def end(self) -> int:
    """Index of the frame after its last one."""
    return self.start + len(self)

  def add(self, square: Square, picture: Picture, fresh: int) -> None:
    """Appends a frame."""
    self.squares.append(square)
    box = square._replace(side=LOOSE * square.side).box
    self.parts.append(part(picture, box, max(int(square.side / self.size), 1)))
    self.fresh.append(fresh)

  def split(self, count: int) -> 'Track':
    """Takes the first `count` frames off, and returns them as a track."""
    at = self.start + count
    first = Track(
      self.number, self.start, self.bounds, self.size, self.squares[:count],
      self.parts[:count], self.fresh[:count],
      [look for look in self.looks if look[0] < at],
    )  # fmt: skip
    self.start, self.looks = at, [look for look in self.looks if look[0] >= at]
    del self.squares[:count], self.parts[:count], self.fresh[:count]
    return first


@dataclasses.dataclass(frozen=True)
class Frame:
  """A picture that waits for the next look."""

  index: int
  picture: Picture
  fresh: int


class Tracker:
  """Follows the people of one shot.

  Feed `push` with every frame and `look` with the faces of each frame looked at (the
  first of a shot, then every `STRIDE`th). Frames between two looks get squares between
  those of the looks.

  Args:
    size: side of the crops to be made, px.
  """

  def __init__(self, size: int):
    self.size, self.next = size, 0
    self.tracks: list[Track] = []
    self._seen: dict[int, Seen] = {}
    self._waiting: list[Frame] = []

  @property
  def seen(self) -> list[Seen]:
    """The people of the last look."""
    return [self._seen[track.number] for track in self.tracks]

  def push(self, frame: Frame) -> None:
    """A frame; it waits for the next look."""
    self._waiting.append(frame)

  def look(self, faces: list[Seen], bounds: tuple[float, float]) -> list[Track]:
    """The faces of the last frame pushed.

    Returns:
      The tracks that ended with the look before this one.
    """
    faces = faces[:MOST]
    pairs = sorted(
      (
        (-overlap(self._seen[track.number].box, face.box), track.number, i)
        for track in self.tracks
        for i, face in enumerate(faces)
      ),
    )
    matched: dict[int, int] = {}
    for score, number, i in pairs:
      if -score >= _SAME and number not in matched and i not in matched.values():
        matched[number] = i
    ended = [track for track in self.tracks if track.number not in matched]
    self.tracks = [track for track in self.tracks if track.number in matched]
    frames, self._waiting = self._waiting, []
    here = frames[-1]
    for track in self.tracks:
      face = faces[matched[track.number]]
      old = reference_square(self._seen[track.number])
      new = reference_square(face)
      for k, frame in enumerate(frames):
        square = between(old, new, (k + 1) / len(frames))
        track.add(square, frame.picture, frame.fresh)
      self._note(track, here.index, face, faces)
    for i, face in enumerate(faces):
      if i not in matched.values():
        track = Track(self.next, here.index, bounds, self.size)
        self.next += 1
        track.add(reference_square(face), here.picture, here.fresh)
        self.tracks.append(track)
        self._note(track, here.index, face, faces)
    return ended

  def finish(self) -> list[Track]:
    """All tracks, at the end of the shot; the last frames stay where they were seen."""
    for track in self.tracks:
      square = reference_square(self._seen[track.number])
      for frame in self._waiting:
        track.add(square, frame.picture, frame.fresh)
    ended, self.tracks, self._waiting, self._seen = self.tracks, [], [], {}
    return ended

  def _note(self, track: Track, index: int, face: Seen, faces: list[Seen]) -> None:
    others = tuple(other.box for other in faces if other is not face)
    track.looks.append((index, face, others))
    self._seen[track.number] = face
