"""Rendered portraits for `experiments.judge_portraits` and `experiments.gallery`.

    python -m experiments.make_portraits --out DIR --count 24 [--people 3 17 40]

People, places, light and cameras of the corpus's test split, at rest and about from the
front; every third is painted or drawn. NAME.png is person NAME of that split: the same
number is the same picture on any machine. They are rendered by this project, from CC0
assets, and show nobody.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, PngImagePlugin
from tqdm import tqdm

from data_pipelines.synthetic.clips import render_stills
from data_pipelines.synthetic.recipe import Recipe
from experiments.command import run_command
from vasa_jax.errors import UsageError
from vasa_jax.files import refused, write_whole

PAINTED = 3  # one of so many
# Corpora and evaluations draw from the low seeds of the split.
SEED = 77


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.make_portraits',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  add = parser.add_argument
  add('--out', type=Path, required=True, help='folder of the pictures')
  add('--count', type=int, default=12, help='the first so many people')
  add('--people', type=int, nargs='+', metavar='N', help='these instead')
  add('--size', type=int, default=512, help='side in px')
  add('--debug', action='store_true', help='show tracebacks')
  arguments = parser.parse_args(argv)
  return run_command(lambda: make_portraits(arguments), arguments.debug)


def make_portraits(arguments: argparse.Namespace) -> int:
  """Writes the pictures that are not there yet; the exit code."""
  people = arguments.people or range(arguments.count)
  if not 64 <= arguments.size <= 2048 or min(people, default=-1) < 0:
    raise UsageError('--size must lie between 64 and 2048, people are 0, 1, 2, ...')
  for number in tqdm(people, unit='portrait', disable=not sys.stderr.isatty()):
    path = arguments.out / f'{number:03d}.png'
    if path.exists():
      continue
    try:
      arguments.out.mkdir(parents=True, exist_ok=True)
      write_whole(path, portrait(number, arguments.size))
    except OSError as error:
      raise refused(arguments.out, error) from None
  return 0


def portrait(number: int, size: int) -> bytes:
  """Person `number` of the test split as a PNG file, which says that it is rendered."""
  recipe = Recipe(
    clips=number + 1, size=size, seed=SEED, split='test', voices=('none',)
  )
  art = 1.0 if number % PAINTED == PAINTED - 1 else 0.0
  shots = render_stills(recipe.person(number), 1, size, art=art)
  said = PngImagePlugin.PngInfo()
  said.add_text('Comment', 'synthetic: a rendered person who does not exist; vasa_jax')
  file = io.BytesIO()
  Image.fromarray(shots.pictures[0]).save(file, 'PNG', pnginfo=said)
  return file.getvalue()


if __name__ == '__main__':
  sys.exit(main())
