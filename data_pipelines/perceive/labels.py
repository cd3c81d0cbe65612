"""The labels of a record, read from its pictures: units and axes of `schema.Clip`."""

import dataclasses
from typing import NamedTuple

import numpy as np

from data_pipelines.motion_cache import main_gaze
from data_pipelines.perceive import emotion as emotion_lib
from data_pipelines.perceive import speech
from data_pipelines.perceive.readout import read_track
from data_pipelines.perceive.track import Track, follow_face
from data_pipelines.synthetic.acting.rotations import gaze_of

EMOTION_EVERY = 20  # frames: the mean of the clip is what is wanted


class Conditions(NamedTuple):
  """What VASA-1 (section 3.2) conditions a clip's motion on.

  main_gaze: `(2,)` degrees, mean of the fullest 5-degree bin. main_distance: ratio, the
  mean taken of its logarithm. mean_emotion: `(8,)` scores that sum to 1. All over the
  visible frames.
  """

  main_gaze: np.ndarray
  main_distance: float
  mean_emotion: np.ndarray


@dataclasses.dataclass(frozen=True)
class Labels:
  """What was read from `t` frames of a square crop.

  Attributes:
    pose: `(t, 5)` float32 yaw, pitch, roll in degrees, tx, ty in crop units.
    gaze: `(t, 2)` float32 degrees in the camera's frame: to the right, up.
    distance: `(t,)` float32 distance ratio.
    emotion: `(t, 8)` float32 scores that sum to 1, in the order of `schema`.
    landmarks: `(t, 468, 2)` float32 crop units.
    visible: `(t,)` bool, a face was found. Where not, the other labels lie between
      those of the frames before and after; where there never was a face they are 0,
      neutral and 1 (distance).
    eye_open: `(t, 2)` float32 lid gap over eye width, the eye at the picture's left
      first; open is about .3.
    shut: `(t,)` float32 how far both eyes are shut: usually about 0, in a blink about 1
      (`blinks.closure`); `blinks.blinks` finds the blinks in it.
    mouth_open: `(t,)` float32 gap of the inner lips over the width between the outer
      eye corners; closed is about 0, a wide "ah" .4.
    speech: share of the sound that is speech, NaN without sound.
    emotion_by: `human`, or `not measured`: then `emotion` is plain neutral.
  """

  pose: np.ndarray
  gaze: np.ndarray
  distance: np.ndarray
  emotion: np.ndarray
  landmarks: np.ndarray
  visible: np.ndarray
  eye_open: np.ndarray
  shut: np.ndarray
  mouth_open: np.ndarray
  speech: float
  emotion_by: str

  @property
  def conditions(self) -> Conditions:
    """The clip's three conditions."""
    seen = self.visible if self.visible.any() else np.ones(len(self.visible), bool)
    scores = self.emotion[seen].mean(0)
    return Conditions(
      main_gaze(self.gaze[seen]),
      float(np.exp(np.log(self.distance[seen]).mean())),
      (scores / scores.sum()).astype(np.float32),
    )

  @property
  def main_gaze(self) -> np.ndarray:
    return self.conditions.main_gaze

  @property
  def main_distance(self) -> float:
    return self.conditions.main_distance

  @property
  def mean_emotion(self) -> np.ndarray:
    return self.conditions.mean_emotion


def label_clip(crops: np.ndarray, audio: np.ndarray | None = None) -> Labels:
  """Reads a clip.

  Args:
    crops: `(t, s, s, 3)` uint8 RGB, the square crop as it will be stored, 25 a second.
    audio: `(n,)` int16, 16 kHz mono, or None.

  Raises:
    ValueError: the crops are not square pictures.
  """
  if crops.ndim != 4 or crops.shape[1] != crops.shape[2] or crops.dtype != np.uint8:
    raise ValueError(
      f'crops must be square, (t, s, s, 3) uint8, not {crops.dtype} {crops.shape}'
    )
  heard = float('nan') if audio is None else speech.speech_share(audio)
  track = follow_face(crops)
  if track is None:
    return _nothing(len(crops), heard)
  read = read_track(track)
  emotion, by = _emotion(crops, track)
  return Labels(
    pose=np.concatenate([read.pose[:, :3], read.pose[:, 4:]], 1).astype(np.float32),
    gaze=gaze_of(np.deg2rad(read.pose[:, :3]), read.eyes),
    distance=np.exp(read.pose[:, 3]).astype(np.float32),
    emotion=emotion,
    landmarks=track.points[..., :2],
    visible=track.visible,
    eye_open=read.eye_open.astype(np.float32),
    shut=read.shut.astype(np.float32),
    mouth_open=read.mouth_open.astype(np.float32),
    speech=heard,
    emotion_by=by,
  )


def _emotion(crops: np.ndarray, track: Track) -> tuple[np.ndarray, str]:
  """`(t, 8)` scores, and who read them; a few frames are read, the others between."""
  frames = len(crops)
  read = emotion_lib.load_reader()
  seen = np.flatnonzero(track.visible)
  if read is None:
    return emotion_lib.unmeasured(frames), emotion_lib.NOT_MEASURED
  at = seen[::EMOTION_EVERY] if len(seen) > EMOTION_EVERY else seen[:1]
  scores = read([crops[i] for i in at], [track.points[i] * crops.shape[1] for i in at])
  between = [np.interp(np.arange(frames), at, column) for column in scores.T]
  return np.stack(between, 1).astype(np.float32), emotion_lib.HUMAN


def _nothing(frames: int, heard: float) -> Labels:
  """Labels of a clip in which there is no face."""
  zeros = np.zeros((frames, 5), np.float32)
  return Labels(
    pose=zeros,
    gaze=zeros[:, :2],
    distance=np.ones(frames, np.float32),
    emotion=emotion_lib.unmeasured(frames),
    landmarks=np.zeros((frames, 468, 2), np.float32),
    visible=np.zeros(frames, bool),
    eye_open=zeros[:, :2],
    shut=zeros[:, 0],
    mouth_open=zeros[:, 0],
    speech=heard,
    emotion_by=emotion_lib.NOT_MEASURED,
  )
