"""From speech to a performance: what a rendered head does in every frame (numpy only).

`perform` acts a talking clip; `pose_for_stills` draws unrelated frames that cover the
space of poses and expressions for stage 1. Both give exact labels, in the conventions
of `schema.py`: x right in the picture, y up, z towards the camera; head rotation
`Ry(yaw) @ Rx(pitch) @ Rz(roll)`; 25 frames a second, 640 samples a frame.
"""

import dataclasses

import numpy as np

from data_pipelines.synthetic.phones import SILENCE
from data_pipelines.synthetic.speech import SAMPLE_RATE, Speech
from data_pipelines.synthetic.visemes import (
  FPS,
  MOUTH,
  TARGETS,
  UNIT,
  UNITS,
  VISEME_OF,
  VISEMES,
  hold_contacts,
  lips_of,
  unit_vector,
)

SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
EMOTIONS = (
  'anger', 'contempt', 'disgust', 'fear', 'happiness', 'neutral', 'sadness', 'surprise',
)  # fmt: skip

# Full-strength faces; clips show them at 0.3 to 0.8.
EMOTION_UNITS = {
  'anger': unit_vector(
    browDown=1.3, noseSneer=0.7, mouthPress=0.4, eyeSquint=0.5, mouthFrown=0.4
  ),
  'contempt': unit_vector(
    mouthSmileLeft=0.9, mouthDimpleLeft=0.9, cheekSquintLeft=0.4, eyeSquint=0.35,
    browOuterUpRight=0.5, mouthPressLeft=0.4,
  ),
  'disgust': unit_vector(
    noseSneer=1.3, mouthUpperUp=0.7, browDown=0.7, eyeSquint=0.5, mouthFrown=0.4
  ),
  'fear': unit_vector(
    browInnerUp=1.3, eyeWide=1.2, mouthStretch=0.8, browOuterUp=0.3, jawOpen=0.12
  ),
  'happiness': unit_vector(
    mouthSmile=1.1, cheekSquint=0.7, eyeSquint=0.35, mouthUpperUp=0.2, mouthDimple=0.3
  ),
  'neutral': unit_vector(),
  'sadness': unit_vector(
    mouthFrown=1.1, browInnerUp=1.1, eyeSquint=0.3, mouthShrugLower=0.4
  ),
  'surprise': unit_vector(
    browInnerUp=1.2, browOuterUp=1.3, eyeWide=1.1, jawOpen=0.22, mouthFunnel=0.1
  ),
}  # fmt: skip

# Lid closure of one blink at 25 Hz: quick down, slower up.
_BLINKS = (
  (0.45, 1.0, 0.8, 0.4, 0.12),
  (0.4, 1.0, 1.0, 0.7, 0.35, 0.1),
  (0.3, 0.9, 1.0, 0.85, 0.5, 0.25, 0.08),
)
_MAX_EYE = 0.45  # radians, what the eyeballs of the rendered heads can turn


@dataclasses.dataclass(frozen=True)
class Performance:
  """What the head does in `t` frames.

  Attributes:
    units: `(t, 52)` float32 face units in the order of `visemes.UNITS`, 0..1, up to 1.4
      in stills.
    pose: `(t, 6)` float32 yaw, pitch, roll (radians), log distance ratio, tx, ty (crop
      units, x right, y down): exactly `z_pose` of the lite model.
    eyes: `(t, 2)` float32 eye yaw and eye pitch (radians, in the head's frame; right
      and up are positive): the last two of `z_dyn`.
    gaze: `(t, 2)` float32 eye direction (theta, phi) in degrees, camera frame.
    distance: `(t,)` float32 distance ratio, 1 = reference, larger = farther.
    emotion: `(t, 8)` float32 scores that sum to 1, in the order of `EMOTIONS`.
    viseme: `(t,)` int64 index into `visemes.VISEMES`.
    energy: `(t,)` float32 loudness in 0..1 of the frame's 640 samples (0 in stills).
  """

  units: np.ndarray
  pose: np.ndarray
  eyes: np.ndarray
  gaze: np.ndarray
  distance: np.ndarray
  emotion: np.ndarray
  viseme: np.ndarray
  energy: np.ndarray


