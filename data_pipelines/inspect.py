"""A look into a corpus: `python -m data_pipelines.inspect DIR [--split train] [--out
PNG] [--overlay MP4] [--histograms]`.

Prints counts, statistics of motion and, if asked, histograms of all labels; writes a
contact sheet (one row a clip, frames spread over it) and, if asked, a video with the
labels drawn in: mesh, axes of the head, arrows of the gaze, mouth and eyes.
"""

import argparse
import json
import pathlib
import sys
from typing import NamedTuple

import numpy as np

from data_pipelines import schema
from data_pipelines.errors import UserError


def delta_pose(pose: np.ndarray) -> float:
  """Head motion in degrees a frame: mean |difference| of yaw, pitch and roll.

  Args:
    pose: `(t, 5)` of a clip, angles in degrees.
  """
  if len(pose) < 2:
    return 0.0
  return float(np.abs(np.diff(pose[:, :3], axis=0)).mean())


def count_blinks(closure: np.ndarray) -> int:
  """Blinks in `(t,)` lid closures: stretches above 0.8, counted once each."""
  shut = np.concatenate([[False], np.asarray(closure) > 0.8])
  return int((shut[1:] & ~shut[:-1]).sum())


def is_talk(clip: schema.Clip) -> bool:
  """Whether the clip is rendered talk: frames in a row, with words."""
  return clip.truth is not None and bool(clip.truth.text)


def statistics(clips: list[schema.Clip]) -> dict:
  """Figures of some clips; those of motion over rendered talk only.

  Keys: clips, talking, people, frames, minutes, bytes_per_frame, untrusted_frames, and
  for talk delta_pose (degrees a frame), blinks_per_minute, yaw_pitch_roll_sd (degrees),
  distance (lowest, highest), voices, emotions (mean scores).
  """
  talk = [clip for clip in clips if is_talk(clip)]
  frames = sum(len(clip) for clip in clips)
  found = {
    'clips': len(clips),
    'talking': len(talk),
    'people': len({clip.identity for clip in clips}),
    'frames': frames,
    'minutes': round(frames / schema.FPS / 60, 3),
    'bytes_per_frame': round(sum(len(f) for c in clips for f in c.frames) / frames),
    'untrusted_frames': int(sum((~clip.visible).sum() for clip in clips)),
  }
  distance = np.concatenate([clip.distance for clip in clips])
  found['distance'] = [round(float(distance.min()), 3), round(float(distance.max()), 3)]
  if talk:
    from data_pipelines.synthetic.acting.visemes import UNIT

    blink = UNIT['eyeBlinkLeft']
    minutes = sum(len(clip) for clip in talk) / schema.FPS / 60
    blinks = sum(count_blinks(clip.truth.units[:, blink]) for clip in talk)
    angles = np.concatenate([clip.pose[:, :3] for clip in talk])
    found |= {
      'delta_pose': round(float(np.mean([delta_pose(c.pose) for c in talk])), 4),
      'blinks_per_minute': round(blinks / minutes, 2),
      'yaw_pitch_roll_sd': [round(float(sd), 3) for sd in angles.std(0)],
      'voices': sorted({clip.truth.voice for clip in talk}),
      'emotions': [
        round(float(x), 3) for x in np.concatenate([c.emotion for c in talk]).mean(0)
      ],
    }
  return found


def histograms(clips: list[schema.Clip], bins: int = 20) -> dict[str, dict]:
  """How the labels of all trusted frames are spread.

  Returns:
    By label: its 1st, 50th and 99th percentile, and `counts` of `bins` equal bins from
    `low` to `high`, which hold all values.
  """
  seen = [clip.visible for clip in clips]

  def joined(values):
    parts = [v[s] for v, s in zip(values, seen, strict=True)]
    return np.concatenate(parts).astype(np.float64)

  pose = joined([clip.pose for clip in clips])
  gaze = joined([clip.gaze for clip in clips])
  names = ('yaw', 'pitch', 'roll', 'tx', 'ty')
  values = {name: pose[:, i] for i, name in enumerate(names)}
  values |= {'gaze_right': gaze[:, 0], 'gaze_up': gaze[:, 1]}
  values['distance'] = joined([clip.distance for clip in clips])
  meshed = [clip for clip in clips if clip.landmarks.shape[1] == 468]
  if meshed:
    from data_pipelines.overlay import openings

    state = np.concatenate([openings(c.landmarks)[c.visible] for c in meshed])
    values |= {'mouth_open': state[:, 0], 'eyes_open': state[:, 1]}
  values['seconds'] = np.array([len(clip) / schema.FPS for clip in clips])
  found = {}
  for name, column in values.items():
    if not len(column):
      continue
    counts, edges = np.histogram(column, bins)
    found[name] = {
      'low': round(float(edges[0]), 4),
      'high': round(float(edges[-1]), 4),
      'percentiles': [round(float(v), 4) for v in np.percentile(column, (1, 50, 99))],
      'counts': counts.tolist(),
    }
  return found


