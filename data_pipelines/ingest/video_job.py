"""One video to its clips: `read_video`, a function of the file's bytes and the config.

The file goes by once. Frames wait for the next look at the picture (five of them at
most); of each person a part of the picture is kept until a clip is full. So the memory
is that of the longest clip, however long the video is.
"""

import base64
from collections.abc import Callable
from typing import Any

import numpy as np

from data_pipelines import schema
from data_pipelines.ingest import crops, cutting, duplicates, filters, sync
from data_pipelines.ingest.config import Config
from data_pipelines.ingest.eyes import LONGEST, Eyes, look
from data_pipelines.ingest.outcome import Outcome, Report, Source
from data_pipelines.ingest.picture import Picture, crop, small, thumb
from data_pipelines.ingest.shots import ShotCuts
from data_pipelines.ingest.sound import Sound
from data_pipelines.ingest.timeline import BrokenFile, Shown, Timeline
from data_pipelines.ingest.tracks import MOST, STRIDE, Frame, Track, Tracker

_THUMB = 96  # px; pictures in the report
_EXAMPLES = 2  # pictures that a video adds to each reason
_INTERLACED = 0.5  # share of woven pictures above which a video is refused


def read_video(
  source: Source,
  config: Config,
  eyes: Eyes,
  keep: Callable[[schema.Clip], None],
  beat: Callable[[], None] = lambda: None,
) -> Report:
  """Reads one video.

  Args:
    source: which.
    config: sizes and thresholds.
    eyes: the nets.
    keep: is given every clip that passes the filters, in order.
    beat: is called while the work goes on, at least once for every few frames decoded.

  Returns:
    The report; a file that cannot be read is one with a `reason`.
  """
  report = Report(source.key)
  try:
    _Reading(source, config, eyes, keep, beat, report).run()
  except BrokenFile as error:
    report.reason, report.note = error.reason, str(error)
  return report


