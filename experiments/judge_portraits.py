"""How good the product is on portraits and voices that it has never met.

    python -m experiments.make_voices --out VOICES
    python -m experiments.judge_portraits --portraits DIR --voices VOICES \\
      --weights embedded --out REPORT [--controls] [--limit N]

Every picture of DIR says every voice (wav) through `TalkingFace.talk` with its default
settings; the videos are looked at by nets that nobody here has trained. A picture with
several faces is used as the product uses it; one that it refuses is a row with the
reason. Where NAME.phones.json lies beside a voice, p, b and m are checked.

REPORT/ gets table.md, table.csv, table.json, clips.csv and report.html (means over
portraits, 95 % intervals, promises), sheet.png (eight frames of each portrait),
worst.png (the worst frames beside their portraits), with --controls controls.md and
controls.json, and the videos. A run that was cut off goes on where it was.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from experiments.command import run_command
from vasa_jax.errors import UserError
from vasa_jax.files import refused, write_whole


class Clip(NamedTuple):
  """A portrait and a voice: the video, and what was measured in it."""

  sitter: Any
  voice: Path
  film: Any
  measured: Any


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='python -m experiments.judge_portraits',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  add = parser.add_argument
  add('--portraits', type=Path, required=True, help='folder of pictures')
  add('--voices', type=Path, required=True, help='folder of wav files')
  add('--weights', required=True, help='weights folder, or `embedded`')
  add('--out', type=Path, required=True, help='folder of the report')
  add('--controls', action='store_true', help='gaze, distance, emotion and head too')
  add('--limit', type=int, help='only so many pictures')
  add('--voice-limit', type=int, help='only so many voices')
  add('--debug', action='store_true', help='show tracebacks')
  arguments = parser.parse_args(argv)
  for name in ('limit', 'voice_limit'):
    value = getattr(arguments, name)
    if value is not None and value < 1:
      parser.error(f'--{name.replace("_", "-")} is too small')
  return arguments


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  arguments = parse(argv)
  return run_command(lambda: judge(arguments), arguments.debug)


def judge(arguments: argparse.Namespace) -> int:
  """Films, measures and writes the report; the exit code."""
  from experiments.evaluate import installed_descriptor
  from experiments.portrait_judging import filming
  from experiments.portrait_judging.measuring import PORTRAIT_METRICS
  from vasa_jax import __version__
  from vasa_jax.metrics import table

  pictures = filming.find_files(arguments.portraits, filming.PICTURES, 'portraits')
  voices = filming.find_files(arguments.voices, filming.SOUNDS, 'voices')
  pictures, voices = pictures[: arguments.limit], voices[: arguments.voice_limit]
  path = None if arguments.weights == 'embedded' else arguments.weights
  face = filming.WatchedFace.load(path)
  facts: dict[str, Any] = {
    'vasa_jax': __version__,
    'weights': f'{face.bundle.name} {face.bundle.digest}',
    'voices': ', '.join(voice.stem for voice in voices),
    'mean over': 'portraits; the voices of a portrait are averaged first',
  }
  describe = installed_descriptor(facts)
  folder = arguments.out / 'clips'
  try:
    folder.mkdir(parents=True, exist_ok=True)
  except OSError as error:
    raise UserError(f'cannot write to {folder}: {error.strerror}') from error
  rows: list[dict[str, Any]] = []
  sitters = _seat(face, arguments.portraits, pictures, folder, rows)
  clips = _clips(face, sitters, voices, folder, describe, rows)
  failures = [row['refused'] for row in rows if 'refused' in row]
  if not clips:
    raise UserError(f'no portrait could be used: {failures[0]}')
  _against_corpus(rows, facts)
  facts['portraits'] = f'{len({clip.sitter.name for clip in clips})} of {len(pictures)}'
  lines = table.write_report(
    arguments.out, rows, title='Portraits and voices that were never seen',
    facts=facts, failures=failures, metrics=PORTRAIT_METRICS,
  )  # fmt: skip
  _draw(arguments.out, clips)
  print(table.markdown(lines, PORTRAIT_METRICS))
  for failure in failures:
    print(f'not scored: {failure}', file=sys.stderr)
  if arguments.controls:
    seen = list({clip.sitter.name: clip.sitter for clip in clips}.values())
    _obey(face, seen, voices[0], arguments.out)
  print(arguments.out / 'report.html')
  return 0


def _seat(face, root: Path, pictures: Sequence[Path], folder: Path, rows: list) -> list:
  """The portraits that the product takes; the others become rows with the reason."""
  from experiments.evaluate import watched
  from experiments.portrait_judging.filming import Sitter, encoded, name_of
  from vasa_jax.inference.models import fit_source
  from vasa_jax.inference.showing.viewport import shown

  sitters = []
  for path in watched('portraits', 'picture')(pictures):
    name = name_of(path, root)
    try:
      portrait = face.portrait(path)
      fit_source(face.bundle.face_config, portrait, str(path))
    except UserError as error:
      rows.append({'clip': name, 'system': 'model', 'refused': str(error)})
      continue
    seen = shown(portrait)
    still = encoded(seen.crop, folder / f'{name}__still.mp4')
    sitters.append(Sitter(name, path, seen, still))
  return sitters


def _clips(face, sitters, voices, folder: Path, describe, rows: list) -> list[Clip]:
  """Every portrait with every voice; the seed is the number of the clip."""
  from experiments.evaluate import watched
  from experiments.portrait_judging.filming import film, phones_of
  from experiments.portrait_judging.measuring import measured
  from vasa_jax.metrics.faces import mesh_pose

  clips = []
  pairs = [(sitter, voice) for sitter in sitters for voice in voices]
  for seed, (sitter, voice) in enumerate(watched('videos', 'video')(pairs)):
    row = {
      'clip': sitter.name, 'voice': voice.stem, 'system': 'model', 'seed': seed,
      'portrait_yaw': float(mesh_pose(sitter.portrait.landmarks.points)[0]),
    }  # fmt: skip
    try:
      made = film(face, sitter, voice, folder, seed)
      found = measured(made, sitter, phones_of(voice), describe)
    except UserError as error:
      rows.append({**row, 'refused': f'{sitter.name}, {voice.stem}: {error}'})
      continue
    notes = ' '.join(sitter.portrait.notes)
    rows.append({**row, **found.scores, 'video': made.path.name, 'notes': notes})
    clips.append(Clip(sitter, voice, made, found))
  return clips


def _against_corpus(rows: list[dict[str, Any]], facts: dict[str, Any]) -> None:
  """Adds how lively the head was asked to be, over the heads of the corpus."""
  from experiments.portrait_judging.measuring import corpus_acceleration

  try:
    usual = corpus_acceleration()
  except UserError as error:
    facts['not measured: motion over the corpus'] = str(error)
    return
  facts['second difference of heads of the corpus'] = f'{usual:.3f} deg/frame^2'
  for row in rows:
    if 'acceleration_asked' in row:
      row['acceleration_corpus'] = row['acceleration_asked'] / usual


def _draw(out: Path, clips: Sequence[Clip]) -> None:
  """sheet.png: the first voice of each portrait; worst.png."""
  from experiments.portrait_judging import pictures

  rows, seen = [], set()
  for clip in clips:
    if clip.sitter.name in seen:
      continue
    seen.add(clip.sitter.name)
    total = round(clip.measured.scores['seconds'] * 25)
    numbers = pictures.even_frames(total)
    frames = pictures.pick_frames(clip.film.path, numbers)
    label = f'{clip.sitter.name}, {clip.voice.stem}'
    words = ['portrait', *(f'{i / 25:.1f} s' for i in numbers)]
    shown = [clip.sitter.portrait.crop, *(frames[i] for i in numbers)]
    rows.append(pictures.Row(label, shown, words))
  pictures.write_sheet(out / 'sheet.png', rows)
  rows = []
  for kind, title in (
    ('identity', 'farthest from the portrait, 128-d distance'),
    ('sharpness', 'least sharp, share of the portrait'),
  ):
    bad = [
      pictures.Bad(clip.sitter.name, clip.film.path, clip.sitter.portrait.crop, *one)
      for clip in clips
      for one in getattr(clip.measured.worst, kind)
    ]
    rows += pictures.worst_rows(title, pictures.worst_of(bad, kind == 'sharpness'))
  if rows:
    pictures.write_sheet(out / 'worst.png', rows)


def _obey(face, sitters, voice: Path, out: Path) -> None:
  """controls.md and controls.json."""
  from experiments.evaluate import watched
  from experiments.oracle_table import plain
  from experiments.portrait_judging import controls
  from vasa_jax.metrics.emotion import load_reader

  folder = out / 'controls'
  try:
    folder.mkdir(parents=True, exist_ok=True)
    emotions = load_reader()
  except OSError as error:
    raise UserError(f'cannot write to {folder}: {error.strerror}') from error
  except UserError as error:
    print(f'emotions are not read: {error}', file=sys.stderr)
    emotions = None
  short = controls.excerpt(voice, folder / 'voice.wav')
  readings = {}
  for sitter in watched('controls', 'portrait')(sitters):
    try:
      readings[sitter.name] = controls.obey(face, sitter, short, folder, emotions)
    except UserError as error:
      print(f'controls not scored: {sitter.name}: {error}', file=sys.stderr)
  found = controls.summarise(list(readings.values()))
  text = controls.markdown(found)
  kept = plain({
    'controls': [one._asdict() for one in found],
    'portraits': {n: [r._asdict() for r in own] for n, own in readings.items()},
  })  # fmt: skip
  try:
    write_whole(out / 'controls.md', text)
    write_whole(out / 'controls.json', json.dumps(kept, indent=1, allow_nan=False))
  except OSError as error:
    raise refused(out, error) from error
  print(text)


if __name__ == '__main__':
  sys.exit(main())
