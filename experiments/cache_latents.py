"""Makes the motion cache that stage 2 trains on: `python -m experiments.cache_latents`.

    --speech N --out OUT                     N acted performances, nothing is rendered
    --records DIR --from-truth --out OUT     exact labels of rendered clips
    --records DIR --weights DIR --out OUT    each frame encoded by a trained face model

`OUT` is one `.npz` (up to 15 MiB of arrays) or a folder of such files. Held out for
evaluation: one speech of twenty, or the records' validation split. Audio features are
log-mel.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

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
  """`frames (t, s, s, 3)` uint8 -> `(t, m)` motion by a trained face model.

  Frames go through in batches of 16, the last one padded: one compilation.
  """
  import jax
  import jax.numpy as jnp

  from vasa_jax.face.autoencoder import FaceModel
  from vasa_jax.inference.bundle import load_bundle

  bundle = load_bundle(weights)
  model = FaceModel(bundle.face_config)

  @jax.jit
  def motion(pictures):
    pictures = pictures.astype(jnp.float32) / 255
    size = bundle.face_config.size
    shape = (len(pictures), size, size, 3)
    pictures = jax.image.resize(pictures, shape, 'linear')
    found = model.apply({'params': bundle.face_params}, pictures, method='motion')
    return jnp.concatenate([found.z_pose, found.z_dyn], -1)

  def encode(frames: np.ndarray) -> np.ndarray:
    parts = []
    for i in range(0, len(frames), 16):
      batch = frames[i : i + 16]
      padded = np.concatenate([batch, np.repeat(batch[-1:], 16 - len(batch), 0)])
      parts.append(np.asarray(motion(padded))[: len(batch)])
    return np.concatenate(parts)

  return encode


def counted(clips: Iterable, total: int | None) -> Iterator:
  """Passes clips on and reports progress on stderr: a bar, or lines without tqdm."""
  try:
    from tqdm import tqdm
  except ImportError:
    started = last = time.monotonic()
    frames = 0
    for i, clip in enumerate(clips, 1):
      frames += len(clip.motion)
      if time.monotonic() - last > 10:
        last = time.monotonic()
        rate = frames / 25 / (last - started)
        print(f'{i} of {total or "?"} clips, {rate:.1f} x real time', file=sys.stderr)
      yield clip
  else:
    yield from tqdm(clips, total=total, unit='clip')


def cache(args: argparse.Namespace) -> int:
  """Writes the cache that `args` ask for."""
  from data_pipelines import motion_cache, motion_records, motion_speech
  from data_pipelines.errors import UsageError as DataUsageError
  from data_pipelines.errors import UserError as DataError
  from vasa_jax.audio import features

  try:
    if args.records:
      encode = encoder(args.weights) if args.weights else None
      clips, total = motion_records.record_clips(args.records, encode), None
    else:
      total = args.speech
      clips = motion_speech.speech_clips(total, args.seed, args.voices, args.workers)
    files = motion_cache.write_cache(
      args.out, counted(clips, total), *features.BYTE_SCALE
    )
    made = motion_cache.read_cache(args.out)
  except DataUsageError as error:
    raise UsageError(str(error)) from error
  except DataError as error:
    raise UserError(str(error)) from error
  size = sum(file.stat().st_size for file in files) / 2**20
  print(
    f'{args.out}: {len(made.ends)} clips, {made.hours:.2f} hours, '
    f'{len(files)} file{"s" * (len(files) > 1)}, {size:.1f} MiB'
  )
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: cache(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
