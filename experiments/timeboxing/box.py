"""One call: its clock, its stages one after the other, and what it leaves behind."""

import argparse
import dataclasses
import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from experiments.ahead import Ahead, Pool
from experiments.timeboxing.stage import (
  MOST_BYTES,
  MOST_PARTS,
  STAGES,
  Stage,
  device_name,
  fill_cache,
  fits_exactly,
  make_stage,
)
from vasa_jax.errors import UserError


class Stopped(Exception):
  """SIGTERM or Ctrl-C outside of the training loop, which has its own ear for them."""


class Box:
  """One call: its clock, its stages, and what it leaves in `args.out`."""

  def __init__(self, args: argparse.Namespace, scratch: Path):
    self.args, self.scratch, self.out = args, scratch, args.out
    self.begun = time.monotonic()
    self.end = self.begun + args.minutes * 60
    self.overhead = 4.0  # of `fit` before its clock runs; measured by the first stage
    self.heard = ''
    self._armed = False
    self._packed: dict[str, tuple[dict[str, bytes], Any]] = {}
    shares = {'face': args.face_share, 'motion': 1 - args.face_share}
    self.stages = [make_stage(n, args, scratch) for n in STAGES if shares[n] > 0]
    self.shares = shares
    self.exact = fits_exactly(self.stages)
    tails = [stage.last_tail for stage in self.stages]
    guess = min(max(0.12 * args.minutes * 60, 8.0), 75.0)
    known = sum(tails) * 1.2 + 3 if None not in tails else guess
    self.reserve = known if args.reserve is None else args.reserve

  # -- signals -------------------------------------------------------------------------
  def __enter__(self) -> 'Box':
    self._old = {
      n: signal.signal(n, self._ask) for n in (signal.SIGTERM, signal.SIGINT)
    }
    self._armed = True
    return self

  def _ask(self, number, frame) -> None:
    del frame
    self.heard = signal.Signals(number).name
    if self._armed:
      self._armed = False  # once: what follows is not to be broken off
      raise Stopped(self.heard)

  def __exit__(self, *exc) -> None:
    for number, handler in self._old.items():
      signal.signal(number, handler)

  # -- training ------------------------------------------------------------------------
  def left(self) -> float:
    """Seconds of training that remain."""
    return self.end - self.reserve - time.monotonic()

  def train(self) -> None:
    """Both stages, one after the other."""
    from vasa_jax.training.job import no_figures, no_pictures
    from vasa_jax.training.loop import fit

    for stage in self.stages:
      pool = None
      last = stage is self.stages[-1]
      deadline = self.left() * (1.0 if last else self.shares[stage.name])
      deadline += time.monotonic()
      try:
        batches = self._prepare(stage)
        if isinstance(batches, Pool):
          pool, batches = batches, batches.ready()
        seconds = deadline - time.monotonic() - self.overhead
        if seconds < 1:
          stage.facts['note'] = 'no time was left to train'
          continue
        minutes = (stage.first_seconds + seconds) / 60
        stage.run = dataclasses.replace(stage.run, minutes=minutes)
        ahead = Ahead(batches)
        job = dataclasses.replace(
          stage.job,
          batches=lambda state, host, hosts, ahead=ahead: ahead,
          evaluate=no_figures,
          preview=no_pictures,
        )
        before = time.monotonic()
        outcome = fit(stage.run, job, stage.workdir)
        stage.facts['seconds'] = time.monotonic() - before
        self.overhead = max(stage.facts['seconds'] - seconds, 1.0)
        if not outcome.finished:
          self._armed = False
          raise Stopped('the training loop heard a signal')
      finally:
        if pool is not None:
          pool.close()
      self.pack(stage)

  def _prepare(self, stage: Stage) -> Any:
    """Makes the job and its batches; on the way, what the evaluation will look at."""
    from experiments import carry, face_run

    if stage.name == 'motion':
      fill_cache(stage, self.args, self.scratch)
    stage.job = stage.run.job()
    loader = None
    if stage.first_step:
      loader = carry.read_checkpoint(stage.name, stage.run, stage.workdir).loader
    if stage.name == 'motion' or stage.run.source != 'live':
      return stage.job.batches(loader, 0, 1)
    eager = dataclasses.replace(stage.run, pool_start=0)
    pool = Pool(eager.job().batches(loader, 0, 1), stage.run.pool_start)
    # The renderers need a while: time to render those whom nobody trains on.
    try:
      run = stage.run
      pairs = face_run.held_out_pairs(run.held_out, run.model.size)
    except BaseException:
      pool.close()
      raise
    stage.job = dataclasses.replace(
      stage.job,
      evaluate=lambda params: face_run.evaluate(run.model, params, pairs),
      preview=lambda params: {'face': face_run.preview(run.model, params, pairs)},
    )
    return pool

  # -- results -------------------------------------------------------------------------
  def pack(self, stage: Stage) -> None:
    """Writes the state of a stage, as soon as that is trained."""
    from experiments import carry

    found = carry.read_checkpoint(stage.name, stage.run, stage.workdir)
    if found is not None:
      self._packed[stage.name] = carry.encode(found.state, self.exact), found
    self.write()

  def finish(self) -> None:
    """Writes the states of those that were broken off."""
    for stage in self.stages:
      if stage.name not in self._packed:
        self.pack(stage)
    self.write()

  def write(self) -> None:
    """Writes what is packed, with the figures that are known by now.

    A stage that is not trained here, or not yet, is passed on as it came.
    """
    from experiments import carry

    written: list[Path] = []
    for stage in self.stages:
      if stage.name in self._packed:
        files, found = self._packed[stage.name]
        meta = dict(found.meta)
        if 'tail' in stage.facts:
          meta['tail'] = {device_name(): stage.facts['tail']}
        texts = carry.run_texts(stage.workdir, found, meta)
        written += carry.write_parts(self.out, stage.name, files, texts)
    for name in STAGES:
      if name not in self._packed and self.args.resume:
        for part in sorted(self.args.resume.glob(f'{name}.state.*')):
          if self.args.resume.resolve() != self.out.resolve():
            shutil.copyfile(part, self.out / part.name)
          written.append(self.out / part.name)
    size = sum(part.stat().st_size for part in written)
    if size > MOST_BYTES or len(written) > MOST_PARTS:
      raise UserError(
        f'{self.out} holds {len(written)} parts of {size / 2**20:.0f} MiB, more than '
        f'{MOST_PARTS} and {MOST_BYTES >> 20}; carry one stage only (--face-share 1, 0)'
      )

  def evaluate(self) -> None:
    """Figures and a picture of each stage, in the time that is left."""
    import cv2

    from vasa_jax.training.checkpoint import restore_params
    from vasa_jax.training.writers import Writer

    for stage in self.stages:
      if stage.name not in self._packed or stage.job is None:
        continue
      if time.monotonic() > self.end:
        stage.facts['note'] = 'no time was left to evaluate'
        continue
      before = time.monotonic()
      params = restore_params(stage.workdir)
      step = self._packed[stage.name][1].step
      stage.facts['figures'] = figures = stage.job.evaluate(params)
      writer = Writer(stage.workdir, step)
      writer.figures(step, {f'eval/{k}': v for k, v in figures.items()})
      writer.close()
      for picture in stage.job.preview(params).values():
        file = self.out / f'{stage.name}.png'
        if not cv2.imwrite(str(file), picture[..., ::-1]):
          raise UserError(f'cannot write {file}; free space or choose another --out')
      stage.facts['tail'] = time.monotonic() - before

  def table(self) -> dict[str, Any]:
    """What was done, as written to table.json."""
    from vasa_jax.training.checkpoint import git_commit, versions

    stages = {}
    for stage in self.stages:
      step = stage.first_step
      if stage.name in self._packed:
        step = self._packed[stage.name][1].step
      stages[stage.name] = {
        'step': step,
        'steps_here': step - stage.first_step,
        'batch_size': stage.run.batch_size,
        'drivers': getattr(stage.run, 'drivers', None),
        'dtype': stage.run.model.dtype,
        **rates(stage.workdir / 'metrics.jsonl', stage.first_step),
        **stage.facts,
      }
    table = {
      'device': device_name(),
      'cores': os.cpu_count(),
      'minutes': self.args.minutes,
      'minutes_used': (time.monotonic() - self.begun) / 60,
      'stopped_by': self.heard or None,
      'stages': stages,
      'versions': versions(),
      'commit': git_commit(),
    }
    return table | {'row': row(table)}


