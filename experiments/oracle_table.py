"""One oracle table of a sweep: what was asked to change, and what changed.

    python -m data_pipelines.synthetic.oracle_set --out ORACLE --size 64 --identities 24
    python -m experiments.oracle_table SWEEP --oracle ORACLE --out REPORT

SWEEP is the workdir of `experiments.sweep`, or of one face run; `--weights` and
`--adapter` bring others (`oracle_systems.py`). All of them answer the same
questions about the people of the oracle set, who are in no corpus; the answers
are judged by the face mesh and, where dlib is installed, by its 128-d descriptor
(`vasa_jax/metrics/disentangle.py`). The rows:

  pose          the head pose of another picture of the same person, nothing else
  nothing       dynamics of a picture of the same person whose head is turned and whose
                face is the same: any change of pose is a leak
  dynamics      dynamics of a picture with another expression
  stranger's dynamics   of a turned head of another person: any change of pose is a leak
  stranger's motion     pose and dynamics of another person: the person must stay

REPORT/ gets table.md, table.json and a contact sheet of each run. Latents that are
learned are read from the pictures; `lite`, whose latents are labels, is told them, and
with `--own-eyes` reads them as well.
"""

import argparse
import functools
import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.command import run_command
from experiments.oracle_people import frame_of, people_of
from experiments.oracle_systems import add_arguments, systems
from vasa_jax.errors import UserError

TURNS = {
  'yaw': (-40.0, -20.0, 20.0, 40.0), 'pitch': (-18.0, 18.0), 'roll': (-18.0, 18.0),
}  # fmt: skip
EXPRESSIONS = {
  'mouth opening': (0.5, 0.8), 'smile': (1.0,), 'emotion': ('anger', 'surprise'),
}  # fmt: skip
STRANGERS_TURNS = {'yaw': (-20.0, 20.0), 'pitch': (-9.0, 9.0)}
NOTHING, POSE, DYNAMICS = 'nothing', 'pose', 'dynamics'
STRANGER_DYN, STRANGER = "stranger's dynamics", "stranger's motion"

# Column, row of questions, score, unit; every figure is a mean over people.
COLUMNS = (
  ('pose leak', NOTHING, 'pose_change', 'deg'),
  ('turn leaked', NOTHING, 'turn_share', 'share'),
  ("pose leak, stranger's", STRANGER_DYN, 'pose_change', 'deg'),
  ('turn followed', POSE, 'turn_share', 'share'),
  ('pose missed', POSE, 'pose_miss', 'deg'),
  ('mouth moved', DYNAMICS, 'mouth_share', 'share'),
  ("identity, stranger's motion", STRANGER, 'identity', '128-d'),
  ('identity, at rest', STRANGER, 'identity_rest', '128-d'),
  ('PSNR, pose', POSE, 'psnr', 'dB'),
  ('PSNR, dynamics', DYNAMICS, 'psnr', 'dB'),
  ('faces found', None, 'found', '0..1'),
)


def questions(oracle: Path, size: int) -> list:
  """The swaps of an oracle set, person by person.

  Args:
    oracle: the set; larger pictures are averaged down.
    size: side of the pictures in pixels.

  Raises:
    UserError: there is no set, it was made by another version, or its size is no
      multiple of `size`.
  """
  from vasa_jax.metrics.disentangle import Swap

  people = people_of(oracle)
  if len(people) < 2:
    raise UserError(f'{oracle} needs 2 people or more: one moves the other')
  frame = functools.partial(frame_of, size=size)
  asked = []
  for number, person in people.items():
    base = person['base']
    common = {
      'name': f'oracle_{number:03d}', 'portrait': frame(base), 'shape': base.shape,
    }  # fmt: skip
    at_rest = common['portrait'].picture
    for donor in map(frame, _chosen(person, TURNS)):
      asked.append(Swap(POSE, donor, 'pose', truth=donor.picture, **common))
      # The truth is the portrait: its face is the donor's, and its head stays.
      asked.append(Swap(NOTHING, donor, 'dynamics', truth=at_rest, **common))
    for donor in map(frame, _chosen(person, EXPRESSIONS)):
      asked.append(Swap(DYNAMICS, donor, 'dynamics', truth=donor.picture, **common))
    other = people[(number + 1) % len(people)]
    for donor in map(frame, _chosen(other, STRANGERS_TURNS)):
      asked.append(Swap(STRANGER_DYN, donor, 'dynamics', **common))
      asked.append(Swap(STRANGER, donor, 'motion', identity=True, **common))
  return asked


