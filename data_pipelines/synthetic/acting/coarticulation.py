"""From phones to articulators: dominance functions (numpy only).

After the model of Cohen and Massaro ("Modeling coarticulation in synthetic visual
speech", 1993), written anew: every phone has a target for every articulator and a
dominance that says how much it insists on it. Dominance is full at the heart of the
phone and decays before and after it; an articulator stands at the mean of all targets,
weighted by their dominances at that moment. So a consonant rules the articulators that
it is made with and leaves the others to the vowels around it (`t` does not care about
rounding: in "two" it is spoken with rounded lips), rounding starts before the vowel
that needs it, and fast speech undershoots because neighbours overlap.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic.speaking.phones import PHONES, SILENCE, VOWELS, Phone

ARTICULATORS = ('jaw', 'pucker', 'funnel', 'spread', 'upper', 'lower', 'tongue')
"""Jaw opening; protrusion with a small and with a wide opening; corners drawn aside;
upper lip up; lower lip down; tip of the tongue to the front. All 0..1."""

# Seconds over which the dominance of an articulator falls to 1/e: before the phone
# (how early the movement starts) and after it. Rounding looks furthest ahead.
_BEFORE = np.array([0.075, 0.125, 0.125, 0.09, 0.06, 0.06, 0.045])
_AFTER = np.array([0.075, 0.085, 0.085, 0.08, 0.06, 0.06, 0.045])
_POWER = 1.4  # 1 would give corners at the targets, 2 short tails


class Gesture(NamedTuple):
  """Targets and dominances `(7,)` of a phone, in the order of `ARTICULATORS`."""

  target: np.ndarray
  dominance: np.ndarray


def _gesture(jaw, spread=0.0, parted=(0.0, 0.0), rule=(1, 1, 1, 1, 1), **more):
  """`rule`: dominance of jaw, rounding, spreading, parting of the lips, tongue."""
  target = (jaw, more.get('pucker', 0), more.get('funnel', 0), spread, *parted)
  jaw_rule, rounding, spreading, parting, tongue = rule
  return Gesture(
    np.array([*target, more.get('tongue', 0)], np.float64),
    np.array([jaw_rule, rounding, rounding, spreading, parting, parting, tongue]),
  )


_SAME = {'b': 'p', 'm': 'p', 'v': 'f', 'dh': 'th', 'd': 't', 'z': 's', 'zh': 'sh'}
_SAME |= {'ch': 'sh', 'jh': 'sh', 'g': 'k', 'ng': 'k'}
GESTURES = {
  SILENCE: _gesture(0.0, rule=(0.9, 0.8, 0.8, 1.0, 1.5)),
  # vowels rule the jaw and the rounding
  'aa': _gesture(0.62, 0.02, (0.08, 0.25), (1.3, 0.9, 0.7, 1.0, 0.6), funnel=0.04),
  'ae': _gesture(0.52, 0.30, (0.13, 0.26), (1.2, 0.9, 1.0, 1.0, 0.6)),
  'ah': _gesture(0.42, 0.06, (0.08, 0.22), (1.0, 0.7, 0.5, 0.9, 0.6)),
  'ax': _gesture(0.26, 0.04, (0.06, 0.16), (0.5, 0.25, 0.25, 0.5, 0.4)),
  'eh': _gesture(0.40, 0.30, (0.12, 0.24), (1.1, 0.8, 1.0, 1.0, 0.6)),
  'er': _gesture(0.22, 0.00, (0.08, 0.14), (0.8, 1.0, 0.7, 0.7, 0.5), funnel=0.36),
  'ih': _gesture(0.24, 0.28, (0.07, 0.18), (0.8, 0.7, 0.8, 0.8, 0.5)),
  'iy': _gesture(0.17, 0.48, (0.10, 0.20), (1.0, 1.0, 1.3, 1.0, 0.6)),
  'ao': _gesture(
    0.48, 0.0, (0.06, 0.16), (1.2, 1.4, 1.0, 0.9, 0.6), funnel=0.48, pucker=0.06
  ),
  'uh': _gesture(
    0.25, 0.0, (0.04, 0.10), (0.8, 1.2, 0.9, 0.7, 0.5), funnel=0.3, pucker=0.28
  ),
  'uw': _gesture(
    0.14, 0.0, (0.02, 0.05), (1.0, 1.9, 1.3, 0.9, 0.6), funnel=0.3, pucker=0.72
  ),
  # lips meet (the contact itself is held in `visemes.py`); the jaw hangs loose
  'p': _gesture(0.08, 0.0, (0.0, 0.0), (0.4, 0.25, 0.2, 2.6, 0.4)),
  'f': _gesture(0.09, 0.06, (0.2, 0.0), (1.0, 0.45, 0.4, 2.2, 0.6)),
  'w': _gesture(
    0.13, 0.0, (0.0, 0.03), (0.7, 2.4, 1.5, 1.2, 0.5), funnel=0.2, pucker=0.78
  ),
  # the tongue between or behind the teeth; sibilants close the jaw
  'th': _gesture(0.17, 0.08, (0.08, 0.2), (0.9, 0.3, 0.3, 0.9, 2.5), tongue=0.3),
  't': _gesture(0.13, 0.08, (0.08, 0.2), (0.75, 0.15, 0.25, 0.6, 0.8), tongue=0.03),
  'n': _gesture(0.15, 0.08, (0.07, 0.18), (0.6, 0.15, 0.25, 0.5, 1.0), tongue=0.07),
  'l': _gesture(0.22, 0.06, (0.07, 0.18), (0.6, 0.2, 0.25, 0.6, 1.6), tongue=0.13),
  's': _gesture(0.05, 0.22, (0.14, 0.28), (1.7, 0.35, 0.6, 1.1, 1.0)),
  'sh': _gesture(
    0.10, 0.0, (0.14, 0.12), (1.4, 1.7, 1.2, 1.0, 1.0), funnel=0.58, pucker=0.14
  ),
  'r': _gesture(
    0.16, 0.0, (0.06, 0.1), (0.6, 1.1, 0.8, 0.7, 0.6), funnel=0.38, pucker=0.12
  ),
  'y': _gesture(0.15, 0.34, (0.07, 0.16), (0.7, 0.5, 0.9, 0.6, 0.6)),
  # made far behind the lips: the mouth is where its neighbours have it
  'k': _gesture(0.20, 0.04, (0.05, 0.13), (0.4, 0.1, 0.15, 0.3, 0.5)),
  'hh': _gesture(0.24, 0.04, (0.05, 0.14), (0.2, 0.06, 0.08, 0.2, 0.3)),
}  # fmt: skip
GESTURES |= {name: GESTURES[like] for name, like in _SAME.items()}

# Diphthongs: the vowels they start and end as, and when (share of their length).
GLIDES = {
  'ay': ('aa', 'ih'), 'aw': ('aa', 'uh'), 'ey': ('eh', 'iy'), 'ow': ('ao', 'uw'),
  'oy': ('ao', 'ih'),
}  # fmt: skip
_STOPS = ('p', 'b', 't', 'd', 'k', 'g')
_RELEASE = _gesture(0.11, 0.03, (0.05, 0.12), (0.8, 0.1, 0.1, 0.8, 0.3))
_BREATH = _gesture(0.12, 0.0, (0.04, 0.08), (1.6, 0.3, 0.3, 1.6, 0.5))

# Sung vowels: from this length on a vowel grows and trembles.
LONG = 0.35  # seconds
VIBRATO = 5.5  # Hz


class _Pull(NamedTuple):
  """A gesture at work: full from `first` to `last` (seconds), `share` of its rule."""

  gesture: Gesture
  first: float
  last: float
  share: float = 1.0
  size: float = 1.0


def _pulls(phones: Sequence[Phone]) -> list[_Pull]:
  found = []
  for i, (name, start, end) in enumerate(phones):
    length = max(end - start, 1e-3)
    middle = 0.5 * (start + end)
    if name == SILENCE:
      # rest sets in after the last movement has run out, and lasts
      first, last = start + 0.1, end - 0.06
      if first < last:
        found.append(_Pull(GESTURES[name], first, last))
      else:  # a short pause is only a slack moment
        found.append(_Pull(GESTURES[name], middle, middle, min(length / 0.2, 1.0)))
      if length > 0.4 and i + 1 < len(phones):  # breath before the next phrase
        size = min((length - 0.25) / 0.5, 1.0)
        found.append(_Pull(_BREATH, end - 0.21, end - 0.19, size, size))
    elif name in GLIDES:
      one, two = (GESTURES[vowel] for vowel in GLIDES[name])
      # a sung one stays with its first vowel and glides at the end
      first = min(0.3 * length, 0.1)
      hold = max(length - 0.24, 0.62 * length - 0.06, 0.3 * length)
      glide = min(0.14 * length, 0.1)
      found.append(_Pull(one, start + first, start + hold, 0.9))
      found.append(_Pull(two, end - glide, end - 0.7 * glide, 0.8))
    else:
      half = max(0.5 * length - 0.05, 0.0)  # what is longer than 0.1 s is held
      found.append(_Pull(GESTURES[name], middle - half, middle + half))
    if name in _STOPS and i + 1 < len(phones) and phones[i + 1].name == SILENCE:
      found.append(_Pull(_RELEASE, end + 0.03, end + 0.04, 0.8))
  return found


def articulate(phones: Sequence[Phone], times: np.ndarray) -> np.ndarray:
  """`(t, 7)` positions of `ARTICULATORS` at `times` (seconds), 0..1.

  Args:
    phones: phones in order of time. Vowels of any length: a sung one stays open.
    times: `(t,)`.

  Raises:
    ValueError: a name is not a phone.
  """
  for name, _, _ in phones:
    if name not in PHONES:
      raise ValueError(f'{name!r} is not a phone; phones.py lists them')
  pulled = np.zeros((len(times), len(ARTICULATORS)))
  total = np.full_like(pulled, 1e-3)  # with nothing said, rest
  for gesture, first, last, share, size in _pulls(phones):
    near = slice(*np.searchsorted(times, (first - 0.7, last + 0.5)))
    early = np.maximum(first - times[near], 0.0)[:, None]
    late = np.maximum(times[near] - last, 0.0)[:, None]
    far = (early / _BEFORE) ** _POWER + (late / _AFTER) ** _POWER
    weight = share * gesture.dominance * np.exp(-far)
    pulled[near] += weight * gesture.target * size
    total = (
      np.broadcast_to(total, pulled.shape).copy() if total.shape[1] == 1 else total
    )
    total[near] += weight
  return np.clip(pulled / total * _sung(phones, times)[:, None] ** _SWELL, 0.0, 1.0)


# How much of the swell of a sung vowel each articulator takes.
_SWELL = np.array([1.0, 0.0, 0.25, 0.0, 0.5, 0.5, 0.0])


def _sung(phones: Sequence[Phone], times: np.ndarray) -> np.ndarray:
  """`(t,)` factor on the jaw: 1, and in long vowels more, with a slight vibrato."""
  factor = np.ones(len(times))
  for name, start, end in phones:
    if name not in VOWELS or end - start <= LONG:
      continue
    inside = (times >= start) & (times < end)
    since, left = times[inside] - start, end - times[inside]
    grown = 1.0 - np.exp(-np.maximum(since - 0.12, 0.0) / 0.3)
    full = 0.3 * (1.0 - np.exp(-(end - start - LONG) / 0.5))
    late = np.clip((since - 0.3) / 0.4, 0.0, 1.0)
    tremble = 0.045 * late * np.sin(2 * np.pi * VIBRATO * since)
    factor[inside] = 1.0 + (full * grown + tremble) * np.clip(left / 0.12, 0.0, 1.0)
  return factor
