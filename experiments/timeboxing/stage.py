"""A stage of a call: its settings for this machine, and how it is taken up."""

import argparse
import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vasa_jax.errors import UsageError, UserError

STAGES = ('face', 'motion')
MOST_BYTES, MOST_PARTS = 60 << 20, 5  # the rest is for pictures and the table
# Settings of the machine rather than of the run: another one may have others.
MACHINE = (
  'source', 'records', 'workers', 'pool', 'pool_start', 'perceptual_weights', 'cache',
  'init_from', 'batch_size', 'drivers', 'held_out', 'held_out_windows',
  'held_out_clips',
)  # fmt: skip


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
