"""Renders a corpus of talking heads: `python -m data_pipelines.synthetic.synthesize`.

    python -m data_pipelines.synthetic.synthesize --clips 1000 --size 256 --out DIR \\
      --seed 0 --workers 8 [--split train] [--stills 0.5]

Many machines: `data_pipelines.synthetic.beam` makes the same bytes.

A clip is a pure function of (recipe, index): the same command gives the same bytes with
any number of workers, and an interrupted run goes on at the first missing shard when
it is given again. Validation and test draw other people, voices' tempers and sentences
than train. About 3.5 CPU-seconds a talking clip of 3 s at 256 px.
"""

import argparse
import os
import pathlib
import sys

from data_pipelines.command import run_command
from data_pipelines.errors import UsageError
from data_pipelines.synthetic.clips import render_clip
from data_pipelines.synthetic.processes import InOrder
from data_pipelines.synthetic.recipe import SPLITS, Recipe, claim
from data_pipelines.synthetic.speaking import speech

_serialize = None


def _record(job: tuple[int, Recipe]) -> bytes:
  global _serialize
  if _serialize is None:
    from data_pipelines.builder import serializer

    _serialize = serializer()
  return _serialize(render_clip(*job))


def synthesize(recipe: Recipe, out: str | os.PathLike, workers: int = 1) -> int:
  """Makes a corpus, or what is missing of it.

  Args:
    recipe: what.
    out: folder; made if missing.
    workers: processes that render; 0 renders in this one.

  Returns:
    How many clips were rendered now.

  Raises:
    UserError: disk full or not writable, another corpus in the folder, a worker died.
  """
  from tqdm import tqdm

  from data_pipelines import builder

  folder = pathlib.Path(out)
  claim(folder, recipe)
  for part in folder.glob(f'*-{recipe.split}.*.part'):
    part.unlink()
  paths = [
    builder.shard_path(folder, recipe.split, s, recipe.shards)
    for s in range(recipe.shards)
  ]
  missing = [s for s, path in enumerate(paths) if not path.exists()]
  jobs = [(index, recipe) for s in missing for index in recipe.shard(s)]
  if not jobs:
    builder.write_catalogue(folder)
    return 0
  bar = tqdm(
    total=recipe.clips, initial=recipe.clips - len(jobs), unit='clip', smoothing=0.05
  )
  with bar, InOrder(_record, jobs, workers) as records:
    for s in missing:
      shard = []
      for _ in recipe.shard(s):
        shard.append(next(records))
        bar.update()
      builder.write_shard(paths[s], shard)
  builder.write_catalogue(folder)
  return len(jobs)


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
  """The arguments from which `recipe_of` makes a recipe, with --out and --debug."""
  add = parser.add_argument
  add('--clips', type=int, required=True, help='how many clips the corpus has')
  add('--size', type=int, default=256, help='side of the frames in pixels')
  add('--out', required=True, help='folder of the corpus')
  add('--seed', type=int, default=0, help='another seed draws other people')
  add('--split', default='train', choices=SPLITS)
  add('--stills', type=float, default=0.0, help='share of clips of unrelated stills')
  add('--frames', type=int, default=20, help='frames of a clip of stills')
  add('--art', type=float, default=0.1, help='share of painted or drawn clips')
  add('--plain', action='store_true', help='no lens, sensor, codec or room')
  add('--supersample', type=int, default=2, help='1 is twice as fast, 2 is smooth')
  add(
    '--voices',
    nargs='+',
    default=None,
    help='programs or voices, such as flite espeak:de; default all installed',
  )
  add('--debug', action='store_true', help='show where an error came from')


def recipe_of(args: argparse.Namespace) -> Recipe:
  """The recipe that the arguments ask for.

  Raises:
    UsageError: a value is out of its range.
    UserError: a voice is not on this machine.
  """
  programs = sorted({v.split(':')[0] for v in speech.available_voices(None)})
  asked = tuple(programs if args.voices is None else args.voices)
  speech.check_voices(asked, None)
  return Recipe(
    clips=args.clips,
    size=args.size,
    seed=args.seed,
    split=args.split,
    stills=args.stills,
    frames=args.frames,
    supersample=args.supersample,
    art=args.art,
    plain=args.plain,
    voices=asked,
  )


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(
    prog='python -m data_pipelines.synthetic.synthesize', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  add_recipe_arguments(parser)
  workers = {'type': int, 'default': os.cpu_count() or 1, 'help': 'processes; 0 = none'}
  parser.add_argument('--workers', **workers)
  args = parser.parse_args(arguments)

  def work() -> None:
    if args.workers < 0:
      raise UsageError('--workers must be 0 or more')
    recipe = recipe_of(args)
    made = synthesize(recipe, args.out, args.workers)
    print(f'{args.out}: {recipe.clips} clips, {made} of them rendered now')

  return run_command('synthesize', work, args.debug)


if __name__ == '__main__':
  sys.exit(main())
