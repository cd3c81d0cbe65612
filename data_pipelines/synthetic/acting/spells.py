"""What a face does while nobody hears it: nods, smiles, chuckles, swallowing.

All of it lives in silent spans: in the pauses of a speech, and in clips of somebody who
listens (`silent_speech`). Laughing has no sound here, so it is a chuckle: breath in
bursts of four to five a second, a mouth that hardly opens.
"""

from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic.acting.curves import FPS, bump, plateau
from data_pipelines.synthetic.acting.emotions import EMOTIONS
from data_pipelines.synthetic.acting.expression import Mood
from data_pipelines.synthetic.acting.manner import Manner
from data_pipelines.synthetic.acting.prosody import Prosody
from data_pipelines.synthetic.acting.visemes import unit_vector
from data_pipelines.synthetic.speaking.phones import SILENCE, Phone
from data_pipelines.synthetic.speaking.speech import SAMPLE_RATE, Speech

SHORTEST = 0.7  # seconds of silence in which something may happen
_JOY = EMOTIONS.index('happiness')
_DARK = [EMOTIONS.index(name) for name in ('anger', 'disgust', 'fear', 'sadness')]

_SMILE = unit_vector(mouthSmile=0.5, cheekSquint=0.25, eyeSquint=0.12, mouthDimple=0.1)
_LAUGH = unit_vector(
  mouthSmile=0.75, cheekSquint=0.6, eyeSquint=0.4, mouthUpperUp=0.2, mouthStretch=0.1,
  mouthDimple=0.15, browInnerUp=0.1,
)  # fmt: skip
_JAW = unit_vector(jawOpen=0.16, mouthLowerDown=0.12)
_PRESS = unit_vector(
  mouthPress=0.6, mouthRollLower=0.35, mouthRollUpper=0.3, mouthShrugLower=0.1
)
_SWALLOW = unit_vector(mouthPress=0.3, mouthShrugLower=0.25, mouthRollLower=0.12)
_LICK = unit_vector(jawOpen=0.12, tongueOut=0.32, mouthLowerDown=0.08)
_ROLLED = unit_vector(mouthRollLower=0.5, mouthRollUpper=0.3, mouthPress=0.2)
_FLASH = unit_vector(browInnerUp=0.5, browOuterUp=0.5, eyeWide=0.12)


class Spells(NamedTuple):
  """units: `(t, 52)` on top of the face. turn: `(t, 3)` on top of the head's angles.
  body: `(t, 3)` on top of the torso's. joy: `(t,)` 0..1, how much of it is happiness.
  names: what was acted, with its first frame."""

  units: np.ndarray
  turn: np.ndarray
  body: np.ndarray
  joy: np.ndarray
  names: tuple[tuple[str, float], ...]


# kind: frames from..to, weight
_KINDS = {
  'nothing': (14, 60, 1.6), 'nods': (14, 34, 1.2), 'smile': (22, 70, 0.8),
  'chuckle': (24, 48, 0.35), 'swallow': (16, 22, 0.35), 'press': (12, 30, 0.5),
  'lick': (14, 20, 0.25), 'flash': (10, 16, 0.4),
}  # fmt: skip


def silent_speech(seconds: float) -> Speech:
  """A speech in which nothing is said: for clips of somebody who listens."""
  audio = np.zeros(int(round(seconds * SAMPLE_RATE)), np.float32)
  end = len(audio) / SAMPLE_RATE
  return Speech(audio=audio, phones=(Phone(SILENCE, 0.0, end),), text='', voice='')


def act_spells(
  rng: np.random.Generator,
  frames: int,
  manner: Manner,
  prosody: Prosody,
  mood: Mood,
  merry: bool = True,
) -> Spells:
  """Fills the silences of `SHORTEST` seconds and more.

  Args:
    merry: smiles and chuckles are allowed.
  """
  acted = Spells(
    np.zeros((frames, 52)), np.zeros((frames, 3)), np.zeros((frames, 3)),
    np.zeros(frames), (),
  )  # fmt: skip
  names = []
  for first, last in prosody.pauses:
    if last - first < SHORTEST * FPS:
      continue
    # the mouth settles first, and has to breathe before it speaks again
    start = first + (5 if first > 0 else -6)
    end = last - 9 if last < frames - 2 else last + 6
    now = start + rng.uniform(0, 12)
    while end - now > 11:
      here = mood.scores[int(np.clip(now, 0, frames - 1))]
      kind = _choose(rng, end - now, here, merry)
      shortest, longest, _ = _KINDS[kind]
      length = rng.uniform(shortest, min(longest, max(end - now, shortest)))
      if kind != 'nothing':
        _ACTS[kind](rng, acted, now, min(length, end - now), manner)
        names.append((kind, float(now)))
      now += length + rng.uniform(4, 30)
  return acted._replace(names=tuple(names))


