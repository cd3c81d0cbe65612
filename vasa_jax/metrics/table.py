"""Rows of scores to a table with confidence intervals, as JSON, Markdown and HTML.

The unit of resampling is the clip: frames and pairs of one clip resemble each other,
and counting them as independent would make every interval far too narrow.
"""

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.metrics.page import Row, figures, page


class Metric(NamedTuple):
  """How to show one number.

  Attributes:
    label: what the reader sees.
    unit: of the number.
    better: 'higher', 'lower', or 'real' (nearer to real video is better).
    bar: what this version has promised, (from, to) where better is 'real'; None without
      a promise.
    always: the promise is made for every single row, not for their mean.
  """

  label: str
  unit: str
  better: str
  bar: float | tuple[float, float] | None = None
  always: bool = False

  def kept(self, value: float) -> bool | None:
    """Whether a value keeps the promise; None without one."""
    if self.bar is None:
      return None
    if isinstance(self.bar, tuple):
      return self.bar[0] <= value <= self.bar[1]
    return value >= self.bar if self.better == 'higher' else value <= self.bar


METRICS = {
  'psnr': Metric('PSNR', 'dB', 'higher', 22.0),
  'ssim': Metric('SSIM', '', 'higher', 0.75),
  'l1': Metric('L1', '0..1', 'lower'),
  'lpips': Metric('LPIPS (AlexNet)', '', 'lower'),
  'lpips_vgg': Metric('LPIPS (VGG16)', '', 'lower'),
  'pose_error': Metric('pose error, mean of 3 angles', 'deg', 'lower', 5.0),
  'pose_angle': Metric('pose error, one rotation', 'deg', 'lower'),
  'found': Metric('face found after transfer', '0..1', 'higher'),
  'mesh_found': Metric('frames with a face mesh', '%', 'higher', 98.0),
  'identity': Metric('128-d distance to the portrait, median', '', 'lower', 0.6),
  'identity_worst': Metric('128-d distance to the portrait, worst', '', 'lower'),
  'csim': Metric('CSIM, ArcFace cosine to the portrait', '', 'higher'),
  'mouth_r': Metric('mouth opening against loudness, best r', '', 'higher', 0.3),
  'mouth_lag': Metric('mouth later than sound by', 'frames', 'real'),
  'mouth_speech': Metric('mouth opening in speech', 'of eye width', 'real'),
  'mouth_silence': Metric('mouth opening in silence', 'of eye width', 'lower'),
  'sync_confidence_syncnet_v2': Metric('S_C', '', 'higher'),
  'sync_distance_syncnet_v2': Metric('S_D', '', 'lower'),
  'sync_offset_syncnet_v2': Metric('picture later than sound by', 'frames', 'real'),
  'sync_confidence_own': Metric('S_C of our own small net', '0..2', 'higher'),
  'sync_distance_own': Metric('S_D of our own small net', '0..2', 'lower'),
  'sync_offset_own': Metric('picture later than sound by, own net', 'frames', 'real'),
  'capp_own': Metric('CAPP of our own net', '-1..1', 'higher'),
  'gaze_error': Metric('E_g, main gaze read back', 'deg', 'lower'),
  'distance_error': Metric('E_d, distance read back', '%', 'lower'),
  'delta_p': Metric('delta P', 'deg/frame', 'real'),
  'blinks': Metric('blinks', '1/min', 'real'),
  'seconds': Metric('length', 's', 'real'),
  'fvd25': Metric('FVD25', '', 'lower'),
  'kvd25': Metric('KVD25, kernel distance of the same features', '', 'lower'),
  'fd_vgg16': Metric('Frechet distance, VGG16 (not FID)', '', 'lower'),
  'kd_vgg16': Metric('kernel distance, VGG16 (not KID)', '', 'lower'),
}


