"""What `vasa` may be asked: its commands and options, and how their values are read."""

import argparse
from collections.abc import Callable, Mapping

from vasa_jax import __version__

Run = Callable[[argparse.Namespace], None]


def parser(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
  """The parser of the command line.

  Args:
    runs: what `generate`, `encode` and `info` call with their options.
  """
  found = argparse.ArgumentParser(
    prog='vasa', description='A portrait and a voice become a talking video.'
  )
  found.add_argument('--version', action='version', version=f'vasa {__version__}')
  commands = found.add_subparsers(metavar='COMMAND', required=True)

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
  generate.set_defaults(run=runs['generate'])
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
  encode.set_defaults(run=runs['encode'])
  encode.add_argument('portrait', metavar='PORTRAIT')
  encode.add_argument('-o', '--out', metavar='CODE.npz', required=True)

  info = commands.add_parser(
    'info',
    parents=[common],
    help='size of a preset (tiny, lite, base, paper) or of weights',
  )
  info.set_defaults(run=runs['info'])
  info.add_argument('model', metavar='PRESET_OR_WEIGHTS')
  info.add_argument('--json', action='store_true', help='machine-readable')
  return found


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
