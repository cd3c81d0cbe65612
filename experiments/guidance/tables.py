"""Rows of Table 5 to one table: Markdown, JSON and a page.

A cell is the mean over seeds of the mean over clips, and in brackets the standard
deviation between the seeds. The paper, too, averages three videos a speech.
"""

import html
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vasa_jax.errors import UsageError


class Column(NamedTuple):
  """A figure: its name in `scores.json`, its heading, and where it stands there."""

  name: str
  label: str
  of_sets: bool = False


COLUMNS = (
  Column('mouth_r', 'mouth r'),
  Column('closures', 'p b m closed, %'),
  Column('delta_p', 'Delta P, deg/frame'),
  Column('delta_p_seen', 'the same, read back'),
  Column('fvd25', 'FVD25', True),
  Column('kvd25', 'KVD25', True),
  Column('gaze_error', 'E_g, deg'),
  Column('gaze_error_seen', 'the same, read back'),
  Column('distance_error', 'E_d, %'),
  Column('distance_error_seen', 'the same, read back'),
  Column('mesh_found', 'faces found, %'),
)


def by_seed(result: Mapping[str, Any], column: Column) -> list[float]:
  """A figure of each seed; what could not be measured is left out."""
  if column.of_sets:
    return [one[column.name] for one in result['sets'] if column.name in one]
  found = []
  for seed in sorted({row['seed'] for row in result['clips']}):
    rows = [row for row in result['clips'] if row['seed'] == seed]
    values = [row.get(column.name) for row in rows]
    values = [v for v in values if v is not None and math.isfinite(v)]
    if values:
      found.append(float(np.mean(values)))
  return found


def means(result: Mapping[str, Any]) -> dict[str, float]:
  """The cells of a row."""
  found = {column.name: by_seed(result, column) for column in COLUMNS}
  return {name: float(np.mean(values)) for name, values in found.items() if values}


def _cell(values: list[float]) -> str:
  if not values:
    return ''
  text = f'{np.mean(values):.4g}'
  return text + (f' ({np.std(values, ddof=1):.2g})' if len(values) > 1 else '')


def write_table(workdir: Path) -> Path:
  """Writes `table.md`, `table.json` and `table.html` of all finished rows.

  Raises:
    UsageError: there is none.
  """
  workdir, results = Path(workdir), {}
  for path in sorted(workdir.glob('*/scores.json')):
    results[path.parent.name] = json.loads(path.read_text())
  if not results:
    raise UsageError(f'{workdir} holds no scores.json, nor does a folder in it')

  def order(item):
    s = item[1]['settings']
    lead = ('real', 'another take', 'model').index(s['shows'])
    return (
      lead, -s['sampling_steps'], s['guidance_audio'], s['guidance_gaze'], item[0]
    )  # fmt: skip

  results = dict(sorted(results.items(), key=order))
  shown = [c for c in COLUMNS if any(by_seed(r, c) for r in results.values())]
  heads = ['setting', 'lambda_A', 'lambda_g', 'steps', *(c.label for c in shown)]
  body = []
  for name, result in results.items():
    s = result['settings']
    own = ['', '', '']
    if s['shows'] == 'model':
      own = [f'{s["guidance_audio"]:g}', f'{s["guidance_gaze"]:g}',
             str(s['sampling_steps'])]  # fmt: skip
    body.append([name, *own, *(_cell(by_seed(result, c)) for c in shown)])
  facts = _facts(results)
  lines = ['# Guidance and steps', '', _row(heads), _row(['---'] * len(heads))]
  lines += [_row(row) for row in body] + ['', *(f'- {fact}' for fact in facts), '']
  (workdir / 'table.md').write_text('\n'.join(lines))
  table = {
    name: {
      'settings': r['settings'], 'weights': r['weights'], 'sets': r['sets'],
      'seeds': {c.name: by_seed(r, c) for c in shown},
    }
    for name, r in results.items()
  }  # fmt: skip
  (workdir / 'table.json').write_text(json.dumps(table, indent=1) + '\n')
  (workdir / 'table.html').write_text(_page(heads, body, facts))
  return workdir / 'table.md'


def _facts(results: Mapping[str, Any]) -> list[str]:
  one = next(iter(results.values()))
  s = one['settings']
  facts = [
    f'weights {one["weights"]}; {s["speeches"]} speeches of {s["frames"]} frames '
    f'(people_seed {s["people_seed"]}), {s["seeds"]} seeds each, {s["filmed"]} of them '
    'as videos; commanded: gaze, distance and emotion of the truth',
    'in brackets: standard deviation between seeds; read back: by the face mesh and '
    'irises, from the finished video',
  ]
  for result in results.values():
    windows = [x['windows'] for x in result['sets'] if 'windows' in x]
    if windows:
      facts.append(
        f'FVD25, KVD25: I3D features of {windows[0]} windows of 25 frames a seed '
        'against as many of the rendered truth; Frechet distance (biased upwards by so '
        'few: compare rows with each other only) and kernel distance (unbiased)'
      )
      break
  missing = {
    value for r in results.values() for one in r['sets'] for name, value in one.items()
    if name.startswith('not measured')
  }  # fmt: skip
  return [*facts, *(f'FVD25 not measured: {value}' for value in sorted(missing))]


def _row(cells: list[str]) -> str:
  return '| ' + ' | '.join(cells) + ' |'


def _page(heads, body, facts) -> str:
  from experiments.report import STYLE

  def cells(row, kind):
    return ''.join(f'<{kind}>{html.escape(cell)}</{kind}>' for cell in row)

  rows = ''.join(f'<tr>{cells(row, "td")}</tr>' for row in body)
  listed = ''.join(f'<li>{html.escape(fact)}</li>' for fact in facts)
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Guidance and steps'
    f'</title><style>{STYLE}</style><h1>Guidance and steps</h1><table><tr>'
    f'{cells(heads, "th")}</tr>{rows}</table><ul>{listed}</ul></html>\n'
  )