class Line(NamedTuple):
  """One line of the table: the mean over clips of one metric of one system.

  Attributes:
    system, metric: what was measured, of what.
    value, low, high: mean over clips and its 95 % bootstrap interval.
    worst: the worst clip (of a promise for every row, the worst row); the largest where
      there is no better side.
    clips: how many clips gave the number.
    bar, passed: the promise and whether `value`, or every row, keeps it; None without
      one.
  """

  system: str
  metric: str
  value: float
  low: float
  high: float
  worst: float
  clips: int
  bar: float | tuple[float, float] | None
  passed: bool | None


HEADS = (
  'metric', 'unit', 'system', 'mean over clips', '95 % interval', 'worst clip', 'clips',
  'promised',
)  # fmt: skip


def bootstrap(
  values: np.ndarray, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
  """95 % percentile interval of the mean of `values` `(clips,)`.

  One clip says nothing of the spread: its interval is (NaN, NaN).
  """
  values = np.asarray(values, np.float64)
  if len(values) < 2:
    return float('nan'), float('nan')
  draw = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
  low, high = np.percentile(values[draw].mean(-1), [2.5, 97.5])
  return float(low), float(high)


def summarise(
  rows: Iterable[Mapping[str, Any]], metrics: Mapping[str, Metric] = METRICS
) -> list[Line]:
  """Rows with `clip`, `system` and any of `metrics` to lines.

  Several rows of one clip are averaged first. NaN (not measurable in this clip) is left
  out and shows in `clips`.
  """
  scores: dict[tuple[str, str], dict[str, list[float]]] = {}
  for row in rows:
    for name, value in row.items():
      if name in metrics and value is not None and math.isfinite(value):
        clips = scores.setdefault((row['system'], name), {})
        clips.setdefault(row['clip'], []).append(value)
  lines = []
  for (system, name), clips in scores.items():
    metric = metrics[name]
    values = np.array([np.mean(clip) for clip in clips.values()])
    value = float(values.mean())
    judged = np.concatenate(list(clips.values())) if metric.always else values
    worst = judged.min() if metric.better == 'higher' else judged.max()
    if metric.always and isinstance(metric.bar, tuple):
      worst = max(judged, key=lambda one: abs(one - np.mean(metric.bar)))
    # A floor does not have to keep a promise.
    promised = system == 'model'
    bar = metric.bar if promised else None
    passed = None
    if promised and bar is not None:
      passed = all(metric.kept(v) for v in (judged if metric.always else [value]))
    lines.append(
      Line(system, name, value, *bootstrap(values), float(worst), len(values), bar,
           passed)
    )  # fmt: skip
  order = list(metrics)
  return sorted(lines, key=lambda line: order.index(line.metric))


def markdown(lines: Sequence[Line], metrics: Mapping[str, Metric] = METRICS) -> str:
  """The table as Markdown."""
  out = ['| ' + ' | '.join(HEADS) + ' |', '| --- ' * len(HEADS) + '|']
  out += ['| ' + ' | '.join(_cells(line, metrics)) + ' |' for line in lines]
  return '\n'.join(out) + '\n'


def write_report(
  out: Path,
  rows: Sequence[Mapping[str, Any]],
  *,
  title: str,
  facts: Mapping[str, Any],
  strips: Mapping[str, Path] | None = None,
  failures: Sequence[str] = (),
  metrics: Mapping[str, Metric] = METRICS,
  more: Sequence[Line] = (),
) -> list[Line]:
  """Writes the table into `out`, in four forms, and every clip's scores.

  `table.md`, `table.csv`, `table.json` (with the clips) and a self-contained
  `report.html` with plots; `clips.csv` has one row a clip.

  Args:
    out: the folder.
    rows: scores; see `summarise`.
    title: of the page.
    facts: how the numbers were made (command, versions, sizes, seeds).
    strips: JPEG strips of frames by clip name, shown in the page.
    failures: one line for each clip that could not be scored.
    metrics: how to show the numbers; what is not among them is not shown.
    more: lines that are no means over clips, put before the others.

  Raises:
    UserError: the folder cannot be written.
  """
  lines = [*more, *summarise(rows, metrics)]
  table = {
    'title': title,
    'facts': dict(facts),
    'metrics': [
      {**line._asdict(), 'unit': metrics[line.metric].unit,
       'better': metrics[line.metric].better}
      for line in lines
    ],
    'clips': list(rows),
    'failures': list(failures),
  }  # fmt: skip
  text = '\n'.join([
    f'# {title}\n', markdown(lines, metrics),
    *(f'- {k}: {v}' for k, v in facts.items()),
    *(f'- not scored: {failure}' for failure in failures), '',
  ])  # fmt: skip
  try:
    out.mkdir(parents=True, exist_ok=True)
    (out / 'table.json').write_text(
      json.dumps(_without_nan(table), indent=1, allow_nan=False) + '\n'
    )
    (out / 'table.md').write_text(text)
    _write_csv(out / 'table.csv', _flat_lines(lines, metrics))
    _write_csv(out / 'clips.csv', rows)
    body = [Row(_cells(line, metrics), missed=line.passed is False) for line in lines]
    shown = page(
      title, HEADS, body, figures=figures(lines, rows, metrics), facts=facts,
      failures=failures, strips=strips or {},
    )  # fmt: skip
    (out / 'report.html').write_text(shown)
  except OSError as error:
    raise UserError(f'cannot write to {out}: {error.strerror or error}') from error
  return lines


def _cells(line: Line, metrics: Mapping[str, Metric]) -> list[str]:
  metric = metrics[line.metric]
  arrow = {'higher': ' (higher)', 'lower': ' (lower)', 'real': ''}[metric.better]
  interval = f'{_number(line.low)} to {_number(line.high)}'
  promise = ''
  if line.bar is not None:
    if isinstance(line.bar, tuple):
      asked = f'{_number(line.bar[0])} to {_number(line.bar[1])}'
    else:
      asked = f'{">=" if metric.better == "higher" else "<="} {_number(line.bar)}'
    whom = ' always' if metric.always else ''
    promise = f'{asked}{whom}: {"kept" if line.passed else "MISSED"}'
  return [
    metric.label + arrow, metric.unit, line.system, _number(line.value),
    interval if math.isfinite(line.low) else 'one clip' if line.clips < 2 else '',
    _number(line.worst) if math.isfinite(line.worst) else '',
    str(line.clips), promise,
  ]  # fmt: skip


def _flat_lines(
  lines: Sequence[Line], metrics: Mapping[str, Metric]
) -> list[dict[str, Any]]:
  """Lines without tuples, for a spreadsheet."""
  flat = []
  for line in lines:
    metric, one = metrics[line.metric], line._asdict()
    low, high = line.bar if isinstance(line.bar, tuple) else (line.bar, None)
    one |= {'bar': low, 'bar_to': high, 'label': metric.label, 'unit': metric.unit}
    flat.append(one)
  return flat


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
  """One row a mapping; what a row lacks, and NaN, is an empty cell."""
  names = list(dict.fromkeys(name for row in rows for name in row))
  with path.open('w', newline='') as file:
    writer = csv.DictWriter(file, names)
    writer.writeheader()
    for row in rows:
      writer.writerow({
        name: '' if value is None or value != value else value
        for name, value in row.items()
      })  # fmt: skip


def _number(value: float) -> str:
  return f'{value:.4f}' if abs(value) < 0.1 else f'{value:.3g}'


def _without_nan(value: Any) -> Any:
  """JSON has no NaN: what could not be measured is null."""
  if isinstance(value, Mapping):
    return {key: _without_nan(v) for key, v in value.items()}
  if isinstance(value, list | tuple):
    return [_without_nan(v) for v in value]
  if isinstance(value, float) and not math.isfinite(value):
    return None
  return value
