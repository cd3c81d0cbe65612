"""Does a sync net find an offset that was planted? On held-out rendered talk.

    python -m experiments.judge_sync --records corpus --out DIR        the shipped net
    python -m experiments.judge_sync --records corpus --net runs/sync --mesh --out DIR
    python -m experiments.judge_sync --records corpus --syncnet FILE --out DIR

Talking clips of the corpus's test split (people, voices and texts that no training run
meets) are cut so that the picture is late by -12 to 12 frames, drawn once a clip; the
score is asked for the offset. Beside it: S_C, S_D and the
offset of the clip as it is, and with the sound of another clip. Mouths are cut out by
the exact landmarks, or with `--mesh` by what the face mesh finds in the pictures, as in
any finished video.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.command import run_command
from vasa_jax.errors import UserError
from vasa_jax.types import SAMPLES_PER_FRAME

MOST = 12  # frames
BAR = 0.9  # share of clips within one frame


class Heard(NamedTuple):
  """A clip: what the judge sees of it `(t, ...)` and `(640 t,)` samples."""

  name: str
  crops: np.ndarray
  samples: np.ndarray


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.judge_sync', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  add = parser.add_argument
  add('--records', required=True, metavar='DIR', help='corpus with a test part')
  add('--net', default='shipped', metavar='DIR', help='run of configs/syncnet.py')
  add('--syncnet', metavar='FILE', help="the published net's file instead")
  add('--mesh', action='store_true', help='find the faces in the pictures')
  add('--seed', type=int, default=0, help='of the planted offsets')
  add('--out', required=True, type=Path, metavar='DIR', help='folder of the tables')
  add('--debug', action='store_true', help='show tracebacks')
  return parser.parse_args(argv)


def load_judge(args: argparse.Namespace):
  """The net that `args` ask for."""
  from vasa_jax.metrics.mouth_judge import MouthJudge
  from vasa_jax.metrics.sync import Published

  if args.syncnet:
    return Published.load(args.syncnet)
  if args.net == 'shipped':
    return MouthJudge.shipped()
  from experiments.ship_judge import trained_config
  from vasa_jax.training.checkpoint import restore_params

  return MouthJudge(trained_config(Path(args.net)), restore_params(args.net))


def clips_of(records: str, judge, mesh: bool) -> Iterator[Heard]:
  """The talking clips of the test split, as the judge sees them.

  Raises:
    UserError: there is none.
  """
  from data_pipelines import builder, schema
  from vasa_jax.audio.features import as_float
  from vasa_jax.metrics.face_crop import face_boxes
  from vasa_jax.metrics.faces import track_faces

  examples = builder.open_clips(records, 'test')
  found = 0
  for i in range(len(examples)):
    clip = schema.from_example(examples[i])
    if not np.any(clip.audio) or clip.landmarks.shape[1] != 468:
      continue
    pictures = [schema.decode_picture(frame) for frame in clip.frames]
    if mesh:
      track = track_faces(pictures)
      boxes = face_boxes(track.found, track.points)
      if boxes is None:
        continue
    else:
      points = clip.landmarks * pictures[0].shape[0]
      boxes = face_boxes(np.ones(len(pictures), bool), points)
    shown = pictures[boxes.start : boxes.start + len(boxes)]
    first = boxes.start * SAMPLES_PER_FRAME
    samples = as_float(clip.audio)[first : first + SAMPLES_PER_FRAME * len(boxes)]
    found += 1
    yield Heard(clip.clip_id, judge.crops(shown, boxes), samples)
  if not found:
    raise UserError(f'{records} has no test clip in which a face speaks')


def late(clip: Heard, frames: int) -> Heard:
  """The stretch of a clip in which the picture comes `frames` later than the sound."""
  if frames > 0:
    return clip._replace(
      crops=clip.crops[:-frames], samples=clip.samples[SAMPLES_PER_FRAME * frames :]
    )
  if frames < 0:
    return clip._replace(
      crops=clip.crops[-frames:], samples=clip.samples[: SAMPLES_PER_FRAME * frames]
    )
  return clip


def judge(args: argparse.Namespace) -> int:
  """Writes the tables."""
  from tqdm import tqdm

  net = load_judge(args)
  clips = list(
    tqdm(
      clips_of(args.records, net, args.mesh), desc='clips', unit='clip', disable=None
    )
  )
  rng = np.random.default_rng(args.seed)
  rows, curves = [], []
  for i, clip in enumerate(clips):
    planted = int(rng.integers(-MOST, MOST + 1))
    moved = net.score(*late(clip, planted)[1:])
    plain = net.score(clip.crops, clip.samples)
    other = clips[(i + 1) % len(clips)].samples
    other = np.resize(other, len(clip.samples))
    strange = net.score(clip.crops, other)
    curves.append(plain.curve)
    rows.append({
      'clip': clip.name, 'frames': len(clip.crops), 'planted': planted,
      'found': moved.offset, 'within_1': abs(moved.offset - planted) <= 1,
      's_c': plain.confidence, 's_d': plain.distance, 'offset': plain.offset,
      's_c_other': strange.confidence, 's_d_other': strange.distance,
    })  # fmt: skip
  write(args, net.name, rows, np.mean(curves, 0))
  print((args.out / 'table.md').read_text())
  return 0


def write(
  args: argparse.Namespace, name: str, rows: list[dict], curve: np.ndarray
) -> None:
  """`table.json`, `table.md` and `report.html`.

  Raises:
    UserError: the folder cannot be written.
  """
  from experiments.line_plot import Points, line_plot
  from experiments.report import STYLE
  from vasa_jax.metrics.table import bootstrap

  def mean(key: str) -> str:
    values = np.array([float(row[key]) for row in rows])
    low, high = bootstrap(values)
    return f'{values.mean():.3f} ({low:.3f} to {high:.3f})'

  errors = np.array([abs(row['found'] - row['planted']) for row in rows])
  share = float(np.mean(errors <= 1))
  in_time = np.mean([abs(row['offset']) <= 1 for row in rows])
  command = f'python -m experiments.judge_sync --records {args.records}'
  command += f' --syncnet {args.syncnet}' if args.syncnet else f' --net {args.net}'
  command += ' --mesh' if args.mesh else ''
  text = [
    f'{name}, {len(rows)} clips: `{command}`\n',
    '| | mean over clips (95 %) |', '| --- | --- |',
    f'| planted offset found within 1 frame | {mean("within_1")} |',
    f'| exactly | {np.mean(errors == 0):.3f} |',
    f'| median and 90 % error, frames | {np.median(errors):.0f}, '
    f'{np.percentile(errors, 90):.0f} |',
    f'| S_C | {mean("s_c")} |', f'| S_D | {mean("s_d")} |',
    f'| offset 0 +- 1 as it is | {in_time:.3f} |',
    f'| S_C, sound of another clip | {mean("s_c_other")} |',
    f'| S_D, sound of another clip | {mean("s_d_other")} |', '',
    f'Promised: {BAR:.0%} within 1 frame: {"kept" if share >= BAR else "MISSED"}.', '',
  ]  # fmt: skip
  shift = len(curve) // 2
  names = [str(shift - i) if i % 5 == 0 else '' for i in range(len(curve))]
  figure = line_plot(
    'Mean distance when the picture is taken to be late by so many frames',
    names, {name: Points(curve.tolist())},
  )  # fmt: skip
  page = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Sync</title>'
    f'<style>{STYLE}</style><h1>Sync</h1>{figure}'
    f'<pre>{chr(10).join(text)}</pre></html>\n'
  )
  table = {'command': command, 'share': share, 'curve': curve.tolist(), 'clips': rows}
  try:
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / 'table.json').write_text(json.dumps(table, indent=1) + '\n')
    (args.out / 'table.md').write_text('\n'.join(text))
    (args.out / 'report.html').write_text(page)
  except OSError as error:
    raise UserError(f'cannot write to {args.out}: {error.strerror or error}') from error


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: judge(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
