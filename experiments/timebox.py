"""Trains both stages within M minutes and leaves what a later call goes on from.

    python -m experiments.timebox --minutes 9 --out box --motion-cache cache.npz
    python -m experiments.timebox --minutes 9 --out box2 --resume box ...

For a machine that is there for minutes, has nothing but numpy, numba, jax, flax, optax,
orbax and OpenCV, and gives back a few small files. Heads are rendered in worker
processes while stage 1 trains; stage 2 follows on motion records. OUT gets at most 8
files, each below 16 MiB, all below 64:

    face.state.*  motion.state.*     the checkpoints (`experiments.carry`)
    face.png  motion.png             held-out people: portrait, truth, picture; curves
    table.json                       device, rates, figures

Each state is written as soon as its stage is trained, and before the evaluation: who is
cut off late loses figures only. The first program takes a minute or more to compile on
a slow machine; that cannot be cut short, so give it minutes enough.
SIGTERM and Ctrl-C write what there is and exit 0.
"""

import argparse
import dataclasses
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.ahead import Ahead, Pool
from experiments.command import run_command
from vasa_jax.errors import UsageError, UserError

CONFIGS = Path(__file__).parent / 'configs'
STAGES = ('face', 'motion')
MOST_BYTES, MOST_PARTS = 60 << 20, 5  # the rest is for pictures and the table
# Settings of the machine rather than of the run: another one may have others.
MACHINE = (
  'source', 'records', 'workers', 'pool', 'pool_start', 'perceptual_weights', 'cache',
  'init_from', 'batch_size', 'drivers', 'held_out', 'held_out_windows',
  'held_out_clips',
)  # fmt: skip


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.timebox',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  add = parser.add_argument
  add('--minutes', type=float, required=True, metavar='M', help='all told, from now')
  add('--out', type=Path, required=True, help='folder of the results')
  add('--resume', type=Path, metavar='DIR', help="an earlier call's --out")
  add(
    '--face-share', type=float, default=0.7, metavar='P',
    help='share of the training time for stage 1; 1 or 0 trains one stage only',
  )  # fmt: skip
  add('--workers', type=int, metavar='N', help='rendering processes')
  add('--motion-cache', metavar='FILE', help='of experiments.cache_latents')
  add('--speech', type=int, default=100, metavar='N', help='clips without a cache')
  add('--vgg', metavar='FILE', help='npz of the VGG16 trunk; else no perceptual loss')
  add('--face-config', default=str(CONFIGS / 'face_lite.py'), metavar='FILE')
  add('--motion-config', default=str(CONFIGS / 'motion_lite.py'), metavar='FILE')
  for stage in STAGES:
    add(f'--set-{stage}', nargs='+', action='extend', default=[], metavar='NAME=VALUE')
  add(
    '--reserve', type=float, metavar='S',
    help='seconds kept for packing and evaluation (default: as last measured)',
  )  # fmt: skip
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if args.minutes <= 0 or not 0 <= args.face_share <= 1 or args.speech < 2:
    parser.error('--minutes > 0, --face-share in 0..1 and --speech >= 2, please')
  return args


class Stopped(Exception):
  """SIGTERM or Ctrl-C outside of the training loop, which has its own ear for them."""


@dataclasses.dataclass
class Stage:
  """One stage of this call.

  Attributes:
    name: 'face' or 'motion'.
    run, job: settings and functions.
    workdir: in a scratch folder.
    first_step, first_seconds: where it begins; of earlier calls.
    last_tail: seconds that packing and evaluating took in the call before.
    facts: what the table says of it.
  """

  name: str
  run: Any
  workdir: Path
  job: Any = None
  first_step: int = 0
  first_seconds: float = 0.0
  last_tail: float | None = None
  facts: dict[str, Any] = dataclasses.field(default_factory=dict)


def device_name() -> str:
  """What it runs on, as JAX names it."""
  import jax

  devices = jax.devices()
  return f'{len(devices)} x {devices[0].device_kind}'


