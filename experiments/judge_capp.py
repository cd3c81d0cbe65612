"""CAPP held against the paper's Tables 3 and 4: shifted sound, scaled motion.

    python -m experiments.judge_capp --out DIR                      the shipped net
    python -m experiments.judge_capp --net runs/capp --speeches 200 --out DIR
    python -m experiments.judge_capp --records corpus --out DIR     poses read back

Speakers are of the corpus's test split, acted and not drawn: voices, texts and
performances that no training run meets, with exact poses. With `--records` they are
rendered clips of the test split and poses are read from their pictures by the face
mesh, as for any finished video. `DIR/table.md`, `table.json`, `report.html` with plots;
the paper's numbers stand beside ours and are of another net on real videos.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.command import run_command
from vasa_jax.errors import UserError

# VASA-1, Tables 3 and 4: real pairs of VoxCeleb2.
PAPER = {
  'shift': {0: 0.608, 1: 0.462, 2: 0.206, 3: 0.069, 4: 0.082},
  'scale': {0.2: 0.368, 0.5: 0.584, 1.0: 0.608, 1.5: 0.587, 3.0: 0.505},
}
BAR = 0.3  # by which the score in time must exceed that at 4 frames


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.judge_capp', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  add = parser.add_argument
  add('--net', default='shipped', metavar='DIR', help='run of configs/capp.py')
  add('--out', required=True, type=Path, metavar='DIR', help='folder of the tables')
  add('--speeches', type=int, default=100, help='acted speakers, a clip each')
  add('--records', metavar='DIR', help='rendered clips instead; their test split')
  add('--seed', type=int, default=1, help='another seed, other speakers')
  add('--debug', action='store_true', help='show tracebacks')
  return parser.parse_args(argv)


def acted(count: int, seed: int):
  """Pose in degrees and log-mel of acted test speakers, exact."""
  from data_pipelines.motion_hearing import front_end
  from experiments.motion_judging.speakers import speakers

  ear = front_end('log-mel')
  for one in speakers(count, seed):
    heard = ear.hear(one.audio)[: len(one.motion)]
    heard = heard.astype(np.float32) * ear.scale + ear.offset
    yield np.degrees(one.motion[: len(heard), :3]), heard


def read_back(records: str):
  """Pose and log-mel of rendered test clips; the pose is what the mesh makes of them.

  Clips with a frame in which no face is found are left out.
  """
  from data_pipelines import builder, schema
  from vasa_jax.audio.features import as_float, log_mel, loudness
  from vasa_jax.metrics.faces import track_faces

  examples = builder.open_clips(records, 'test')
  for i in range(len(examples)):
    clip = schema.from_example(examples[i])
    if not np.any(clip.audio):
      continue
    track = track_faces(schema.decode_picture(frame) for frame in clip.frames)
    if track.found.all():
      samples = as_float(clip.audio)
      yield track.pose, log_mel(samples, loudness(samples).gain)[: len(track.pose)]


def load_judge(net: str):
  """The shipped net, or that of a run's folder."""
  from experiments.ship_judge import trained_config
  from vasa_jax.metrics.capp import CappJudge
  from vasa_jax.training.checkpoint import restore_params

  if net == 'shipped':
    return CappJudge.shipped()
  return CappJudge(trained_config(Path(net)), restore_params(net), Path(net).name)


