"""Checkpoints of a run, by orbax: state, loader position, config, versions, commit.

`WORKDIR/checkpoints/STEP/{state,data,meta}`. What is on disk does not depend on the
number of devices: replicas are saved once, cut arrays as global arrays. A save that was
broken off leaves a temporary folder that is never taken for a checkpoint, and that the
next start of the run clears away. An old checkpoint goes only after a newer one is
complete.
"""

import base64
import dataclasses
import functools
import json
import logging
import os
import re
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from etils import epath

from vasa_jax.errors import UserError

PACKAGES = ('vasa_jax', 'jax', 'flax', 'optax', 'orbax-checkpoint', 'numpy', 'grain')


@dataclasses.dataclass(frozen=True)
class Restored:
  """A checkpoint as read.

  Attributes:
    step: updates done when it was written.
    state: tree like the target: NumPy, or global arrays where the target had shardings.
    loader: what the loader's `get_state` gave on this host (or on any, if all agreed).
    meta: config, versions, commit, hosts, seconds.
  """

  step: int
  state: Any
  loader: Any
  meta: dict[str, Any]


def _to_json(value: Any) -> Any:
  if isinstance(value, bytes):
    return {'__bytes__': base64.b64encode(value).decode()}
  if isinstance(value, np.ndarray):
    return {'__array__': value.tolist(), 'dtype': str(value.dtype)}
  if isinstance(value, np.generic):
    return value.item()
  raise TypeError(
    f'a loader state holds {type(value).__name__}; give numbers, text, bytes, arrays, '
    'lists and dicts'
  )


def _from_json(value: dict[str, Any]) -> Any:
  if '__bytes__' in value:
    return base64.b64decode(value['__bytes__'])
  if '__array__' in value:
    return np.asarray(value['__array__'], value['dtype'])
  return value


class _LoaderHandler(ocp.CheckpointHandler):
  """Each host writes its own loader position: `data/process_I-of-N.json`."""

  def save(self, directory, args):
    name = f'process_{jax.process_index()}-of-{jax.process_count()}.json'
    text = json.dumps(args.state, default=_to_json)
    (epath.Path(directory) / name).write_text(text)

  def restore(self, directory, args=None):
    directory = epath.Path(directory)
    own = directory / f'process_{jax.process_index()}-of-{jax.process_count()}.json'
    if own.exists():
      return json.loads(own.read_text(), object_hook=_from_json)
    texts = sorted({file.read_text() for file in directory.glob('process_*.json')})
    if len(texts) == 1:
      return json.loads(texts[0], object_hook=_from_json)
    count = len(list(directory.glob('process_*.json')))
    raise UserError(
      f'the data position in {directory} is of each of {count} hosts and cannot be '
      f'shared out to {jax.process_count()}; resume with {count} processes'
    )


@ocp.args.register_with_handler(_LoaderHandler, for_save=True)
@dataclasses.dataclass
class _LoaderSave(ocp.args.CheckpointArgs):
  state: Any


@ocp.args.register_with_handler(_LoaderHandler, for_restore=True)
@dataclasses.dataclass
class _LoaderRestore(ocp.args.CheckpointArgs):
  pass


def git_commit() -> str:
  """Commit of the source tree, with `+changes` where it differs; '' outside git."""

  def git(*words: str) -> str:
    return subprocess.run(
      ['git', *words],
      cwd=Path(__file__).parent,
      capture_output=True,
      text=True,
      check=True,
      timeout=20,
    ).stdout.strip()

  try:
    return git('rev-parse', 'HEAD') + ('+changes' if git('status', '--short') else '')
  except (OSError, subprocess.SubprocessError):
    return ''


def versions() -> dict[str, str]:
  """Installed versions of the packages that decide a run's numbers."""
  found = {}
  for name in PACKAGES:
    try:
      found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
      continue
  return found


def _first_line(error: BaseException) -> str:
  text = str(error).strip() or type(error).__name__
  # TensorStore tells the whole path to the cause; the cause is what a person needs.
  if code := re.search(r"os_error_code='(\d+)'", text):
    return os.strerror(int(code[1]))
  return text.splitlines()[0][:300]


@functools.cache
def _tell_failures_once() -> None:
  """Keeps what orbax's threads fail with off the screen, for the whole process.

  `save`, `wait` or the end raises it again, as one line that says what to do; threads
  of orbax print a traceback besides, and writes that were still on their way find the
  event loop closed, each with a traceback of its own.
  """
  thread_hook, late_hook = threading.excepthook, sys.unraisablehook

  def in_thread(args) -> None:
    if not type(args.thread).__module__.startswith('orbax.'):
      thread_hook(args)

  def late(args) -> None:
    if not (
      isinstance(args.exc_value, RuntimeError)
      and str(args.exc_value) == 'Event loop is closed'
    ):
      late_hook(args)

  threading.excepthook, sys.unraisablehook = in_thread, late
  # orbax tells of every save at WARNING level, and of failures with their traceback.
  logging.getLogger('absl').addFilter(lambda record: 'orbax' not in record.pathname)


