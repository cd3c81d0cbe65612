"""One page on a run or a sweep: `python -m experiments.report DIR` -> report.html.

The page is self-contained (inline SVG and PNG, no script, no network), so that it can
be mailed, archived or opened from a bucket.
"""

import argparse
import base64
import html
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from etils import epath

from experiments.command import run_command
from vasa_jax.errors import UsageError, UserError

WIDTH, HEIGHT, LEFT, BOTTOM = 360, 200, 52, 22
COLOURS = ('#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf', '#8c564b')
HIDDEN = ('step', 'seconds')
STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em;
color:#222;background:#fff} h1{font-size:1.4em} h2{font-size:1.1em;margin-top:1.6em}
table{border-collapse:collapse} td,th{border:1px solid #ccc;padding:.2em .6em;
text-align:left} td.n{text-align:right;font-variant-numeric:tabular-nums}
figure{display:inline-block;margin:.4em} figcaption{font-size:.85em;color:#555}
svg{background:#fafafa} img{max-width:100%}
"""


def read_metrics(folder: epath.Path) -> list[dict[str, float | None]]:
  """The lines of metrics.jsonl; a half-written last line is left out."""
  rows = []
  for line in (folder / 'metrics.jsonl').read_text().splitlines():
    try:
      rows.append(json.loads(line))
    except ValueError:
      continue
  return rows


def _series(rows: list[dict], name: str) -> list[tuple[float, float]]:
  return [(r['step'], r[name]) for r in rows if r.get(name) is not None]


def _number(value: float) -> str:
  return f'{value:.4g}'


def curve(title: str, lines: dict[str, list[tuple[float, float]]]) -> str:
  """SVG of one figure over steps; one polyline for each entry of `lines`.

  The value axis is logarithmic where all values are positive and span over a decade.
  """
  points = [p for line in lines.values() for p in line]
  if not points:
    return ''
  values = [v for _, v in points]
  log = min(values) > 0 and max(values) / min(values) > 10
  scale = math.log10 if log else float
  low, high = scale(min(values)), scale(max(values))
  first, last = min(s for s, _ in points), max(s for s, _ in points)

  def place(step: float, value: float) -> str:
    x = LEFT + (WIDTH - LEFT - 8) * (step - first) / max(last - first, 1)
    y = 8 + (HEIGHT - BOTTOM - 8) * (1 - (scale(value) - low) / ((high - low) or 1))
    return f'{x:.1f},{y:.1f}'

  drawn = []
  for i, (name, line) in enumerate(lines.items()):
    colour = COLOURS[i % len(COLOURS)]
    path = ' '.join(place(*p) for p in line)
    drawn.append(
      f'<polyline fill="none" stroke="{colour}" stroke-width="1.4" points="{path}">'
      f'<title>{html.escape(name)}</title></polyline>'
    )
    x, y = place(*line[-1]).split(',')
    drawn.append(f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>')
  text = '<text x="{}" y="{}" font-size="11" text-anchor="{}" fill="#555">{}</text>'
  labels = [
    text.format(LEFT - 4, 14, 'end', _number(max(values))),
    text.format(LEFT - 4, HEIGHT - BOTTOM, 'end', _number(min(values))),
    text.format(LEFT, HEIGHT - 6, 'start', int(first)),
    text.format(WIDTH - 8, HEIGHT - 6, 'end', f'step {int(last)}'),
  ]
  note = ' (log)' if log else ''
  return (
    f'<figure><svg width="{WIDTH}" height="{HEIGHT}" role="img">{"".join(labels)}'
    f'{"".join(drawn)}</svg><figcaption>{html.escape(title)}{note}</figcaption></figure>'
  )


def _names(rows: list[dict]) -> list[str]:
  names = dict.fromkeys(name for row in rows for name in row if name not in HIDDEN)
  return sorted(names, key=lambda n: (n != 'loss', n.startswith('eval/'), n))


def _table(head: Sequence[str], body: Sequence[Sequence[object]]) -> str:
  def cell(value: object) -> str:
    if isinstance(value, float):
      return f'<td class="n">{_number(value)}</td>'
    return f'<td>{html.escape(str(value))}</td>'

  top = ''.join(f'<th>{html.escape(h)}</th>' for h in head)
  rows = ''.join(f'<tr>{"".join(map(cell, row))}</tr>' for row in body)
  return f'<table><tr>{top}</tr>{rows}</table>'


def _flat(config: dict, prefix: str = '') -> dict[str, object]:
  flat: dict[str, object] = {}
  for name, value in config.items():
    if isinstance(value, dict):
      flat |= _flat(value, f'{prefix}{name}.')
    else:
      flat[f'{prefix}{name}'] = value
  return flat


def _config(folder: epath.Path) -> dict[str, object]:
  file = folder / 'config.json'
  return _flat(json.loads(file.read_text())) if file.exists() else {}


def _samples(folder: epath.Path) -> str:
  """The newest picture of each name."""
  newest: dict[str, epath.Path] = {}
  place = folder / 'samples'
  files = sorted(place.glob('*.png')) if place.is_dir() else []
  for file in files:
    newest[file.stem.partition('_')[2]] = file
  shown = []
  for name, file in newest.items():
    data = base64.b64encode(file.read_bytes()).decode()
    step = int(file.stem.partition('_')[0])
    caption = html.escape(f'{name}, step {step}')
    shown.append(
      f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
      f'<figcaption>{caption}</figcaption></figure>'
    )
  return ''.join(shown)


def _last(rows: list[dict]) -> dict[str, float]:
  """The last known value of each figure."""
  last: dict[str, float] = {}
  for row in rows:
    last |= {k: v for k, v in row.items() if v is not None}
  return last


def _run_page(folder: epath.Path) -> str:
  rows = read_metrics(folder)
  last = _last(rows)
  curves = ''.join(curve(n, {n: _series(rows, n)}) for n in _names(rows))
  figures = [(n, last[n]) for n in _names(rows) if n in last]
  if 'seconds' in last:
    figures.append(('minutes', last['seconds'] / 60))
  samples = _samples(folder)
  return (
    f'<p>{int(last.get("step", 0))} steps.</p>{curves}'
    + (f'<h2>Samples</h2>{samples}' if samples else '')
    + f'<h2>Last figures</h2>{_table(("figure", "value"), figures)}'
    + f'<h2>Config</h2>{_table(("setting", "value"), list(_config(folder).items()))}'
  )


def _sweep_page(folder: epath.Path, runs: list[epath.Path]) -> str:
  rows = {run.name: read_metrics(run) for run in runs}
  configs = {run.name: _config(run) for run in runs}
  settings = dict.fromkeys(k for config in configs.values() for k in config)
  varied = [
    k for k in settings if len({json.dumps(c.get(k)) for c in configs.values()}) > 1
  ]
  names = _names([row for run in rows.values() for row in run])
  body = []
  for run in runs:
    last = _last(rows[run.name])
    body.append(
      [run.name, 'done' if (run / 'done.json').exists() else 'not finished']
      + [configs[run.name].get(k, '') for k in varied]
      + [float(last[n]) if n in last else '' for n in names]
    )
  # Colours follow the order of the runs, in every curve alike.
  key = ' '.join(
    f'<span style="color:{COLOURS[i % len(COLOURS)]}">&#9632;</span> '
    + html.escape(r.name)
    for i, r in enumerate(runs)
  )
  curves = ''.join(
    curve(n, {run.name: _series(rows[run.name], n) or [(0, 0.0)] for run in runs})
    for n in names
    if all(_series(rows[run.name], n) for run in runs)
  )
  samples = ''.join(
    f'<h2>{html.escape(run.name)}</h2>{found}'
    for run in runs
    if (found := _samples(run))
  )
  table = _table(['run', 'state', *varied, *names], body)
  return f'{table}<p>{key}</p>{curves}{samples}'


def write_report(folder: str | Path) -> epath.Path:
  """Writes `folder/report.html` about a run, or about the runs in its subfolders.

  Raises:
    UsageError: nothing to report on there.
    UserError: the folder cannot be written.
  """
  place = epath.Path(folder)
  if not place.is_dir():
    raise UsageError(f'{place} is not a folder')
  if (place / 'metrics.jsonl').exists():
    body = _run_page(place)
  else:
    runs = sorted(p for p in place.iterdir() if (p / 'metrics.jsonl').exists())
    if not runs:
      raise UsageError(f'{place} holds no metrics.jsonl, nor does a folder in it')
    body = _sweep_page(place, runs)
  title = html.escape(place.absolute().name)
  page = (
    f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    f'<style>{STYLE}</style><h1>{title}</h1>{body}</html>\n'
  )
  file = place / 'report.html'
  try:
    file.write_text(page)
  except OSError as error:
    raise UserError(f'cannot write {file}: {error.strerror or error}') from error
  return file


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.report', description=__doc__.splitlines()[0]
  )
  parser.add_argument('folder', help='a run, or a folder of runs')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)

  def work() -> int:
    print(write_report(args.folder))
    return 0

  return run_command(work, args.debug)


if __name__ == '__main__':
  sys.exit(main())