def rotation_matrix(angles: np.ndarray) -> np.ndarray:
  """`(..., 3)` yaw, pitch, roll in radians to `(..., 3, 3)` head rotations."""
  (cy, cp, cr), (sy, sp, sr) = (
    np.moveaxis(f(np.asarray(angles, np.float64)), -1, 0) for f in (np.cos, np.sin)
  )
  rows = (
    (cy * cr + sy * sp * sr, -cy * sr + sy * sp * cr, sy * cp),
    (cp * sr, cp * cr, -sp),
    (-sy * cr + cy * sp * sr, sy * sr + cy * sp * cr, cy * cp),
  )
  return np.stack([np.stack(row, -1) for row in rows], -2)


def _direction(angles: np.ndarray) -> np.ndarray:
  """`(..., 2)` (right, up) in radians to `(..., 3)` unit vectors."""
  theta, phi = angles[..., 0], angles[..., 1]
  return np.stack(
    [np.sin(theta) * np.cos(phi), np.sin(phi), np.cos(theta) * np.cos(phi)], -1
  )


def _angles(direction: np.ndarray) -> np.ndarray:
  theta = np.arctan2(direction[..., 0], direction[..., 2])
  return np.stack([theta, np.arcsin(np.clip(direction[..., 1], -1, 1))], -1)


def gaze_of(pose: np.ndarray, eyes: np.ndarray) -> np.ndarray:
  """`(t, 2)` gaze in degrees in the camera's frame, from head pose and eye angles."""
  rotation = rotation_matrix(pose[..., :3])
  world = np.einsum('...ij,...j->...i', rotation, _direction(np.asarray(eyes, float)))
  return np.rad2deg(_angles(world)).astype(np.float32)


def eyes_towards(pose: np.ndarray, gaze: np.ndarray) -> np.ndarray:
  """`(t, 2)` eye angles (radians) that look along `gaze` (degrees), as far as they can.

  The inverse of `gaze_of` inside the range of the eyeballs: eyes hold a target while
  the head turns.
  """
  rotation = rotation_matrix(pose[..., :3])
  local = np.einsum('...ji,...j->...i', rotation, _direction(np.deg2rad(gaze)))
  return np.clip(_angles(local), -_MAX_EYE, _MAX_EYE)


def drift(rng: np.random.Generator, frames: int, seconds: float) -> np.ndarray:
  """`(t,)` smooth noise of unit standard deviation (Ornstein-Uhlenbeck, smoothed).

  Args:
    rng: where the noise comes from.
    frames: how many frames at 25 Hz.
    seconds: correlation time of the result.
  """
  keep = np.exp(-2.0 / (FPS * seconds))
  noise = rng.standard_normal(frames)
  out = np.zeros(frames)
  fast = rng.standard_normal()
  slow = fast * 0.7 + 0.7 * rng.standard_normal()
  for i in range(frames):
    fast = keep * fast + np.sqrt(1.0 - keep * keep) * noise[i]
    slow = keep * slow + (1.0 - keep) * fast
    out[i] = slow
  # standard deviation of the second filter's output in its stationary state
  gain = np.sqrt((1.0 - keep) / (1.0 + keep) * (1.0 + keep**2) / (1.0 - keep**2))
  return out / gain


def energy_of(audio: np.ndarray, frames: int) -> np.ndarray:
  """`(t,)` loudness in 0..1: frames' root mean square over the clip's loud level."""
  padded = np.zeros(frames * SAMPLES_PER_FRAME)
  padded[: min(len(audio), len(padded))] = audio[: len(padded)]
  rms = np.sqrt(np.mean(padded.reshape(frames, -1) ** 2, axis=1))
  return np.clip(rms / max(np.percentile(rms, 95), 1e-4), 0.0, 1.0)


