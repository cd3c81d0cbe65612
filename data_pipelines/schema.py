"""What one record holds, and its bytes.

A `Clip` is a few seconds of one person: square pictures at 25 frames a second, 640
samples of sound for each, and per-frame labels. It becomes one TFDS example
(`to_example`, `from_example`) that TensorFlow Datasets reads without TensorFlow and
without our code.

Conventions of every label: x to the right of the picture, y up, z towards the camera;
head rotation R = Ry(yaw) Rx(pitch) Rz(roll). yaw > 0 turns the nose to the right of the
picture, pitch > 0 looks down, roll > 0 turns counter-clockwise on the screen. Crop
units are shares of the side of the picture; on the screen y runs DOWN.
"""

import dataclasses

import numpy as np

from data_pipelines.errors import UserError

FPS = 25
SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
NUM_UNITS = 52
SHAPE_DIM = 64
POINTS = 384
JPEG_QUALITY = 92
NAME = 'clips'
VERSION = '2.0.0'


@dataclasses.dataclass(frozen=True)
class Truth:
  """What only a rendered clip knows. `t` frames, `p` phones.

  Attributes:
    units: `(t, 52)` float32 face units, ARKit names in alphabetical order, 0..1, up to
      1.4 in stills.
    eyes: `(t, 2)` float32 eye yaw (to the right) and pitch (up), radians, head's frame.
    body: `(t, 3)` float32 yaw, pitch, roll of the torso in the camera's frame, radians.
    viseme: `(t,)` int32 index into `synthetic.acting.visemes.VISEMES`.
    phones: `p` ARPAbet names, lower case, `sil` for silence.
    phone_times: `(p, 2)` float32 start and end, seconds.
    text, voice, language: what is said, by which voice, in which language (BCP 47);
      empty in stills.
    identity_vector: `(k,)` float32 coefficients that drew the person.
    shape: `(64,)` float32 coefficients of the head template (`vasa_jax.face.template`).
    points: `(t, 384, 3)` float16 tracked surface points: x, y in crop units (y down)
      and 1 where visible, else 0.
    light: `(6 k + 27,)` float32: directions (k, 3), colours (k, 3), ambient (9, 3), as
      `drawing.scene.Light` explains them.
    camera: lens, sensor and codec, as JSON; the fields of `filming.camera.Camera`.
    style: how the pictures are painted, as JSON; empty for photographs.
    worn: hair style, brows, clothes and whatever else was drawn, names in one line.
    seed: the person is `sample_identity(seed)`.
  """

  units: np.ndarray
  eyes: np.ndarray
  body: np.ndarray
  viseme: np.ndarray
  phones: tuple[str, ...]
  phone_times: np.ndarray
  text: str
  voice: str
  language: str
  identity_vector: np.ndarray
  shape: np.ndarray
  points: np.ndarray
  light: np.ndarray
  camera: str
  style: str
  worn: str
  seed: int


