"""How well `data_pipelines.perceive` reads labels back: rendered clips as MP4 files.

    python -m experiments.perception_clips --out DIR --clips 20
    python -m experiments.judge_perception DIR [--json FILE] [--by-clip]

Each `NAME.mp4` in DIR is decoded, read as `prepare` reads a crop, and compared with the
exact labels of `NAME.npz`. Correlations are over all frames of all clips together, so
that a bias from person to person counts against the reader.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from experiments.command import run_command

# Name, unit of the error, the bar for r.
ROWS = (
  ('yaw', 'deg', 0.97), ('pitch', 'deg', 0.9), ('roll', 'deg', 0.97),
  ('log distance', '', None), ('tx', 'crop', None), ('ty', 'crop', None),
  ('gaze x', 'deg', 0.85), ('gaze y', 'deg', None), ('mouth opening', '', 0.85),
)  # fmt: skip
BLINK_BAR = 0.9
_SHUT, _TOUCHED = 0.8, 0.5  # closure of a blink, and of what may be taken for one
_NEAR = 2  # frames that a found blink may lie beside the true one


def spans(shut: np.ndarray) -> np.ndarray:
  """`(t,)` bool to `(n, 2)` first frame of each stretch and the one after it."""
  edges = np.diff(np.concatenate([[0], shut.astype(int), [0]]))
  return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], 1)


def meeting(some: np.ndarray, others: np.ndarray, near: int = _NEAR) -> int:
  """How many of `some (n, 2)` overlap with one of `others (m, 2)`, give or take."""
  return sum(
    bool(((others[:, 0] < end + near) & (others[:, 1] > start - near)).any())
    for start, end in some
  )


def judge_clip(path: Path) -> dict:
  """One clip: read values and truth, blinks, and CPU time."""
  from data_pipelines.perceive.blinks import blinks
  from data_pipelines.perceive.labels import label_clip
  from experiments.perception_clips import true_opening
  from vasa_jax.inference.finding.face_track import read_frames

  with np.load(path.with_suffix('.npz')) as file:
    true = {name: file[name] for name in file.files}
  frames = np.stack(list(read_frames(path)))[: len(true['pose'])]
  start = time.process_time()
  read = label_clip(frames, true['audio'])
  spent = time.process_time() - start

  def table(pose, distance, gaze, mouth):
    return np.column_stack([pose[:, :3], np.log(distance), pose[:, 3:], gaze, mouth])

  opening = true_opening(true['units'], true['shape'])
  closure = true['units'][:, _blink_units()].min(1)
  found = blinks(read.shut)
  wanted = spans(closure > _SHUT)
  return {
    'read': table(read.pose, read.distance, read.gaze, read.mouth_open),
    'true': table(true['pose'], true['distance'], true['gaze'], opening),
    'visible': read.visible,
    'blinks': len(wanted),
    'blinks found': meeting(wanted, found),
    'reported': len(found),
    'reported right': meeting(found, spans(closure > _TOUCHED)),
    'main gaze error': np.abs(read.main_gaze - _main(true['gaze'])),
    'speech': read.speech,
    'ms': 1000 * spent / len(frames),
  }


def _blink_units() -> list[int]:
  from data_pipelines.synthetic.acting.visemes import UNIT

  return [UNIT['eyeBlinkLeft'], UNIT['eyeBlinkRight']]


def _main(gaze: np.ndarray) -> np.ndarray:
  from data_pipelines.motion_cache import main_gaze

  return main_gaze(gaze)


def summarise(clips: list[dict]) -> dict:
  """Figures over clips; keys are the rows of the table."""
  read, true = (np.concatenate([c[name] for c in clips]) for name in ('read', 'true'))
  found = {}
  for i, (name, _, bar) in enumerate(ROWS):
    error = read[:, i] - true[:, i]
    found[name] = {
      'r': float(np.corrcoef(read[:, i], true[:, i])[0, 1]),
      'error': float(np.abs(error).mean()),
      'bias': float(error.mean()),
      'spread': float(true[:, i].std()),
      'bar': bar,
    }

  def total(name):
    return int(sum(c[name] for c in clips))

  found['blinks'] = {
    'found': total('blinks found'), 'of': total('blinks'), 'bar': BLINK_BAR,
    'right': total('reported right'), 'reported': total('reported'),
  }  # fmt: skip
  found['visible'] = float(np.concatenate([c['visible'] for c in clips]).mean())
  found['main gaze'] = np.mean([c['main gaze error'] for c in clips], 0).tolist()
  found['speech'] = float(np.mean([c['speech'] for c in clips]))
  # The first clip pays for starting the nets.
  found['ms'] = float(np.median([c['ms'] for c in clips]))
  found['clips'], found['frames'] = len(clips), len(read)
  return found


def as_markdown(found: dict) -> str:
  """The table of docs/data.md."""
  lines = [
    '| label | r | bar | mean error | bias | spread of the truth |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  for name, unit, bar in ROWS:
    row = found[name]
    digits = 1 if unit == 'deg' else 3
    error, bias, spread = (f'{row[k]:.{digits}f}' for k in ('error', 'bias', 'spread'))
    wanted = '' if bar is None else f'{bar:.2f}'
    lines.append(
      f'| {name} | {row["r"]:.3f} | {wanted} | {error} {unit} | {bias} | {spread} |'
    )
  b = found['blinks']
  lines += [
    '',
    f'blinks found: {b["found"]} of {b["of"]} (bar {b["bar"]:.0%}); '
    f'right among those reported: {b["right"]} of {b["reported"]}',
    f'frames with a face: {found["visible"]:.1%}; main gaze off by '
    f'{found["main gaze"][0]:.1f}, {found["main gaze"][1]:.1f} degrees; '
    f'speech heard: {found["speech"]:.0%} of the time',
    f'{found["clips"]} clips, {found["frames"]} frames, {found["ms"]:.1f} ms CPU each',
  ]
  return '\n'.join(lines)


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('folder', type=Path)
  parser.add_argument('--json', type=Path, help='the figures go here too')
  parser.add_argument('--by-clip', action='store_true', help='a line for every clip')
  parser.add_argument('--debug', action='store_true')
  args = parser.parse_args(arguments)

  def work() -> int:
    from tqdm import tqdm

    from vasa_jax.errors import UserError

    paths = sorted(args.folder.glob('*.mp4'))
    paths = [path for path in paths if path.with_suffix('.npz').is_file()]
    if not paths:
      raise UserError(
        f'{args.folder}: no clips; make them with python -m experiments.'
        'perception_clips --out FOLDER'
      )
    clips = [judge_clip(path) for path in tqdm(paths, unit='clip')]
    if args.by_clip:
      for path, clip in zip(paths, clips, strict=True):
        print(path.stem, _line(clip))
    found = summarise(clips)
    print(as_markdown(found))
    if args.json is not None:
      args.json.write_text(json.dumps(found, indent=1))
    return 0

  return run_command(work, args.debug)


def _line(clip: dict) -> str:
  error = np.abs(clip['read'] - clip['true']).mean(0)
  parts = [f'{name} {error[i]:.2f}' for i, (name, _, _) in enumerate(ROWS)]
  seen = f'blinks {clip["blinks found"]}/{clip["blinks"]} of {clip["reported"]}'
  return '; '.join([*parts, seen])


if __name__ == '__main__':
  sys.exit(main())
