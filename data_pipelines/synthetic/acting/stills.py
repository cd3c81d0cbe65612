"""Unrelated frames that cover poses and expressions widely, for stage 1."""

from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic.acting.emotions import EMOTIONS, draw_face
from data_pipelines.synthetic.acting.lids import add_lids
from data_pipelines.synthetic.acting.rotations import MAX_EYE
from data_pipelines.synthetic.acting.visemes import (
  TARGETS,
  UNIT,
  UNITS,
  VISEMES,
  unit_vector,
)
from data_pipelines.synthetic.speaking.phones import SILENCE

FARTHEST_YAW = np.pi / 4
# How far the head turns on the torso at most: yaw, pitch, roll.
NECK = np.deg2rad([50.0, 28.0, 22.0])

# Faces that neither speech nor a preset emotion makes; a name that ends in Left or
# Right is mirrored half of the time.
GRIMACES = (
  unit_vector(mouthSmileLeft=1.0, mouthDimpleLeft=0.4, cheekSquintLeft=0.4),  # smirk
  unit_vector(mouthFrownLeft=0.9, mouthStretchLeft=0.5),
  unit_vector(mouthUpperUpLeft=1.0, noseSneerLeft=0.9),  # snarl
  unit_vector(mouthLowerDownLeft=0.9, mouthStretchLeft=0.8, jawOpen=0.1),
  unit_vector(eyeBlinkLeft=1.0, cheekSquintLeft=0.6, mouthSmileLeft=0.4),  # wink
  unit_vector(eyeBlinkLeft=1.0, browDownLeft=0.4, eyeSquintLeft=0.3),
  unit_vector(mouthRollLower=1.0, jawOpen=0.05, mouthUpperUp=0.3),  # lip bite
  unit_vector(mouthRollLower=0.9, mouthRollUpper=0.9, mouthPress=0.5),  # lips hidden
  unit_vector(cheekPuff=1.0, mouthPress=0.4),
  unit_vector(cheekPuff=0.9, mouthPucker=0.5),
  unit_vector(jawOpen=0.35, tongueOut=1.0, mouthLowerDown=0.3),
  unit_vector(jawOpen=0.15, tongueOut=0.6),
  unit_vector(mouthPucker=1.0, mouthFunnel=0.2),  # kiss
  unit_vector(mouthPucker=0.7, mouthLeft=0.7),
  unit_vector(mouthLeft=1.0), unit_vector(jawLeft=0.9, jawOpen=0.15),
  unit_vector(jawForward=0.9, mouthShrugLower=0.4),
  unit_vector(mouthShrugLower=1.0, mouthShrugUpper=0.6, mouthFrown=0.5),  # shrug
  unit_vector(browOuterUpLeft=1.0, browDownRight=0.7),  # one brow up
  unit_vector(browInnerUp=1.0, browOuterUp=0.9, eyeWide=0.8, jawOpen=0.8),  # astonished
  unit_vector(jawOpen=1.0, mouthStretch=0.5, mouthLowerDown=0.6, mouthUpperUp=0.5),
  unit_vector(jawOpen=0.5, mouthSmile=1.0, cheekSquint=0.9, eyeSquint=0.6,
              mouthUpperUp=0.4),  # laugh
  unit_vector(eyeSquint=1.0, cheekSquint=0.6, browDown=0.6, noseSneer=0.4),
  unit_vector(jawOpen=0.14, mouthClose=0.14, mouthPress=0.2),  # loose jaw, lips shut
)  # fmt: skip


def _mirror() -> np.ndarray:
  """`(52,)` index of each unit's twin on the other side."""
  swap = {'Left': 'Right', 'Right': 'Left'}
  twins = []
  for name in UNITS:
    for side, other in swap.items():
      if name.endswith(side):
        name = name.removesuffix(side) + other
        break
    twins.append(UNIT[name])
  return np.array(twins)


MIRROR = _mirror()


class Stills(NamedTuple):
  """`n` frames: units `(n, 52)`, pose `(n, 6)`, eyes `(n, 2)`, body `(n, 3)`, emotion
  `(n, 8)`, viseme `(n,)`, as in `performance.Performance`."""

  units: np.ndarray
  pose: np.ndarray
  eyes: np.ndarray
  body: np.ndarray
  emotion: np.ndarray
  viseme: np.ndarray


def _poses(rng, n) -> np.ndarray:
  """`(n, 6)`: most heads face the camera, one in six is turned up to 45 degrees."""
  wide = rng.random(n) < 0.16
  yaw = np.where(
    wide, rng.uniform(-FARTHEST_YAW, FARTHEST_YAW, n), rng.normal(0, 0.26, n)
  )
  return np.stack(
    [
      np.clip(yaw, -FARTHEST_YAW, FARTHEST_YAW),
      np.clip(rng.normal(0, 0.14, n), -0.4, 0.4),
      np.clip(rng.normal(0, 0.1, n), -0.35, 0.35),
      np.log(rng.uniform(0.9, 1.3, n)),
      np.clip(rng.normal(0, 0.04, n), -0.1, 0.1),
      np.clip(rng.normal(0, 0.04, n), -0.1, 0.1),
    ],
    axis=1,
  )