def rates(file: Path, after: int) -> dict[str, float]:
  """Medians of the rates that were logged after a step; the first one compiles."""
  import numpy as np

  text = file.read_text() if file.exists() else ''
  lines = [json.loads(line) for line in text.splitlines()]
  lines = [x for x in lines if x['step'] > after and 'samples_per_second' in x]
  lines = lines[1:] or lines
  names = 'samples_per_second', 'data_wait'
  return {n: float(np.median([x[n] for x in lines])) for n in names} if lines else {}


def row(table: dict[str, Any]) -> str:
  """The table's one line for a Markdown table of machines.

  Columns: device, dtype, samples/s of stage 1 and 2, waiting for data in stage 1, PSNR
  on held-out rendered people, correlation of the mouth with the truth.
  """
  face, motion = (table['stages'].get(name, {}) for name in STAGES)

  def show(values, name, form):
    return format(values[name], form) if name in values else '-'

  cells = [
    table['device'],
    face.get('dtype') or motion.get('dtype'),
    show(face, 'samples_per_second', '.1f'),
    show(motion, 'samples_per_second', '.0f'),
    show(face, 'data_wait', '.0%'),
    show(face.get('figures', {}), 'psnr', '.2f'),
    show(motion.get('figures', {}), 'mouth_r', '.2f'),
  ]
  return '| ' + ' | '.join(map(str, cells)) + ' |'