@dataclasses.dataclass(frozen=True)
class Clip:
  """A clip of `t` frames.

  Attributes:
    clip_id: unique within a corpus.
    identity: who; clips of one person share it.
    source: where the pictures come from.
    licence: what they may be used for.
    frames: `t` JPEG files, square, RGB, one per 40 ms.
    audio: `(640 t,)` int16 mono 16 kHz. Frame i shows the middle of samples
      `[640 i, 640 (i + 1))`.
    pose: `(t, 5)` float32 yaw, pitch, roll in degrees, shift tx, ty in crop units.
    gaze: `(t, 2)` float32 eye direction theta (to the right), phi (up) in degrees in
      the camera's frame.
    distance: `(t,)` float32 distance ratio: distance of the camera over the reference
      distance; 1 = reference, larger = farther = smaller on the screen.
    emotion: `(t, 8)` float32 scores that sum to 1: anger, contempt, disgust, fear,
      happiness, neutral, sadness, surprise.
    landmarks: `(t, n, 2)` float32 x, y in crop units; n = 0 where none were found.
      Rendered clips have the 468 of the face mesh, exact, the hidden ones too.
    visible: `(t,)` bool, False where the labels of a frame must not be trusted.
    truth: only in rendered clips.
  """

  clip_id: str
  identity: str
  source: str
  licence: str
  frames: tuple[bytes, ...]
  audio: np.ndarray
  pose: np.ndarray
  gaze: np.ndarray
  distance: np.ndarray
  emotion: np.ndarray
  landmarks: np.ndarray
  visible: np.ndarray
  truth: Truth | None = None

  def __len__(self) -> int:
    return len(self.frames)

  @property
  def z_pose(self) -> np.ndarray:
    """`(t, 6)` float32 yaw, pitch, roll (radians), log distance ratio, tx, ty."""
    log = np.log(self.distance)[:, None]
    parts = [np.deg2rad(self.pose[:, :3]), log, self.pose[:, 3:]]
    return np.concatenate(parts, 1).astype(np.float32)

  @property
  def z_dyn(self) -> np.ndarray:
    """`(t, 54)` float32 units, then eye yaw and eye pitch in radians.

    Raises:
      UserError: the clip is not rendered, so its exact dynamics are unknown.
    """
    if self.truth is None:
      raise UserError(f'clip {self.clip_id} is not rendered: it has no exact dynamics')
    return np.concatenate([self.truth.units, self.truth.eyes], 1).astype(np.float32)


# Shapes of the arrays of an example; t and p are free.
_ARRAYS = {
  'audio': ((None,), np.int16),
  'pose': ((None, 5), np.float32),
  'gaze': ((None, 2), np.float32),
  'distance': ((None,), np.float32),
  'emotion': ((None, 8), np.float32),
  'landmarks': ((None,), np.float32),  # flat: TFDS cannot read an empty (t, n, 2) back
  'visible': ((None,), np.uint8),
}
_TRUTH_ARRAYS = {
  'units': ((None, NUM_UNITS), np.float32),
  'eyes': ((None, 2), np.float32),
  'body': ((None, 3), np.float32),
  'viseme': ((None,), np.int32),
  'phone_times': ((None, 2), np.float32),
  'identity_vector': ((None,), np.float32),
  'shape': ((None,), np.float32),
  'points': ((None, POINTS, 3), np.float16),
  'light': ((None,), np.float32),
}
_TRUTH_TEXTS = ('text', 'voice', 'language', 'camera', 'style', 'worn')
_TEXTS = ('clip_id', 'identity', 'source', 'licence')


def features():
  """The TFDS features of a record (imports TensorFlow Datasets, not TensorFlow)."""
  import tensorflow_datasets as tfds

  f = tfds.features

  def tensors(arrays):
    return {
      name: f.Tensor(shape=shape, dtype=dtype, encoding='bytes')
      for name, (shape, dtype) in arrays.items()
    }

  truth = {**tensors(_TRUTH_ARRAYS), 'phones': f.Text()}
  truth |= {name: f.Text() for name in _TRUTH_TEXTS}
  truth |= {'seed': f.Scalar(np.int64), 'known': f.Scalar(np.int64)}
  return f.FeaturesDict({
    **{name: f.Text() for name in _TEXTS},
    'frames': f.Sequence(f.Text()),
    **tensors(_ARRAYS),
    'truth': f.FeaturesDict(truth),
  })  # fmt: skip


