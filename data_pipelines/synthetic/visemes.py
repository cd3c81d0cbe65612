"""Phones to lip shapes: fifteen visemes over the 52 face units, blended by dominance.

Coarticulation follows the idea of dominance functions: each phone pulls every mouth
unit to its target with a weight that rises before the phone and falls after it; the
lips are the weighted mean. Lip contacts are then enforced: a bilabial that is not
fully closed, or an `f` without the lip at the teeth, is the first thing an eye notices.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic.assets import UNITS
from data_pipelines.synthetic.phones import PHONES, SILENCE, Phone

FPS = 25


def _both(*names: str) -> tuple[str, ...]:
  return tuple(f'{name}{side}' for name in names for side in ('Left', 'Right'))


UNIT = {name: i for i, name in enumerate(UNITS)}
MOUTH = np.array([n.startswith(('jaw', 'mouth', 'tongue')) for n in UNITS])

# Names after the common fifteen-viseme set.
VISEMES = (
  'sil', 'PP', 'FF', 'TH', 'DD', 'kk', 'CH', 'SS', 'nn', 'RR', 'aa', 'E', 'ih', 'oh',
  'ou',
)  # fmt: skip

_PHONES_OF = {
  'sil': 'sil', 'PP': 'p b m', 'FF': 'f v', 'TH': 'th dh', 'DD': 't d', 'kk': 'k g ng',
  'CH': 'ch jh sh zh', 'SS': 's z', 'nn': 'n l y hh', 'RR': 'r er', 'aa': 'aa ay aw ah',
  'E': 'eh ae ey', 'ih': 'ih iy ax', 'oh': 'ao ow oy', 'ou': 'uw uh w',
}  # fmt: skip
VISEME_OF = {p: v for v, phones in _PHONES_OF.items() for p in phones.split()}

# Pull of a viseme on its neighbours. Lips that must touch or round win; consonants made
# inside the mouth take the shape of the vowels around them.
_DOMINANCE = {
  'sil': 0.8, 'PP': 3.0, 'FF': 2.2, 'TH': 0.9, 'DD': 0.6, 'kk': 0.45, 'CH': 1.5,
  'SS': 0.9, 'nn': 0.45, 'RR': 0.9, 'aa': 1.1, 'E': 1.0, 'ih': 0.8, 'oh': 1.3,
  'ou': 1.5,
}  # fmt: skip


def unit_vector(**values: float) -> np.ndarray:
  """`(52,)` float64 with the named units set; a name without side sets both sides."""
  vector = np.zeros(len(UNITS))
  for name, value in values.items():
    for key in (name,) if name in UNIT else (f'{name}Left', f'{name}Right'):
      vector[UNIT[key]] = value
  return vector


TARGETS = {
  'sil': unit_vector(),
  'PP': unit_vector(jawOpen=.02, mouthPress=.45, mouthRollLower=.25, mouthRollUpper=.2),
  'FF': unit_vector(jawOpen=.06, mouthRollLower=.45, mouthUpperUp=.25),
  'TH': unit_vector(jawOpen=.16, tongueOut=.25, mouthLowerDown=.15),
  'DD': unit_vector(jawOpen=.15, mouthUpperUp=.12, mouthLowerDown=.2),
  'kk': unit_vector(jawOpen=.2, mouthLowerDown=.12),
  'CH': unit_vector(jawOpen=.12, mouthFunnel=.6, mouthPucker=.12),
  'SS': unit_vector(jawOpen=.06, mouthStretch=.3, mouthLowerDown=.28, mouthUpperUp=.15),
  'nn': unit_vector(jawOpen=.2, mouthUpperUp=.08, mouthLowerDown=.18),
  'RR': unit_vector(jawOpen=.16, mouthFunnel=.42),
  'aa': unit_vector(jawOpen=.62, mouthLowerDown=.25, mouthUpperUp=.08),
  'E': unit_vector(jawOpen=.4, mouthStretch=.32, mouthLowerDown=.22, mouthUpperUp=.12),
  'ih': unit_vector(jawOpen=.22, mouthStretch=.35, mouthSmile=.15, mouthLowerDown=.16),
  'oh': unit_vector(jawOpen=.44, mouthFunnel=.55),
  'ou': unit_vector(jawOpen=.15, mouthPucker=.7, mouthFunnel=.3),
}  # fmt: skip

# The viseme that a diphthong glides to.
_GLIDE = {'ay': 'ih', 'aw': 'ou', 'ey': 'ih', 'ow': 'ou', 'oy': 'ih'}

# Half of a frame, in seconds: a contact shorter than a frame still gets one whole
# frame.
_HALF_FRAME = 0.5 / FPS + 1e-6
_LIP_OPENERS = np.array([
  n.startswith(('mouthUpper', 'mouthLower', 'mouthFunnel', 'mouthShrug', 'tongue'))
  or n in ('jawOpen', 'mouthClose')
  for n in UNITS
])  # fmt: skip


class Lips(NamedTuple):
  """Lip tracks of `t` frames.

  units: `(t, 52)` float64 in 0..1, only mouth units are non-zero.
  viseme: `(t,)` int64 index into `VISEMES` of the phone at the middle of each frame.
  contact: `(t, 2)` float64 in 0..1: lips together (p b m), lower lip at the teeth (f
  v).
  """

  units: np.ndarray
  viseme: np.ndarray
  contact: np.ndarray


def frame_times(frames: int) -> np.ndarray:
  """`(t,)` seconds that frames show: the middle of their 640 samples."""
  return (np.arange(frames) + 0.5) / FPS


def lips_of(phones: Sequence[Phone], frames: int, openness: np.ndarray) -> Lips:
  """Lip tracks for `frames` frames of 40 ms.

  Args:
    phones: phones in order of time.
    frames: how many frames.
    openness: `(t,)` factor on the jaw and on the parted lips, about 0.6..1.3 (loud
      speech opens the mouth more).
  """
  times = frame_times(frames)
  pull = np.full((frames, 1), 1e-3)
  total = np.zeros((frames, len(UNITS)))
  viseme = np.zeros(frames, np.int64)
  contact = np.zeros((frames, 2))
  for name, start, end in phones:
    if name not in PHONES:
      raise ValueError(f'{name!r} is not a phone; phones.py lists them')
    shape = VISEME_OF[name]
    viseme[(times >= start) & (times < end)] = VISEMES.index(shape)
    length = max(end - start, 1e-3)
    width = max(length * 0.55, 0.042)
    pulls = [(shape, start + 0.5 * length, 1.0)]
    if name in _GLIDE:
      second = (_GLIDE[name], start + 0.8 * length, 0.6)
      pulls = [(shape, start + 0.3 * length, 0.6), second]
    elif name == SILENCE and length > 0.24:  # a long pause rests over its whole length
      width = 0.09
      places = np.arange(start + 0.1, end - 0.05, 0.08)
      pulls = [(shape, place, 1.0) for place in places]
    for part, place, share in pulls:
      weight = np.exp(-0.5 * ((times - place) / width) ** 2)[:, None]
      weight = weight * share * _DOMINANCE[part]
      total += weight * TARGETS[part]
      pull += weight
    if shape in ('PP', 'FF'):
      flat = max(0.35 * (end - start), _HALF_FRAME)
      away = np.abs(times - 0.5 * (start + end)) - flat
      near = np.clip(1.0 - away / 0.07, 0.0, 1.0)
      column = int(shape == 'FF')
      contact[:, column] = np.maximum(contact[:, column], near)
  units = total / pull
  units[:, UNIT['jawOpen']] *= openness
  for name in _both('mouthLowerDown', 'mouthUpperUp'):
    units[:, UNIT[name]] *= np.sqrt(openness)
  return Lips(hold_contacts(np.clip(units, 0.0, 1.0), contact), viseme, contact)


def hold_contacts(units: np.ndarray, contact: np.ndarray) -> np.ndarray:
  """`(t, 52)` units with lip contacts enforced, whatever expression is laid over them.

  A closed mouth (`contact[:, 0] = 1`) has exactly the bilabial shape in every unit that
  parts the lips; a bite (`contact[:, 1] = 1`) has the `f` shape there.
  """
  units = units.copy()
  for column, shape in ((1, 'FF'), (0, 'PP')):
    amount = contact[:, column : column + 1]
    target = TARGETS[shape]
    shut = _LIP_OPENERS[None] * amount
    units = units * (1.0 - shut) + target * shut
    raised = np.where(target > 0, np.maximum(units, target), units)
    units = units * (1.0 - amount) + raised * amount
  return units
