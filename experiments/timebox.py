"""Trains both stages within M minutes and leaves what a later call goes on from.

    python -m experiments.timebox --minutes 9 --out box --motion-cache cache.npz
    python -m experiments.timebox --minutes 9 --out box2 --resume box ...

For a machine that is there for minutes, has nothing but numpy, numba, jax, flax, optax,
orbax and OpenCV, and gives back a few small files. Heads are rendered in worker
processes while stage 1 trains; stage 2 follows on motion records. OUT gets at most 8
files, each below 16 MiB, all below 64:

    face.state.*  motion.state.*     the checkpoints (`experiments.carry`)
    face.png  motion.png             held-out people: portrait, truth, picture; curves
    table.json                       device, rates, figures

Each state is written as soon as its stage is trained, and before the evaluation: who is
cut off late loses figures only. The first program takes a minute or more to compile on
a slow machine; that cannot be cut short, so give it minutes enough.
SIGTERM and Ctrl-C write what there is and exit 0.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from experiments.command import run_command
from experiments.timeboxing.box import Box, Stopped
from experiments.timeboxing.stage import STAGES
from vasa_jax.errors import UsageError, UserError

CONFIGS = Path(__file__).parent / 'configs'


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.timebox',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  add = parser.add_argument
  add('--minutes', type=float, required=True, metavar='M', help='all told, from now')
  add('--out', type=Path, required=True, help='folder of the results')
  add('--resume', type=Path, metavar='DIR', help="an earlier call's --out")
  add(
    '--face-share', type=float, default=0.7, metavar='P',
    help='share of the training time for stage 1; 1 or 0 trains one stage only',
  )  # fmt: skip
  add('--workers', type=int, metavar='N', help='rendering processes')
  add('--motion-cache', metavar='FILE', help='of experiments.cache_latents')
  add('--speech', type=int, default=100, metavar='N', help='clips without a cache')
  add('--vgg', metavar='FILE', help='npz of the VGG16 trunk; else no perceptual loss')
  add('--face-config', default=str(CONFIGS / 'face_lite.py'), metavar='FILE')
  add('--motion-config', default=str(CONFIGS / 'motion_lite.py'), metavar='FILE')
  for stage in STAGES:
    add(f'--set-{stage}', nargs='+', action='extend', default=[], metavar='NAME=VALUE')
  add(
    '--reserve', type=float, metavar='S',
    help='seconds kept for packing and evaluation (default: as last measured)',
  )  # fmt: skip
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.minutes <= 0 or not 0 <= args.face_share <= 1 or args.speech < 2:
    parser.error('--minutes > 0, --face-share in 0..1 and --speech >= 2, please')
  return args


def timebox(args: argparse.Namespace) -> int:
  """Trains, packs, evaluates; the exit code."""
  import jax

  try:
    args.out.mkdir(parents=True, exist_ok=True)
  except OSError as error:
    raise UserError(f'cannot write to {args.out}: {error.strerror or error}') from error
  if args.resume and not any(args.resume.glob('*.state.000')):
    raise UsageError(f'{args.resume} holds no *.state.000; give the --out of a call')
  failure = None
  with tempfile.TemporaryDirectory(prefix='vasa_timebox_') as folder:
    if not jax.config.jax_compilation_cache_dir:
      jax.config.update('jax_compilation_cache_dir', f'{folder}/compiled')
    with Box(args, Path(folder)) as box:
      try:
        box.train()
      except Stopped:
        box.heard = box.heard or 'SIGTERM'
      except Exception as error:  # what an earlier stage learned is still written
        failure = error
      box._armed = False
      box.finish()
      if not box.heard and failure is None:
        try:
          box._armed = True
          box.evaluate()
          box._armed = False
          box.write()
        except Stopped:
          pass
      box._armed = False
      table = box.table()
      text = json.dumps(table, indent=1) + '\n'
      (args.out / 'table.json').write_text(text)
  if failure is not None:
    raise failure
  print(table['row'])
  steps = ', '.join(f'{n} step {s["step"]}' for n, s in table['stages'].items())
  print(f'{args.out}: {steps}, {table["minutes_used"]:.1f} minutes')
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: timebox(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
