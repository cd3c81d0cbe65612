"""What is drawn anew in every frame, beside true pictures.

    python -m experiments.judge_drawn --weights embedded --out DIR [--people 12]

Eyes that look elsewhere, lids that shut, mouths that open and lips that close are drawn
over what the model makes of them (docs/architecture.md). Here people that no corpus
knows are rendered as a portrait, and again with other eyes, lids and lips; the product
makes the same pictures out of the portrait, with all that it draws (`model`) and with
one part left out (`without`). Compared are the part's boxes, by LPIPS and by the mean
error, which takes a blur for better than an edge that lies a pixel off. Readings are by
nets that we did not train, of the true pictures as well (`truth`).

`DIR/table.md`, `table.json`, `report.html`, and a picture for every part: the truth for
one person, the product's pictures, and those without the part. Four minutes on two
cores. LPIPS needs `python -m experiments.fetch_weights alexnet`.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from PIL import Image

from experiments.command import run_command

TITLE = 'What is drawn anew, beside true pictures'
SIZE = 256
STRANGERS = 100  # first person; oracle sets have fewer
BLINK = dict.fromkeys(('eyeBlinkLeft', 'eyeBlinkRight'), 1.0)
SMILE = dict.fromkeys(('mouthSmileLeft', 'mouthSmileRight'), 0.6)
TEETH = SMILE | dict.fromkeys(('mouthUpperUpLeft', 'mouthUpperUpRight'), 0.35)
TEETH |= dict.fromkeys(('mouthLowerDownLeft', 'mouthLowerDownRight'), 0.3)
TEETH |= {'jawOpen': 0.06}
EYES, MOUTH = (33, 133, 159, 145, 362, 263, 386, 374), (61, 291, 0, 17)  # landmarks
MARGIN = 0.12, 0.35  # round those, of their breadth
BOX = 192, 96  # px, (width, height) of boxes as LPIPS sees them


class Asked(NamedTuple):
  """One picture: face units by name, and eyes in degrees, aside and up."""

  units: Mapping[str, float] = MappingProxyType({})
  eyes: tuple[float, float] = (0.0, 0.0)


class Part(NamedTuple):
  """Something that is drawn anew.

  Attributes:
    off: the function that draws it; left out, its first argument stays as it is.
    portrait: what the portrait shows.
    cases: error's metric to the pictures that it is the mean of.
    marks: landmarks in the middle of the part's box, and the margin round them.
  """

  off: str
  portrait: Asked
  cases: dict[str, list[Asked]]
  marks: tuple[tuple[int, ...], float]


PARTS = {
  'eyes': Part(
    'vasa_jax.inference.drawing.eyeballs.drawn',
    Asked(),
    {
      'aside': [Asked(eyes=(yaw, 0)) for yaw in (-20, -10, 10, 20)],
      'up_down': [Asked(eyes=(0, pitch)) for pitch in (-10, 10)],
    },
    (EYES, MARGIN[0]),
  ),
  'lids': Part(
    'vasa_jax.inference.drawing.eyelids.drawn',
    Asked(),
    {'shut': [Asked(BLINK)]},
    (EYES, MARGIN[0]),
  ),
  'mouth': Part(
    'vasa_jax.inference.drawing.mouth.drawn',
    Asked(),
    {'opens': [Asked({'jawOpen': jaw}) for jaw in (0.2, 0.4, 0.6)]},
    (MOUTH, MARGIN[1]),
  ),
  'lips': Part(
    'vasa_jax.inference.drawing.mouth.closed',
    Asked(TEETH),
    {'closes': [Asked(), Asked(SMILE)]},
    (MOUTH, MARGIN[1]),
  ),
}


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.judge_drawn', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  add = parser.add_argument
  add('--weights', default='embedded', metavar='DIR', help='weights folder')
  add('--out', required=True, metavar='DIR', help='folder of the tables')
  add('--people', type=int, default=12, help='rendered strangers')
  add('--parts', nargs='+', choices=PARTS, default=list(PARTS), help='default: all')
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.people < 1:
    parser.error('--people must be 1 or more')
  return args


def metrics() -> dict[str, Any]:
  """How the numbers are shown."""
  from vasa_jax.metrics.table import Metric

  shown = {}
  for name, what in {
    'aside': 'eyes that look aside',
    'up_down': 'eyes that look up and down',
    'shut': 'lids that shut',
    'opens': 'mouths that open',
    'closes': 'smiles that close',
  }.items():
    shown[f'{name}_lpips'] = Metric(f'{what}, LPIPS', '', 'lower')
    shown[name] = Metric(f'{what}, error', '1/255', 'lower')
  return shown | {
    'gaze': Metric('gaze aside, read, of what was asked', '', 'real'),
    'lids_gap': Metric('gap of shut lids, read', 'of eye width', 'real'),
    'lips_gap': Metric('gap of closed lips, read', 'of eye width', 'real'),
  }


def judge(args: argparse.Namespace) -> int:
  """Writes the table that `args` ask for."""
  from tqdm import tqdm

  import vasa_jax
  from vasa_jax.errors import UserError
  from vasa_jax.inference import programs
  from vasa_jax.inference.showing import screen
  from vasa_jax.metrics.table import write_report
  from vasa_jax.teachers.fetch import load_teacher
  from vasa_jax.teachers.lpips import make_lpips

  facts = {
    'command': f'python -m experiments.judge_drawn --weights {args.weights} '
    f'--people {args.people} --parts {" ".join(args.parts)}',
    'people': f'rendered, of the seeds of the oracle from {STRANGERS} on',
  }
  lpips = None
  try:
    lpips = make_lpips(load_teacher('alexnet'))
  except UserError as error:
    facts['not measured: LPIPS'] = str(error)
  net = vasa_jax.load(None if args.weights == 'embedded' else args.weights)
  facts['weights'] = f'{net.bundle.name} {net.bundle.digest}'.strip()
  rows, failures, sheets = [], [], {}
  for name in args.parts:
    part, people = PARTS[name], {}
    truths = tqdm(rendered(part, args.people), name, args.people, disable=None)
    for who in truths:
      try:
        people[f'{who.seed}'] = found(net, part, who)
      except UserError as error:
        failures.append(f'{who.seed}, {name}: {error}')
    whole = [drawn(net, one) for one in people.values()]
    screen._opened._programs.clear()  # traced anew, with the part left out
    nowhere = mock.patch.object(programs, '_folder', lambda: None)  # and not kept
    with mock.patch(part.off, lambda first, *_: first), nowhere:
      without = [drawn(net, one) for one in people.values()]
    screen._opened._programs.clear()
    for who, *pictures in zip(people, whole, without, strict=True):
      made = {'truth': people[who].truth, 'model': pictures[0], 'without': pictures[1]}
      rows += scored(part, who, made, people[who].box, lpips)
      sheets.setdefault(name, np.concatenate([np.hstack(x) for x in made.values()]))
  out = Path(args.out)
  write_report(
    out, rows, title=TITLE, facts=facts, failures=failures, metrics=metrics()
  )
  for name, sheet in sheets.items():
    Image.fromarray(sheet).save(out / f'{name}.png')
  print((out / 'table.md').read_text())
  return 0


class Stranger(NamedTuple):
  """A rendered person.

  Attributes:
    seed: of the person.
    portrait: `(s, s, 3)` uint8.
    truth: `(n, s, s, 3)` uint8, all cases of a part.
  """

  seed: int
  portrait: np.ndarray
  truth: np.ndarray


class Found(NamedTuple):
  """The same as the product found it.

  Attributes:
    portrait, code: of the picture.
    asked: motion of all cases.
    truth: `(n, s, s, 3)` uint8 in the portrait's crop.
    box: rows and columns of the part.
  """

  portrait: Any
  code: Any
  asked: Any
  truth: np.ndarray
  box: tuple[slice, slice]


def rendered(part: Part, count: int) -> Iterator[Stranger]:
  """Yields people as the part needs them."""
  from data_pipelines.synthetic.drawing import scene
  from data_pipelines.synthetic.drawing.render import Renderer
  from data_pipelines.synthetic.filming.backdrop import sample_backdrop
  from data_pipelines.synthetic.oracle_set import person_seed
  from data_pipelines.synthetic.people.heads import sample_identity
  from data_pipelines.synthetic.people.traits import stream
  from vasa_jax.inference.directing.named_motion import UNITS

  renderer = Renderer(SIZE, 2)
  for i in range(STRANGERS, STRANGERS + count):
    seed = person_seed(i)
    place = sample_backdrop(stream(seed, topic='drawn place'), SIZE)
    light = scene.sample_light(stream(seed, topic='drawn light'), place)
    renderer.load(sample_identity(seed), place.picture)

    def shown(asked, light=light):
      units = np.float32([asked.units.get(name, 0) for name in UNITS])
      eyes = np.float32(np.radians(asked.eyes))
      return renderer.frame(units, np.zeros(6, np.float32), eyes, light).picture

    truth = np.stack([shown(asked) for _, asked in cases(part)])
    yield Stranger(seed, shown(part.portrait), truth)


def cases(part: Part) -> list[tuple[str, Asked]]:
  """All pictures, each with its metric."""
  return [(name, asked) for name, several in part.cases.items() for asked in several]


def found(net: Any, part: Part, who: Stranger) -> Found:
  """Fits the portrait, and asks it for all cases."""
  import jax

  from vasa_jax.inference import models
  from vasa_jax.inference.directing.named_motion import UNITS
  from vasa_jax.inference.finding.portrait import find_portrait
  from vasa_jax.types import NUM_UNITS

  portrait = find_portrait(who.portrait, SIZE)
  truth = [portrait._replace(picture=picture).cut(SIZE) for picture in who.truth]
  marks, margin = part.marks
  at = portrait.points[list(marks)] * SIZE
  more = margin * np.ptp(at[:, 0])
  left, top = (at.min(0) - more).clip(0, SIZE).astype(int)
  right, bottom = (at.max(0) + more).clip(0, SIZE).astype(int)

  source = models.fit_source(net.bundle.face_config, portrait, f'person {who.seed}')
  own = jax.tree.map(np.asarray, source.motion)
  motion = jax.tree.map(lambda x: np.repeat(x, len(truth), 0), own)
  z_dyn = np.array(motion.z_dyn)
  for row, (_, asked) in zip(z_dyn, cases(part), strict=True):
    # Lips and lids as speech asks for them; what the part leaves alone as it was found.
    for name in {**part.portrait.units, **BLINK, 'jawOpen': 0, **asked.units}:
      row[UNITS.index(name)] = asked.units.get(name, 0)
    row[NUM_UNITS:] += np.radians(asked.eyes)
  motion = motion.replace(z_dyn=z_dyn)
  code, box = net.face.encode(portrait, source), np.s_[top:bottom, left:right]
  return Found(portrait, code, motion, np.stack(truth), box)


def drawn(net: Any, who: Found) -> np.ndarray:
  """The product's pictures of all cases, `(n, s, s, 3)` uint8."""
  from vasa_jax.inference.showing import screen

  made = screen.screen(net.face, who.portrait, who.code, len(who.truth), SIZE)
  return made.finish(np.asarray(made.decode(who.code, who.asked)))


