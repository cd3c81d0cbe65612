"""Hair styles: what a hairdresser decides, and how often it is decided for whom.

The shares are rough priors of our own, made to be plausible world-wide rather than
measured: short cuts for most men, long hair for most women, shorter and greyer hair
with age, tight curls with African, straight black hair with East Asian ancestry.
"""

import dataclasses

import numpy as np

from data_pipelines.synthetic.people.scalp import Hairline
from data_pipelines.synthetic.people.traits import Traits


@dataclasses.dataclass(frozen=True)
class Cut:
  """A hair style; lengths in mesh units (decimetres).

  Attributes:
    name: of the style.
    top, front, side, back: length of hair by where it grows.
    part: x of the parting as a share of the eyes' distance from the middle, or None.
    forward: how much hair of the top is combed to the front; negative: back.
    sideways: the same to the person's left.
    fringe: hair over the forehead is cut at the brows.
    fringe_drop: of the cut, below the middle of the forehead's free height.
    floor: hair is cut this far below the eyes, or None.
    lift: how far hair stands off at the root, 0..1.
    volume: clearance of the outer layer.
    gravity: pull downwards.
    count: cards; `segments`: quads of a card; `width`: of a card.
    cling: how strongly it keeps to the head, 0..1.
    shaved: elevation, degrees, under which the sides and the back are shaved.
    cap: opacity of the short hair on the scalp, percent.
    tie: `pony`, `bun`, `braid`, or None.
    tail: length of what is tied.
    tight: kinds of hair that may wear it.
  """

  name: str
  top: float = 0.4
  front: float = 0.4
  side: float = 0.25
  back: float = 0.25
  part: float | None = None
  forward: float = 0.0
  sideways: float = 0.0
  fringe: bool = False
  floor: float | None = None
  lift: float = 0.25
  volume: float = 0.1
  gravity: float = 0.3
  count: int = 420
  segments: int = 5
  width: float = 0.13
  cling: float = 0.6
  shaved: float = 0.0
  cap: int = 92
  tie: str | None = None
  tail: float = 0.0
  kinds: tuple[str, ...] = ('straight', 'wavy')


_LONG = {'gravity': 1.0, 'lift': 0.15, 'segments': 7, 'count': 270, 'width': 0.18}
_ALL = ('straight', 'wavy', 'curly', 'coily')
_LOOSE = ('straight', 'wavy', 'curly')

