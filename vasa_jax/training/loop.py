"""The training loop: read it from top to bottom.

The order within a step is fixed: look at the figures (a NaN stops here), evaluate,
save, log, take a batch, update. The iterator moves only after the save, so that a
checkpoint and the data position beside it always belong together and a resumed run is
exact.
"""

import json
import signal
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np
from etils import epath

from vasa_jax.errors import UsageError, UserError
from vasa_jax.files import write_whole
from vasa_jax.training import config as config_lib
from vasa_jax.training.checkpoint import Checkpoints
from vasa_jax.training.config import RunConfig
from vasa_jax.training.job import Job
from vasa_jax.training.optimizer import learning_rate, make_optimizer
from vasa_jax.training.parallel import Runner, make_runner
from vasa_jax.training.state import init_state
from vasa_jax.training.update import make_step
from vasa_jax.training.watch import Goodput, Profile, compilations, dump_batch
from vasa_jax.training.writers import Progress, Writer

# Steps the host may be ahead of the devices: enough to hide the loader, few enough that
# queued batches do not fill the memory and that a time limit is kept.
RUN_AHEAD = 2


@dataclass(frozen=True)
class Outcome:
  """How a call of `fit` ended.

  Attributes:
    step: updates done.
    finished: False where a signal stopped it before its end.
    params: parameters as NumPy, averaged where the run keeps an average.
    metrics: the last figures, as written to metrics.jsonl.
  """

  step: int
  finished: bool
  params: Any
  metrics: dict[str, float]


class _StopSignal:
  """SIGTERM and SIGINT ask for a stop; a second SIGINT interrupts at once."""

  def __enter__(self) -> '_StopSignal':
    self.name = ''
    self._old = {}
    self._distributed = jax.process_count() > 1
    if threading.current_thread() is threading.main_thread():
      signals = [signal.SIGINT]
      # With several processes JAX listens for SIGTERM and agrees on a step to stop at.
      if not self._distributed:
        signals.append(signal.SIGTERM)
      for number in signals:
        self._old[number] = signal.signal(number, self._ask)
    return self

  def _ask(self, number, frame) -> None:
    del frame
    self.name = signal.Signals(number).name
    if number == signal.SIGINT:
      signal.signal(signal.SIGINT, signal.default_int_handler)

  def at(self, step: int) -> bool:
    """Whether to stop before update `step`; the same answer on every host."""
    if self._distributed:
      from jax.experimental import multihost_utils

      if multihost_utils.reached_preemption_sync_point(step):
        self.name = 'SIGTERM'
        return True
      if self.name:
        raise KeyboardInterrupt
      return False
    return bool(self.name)

  def __exit__(self, *exc) -> None:
    for number, handler in self._old.items():
      signal.signal(number, handler)


@dataclass
class _Meter:
  """Figures since the last log point, left on the devices until they are known anyway.

  Keeps the batches of the steps that are not settled, so that the one that breaks a
  run can be looked at.
  """

  workdir: str | Path
  first_step: int = 0
  pending: deque[tuple[dict[str, jax.Array], Any]] = field(default_factory=deque)
  sums: dict[str, float] = field(default_factory=dict)
  count: int = 0

  def add(self, metrics: dict[str, jax.Array], batch: Any) -> None:
    """Takes the figures of the next step, which may still be running."""
    self.pending.append((metrics, batch))

  def settle(self, runner: Runner, ahead: int = 0) -> None:
    """Waits until at most `ahead` steps run, and stops the run at the first NaN."""
    done = [self.pending.popleft() for _ in range(len(self.pending) - ahead)]
    for values, (_, batch) in zip(
      runner.scalars([metrics for metrics, _ in done]), done, strict=True
    ):
      bad = [name for name in ('loss', *values) if not np.isfinite(values[name])]
      if bad:
        kept = dump_batch(self.workdir, self.first_step, batch)
        raise UserError(
          f'{bad[0]} became {values[bad[0]]} at step {self.first_step}, its batch is '
          f'{kept}; what is saved is from before it: lower learning_rate or clip_norm '
          'in a new --workdir, or look at the data of that step'
        )
      for name, value in values.items():
        self.sums[name] = self.sums.get(name, 0.0) + value
      self.count += 1
      self.first_step += 1

  def take(self) -> dict[str, float]:
    """Means since the last call."""
    means = {name: total / self.count for name, total in self.sums.items()}
    self.sums, self.count = {}, 0
    return means