def _choose(rng, room, scores, merry) -> str:
  kinds = [k for k, (shortest, _, _) in _KINDS.items() if shortest <= room]
  kinds = kinds or ['nothing']
  weights = np.array([_KINDS[k][2] for k in kinds])
  joyful = (1.0 + 3.0 * scores[_JOY]) * max(1.0 - 5.0 * scores[_DARK].sum(), 0.0)
  happy = np.isin(kinds, ('smile', 'chuckle'))
  weights = np.where(happy, weights * joyful * merry, weights)
  if not weights.sum():
    return 'nothing'
  return str(rng.choice(kinds, p=weights / weights.sum()))


def _beats(frames, start, rate) -> np.ndarray:
  """`(t,)` cosine of `rate` Hz that is 1 at `start`."""
  return np.cos(2 * np.pi * rate * (np.arange(frames) - start) / FPS)


def _nods(rng, acted, start, length, manner) -> None:
  frames = len(acted.joy)
  wave = 0.5 - 0.5 * _beats(frames, start, rng.uniform(1.4, 2.3))
  hull = plateau(frames, start, start + length, 4, 0.6 * length)
  acted.turn[:, 1] += rng.uniform(0.03, 0.08) * manner.amplitude * wave * hull
  if rng.random() < 0.3:
    acted.units[:] += 0.5 * hull[:, None] * _FLASH


def _smile(rng, acted, start, length, manner) -> None:
  hull = plateau(len(acted.joy), start, start + length, 9, min(16, 0.6 * length))
  hull *= rng.uniform(0.5, 1.2)
  acted.units[:] += hull[:, None] * _SMILE
  acted.turn[:, 2] += rng.normal(0.0, 0.03) * hull
  np.maximum(acted.joy, 0.45 * np.minimum(hull, 1), out=acted.joy)


def _chuckle(rng, acted, start, length, manner) -> None:
  frames = len(acted.joy)
  hull = plateau(frames, start, start + length, 5, 0.5 * length)
  rate = rng.uniform(4.0, 5.0)
  bursts = 0.5 - 0.5 * _beats(frames, start, rate)
  size = rng.uniform(0.6, 1.1)
  acted.units[:] += size * hull[:, None] * _LAUGH
  acted.units[:] += size * (hull * (0.35 + 0.65 * bursts))[:, None] * _JAW
  acted.turn[:, 1] += size * hull * (-0.07 + 0.014 * bursts)
  acted.turn[:, 2] += rng.normal(0.0, 0.03) * hull
  acted.body[:, 1] += size * hull * (-0.012 + 0.012 * bursts)
  np.maximum(acted.joy, 0.75 * hull, out=acted.joy)


def _swallow(rng, acted, start, length, manner) -> None:
  frames = len(acted.joy)
  hull = plateau(frames, start, start + length, 5, 7)
  acted.units[:] += rng.uniform(0.7, 1.2) * hull[:, None] * _SWALLOW
  acted.turn[:, 1] += rng.uniform(0.01, 0.035) * bump(frames, start + 8, 3.0, 4.0)


def _press(rng, acted, start, length, manner) -> None:
  hull = plateau(len(acted.joy), start, start + length, 5, 6)
  acted.units[:] += rng.uniform(0.5, 1.1) * hull[:, None] * _PRESS


def _lick(rng, acted, start, length, manner) -> None:
  frames = len(acted.joy)
  out = bump(frames, start + 0.3 * length, 2.0, 2.0)[:, None]
  after = bump(frames, start + 0.7 * length, 2.5, 2.5)[:, None]
  acted.units[:] += rng.uniform(0.7, 1.1) * (out * _LICK + after * _ROLLED)


def _flash(rng, acted, start, length, manner) -> None:
  hull = plateau(len(acted.joy), start, start + length, 3, 6)
  acted.units[:] += rng.uniform(0.5, 1.1) * hull[:, None] * _FLASH
  acted.turn[:, 1] -= rng.uniform(0.01, 0.03) * hull


_ACTS = {
  'nods': _nods, 'smile': _smile, 'chuckle': _chuckle, 'swallow': _swallow,
  'press': _press, 'lick': _lick, 'flash': _flash,
}  # fmt: skip
