"""Distances between two folders of videos: FVD25 and its like, as lines of a table.

Beside each distance stands that between two halves of the reference: what no difference
looks like at such a count. Intervals are of the jackknife over clips (`frechet`).
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vasa_jax.errors import UserError
from vasa_jax.metrics.evaluator import Clip
from vasa_jax.metrics.frechet import (
  frechet_distance,
  half_distance,
  kernel_distance,
  with_interval,
)
from vasa_jax.metrics.table import Line
from vasa_jax.metrics.video_features import FeatureSet, Pictures, Windows, collect

HALVES = 'halves of the reference'
Watch = Callable[[str], Callable[[Sequence[Clip]], Iterable[Clip]]]


class Comparison(NamedTuple):
  """Lines for the table, facts for below it, and videos that gave no features."""

  lines: list[Line]
  facts: dict[str, Any]
  failures: list[str]


def compare(
  clips: Sequence[Clip],
  reference: Sequence[Clip],
  out: Path,
  watch: Watch = lambda what: iter,
  workers: int = 1,
  windows: int = 4,
) -> Comparison:
  """All distances that the fetched nets allow.

  Args:
    clips: of one or several systems.
    reference: real videos, or any to compare with.
    out: features are kept in `out/features`.
    watch: `watch(what)` wraps clips, for a bar.
    workers: processes.
    windows: of 25 frames from each video at most; 0 is all.

  A net that was not fetched is named in `facts`, and its distances are left out.
  """
  lines, facts, failures = [], {}, []
  kinds = (
    ('fvd25', 'kvd25', 'FVD25', Windows(windows)),
    ('fd_vgg16', 'kd_vgg16', 'distances of pictures', Pictures()),
  )
  systems = list(dict.fromkeys(clip.system for clip in clips))
  for frechet_name, kernel_name, what, kind in kinds:

    def look(shown: Sequence[Clip], what=what, kind=kind) -> FeatureSet:
      found = collect(shown, kind, out / 'features', watch(what), workers)
      failures.extend(found.failures)
      return found

    try:
      real = look(reference)
      made = {s: look([c for c in clips if c.system == s]) for s in systems}
      new = [
        line
        for name, distance in (
          (frechet_name, frechet_distance), (kernel_name, kernel_distance)
        )
        for line in _lines(name, distance, made, real)
      ]  # fmt: skip
    except UserError as error:
      facts[f'not measured: {what}'] = str(error)
      continue
    lines += new
    counts = ', '.join(f'{len(one.rows)} of {s}' for s, one in made.items())
    facts[what] = f'{counts} against {len(real.rows)} of the reference; {kind!r}'
  return Comparison(lines, facts, list(dict.fromkeys(failures)))


def _lines(name: str, distance: Callable, made: dict, real: FeatureSet) -> list[Line]:
  lines = []
  for system, one in made.items():
    found = with_interval(distance, one.rows, real.rows, one.clips, real.clips)
    lines.append(_line(system, name, *found, len(set(one.clips.tolist()))))
  halves = half_distance(distance, real.rows, real.clips)
  nan = float('nan')
  if halves == halves:
    clips = len(set(real.clips.tolist()))
    lines.append(_line(HALVES, name, halves, nan, nan, clips))
  return lines


def _line(system, name, value, low, high, clips) -> Line:
  return Line(system, name, value, low, high, float('nan'), clips, None, None)
