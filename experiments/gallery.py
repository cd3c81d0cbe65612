"""The gallery: portraits x voices, and every control varied, as contact sheets.

    python -m experiments.make_portraits --out PORTRAITS --people 1 6 11 14 15 24 27 30
    python -m experiments.make_voices --out VOICES
    python -m experiments.gallery --portraits PORTRAITS PHOTOS vasa_jax/examples \
        --voices VOICES/english.wav VOICES/german.wav VOICES/sung.wav \
        --note 'The eight rendered portraits were picked for variety from forty,
        before any video was made.' --out docs/gallery

OUT gets one WebP a portrait (a row for each voice: the portrait's crop, then frames
that are evenly spaced), `controls.webp` (the first portrait under every control, at
five values) and README.md, which shows all. No frame is chosen: seeds are 0, 1, 2 in
the order of the voices. A portrait's caption is what the table of a SOURCES.md beside
it says of it; without one it says that it is rendered, if its file says so. PHOTOS has
such a SOURCES.md, and `grace_hopper.jpg` of the sample data of the package matplotlib.
"""

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from experiments.command import run_command
from experiments.portrait_judging import pictures
from experiments.portrait_judging.controls import LEVELS, excerpt, settings_of
from experiments.portrait_judging.filming import PICTURES, find_files
from vasa_jax.errors import UsageError, UserError
from vasa_jax.files import refused, write_whole
from vasa_jax.inference.showing import viewport
from vasa_jax.inference.talking_face import TalkingFace
from vasa_jax.metrics.clip_file import read_frames

FRAMES = 7
SHOWN = (0.3, 0.95)  # of a short clip: where a control has settled
WORDS = {
  'gaze': 'gaze {:+.0f} degrees',
  'distance': 'distance {:.1f}',
  'yaw': 'head turned {:+.0f} degrees',
}


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.gallery',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  add = parser.add_argument
  add('--portraits', type=Path, nargs='+', required=True, metavar='DIR')
  add('--voices', type=Path, nargs='+', required=True, metavar='WAV')
  add('--note', default='', help='a sentence for README.md: how portraits were picked')
  add('--weights', default='embedded', help='weights folder, or `embedded`')
  add('--out', type=Path, required=True, help='folder of the gallery')
  add('--scale', type=float, default=0.75, help='of the sheets')
  add('--quality', type=int, default=50, help='of the WebPs')
  add('--debug', action='store_true', help='show tracebacks')
  return parser.parse_args(argv)


def captions(portraits: Sequence[Path]) -> dict[Path, str]:
  """What is known of each picture."""
  found = {}
  for path in portraits:
    sources = path.parent / 'SOURCES.md'
    known = ''
    for line in sources.read_text().splitlines() if sources.is_file() else ():
      name, *words = (cell.strip(' `') for cell in line.strip('|').split('|'))
      if name == path.name and words:
        known = words[0]
    if not known:
      with Image.open(path) as image:
        said = image.info.get('Comment', '')
      known = 'rendered by this project; nobody' if 'synthetic' in said else path.name
    found[path] = known
  return found


def spoken(face: TalkingFace, portrait: Path, voices: Sequence[Path]) -> Image.Image:
  """One row a voice.

  Raises:
    UserError: the portrait or a voice cannot be used.
  """
  crop = viewport.shown(face.portrait(portrait)).crop
  rows = []
  with tempfile.TemporaryDirectory(prefix='vasa_gallery_') as folder:
    for seed, voice in enumerate(voices):
      path = Path(folder) / f'{seed}.mp4'
      frames = face.talk(portrait, voice, path, seed=seed).frames
      numbers = pictures.even_frames(frames, FRAMES + 2)[1:-1]
      taken = pictures.pick_frames(path, numbers)
      labels = ['portrait', *(f'{n / 25:.1f} s' for n in numbers)]
      row = pictures.Row(voice.stem, [crop, *(taken[n] for n in numbers)], labels)
      rows.append(row)
  return pictures.draw_sheet(rows)


def controlled(face: TalkingFace, portrait: Path, voice: Path) -> Image.Image:
  """One row a control, five values from left to right.

  Raises:
    UserError: the portrait or the voice cannot be used.
  """
  rows = []
  with tempfile.TemporaryDirectory(prefix='vasa_gallery_') as name:
    folder = Path(name)
    short = excerpt(voice, folder / 'short.wav')
    for control, levels in LEVELS.items():
      shown, labels = [], []
      for level in levels:
        drive = folder / f'{level}.json'
        drive.write_text(json.dumps({'pose': {'yaw': level}}))
        path = folder / f'{control}_{level}.mp4'
        face.talk(portrait, short, path, seed=0, **settings_of(control, level, drive))
        shown.append(_typical(list(read_frames(path))))
        labels.append(WORDS.get(control, control + ' {:.2f}').format(level))
      rows.append(pictures.Row(control, shown, labels))
  return pictures.draw_sheet(rows)


def _typical(frames: Sequence[np.ndarray]) -> np.ndarray:
  """The frame nearest to the mean of the settled part: no blink, no passing shape."""
  start, end = (round(share * len(frames)) for share in SHOWN)
  part = np.stack(frames[start:end]).astype(np.float32)
  return frames[start + int(np.square(part - part.mean(0)).mean((1, 2, 3)).argmin())]


def build(args: argparse.Namespace) -> int:
  """Writes the gallery; the exit code."""
  if not 0.1 <= args.scale <= 1 or not 1 <= args.quality <= 95:
    raise UsageError('--scale must lie between 0.1 and 1, --quality between 1 and 95')
  for voice in args.voices:
    if not voice.is_file():
      raise UserError(f'{voice}: no such sound file')
  found = [p for d in args.portraits for p in find_files(d, PICTURES, 'portraits')]
  about = captions(found)
  face = TalkingFace.load(None if args.weights == 'embedded' else args.weights)
  for path in tqdm(found, unit='portrait', disable=not sys.stderr.isatty()):
    _keep(args, f'{path.stem}.webp', spoken(face, path, args.voices))
  _keep(args, 'controls.webp', controlled(face, found[0], args.voices[0]))
  _write(args.out / 'README.md', page(about, args.note).encode())
  return 0


def page(about: Mapping[Path, str], note: str = '') -> str:
  """README.md of portraits and their captions; the first one is under control."""
  lines = [
    '# Gallery', '',
    'Made by `python -m experiments.gallery`; its docstring has the commands.',
    'Frames were not chosen: every portrait says every voice, seeds 0, 1, 2.',
    *([' '.join(note.split())] if note else []),
    'All frames are synthetic. Rendered people do not exist; photographs are in the',
    'public domain. What goes wrong in these frames the model card names.', '',
  ]  # fmt: skip
  for path, known in about.items():
    lines += [f'## {path.stem}', '', known, '', f'![{known}]({path.stem}.webp)', '']
  first, known = next(iter(about.items()))
  lines += ['## Controls', '', f'{first.stem}: {known}', '']
  lines += ['![Every control at five values](controls.webp)', '']
  return '\n'.join(lines)


def _keep(args: argparse.Namespace, name: str, sheet: Image.Image) -> None:
  size = [round(side * args.scale) for side in sheet.size]
  data = io.BytesIO()
  small = sheet.resize(size, Image.Resampling.LANCZOS)
  small.save(data, 'WEBP', quality=args.quality, method=6)
  _write(args.out / name, data.getvalue())


def _write(path: Path, data: bytes) -> None:
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
  except OSError as error:
    raise refused(path, error) from error


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: build(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