def to_example(clip: Clip) -> dict:
  """The example of a clip, as `features()` wants it.

  Raises:
    ValueError: an array does not have the length that the frames ask for.
  """
  check(clip)
  example = {name: getattr(clip, name) for name in _TEXTS}
  example['frames'] = list(clip.frames)
  for name, (_, dtype) in _ARRAYS.items():
    example[name] = np.ascontiguousarray(getattr(clip, name), dtype)
  example['landmarks'] = example['landmarks'].ravel()
  truth = {}
  for name, (shape, dtype) in _TRUTH_ARRAYS.items():
    empty = np.zeros([0 if n is None else n for n in shape], dtype)
    value = empty if clip.truth is None else getattr(clip.truth, name)
    truth[name] = np.ascontiguousarray(value, dtype)
  known = clip.truth
  truth['phones'] = ' '.join(known.phones) if known else ''
  for name in _TRUTH_TEXTS:
    truth[name] = getattr(known, name) if known else ''
  truth['seed'] = known.seed if known else 0
  truth['known'] = int(known is not None)
  return {**example, 'truth': truth}


def from_example(example: dict) -> Clip:
  """The clip of an example that TFDS gave back.

  Raises:
    ValueError: the example is damaged; the message says what is wrong.
  """

  def text(value) -> str:
    return value.decode('utf8') if isinstance(value, bytes) else str(value)

  try:
    frames = tuple(bytes(frame) for frame in example['frames'])
    arrays = {name: np.asarray(example[name]) for name in _ARRAYS}
    arrays['landmarks'] = arrays['landmarks'].reshape(max(len(frames), 1), -1, 2)
    arrays['visible'] = arrays['visible'].astype(bool)
    truth = None
    if int(example['truth']['known']):
      given = example['truth']
      truth = Truth(
        **{name: np.asarray(given[name]) for name in _TRUTH_ARRAYS},
        phones=tuple(text(given['phones']).split()),
        **{name: text(given[name]) for name in _TRUTH_TEXTS},
        seed=int(given['seed']),
      )
    names = {name: text(example[name]) for name in _TEXTS}
  except (KeyError, TypeError, UnicodeDecodeError) as error:
    raise ValueError(f'not a clip: {error!r}') from error
  clip = Clip(**names, frames=frames, truth=truth, **arrays)
  check(clip)
  return clip


def check(clip: Clip) -> None:
  """Raises ValueError if the lengths of a clip's arrays contradict each other."""
  t = len(clip.frames)
  if not t:
    raise ValueError(f'clip {clip.clip_id}: no frames')
  wanted = {
    'audio': (t * SAMPLES_PER_FRAME,), 'pose': (t, 5), 'gaze': (t, 2), 'distance': (t,),
    'emotion': (t, 8), 'visible': (t,),
  }  # fmt: skip
  found = {name: getattr(clip, name).shape for name in wanted}
  if clip.truth is not None:
    more = {
      'units': (t, NUM_UNITS), 'eyes': (t, 2), 'body': (t, 3), 'viseme': (t,),
      'shape': (SHAPE_DIM,), 'points': (t, POINTS, 3),
      'phone_times': (len(clip.truth.phones), 2),
    }  # fmt: skip
    found |= {name: getattr(clip.truth, name).shape for name in more}
    wanted |= more
  for name, shape in wanted.items():
    if found[name] != shape:
      raise ValueError(f'clip {clip.clip_id}: {name} is {found[name]}, not {shape}')


def encode_picture(picture: np.ndarray) -> bytes:
  """`(h, w, 3)` uint8 RGB to JPEG bytes, quality 92, full colour resolution."""
  import cv2

  options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
  options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
  done, data = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
  if not done:
    raise ValueError(f'cannot encode a picture of shape {picture.shape}')
  return data.tobytes()


def decode_picture(data: bytes) -> np.ndarray:
  """JPEG bytes to `(h, w, 3)` uint8 RGB.

  Raises:
    ValueError: the bytes are no picture, or the picture is cut off.
  """
  import cv2

  # A JPEG that lost its tail still decodes, half grey: its end mark must be there.
  whole = data[:2] == b'\xff\xd8' and data[-2:] == b'\xff\xd9'
  picture = None
  if whole:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
  if picture is None:
    raise ValueError('a frame is not a whole JPEG picture')
  return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