class Checkpoints:
  """The checkpoints of one run. Use as a context manager; all hosts make every call."""

  def __init__(self, workdir: str | Path, keep: int = 2, *, tidy: bool = False):
    """Opens (and makes) `workdir/checkpoints`.

    Args:
      workdir: the run's folder.
      keep: how many checkpoints stay, the newest ones.
      tidy: removes what broken-off saves have left. For the run itself alone: somebody
        else's look at the folder must not take away what is just being written.

    Raises:
      UserError: the folder cannot be written.
    """
    self.folder = epath.Path(workdir).absolute() / 'checkpoints'
    _tell_failures_once()
    try:
      self._manager = ocp.CheckpointManager(
        self.folder,
        options=ocp.CheckpointManagerOptions(
          max_to_keep=keep,
          enable_async_checkpointing=True,
          cleanup_tmp_directories=tidy,
        ),
        item_names=('state', 'data', 'meta'),
      )
    except OSError as error:
      raise UserError(
        f'cannot write to {self.folder}: {_first_line(error)}; choose another --workdir'
      ) from error

  def __enter__(self) -> 'Checkpoints':
    return self

  def __exit__(self, *exc) -> None:
    try:
      self._manager.close()
    except Exception as error:
      # An error that is already on its way tells more than the one of closing.
      if exc[0] is None:
        raise self._failed(error) from error

  def _failed(self, error: BaseException) -> UserError:
    # Not `latest`: the manager forgets what the failed one was to replace.
    last = max(ocp.utils.checkpoint_steps(self.folder), default=None)
    kept = 'no checkpoint is complete' if last is None else f'step {last} is safe'
    return UserError(
      f'cannot write a checkpoint to {self.folder}: {_first_line(error)}; {kept}; free '
      'space or fix the permission, then run the same command again to go on'
    )

  def latest(self) -> int | None:
    """Step of the newest complete checkpoint."""
    return self._manager.latest_step()

  def save(self, step: int, state: Any, loader: Any, meta: dict[str, Any]) -> None:
    """Starts a save in the background; `state` is NumPy or global arrays.

    Raises:
      UserError: this save, or the one before it, could not be written.
    """
    meta = {
      'step': step,
      'hosts': jax.process_count(),
      'devices': jax.device_count(),
      'versions': versions(),
      'commit': git_commit(),
      **meta,
    }
    args = ocp.args.Composite(
      state=ocp.args.StandardSave(state),
      data=_LoaderSave(loader),
      meta=ocp.args.JsonSave(meta),
    )
    try:
      self._manager.save(step, args=args, force=True)
      if any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(state)):
        self._manager.wait_until_finished()  # the next step donates these buffers
    except Exception as error:
      raise self._failed(error) from error

  def wait(self) -> None:
    """Returns when every save is complete on disk; raises UserError if one failed."""
    try:
      self._manager.wait_until_finished()
    except Exception as error:
      raise self._failed(error) from error

  def restore(self, target: Any, step: int | None = None) -> Restored | None:
    """Reads the newest checkpoint (or `step`); None where there is none.

    Args:
      target: tree of the state: NumPy arrays, or ShapeDtypeStructs with shardings.
      step: which one; None is the newest.

    Raises:
      UserError: the checkpoint is damaged or does not fit the target.
    """
    step = self.latest() if step is None else step
    if step is None:
      return None
    try:
      found = self._manager.restore(
        step,
        args=ocp.args.Composite(
          state=ocp.args.StandardRestore(target),
          data=_LoaderRestore(),
          meta=ocp.args.JsonRestore(),
        ),
      )
    except UserError:
      raise
    except Exception as error:
      raise _damaged(self.folder / str(step), error) from error
    return Restored(step, found.state, found.data, found.meta)


def _damaged(folder: epath.Path, error: BaseException) -> UserError:
  older = sorted(
    int(p.name) for p in folder.parent.iterdir() if p.name.isdigit() and p != folder
  )
  older = [step for step in older if step < int(folder.name)]
  then = f'go on from step {older[-1]}' if older else 'start anew'
  return UserError(
    f'checkpoint {folder} cannot be read ({_first_line(error)}); '
    f'delete that folder to {then}'
  )


def check_same_model(workdir: str | Path, params: Any, fresh: Any) -> None:
  """Raises UserError unless the parameters of a run have the shapes of `fresh` ones."""
  alike = jax.tree.structure(params) == jax.tree.structure(fresh) and all(
    a.shape == b.shape
    for a, b in zip(jax.tree.leaves(params), jax.tree.leaves(fresh), strict=True)
  )
  if not alike:
    raise UserError(f'{workdir} holds another model; set model.* as there')


def restore_params(workdir: str | Path, step: int | None = None) -> Any:
  """Parameters only, for evaluation and release: the average where there is one.

  Args:
    workdir: a run's folder.
    step: which checkpoint; None is the newest.

  Returns:
    Nested dict of NumPy arrays; nothing of the optimizer's state is read.

  Raises:
    UserError: no checkpoint there, or a damaged one.
  """
  folder = epath.Path(workdir).absolute() / 'checkpoints'
  steps = sorted(ocp.utils.checkpoint_steps(folder)) if folder.is_dir() else []
  if not steps or step is not None and step not in steps:
    wanted = 'checkpoint' if step is None else f'checkpoint of step {step}'
    raise UserError(f'no {wanted} in {folder}; train first, or check the path')
  place = folder / str(steps[-1] if step is None else step)
  try:
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as reader:
      tree = reader.metadata(place / 'state').item_metadata.tree
      part = 'params' if tree.get('ema') is None else 'ema'
      target = jax.tree.map(lambda a: np.empty(a.shape, a.dtype), tree[part])
      found = reader.restore(
        place / 'state',
        args=ocp.args.PyTreeRestore(
          {part: target},
          restore_args=ocp.checkpoint_utils.construct_restore_args({part: target}),
          partial_restore=True,
        ),
      )
  except Exception as error:
    raise _damaged(place, error) from error
  return found[part]
