"""The card of a corpus: `python -m data_pipelines.synthetic.report DIR` -> card.html.

One self-contained page (inline SVG and JPEG, no script, no network): who is in the
corpus, what they do and say, how they are filmed, in counts, histograms and contact
sheets, so that a bias or a broken part is seen before anything is trained on it.
"""

import argparse
import html
import json
import pathlib
import sys
from collections.abc import Sequence

import numpy as np

from data_pipelines import schema
from data_pipelines.errors import UserError
from data_pipelines.inspect import (
  contact_sheet,
  count_blinks,
  delta_pose,
  is_talk,
  read_evenly,
)
from data_pipelines.page import bars, counts_of, document, figure, histogram, image
from data_pipelines.synthetic.acting.emotions import EMOTIONS
from data_pipelines.synthetic.acting.visemes import UNIT, VISEMES
from data_pipelines.synthetic.assets import RACES


def _kind(text: str) -> str:
  """The kind in a record that was kept as JSON, or its first text."""
  if not text:
    return 'photograph'
  values = json.loads(text).values()
  return next((v for v in values if isinstance(v, str)), 'other')


def figures(clips: Sequence[schema.Clip]) -> dict[str, float]:
  """What a reader wants to know in numbers, of rendered clips."""
  talk = [clip for clip in clips if is_talk(clip)]
  minutes = sum(map(len, talk)) / schema.FPS / 60
  found = {
    'clips': len(clips),
    'people': len({clip.identity for clip in clips}),
    'frames': sum(map(len, clips)),
    'kilobytes a frame': np.mean([len(f) for c in clips for f in c.frames]) / 1e3,
    'painted or drawn, share of clips': np.mean([bool(c.truth.style) for c in clips]),
  }
  if talk:
    blink = UNIT['eyeBlinkLeft']
    blinks = sum(count_blinks(clip.truth.units[:, blink]) for clip in talk)
    found |= {
      'talking clips': len(talk),
      'minutes of talk': minutes,
      'voices': len({clip.truth.voice for clip in talk}),
      'languages': len({clip.truth.language for clip in talk}),
      'distinct texts': len({clip.truth.text for clip in talk}),
      'delta P of talk, degrees a frame': np.mean([delta_pose(c.pose) for c in talk]),
      'blinks a minute of talk': blinks / max(minutes, 1e-9),
    }
  return {name: float(value) for name, value in found.items()}


def _people(clips) -> list[str]:
  vectors = np.stack([clip.truth.identity_vector[:6] for clip in clips])
  worn = [name for clip in clips for name in clip.truth.worn.split()]
  races = [RACES[int(np.argmax(v[3:]))] for v in vectors]
  return [
    histogram('male (0 = female, 1 = male)', vectors[:, 0], 20),
    histogram('age (0 = young adult, 1 = old)', vectors[:, 1], 20),
    histogram('weight (-1 = thin, 1 = heavy)', vectors[:, 2], 20),
    counts_of('largest share of ancestry', races),
    counts_of('hair', [n for n in worn if n.startswith('hair')]),
    counts_of('clothes', [n for n in worn if n.startswith('cloth')]),
    counts_of(
      'worn and grown beside them',
      [n for n in worn if not n.startswith(('hair', 'cloth', 'brow'))],
    ),
  ]


def _motion(clips) -> list[str]:
  pose = np.concatenate([clip.pose for clip in clips])
  gaze = np.concatenate([clip.gaze for clip in clips])
  units = np.concatenate([clip.truth.units for clip in clips])
  body = np.rad2deg(np.concatenate([clip.truth.body for clip in clips]))
  emotion = np.concatenate([clip.emotion for clip in clips]).mean(0)
  viseme = np.concatenate([clip.truth.viseme for clip in clips])
  labels = [f'{n} {e:.2f}' for n, e in zip(EMOTIONS, emotion, strict=True)]
  titles = ('yaw', 'pitch', 'roll')
  return [
    *(histogram(f'head {n}, degrees', pose[:, i]) for i, n in enumerate(titles)),
    histogram('torso yaw, degrees', body[:, 0]),
    histogram('distance ratio', np.concatenate([clip.distance for clip in clips])),
    histogram('gaze to the right, degrees', gaze[:, 0]),
    histogram('gaze up, degrees', gaze[:, 1]),
    histogram('jaw open', units[:, UNIT['jawOpen']]),
    histogram('lids closed', units[:, UNIT['eyeBlinkLeft']]),
    counts_of('viseme', [VISEMES[v] for v in viseme]),
    figure('mean score: ' + ', '.join(labels), bars(emotion, EMOTIONS), '', ''),
  ]


