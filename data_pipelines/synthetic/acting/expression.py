"""Emotion and brows: faces that come, stay and go, and brows that follow the voice."""

from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic.acting.curves import FPS, bump, drift, ease, smooth
from data_pipelines.synthetic.acting.emotions import EMOTIONS, draw_face
from data_pipelines.synthetic.acting.manner import COLOURS, Colour, Manner
from data_pipelines.synthetic.acting.prosody import Prosody
from data_pipelines.synthetic.acting.visemes import MOUTH, UNITS, unit_vector

# Seconds from nothing to the apex, and back: what comes quickly, and what lingers.
_ONSET = {'surprise': 0.3, 'fear': 0.4, 'anger': 0.6, 'disgust': 0.5, 'sadness': 1.2}
_OFFSET = {'surprise': 0.7, 'sadness': 2.0}
_NEUTRAL = EMOTIONS.index('neutral')
_RAISED = unit_vector(browInnerUp=0.7, browOuterUp=0.6)
_LOWERED = unit_vector(browDown=0.55, eyeSquint=0.1)
# The two lids always close alike.
_LEFT, _RIGHT = (
  np.array([name.endswith(side) and not name.startswith('eyeBlink') for name in UNITS])
  for side in ('Left', 'Right')
)


class Mood(NamedTuple):
  """What is felt in `t` frames.

  face: `(t, 52)` units of the emotion. scores: `(t, 8)`, sum 1. colour: Colour of
  `(t,)` tracks.
  """

  face: np.ndarray
  scores: np.ndarray
  colour: Colour


def draw_emotion(rng: np.random.Generator) -> str:
  """One of `EMOTIONS`; neutral in 40 %."""
  others = [name for name in EMOTIONS if name != 'neutral']
  return 'neutral' if rng.random() < 0.4 else str(rng.choice(others))


def feel(
  rng: np.random.Generator, frames: int, prosody: Prosody, emotion: str | None
) -> Mood:
  """An emotion with onset, apex and offset; long clips may turn to another one.

  Args:
    rng: intensity, times, asymmetry.
    frames: t.
    prosody: changes happen where phrases start.
    emotion: the only one besides neutral, or None: drawn.
  """
  names = [emotion or draw_emotion(rng)]
  turns = []
  starts = [p.start for p in prosody.phrases if 2.5 * FPS < p.start < frames - 50]
  if starts and (emotion is None or names[0] != 'neutral'):
    if frames > 6 * FPS and rng.random() < 0.4:
      turns = [float(rng.choice(starts)) - rng.uniform(0.0, 6.0)]
      # told to be happy, somebody only grows more or less so
      names.append(names[0] if emotion or rng.random() < 0.35 else draw_emotion(rng))
  scores = np.zeros((frames, len(EMOTIONS)))
  edges = [-np.inf, *turns, np.inf]
  at = np.arange(frames)
  wave = 1.0 + 0.1 * drift(rng, frames, 1.5)
  for i, name in enumerate(names):
    level = rng.uniform(0.3, 0.8) * wave * _swells(rng, frames, prosody)
    if name == 'neutral':
      continue
    rise = _ONSET.get(name, 0.8) * rng.uniform(0.8, 1.3) * FPS
    fall = _OFFSET.get(name, 1.2) * rng.uniform(0.8, 1.3) * FPS
    here = ease((at - edges[i]) / rise) * (1.0 - ease((at - edges[i + 1]) / fall))
    strength = np.clip(level, 0.2, 0.9)
    if not turns and not emotion:
      # some emotions only arise in the clip, or pass
      if rng.random() < 0.2:
        here = here * ease((at - rng.uniform(0.05, 0.4) * frames) / rise)
      if rng.random() < 0.2:
        here = here * (1.0 - ease((at - rng.uniform(0.6, 0.9) * frames) / fall))
    column = EMOTIONS.index(name)
    scores[:, column] = np.maximum(scores[:, column], here * strength)
  over = np.maximum(scores.sum(1), 1e-9)
  scores *= np.minimum(1.0, 0.95 / over)[:, None]
  scores[:, _NEUTRAL] = 1.0 - scores.sum(1)
  face = scores @ np.stack([draw_face(rng, name) for name in EMOTIONS])
  side = float(np.clip(rng.normal(0.0, 0.05), -0.12, 0.12))
  face[:, _LEFT] *= 1.0 + side
  face[:, _RIGHT] *= 1.0 - side
  table = np.array([COLOURS[name] for name in EMOTIONS])
  return Mood(face, scores, Colour(*(scores @ table).T))


def _swells(rng, frames, prosody) -> np.ndarray:
  """`(t,)` factor 0.75..1.1: an apex now and then, near a stress."""
  swell = np.full(frames, 0.8)
  for stress in prosody.stresses:
    if rng.random() < 0.2:
      size = rng.uniform(0.1, 0.3)
      swell = np.maximum(swell, 0.8 + size * bump(frames, stress.frame, 9.0, 22.0))
  return swell


def blend(lips: np.ndarray, mood: Mood) -> np.ndarray:
  """`(t, 52)` lips under an emotion, which colours a talking mouth but leaves it."""
  speaking = np.clip(lips.max(1) / 0.2, 0.0, 1.0)[:, None]
  face = mood.face.copy()
  face[:, MOUTH] *= 1.0 - 0.45 * speaking
  return lips + face


def move_brows(
  rng: np.random.Generator, frames: int, manner: Manner, prosody: Prosody, mood: Mood
) -> np.ndarray:
  """`(t, 52)` units: brows rise with the pitch, on stresses and in questions."""
  lively = manner.brows * mood.colour.brows
  high = np.maximum(prosody.pitch + 0.3, 0.0)
  brows = 0.1 * smooth(high, 1.5)
  lowered = np.zeros(frames)
  for stress in prosody.stresses:
    if rng.random() < manner.frowns:
      size = rng.uniform(0.2, 0.6) * stress.strength
      lowered += size * bump(frames, stress.frame, 3.0, 6.0)
    elif rng.random() < 0.25:
      size = rng.uniform(0.15, 0.5) * stress.strength
      brows += size * bump(frames, stress.frame, 3.0, 5.0)
  for phrase in prosody.phrases:
    if phrase.asks:
      brows += rng.uniform(0.3, 0.6) * bump(frames, phrase.end - 2, 6.0, 9.0)
  brows = np.clip(brows * lively + 0.03 * drift(rng, frames, 0.8), 0.0, 0.9)
  lowered = np.clip(lowered, 0.0, 0.8)[:, None]
  side = 1.0 + np.where(_LEFT, 1, np.where(_RIGHT, -1, 0)) * rng.normal(0.0, 0.06)
  return brows[:, None] * _RAISED * side + lowered * _LOWERED