def scored(
  part: Part,
  who: str,
  made: dict[str, np.ndarray],
  box: tuple[slice, slice],
  lpips: Callable[[np.ndarray, np.ndarray], Any] | None,
) -> list[dict]:
  """A row of scores for every system."""
  from vasa_jax.metrics.faces import track_faces
  from vasa_jax.metrics.obeyed import gaze_track
  from vasa_jax.metrics.openings import eye_opening, mouth_opening

  named = np.array([name for name, _ in cases(part)])
  rows = []
  for system, pictures in made.items():
    row: dict[str, Any] = {'clip': who, 'system': system}
    track = track_faces(list(pictures), irises=True)
    if system != 'truth':
      error = np.abs(pictures.astype(int) - made['truth'].astype(int))[:, *box]
      for name in part.cases:
        row[name] = float(error[named == name].mean())
      if lpips is not None:
        seen = np.asarray(lpips(_boxes(pictures, box), _boxes(made['truth'], box)))
        row |= {f'{x}_lpips': float(seen[named == x].mean()) for x in part.cases}
    if 'aside' in part.cases:
      asked = np.array([asked.eyes[0] for _, asked in cases(part)])[named == 'aside']
      read = gaze_track(track)[named == 'aside', 0]
      row['gaze'] = float(np.polyfit(asked, read, 1)[0])
    if 'shut' in part.cases:
      row['lids_gap'] = float(eye_opening(track.points).mean())
    if 'closes' in part.cases:
      row['lips_gap'] = float(mouth_opening(track.points).mean())
    rows.append(row)
  return rows


def _boxes(pictures: np.ndarray, box: tuple[slice, slice]) -> np.ndarray:
  """`(n, s, s, 3)` uint8 to boxes of one size in [0, 1]."""
  cut = (Image.fromarray(picture[box]).resize(BOX) for picture in pictures)
  return np.stack([np.asarray(picture, np.float32) for picture in cut]) / 255


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: judge(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