def make_run(name: str, args: argparse.Namespace, earlier: Any = None) -> Any:
  """Settings of a stage for this machine: config, then the machine's, then `--set-*`.

  `earlier` are the settings that it was begun with: they stay, but for the machine's
  and what `--set-*` changes.
  """
  import jax

  from vasa_jax.training.config import apply_overrides, flatten_names, load_config

  device = jax.default_backend() != 'cpu'
  config = earlier or load_config(getattr(args, f'{name}_config'))
  known = flatten_names(config)
  # The time is the limit; the learning rate follows the clock.
  changes = {'steps': 1_000_000, 'save_every': 2000, 'eval_every': 0}
  changes |= {'preview_every': 0, 'keep': 1, 'devices': 1}
  changes['model.dtype'] = 'bfloat16' if device else 'float32'
  cores = os.cpu_count() or 1
  if name == 'face':
    workers = args.workers or max(1, cores - 2 if device else cores // 2)
    changes |= {'source': 'live', 'workers': workers}
    changes['perceptual_weights'] = str(args.vgg or '')
    if device:
      changes |= {'batch_size': 16, 'drivers': 3, 'pool': 2048}
      changes['pool_start'] = 8 * workers
  else:
    changes['cache'] = str(args.motion_cache or '')
    if device:
      changes['batch_size'] = 128
  changes = {key: value for key, value in changes.items() if key in known}
  run = apply_overrides(config, changes)
  return apply_overrides(run, getattr(args, f'set_{name}'))


def settle(workdir: Path, run: Any) -> None:
  """Lets a carried run go on under this machine's settings; others are left to differ.

  The loop compares config.json with its settings and names what differs.
  """
  from vasa_jax.training.config import from_json, to_dict

  file = workdir / 'config.json'
  # Read as settings, so that one that is newer than the run has its default.
  old, new = to_dict(from_json(type(run), file.read_text())), to_dict(run)
  old |= {key: new[key] for key in MACHINE if key in new}
  old['model']['dtype'] = new['model']['dtype']
  file.write_text(json.dumps(old, indent=2) + '\n')


def make_stage(name: str, args: argparse.Namespace, scratch: Path) -> Stage:
  """The stage, taken up from `--resume` where that holds it."""
  from experiments import carry

  workdir = scratch / name
  found = carry.unpack(args.resume, name, workdir) if args.resume else None
  run = make_run(name, args, found and found.run)
  stage = Stage(name, run, workdir)
  if found is not None:
    settle(workdir, run)
    stage.first_step, stage.first_seconds = found.step, found.seconds
    stage.last_tail = (found.meta.get('tail') or {}).get(device_name())
  return stage


def fits_exactly(stages: Sequence[Stage]) -> bool:
  """Whether the states can be carried bit for bit; else they are rounded.

  Raises:
    UsageError: they cannot be carried at all. Told before any work.
  """
  from experiments import carry

  states = [carry.abstract_state(stage.name, stage.run) for stage in stages]
  size = sum(map(carry.count_params, states)) * carry.NARROW_BYTES
  if size > MOST_BYTES:
    raise UsageError(
      f'the states would take about {size / 2**20:.0f} MiB of {MOST_BYTES >> 20}; '
      'train one stage (--face-share 1 or 0), a smaller model, or use experiments.train'
    )
  return carry.state_bytes(states) * 0.95 < MOST_BYTES


def fill_cache(stage: Stage, args: argparse.Namespace, scratch: Path) -> None:
  """Makes a small motion cache with the built-in voice where none was given."""
  if stage.run.cache:
    return
  from data_pipelines import motion_cache, motion_speech
  from data_pipelines.errors import UserError as DataError
  from data_pipelines.motion_hearing import front_end

  place = scratch / 'cache'
  workers = max(1, min(args.workers or os.cpu_count() or 1, 16))
  ear = front_end(stage.run.model.hears)
  clips = motion_speech.speech_clips(args.speech, 0, ['formant'], workers, ear)
  try:
    motion_cache.write_cache(place, clips, ear.scale, ear.offset, ear.name)
  except DataError as error:
    raise UserError(str(error)) from error
  stage.run = dataclasses.replace(stage.run, cache=str(place))
  if (stage.workdir / 'config.json').exists():
    settle(stage.workdir, stage.run)


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


def timebox(args: argparse.Namespace) -> int:
  """Trains, packs, evaluates; the exit code."""
  import jax

  try:
    args.out.mkdir(parents=True, exist_ok=True)
  except OSError as error:
    raise UserError(f'cannot write to {args.out}: {error.strerror or error}') from error
  if args.resume and not any(args.resume.glob('*.state.000')):
    raise UsageError(f'{args.resume} holds no *.state.000; give the --out of a call')
  failure = None
  with tempfile.TemporaryDirectory(prefix='vasa_timebox_') as folder:
    if not jax.config.jax_compilation_cache_dir:
      jax.config.update('jax_compilation_cache_dir', f'{folder}/compiled')
    with Box(args, Path(folder)) as box:
      try:
        box.train()
      except Stopped:
        box.heard = box.heard or 'SIGTERM'
      except Exception as error:  # what an earlier stage learned is still written
        failure = error
      box._armed = False
      box.finish()
      if not box.heard and failure is None:
        try:
          box._armed = True
          box.evaluate()
          box._armed = False
          box.write()
        except Stopped:
          pass
      box._armed = False
      table = box.table()
      text = json.dumps(table, indent=1) + '\n'
      (args.out / 'table.json').write_text(text)
  if failure is not None:
    raise failure
  print(table['row'])
  steps = ', '.join(f'{n} step {s["step"]}' for n, s in table['stages'].items())
  print(f'{args.out}: {steps}, {table["minutes_used"]:.1f} minutes')
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: timebox(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