def _chosen(person: dict, plan: dict) -> list:
  return [person[factor][value] for factor, values in plan.items() for value in values]


def figures(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
  """Scores to `{column: {value, low, high, people}}`, means over people.

  The share of the mouth's movement is a slope over all answers of a person, since the
  change that was asked may be small.
  """
  from vasa_jax.metrics.table import bootstrap

  rows, found = list(rows), {}
  for column, asked, score, unit in COLUMNS:
    chosen = [row for row in rows if asked is None or row['asked'] == asked]
    people = []
    for name in dict.fromkeys(row['clip'] for row in chosen):
      own = [row for row in chosen if row['clip'] == name]
      people.append(_person(own, score))
    values = np.array([v for v in people if math.isfinite(v)])
    value = float(values.mean()) if len(values) else float('nan')
    low, high = bootstrap(values)
    found[column] = {
      'value': value, 'low': low, 'high': high, 'people': len(values), 'unit': unit,
      'each': people,
    }  # fmt: skip
  return found


def _person(rows: list[dict[str, Any]], score: str) -> float:
  if score == 'mouth_share':
    pairs = np.array([(row['mouth_asked'], row['mouth_change']) for row in rows])
    pairs = pairs[np.isfinite(pairs).all(1)]
    if not len(pairs) or not np.any(pairs[:, 0]):
      return float('nan')
    return float(pairs[:, 0] @ pairs[:, 1] / (pairs[:, 0] @ pairs[:, 0]))
  values = [row[score] for row in rows if math.isfinite(row[score])]
  return float(np.mean(values)) if values else float('nan')


def change(ours: Sequence[float], base: Sequence[float]) -> dict[str, float]:
  """Relative change of two means over the same people, with its bootstrap interval."""
  pairs = np.array([ours, base], np.float64)
  pairs = pairs[:, np.isfinite(pairs).all(0)]
  if pairs.shape[1] < 2:
    return dict.fromkeys(('value', 'low', 'high'), float('nan'))
  rng = np.random.default_rng(0)
  draw = pairs[:, rng.integers(0, pairs.shape[1], (2000, pairs.shape[1]))].mean(-1)
  low, high = np.percentile(draw[0] / draw[1] - 1, [2.5, 97.5])
  ours_mean, base_mean = pairs.mean(1)
  return {
    'value': float(ours_mean / base_mean - 1), 'low': float(low), 'high': float(high)
  }  # fmt: skip


def markdown(table: dict[str, dict[str, dict[str, Any]]], base: str = '') -> str:
  """One line a run; then the changes against the run `base` in per cent."""
  names = [f'{name} ({unit})' for name, _, _, unit in COLUMNS]
  lines = ['| run | ' + ' | '.join(names) + ' |', '| --- ' * (len(names) + 1) + '|']
  for run, found in table.items():
    cells = [_cell(found[column]) for column, *_ in COLUMNS]
    lines.append(f'| {run} | ' + ' | '.join(cells) + ' |')
  if base in table:
    lines += ['', f'Change against `{base}`, same people, 95 % interval:', '']
    lines += ['| run | ' + ' | '.join(names) + ' |', '| --- ' * (len(names) + 1) + '|']
    for run, found in table.items():
      if run != base:
        cells = [
          _per_cent(change(found[c]['each'], table[base][c]['each']))
          for c, *_ in COLUMNS
        ]
        lines.append(f'| {run} | ' + ' | '.join(cells) + ' |')
  return '\n'.join(lines) + '\n'


def _cell(figure: dict[str, Any]) -> str:
  if not math.isfinite(figure['value']):
    return ''
  text = f'{figure["value"]:.3g}'
  if math.isfinite(figure['low']):
    text += f' ({figure["low"]:.3g} to {figure["high"]:.3g})'
  return text


def _per_cent(figure: dict[str, float]) -> str:
  if not math.isfinite(figure['value']):
    return ''
  value, low, high = (100 * figure[k] for k in ('value', 'low', 'high'))
  return f'{value:+.0f} % ({low:+.0f} to {high:+.0f})'


def contact_sheet(adapter, swaps: Sequence, people: int = 6) -> np.ndarray:
  """One line a person: portrait, at rest, then a donor and its answer for each row."""
  from vasa_jax.metrics.disentangle import answers

  names = list(dict.fromkeys(swap.name for swap in swaps))[:people]
  chosen = []
  for name in names:
    for asked in (POSE, NOTHING, DYNAMICS, STRANGER_DYN, STRANGER):
      chosen.append(
        next(
          s for s in swaps
          if s.name == name and s.asked == asked
        )
      )  # fmt: skip
  lines: dict[str, list[np.ndarray]] = {}
  for swap, (rest, made) in zip(chosen, answers(adapter, chosen), strict=True):
    line = lines.setdefault(swap.name, [swap.portrait.picture, _eight_bit(rest)])
    line += [swap.donor.picture, _eight_bit(made)]
  return np.concatenate([np.concatenate(line, 1) for line in lines.values()], 0)


def _eight_bit(picture: np.ndarray) -> np.ndarray:
  return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def oracle_table(args: argparse.Namespace) -> int:
  """Scores all systems and writes the table; the exit code."""
  import cv2

  from experiments.evaluate import watched
  from vasa_jax.metrics.disentangle import score_swaps
  from vasa_jax.metrics.faces import load_descriptor

  asked: dict[int, list] = {}  # by the side of the pictures
  try:
    describe = load_descriptor()
  except UserError as error:
    describe = None
    print(f'identity is not measured: {error}', file=sys.stderr)
  table = {}
  try:
    args.out.mkdir(parents=True, exist_ok=True)
    for system in watched('systems', 'system')(systems(args)):
      size = system.side
      swaps = asked.get(size) or asked.setdefault(size, questions(args.oracle, size))
      kept = args.out / f'{system.name}.json'
      old = json.loads(kept.read_text()) if kept.is_file() else {}
      if old.get('version') == system.version:
        rows = old['rows']
      else:
        rows = score_swaps(system.adapter, swaps, system.name, describe)
        kept.write_text(json.dumps({'version': system.version, 'rows': rows}))
      sheet = contact_sheet(system.adapter, swaps)
      cv2.imwrite(str(args.out / f'{system.name}.png'), sheet[..., ::-1])
      table[system.name] = figures(rows)
    text = markdown(table, args.base)
    (args.out / 'table.json').write_text(
      json.dumps(plain(table), indent=1, allow_nan=False) + '\n'
    )
    (args.out / 'table.md').write_text(text)
  except OSError as error:
    raise UserError(f'cannot write to {args.out}: {error.strerror or error}') from error
  print(text)
  return 0


def plain(value: Any) -> Any:
  """JSON has no NaN: what could not be measured is null."""
  if isinstance(value, dict):
    return {k: plain(v) for k, v in value.items()}
  if isinstance(value, list):
    return [plain(v) for v in value]
  return None if isinstance(value, float) and not math.isfinite(value) else value


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.oracle_table',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  add = parser.add_argument
  add_arguments(parser)
  add('--oracle', type=Path, required=True, help='folder of the oracle set')
  add('--out', type=Path, required=True, help='folder of the table')
  add('--base', default='', metavar='RUN', help='the run that others are compared with')
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  return run_command(lambda: oracle_table(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