def _bump(frames: int, centre: float, rise: float, fall: float) -> np.ndarray:
  """`(t,)` asymmetric bell of height 1; times in frames."""
  away = np.arange(frames) - centre
  return np.exp(-0.5 * (away / np.where(away < 0, rise, fall)) ** 2)


def _stressed(speech: Speech, energy: np.ndarray) -> list[tuple[float, float]]:
  """Frames (fractional) and strengths in 0..1 of the stressed vowels."""
  found = []
  for name, start, end in speech.phones:
    if VISEME_OF[name] not in ('aa', 'E', 'ih', 'oh', 'ou') or end - start < 0.07:
      continue
    first, last = int(start * FPS), int(end * FPS) + 1
    loud = float(energy[first:last].max(initial=0.0))
    strength = loud * min((end - start) / 0.16, 1.0)
    if strength > 0.6 and (not found or start * FPS - found[-1][0] > 6):
      found.append((0.5 * (start + end) * FPS, strength))
  return found


def _head(rng, frames, energy, stresses) -> np.ndarray:
  """`(t, 6)` pose: drift, more of it while talking, and nods on stress."""
  lively = 0.55 + 0.45 * np.convolve(energy, np.ones(15) / 15, 'same').clip(0, 1) * 1.6
  mean_yaw = np.clip(rng.normal(0.0, 0.15), -0.35, 0.35)
  yaw = mean_yaw + 0.15 * drift(rng, frames, 0.85) * lively
  pitch = rng.normal(0.0, 0.05) + 0.068 * drift(rng, frames, 0.55) * lively
  roll = rng.normal(0.0, 0.025) + 0.046 * drift(rng, frames, 0.9) * lively
  for centre, strength in stresses:
    if rng.random() < 0.55:
      size = rng.uniform(0.02, 0.06) * strength
      pitch += size * _bump(frames, centre + 1.0, 2.2, 4.0)
      yaw += rng.normal(0.0, 0.018) * _bump(frames, centre, 4.0, 6.0)
      roll += rng.normal(0.0, 0.014) * _bump(frames, centre, 4.0, 6.0)
  ratio = np.log(rng.uniform(0.93, 1.27)) + 0.015 * drift(rng, frames, 1.2)
  shift_x = rng.normal(0.0, 0.036) + 0.016 * drift(rng, frames, 1.2)
  shift_y = rng.normal(0.0, 0.036) + 0.012 * drift(rng, frames, 1.2)
  ratio = np.clip(ratio, np.log(0.9), np.log(1.3))
  return np.stack([yaw, pitch, roll, ratio, shift_x, shift_y], 1)


def _look(rng, frames, pose) -> np.ndarray:
  """`(t, 2)` eye angles: fixations around one main gaze, quick saccades."""
  spread = (3.0, 2.0) if rng.random() < 0.6 else (13.0, 7.0)
  main = rng.normal(0.0, spread)
  target = np.zeros((frames, 2))
  start = 0
  while start < frames:
    away = rng.random() < 0.25
    point = main + rng.normal(0.0, (9.0, 5.0) if away else (1.2, 0.9))
    length = rng.exponential(0.5 if away else 1.1) + 0.2
    stop = start + max(int(length * FPS), 3)
    target[start:stop] = point
    start = stop
  eyes = eyes_towards(pose, target)
  # A saccade lasts 30 to 80 ms: the frame of the jump lies part of the way.
  jump = np.abs(np.diff(target, axis=0, prepend=target[:1])).sum(1) > 0
  before = np.concatenate([eyes[:1], eyes[:-1]])
  eyes = np.where(jump[:, None], before + 0.6 * (eyes - before), eyes)
  # Tremor and slow drift of a fixation, under half a degree.
  return eyes + 0.004 * np.stack([drift(rng, frames, 0.15) for _ in range(2)], 1)


