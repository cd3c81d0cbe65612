"""Makes the motion cache that stage 2 trains on: `python -m experiments.cache_latents`.

    --speech N --out OUT                     N acted performances, nothing is rendered
    --records DIR --from-truth --out OUT     exact labels of rendered clips
    --records DIR --weights DIR --out OUT    each frame encoded by a trained face model

`OUT` says which of two forms is written; training reads both:

    OUT.npz    up to 15 MiB, numpy alone reads it: for machines that have little else
    OUT        with --npz, a folder of such files
    OUT        a folder of ArrayRecord shards, of any size; the command, given again,
               goes on with the shards that are missing

Held out for evaluation: one speech of twenty, or the records' validation split.
`--features` says how the sound is heard (`data_pipelines/motion_hearing.py`).
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.command import run_command
from vasa_jax.errors import UsageError, UserError


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.cache_latents', description=__doc__.splitlines()[0]
  )
  source = parser.add_mutually_exclusive_group(required=True)
  source.add_argument('--speech', type=int, metavar='N', help='act N speeches')
  source.add_argument('--records', metavar='DIR', help='folder of clip records')
  parser.add_argument('--out', required=True, help='OUT.npz, or a folder')
  parser.add_argument(
    '--npz', action='store_true', help='a folder of .npz files instead of ArrayRecord'
  )
  parser.add_argument(
    '--features',
    default='ear',
    metavar='F',
    help='ear, log-mel, wav2vec2:PATH, hubert:PATH, whisper:PATH (default: ear, what '
    'the embedded weights hear with)',
  )
  latents = parser.add_mutually_exclusive_group()
  latents.add_argument(
    '--from-truth', action='store_true', help='exact labels of rendered clips'
  )
  latents.add_argument('--weights', metavar='DIR', help='encode with this face model')
  parser.add_argument(
    '--voices', nargs='+', default=[], metavar='V', help='as flite or espeak:en-us'
  )
  parser.add_argument('--seed', type=int, default=0)
  parser.add_argument('--workers', type=int, default=1, help='processes; 0 is none')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.records and not (args.from_truth or args.weights):
    parser.error('--records needs --from-truth or --weights DIR')
  if args.speech is not None and (args.from_truth or args.weights):
    parser.error('--speech needs no --from-truth and no --weights')
  if args.speech is not None and args.speech < 1:
    parser.error('--speech must be 1 or more')
  return args


def encoder(weights: str) -> Callable[[np.ndarray], np.ndarray]:
  """`frames (t, s, s, 3)` uint8 -> `(t, m)` motion by a trained face model."""
  from vasa_jax.inference.bundle import load_bundle
  from vasa_jax.inference.directing.driving import motion_encoder

  return motion_encoder(load_bundle(weights))


def counted(clips: Iterable, total: int) -> Iterator:
  """Passes clips on and reports progress on stderr: a bar, or lines without tqdm."""
  try:
    from tqdm import tqdm
  except ImportError:
    started = last = time.monotonic()
    frames = 0
    for i, clip in enumerate(clips, 1):
      frames += 0 if clip is None else len(clip.motion)
      if time.monotonic() - last > 10:
        last = time.monotonic()
        rate = frames / 25 / (last - started)
        print(f'{i} of {total} clips, {rate:.1f} x real time', file=sys.stderr)
      yield clip
  else:
    yield from tqdm(clips, total=total, unit='clip')


def cache(args: argparse.Namespace) -> int:
  """Writes the cache that `args` ask for."""
  from data_pipelines import motion_cache, motion_shards
  from data_pipelines.errors import UsageError as DataUsageError
  from data_pipelines.errors import UserError as DataError
  from data_pipelines.motion_hearing import front_end

  try:
    ear = front_end(args.features)
    make, total, source = _source(args, ear)
    stored = {'scale': ear.scale, 'offset': ear.offset, 'front_end': ear.name}
    if args.npz or args.out.endswith('.npz'):
      clips = (clip for clip in counted(make(range(total)), total) if clip is not None)
      files = motion_cache.write_cache(args.out, clips, **stored)
    else:

      def watched(numbers):
        return counted(make(numbers), len(numbers)) if numbers else iter(())

      motion_shards.write_shards(args.out, watched, total, source=source, **stored)
      files = sorted(Path(args.out).glob('motion-*'))
    made = motion_cache.read_cache(args.out)
  except DataUsageError as error:
    raise UsageError(str(error)) from error
  except DataError as error:
    raise UserError(str(error)) from error
  size = sum(file.stat().st_size for file in files) / 2**20
  print(
    f'{args.out}: {len(made.frames)} clips, {made.hours:.2f} hours, '
    f'{len(files)} file{"s" * (len(files) > 1)}, {size:.1f} MiB'
  )
  return 0


def _source(args: argparse.Namespace, ear) -> tuple[Callable, int, dict[str, Any]]:
  """What makes the clips of given numbers, how many there are, and of what."""
  from data_pipelines import motion_records, motion_speech

  if args.records:
    encode = encoder(args.weights) if args.weights else None
    records = motion_records.RecordClips(args.records, encode, ear)
    about = {'records': Path(args.records).name, 'weights': args.weights or 'truth'}
    return records.clips, len(records), about

  def speak(numbers):
    return motion_speech.speech_clips(
      numbers, args.seed, args.voices, args.workers, ear
    )

  about = {'speech': args.speech, 'seed': args.seed, 'voices': list(args.voices)}
  return speak, args.speech, about


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: cache(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
