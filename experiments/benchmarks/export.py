"""The decoder as a file: `jax.export` beside `jit`, in turns, in one run.

    python -m experiments.benchmarks.export [--batch 8] [--keep FILE]

Prints JSON: bytes of the exported decoder (StableHLO with the parameters inside),
seconds from those bytes to the first frames, milliseconds a frame of both, and the
largest difference of their pictures. What `--keep` writes runs wherever JAX runs,
without this package: `jax.export.deserialize(bytes).call(code, motion)`.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from jax import export

from experiments.command import run_command
from vasa_jax.files import refused, write_whole
from vasa_jax.inference.bundle import EMBEDDED
from vasa_jax.inference.models import decode
from vasa_jax.inference.talking_face import TalkingFace
from vasa_jax.types import FaceCode, Motion

PORTRAIT = EMBEDDED.with_name('examples') / 'portrait.jpg'


def serialised(face: TalkingFace, code: FaceCode, motion: Motion) -> bytes:
  """The decoder of these weights for codes and motions of these shapes."""
  config, params = face.bundle.face_config, face.bundle.face_params
  leaves, tree = jax.tree.flatten((code, motion))

  def run(*leaves):
    return decode(config, params, *jax.tree.unflatten(tree, leaves))

  return bytes(export.export(jax.jit(run))(*leaves).serialize())


def measure(args: argparse.Namespace) -> int:
  """Prints the figures; the exit code."""
  face = TalkingFace.load()
  code = face.encode(PORTRAIT)
  rng = np.random.default_rng(0)
  rest = jax.tree.map(lambda x: np.repeat(x, args.batch, 0), code.pixels.motion)
  motion = Motion(
    rest.z_pose + rng.normal(0, 0.05, rest.z_pose.shape).astype(np.float32),
    rest.z_dyn,
  )
  data = serialised(face, code, motion)
  if args.keep:
    try:
      write_whole(args.keep, data)
    except OSError as error:
      raise refused(args.keep, error) from error
  leaves = jax.tree.leaves((code, motion))
  start = time.perf_counter()
  exported = jax.jit(export.deserialize(bytearray(data)).call)
  first = np.asarray(exported(*leaves))
  ready = time.perf_counter() - start
  own = np.asarray(face.face.decode(code, motion))
  times = {'jit': [], 'exported': []}
  for _ in range(args.repeats):
    for name, call in (
      ('jit', lambda: face.face.decode(code, motion)),
      ('exported', lambda: exported(*leaves)),
    ):
      start = time.perf_counter()
      call().block_until_ready()
      times[name].append(time.perf_counter() - start)
  figures = {
    'bytes': len(data),
    'seconds_to_first_frames': round(ready, 2),
    'largest_difference': int(np.abs(first.astype(int) - own).max()),
  }
  for name, seconds in times.items():
    figures[f'{name}_ms_a_frame'] = statistics.median(seconds) / args.batch * 1000
  print(json.dumps(figures, indent=2))
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.export',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument('--batch', type=int, default=8, help='frames at once')
  parser.add_argument('--repeats', type=int, default=10)
  parser.add_argument(
    '--keep', type=Path, metavar='FILE', help='write the decoder there'
  )
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.batch < 1 or args.repeats < 1:
    parser.error('--batch and --repeats must be 1 or more')
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