def _lids(rng, frames, jumps) -> np.ndarray:
  """`(t,)` lid closure 0..1: 10 to 25 blinks a minute, some of them with a saccade."""
  gap = 60.0 / rng.uniform(11.0, 24.0)
  closure = np.zeros(frames)
  when = rng.uniform(0.0, gap) * FPS
  while when < frames:
    first = int(when)
    near = [j for j in jumps if abs(j - first) < 8]
    if near and rng.random() < 0.5:
      first = int(near[0])
    shape = np.array(_BLINKS[rng.integers(len(_BLINKS))])[: frames - first]
    closure[first : first + len(shape)] = np.maximum(
      closure[first : first + len(shape)], shape
    )
    when += max(rng.gamma(4.0, gap / 4.0) * FPS, 12.0)
  return closure


def _add_lids(units: np.ndarray, eyes: np.ndarray, closure: np.ndarray) -> None:
  """Lids follow the eyes up and down, and close in a blink; in place.

  A squint and a wide eye give way to a blink, so that a closed eye is closed. The units
  of looking in and out stay 0: the eyeballs turn by `eyes`, and lids hardly follow.
  """
  up, down = np.clip(eyes[:, 1], 0, None), np.clip(-eyes[:, 1], 0, None)
  for side in ('Left', 'Right'):
    units[:, UNIT['eyeLookUp' + side]] += np.clip(1.6 * up, 0, 0.7) * (1 - closure)
    units[:, UNIT['eyeLookDown' + side]] += np.clip(1.6 * down, 0, 0.7) * (1 - closure)
    for name in ('eyeWide', 'eyeSquint'):
      units[:, UNIT[name + side]] *= 1.0 - closure
    blink = units[:, UNIT['eyeBlink' + side]]
    np.maximum(blink, closure, out=blink)


def _scores(name: str, strength: np.ndarray) -> np.ndarray:
  """`(t, 8)` scores: the emotion has its strength, neutral the rest."""
  scores = np.zeros((len(strength), len(EMOTIONS)))
  scores[:, EMOTIONS.index('neutral')] = 1.0 - strength
  scores[:, EMOTIONS.index(name)] += strength
  return scores


