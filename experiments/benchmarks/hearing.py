"""How far live hearing is from the whole: `python -m experiments.benchmarks.hearing`.

    --audio log-mel | wav2vec2:PATH | hubert:PATH | whisper:PATH
    --random base | large | tiny         the net's layout with random weights

One JSON object a line: for each look-ahead the relative error of the streamed features
(norm of the difference over norm of the whole recording's features about their mean)
and the delay from a frame's instant until it can be computed; then the time that a
second of sound takes. With random weights the error says what the layout alone does,
nothing about a trained net.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.command import run_command
from vasa_jax.audio import features
from vasa_jax.audio.hearing import Ear, NetEar, hear, hear_live
from vasa_jax.types import FPS

RANDOM = ('base', 'large', 'tiny')
AHEAD = (0.04, 0.12, 0.2, 0.4, 0.6, 1.0)


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.hearing',
    description=__doc__.splitlines()[0],
  )
  which = parser.add_mutually_exclusive_group()
  which.add_argument('--audio', default='log-mel', metavar='SPEC')
  which.add_argument('--random', choices=RANDOM, help='random weights of this layout')
  parser.add_argument('--sound', metavar='FILE', help='speech; the shipped one if not')
  parser.add_argument('--interpolate', choices=('before', 'after'), default='before')
  parser.add_argument('--layers', type=int, nargs='+', default=[-1])
  parser.add_argument('--ahead', type=float, nargs='+', default=list(AHEAD))
  parser.add_argument('--before', type=float, default=2.0, help='seconds of past')
  parser.add_argument('--chunk', type=int, default=5, help='frames at a time')
  parser.add_argument('--repeats', type=int, default=3)
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.repeats < 1:
    parser.error('--repeats must be 1 or more')
  return args


def random_ear(kind: str, layers: Sequence[int], interpolate: str) -> Ear:
  """Wav2Vec2 base or large, or Whisper tiny, with random weights."""
  import jax
  import jax.numpy as jnp

  from vasa_jax.audio import wav2vec2, whisper
  from vasa_jax.audio.fronts import Wav2Vec2Front, WhisperFront
  from vasa_jax.audio.wav2vec2_file import Wav2Vec2Weights
  from vasa_jax.audio.whisper_file import WhisperWeights

  if kind == 'tiny':
    config = whisper.WhisperConfig()
    given = whisper.WhisperEncoder(config), jnp.zeros((1, 8, config.num_mel_bins))
  else:
    config = wav2vec2.BASE if kind == 'base' else wav2vec2.LARGE
    given = wav2vec2.Wav2Vec2(config), jnp.zeros((1, 8000))
  net, sound = given
  params = jax.jit(net.init)(jax.random.key(0), sound)['params']
  if kind == 'tiny':
    return NetEar(WhisperFront(WhisperWeights(config, params), layers))
  weights = Wav2Vec2Weights(config, params)
  return NetEar(Wav2Vec2Front(weights, layers, interpolate))


def _speech(path: str | None) -> np.ndarray:
  import vasa_jax
  from vasa_jax.inference.media.audio_file import AudioFile

  shipped = Path(vasa_jax.__file__).parent / 'examples' / 'voice.wav'
  return np.concatenate([c[:, 0] for c in AudioFile(path or shipped).chunks()])


def measure(args: argparse.Namespace) -> int:
  """Prints the figures."""
  if args.random:
    ear = random_ear(args.random, args.layers, args.interpolate)
  else:
    ear = hear(args.audio, args.layers, args.interpolate)
  samples = _speech(args.sound)
  gain = features.loudness(samples).gain
  whole = ear(samples, gain)
  spread = np.linalg.norm(whole - whole.mean(0))
  seconds = len(samples) / features.SAMPLE_RATE
  about = {'audio': f'random {args.random}' if args.random else args.audio}
  for ahead in args.ahead:
    how = {'ahead': ahead, 'before': args.before, 'chunk': args.chunk}
    live = hear_live(ear, samples, gain, **how)  # compiles
    times = []
    for _ in range(args.repeats):
      start = time.perf_counter()
      hear_live(ear, samples, gain, **how)
      times.append(time.perf_counter() - start)
    found = {
      'ahead': ahead,
      'relative_error': float(f'{np.linalg.norm(live - whole) / spread:.3g}'),
      'ms_per_second_of_sound': round(1e3 * statistics.median(times) / seconds, 1),
    }
    if isinstance(ear, NetEar):
      # The first frame of a chunk waits longest: for the chunk, then for the future.
      found['delay_ms'] = round(1e3 * (args.chunk / FPS + ahead))
    print(json.dumps(about | found), flush=True)
  times = []
  for _ in range(args.repeats):
    start = time.perf_counter()
    ear(samples, gain)
    times.append(time.perf_counter() - start)
  time_whole = round(1e3 * statistics.median(times) / seconds, 1)
  print(json.dumps(about | {'whole_ms_per_second_of_sound': time_whole}))
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
