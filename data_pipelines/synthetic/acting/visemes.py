"""Phones to lips: the 52 face units of speech, with lip contacts that are reached.

`coarticulation.py` moves jaw, lips and tongue; here they become face units. Contacts
are then enforced: a bilabial that is not fully closed, or an `f` without the lip at the
teeth, is the first thing an eye notices. Fifteen visemes name what is said in labels,
and their shapes are the alphabet of stills.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic.acting.coarticulation import ARTICULATORS, articulate
from data_pipelines.synthetic.assets import UNITS
from data_pipelines.synthetic.speaking.phones import Phone

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

# What the articulators move.
_MOVES = {
  'jaw': unit_vector(jawOpen=1.0), 'pucker': unit_vector(mouthPucker=1.0),
  'funnel': unit_vector(mouthFunnel=1.0), 'upper': unit_vector(mouthUpperUp=1.0),
  'spread': unit_vector(mouthStretch=0.85, mouthSmile=0.35),
  'lower': unit_vector(mouthLowerDown=1.0), 'tongue': unit_vector(tongueOut=1.0),
}  # fmt: skip
_TO_UNITS = np.stack([_MOVES[name] for name in ARTICULATORS])

LOOSE_JAW = 0.14  # jaw opening that closed lips may hide
_CLOSING = 0.05  # seconds in which lips meet or part
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

  Raises:
    ValueError: a name is not a phone.
  """
  times = frame_times(frames)
  units = articulate(phones, times) @ _TO_UNITS
  units[:, UNIT['jawOpen']] *= openness
  for name in _both('mouthLowerDown', 'mouthUpperUp'):
    units[:, UNIT[name]] *= np.sqrt(openness)
  viseme = np.zeros(frames, np.int64)
  contact = np.zeros((frames, 2))
  for name, start, end in phones:
    shape = VISEME_OF[name]
    viseme[(times >= start) & (times < end)] = VISEMES.index(shape)
    if shape in ('PP', 'FF'):
      length = end - start  # all of a hummed `m` is closed, but for its edges
      flat = max(0.36 * length, 0.5 * length - _CLOSING, _HALF_FRAME)
      away = np.abs(times - 0.5 * (start + end)) - flat
      near = np.clip(1.0 - away / _CLOSING, 0.0, 1.0)
      column = int(shape == 'FF')
      contact[:, column] = np.maximum(contact[:, column], near)
  # lips on their way to meet do not undo a bite ("five big")
  bitten = (contact[:, 1] >= 1.0) & (contact[:, 0] < 1.0)
  contact[bitten, 0] = np.minimum(contact[bitten, 0], 0.25)
  return Lips(hold_contacts(np.clip(units, 0.0, 1.0), contact), viseme, contact)


def hold_contacts(units: np.ndarray, contact: np.ndarray) -> np.ndarray:
  """`(t, 52)` units with lip contacts enforced, whatever expression is laid over them.

  A closed mouth (`contact[:, 0] = 1`) has the bilabial shape in every unit that parts
  the lips, save that the jaw may hang by up to `LOOSE_JAW`: `mouthClose` then takes the
  lower lip up by as much, which closes the mesh exactly. A bite (`contact[:, 1] = 1`)
  has the `f` shape there.
  """
  units = units.copy()
  jaw, close = UNIT['jawOpen'], UNIT['mouthClose']
  for column, shape in ((1, 'FF'), (0, 'PP')):
    amount = contact[:, column : column + 1]
    target = np.tile(TARGETS[shape], (len(units), 1))
    if shape == 'PP':
      target[:, jaw] = np.clip(units[:, jaw], TARGETS[shape][jaw], LOOSE_JAW)
      target[:, close] = target[:, jaw]
    shut = _LIP_OPENERS[None] * amount
    units = units * (1.0 - shut) + target * shut
    raised = np.where(target > 0, np.maximum(units, target), units)
    units = units * (1.0 - amount) + raised * amount
  return units