def perform(
  speech: Speech, rng: np.random.Generator, emotion: str | None = None
) -> Performance:
  """Acts a speech.

  Args:
    speech: sound with phone times.
    rng: everything that is not in the speech: head, eyes, blinks, style.
    emotion: one of `EMOTIONS`; None draws one (neutral in 40 %).

  Returns:
    A `Performance` of `ceil(samples / 640)` frames.

  Raises:
    ValueError: the emotion is none of `EMOTIONS`.
  """
  if emotion is None:
    others = [name for name in EMOTIONS if name != 'neutral']
    emotion = 'neutral' if rng.random() < 0.4 else str(rng.choice(others))
  if emotion not in EMOTIONS:
    raise ValueError(f'emotion {emotion!r} is none of {", ".join(EMOTIONS)}')
  frames = max(-(-len(speech.audio) // SAMPLES_PER_FRAME), 1)
  energy = energy_of(speech.audio, frames)
  stresses = _stressed(speech, energy)

  articulation = rng.uniform(0.8, 1.2)
  lips = lips_of(speech.phones, frames, articulation * (0.65 + 0.5 * energy))
  strength = np.zeros(frames)
  if emotion != 'neutral':
    level = rng.uniform(0.3, 0.8)
    strength = np.clip(level * (1.0 + 0.12 * drift(rng, frames, 1.5)), 0.2, 0.9)
  face = EMOTION_UNITS[emotion] * strength[:, None]
  # While lips speak, an emotion colours the mouth instead of ruling it.
  speaking = np.clip(lips.units.max(1) / 0.2, 0.0, 1.0)[:, None]
  face[:, MOUTH] *= 1.0 - 0.45 * speaking
  units = lips.units + face

  brows = np.zeros(frames)
  for centre, power in stresses:
    if rng.random() < 0.4:
      brows += rng.uniform(0.2, 0.6) * power * _bump(frames, centre, 3.0, 5.0)
  brows = np.clip(brows + 0.05 * drift(rng, frames, 0.8), 0.0, 0.8)
  units += brows[:, None] * unit_vector(browInnerUp=0.7, browOuterUp=0.6)

  pose = _head(rng, frames, energy, stresses)
  eyes = _look(rng, frames, pose)
  jumps = np.flatnonzero(np.abs(np.diff(eyes, axis=0)).max(1) > 0.06) + 1
  units = hold_contacts(units, lips.contact)
  _add_lids(units, eyes, _lids(rng, frames, jumps))
  scores = _scores(emotion, strength)
  return _finish(np.clip(units, 0.0, 1.0), pose, eyes, scores, lips.viseme, energy)


def pose_for_stills(rng: np.random.Generator, n: int) -> Performance:
  """`n` unrelated frames that cover poses and expressions widely, for stage 1.

  Half of the frames (rounded down) share one pose, so that pairs exist in which only
  the dynamics differ; frame 0 is always neutral: rest face, open eyes, looking ahead.
  """
  pose = np.stack(
    [
      np.clip(rng.normal(0, 0.3, n), -0.8, 0.8),
      np.clip(rng.normal(0, 0.14, n), -0.4, 0.4),
      np.clip(rng.normal(0, 0.1, n), -0.35, 0.35),
      np.log(rng.uniform(0.9, 1.3, n)),
      np.clip(rng.normal(0, 0.04, n), -0.1, 0.1),
      np.clip(rng.normal(0, 0.04, n), -0.1, 0.1),
    ],
    axis=1,
  )
  shared = rng.permutation(n)[: n // 2]
  if len(shared):
    pose[shared] = pose[shared[0]]
  eyes = np.clip(rng.normal(0, (0.2, 0.14), (n, 2)), -_MAX_EYE, _MAX_EYE)

  viseme = rng.integers(len(VISEMES), size=n)
  units = np.stack([TARGETS[VISEMES[v]] for v in viseme])
  units = units * rng.uniform(0.5, 1.4, (n, 1))
  names = rng.choice(EMOTIONS, size=n)
  strength = rng.uniform(0.2, 1.0, n) * (rng.random(n) < 0.65)
  strength[names == 'neutral'] = 0.0
  units += np.stack([EMOTION_UNITS[e] for e in names]) * strength[:, None]
  # Sparse single units, so that no unit is only ever seen inside a preset.
  extra = (rng.random((n, len(UNITS))) < 0.06) * rng.uniform(0, 1.2, (n, len(UNITS)))
  lids = [i for i, name in enumerate(UNITS) if name.startswith(('eyeBlink', 'eyeLook'))]
  extra[:, lids] = 0.0
  extra[:, UNIT['tongueOut']] *= 0.4
  units += extra * (rng.random((n, 1)) < 0.7)
  jaw = rng.random(n) < 0.35
  units[jaw, UNIT['jawOpen']] = rng.uniform(0, 1, jaw.sum())
  closure = np.where(rng.random(n) < 0.2, rng.choice([0.35, 0.6, 1.0, 1.0], n), 0.0)

  units[0], pose[0, :3], eyes[0] = 0.0, (0.0, 0.0, 0.0), 0.0
  strength[0], closure[0], viseme[0] = 0.0, 0.0, VISEMES.index(SILENCE)
  names[0] = 'neutral'
  _add_lids(units, eyes, closure)
  scores = [_scores(name, strength[i : i + 1]) for i, name in enumerate(names)]
  scores = np.concatenate(scores)
  return _finish(np.clip(units, 0.0, 1.4), pose, eyes, scores, viseme, np.zeros(n))


def _finish(units, pose, eyes, emotion, viseme, energy) -> Performance:
  pose = pose.astype(np.float32)
  eyes = eyes.astype(np.float32)
  return Performance(
    units=units.astype(np.float32),
    pose=pose,
    eyes=eyes,
    gaze=gaze_of(pose, eyes),
    distance=np.exp(pose[:, 3]),
    emotion=emotion.astype(np.float32),
    viseme=viseme,
    energy=energy.astype(np.float32),
  )
