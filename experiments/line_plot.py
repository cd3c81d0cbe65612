"""A small chart as inline SVG: one line a series over named places, with intervals."""

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from experiments.report import BOTTOM, COLOURS, HEIGHT, LEFT, WIDTH


class Points(NamedTuple):
  """A series: one value a place, and where known its interval; None is not drawn."""

  values: Sequence[float | None]
  low: Sequence[float] = ()
  high: Sequence[float] = ()


def line_plot(title: str, places: Sequence[str], series: Mapping[str, Points]) -> str:
  """A figure of several series; the value axis spans what is drawn, and zero."""
  drawn = [v for s in series.values() for v in (*s.values, *s.low, *s.high)]
  known = [v for v in drawn if v is not None]
  low, high = min(known, default=0.0), max(known, default=1.0)
  low, high = min(low, 0.0), max(high, low + 1e-6)

  def x(i: int) -> float:
    return LEFT + 12 + (WIDTH - LEFT - 32) * i / max(len(places) - 1, 1)

  def y(value: float) -> float:
    return 8 + (HEIGHT - BOTTOM - 16) * (1 - (value - low) / (high - low))

  parts = [_line(LEFT, y(0.0), WIDTH - 8, y(0.0), '#ccc')]
  for i, place in enumerate(places):
    parts.append(_text(x(i), HEIGHT - 6, 'middle', place))
  for value in (low, high):
    parts.append(_text(LEFT - 4, y(value) + 4, 'end', f'{value:.3g}'))
  key = []
  for k, (name, points) in enumerate(series.items()):
    colour = COLOURS[k % len(COLOURS)]
    path = ' '.join(
      f'{x(i):.1f},{y(v):.1f}' for i, v in enumerate(points.values) if v is not None
    )
    parts.append(
      f'<polyline fill="none" stroke="{colour}" stroke-width="1.4" points="{path}"/>'
    )
    for i, value in enumerate(points.values):
      if value is not None:
        parts.append(
          f'<circle cx="{x(i):.1f}" cy="{y(value):.1f}" r="2.5" fill="{colour}"/>'
        )
    for i, (a, b) in enumerate(zip(points.low, points.high, strict=True)):
      parts.append(_line(x(i), y(a), x(i), y(b), colour))
    key.append(f'<span style="color:{colour}">&#9632;</span> {html.escape(name)}')
  return (
    f'<figure><svg width="{WIDTH}" height="{HEIGHT}" role="img">{"".join(parts)}</svg>'
    f'<figcaption>{html.escape(title)}<br>{" ".join(key)}</figcaption></figure>'
  )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
  return (
    f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
  )


def _text(x: float, y: float, anchor: str, words: str) -> str:
  return (
    f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" text-anchor="{anchor}" '
    f'fill="#555">{html.escape(words)}</text>'
  )
