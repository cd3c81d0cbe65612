"""From speech to a performance: what a rendered head does in every frame (numpy only).

`perform` acts a clip: somebody who talks, sings or listens. `pose_for_stills` draws
unrelated frames that cover the space of poses and expressions for stage 1. Both give
exact labels, in the conventions of `schema.py`: x right in the picture, y up, z towards
the camera; head rotation `Ry(yaw) @ Rx(pitch) @ Rz(roll)`; 25 frames a second, 640
samples a frame.

The parts: `prosody.py` listens to the speech, `manner.py` draws a style,
`expression.py` moods and brows, `visemes.py` lips, `gaze.py` eyes, `head_motion.py`,
`body.py`, `lids.py`, and `spells.py` what happens in silence.
"""

import dataclasses

import numpy as np

from data_pipelines.synthetic.acting import spells as spells_lib
from data_pipelines.synthetic.acting.body import move_torso
from data_pipelines.synthetic.acting.curves import drift
from data_pipelines.synthetic.acting.emotions import EMOTION_UNITS, EMOTIONS
from data_pipelines.synthetic.acting.expression import blend, feel, move_brows
from data_pipelines.synthetic.acting.gaze import move_eyes, plan_gaze
from data_pipelines.synthetic.acting.head_motion import move_head
from data_pipelines.synthetic.acting.lids import add_lids, close_lids
from data_pipelines.synthetic.acting.manner import draw_manner
from data_pipelines.synthetic.acting.prosody import SAMPLES_PER_FRAME, energy_of, listen
from data_pipelines.synthetic.acting.rotations import (
  eyes_towards,
  gaze_of,
  rotation_matrix,
)
from data_pipelines.synthetic.acting.stills import draw_stills
from data_pipelines.synthetic.acting.visemes import UNIT, hold_contacts, lips_of
from data_pipelines.synthetic.speaking.speech import Speech

__all__ = [
  'EMOTIONS', 'EMOTION_UNITS', 'Performance', 'SAMPLES_PER_FRAME', 'drift',
  'energy_of', 'eyes_towards', 'gaze_of', 'perform', 'pose_for_stills',
  'rotation_matrix',
]  # fmt: skip

_HAPPY = EMOTIONS.index('happiness')


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
    body: `(t, 3)` float32 yaw, pitch, roll of the torso (radians, camera frame).
  """

  units: np.ndarray
  pose: np.ndarray
  eyes: np.ndarray
  gaze: np.ndarray
  distance: np.ndarray
  emotion: np.ndarray
  viseme: np.ndarray
  energy: np.ndarray
  body: np.ndarray


def perform(
  speech: Speech, rng: np.random.Generator, emotion: str | None = None
) -> Performance:
  """Acts a speech; a pure function of the speech and the state of `rng`.

  Args:
    speech: sound with phone times; it may be silent (`spells.silent_speech`).
    rng: everything that is not in the speech: style, head, eyes, blinks, mood.
    emotion: one of `EMOTIONS`, kept for the whole clip; None draws one (neutral in
      40 %), which may come late, pass, or turn into another one.

  Returns:
    A `Performance` of `ceil(samples / 640)` frames.

  Raises:
    ValueError: the emotion is none of `EMOTIONS`.
  """
  if emotion is not None and emotion not in EMOTIONS:
    raise ValueError(f'emotion {emotion!r} is none of {", ".join(EMOTIONS)}')
  frames = max(-(-len(speech.audio) // SAMPLES_PER_FRAME), 1)
  prosody = listen(speech, frames)
  manner = draw_manner(rng)
  mood = feel(rng, frames, prosody, emotion)
  spells = spells_lib.act_spells(
    rng, frames, manner, prosody, mood, merry=emotion in (None, 'happiness')
  )

  openness = manner.articulation * (0.65 + 0.5 * prosody.energy)
  lips = lips_of(speech.phones, frames, openness)
  spoken = _lopsided(lips.units, manner.lopsided)
  units = blend(spoken, mood) + spells.units
  units += move_brows(rng, frames, manner, prosody, mood)
  units = hold_contacts(units, lips.contact)

  look = plan_gaze(rng, frames, manner, prosody, mood)
  pose = move_head(rng, frames, manner, prosody, mood, look, speech.text)
  pose[:, :3] += spells.turn
  torso = move_torso(rng, pose, manner, prosody, mood)
  pose[:, 5] -= torso.rise
  eyes = move_eyes(rng, pose, look)
  closure = close_lids(rng, frames, manner, prosody, look, mood.colour.blinks)
  add_lids(units, eyes, closure)

  joy = spells.joy[:, None]
  scores = mood.scores * (1.0 - joy) + joy * np.eye(len(EMOTIONS))[_HAPPY]
  return _finish(
    np.clip(units, 0.0, 1.0), pose, eyes, scores, lips.viseme, prosody.energy,
    torso.turn + spells.body,
  )  # fmt: skip


def _lopsided(units: np.ndarray, amount: float) -> np.ndarray:
  """Lips that open a little more on one side, as most people's do."""
  units = units.copy()
  for name in ('mouthLowerDown', 'mouthUpperUp', 'mouthStretch', 'mouthSmile'):
    units[:, UNIT[name + 'Left']] *= 1.0 + amount
    units[:, UNIT[name + 'Right']] *= 1.0 - amount
  return units


def pose_for_stills(rng: np.random.Generator, n: int) -> Performance:
  """`n` unrelated frames that cover poses and expressions widely, for stage 1.

  Half of the frames (rounded down) share one pose and torso, so that pairs exist in
  which only the dynamics differ; frame 0 is always neutral: rest face, open eyes,
  looking ahead, upright.
  """
  drawn = draw_stills(rng, n)
  return _finish(
    drawn.units, drawn.pose, drawn.eyes, drawn.emotion, drawn.viseme, np.zeros(n),
    drawn.body,
  )  # fmt: skip


def _finish(units, pose, eyes, emotion, viseme, energy, body) -> Performance:
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
    body=body.astype(np.float32),
  )
