"""How fast motion is made: `python -m experiments.benchmarks.motion`.

    python -m experiments.benchmarks.motion                       paper and lite
    python -m experiments.benchmarks.motion --preset paper --set attention=joint

Random weights, features given, one window after another as in `vasa generate`. One JSON
object a preset on stdout: `window` (ms of a window, median of `--repeats` after one
that compiled), `real_time_factor` (seconds of work a second of motion), `step` (ms of
one more guided step: the difference between two numbers of steps), `encode` (ms of what
is done once a window), `step_gflop` and `window_gflop` as XLA counts them, and how many
evaluations a guided step has.
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
from vasa_jax.motion import conditions, guidance
from vasa_jax.motion import config as config_lib
from vasa_jax.motion.config import MotionConfig
from vasa_jax.motion.generate import MotionGenerator
from vasa_jax.motion.step import count_params, init_params
from vasa_jax.motion.transformer import MotionTransformer
from vasa_jax.training.config import apply_overrides
from vasa_jax.types import FPS


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.motion', description=__doc__.splitlines()[0]
  )
  presets = ('paper', 'lite', 'tiny')
  parser.add_argument('--preset', choices=presets, nargs='+', default=presets[:2])
  parser.add_argument('--steps', type=int, default=10)
  parser.add_argument('--repeats', type=int, default=7)
  parser.add_argument(
    '--set', dest='overrides', nargs='+', default=[], metavar='NAME=VALUE'
  )
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.steps < 1 or args.repeats < 1:
    parser.error('--steps and --repeats must be 1 or more')
  return args


def gflop(function: Callable[..., Any], *arguments: Any) -> float:
  """Floating-point operations in units of 1e9, by XLA's count; nothing runs."""
  cost = jax.jit(function).lower(*arguments).cost_analysis()
  return float(cost.get('flops', 0.0)) / 1e9


def operations(config: MotionConfig) -> dict[str, float]:
  """GFLOP of `encode`, once a window, and of a guided `step`."""
  model, names = MotionTransformer(config), guided(config)
  params = jax.eval_shape(lambda key: init_params(config, key), jax.random.key(0))
  params = {'params': params['params']}
  given = jax.eval_shape(lambda: conditions.nothing(config))

  def encode(params, given):
    return model.apply(params, guidance.variants(given, names), method='encode')

  context = jax.eval_shape(encode, params, given)
  b = 1 + len(names)
  x_t = jax.ShapeDtypeStruct((b, config.window, config.motion_dim), jnp.float32)
  t = jax.ShapeDtypeStruct((b,), jnp.float32)

  def step(params, x_t, t, context):
    return model.apply(params, x_t, t, context, method='denoise')

  return {
    'encode': gflop(encode, params, given),
    'step': gflop(step, params, x_t, t, context),
  }


def guided(config: MotionConfig) -> tuple[str, ...]:
  """Conditions that are guided by; no emotion is asked for here."""
  weights = {**config.guidance, 'emotion': 0.0}
  return tuple(name for name, weight in weights.items() if weight)


def times(call: Callable[[], Any], repeats: int) -> float:
  """Median of `call()` in ms, after one that does not count."""
  found = []
  for _ in range(repeats + 1):
    start = time.perf_counter()
    jax.block_until_ready(call())
    found.append(time.perf_counter() - start)
  return 1e3 * statistics.median(found[1:])


def figures(config: MotionConfig, steps: int, repeats: int) -> dict[str, Any]:
  """What is printed of a config."""
  params = jax.jit(lambda key: init_params(config, key))(jax.random.key(0))
  generator = MotionGenerator(config, params)
  rng = np.random.default_rng(0)
  heard = rng.normal(-0.5, 0.5, (config.window, config.audio_dim)).astype(np.float32)

  def window(count: int) -> float:
    return times(lambda: generator.generate(heard, steps=count), repeats)

  spent, half = window(steps), window(max(1, steps // 2))
  more = steps - max(1, steps // 2)
  each = (spent - half) / more if more else spent
  count = operations(config)
  return {
    'parameters': count_params(config),
    'steps': steps,
    'sampler': config.sampler,
    'evaluations_a_step': 1 + len(guided(config)),
    'window': spent,
    'frames': config.window,
    'real_time_factor': spent / 1e3 / config.window * FPS,
    'times_real_time': 1e3 * config.window / FPS / spent,
    'step': each,
    'encode': spent - steps * each,
    'step_gflop': count['step'],
    'encode_gflop': count['encode'],
    'window_gflop': count['encode'] + steps * count['step'],
  }


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  for preset in args.preset:
    config = apply_overrides(getattr(config_lib, preset)(), args.overrides)
    found = {
      'preset': preset,
      'device': jax.devices()[0].device_kind,
      'cores': len(os.sched_getaffinity(0)),
      **figures(config, args.steps, args.repeats),
    }
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in found.items()}
    print(json.dumps(rounded, indent=2), flush=True)
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
