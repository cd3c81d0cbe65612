"""How fast a model talks, stage by stage: `python -m experiments.benchmarks.inference`.

    python -m experiments.benchmarks.inference                  the embedded weights
    python -m experiments.benchmarks.inference --preset lite    random weights

One JSON object on stdout, times in milliseconds, each the median of `--repeats` calls
after one that compiled: `fit` (landmarks and head of the portrait), `encode` (once per
portrait), `prior` (the template's flow, a frame), `decode` (a frame, prior included),
`shown` (a frame of the video: decoded, with the pixels of a finer crop and a still
background), `shown_512` (the same at 512 px), `window` (one window of motion, all
diffusion steps), and the frames per second of `shown` and of `window`. Nothing is
written to a file or as video.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.command import run_command
from vasa_jax.face.config import FaceConfig
from vasa_jax.face.prior import HeadTemplate, prior_flow
from vasa_jax.face.template import load_template
from vasa_jax.inference import bundle as bundle_lib
from vasa_jax.inference import models
from vasa_jax.inference.finding.portrait import find_portrait, load_picture
from vasa_jax.inference.showing import screen
from vasa_jax.motion.config import MotionConfig
from vasa_jax.motion.generate import MotionGenerator
from vasa_jax.types import Motion

PORTRAIT = bundle_lib.EMBEDDED.with_name('examples') / 'portrait.jpg'


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.inference',
    description=__doc__.splitlines()[0],
  )
  what = parser.add_mutually_exclusive_group()
  what.add_argument('--weights', metavar='DIR', help='default: the embedded ones')
  what.add_argument('--preset', choices=('tiny', 'lite'), help='random weights')
  parser.add_argument('--batch', type=int, default=8, help='frames at once')
  parser.add_argument('--repeats', type=int, default=10)
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.batch < 1 or args.repeats < 1:
    parser.error('--batch and --repeats must be 1 or more')
  return args


def random_bundle(preset: str) -> bundle_lib.Bundle:
  """Untrained models of a preset."""
  configs = models.preset(preset)
  params = {
    part: models.to_numpy(models.init(part, config, jax.random.key(0)))
    for part, config in configs.items()
  }
  return bundle_lib.Bundle(
    configs['face'], params['face'], configs['motion'], params['motion'], name=preset
  )


def milliseconds(call: Callable[[], Any], repeats: int) -> float:
  """Median time of `call()`, after one that does not count."""
  times = []
  for _ in range(repeats + 1):
    start = time.perf_counter()
    jax.block_until_ready(call())
    times.append(time.perf_counter() - start)
  return 1e3 * statistics.median(times[1:])


def some_motion(config: FaceConfig, source: Motion | None, frames: int) -> Motion:
  """`frames` motions about the portrait's own: what they show does not matter."""
  rng = np.random.default_rng(0)
  pose = rng.normal(0, 0.05, (frames, 6))
  dyn = rng.uniform(0, 0.3, (frames, config.dyn_dim))
  if source is not None:
    pose, dyn = pose + source.z_pose, dyn + source.z_dyn
  return Motion(jnp.asarray(pose, jnp.float32), jnp.asarray(dyn, jnp.float32))


def face_figures(
  config: FaceConfig, params: Any, batch: int, repeats: int
) -> dict[str, float]:
  """`fit`, `encode`, `prior`, `decode`, `shown` in ms, the last three a frame."""
  picture = load_picture(PORTRAIT)
  portrait = find_portrait(picture, config.size)
  source = models.fit_source(config, portrait)
  net = models.FaceNet(config, params)

  def fit():
    return models.fit_source(config, find_portrait(picture, config.size))

  figures = {
    'fit': milliseconds(fit, repeats),
    'encode': milliseconds(lambda: net.encode(portrait, source), repeats),
  }
  code = net.encode(portrait, source)
  motion = some_motion(config, source.motion, batch)
  if config.pixel_path is not None:
    template = HeadTemplate.of(load_template())
    side = config.pixel_path.prior_size
    heads = jnp.repeat(jnp.asarray(source.vertices), batch, 0)
    own = jax.tree.map(lambda x: jnp.repeat(jnp.asarray(x), batch, 0), source.motion)
    flow = jax.jit(lambda to: prior_flow(template, heads, own, to, side))
    figures['prior'] = milliseconds(lambda: flow(motion), repeats) / batch
  net.compile(code, batch)
  decode = milliseconds(lambda: net.decode(code, motion), repeats) / batch
  figures['decode'] = decode
  for name, size in (('shown', None), ('shown_512', 512)):
    video = screen.screen(net, portrait, code, batch, size)
    figures[name] = (
      milliseconds(lambda v=video: v.decode(code, motion), repeats) / batch
    )
  return {**figures, 'shown_frames_per_second': 1e3 / figures['shown']}


def motion_figures(config: MotionConfig, params: Any, repeats: int) -> dict[str, float]:
  """`window` in ms and its frames per second, with the sampler's defaults."""
  generator = MotionGenerator(config, params)
  rng = np.random.default_rng(0)
  heard = rng.normal(-0.5, 0.5, (config.window, config.audio_dim)).astype(np.float32)
  window = milliseconds(lambda: generator.generate(heard), repeats)
  return {'window': window, 'motion_frames_per_second': 1e3 * config.window / window}


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  if args.preset:
    bundle = random_bundle(args.preset)
  else:
    bundle = bundle_lib.load_bundle(args.weights)
  figures: dict[str, Any] = {
    'weights': bundle.name,
    'device': jax.devices()[0].device_kind,
    'cores': len(os.sched_getaffinity(0)),
    'batch': args.batch,
    **face_figures(bundle.face_config, bundle.face_params, args.batch, args.repeats),
    **motion_figures(bundle.motion_config, bundle.motion_params, args.repeats),
  }
  rounded = {k: round(v, 2) if isinstance(v, float) else v for k, v in figures.items()}
  print(json.dumps(rounded, indent=2))
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
