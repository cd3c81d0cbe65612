"""Whether long speech drifts, jumps or flaps, of the embedded or other weights.

    python -m experiments.benchmarks.long_motion --minutes 10 --steps 10

The shipped voice over and over, then silence, noise and a fifth of a second, through a
motion model (the embedded one, or `--weights DIR`). One JSON object on stdout:

`seams` compares the change of z-scored motion between the last frame of a window and
the first of the next with the change inside of windows: of all values, of the head's
three angles, of the mouth. (In the mean over all values a jumping head is lost.)
`minutes` has mean and deviation of yaw and pitch (degrees) and of jawOpen in each
minute, and the process's peak memory in MiB.
`silence`, `noise`, `short` give the mouth's mean and deviation and whether all values
are numbers.
"""

import argparse
import json
import resource
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from experiments.command import run_command
from vasa_jax.audio.hearing import hear
from vasa_jax.inference.bundle import EMBEDDED, load_bundle
from vasa_jax.inference.media.audio_file import AudioFile
from vasa_jax.motion.generate import MotionGenerator
from vasa_jax.types import FPS, POSE_DIM, SAMPLE_RATE, Motion

VOICE = EMBEDDED.with_name('examples') / 'voice.wav'
JAW = POSE_DIM + 24  # jawOpen among the 52 units
PARTS = {'all': slice(None), 'head': slice(0, 3), 'mouth': slice(JAW, JAW + 1)}


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.long_motion',
    description=__doc__.splitlines()[0],
  )
  parser.add_argument('--weights', metavar='DIR', help='default: the embedded ones')
  parser.add_argument('--minutes', type=float, default=10.0)
  parser.add_argument('--steps', type=int, help='of the sampler; default: its own')
  parser.add_argument('--sampler', choices=('ddim', 'dpm++'))
  parser.add_argument('--spacing', choices=('uniform', 'trailing', 'logsnr'))
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.minutes <= 0:
    parser.error('--minutes must be above 0')
  return args


def joined(motion: Motion) -> np.ndarray:
  """`(t, m)` from the struct."""
  return np.concatenate([motion.z_pose, motion.z_dyn], -1)


def voice_samples() -> np.ndarray:
  """Samples `(n,)` of the shipped voice."""
  return np.concatenate([chunk[:, 0] for chunk in AudioFile(VOICE).chunks()])


def repeated(features: np.ndarray, frames: int) -> Iterator[np.ndarray]:
  """The features over and over until there are `frames`."""
  while frames > 0:
    yield features[:frames]
    frames -= len(features)


def seams(z: np.ndarray, window: int) -> dict[str, float]:
  """Frame-to-frame changes of `(t, n)` at the seams of windows and inside of them."""
  change = np.sqrt((np.diff(z, axis=0) ** 2).mean(1))
  at = np.arange(len(change)) % window == window - 1
  if not at.any():
    return {}
  inner = float(np.median(change[~at]))
  return {
    'median_inside': inner,
    'median_at_seams': float(np.median(change[at])),
    'ratio': float(np.median(change[at])) / inner,
    'share_of_frames_above_twice': float((change[~at] > 2 * inner).mean()),
    'share_of_seams_above_twice': float((change[at] > 2 * inner).mean()),
  }


def mouth(motion: np.ndarray) -> dict[str, Any]:
  """How open the mouth is, how much it moves, and whether all is well."""
  jaw = motion[:, JAW]
  return {
    'frames': len(motion),
    'jaw_mean': float(jaw.mean()),
    'jaw_deviation': float(jaw.std()),
    'jaw_change': float(np.abs(np.diff(jaw)).mean()) if len(jaw) > 1 else 0.0,
    'finite': bool(np.isfinite(motion).all()),
  }


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  bundle = load_bundle(args.weights)
  config = bundle.motion_config
  generator = MotionGenerator(config, bundle.motion_params)
  settings = {'steps': args.steps, 'sampler': args.sampler, 'spacing': args.spacing}
  ear = hear(bundle.hears)
  voice = ear(voice_samples())
  frames, made, minutes = round(args.minutes * 60 * FPS), [], []
  per_minute = 60 * FPS // config.window
  for motion in generator.windows(repeated(voice, frames), **settings):
    made.append(joined(motion))
    if len(made) % per_minute == 0:
      last = np.concatenate(made[-per_minute:])
      minutes.append(
        {
          'yaw': [float(f(np.rad2deg(last[:, 0]))) for f in (np.mean, np.std)],
          'pitch': [float(f(np.rad2deg(last[:, 1]))) for f in (np.mean, np.std)],
          'jaw': [float(f(last[:, JAW])) for f in (np.mean, np.std)],
          'peak_mib': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
      )
  whole = np.concatenate(made)
  std = np.asarray(bundle.motion_params['stats']['std'])
  rng = np.random.default_rng(0)
  sounds = {
    'silence': np.zeros(20 * SAMPLE_RATE, np.float32),
    'noise': rng.normal(0, 0.1, 20 * SAMPLE_RATE).astype(np.float32),
    'short': rng.normal(0, 0.1, SAMPLE_RATE // 5).astype(np.float32),
  }
  others = {
    name: mouth(joined(generator.generate(ear(sound), **settings)))
    for name, sound in sounds.items()
  }
  found = {
    'weights': bundle.name,
    'device': jax.devices()[0].device_kind,
    'settings': {k: v for k, v in settings.items() if v is not None},
    'speech': mouth(whole),
    'seams': {
      name: seams((whole / std)[:, part], config.window) for name, part in PARTS.items()
    },
    'minutes': minutes,
    **others,
  }
  print(json.dumps(found, indent=1, default=float))
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