def _speech(talk) -> list[str]:
  blink = UNIT['eyeBlinkLeft']
  phones = [p for clip in talk for p in clip.truth.phones]
  rate = [
    60 * schema.FPS * count_blinks(c.truth.units[:, blink]) / len(c) for c in talk
  ]
  return [
    counts_of('language', [clip.truth.language for clip in talk]),
    counts_of('voice', [clip.truth.voice for clip in talk]),
    counts_of('phone', phones),
    histogram('seconds', [len(clip) / schema.FPS for clip in talk]),
    histogram('delta P, degrees a frame', [delta_pose(clip.pose) for clip in talk]),
    histogram('blinks a minute, by clip', rate),
    histogram(
      'loudness, dB below full scale',
      [20 * np.log10(np.std(c.audio / 32768.0) + 1e-5) for c in talk],
    ),
  ]


def _film(clips) -> list[str]:
  cameras = [json.loads(clip.truth.camera) for clip in clips]
  numbers = [
    name
    for name, value in cameras[0].items()
    if isinstance(value, int | float) and not isinstance(value, bool)
  ]
  tones = [
    schema.decode_picture(clip.frames[0])[..., :3].mean() / 255 for clip in clips
  ]
  return [
    histogram('brightness of a picture', tones),
    counts_of('style', [_kind(clip.truth.style) for clip in clips]),
    *(histogram(f'camera: {name}', [c[name] for c in cameras]) for name in numbers),
  ]


def _grid(clips, columns: int = 12, side: int = 96) -> np.ndarray:
  """The first frame of each clip, as a sheet with full rows."""
  count = max(len(clips) // columns * columns, min(len(clips), columns))
  rows = [clips[i : i + columns] for i in range(0, count, columns)]
  firsts = [
    np.concatenate([contact_sheet([c], 1, side) for c in row], 1) for row in rows
  ]
  return np.concatenate(firsts)


def card(clips: Sequence[schema.Clip], title: str) -> str:
  """The page about some rendered clips of a corpus."""
  talk = [clip for clip in clips if is_talk(clip)]
  art = [clip for clip in clips if clip.truth.style]
  rows = ''.join(
    f'<tr><td>{html.escape(name)}</td><td>{value:.4g}</td></tr>'
    for name, value in figures(clips).items()
  )
  licence = ', '.join(sorted({clip.licence for clip in clips}))
  parts = [
    f'<p>Rendered people; nobody here exists. Licence: {html.escape(licence)}.</p>',
    f'<table>{rows}</table>',
    '<h2>One frame of each clip</h2>',
    image(_grid(clips[:96]), 'first frames'),
    *(
      ['<h2>Talk</h2>', image(contact_sheet(talk[:8]), 'a row a clip')] if talk else []
    ),
    *(['<h2>Painted or drawn</h2>', image(_grid(art[:24]), 'styles')] if art else []),
    '<h2>People</h2>',
    *_people(clips),
    '<h2>Motion</h2>',
    *_motion(clips),
    *(['<h2>Speech</h2>', *_speech(talk)] if talk else []),
    '<h2>Film</h2>',
    *_film(clips),
  ]
  return document(title, parts)


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(
    prog='python -m data_pipelines.synthetic.report',
    description=__doc__.splitlines()[0],
  )
  add = parser.add_argument
  add('folder', help='a rendered corpus')
  add('--split', default='train')
  add('--out', default=None, help='the page; default DIR/card-SPLIT.html')
  add('--clips', type=int, default=400, help='how many clips are read, spread evenly')
  add('--debug', action='store_true', help='show where an error came from')
  args = parser.parse_args(arguments)
  try:
    from data_pipelines.builder import find_dataset

    clips = read_evenly(args.folder, args.split, args.clips).clips
    clips = [clip for clip in clips if clip.truth is not None]
    if not clips:
      raise UserError(
        f'{args.folder} holds no rendered clips; use data_pipelines.inspect'
      )
    name = f'card-{args.split}.html'
    path = pathlib.Path(args.out or find_dataset(args.folder) / name)
    title = f'Rendered corpus, {args.split}: {len(clips)} clips of it'
    try:
      path.write_text(card(clips, title))
    except OSError as error:
      raise UserError(f'cannot write {path}: {error.strerror or error}') from error
    print(json.dumps(figures(clips), indent=1))
    print(path)
    return 0
  except UserError as error:
    if args.debug:
      raise
    print(f'report: {error}', file=sys.stderr)
    return 1


if __name__ == '__main__':
  sys.exit(main())