def _torsos(rng, pose) -> np.ndarray:
  """`(n, 3)` torso turns: anywhere from the camera's to the head's, within the neck."""
  n = len(pose)
  follow = rng.uniform(0.0, 1.0, (n, 1)) * [1.0, 0.5, 0.6]
  body = pose[:, :3] * follow + rng.normal(0, np.deg2rad([9.0, 3.5, 3.5]), (n, 3))
  body = np.clip(body, pose[:, :3] - NECK, pose[:, :3] + NECK)
  return np.clip(body, -np.deg2rad([50, 14, 14]), np.deg2rad([50, 14, 14]))


def _eyes(rng, n) -> np.ndarray:
  """`(n, 2)`: a wide bell, and one frame in eight far to a side."""
  eyes = rng.normal(0, (0.17, 0.12), (n, 2))
  angle = rng.uniform(0, 2 * np.pi, n)
  edge = np.stack([np.cos(angle), 0.75 * np.sin(angle)], 1)
  far = edge * rng.uniform(0.3, MAX_EYE, (n, 1))
  eyes = np.where(rng.random((n, 1)) < 0.125, far, eyes)
  return np.clip(eyes, -MAX_EYE, MAX_EYE)


def draw_stills(rng: np.random.Generator, n: int) -> Stills:
  """`n` frames; see `performance.pose_for_stills`."""
  pose = _poses(rng, n)
  body = _torsos(rng, pose)
  shared = rng.permutation(n)[: n // 2]
  if len(shared):
    pose[shared], body[shared] = pose[shared[0]], body[shared[0]]
  eyes = _eyes(rng, n)
  viseme = rng.integers(len(VISEMES), size=n)
  units = np.stack([TARGETS[VISEMES[v]] for v in viseme])
  units = units * rng.uniform(0.5, 1.4, (n, 1))
  names = rng.choice(EMOTIONS, size=n)
  strength = rng.uniform(0.2, 1.0, n) * (rng.random(n) < 0.65)
  strength[names == 'neutral'] = 0.0
  units += np.stack([draw_face(rng, e) for e in names]) * strength[:, None]
  # Sparse single units, so that no unit is only ever seen inside a preset.
  extra = (rng.random((n, len(UNITS))) < 0.06) * rng.uniform(0, 1.2, (n, len(UNITS)))
  lids = [i for i, name in enumerate(UNITS) if name.startswith(('eyeBlink', 'eyeLook'))]
  extra[:, lids] = 0.0
  extra[:, UNIT['tongueOut']] *= 0.4
  units += extra * (rng.random((n, 1)) < 0.7)
  jaw = rng.random(n) < 0.3
  units[jaw, UNIT['jawOpen']] = rng.uniform(0, 1, jaw.sum())
  # lips close over an open jaw; without one they would go through each other
  shut = np.where(rng.random(n) < 0.12, rng.uniform(0, 1, n), 0.0)
  jaw_open, close = units[:, UNIT['jawOpen']], units[:, UNIT['mouthClose']]
  units[:, UNIT['mouthClose']] = np.minimum(np.maximum(close, shut), jaw_open)
  # A grimace takes the place of speech and emotion.
  grimace = rng.random(n) < 0.2
  for i in np.flatnonzero(grimace):
    face = GRIMACES[rng.integers(len(GRIMACES))]
    face = face[MIRROR] if rng.random() < 0.5 else face
    units[i] = face * rng.uniform(0.5, 1.2) + 0.25 * units[i]
    closing = [UNIT['eyeBlinkLeft'], UNIT['eyeBlinkRight']]
    units[i, closing] = np.minimum(face[closing] * rng.choice([0.6, 1, 1]), 1)
    viseme[i], strength[i], names[i] = VISEMES.index(SILENCE), 0.0, 'neutral'
  closure = np.where(rng.random(n) < 0.17, rng.choice([0.35, 0.6, 1.0, 1.0], n), 0.0)

  units[0], pose[0, :3], body[0], eyes[0] = 0.0, 0.0, 0.0, 0.0
  strength[0], closure[0], viseme[0] = 0.0, 0.0, VISEMES.index(SILENCE)
  names[0] = 'neutral'
  add_lids(units, eyes, closure)
  emotion = np.zeros((n, len(EMOTIONS)))
  emotion[:, EMOTIONS.index('neutral')] = 1.0 - strength
  emotion[np.arange(n), [EMOTIONS.index(name) for name in names]] += strength
  return Stills(np.clip(units, 0.0, 1.4), pose, eyes, body, emotion, viseme)
