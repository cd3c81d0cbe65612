"""Makes the ear of the embedded weights: `python -m experiments.pack_ear WHISPER`.

WHISPER is a published checkpoint, as `whisper:PATH` takes it (transformers, openai or
CTranslate2). The embedded ear is tiny.en's (MIT), two of its four layers: a linear map
of its features explains jawOpen of unheard clips with r = .84 (all four layers .84 to
.85, one .83, log-mel with seven frames of context .66) and mouthClose with .72 (.73,
.62, .28).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.command import run_command


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.pack_ear',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument('whisper', help='folder or file of a published checkpoint')
  parser.add_argument('--layers', type=int, default=2, help='that are kept')
  parser.add_argument('--out', type=Path, default=Path('ear.safetensors'))
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  return parser.parse_args(argv)


def pack(args: argparse.Namespace) -> int:
  """Writes the file that `args` ask for."""
  from vasa_jax.audio.ear_file import save_ear, truncated
  from vasa_jax.audio.whisper_file import load_whisper

  save_ear(args.out, truncated(load_whisper(args.whisper), args.layers))
  print(f'{args.out}: {args.out.stat().st_size / 2**20:.1f} MiB')
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: pack(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
