"""The plan of the oracle set: which frame changes what (numpy only).

Every person of the set has one base frame (frontal, neutral, looking at the camera) and
frames in which ONE factor differs from it. What is not the factor is bit for bit the
base frame's: pose, dynamics, gaze, light, place, person. A model that disentangles must
answer to a factor in one of its codes and leave the others alone.
"""

import dataclasses
import functools

import numpy as np

from data_pipelines.synthetic.acting.emotions import EMOTION_UNITS, EMOTIONS
from data_pipelines.synthetic.acting.visemes import unit_vector

IDENTITIES = 50
BASE_DISTANCE = 1.05  # ratio; inside the range that the corpus covers
SHIFT = (-0.08, -0.04, 0.04, 0.08)
_HALF_AND_FULL = (0.5, 1.0)

# Units of each group of dynamics at strength 1; left and right alike.
DYNAMICS = {
  'mouth opening': ((0.15, 0.3, 0.5, 0.8), unit_vector(jawOpen=1.0)),
  'pucker': (_HALF_AND_FULL, unit_vector(mouthPucker=1.0)),
  'funnel': (_HALF_AND_FULL, unit_vector(mouthFunnel=1.0)),
  'stretch': (_HALF_AND_FULL, unit_vector(mouthStretch=1.0)),
  'press': (_HALF_AND_FULL, unit_vector(mouthPress=1.0)),
  'lips apart': (_HALF_AND_FULL, unit_vector(mouthUpperUp=0.7, mouthLowerDown=0.7)),
  'smile': (_HALF_AND_FULL, unit_vector(mouthSmile=1.0)),
  'frown': (_HALF_AND_FULL, unit_vector(mouthFrown=1.0)),
  'brows up': (_HALF_AND_FULL, unit_vector(browInnerUp=1.0, browOuterUp=1.0)),
  'brows down': (_HALF_AND_FULL, unit_vector(browDown=1.0)),
  'blink': ((0.35, 0.7, 1.0), unit_vector(eyeBlink=1.0)),
  'eyes wide': (_HALF_AND_FULL, unit_vector(eyeWide=1.0)),
  'squint': (_HALF_AND_FULL, unit_vector(eyeSquint=1.0)),
  'nose sneer': (_HALF_AND_FULL, unit_vector(noseSneer=1.0)),
  'cheeks': (_HALF_AND_FULL, unit_vector(cheekSquint=1.0)),
}
# Which code of the model a factor belongs to.
GROUPS = {
  'yaw': 'pose', 'pitch': 'pose', 'roll': 'pose', 'distance': 'pose',
  'shift x': 'pose', 'shift y': 'pose', 'gaze x': 'gaze', 'gaze y': 'gaze',
  **dict.fromkeys(DYNAMICS, 'dynamics'), 'emotion': 'dynamics',
  'light': 'light', 'background': 'background', 'identity': 'identity',
}  # fmt: skip
FACTORS = tuple(GROUPS)


@dataclasses.dataclass(frozen=True, eq=False)
class OracleFrame:
  """One frame of the set.

  Attributes:
    identity: number of the person whose base frame this one is compared with.
    factor: 'base' or one of `FACTORS`.
    value: of the factor: degrees (yaw, pitch, roll, gaze), ratio (distance), crop
      units (shift), strength (dynamics), an emotion's name, or the number of a rig,
      of a place or of a stranger; 0 for the base.
    units: `(52,)` float32.
    pose: `(6,)` float32 z_pose.
    eyes: `(2,)` float32 eye yaw and pitch, radians.
    emotion: `(8,)` float32 scores.
    light, place: number of the rig and of the place; 0 = the base frame's.
    stranger: 0 = the person, 1 = another person, all else equal.
  """

  identity: int
  factor: str
  value: float | str
  units: np.ndarray
  pose: np.ndarray
  eyes: np.ndarray
  emotion: np.ndarray
  light: int = 0
  place: int = 0
  stranger: int = 0


def scores(emotion: str, strength: float = 1.0) -> np.ndarray:
  """(8,) float32: the emotion has its strength, neutral the rest."""
  values = np.zeros(len(EMOTIONS), np.float32)
  values[EMOTIONS.index('neutral')] = 1 - strength
  values[EMOTIONS.index(emotion)] += strength
  return values


def _base(identity: int) -> OracleFrame:
  pose = np.zeros(6, np.float32)
  pose[3] = np.log(BASE_DISTANCE)
  return OracleFrame(
    identity=identity,
    factor='base',
    value=0.0,
    units=np.zeros(52, np.float32),
    pose=pose,
    eyes=np.zeros(2, np.float32),
    emotion=scores('neutral'),
  )


def _person(identity: int) -> list[OracleFrame]:
  base = _base(identity)
  frames = [base]

  def add(factor, value, **changes):
    frames.append(dataclasses.replace(base, factor=factor, value=value, **changes))

  def moved(vector, index, to):
    vector = vector.copy()
    vector[index] = to
    return vector

  turns = {
    'yaw': (-40.0, -20.0, 10.0, 20.0, 40.0),
    'pitch': (-18.0, -9.0, 9.0, 18.0),
    'roll': (-18.0, -9.0, 9.0, 18.0),
  }
  for i, (factor, values) in enumerate(turns.items()):
    for value in values:
      add(factor, value, pose=moved(base.pose, i, np.deg2rad(value)))
  for value in (0.92, 1.0, 1.15, 1.27):
    add('distance', value, pose=moved(base.pose, 3, np.log(value)))
  for i, factor in enumerate(('shift x', 'shift y')):
    for value in SHIFT:
      add(factor, value, pose=moved(base.pose, 4 + i, value))
  looks = {'gaze x': (-20.0, -10.0, 10.0, 20.0), 'gaze y': (-12.0, -6.0, 6.0, 12.0)}
  for i, (factor, values) in enumerate(looks.items()):
    for value in values:
      add(factor, value, eyes=moved(base.eyes, i, np.deg2rad(value)))
  for factor, (strengths, units) in DYNAMICS.items():
    for value in strengths:
      add(factor, value, units=(units * value).astype(np.float32))
  for name in EMOTIONS:
    if name != 'neutral':
      units = np.asarray(EMOTION_UNITS[name], np.float32)
      add('emotion', name, units=units, emotion=scores(name))
  for number in (1, 2, 3, 4):
    add('light', float(number), light=number)
  for number in (1, 2, 3):
    add('background', float(number), place=number)
  add('identity', 1.0, stranger=1)
  return frames


@functools.lru_cache(maxsize=4)
def oracle_frames(identities: int = IDENTITIES) -> tuple[OracleFrame, ...]:
  """All frames of the set, person by person, each person's base frame first."""
  return tuple(frame for i in range(identities) for frame in _person(i))
