"""The matrix of disentanglement: one factor is asked to change, all four are watched.

    python -m data_pipelines.synthetic.oracle_set --out oracle --identities 24
    python -m experiments.transfer_matrix --weights embedded --oracle oracle --out DIR
    python -m experiments.transfer_matrix SWEEP --adapter theirs=their_model.py \\
        --oracle oracle --out DIR

Pose, gaze and expression are given to a portrait from another picture of the same
person, both ways; the identity changes when somebody else is moved as the person was.
The first matrix is that of the true pictures: its diagonal is what was asked, the rest
of it the judges' own noise. A model is as good as its matrix is like that one. `copy`,
which answers with the portrait, changes nothing but the identity.

The judges (`vasa_jax/metrics/transfer.py`): pose, gaze and shape of the face mesh and
dlib's 128-d descriptor; the latter only with the extra [eval]. How a face model that is
not ours is brought says `experiments/oracle_systems.py`. DIR/ gets matrix.md,
matrix.json and a file for each system, from which an interrupted run goes on.
"""

import argparse
import functools
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.command import run_command
from experiments.oracle_people import frame_of, people_of
from experiments.oracle_systems import add_arguments, systems
from experiments.oracle_table import plain
from vasa_jax.errors import UserError

# Factors of the oracle set and their values; what is taken of the other picture.
ASKED: dict[str, tuple[str, dict[str, tuple]]] = {
  'pose': ('pose', {
    'yaw': (-20.0, 20.0), 'pitch': (-9.0, 9.0), 'roll': (-9.0, 9.0),
  }),
  'gaze': ('dynamics', {'gaze x': (-20.0, 20.0), 'gaze y': (-12.0, 12.0)}),
  'expression': ('dynamics', {
    'mouth opening': (0.5,), 'smile': (1.0,), 'brows up': (1.0,), 'pucker': (1.0,),
  }),
}  # fmt: skip
TRUTH, COPY = 'truth', 'copy'


def transfers(oracle: Path, size: int) -> list:
  """The questions of an oracle set, person by person; every one of them both ways.

  Raises:
    UserError: there is no set, it was made by another version, or its size is no
      multiple of `size`.
  """
  from vasa_jax.metrics.disentangle import Swap

  frame = functools.partial(frame_of, size=size)
  asked = []
  for number, person in people_of(oracle).items():
    name, base = f'oracle_{number:03d}', frame(person['base'])
    shape = person['base'].shape

    def swap(factor, portrait, donor, taken, shape, name=name):
      truth = portrait if factor == 'identity' else donor
      return Swap(factor, donor, taken, name, portrait, shape, truth.picture)

    for factor, (taken, plan) in ASKED.items():
      for group, values in plan.items():
        for value in values:
          other = frame(person[group][value])
          asked.append(swap(factor, base, other, taken, shape))
          asked.append(swap(factor, other, base, taken, shape))
    for shot in person['identity'].values():
      asked.append(swap('identity', frame(shot), base, 'motion', shot.shape))
  return asked


def markdown(table: dict[str, dict]) -> str:
  """One matrix a system: a line for what was asked, a column for what changed."""
  from vasa_jax.metrics.transfer import FACTORS, UNITS

  head = [f'{name} ({UNITS[name]})' for name in FACTORS]
  lines = []
  for system, found in table.items():
    lines += [f'### {system}', '', '| asked to change | ' + ' | '.join(head) + ' |']
    lines.append('| --- ' * (len(head) + 1) + '|')
    for asked in FACTORS:
      cells = []
      for changed in FACTORS:
        text = _cell(found[asked][changed])
        cells.append(f'**{text}**' if text and asked == changed else text)
      lines.append(f'| {asked} | ' + ' | '.join(cells) + ' |')
    lines.append('')
  return '\n'.join(lines)


def _cell(figure: dict[str, Any]) -> str:
  value, low, high = (figure[name] for name in ('value', 'low', 'high'))
  if value is None or not math.isfinite(value):
    return ''
  if low is None or not math.isfinite(low):
    return f'{value:.2g}'
  return f'{value:.2g} ({low:.2g} to {high:.2g})'


def transfer_matrix(args: argparse.Namespace) -> int:
  """Asks all systems and writes their matrices; the exit code."""
  from experiments.evaluate import watched
  from vasa_jax.metrics.faces import load_descriptor
  from vasa_jax.metrics.oracle import copy_source
  from vasa_jax.metrics.transfer import matrix, score_transfers

  try:
    describe = load_descriptor()
  except UserError as error:
    describe = None
    print(f'identity is not measured: {error}', file=sys.stderr)
  asked: dict[int, list] = {}
  table: dict[str, dict] = {}
  try:
    args.out.mkdir(parents=True, exist_ok=True)
    for system in systems(args):
      side = system.side
      swaps = asked.get(side) or asked.setdefault(side, transfers(args.oracle, side))
      kept = args.out / f'{system.name}.json'
      old = json.loads(kept.read_text()) if kept.is_file() else {}
      version = f'{system.version} {side} {len(swaps)} {describe is not None}'
      if old.get('version') == version:
        rows = old['rows']
      else:
        floors = {} if COPY in table else {COPY: copy_source()}
        rows = score_transfers(
          floors | {system.name: system.adapter}, swaps, describe,
          watched(system.name, 'question'),
        )  # fmt: skip
        rows = plain(rows)
        kept.write_text(json.dumps({'version': version, 'rows': rows}))
      for name in (TRUTH, COPY, system.name):
        own = [_measured(row) for row in rows if row['system'] == name]
        if own and name not in table:
          table[name] = matrix(own)
    text = markdown(table)
    (args.out / 'matrix.json').write_text(
      json.dumps(plain(table), indent=1, allow_nan=False) + '\n'
    )
    (args.out / 'matrix.md').write_text(text)
  except OSError as error:
    raise UserError(f'cannot write to {args.out}: {error.strerror or error}') from error
  print(text)
  return 0


def _measured(row: dict[str, Any]) -> dict[str, Any]:
  """A row as it was before it was JSON: what is null could not be measured."""
  return {k: float('nan') if v is None else v for k, v in row.items()}


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.transfer_matrix',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  add_arguments(parser)
  add = parser.add_argument
  add('--oracle', type=Path, required=True, help='folder of the oracle set')
  add('--out', type=Path, required=True, help='folder of the table')
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  return run_command(lambda: transfer_matrix(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
