"""Scores finished videos, of any system, with eyes that nobody here has trained.

A clip is read once, picture by picture, so its length does not matter for memory. Each
clip's scores are kept beside the report; a run that was cut off goes on where it was.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import cv2
import numpy as np

from vasa_jax.errors import UsageError, UserError
from vasa_jax.files import write_whole
from vasa_jax.metrics.clip_file import read_frames, read_sound
from vasa_jax.metrics.faces import load_descriptor, track_faces
from vasa_jax.metrics.mouth import (
  blinks_per_minute,
  eye_opening,
  mouth_opening,
  mouth_sync,
  speech_envelope,
)
from vasa_jax.metrics.obeyed import Asked, distance_error, gaze_error
from vasa_jax.metrics.pose import delta_p
from vasa_jax.metrics.processes import in_processes, in_turn
from vasa_jax.metrics.speech_scores import SpeechFiles, SpeechJudges
from vasa_jax.types import FPS

Descriptor = Callable[[np.ndarray], np.ndarray | None]
SUFFIXES = ('.mp4', '.mkv', '.mov', '.webm', '.avi')
_PICTURES = ('.jpg', '.jpeg', '.png', '.webp')
_IDENTITY_STEP = 5  # every fifth frame: a descriptor costs as much as 20 meshes
_STRIP_FRAMES, _STRIP_HEIGHT = 8, 128
_VERSION = (
  1  # raised when a score changes its meaning, so that old files are not reused
)


class Clip(NamedTuple):
  """One video to score.

  Attributes:
    name: of the clip, unique in a report.
    path: of the video.
    portrait: `(h, w, 3)` uint8 RGB; None compares with the clip's first picture.
    system: who made it; promises are held against 'model' only.
    asked: what was commanded, for E_g and E_d.
  """

  name: str
  path: Path
  portrait: np.ndarray | None = None
  system: str = 'model'
  asked: Asked = Asked()


def score_clip(
  clip: Clip,
  describe: Descriptor | None = None,
  embed: Descriptor | None = None,
  speech: SpeechJudges | None = None,
) -> dict[str, Any]:
  """All scores of one clip (`table.METRICS`), and its `strip` as a JPEG's bytes.

  A clip without sound has no mouth scores; without `describe` there is no 128-d
  distance, without `embed` (unit vectors, `identity.ArcFaceDescriptor`) no CSIM, and
  without `speech` neither sync nor CAPP.

  Raises:
    UserError: the video cannot be read.
  """
  strip = _Strip()
  people = {
    name: _Distances(clip.portrait, read)
    for name, read in (('identity', describe), ('csim', embed)) if read is not None
  }  # fmt: skip
  first = None

  def watch(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    nonlocal first
    for i, frame in enumerate(frames):
      first = frame if first is None else first
      strip.add(i, frame)
      if i % _IDENTITY_STEP == 0:
        for distances in people.values():
          distances.add(frame)
      yield frame

  asked = clip.asked
  track = track_faces(watch(read_frames(clip.path)), irises=asked.gaze is not None)
  frames = len(track.found)
  scores = {
    'clip': clip.name,
    'system': clip.system,
    'seconds': frames / FPS,
    'mesh_found': 100.0 * float(track.found.mean()),
    'delta_p': delta_p(track.pose, track.found),
    'blinks': blinks_per_minute(eye_opening(track.points), track.found),
  }
  if asked.gaze is not None:
    scores['gaze_error'] = gaze_error(track, asked.gaze)
  if asked.distance is not None:
    portrait = first if clip.portrait is None else clip.portrait
    scores['distance_error'] = distance_error(
      track, len(first), portrait, asked.distance
    )
  sound = read_sound(clip.path)
  if sound is not None and np.any(sound):
    sync = mouth_sync(
      mouth_opening(track.points), speech_envelope(sound, frames), track.found
    )
    scores |= {
      'mouth_r': sync.r,
      'mouth_lag': float(sync.lag),
      'mouth_speech': sync.speech,
      'mouth_silence': sync.silence,
    }
    if speech is not None:
      scores |= speech.score(lambda: read_frames(clip.path), track, sound)
  found = {name: one.values for name, one in people.items() if one.values}
  if 'identity' in found:
    scores['identity'] = float(np.median(found['identity']))
    scores['identity_worst'] = float(np.max(found['identity']))
  if 'csim' in found:  # of unit vectors: cos = 1 - |a - b|^2 / 2
    scores['csim'] = float(np.mean(1 - np.square(found['csim']) / 2))
  return {'scores': scores, 'strip': strip.jpeg()}


def score_clips(
  clips: Sequence[Clip],
  out: Path,
  describe: Descriptor | None = None,
  progress: Callable[[Sequence[Clip]], Iterable[Clip]] = iter,
  workers: int = 1,
  embed: Descriptor | None = None,
  speech: SpeechFiles | None = None,
) -> 'Scores':
  """Scores clips and keeps each under `out/clips`.

  A clip that cannot be read is named in `failures` and skipped.

  Args:
    describe: identity descriptor; None measures none.
    progress: wraps the clips, for a bar.
    workers: processes; with more than one, each loads `faces.load_descriptor` itself if
      `describe` is given.
    embed: as of `score_clip`; with several processes it has to be picklable.

  Raises:
    UserError: none could be read, or `out` cannot be written.
  """
  rows, strips, failures = [], {}, []
  folder = out / 'clips'
  try:
    folder.mkdir(parents=True, exist_ok=True)
    results = in_turn(_keep_score, clips, folder, describe, embed, speech)
    if workers > 1:
      results = in_processes(
        _keep_described, clips, workers, folder, bool(describe), embed, speech
      )
    for clip, (stem, failure) in zip(progress(clips), results, strict=True):
      if failure is not None:
        failures.append(failure)
        continue
      # Python writes and reads NaN here; nobody else reads this file.
      rows.append(json.loads(stem.with_suffix('.json').read_text()))
      strips[clip.name] = stem.with_suffix('.jpg')
  except OSError as error:
    raise UserError(f'cannot write to {out}: {error.strerror or error}') from error
  if not rows:
    raise UserError(failures[0] if failures else 'there is no clip to score')
  return Scores(rows, strips, failures)


@functools.cache
def _descriptor() -> Descriptor:
  return load_descriptor()


def _keep_described(clip: Clip, folder: Path, identity: bool, embed, speech):
  describe = _descriptor() if identity else None
  return _keep_score(clip, folder, describe, embed, speech)


def _keep_score(
  clip: Clip,
  folder: Path,
  describe: Descriptor | None,
  embed: Descriptor | None,
  speech: SpeechFiles | None,
) -> tuple[Path | None, str | None]:
  """Where the scores of a clip are kept, or why there are none."""
  try:
    judges = None if speech is None else speech.load()
    about = '' if judges is None else judges.about
    stem = folder / _key(clip, describe is not None, embed, about)
    kept, picture = stem.with_suffix('.json'), stem.with_suffix('.jpg')
    if not (kept.is_file() and picture.is_file()):
      result = score_clip(clip, describe, embed, judges)
      picture.write_bytes(result['strip'])
      # Last, and whole: its presence means done.
      write_whole(kept, json.dumps(result['scores']))
  except UserError as error:
    return None, str(error)
  return stem, None


class Scores(NamedTuple):
  """Rows for `table.write_report`, strips of frames by clip name, and what failed."""

  rows: list[dict[str, Any]]
  strips: dict[str, Path]
  failures: list[str]


def find_clips(
  videos: Path,
  portraits: Path | None = None,
  system: str = 'model',
  asked: Mapping[str, Asked] = MappingProxyType({}),
) -> list[Clip]:
  """The videos of a folder, by name.

  Args:
    videos: a folder, searched with its sub-folders.
    portraits: a picture for all clips, or a folder of them: the clip `anna_03.mp4`
      belongs to `anna.jpg` (the longest name that the clip's name starts with).
    system: who made them.
    asked: what was commanded, by the clip's name (path in the folder, no suffix).

  Raises:
    UserError: no folder, no video in it, no or an unreadable portrait.
    UsageError: something was asked of a clip that is not there.
  """
  if not videos.is_dir():
    raise UserError(f'no folder of videos at {videos}')
  paths = sorted(p for p in videos.rglob('*') if p.suffix.lower() in SUFFIXES)
  if not paths:
    raise UserError(f'{videos} holds no video ({", ".join(SUFFIXES)})')
  pictures: dict[str, Path] = {}
  if portraits is not None:
    found = [portraits] if portraits.is_file() else sorted(portraits.glob('*'))
    pictures = {p.stem: p for p in found if p.suffix.lower() in _PICTURES}
    if not pictures:
      raise UserError(f'no portrait at {portraits} ({", ".join(_PICTURES)})')
  clips = []
  for path in paths:
    name = path.relative_to(videos).with_suffix('').as_posix()
    fits = [stem for stem in pictures if path.stem.startswith(stem)]
    if not fits and portraits is not None and portraits.is_file():
      fits = list(pictures)
    picture = read_picture(pictures[max(fits, key=len)]) if fits else None
    clips.append(Clip(name, path, picture, system, asked.get(name, Asked())))
  if strange := set(asked) - {clip.name for clip in clips}:
    raise UsageError(
      f'{videos} holds no clip {min(strange)}, of which a gaze or a distance was asked'
    )
  return clips


def read_picture(path: Path) -> np.ndarray:
  """A picture file as `(h, w, 3)` uint8 RGB.

  Raises:
    UserError: it cannot be decoded.
  """
  try:
    raw = np.frombuffer(Path(path).read_bytes(), np.uint8)
  except OSError as error:
    raise UserError(f'cannot read {path}: {error.strerror or error}') from error
  picture = cv2.imdecode(raw, cv2.IMREAD_COLOR) if raw.size else None
  if picture is None:
    raise UserError(f'{path} is not a picture that can be read')
  return picture[..., ::-1]


def _key(
  clip: Clip, identity: bool, embed: Descriptor | None = None, judges: str = ''
) -> str:
  """A file name that changes when the video, its portrait or the scoring does."""
  try:
    stat = clip.path.stat()
  except OSError as error:
    raise UserError(f'cannot read {clip.path}: {error.strerror}') from error
  digest = hashlib.sha256(
    f'{_VERSION} {clip.name} {clip.system} {stat.st_size} {stat.st_mtime_ns} '
    f'{identity} {clip.asked} {embed!r} {judges}'.encode()
  )
  if clip.portrait is not None:
    digest.update(np.ascontiguousarray(clip.portrait).tobytes())
  return digest.hexdigest()[:24]


class _Distances:
  """128-d distances of frames to the portrait, or to the first frame with a face."""

  def __init__(self, portrait: np.ndarray | None, describe: Descriptor):
    self.values: list[float] = []
    self._describe = describe
    self._reference = None
    if portrait is not None:
      self._reference = describe(portrait)
      if self._reference is None:
        raise UserError('no face in the portrait that a clip is compared with')

  def add(self, frame: np.ndarray) -> None:
    found = self._describe(frame)
    if found is None:
      return  # counted by `mesh_found`
    if self._reference is None:
      self._reference = found
    else:
      self.values.append(float(np.linalg.norm(found - self._reference)))


class _Strip:
  """Keeps a few small frames, evenly spread over a clip of unknown length."""

  def __init__(self):
    self._frames: list[np.ndarray] = []
    self._step = 1

  def add(self, i: int, frame: np.ndarray) -> None:
    if i % self._step:
      return
    scale = _STRIP_HEIGHT / frame.shape[0]
    size = max(1, round(frame.shape[1] * scale)), _STRIP_HEIGHT
    self._frames.append(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
    if len(self._frames) == 4 * _STRIP_FRAMES:
      self._frames = self._frames[::2]
      self._step *= 2

  def jpeg(self) -> bytes:
    index = np.linspace(0, len(self._frames) - 1, _STRIP_FRAMES).round().astype(int)
    width = self._frames[0].shape[1]  # a video may change its size
    row = [cv2.resize(self._frames[i], (width, _STRIP_HEIGHT)) for i in index]
    picture = np.concatenate(row, axis=1)[..., ::-1]
    return cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
