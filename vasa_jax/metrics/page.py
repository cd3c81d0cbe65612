"""A report as one HTML file: the table, a figure for each metric, strips of frames.

Pictures are inside and nothing is loaded from elsewhere, so that the file can be
mailed, archived or opened from a bucket. Figures are SVG: each clip a dot, the mean and
its interval a bar, one row a system.
"""

import base64
import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

WIDTH, LEFT, ROW = 520, 130, 26
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;
padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}
td.miss{color:#a00;font-weight:600}figure{margin:1.5rem 0}img{max-width:100%}
figure.plot{display:inline-block;margin:.5rem}svg{background:#fafafa}
figcaption{font-size:.85rem;color:#555}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}
th,td{border-color:#444}td.miss{color:#f88}figcaption{color:#aaa}}
"""


class Row(NamedTuple):
  """Cells of a line of the table; `missed`: the last one is a promise not kept."""

  cells: Sequence[str]
  missed: bool = False


def page(
  title: str,
  heads: Sequence[str],
  rows: Sequence[Row],
  *,
  figures: Sequence[str] = (),
  facts: Mapping[str, Any],
  failures: Sequence[str] = (),
  strips: Mapping[str, Path],
) -> str:
  """The whole file as text; all text is escaped, `figures` is markup of `figure`."""
  body = [f'<h1>{html.escape(title)}</h1>', '<table><thead><tr>']
  body += [f'<th>{html.escape(head)}</th>' for head in heads]
  body.append('</tr></thead><tbody>')
  for row in rows:
    missed = ' class="miss"' if row.missed else ''
    cells = [html.escape(cell) for cell in row.cells]
    body.append('<tr>' + ''.join(f'<td>{cell}</td>' for cell in cells[:-1]))
    body.append(f'<td{missed}>{cells[-1]}</td></tr>')
  body.append('</tbody></table>')
  if facts or failures:
    body.append('<ul>')
    body += [f'<li>{html.escape(f"{k}: {v}")}</li>' for k, v in facts.items()]
    body += [f'<li>not scored: {html.escape(failure)}</li>' for failure in failures]
    body.append('</ul>')
  body += figures
  for name, path in strips.items():
    data = base64.b64encode(path.read_bytes()).decode()
    body.append(
      f'<figure><img alt="frames of {html.escape(name)}" '
      f'src="data:image/jpeg;base64,{data}"><figcaption>{html.escape(name)}'
      '</figcaption></figure>'
    )
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    f'<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>'
    + '\n'.join(body) + '</body></html>\n'
  )  # fmt: skip


def figures(
  lines: Sequence[Any],
  rows: Sequence[Mapping[str, Any]],
  metrics: Mapping[str, Any],
) -> list[str]:
  """One figure for each metric that has anything to compare: systems or clips.

  Args:
    lines: `table.Line`s, which give mean and interval.
    rows: scores of clips, which give the dots.
    metrics: `table.Metric`s by name.
  """
  made = []
  for name in dict.fromkeys(line.metric for line in lines):
    own = [line for line in lines if line.metric == name]
    dots = {
      line.system: [
        float(row[name]) for row in rows
        if row.get('system') == line.system and row.get(name) is not None
        and math.isfinite(row[name])
      ]
      for line in own
    }  # fmt: skip
    if len(own) > 1 or any(len(one) > 1 for one in dots.values()):
      made.append(figure(metrics[name].label, metrics[name].unit, own, dots))
  return made


def figure(
  label: str,
  unit: str,
  lines: Sequence[Any],
  dots: Mapping[str, Sequence[float]],
) -> str:
  """One metric of all systems as SVG; see the top of this file."""
  ends = [v for line in lines for v in (line.value, line.low, line.high)]
  values = [v for v in (*ends, *(v for own in dots.values() for v in own))
            if math.isfinite(v)]  # fmt: skip
  low, high = min(values), max(values)
  span = (high - low) or abs(high) or 1.0

  def at(value: float) -> float:
    return LEFT + 10 + (WIDTH - LEFT - 30) * (value - low) / span

  height = ROW * len(lines) + 24
  drawn = []
  for i, line in enumerate(lines):
    y = ROW * i + ROW / 2 + 2
    drawn.append(
      f'<text x="{LEFT}" y="{y + 4}" font-size="12" text-anchor="end" fill="#333">'
      f'{html.escape(line.system)}</text>'
    )
    drawn += [
      f'<circle cx="{at(v):.1f}" cy="{y}" r="2.5" fill="#1f77b4" opacity=".35"/>'
      for v in dots.get(line.system, ())
    ]
    if math.isfinite(line.low):
      drawn.append(
        f'<path d="M{at(line.low):.1f} {y}H{at(line.high):.1f}" stroke="#d62728" '
        'stroke-width="2"/>'
      )
    drawn.append(
      f'<path d="M{at(line.value):.1f} {y - 7}v14" stroke="#d62728" stroke-width="2">'
      f'<title>{line.value:.4g}</title></path>'
    )
  for value, anchor in ((low, 'start'), (high, 'end')):
    drawn.append(
      f'<text x="{at(value):.1f}" y="{height - 5}" font-size="11" '
      f'text-anchor="{anchor}" fill="#555">{value:.4g}</text>'
    )
  caption = html.escape(f'{label}, {unit}' if unit else label)
  return (
    f'<figure class="plot"><svg width="{WIDTH}" height="{height}" role="img">'
    f'{"".join(drawn)}</svg><figcaption>{caption}</figcaption></figure>'
  )