CUTS = {
  cut.name: cut
  for cut in (
    Cut('buzz', count=0, cap=72, kinds=_ALL),
    Cut(
      'crew', 0.22, 0.22, 0.09, 0.09, forward=0.5, lift=0.5, volume=0.06,
      gravity=0.0, count=520, segments=3, width=0.11, kinds=_LOOSE,
    ),
    Cut(
      'crop', 0.4, 0.42, 0.14, 0.14, forward=1.2, fringe=True, lift=0.2,
      volume=0.08, gravity=0.25, count=500, segments=4, kinds=_LOOSE,
    ),
    Cut(
      'side_part', 0.75, 0.75, 0.2, 0.18, part=0.75, forward=0.1, lift=0.35,
      volume=0.12, gravity=0.35, count=480, kinds=_LOOSE,
    ),
    Cut(
      'swept_back', 0.85, 0.85, 0.3, 0.25, forward=-1.8, lift=0.45, volume=0.12,
      gravity=0.25, count=480, kinds=_LOOSE,
    ),
    Cut(
      'quiff', 0.5, 0.6, 0.12, 0.11, forward=-0.9, sideways=0.4, lift=0.75,
      volume=0.16, gravity=0.05, count=500, segments=4, kinds=_LOOSE,
    ),
    Cut(
      'undercut', 0.9, 0.9, 0.08, 0.08, part=0.8, forward=-0.4, lift=0.4,
      volume=0.12, gravity=0.3, count=420, shaved=26, kinds=_LOOSE,
    ),
    Cut(
      'tousled', 0.6, 0.6, 0.4, 0.35, forward=0.5, fringe=True, lift=0.45,
      volume=0.18, gravity=0.35, count=440, kinds=_LOOSE,
    ),
    Cut(
      'pixie', 0.6, 0.7, 0.4, 0.3, part=0.6, forward=0.9, fringe=True, lift=0.25,
      volume=0.12, gravity=0.4, count=460, kinds=_LOOSE,
    ),
    Cut(
      'bob', 1.9, 1.9, 1.5, 1.3, part=0.0, floor=0.85, volume=0.16, kinds=_LOOSE,
      **_LONG,
    ),
    Cut(
      'bob_fringe', 1.9, 0.9, 1.5, 1.3, forward=0.5, fringe=True, floor=0.9,
      volume=0.16, kinds=_LOOSE, **_LONG,
    ),
    Cut(
      'lob', 2.4, 2.3, 1.9, 1.7, part=0.55, floor=1.35, volume=0.17, kinds=_LOOSE,
      **_LONG,
    ),
    Cut(
      'long', 3.0, 2.9, 2.5, 2.3, part=0.0, floor=1.9, volume=0.17, kinds=_LOOSE,
      **_LONG,
    ),
    Cut(
      'long_side', 3.0, 2.9, 2.5, 2.3, part=0.7, floor=1.9, volume=0.19,
      kinds=_LOOSE, **_LONG,
    ),
    Cut(
      'long_fringe', 3.0, 0.95, 2.5, 2.3, forward=0.4, fringe=True, floor=1.9,
      volume=0.17, kinds=_LOOSE, **_LONG,
    ),
    Cut(
      'shoulder_curls', 1.7, 1.5, 1.5, 1.4, part=0.4, floor=1.5, lift=0.6,
      volume=0.3, gravity=0.7, count=290, segments=8, width=0.19,
      kinds=('curly',),
    ),
    Cut(
      'pony', 3.0, 3.0, 3.0, 3.0, forward=-1.0, lift=0.05, volume=0.045, gravity=0.0,
      count=330, segments=6, width=0.15, tie='pony', tail=1.6, kinds=_ALL,
    ),
    Cut(
      'bun', 3.0, 3.0, 3.0, 3.0, forward=-1.0, lift=0.05, volume=0.045, gravity=0.0,
      count=330, segments=6, width=0.15, tie='bun', kinds=_ALL,
    ),
    Cut(
      'braid', 3.0, 3.0, 3.0, 3.0, forward=-1.0, lift=0.05, volume=0.045, gravity=0.0,
      count=330, segments=6, width=0.15, tie='braid', tail=1.7, kinds=_ALL,
    ),
    Cut(
      'afro_short', 0.2, 0.18, 0.15, 0.16, lift=0.6, volume=0.1, gravity=0.0,
      count=1100, segments=1, width=0.14, kinds=('coily',),
    ),
    Cut(
      'afro', 0.4, 0.36, 0.36, 0.42, lift=0.8, volume=0.35, gravity=0.0, count=1250,
      segments=1, width=0.2, kinds=('coily',),
    ),
    Cut(
      'locs', 1.3, 1.2, 1.2, 1.1, part=0.3, floor=1.4, lift=0.4, volume=0.14,
      gravity=0.8, count=230, segments=8, width=0.1, kinds=('coily',),
    ),
  )
}  # fmt: skip