def bars(found: dict[str, dict]) -> str:
  """`histograms` as lines for a terminal."""
  steps = ' ▁▂▃▄▅▆▇█'
  lines = []
  for name, entry in found.items():
    counts = np.array(entry['counts'])
    level = np.ceil(counts / counts.max() * (len(steps) - 1)).astype(int)
    drawn = ''.join(steps[i] for i in level)
    low, middle, high = entry['percentiles']
    lines.append(
      f'{name:>10} {entry["low"]:9.3f} |{drawn}| {entry["high"]:9.3f}   '
      f'1 % {low:.3f}, median {middle:.3f}, 99 % {high:.3f}'
    )
  return '\n'.join(lines)


def contact_sheet(clips: list[schema.Clip], columns: int = 10, side: int = 128):
  """`(rows * side, columns * side, 3)` uint8: one row a clip, frames in order."""
  import cv2

  rows = []
  for clip in clips:
    chosen = np.linspace(0, len(clip) - 1, columns).round().astype(int)
    tiles = []
    for i in chosen:
      picture = schema.decode_picture(clip.frames[i])
      tiles.append(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA))
    rows.append(np.concatenate(tiles, 1))
  return np.concatenate(rows, 0)


class Sample(NamedTuple):
  """Some clips of a corpus, and how many records were damaged."""

  clips: list[schema.Clip]
  damaged: int


def read_evenly(folder: str, split: str, count: int) -> Sample:
  """Up to `count` clips of a split, spread over it; tells which cannot be read.

  Raises:
    UserError: there is no such split, or none of its records can be read.
  """
  from data_pipelines.builder import open_clips

  source = open_clips(folder, split)
  chosen = np.unique(np.linspace(0, len(source) - 1, count).round().astype(int))
  clips, damaged = [], 0
  for i in chosen:
    try:
      clips.append(schema.from_example(source[int(i)]))
    except Exception as error:  # whatever a broken file makes a decoder raise
      damaged += 1
      print(f'record {i} is damaged: {error}', file=sys.stderr)
  if not clips:
    raise UserError(f'{folder}: none of {len(chosen)} records can be read')
  return Sample(clips, damaged)


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(
    prog='python -m data_pipelines.inspect', description=__doc__
  )
  add = parser.add_argument
  add('folder', help='a corpus')
  add('--split', default='train')
  add('--out', default=None, help='the sheet; default DIR/contact_sheet_SPLIT.png')
  add('--clips', type=int, default=100, help='how many clips are read')
  add('--rows', type=int, default=12, help='rows of the sheet')
  add('--overlay', default=None, help="an MP4 of the sheet's clips with their labels")
  add('--histograms', action='store_true', help='also print how labels are spread')
  add('--debug', action='store_true', help='show where an error came from')
  args = parser.parse_args(arguments)
  try:
    import cv2

    from data_pipelines.builder import find_dataset

    clips, bad = read_evenly(args.folder, args.split, args.clips)
    print(json.dumps({**statistics(clips), 'damaged': bad}, indent=1))
    if args.histograms:
      print(bars(histograms(clips)))
    name = f'contact_sheet_{args.split}.png'
    path = pathlib.Path(args.out or find_dataset(args.folder) / name)
    sheet = contact_sheet(clips[: args.rows])
    try:
      done = cv2.imwrite(str(path), sheet[..., ::-1])
    except cv2.error:
      done = False
    if not done:
      raise UserError(f'cannot write {path}; give --out another name')
    print(path)
    if args.overlay is not None:
      from data_pipelines.overlay import write_video

      write_video(args.overlay, clips[: args.rows])
      print(args.overlay)
    return 0
  except UserError as error:
    if args.debug:
      raise
    print(f'inspect: {error}', file=sys.stderr)
    return 1


if __name__ == '__main__':
  sys.exit(main())
