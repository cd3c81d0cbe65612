"""Labels drawn onto their pictures: what a person looks at before trusting them."""

import cv2
import numpy as np

from data_pipelines import schema
from data_pipelines.synthetic.acting.rotations import rotation_matrix

# Mesh indices; "left" is the picture's.
_EYES = ((33, 133), (362, 263))
_BRIDGE = 168
_CHIN, _BROW = 152, 9
_LIPS = (
  78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80,
  191,
)  # fmt: skip
_GREEN, _YELLOW, _GREY = (120, 255, 120), (255, 230, 60), (190, 190, 190)
_AXES = ((255, 80, 80), (80, 255, 80), (90, 140, 255))  # to the face's x, y, z
SIDE = 512


def draw_labels(
  picture: np.ndarray,
  pose: np.ndarray,
  gaze: np.ndarray,
  landmarks: np.ndarray,
  trusted: bool = True,
  notes: tuple[str, ...] = (),
) -> np.ndarray:
  """One frame with its labels.

  Args:
    picture: `(s, s, 3)` uint8 RGB.
    pose: `(5,)` of `schema.Clip`: degrees and crop units.
    gaze: `(2,)` degrees in the camera's frame.
    landmarks: `(n, 2)` crop units; without 468 of them only numbers are written.
    trusted: False marks the frame red.
    notes: further lines of text.

  Returns:
    `(512, 512, 3)`: mesh in grey, inner lips in yellow, the head's axes (red to the
    picture's right, green up, blue out of the face), an arrow from each eye.
  """
  out = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
  if len(landmarks) == 468:
    _draw_face(out, np.asarray(landmarks, np.float64) * SIDE, pose, gaze)
  lines = [
    'yaw {:+.0f} pitch {:+.0f} roll {:+.0f}'.format(*pose[:3]),
    'gaze {:+.0f} {:+.0f}'.format(*gaze),
    *notes,
  ]
  for i, line in enumerate(lines):
    place = (8, 22 + 20 * i)
    for colour, shift in (((0, 0, 0), 1), (_GREEN, 0)):
      at = (place[0] + shift, place[1] + shift)
      cv2.putText(out, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
  if not trusted:
    cv2.rectangle(out, (0, 0), (SIDE - 1, SIDE - 1), (255, 40, 40), 8)
  return out


def _draw_face(out, points, pose, gaze) -> None:
  size = float(np.linalg.norm(points[_CHIN] - points[_BROW]))
  for point in points:
    cv2.circle(out, _px(point), 1, _GREY, -1, cv2.LINE_AA)
  lips = np.round(points[list(_LIPS)]).astype(np.int32)
  cv2.polylines(out, [lips], True, _YELLOW, 1, cv2.LINE_AA)
  axes = rotation_matrix(np.deg2rad(pose[:3]))
  for axis, colour in zip(axes.T, _AXES, strict=True):
    end = points[_BRIDGE] + axis[:2] * [1, -1] * 0.6 * size
    _arrow(out, points[_BRIDGE], end, colour)
  theta, phi = np.deg2rad(gaze)
  towards = np.array([np.sin(theta) * np.cos(phi), -np.sin(phi)])
  for pair in _EYES:
    middle = points[list(pair)].mean(0)
    _arrow(out, middle, middle + towards * 0.8 * size, _GREEN)


def _arrow(out, start, end, colour) -> None:
  cv2.arrowedLine(out, _px(start), _px(end), colour, 2, cv2.LINE_AA, tipLength=0.15)


def _px(point) -> tuple[int, int]:
  return int(round(float(point[0]))), int(round(float(point[1])))


def openings(landmarks: np.ndarray) -> np.ndarray:
  """`(t, 468, 2)` to `(t, 2)`: mouth and eyes, as far as flat landmarks tell.

  Units of `perceive.labels`; a turned head looks more open than it is.
  """
  from vasa_jax.metrics.openings import eye_opening, mouth_opening

  solid = np.concatenate([landmarks, np.zeros((*landmarks.shape[:2], 1))], -1)
  return np.stack([mouth_opening(solid), eye_opening(solid)], -1)


def draw_clip(clip: schema.Clip) -> np.ndarray:
  """All frames of a clip with their labels, `(t, 512, 512, 3)` uint8."""
  state = None
  if clip.landmarks.shape[1] == 468:
    state = openings(clip.landmarks)
  names = 'anger contempt disgust fear happiness neutral sadness surprise'.split()
  frames = []
  for i, data in enumerate(clip.frames):
    notes = [f'distance {clip.distance[i]:.2f}']
    if state is not None:
      notes.append('mouth {:.2f} eyes {:.2f}'.format(*state[i]))
    best = int(np.argmax(clip.emotion[i]))
    notes += [f'{names[best]} {clip.emotion[i, best]:.2f}', clip.clip_id]
    frames.append(
      draw_labels(
        schema.decode_picture(data), clip.pose[i], clip.gaze[i], clip.landmarks[i],
        bool(clip.visible[i]), tuple(notes),
      )
    )  # fmt: skip
  return np.stack(frames)


def write_video(path, clips: list[schema.Clip]) -> None:
  """The clips with their labels, one after another with their sound, as an MP4.

  Raises:
    UserError: the file cannot be written.
  """
  from data_pipelines.errors import UserError
  from vasa_jax.errors import UserError as VideoError
  from vasa_jax.inference.media.video import VideoWriter

  try:
    with VideoWriter(path, (SIDE, SIDE), crf=23) as video:
      for clip in clips:
        video.write(draw_clip(clip))
        # 16 to 48 kHz: each sample and two between it and the next
        at = np.arange(3 * len(clip.audio)) / 3
        sound = np.interp(at, np.arange(len(clip.audio)), clip.audio)
        video.write_sound((sound / 32768).astype(np.float32)[:, None])
  except VideoError as error:
    raise UserError(str(error)) from error
