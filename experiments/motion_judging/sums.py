"""Sync, naturalness and their sum: one number for what must hold together.

    sync         mean of the mouth's r (at least 0) and the share of p b m that close
    naturalness  mean over eight quantities of min(made, corpus) / max(made, corpus)
    sum          of both, 0 to 2

A quantity is the mean over all clips, for motion is not to be the truth's copy but as
lively as the corpus. Mean pose is still, retrieval is natural and out of step, a
regressor is in step and tame: who is good at both has the larger sum.

The jump where windows meet is a median over all seams of all clips, since a clip has
one or two.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.motion_judging.scores import NATURAL
from vasa_jax.metrics.table import Line

RESAMPLES = 2000
SEAM_BAR = 1.0  # a seam must not show: what the truth has at any two frames


def sums(
  rows: Mapping[str, Sequence[Mapping[str, float]]],
  truth: str = 'truth',
  model: str = 'model',
  baselines: Sequence[str] = (),
) -> list[Line]:
  """Lines of `sync`, `naturalness`, `sum`, `seam`, and of `model` minus each baseline.

  Args:
    rows: by system one mapping a clip, all in the same order, with `mouth_r`,
      `closures`, `seams` and `NATURAL`.
    truth: the system that the others are compared with.
    model: whose sum must be larger than that of each of `baselines`.

  Intervals are of 2,000 resamples of the clips, the same ones for all systems.
  """
  clips = len(rows[truth])
  draws = np.random.default_rng(0).integers(0, clips, (RESAMPLES, clips))
  draws = np.concatenate([np.arange(clips)[None], draws])  # first: as they are
  real = _pooled(rows[truth], draws)
  found = {}
  for system, scored in rows.items():
    made = _pooled(scored, draws)
    sync = np.array([_sync(row) for row in scored])[draws].mean(1)
    larger = np.maximum(np.maximum(made, real), 1e-9)
    natural = (np.minimum(made, real) / larger).mean(1)
    found[system] = {'sync': sync, 'naturalness': natural, 'sum': sync + natural}
  lines = [
    _line(system, name, values, clips)
    for name in ('sum', 'sync', 'naturalness')
    for system, values in ((system, parts[name]) for system, parts in found.items())
  ]
  for name in baselines:
    better = found[model]['sum'] - found[name]['sum']
    lines.append(_line(f'{model} - {name}', 'sum', better, clips, bar=0.0))
  for system, scored in rows.items():
    bar = SEAM_BAR if system == model else None
    jumps = _seams(scored, draws)
    if len(jumps):
      lines.append(_line(system, 'seam', jumps, clips, bar, larger=False))
  return lines


def _seams(rows, draws: np.ndarray) -> np.ndarray:
  """`(draws,)` median over all seams of the clips drawn; empty: no clip has a seam."""
  by_clip = [np.asarray(row['seams'], float) for row in rows]
  found = [np.concatenate([by_clip[i] for i in draw]) for draw in draws]
  return np.array([np.median(jumps) for jumps in found if len(jumps)])


def _pooled(rows, draws: np.ndarray) -> np.ndarray:
  """`(draws, quantities)` means over clips."""
  table = np.array([[row[name] for name in NATURAL] for row in rows])
  return table[draws].mean(1)


def _sync(row: Mapping[str, float]) -> float:
  parts = [max(row['mouth_r'], 0.0)]
  if np.isfinite(row['closures']):  # a clip may have no p, b or m
    parts.append(row['closures'] / 100)
  return float(np.mean(parts))


def _line(system, metric, values, clips, bar=None, larger=True) -> Line:
  low, high = np.percentile(values[1:], [2.5, 97.5])
  passed = None
  if bar is not None:
    passed = bool(values[0] > bar if larger else values[0] <= bar)
  return Line(
    system, metric, float(values[0]), float(low), float(high), float('nan'), clips, bar,
    passed,
  )  # fmt: skip
