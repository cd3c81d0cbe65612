"""How fast the corpus is drawn: `python -m experiments.benchmarks.rendering`.

One JSON object on stdout, CPU milliseconds on one core, medians: `person` (drawing an
identity), `load` (its mesh, textures and occlusion), `frame` (one picture with its
labels), `frames_per_second` (of such frames alone, on one core), `place` (what is
behind), `speech` (saying one sentence with the built-in voice), `act` (motion for it).
`everything` is a talking clip from its seed to the bytes of its record, per frame, and
`everything_per_second` the frames of that on one core.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from data_pipelines.builder import serializer
from data_pipelines.synthetic.acting.performance import perform, pose_for_stills
from data_pipelines.synthetic.clips import render_clip
from data_pipelines.synthetic.drawing.render import Renderer
from data_pipelines.synthetic.drawing.scene import sample_light
from data_pipelines.synthetic.filming.backdrop import sample_backdrop
from data_pipelines.synthetic.people.heads import sample_identity
from data_pipelines.synthetic.recipe import Recipe
from data_pipelines.synthetic.speaking.sentences import sentence
from data_pipelines.synthetic.speaking.speech import speak
from experiments.command import run_command


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.rendering',
    description=__doc__.splitlines()[0],
  )
  parser.add_argument('--size', type=int, default=256, help='side of a picture in px')
  parser.add_argument('--supersample', type=int, default=2, help='samples a pixel side')
  parser.add_argument('--people', type=int, default=8)
  parser.add_argument('--frames', type=int, default=8, help='frames a person')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if min(args.size, args.supersample, args.people, args.frames) < 1:
    parser.error('all numbers must be 1 or more')
  return args


class Watch:
  """Collects CPU times by name."""

  def __init__(self):
    self.times: dict[str, list[float]] = {}

  def time(self, name: str, call: Callable[[], Any]) -> Any:
    """The value of `call()`."""
    start = time.process_time()
    value = call()
    self.times.setdefault(name, []).append(1e3 * (time.process_time() - start))
    return value


def whole_clips(args: argparse.Namespace) -> float:
  """CPU milliseconds a frame of talking clips, identity to JPEG and labels."""
  recipe = Recipe(
    args.people + 1, args.size, supersample=args.supersample, voices=('formant',)
  )
  serialize = serializer()
  serialize(render_clip(args.people, recipe))  # compiles, reads files
  watch, frames = Watch(), 0
  for index in range(args.people):
    clip = watch.time('clip', lambda i=index: render_clip(i, recipe))
    watch.time('record', lambda c=clip: serialize(c))
    frames += len(clip)
  return sum(map(sum, watch.times.values())) / frames


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  renderer = Renderer(args.size, args.supersample)
  for counted in (False, True):  # the first round compiles and reads files
    watch = Watch()
    for seed in range(args.people if counted else 1):
      rng = np.random.default_rng(seed)
      person = watch.time('person', lambda s=seed: sample_identity(s))
      place = watch.time('place', lambda r=rng: sample_backdrop(r, args.size))
      light, wall = sample_light(rng, place), place.picture
      watch.time('load', lambda p=person, w=wall: renderer.load(p, w))
      poses = pose_for_stills(rng, args.frames)
      for units, pose, eyes in zip(poses.units, poses.pose, poses.eyes, strict=True):
        shot = (units, pose, eyes, light)
        watch.time('frame', lambda s=shot: renderer.frame(*s))
      said = watch.time('speech', lambda r=rng: speak(sentence(r), 'formant:woman', r))
      watch.time('act', lambda s=said, r=rng: perform(s, r))
  figures = {name: statistics.median(times) for name, times in watch.times.items()}
  figures['frames_per_second'] = 1e3 / figures['frame']
  figures['everything'] = whole_clips(args)
  figures['everything_per_second'] = 1e3 / figures['everything']
  told = {'size': args.size, 'supersample': args.supersample}
  print(json.dumps(told | {k: round(v, 1) for k, v in figures.items()}, indent=2))
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