def judge(args: argparse.Namespace) -> int:
  """Writes the tables."""
  from tqdm import tqdm

  from experiments.capp_run import FACTORS, SHIFTS, curves
  from vasa_jax.metrics.table import bootstrap

  net = load_judge(args.net)
  clips = read_back(args.records) if args.records else acted(args.speeches, args.seed)
  clips = list(tqdm(clips, desc='clips', unit='clip', disable=None))
  found = curves(net, clips)
  if not found:
    raise UserError('no clip is as long as 83 frames; make longer ones')
  in_time = found['shift 0']
  shifted = {n: (found[f'shift {n}'] + found[f'shift {-n}']) / 2 for n in SHIFTS}
  scaled = {x: found[f'scale {x:g}'] for x in FACTORS}
  lines = [
    *(('shift', n, values) for n, values in shifted.items()),
    *(('scale', x, values) for x, values in scaled.items()),
  ]
  fall = float(np.mean(in_time - shifted[max(SHIFTS)]))
  rows = [
    {'table': kind, 'at': at, 'mean': float(values.mean()),
     'interval': bootstrap(values), 'paper': PAPER[kind][at]}
    for kind, at, values in lines
  ]  # fmt: skip
  facts = {
    'command': command(args), 'clips': len(in_time),
    'fall at 4 frames': fall, 'fall kept': fall >= BAR,
    'scale peaks at 1': max(scaled, key=lambda x: scaled[x].mean()) == 1.0,
    'per shift': {k: float(v.mean()) for k, v in found.items() if k[:5] == 'shift'},
  }  # fmt: skip
  write(args.out, rows, facts)
  print((args.out / 'table.md').read_text())
  return 0


def command(args: argparse.Namespace) -> str:
  """The command that repeats this."""
  said = f'python -m experiments.judge_capp --net {args.net}'
  if args.records:
    return f'{said} --records {args.records}'
  return f'{said} --speeches {args.speeches} --seed {args.seed}'


def write(out: Path, rows: list[dict], facts: dict) -> None:
  """`table.json`, `table.md` and `report.html`.

  Raises:
    UserError: the folder cannot be written.
  """
  from experiments.line_plot import Points, line_plot
  from experiments.report import STYLE

  text, figures = [f'CAPP, {facts["clips"]} clips: `{facts["command"]}`\n'], []
  titles = {
    'shift': 'Sound shifted by frames, either way (Table 3)',
    'scale': 'Changes from frame to frame times (Table 4)',
  }
  for kind, title in titles.items():
    mine = [row for row in rows if row['table'] == kind]
    names = [f'{row["at"]:g}' for row in mine]
    text += [
      f'{title}\n', '| | ' + ' | '.join(names) + ' |', '| --- ' * (len(mine) + 1) + '|',
      '| ours | ' + ' | '.join(f'{row["mean"]:.3f}' for row in mine) + ' |',
      '| 95 % | '
      + ' | '.join('{:.2f} to {:.2f}'.format(*row['interval']) for row in mine) + ' |',
      '| paper, real | ' + ' | '.join(f'{row["paper"]:.3f}' for row in mine) + ' |\n',
    ]  # fmt: skip
    ours = Points(*([f(row) for row in mine] for f in (
      lambda row: row['mean'], lambda row: row['interval'][0],
      lambda row: row['interval'][1],
    )))  # fmt: skip
    paper = Points([row['paper'] for row in mine])
    figures.append(line_plot(title, names, {'ours': ours, 'paper': paper}))
  text.append(
    f'In time less at 4 frames: {facts["fall at 4 frames"]:.3f}, promised {BAR}: '
    f'{"kept" if facts["fall kept"] else "MISSED"}. Largest at factor 1: '
    f'{"kept" if facts["scale peaks at 1"] else "MISSED"}.\n'
  )
  page = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>CAPP</title>'
    f'<style>{STYLE}</style><h1>CAPP</h1>{"".join(figures)}'
    f'<pre>{chr(10).join(text)}</pre></html>\n'
  )
  try:
    out.mkdir(parents=True, exist_ok=True)
    (out / 'table.json').write_text(
      json.dumps({'facts': facts, 'rows': rows}, indent=1) + '\n'
    )
    (out / 'table.md').write_text('\n'.join(text))
    (out / 'report.html').write_text(page)
  except OSError as error:
    raise UserError(f'cannot write to {out}: {error.strerror or error}') from error


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: judge(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