def prepare_workdir(run: RunConfig, workdir: str | Path) -> None:
  """Makes `workdir` and its config.json, or checks that it belongs to this run.

  Raises:
    UsageError: the folder was made with other settings; the message names them.
    UserError: the folder cannot be written.
  """
  folder = epath.Path(workdir)
  file = folder / 'config.json'
  text = config_lib.to_json(run)
  try:
    folder.mkdir(parents=True, exist_ok=True)
    if file.exists():
      old = json.loads(file.read_text())
      names = config_lib.differing(old, config_lib.to_dict(run))
      names = [name for name in names if name not in config_lib.RESUMABLE]
      if names:
        raise UsageError(
          f'{folder} was started with another config: {", ".join(names)} differ; '
          'choose another --workdir, or delete that one'
        )
    if jax.process_index() == 0 and not (file.exists() and file.read_text() == text):
      write_whole(file, text)
  except OSError as error:
    raise UserError(
      f'cannot write to {folder}: {error.strerror or error}; choose another --workdir'
    ) from error
  except ValueError as error:
    raise UserError(f'{file} is damaged ({error}); delete it or its folder') from error


def _agree(value: float) -> float:
  """Process 0's value on every process: clocks differ, decisions must not."""
  if jax.process_count() == 1:
    return value
  from jax.experimental import multihost_utils

  return float(multihost_utils.broadcast_one_to_all(np.float32(value)))


