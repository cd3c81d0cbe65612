"""How well generated motion speaks, looks and obeys, against exact truth.

    python -m experiments.judge_motion --weights embedded --out DIR
    python -m experiments.judge_motion --weights DIR --speeches 48 --out DIR \\
        --baselines CACHE --against regressor=DIR2 flow=DIR3

Speakers are of the corpus's test split: voices, texts and performances that no training
run meets. `DIR/table.md`, `table.json` and `report.html`; what each number means is in
docs/metrics.md. Beside the model stand the truth and `another take`, the same speech
acted by somebody else; with `--baselines` and `--against` what it has to beat, and how
much better it is by the sum of sync and naturalness. About 3 minutes on two cores for
24 speeches.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.command import run_command
from vasa_jax.errors import UsageError

TITLE = 'Generated motion on held-out speakers'


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.judge_motion', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  add = parser.add_argument
  add('--weights', default='embedded', metavar='DIR', help='weights folder')
  add('--out', required=True, metavar='DIR', help='folder of the tables')
  add('--speeches', type=int, default=24, help='speakers, a clip each')
  add('--moods', type=int, default=6, help='of them for emotions and seeds')
  add('--voices', nargs='+', default=[], metavar='V', help='default: all quick ones')
  add('--seed', type=int, default=0, help='another seed, other people')
  add('--features', metavar='F', help="default: what the weights' folder names")
  add('--baselines', metavar='CACHE', help='training cache: mean pose and retrieval')
  add('--against', nargs='+', default=[], metavar='NAME=DIR', help='weights to beat')
  add('--steps', type=int, help='of the sampler')
  add('--guidance-audio', type=float, metavar='F')
  add('--guidance-gaze', type=float, metavar='F')
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.speeches < 2 or not 1 <= args.moods <= args.speeches:
    parser.error('--speeches must be 2 or more, and --moods 1 to as many')
  return args


def judge(args: argparse.Namespace) -> int:
  """Writes the table that `args` ask for."""
  from data_pipelines.motion_hearing import front_end
  from experiments.motion_judging import systems, trials
  from experiments.motion_judging.scores import delta_p
  from experiments.motion_judging.speakers import speakers
  from experiments.motion_judging.sums import sums
  from vasa_jax.inference.bundle import load_bundle
  from vasa_jax.metrics.table import write_report

  bundle = load_bundle(None if args.weights == 'embedded' else args.weights)
  config = bundle.motion_config
  settings = {
    'steps': args.steps,
    'guidance_audio': args.guidance_audio,
    'guidance_gaze': args.guidance_gaze,
  }
  judged = [systems.model(bundle, **settings)]
  ear = front_end(args.features or bundle.hears)
  if args.baselines:
    judged += systems.untrained(bundle, args.baselines, ear.name)
  judged += systems.trained(args.against, **settings)
  people = list(watched(speakers(args.speeches, args.seed, args.voices), 'speakers'))
  heard = [ear.hear(one.audio)[: len(one.motion)] for one in people]
  heard = [h.astype(np.float32) * ear.scale + ear.offset for h in heard]
  if heard[0].shape[1] != config.audio_dim:
    raise UsageError(
      f'{args.weights} listens to {config.audio_dim} features a frame, {ear.name} has '
      f'{heard[0].shape[1]}: see --features'
    )
  usual = float(np.mean([delta_p(one.motion) for one in people]))
  spread = np.asarray(bundle.motion_params['stats']['std'])

  def talk(system, i, motion):
    row = trials.talk_row(motion, people[i], config.window, spread, usual)
    return {'clip': people[i].name, 'system': system, **row}

  rows = [talk('truth', i, one.motion) for i, one in enumerate(people)]
  rows += [talk('another take', i, one.again) for i, one in enumerate(people)]
  for system in judged:
    for i, one in enumerate(watched(people, system.name)):
      own = trials.own_controls(one)
      rows.append(talk(system.name, i, system.act(heard[i], own, args.seed)))
  talked = {
    name: [row for row in rows if row['system'] == name] for name in names(rows)
  }
  more = sums(talked, baselines=[s.name for s in judged[1:]])
  for system in judged:
    rows += controlled(system, people, heard, ear, args) if system.obeys else []
  facts = {
    'command': command(args), 'weights': f'{bundle.name} {bundle.digest}'.strip(),
    'speeches': args.speeches, 'seconds': round(sum(map(len, heard)) / 25, 1),
    'steps': args.steps or config.sampling_steps,
    'guidance': _guidance(args, config), 'corpus delta P': round(usual, 4),
  }  # fmt: skip
  lines = write_report(
    Path(args.out), rows, title=TITLE, facts=facts, metrics=trials.METRICS, more=more
  )
  print((Path(args.out) / 'table.md').read_text())
  missed = [line.metric for line in lines if line.passed is False]
  print(json.dumps({'missed': missed}))
  return 0


def controlled(system, people, heard, ear, args) -> list[dict]:
  """Rows of the trials that command something, or nothing at all."""
  from experiments.motion_judging import trials

  found = []
  for i, one in enumerate(watched(people, f'{system.name}, controls')):
    rng = np.random.default_rng([args.seed, i])
    row = trials.command_row(system.act, one, heard[i], rng)
    if i < args.moods:
      row |= trials.seeds_row(system.act, one, heard[i])
      row |= trials.silent_row(system.act, ear, i)
    found.append({'clip': one.name, **row})
  some = people[: args.moods], heard[: args.moods]
  found += trials.emotion_rows(system.act, *some)
  return [{'system': system.name, **row} for row in found]


def names(rows: Sequence[dict]) -> list[str]:
  """Systems in the order in which they were scored."""
  return list(dict.fromkeys(row['system'] for row in rows))


def watched(items, what: str):
  """Passes items on with a bar on a terminal."""
  from tqdm import tqdm

  yield from tqdm(items, desc=what, unit='clip', disable=None)


def command(args: argparse.Namespace) -> str:
  """The command that repeats this."""
  said = ['python -m experiments.judge_motion']
  for name, value in vars(args).items():
    if name in ('out', 'debug') or value in (None, []):
      continue
    text = ' '.join(value) if isinstance(value, list) else str(value)
    said.append(f'--{name.replace("_", "-")} {text}')
  return ' '.join(said)


def _guidance(args: argparse.Namespace, config) -> str:
  audio = config.guidance_audio if args.guidance_audio is None else args.guidance_audio
  gaze = config.guidance_gaze if args.guidance_gaze is None else args.guidance_gaze
  return f'audio {audio:g}, gaze {gaze:g}'


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: judge(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