class _Reading:
  """The state of one pass over a file."""

  def __init__(self, source, config, eyes, keep, beat, report):
    self.source, self.config, self.eyes = source, config, eyes
    self.keep, self.beat, self.report = keep, beat, report
    self.people: list[np.ndarray] = []
    self.pictured: dict[str | None, int] = {}
    self.sound: Sound | None = None
    self.tracker = Tracker(config.size)
    self.ended: list[Track] = []
    self.looks = 0

  def run(self) -> None:
    timeline = Timeline(self.source.path)
    report, cuts = self.report, ShotCuts()
    last = looked = None
    try:
      for shown in timeline:
        if last is None:
          self._begin(shown.picture, timeline.zero)
        new = last is None or shown.picture is not last.picture
        if last is not None and (
          shown.index != last.index + 1 or shown.picture.y.shape != last.picture.y.shape
        ):
          self._end_shot()
          cuts.restart()
          looked = None
        if new and cuts.push(thumb(shown.picture)):
          self._end_shot()
          looked = None
        report.shots += looked is None
        self.tracker.push(Frame(*shown))
        if looked is None or shown.index - looked >= STRIDE:
          self._look(shown, looked is None)
          looked = shown.index
        last = shown
        if timeline.decoded > 250 and (
          timeline.interlaced > _INTERLACED * timeline.decoded
        ):
          raise BrokenFile('its pictures are woven of two fields', 'interlaced')
      self._end_shot()
      if not report.outcomes:
        report.reason, report.note = 'no face', 'no face was found'
    finally:
      report.seconds = round(timeline.seconds or (looked or 0) / schema.FPS, 3)
      report.decoded, report.lost = timeline.decoded, timeline.lost
      report.backwards = timeline.backwards
      report.tracks = self.sound.tracks if self.sound else 0

  def _begin(self, picture: Picture, zero: float) -> None:
    self.report.width, self.report.height = round(picture.width), picture.height
    self.sound = Sound(self.source.path, zero)

  def _look(self, shown: Shown, first: bool) -> None:
    """Looks for the faces in a picture; `first` of its shot."""
    self.beat()
    picture = small(shown.picture, LONGEST)
    scale = shown.picture.height / picture.shape[0]
    # New faces are looked for every other time: the detector costs most.
    self.looks = 0 if first else self.looks + 1
    quick = self.looks % 2 == 1
    faces = look(picture, scale, self.eyes, self.tracker.seen, quick)
    if not faces:
      self.report.faceless += STRIDE / schema.FPS
    if len(faces) > MOST:
      self.report.crowded += STRIDE / schema.FPS
    bounds = (shown.picture.width, shown.picture.height)
    self._finish_all(self.tracker.look(faces, bounds))
    for track in self.tracker.tracks:
      # What is left must be long enough for a clip, should the shot end here.
      while len(track) > self.config.max_frames + self.config.min_frames:
        self._finish(self._split(track))

  def _end_shot(self) -> None:
    self._finish_all(self.tracker.finish())

  def _finish_all(self, ended: list[Track]) -> None:
    self.ended = ended
    while self.ended:
      track = self.ended.pop(0)
      while len(track) > self.config.max_frames:
        self._finish(self._split(track))
      self._finish(track)

  def _split(self, track: Track) -> Track:
    """Takes the next clip off a track that is longer than one."""
    least, most = self.config.min_frames, self.config.max_frames
    most = max(min(most, len(track) - least), least)
    return track.split(cutting.cut_at(self._hear(track.start, most), least))

  def _hear(self, start: int, frames: int) -> np.ndarray:
    # Sound is read forwards; what other people of the shot still need is kept.
    first = min([start, *(t.start for t in (*self.tracker.tracks, *self.ended))])
    samples = schema.SAMPLES_PER_FRAME
    heard = self.sound.read(first * samples, (start + frames - first) * samples)
    return heard[(start - first) * samples :]

  def _finish(self, track: Track) -> None:
    """Makes a clip of a track, or notes why not."""
    self.beat()
    outcome = Outcome(
      f'{self.source.key}-{track.start:07d}-{track.number}',
      round(track.start / schema.FPS, 3), len(track), None, {},
    )  # fmt: skip
    clip = self._clip(track, outcome)
    count = self.pictured.get(outcome.reason, 0)
    self.pictured[outcome.reason] = count + 1
    if count < _EXAMPLES and len(track):
      outcome.picture = _picture_of(track)
    self.report.outcomes.append(outcome)
    if clip is not None:
      self.keep(clip)

  def _clip(self, track: Track, outcome: Outcome) -> schema.Clip | None:
    """The clip of a track; None, and a reason in `outcome`."""
    config, numbers = self.config, outcome.numbers
    if len(track) < config.min_frames:
      outcome.reason = 'short'
      return None
    path = crops.square_path(track)
    outcome.reason = filters.before_cropping(track, path, config, numbers)
    if outcome.reason:
      return None
    sound = self._hear(track.start, len(track))
    outcome.reason = self._speech(sound, numbers)
    if outcome.reason:
      return None
    pictures = crops.cut_out(track, path, config.size)
    self.beat()
    some = pictures[np.linspace(0, len(pictures) - 1, 5).round().astype(int)]
    numbers['sharpness'] = round(
      float(np.median([self.eyes.sharpness(p) for p in some])), 4
    )
    if numbers['sharpness'] < config.min_sharpness:
      outcome.reason = 'blur'
      return None
    labels = self.eyes.labels(pictures, sound if self.sound.there else None)
    self.beat()
    outcome.reason = filters.after_labels(labels, numbers['speech'], config, numbers)
    if outcome.reason:
      return None
    outcome.identity, outcome.reason = self._identity(
      some[[0, -1]], track.number, numbers
    )
    if outcome.reason:
      return None
    outcome.signature = duplicates.signature(pictures, sound)
    outcome.curve = sync.curve(labels.mouth_open, sound)
    return self._record(outcome, pictures, sound, labels)

  def _speech(self, sound: np.ndarray, numbers: dict[str, float]) -> str | None:
    numbers['speech'] = round(self.eyes.speech(sound), 4) if self.sound.there else 0.0
    if numbers['speech'] >= self.config.min_speech:
      return None
    return 'no speech' if self.sound.there else 'no sound'

  def _identity(self, some: np.ndarray, track: int, numbers) -> tuple[str, str | None]:
    """Who it is, and the reason to drop the clip if that is not one person."""
    name = self.source.person or self.source.key
    found = [vector for vector in map(self.eyes.describe, some) if vector is not None]
    if not found:  # no descriptor is installed: nobody is taken for somebody else
      return (name if self.source.person else f'{name}-t{track}'), None
    limit = self.eyes.limit
    alike = min(duplicates.likeness(a, b, limit) for a in found for b in found)
    numbers['alike'] = round(alike, 4)
    if alike < self.config.min_same:
      return '', 'identity switch'
    mean = np.mean(found, 0)
    mean = mean / np.linalg.norm(mean)
    who = duplicates.same_person(mean, self.people, self.config.join, limit)
    if who is None:
      who = len(self.people)
      self.people.append(mean)
    # Where the folder names the person, the first one found in the video is meant.
    return (name if self.source.person and who == 0 else f'{name}-p{who}'), None

  def _record(self, outcome, pictures, sound, labels: Any) -> schema.Clip:
    def array(values, kind=np.float32) -> np.ndarray:
      return np.ascontiguousarray(values, kind)

    return schema.Clip(
      clip_id=outcome.clip_id,
      identity=outcome.identity,
      source=self.source.key,
      licence=self.source.licence,
      frames=tuple(schema.encode_picture(picture) for picture in pictures),
      audio=sound,
      pose=array(labels.pose),
      gaze=array(labels.gaze),
      distance=array(labels.distance),
      emotion=array(labels.emotion),
      landmarks=array(labels.landmarks),
      visible=array(labels.visible, bool),
    )


def _picture_of(track: Track) -> str:
  """Its middle frame, small, as base64 JPEG."""
  middle = len(track) // 2
  picture = crop(track.parts[middle], track.squares[middle], _THUMB)
  return base64.b64encode(schema.encode_picture(picture)).decode()
