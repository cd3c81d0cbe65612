"""Pieces of a self-contained HTML page: figures as SVG, pictures inline, no script."""

import base64
import collections
import html
from collections.abc import Sequence

import numpy as np

from data_pipelines import schema

WIDTH, HEIGHT, FLOOR = 300, 150, 132
PAGE_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:76em;padding:0 1em;
color:#222;background:#fff} h1{font-size:1.4em} h2{font-size:1.1em;margin-top:1.6em}
table{border-collapse:collapse} td,th{border:1px solid #ccc;padding:.2em .6em}
td{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td:first-child,td.words{text-align:left;white-space:normal}
figure{display:inline-block;margin:.4em;vertical-align:top}
figure{max-width:300px} figcaption{font-size:.85em;color:#555}
figure.sheet{max-width:100%} figure.small{width:108px;margin:.2em;font-size:.8em}
figure.small figcaption{overflow-wrap:anywhere}
svg{background:#fafafa} img{max-width:100%}
"""


def bars(heights, labels) -> str:
  """SVG of bars; each shows its label and height under the mouse."""
  top = max(max(heights), 1e-9)
  width = WIDTH / len(heights)
  drawn = [
    f'<rect x="{i * width + 0.5:.1f}" y="{FLOOR - 124 * h / top:.1f}" '
    f'width="{max(width - 1, 1):.1f}" height="{124 * h / top:.1f}" fill="#4878a8">'
    f'<title>{html.escape(label)}: {h:g}</title></rect>'
    for i, (h, label) in enumerate(zip(heights, labels, strict=True))
  ]
  return ''.join(drawn)


def figure(caption: str, drawing: str, left: str, right: str) -> str:
  """A drawing with a caption, and words at both ends of its axis."""
  text = '<text x="{}" y="146" font-size="11" text-anchor="{}" fill="#555">{}</text>'
  return (
    f'<figure><svg width="{WIDTH}" height="{HEIGHT}" role="img">{drawing}'
    f'{text.format(2, "start", html.escape(left))}'
    f'{text.format(WIDTH - 2, "end", html.escape(right))}</svg>'
    f'<figcaption>{html.escape(caption)}</figcaption></figure>'
  )


def histogram(
  title: str, values: Sequence[float], bins: int = 30, mark: float | None = None
) -> str:
  """SVG of the distribution of `values`, mean and standard deviation in its caption.

  Args:
    title: what it is, and its unit.
    values: any number.
    bins: how many bars.
    mark: where a red line is drawn.
  """
  values = np.asarray(values, float)
  if not len(values):
    return ''
  low, high = np.percentile(values, [0.1, 99.9])
  if mark is not None:
    low, high = min(low, mark), max(high, mark)
  low, high = (low - 0.5, high + 0.5) if high - low < 1e-9 else (low, high)
  counts, edges = np.histogram(values, bins, (low, high))
  labels = [f'{a:.3g} to {b:.3g}' for a, b in zip(edges, edges[1:], strict=False)]
  caption = f'{title}: mean {values.mean():.3g}, sd {values.std():.3g}, n {len(values)}'
  drawing = bars(counts, labels) + _tallest(counts)
  if mark is not None:
    at = min(max((mark - low) / (high - low) * WIDTH, 1), WIDTH - 1)
    drawing += f'<path d="M{at:.1f} 0V{FLOOR}" stroke="#c03030" stroke-width="2"/>'
  return figure(caption, drawing, f'{low:.3g}', f'{high:.3g}')


def _tallest(counts: np.ndarray) -> str:
  """How many the tallest bar stands for, beside its top."""
  at = (int(np.argmax(counts)) + 0.5) / len(counts) * WIDTH
  left = at < WIDTH / 2
  x, anchor = (at + 8, 'start') if left else (at - 8, 'end')
  return (
    f'<text x="{x:.0f}" y="17" font-size="11" text-anchor="{anchor}" fill="#555">'
    f'{counts.max()}</text>'
  )


def counts_of(title: str, names: Sequence[str], most: int = 40) -> str:
  """SVG of how often each name occurs, the most frequent first."""
  counted = collections.Counter(names).most_common(most)
  if not counted:
    return ''
  total = len(names)
  labels = [f'{name} ({n / total:.1%})' for name, n in counted]
  caption = f'{title}: ' + ', '.join(labels[:8]) + (' ...' if len(labels) > 8 else '')
  return figure(caption, bars([n for _, n in counted], labels), labels[0], '')


def image(sheet: np.ndarray, caption: str) -> str:
  """A picture `(h, w, 3)` uint8 with a caption."""
  data = base64.b64encode(schema.encode_picture(sheet)).decode()
  caption = html.escape(caption)
  return (
    f'<figure class="sheet"><img alt="{caption}" src="data:image/jpeg;base64,{data}">'
    f'<figcaption>{caption}</figcaption></figure>'
  )


def document(title: str, parts: Sequence[str]) -> str:
  """The whole page."""
  title = html.escape(title)
  return (
    f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    f'<style>{PAGE_STYLE}</style><h1>{title}</h1>{"".join(parts)}</html>\n'
  )
