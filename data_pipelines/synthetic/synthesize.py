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
import multiprocessing
import os
import pathlib
import signal
import sys

from data_pipelines.errors import UsageError, UserError
from data_pipelines.synthetic.clips import render_clip
from data_pipelines.synthetic.recipe import SPLITS, Recipe, claim
from data_pipelines.synthetic.speaking import speech

_serialize = None


def _start_worker() -> None:
  """The parent alone answers Ctrl-C; one thread each, for there are many workers."""
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  import cv2

  cv2.setNumThreads(0)


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
  with bar, _records(jobs, min(workers, len(jobs))) as records:
    for s in missing:
      shard = []
      for _ in recipe.shard(s):
        shard.append(next(records))
        bar.update()
      builder.write_shard(paths[s], shard)
  builder.write_catalogue(folder)
  return len(jobs)


class _records:
  """Context with an iterator of records in the order of the jobs."""

  def __init__(self, jobs, workers: int):
    self._jobs, self._workers, self._pool = jobs, workers, None

  def __enter__(self):
    if self._workers < 1:
      return map(_record, self._jobs)
    # executors, not multiprocessing.Pool: a Pool waits for ever for a killed worker
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context('spawn')
    self._pool = ProcessPoolExecutor(self._workers, context, _start_worker)
    return self._drain()

  def _drain(self):
    """Keeps a bounded number of clips under way, so that memory stays flat."""
    from collections import deque
    from concurrent.futures.process import BrokenProcessPool

    ahead = deque()
    jobs = iter(self._jobs)
    try:
      for job in jobs:
        ahead.append(self._pool.submit(_record, job))
        if len(ahead) >= 4 * self._workers:
          yield ahead.popleft().result()
      while ahead:
        yield ahead.popleft().result()
    except BrokenProcessPool as error:
      raise UserError(
        'a rendering process was killed (out of memory?); '
        'run the command again with fewer --workers, it goes on where it stopped'
      ) from error

  def __exit__(self, kind, error, trace):
    if self._pool is not None:
      self._pool.shutdown(wait=True, cancel_futures=True)
    return False


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
  try:
    if args.workers < 0:
      raise UsageError('--workers must be 0 or more')
    recipe = recipe_of(args)
    made = synthesize(recipe, args.out, args.workers)
    print(f'{args.out}: {recipe.clips} clips, {made} of them rendered now')
    return 0
  except KeyboardInterrupt:
    print('interrupted; the same command goes on where it stopped', file=sys.stderr)
    return 1
  except UserError as error:
    if args.debug:
      raise
    print(f'synthesize: {error}', file=sys.stderr)
    return 2 if isinstance(error, UsageError) else 1


if __name__ == '__main__':
  sys.exit(main())
