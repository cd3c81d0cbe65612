"""Eight clips to learn by heart: `python -m experiments.eight_clips --out DIR`.

Two seconds each of people who talk, as in the corpus, but with nothing in the picture
that the inputs of the net do not tell: no noise of a sensor or codec, no painted look,
and a torso that stands still. (The latents are of the head. In clips of the corpus half
of what a net gets wrong after three minutes is the shoulders, which it cannot know.)
To show the source instead of the driver gives 25.8 dB.
"""

import argparse
import dataclasses
import pathlib
import sys
from collections.abc import Sequence

import numpy as np

from data_pipelines import builder, schema
from data_pipelines.errors import UserError
from data_pipelines.synthetic.acting.performance import perform
from data_pipelines.synthetic.clips import render, say_something, to_clip
from data_pipelines.synthetic.people.traits import sample_traits
from data_pipelines.synthetic.recipe import Recipe
from experiments.command import run_command

CLIPS, FRAMES = 8, 50


def make_clip(index: int, recipe: Recipe) -> schema.Clip:
  """Clip `index`: its person talks before a still torso."""
  seed = recipe.person(index)
  rng = np.random.default_rng((seed, 1))
  said = say_something(rng, recipe, sample_traits(seed).male)
  acted = perform(said, rng)
  first = {f.name: getattr(acted, f.name)[:FRAMES] for f in dataclasses.fields(acted)}
  first['body'] = np.zeros_like(first['body'])
  acted = dataclasses.replace(acted, **first)
  shots = render(seed, acted, recipe.size, recipe.supersample, plain=True)
  return to_clip(f'heart-{index}', seed, shots)


def make(out: str, size: int, clips: int = CLIPS) -> int:
  """Writes them as a corpus with one shard; 0."""
  recipe = Recipe(clips, size, voices=('formant',), plain=True, art=0.0)
  try:
    pathlib.Path(out).mkdir(parents=True, exist_ok=True)
  except OSError as error:
    raise UserError(f'cannot write {out}: {error.strerror or error}') from error
  serialize = builder.serializer()
  records = [serialize(make_clip(i, recipe)) for i in range(clips)]
  builder.write_shard(builder.shard_path(out, recipe.split, 0, 1), records)
  builder.write_catalogue(out)
  print(f'{out}: {clips} clips of {size} px')
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.eight_clips', description=__doc__.splitlines()[0]
  )
  parser.add_argument('--out', required=True, help='folder of the clips')
  parser.add_argument('--size', type=int, default=64, help='side in pixels')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  return run_command(lambda: make(args.out, args.size), args.debug)


if __name__ == '__main__':
  sys.exit(main())
