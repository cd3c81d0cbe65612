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

from vasa_jax import cli_options
from vasa_jax.errors import UsageError, UserError


def main(argv: Sequence[str] | None = None) -> int:
  """Runs one command and returns its exit code."""
  runs = {'generate': _generate, 'encode': _encode, 'info': _info}
  try:
    options = cli_options.parser(runs).parse_args(argv)
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


def _generate(options: argparse.Namespace) -> None:
  from vasa_jax.inference.directing import controls as controls_lib
  from vasa_jax.inference.media.video import check_output

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
  from vasa_jax.inference.directing import driving

  parts = options.drive_parts or 'both'
  driving.check(options.drive, parts)
  idle = {'pose': ['distance'], 'dynamics': ['gaze', 'emotion']}
  idle['both'] = idle['pose'] + idle['dynamics']
  for name in idle[parts]:
    if getattr(options, name) is not None:
      raise UsageError(f'--{name} has no effect where --drive gives the {parts}')
  return {'drive': options.drive, 'drive_parts': parts}


def _encode(options: argparse.Namespace) -> None:
  from vasa_jax.inference.media.audio_file import digest

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


if __name__ == '__main__':
  sys.exit(main())
