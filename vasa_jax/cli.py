"""`vasa`: generate a talking video, encode a portrait, tell the size of a model.

Exit codes: 0 done; 1 failed (or stopped), one line on stderr says what and what to do;
2 wrong usage. JAX is imported only by the commands that compute: `vasa --help` must be
quick.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vasa_jax import __version__
from vasa_jax.errors import UsageError, UserError


def main(argv: Sequence[str] | None = None) -> int:
  """Runs one command and returns its exit code."""
  parser = _parser()
  try:
    options = parser.parse_args(argv)
  except SystemExit as stop:  # argparse: 0 after --help and --version, else 2.
    return int(stop.code or 0)
  previous = _stop_cleanly()
  try:
    options.run(options)
    return 0
  except UserError as error:
    if options.debug:
      raise
    print(f'vasa: {_one_line(error)}', file=sys.stderr)
    return 2 if isinstance(error, UsageError) else 1
  except KeyboardInterrupt:
    print('vasa: stopped; nothing was written', file=sys.stderr)
    return 1
  except BrokenPipeError:
    # The reader of our output is gone; Python would complain again while it exits.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
  except MemoryError:
    print('vasa: out of memory; close other programs or give --size', file=sys.stderr)
    return 1
  except Exception as error:
    if options.debug:
      raise
    kind = type(error).__name__
    print(
      f'vasa: unexpected {kind}: {_one_line(error)}; --debug shows where',
      file=sys.stderr,
    )
    return 1
  finally:
    if previous is not None:
      signal.signal(signal.SIGTERM, previous)


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    prog='vasa', description='A portrait and a voice become a talking video.'
  )
  parser.add_argument('--version', action='version', version=f'vasa {__version__}')
  commands = parser.add_subparsers(metavar='COMMAND', required=True)

  common = argparse.ArgumentParser(add_help=False)
  common.add_argument('--quiet', action='store_true', help='print errors only')
  common.add_argument(
    '--debug', action='store_true', help='show tracebacks and how long each stage took'
  )
  weights = argparse.ArgumentParser(add_help=False)
  weights.add_argument(
    '--weights', metavar='DIR', help='weights folder (default: the embedded one)'
  )

  generate = commands.add_parser(
    'generate', parents=[common, weights], help='make a talking video'
  )
  generate.set_defaults(run=_generate)
  generate.add_argument('portrait', metavar='PORTRAIT', help='picture with a face')
  generate.add_argument('audio', metavar='AUDIO', help='sound, or video with sound')
  generate.add_argument('-o', '--out', metavar='OUT.mp4', required=True)
  seeds = generate.add_mutually_exclusive_group()
  seeds.add_argument(
    '--seed', type=_natural, default=0, help='same seed, same video (default 0)'
  )
  seeds.add_argument(
    '--seeds',
    type=_naturals,
    metavar='A,B,...',
    help='a video for each seed: OUT_A.mp4, OUT_B.mp4, ...',
  )
  generate.add_argument('--size', type=_natural, help='side of the video in px')
  generate.add_argument(
    '--paste-back',
    action='store_true',
    help='show the whole picture, with the head moving in it',
  )
  generate.add_argument('--steps', type=_natural, help='diffusion steps')
  generate.add_argument(
    '--guidance-audio', type=_number, metavar='F', help='how strictly to follow sound'
  )
  generate.add_argument(
    '--guidance-gaze', type=_number, metavar='F', help='how strictly to follow --gaze'
  )
  for name in ('distance', 'emotion'):
    generate.add_argument(
      f'--guidance-{name}', type=_number, metavar='F', help=f'likewise of --{name}'
    )
  generate.add_argument(
    '--features',
    metavar='F',
    help='what the weights hear with, if their folder does not hold it: '
    'wav2vec2:PATH, hubert:PATH or whisper:PATH, as in training',
  )
  generate.add_argument(
    '--gaze',
    type=_pair,
    metavar='YAW,PITCH',
    help='main gaze in degrees, > 0 to the right of the picture and up; write '
    '--gaze=-10,5 if it starts with a minus',
  )
  generate.add_argument(
    '--distance', type=_number, metavar='F', help='of the head; 1 usual, 1.2 farther'
  )
  generate.add_argument(
    '--emotion',
    type=_weighted,
    action='append',
    metavar='NAME:W',
    help='for example happy:0.8; may be repeated',
  )
  generate.add_argument(
    '--controls', metavar='FILE.json', help='gaze, distance, emotion over time'
  )
  generate.add_argument(
    '--drive',
    metavar='FILE',
    help='pose or dynamics from a video of a face, or fixed values from FILE.json, or '
    '"portrait": as the portrait has them',
  )
  generate.add_argument(
    '--drive-parts',
    choices=('pose', 'dynamics', 'both'),
    help='what --drive gives (default both); the rest follows the sound',
  )
  generate.add_argument(
    '--allow-silence', action='store_true', help='accept a silent recording'
  )

  encode = commands.add_parser(
    'encode', parents=[common, weights], help='encode a portrait for the Python API'
  )
  encode.set_defaults(run=_encode)
  encode.add_argument('portrait', metavar='PORTRAIT')
  encode.add_argument('-o', '--out', metavar='CODE.npz', required=True)

  info = commands.add_parser(
    'info',
    parents=[common],
    help='size of a preset (tiny, lite, base, paper) or of weights',
  )
  info.set_defaults(run=_info)
  info.add_argument('model', metavar='PRESET_OR_WEIGHTS')
  info.add_argument('--json', action='store_true', help='machine-readable')
  return parser


def _generate(options: argparse.Namespace) -> None:
  from vasa_jax.inference import controls as controls_lib
  from vasa_jax.inference.video import check_output

  started = time.monotonic()
  if options.paste_back and options.size is not None:
    raise UsageError(
      '--paste-back makes the video as large as the picture; leave out --size, or '
      'scale the picture before'
    )
  outs = _outputs(options)
  for out in outs.values():
    check_output(out)
  for given in (options.portrait, options.audio):
    if not Path(given).exists():
      raise UserError(f'{given}: no such file')
  asked = controls_lib.read_file(options.controls) if options.controls else {}
  for name in ('gaze', 'distance'):
    if getattr(options, name) is not None:
      asked[name] = getattr(options, name)
  if options.emotion:
    asked['emotion'] = dict(options.emotion)
  # Wrong controls are told before anything is loaded.
  controls_lib.to_arrays(asked, 1)
  asked |= _drive(options)
  face = _load(options.weights, options.features)
  loaded = time.monotonic()
  for number, (seed, out) in enumerate(outs.items()):
    begun = time.monotonic() if number else started
    bar = _Bar(options.quiet)
    try:
      talk = face.talk(
        options.portrait,
        options.audio,
        out,
        seed=seed,
        size=options.size,
        steps=options.steps,
        guidance_audio=options.guidance_audio,
        guidance_gaze=options.guidance_gaze,
        guidance_distance=options.guidance_distance,
        guidance_emotion=options.guidance_emotion,
        allow_silence=options.allow_silence,
        paste_back=options.paste_back,
        progress=bar.update,
        **asked,
      )
    finally:
      bar.close()
    if options.quiet:
      continue
    done = time.monotonic()
    for note in () if number else talk.notes:
      print(f'vasa: note: {note}', file=sys.stderr)
    print(
      f'{talk.path}: {talk.seconds:.1f} s of video in {done - begun:.1f} s, '
      f'{bar.rate():.1f} frames/s (synthetic; marked as such in the file)'
    )
    if options.debug:
      print(
        f'start {loaded - started:.1f} s, first frames after '
        f'{(bar.first or done) - begun:.1f} s, end {done - begun:.1f} s',
        file=sys.stderr,
      )


def _outputs(options: argparse.Namespace) -> dict[int, Path]:
  """The file of each seed."""
  out = Path(options.out)
  if options.seeds is None:
    return {options.seed: out}
  return {
    seed: out.with_name(f'{out.stem}_{seed}{out.suffix}') for seed in options.seeds
  }


def _drive(options: argparse.Namespace) -> dict[str, Any]:
  """What --drive and --drive-parts say, checked."""
  if options.drive is None:
    if options.drive_parts:
      raise UsageError('--drive-parts says what --drive gives; name a --drive too')
    return {}
  from vasa_jax.inference import driving

  parts = options.drive_parts or 'both'
  driving.check(options.drive, parts)
  idle = {'pose': ['distance'], 'dynamics': ['gaze', 'emotion']}
  idle['both'] = idle['pose'] + idle['dynamics']
  for name in idle[parts]:
    if getattr(options, name) is not None:
      raise UsageError(f'--{name} has no effect where --drive gives the {parts}')
  return {'drive': options.drive, 'drive_parts': parts}


def _encode(options: argparse.Namespace) -> None:
  from vasa_jax.inference.audio_file import digest

  face = _load(options.weights)
  from vasa_jax.inference.code_file import save_code

  portrait = face.portrait(options.portrait)
  save_code(options.out, face.encode(portrait), face.bundle, digest(options.portrait))
  if not options.quiet:
    for note in portrait.notes:
      print(f'vasa: note: {note}', file=sys.stderr)
    print(options.out)


def _info(options: argparse.Namespace) -> None:
  from vasa_jax.inference import models
  from vasa_jax.inference.bundle import read_config

  configs, meta = models.preset(options.model), {}
  if configs is None:
    if not Path(options.model).is_dir():
      raise UserError(
        f'{options.model}: neither a preset (tiny, lite, base, paper) nor a folder of '
        'weights'
      )
    configs, meta = read_config(options.model)
  face = models.size('face', configs['face'])
  motion = models.size('motion', configs['motion'])
  found: dict[str, Any] = {
    'name': options.model,
    'size': configs['face'].size,
    'face_params': face.params,
    'motion_params': motion.params,
    'parts': {
      **{f'face/{name}': count for name, count in face.parts.items()},
      **{f'motion/{name}': count for name, count in motion.parts.items()},
    },
    'flops_per_frame': models.flops_per_frame(configs['face']),
    'window_frames': configs['motion'].window,
    'previous_frames': configs['motion'].previous,
    'sampling_steps': configs['motion'].sampling_steps,
  }
  if meta:
    found['meta'] = meta
  if options.json:
    print(json.dumps(found, indent=2))
    return
  print(f'{options.model}: {found["size"]} px')
  print(f'  face    {face.params / 1e6:9.2f} M parameters')
  for name, count in face.parts.items():
    print(f'    {name:20} {count / 1e6:9.3f} M')
  print(f'  motion  {motion.params / 1e6:9.2f} M parameters')
  for name, count in motion.parts.items():
    print(f'    {name:20} {count / 1e6:9.3f} M')
  print(f'  {found["flops_per_frame"] / 1e9:.2f} GFLOP to decode a frame')


def _load(weights: str | None, hears: str | None = None):
  """Imports what computes, turns the compile cache on, reads the weights."""
  from vasa_jax.inference.compilation import enable_cache

  enable_cache()
  from vasa_jax.inference.talking_face import TalkingFace

  return TalkingFace.load(weights, hears=hears)


class _Bar:
  """Progress with a rate on stderr; silent where nobody looks."""

  def __init__(self, quiet: bool):
    self.quiet = quiet
    self.first: float | None = None
    self._bar = None
    self._done, self._before, self._at = 0, 0, 0.0

  def update(self, done: int, total: int) -> None:
    now = time.monotonic()
    if self.first is None:
      self.first, self._before = now, done
    self._done, self._at = done, now
    if self.quiet:
      return
    if self._bar is None:
      from tqdm import tqdm

      self._bar = tqdm(total=total, unit=' frames', file=sys.stderr, leave=False)
    self._bar.update(done - self._bar.n)

  def rate(self) -> float:
    """Frames a second from the first batch to the last."""
    if self.first is None or self._at <= self.first:
      return float(self._done)
    return (self._done - self._before) / (self._at - self.first)

  def close(self) -> None:
    if self._bar is not None:
      self._bar.close()


def _stop_cleanly():
  """Makes SIGTERM end a command like Ctrl-C; returns the handler that was there."""

  def stop(number, frame):
    raise KeyboardInterrupt

  try:
    return signal.signal(signal.SIGTERM, stop)
  except ValueError:  # Not in the main thread: the caller looks after signals.
    return None


def _one_line(error: BaseException) -> str:
  return ' '.join(str(error).split()) or type(error).__name__


def _natural(text: str) -> int:
  value = int(text)
  if value < 0:
    raise argparse.ArgumentTypeError(f'{text} is negative')
  return value


_natural.__name__ = 'whole number'


def _naturals(text: str) -> list[int]:
  seeds = [_natural(part) for part in text.split(',')]
  if len(set(seeds)) < len(seeds):
    raise argparse.ArgumentTypeError(f'{text} has a seed twice')
  return seeds


_naturals.__name__ = 'list of whole numbers'


def _number(text: str) -> float:
  value = float(text)
  if value != value or abs(value) == float('inf'):
    raise argparse.ArgumentTypeError(f'{text} is not a number')
  return value


_number.__name__ = 'number'


def _pair(text: str) -> list[float]:
  parts = text.split(',')
  if len(parts) != 2:
    raise argparse.ArgumentTypeError(f'{text!r} is not YAW,PITCH')
  return [_number(part) for part in parts]


_pair.__name__ = 'YAW,PITCH'


def _weighted(text: str) -> tuple[str, float]:
  name, colon, weight = text.partition(':')
  return name, _number(weight) if colon else 1.0


_weighted.__name__ = 'NAME:W'


if __name__ == '__main__':
  sys.exit(main())