# How often each style is worn, by sex.
MALE = {
  'buzz': 1.6, 'crew': 2.2, 'crop': 2.0, 'side_part': 2.2, 'swept_back': 1.4,
  'quiff': 1.4, 'undercut': 1.0, 'tousled': 1.6, 'lob': 0.12, 'long': 0.15,
  'bun': 0.15, 'pony': 0.12, 'shoulder_curls': 0.25, 'afro_short': 2.0, 'afro': 0.9,
  'locs': 0.8,
}  # fmt: skip
FEMALE = {
  'buzz': 0.1, 'crew': 0.08, 'pixie': 0.9, 'tousled': 0.25, 'undercut': 0.1,
  'bob': 1.1, 'bob_fringe': 0.7, 'lob': 1.6, 'long': 1.8, 'long_side': 1.6,
  'long_fringe': 0.9, 'shoulder_curls': 3.0, 'pony': 1.3, 'bun': 0.9, 'braid': 0.5,
  'swept_back': 0.1, 'afro_short': 0.7, 'afro': 1.8, 'locs': 1.0,
}  # fmt: skip
OLD = {
  'long': 0.35, 'long_side': 0.35, 'long_fringe': 0.25, 'pixie': 3.0, 'lob': 0.8,
  'undercut': 0.15, 'quiff': 0.5, 'side_part': 2.0, 'swept_back': 1.6, 'bun': 1.3,
  'tousled': 0.7, 'locs': 0.4, 'afro': 0.6,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Worn:
  """A person's own version of a style.

  Attributes:
    cut: the style with this person's measures.
    kind: of hair: `straight`, `wavy`, `curly`, `coily`.
    line: the hairline.
    side: -1 or 1, which side a parting is on.
  """

  cut: Cut
  kind: str
  line: Hairline
  side: float


def _pick(rng, weights):
  names, odds = list(weights), np.array(list(weights.values()), float)
  return names[rng.choice(len(names), p=odds / odds.sum())]


def sample_kind(rng: np.random.Generator, race: np.ndarray) -> str:
  """Straight, wavy, curly or coily, by ancestry (african, asian, caucasian)."""
  african, asian, caucasian = race
  return _pick(
    rng,
    {
      'straight': 0.02 * african + 0.75 * asian + 0.4 * caucasian,
      'wavy': 0.05 * african + 0.2 * asian + 0.42 * caucasian,
      'curly': 0.2 * african + 0.05 * asian + 0.17 * caucasian,
      'coily': 0.73 * african**1.3 + 0.01 * caucasian,
    },
  )


def sample_hairline(rng: np.random.Generator, male: float, age: float) -> Hairline:
  """A hairline: recession and baldness with age in men, a widow's peak in some."""
  height = rng.normal(0, 2.2)
  recession = abs(rng.normal(0, 3.0)) if male > 0.5 else abs(rng.normal(0, 1.2))
  crown, bald_top = 0.0, 90.0
  if male > 0.5:
    height += 1.0
    loss = rng.beta(0.7, 1.6) * (0.25 + 1.0 * age)
    recession += 16 * max(loss - 0.15, 0)
    height += 14 * max(loss - 0.3, 0)
    if loss > 0.45 and rng.random() < 0.6:
      crown = float(10 + 45 * (loss - 0.45))
    if loss > 0.68 and rng.random() < 0.7:
      bald_top = float(rng.uniform(20, 32))
  return Hairline(
    height=float(height),
    recession=float(min(recession, 18)),
    peak=float(rng.uniform(2, 5)) if rng.random() < 0.18 else 0.0,
    crown=crown,
    bald_top=bald_top,
    sideburns=float(rng.uniform(-2, 8)) if male > 0.5 else float(rng.uniform(-8, 0)),
    nape=float(rng.normal(0, 3)),
    ragged=float(rng.uniform(0.4, 1.3)),
    phase=float(rng.uniform(0, 6.28)),
  )


_BALD_WEARS = ('afro_short', 'buzz', 'crew', 'swept_back', 'side_part', 'crop')


def sample_worn(rng: np.random.Generator, traits: Traits) -> Worn:
  """The style that a person wears."""
  kind = sample_kind(rng, traits.race)
  line = sample_hairline(rng, traits.male, traits.age)
  weights = MALE if traits.male > 0.5 else FEMALE
  weights = {
    name: share * OLD.get(name, 1.0) ** traits.age
    for name, share in weights.items()
    if kind in CUTS[name].kinds
  }
  if line.crown > 0 or line.bald_top < 90 or line.recession > 12:
    weights = {name: weights[name] for name in _BALD_WEARS if name in weights}
  cut = CUTS[_pick(rng, weights)]
  if line.bald_top < 90:
    cut = dataclasses.replace(CUTS['crew'], side=0.14, back=0.14)
    kind = 'curly' if kind == 'coily' else kind
  if cut.floor is not None:  # long hair hides the temples
    line = dataclasses.replace(line, recession=min(line.recession, 2.0) - 4)
  long = float(np.exp(rng.normal(0, 0.14)))
  part = cut.part
  if part is not None:
    part = float(part + rng.normal(0, 0.12))
  floor = cut.floor and float(cut.floor + rng.normal(0, 0.12))
  cut = dataclasses.replace(
    cut,
    top=cut.top * long,
    front=cut.front * long * float(np.exp(rng.normal(0, 0.1))),
    side=cut.side * long * float(np.exp(rng.normal(0, 0.1))),
    back=cut.back * long,
    part=part,
    floor=floor,
    lift=float(np.clip(cut.lift * np.exp(rng.normal(0, 0.2)), 0, 0.95)),
    volume=cut.volume * float(np.exp(rng.normal(0, 0.2))),
    forward=cut.forward + float(rng.normal(0, 0.15)),
    sideways=cut.sideways + float(rng.normal(0, 0.15)),
  )
  return Worn(cut, kind, line, float(rng.choice([-1.0, 1.0])))