def fit(run: RunConfig, job: Job, workdir: str | Path) -> Outcome:
  """Trains until `run.steps` or `run.minutes`, from the newest checkpoint if any.

  Writes `config.json`, `metrics.jsonl`, `checkpoints/STEP`, `samples/*.png`. SIGTERM or
  Ctrl-C saves and returns with `finished=False`.

  Raises:
    UsageError: the workdir belongs to other settings.
    UserError: a loss became NaN, a checkpoint is damaged, or the disk refuses.
  """
  lead = jax.process_index() == 0
  prepare_workdir(run, workdir)

  # -- model and optimizer -------------------------------------------------------------
  optimizer = make_optimizer(run)
  key = jax.random.key(run.seed)
  init_key, root_key = jax.random.split(key)

  def init(key):
    return init_state(job.init(key), optimizer, run.ema_decay)

  abstract = jax.eval_shape(init, init_key)
  runner = make_runner(
    make_step(job.loss, optimizer, run.ema_decay, run.micro_batches),
    abstract,
    mode=run.mode,
    devices=run.devices,
    fsdp_min_mib=run.fsdp_min_mib,
    frozen=job.frozen,
  )

  with Checkpoints(workdir, run.keep, tidy=True) as checkpoints, _StopSignal() as stop:
    # -- start or resume ---------------------------------------------------------------
    restored = None
    if checkpoints.latest() is not None:
      restored = checkpoints.restore(runner.restore_like(abstract))
    if restored is None:
      state, step, loader, earlier = runner.create(init, init_key), 0, None, 0.0
    else:
      state, step = runner.place_state(restored.state), restored.step
      loader, earlier = restored.loader, float(restored.meta.get('seconds', 0.0))
    saved_step = step if restored is not None else None
    del restored

    # -- data, writers -----------------------------------------------------------------
    batches = job.batches(loader, jax.process_index(), jax.process_count())
    writer = Writer(workdir, step, active=lead)
    progress = Progress(run.steps, step, active=lead)
    meter, goodput = _Meter(workdir, step), Goodput()
    profile = Profile(workdir, run.profile_at if lead else 0, run.profile_steps)
    started, start_step = time.monotonic(), step
    limit = run.minutes * 60 if run.minutes else float('inf')
    figures: dict[str, float] = {}
    if step:
      progress.say(f'resumed at step {step}')

    def seconds() -> float:
      return earlier + time.monotonic() - started

    def due(every: int) -> bool:
      return every > 0 and step % every == 0 and step > start_step

    try:
      clock = min(_agree(seconds() / limit), 1.0)
      while True:
        # -- look, evaluate, save, log -------------------------------------------------
        logging, saving = due(run.log_every), due(run.save_every)
        if run.minutes and (jax.process_count() == 1 or due(run.log_every or 50)):
          clock = min(_agree(seconds() / limit), 1.0)
        stopped = stop.at(step)
        last = step >= run.steps or clock >= 1.0
        if logging or saving or last or stopped:
          meter.settle(runner)
        moved = step > start_step
        showing = due(run.preview_every) or last and moved
        evaluating = due(run.eval_every) or last and moved
        extra: dict[str, float] = {}
        if showing or evaluating:
          with goodput.spent('eval'):
            params = runner.host(state.best_params)
            if lead and evaluating:
              extra = {f'eval/{k}': float(v) for k, v in job.evaluate(params).items()}
            if lead and showing:
              writer.pictures(step, job.preview(params))
            del params
        if (saving or last or stopped) and step != saved_step:
          with goodput.spent('save'):
            checkpoints.save(
              step,
              runner.to_save(state),
              batches.get_state(),
              {'config': config_lib.to_dict(run), 'seconds': seconds()},
            )
          saved_step = step
        if logging or extra or (last or stopped) and meter.count:
          done, means = meter.count, meter.take()
          if done:
            shares = goodput.take()
            rate = done * run.batch_size / shares.pop('seconds')
            means |= {**shares, 'samples_per_second': rate}
          rate = float(learning_rate(run, step, clock))
          figures = {**means, **extra, 'learning_rate': rate, 'seconds': seconds()}
          writer.figures(step, figures)
          per_step = (time.monotonic() - started) / max(step - start_step, 1)
          left = min((run.steps - step) * per_step, limit - seconds())
          shown = ('loss', 'samples_per_second', 'data_wait', 'goodput')
          progress.tell(step, {k: figures[k] for k in shown if k in figures}, left)
          if run.minutes:
            state = state.replace(clock=runner.place_scalar(clock))
        if last or stopped:
          break

        # -- take a batch, update ------------------------------------------------------
        with goodput.spent('data'):
          try:
            batch = next(batches)
          except StopIteration:
            raise UserError(
              f'the data ended at step {step} of {run.steps}; batches must not end'
            ) from None
        profile.before(step)
        before = compilations().count
        with jax.profiler.StepTraceAnnotation('train', step_num=step):
          state, metrics = runner.step(state, runner.place_batch(batch), root_key)
        profile.after(step, metrics)
        # The first call compiles; a later one must not, it costs minutes each time.
        if compilations().count > before and step > start_step:
          shapes = jax.tree.map(np.shape, batch)
          progress.say(f'step {step} was compiled again, for a batch of {shapes}')
        meter.add(metrics, batch)
        meter.settle(runner, ahead=RUN_AHEAD)
        step += 1
        progress.advance()

      checkpoints.wait()
      if stopped and not last:
        progress.say(
          f'{stop.name}: saved at step {step}; run the same command again to go on'
        )
      params = runner.host(state.best_params)
      return Outcome(step, last, params, figures)
    finally:
      profile.close()
      progress.close()
      writer.close()
      close = getattr(batches, 'close', None)
      if close is not None:
        close()
