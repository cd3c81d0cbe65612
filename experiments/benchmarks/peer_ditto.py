"""`paper`'s motion and Ditto's motion generator in turns, on this machine, in one run.

    python -m experiments.benchmarks.peer_ditto --source CHECKOUT --torch-python PYTHON

Both make one window by ten guided DDIM steps, random weights, audio features given:
ours 100 frames with three evaluations a step (audio and gaze are guided by), Ditto's
LMDM 80 frames with two. `step_frame` is ms of a guided step and frame, `evaluation` of
one evaluation of the network and frame. How the two sides are kept apart says
`peer_liveportrait.py`. One JSON object and a Markdown table.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.benchmarks.peer_liveportrait import Peer, take_turns
from experiments.command import run_command

STEPS = 10


class Ditto(Peer):
  """The child process; `seconds()` asks it for one window."""

  name, proof = 'Ditto', 'core/models/modules/LMDM.py'

  def child(self) -> Path:
    return Path(__file__).with_name('peer_ditto_child.py')


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.peer_ditto',
    description=__doc__.splitlines()[0],
  )
  add = parser.add_argument
  add('--source', required=True, metavar='CHECKOUT', help="Ditto's repository")
  add('--torch-python', required=True, metavar='PYTHON', help='has torch and einops')
  add('--preset', choices=('tiny', 'lite', 'paper'), default='paper')
  add('--repeats', type=int, default=5)
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.repeats < 1:
    parser.error('--repeats must be 1 or more')
  return args


def figures(
  times: Sequence[float], frames: int, evaluations: int, gflop: float
) -> dict[str, Any]:
  """Of one side; `gflop` of a guided step."""
  middle = statistics.median(times)
  each = 1e3 * middle / STEPS / frames
  return {
    'window': round(middle, 4),
    'least': round(min(times), 4),
    'most': round(max(times), 4),
    'frames': frames,
    'step_frame': round(each, 4),
    'evaluation': round(each / evaluations, 4),
    'real_time_factor': round(middle / (frames / 25), 4),
    'step_gflop': round(gflop, 2),
  }


def table(found: dict[str, dict[str, Any]]) -> str:
  """The sides as Markdown."""
  lines = [
    '| 10 guided steps | a window, s | least to most | frames | ms a guided step and '
    'frame | ms an evaluation and frame | GFLOP a step |',
    '| --- ' * 7 + '|',
  ]
  for name, row in found.items():
    lines.append(
      f'| {name} | {row["window"]:.3g} | {row["least"]:.3g} to {row["most"]:.3g} | '
      f'{row["frames"]} | {row["step_frame"]:.3g} | {row["evaluation"]:.3g} | '
      f'{row["step_gflop"]:.3g} |'
    )
  return '\n'.join(lines)


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  import jax
  import numpy as np

  from experiments.benchmarks.motion import guided, operations
  from vasa_jax.motion import config as config_lib
  from vasa_jax.motion.generate import MotionGenerator
  from vasa_jax.motion.step import init_params

  peer = Ditto(args.torch_python, args.source, 'float32', len(os.sched_getaffinity(0)))
  try:
    config = getattr(config_lib, args.preset)()
    params = jax.jit(lambda key: init_params(config, key))(jax.random.key(0))
    generator = MotionGenerator(config, params)
    rng = np.random.default_rng(0)
    heard = rng.normal(-0.5, 0.5, (config.window, config.audio_dim)).astype(np.float32)

    def ours() -> float:
      start = time.perf_counter()
      jax.block_until_ready(generator.generate(heard, steps=STEPS))
      return time.perf_counter() - start

    our_times, their_times = take_turns(ours, peer.seconds, args.repeats)
  finally:
    peer.close()
  told = peer.told
  sides = {
    f'{args.preset}, JAX': figures(
      our_times, config.window, 1 + len(guided(config)), operations(config)['step']
    ),
    'Ditto LMDM, PyTorch': figures(
      their_times, told['frames'], told['evaluations'], told['gflop']
    ),
  }
  one, other = sides.values()
  ratios = {
    name: round(other[name] / one[name], 3) for name in ('step_frame', 'evaluation')
  }
  facts = {'cores': len(os.sched_getaffinity(0)), **told}
  print(json.dumps({**facts, 'sides': sides, 'ours_is_faster_by': ratios}, indent=2))
  print(table(sides))
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
