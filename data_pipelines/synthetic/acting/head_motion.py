"""Head motion from prosody: postures, nods, the melody of the voice (numpy only).

Heads move with what is said (Munhall et al. 2004; Busso et al. 2007): they nod on
stressed syllables, rise with the pitch, and change posture between phrases.
"""

import numpy as np

from data_pipelines.synthetic.acting.curves import FPS, bump, drift, smooth, steps
from data_pipelines.synthetic.acting.expression import Mood
from data_pipelines.synthetic.acting.gaze import Look
from data_pipelines.synthetic.acting.manner import Manner
from data_pipelines.synthetic.acting.prosody import Prosody

_NOT = ('no', 'not', 'never', 'nothing', 'nobody', 'none', 'cannot')
_ASIDE = np.array([0.26, 0.18])  # radians, comfortable eye yaw and pitch
_FOLLOW = np.deg2rad((0.4, 0.25))  # radians of head for a degree of gaze: yaw, up


def move_head(
  rng: np.random.Generator,
  frames: int,
  manner: Manner,
  prosody: Prosody,
  mood: Mood,
  look: Look,
  text: str,
) -> np.ndarray:
  """`(t, 6)` pose: yaw, pitch, roll (radians), log distance ratio, tx, ty."""
  size = manner.amplitude * mood.colour.amplitude
  talk = smooth(prosody.energy, 5.0)
  lively = size * (0.5 + 0.75 * talk)
  quick = 1.0 / manner.tempo
  turn = np.stack(
    [
      0.168 * drift(rng, frames, 0.8 * quick) * lively,
      0.064 * drift(rng, frames, 0.55 * quick) * lively,
      0.05 * drift(rng, frames, 0.8 * quick) * lively,
    ],
    axis=1,
  )
  turn += _postures(rng, frames, prosody) * size[:, None]
  turn += _melody(rng, frames, manner, prosody, size)
  turn += _nods(rng, frames, manner, prosody, mood, size)
  turn += _shakes(rng, frames, prosody, size, text)
  turn[:, :2] += look.slow * _FOLLOW * [1, -1]
  # whoever is looked at is faced, though not fully
  right, up = np.deg2rad(manner.main_gaze) * (0.45, 0.4)
  turn[:, 0] += np.clip(right + rng.normal(0.0, 0.1), -0.4, 0.4)
  turn[:, 1] += rng.normal(0.0, 0.045) - up + mood.colour.pitch
  turn[:, 2] += rng.normal(0.0, 0.025) + rng.choice([-1, 1]) * mood.colour.tilt
  # eyes are not held far aside for long: the head comes after them
  aside = np.deg2rad(manner.main_gaze) * [1, -1] - turn[:, :2]
  turn[:, :2] += 0.75 * (aside - np.clip(aside, -_ASIDE, _ASIDE))
  # far poses are not reached by sums of habits
  turn[:, 0] = 0.62 * np.tanh(turn[:, 0] / 0.62)
  turn[:, 1] = 0.42 * np.tanh(turn[:, 1] / 0.42)
  ratio = np.log(rng.uniform(0.93, 1.27)) + 0.015 * drift(rng, frames, 1.2)
  shift_x = rng.normal(0.0, 0.036) + 0.016 * drift(rng, frames, 1.2)
  shift_y = rng.normal(0.0, 0.036) + 0.012 * drift(rng, frames, 1.2)
  ratio = np.clip(ratio, np.log(0.9), np.log(1.3))
  return np.column_stack([turn, ratio, shift_x, shift_y])


def _postures(rng, frames, prosody) -> np.ndarray:
  """Held places that change between phrases, and now and then within long ones."""
  times = [0.0]
  for phrase in prosody.phrases:
    if rng.random() < 0.75:
      times.append(phrase.start - rng.uniform(0, 8))
  while times[-1] < frames:
    times.append(times[-1] + rng.uniform(1.5, 4.5) * FPS)
  times = sorted(times)
  times = [t for i, t in enumerate(times) if i == 0 or t - times[i - 1] > 14]
  places = rng.normal(0.0, (0.08, 0.045, 0.03), (len(times), 3))
  return steps(frames, times, places, rng.uniform(13, 24, len(times)))


def _melody(rng, frames, manner, prosody, size) -> np.ndarray:
  """The head rises with the pitch and comes forward with loudness."""
  out = np.zeros((frames, 3))
  pitch = smooth(prosody.pitch, 1.5)
  gain = np.deg2rad(rng.uniform(0.3, 0.75)) * min(manner.brows, 1.5)
  out[:, 1] -= gain * size * np.clip(pitch, -5.0, 7.0)
  beat = smooth(prosody.energy, 1.3) - smooth(prosody.energy, 7.0)
  out[:, 1] += np.deg2rad(rng.uniform(0.8, 2.8)) * size * beat
  out[:, 0] += np.deg2rad(rng.normal(0.0, 0.9)) * size * beat
  out[:, 2] += np.deg2rad(rng.normal(0.0, 0.7)) * size * beat
  for phrase in prosody.phrases:
    if phrase.asks:  # a question lifts and tilts the head
      rise = bump(frames, phrase.end, 7.0, 12.0) * size
      out[:, 1] -= rng.uniform(0.03, 0.08) * rise
      out[:, 2] += rng.choice([-1, 1]) * rng.uniform(0.02, 0.07) * rise
  return out


def _nods(rng, frames, manner, prosody, mood, size) -> np.ndarray:
  """A small lift, then down on the stressed vowel, then back."""
  out = np.zeros((frames, 3))
  for centre, strength in prosody.stresses:
    now = min(max(int(centre), 0), frames - 1)
    if rng.random() < manner.nods * mood.colour.nods[now]:
      deep = rng.uniform(0.015, 0.055) * strength * size[now]
      out[:, 1] += deep * bump(frames, centre + 1.0, 2.2, 4.0)
      out[:, 1] -= 0.35 * deep * bump(frames, centre - 4.0, 2.5, 2.0)
      out[:, 0] += rng.normal(0.0, 0.016) * bump(frames, centre, 4.0, 6.0)
      out[:, 2] += rng.normal(0.0, 0.014) * bump(frames, centre, 4.0, 6.0)
  return out


def _shakes(rng, frames, prosody, size, text) -> np.ndarray:
  """Side to side two or three times at the edge of a phrase, mostly for a no."""
  out = np.zeros((frames, 3))
  words = text.lower().replace("n't", ' not').split()
  denied = any(word.strip('.,;!?') in _NOT for word in words)
  for phrase in prosody.phrases:
    if rng.random() < (0.4 if denied else 0.05):
      centre = rng.choice([phrase.start + 5, phrase.end - 4])
      rate = rng.uniform(1.5, 2.3)
      swing = np.sin(2 * np.pi * rate * (np.arange(frames) - centre) / FPS)
      wide = rng.uniform(0.025, 0.06) * size
      out[:, 0] += wide * swing * bump(frames, centre, 9.0, 9.0)
  return out
