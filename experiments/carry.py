"""A run's newest checkpoint as a few small files that can be carried by hand.

`NAME.state.000, .001, ...` are the parts, 15 MiB each, of one zip archive: config,
figures, loader position, and the training state as byte planes. Exact where there is
room. Else floating arrays keep their exponent and

    16 bits of the fraction   the average (or the parameters, without an average)
     6                        parameters minus average, which is small
     4                        the optimizer's two moments

which is 0.43 of the size; arrays of one axis (biases, statistics) stay exact. What
is lost is below what a few steps of training change; a run goes on, not bit for bit.
"""

import dataclasses
import functools
import io
import json
import math
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.training.checkpoint import Checkpoints, Restored
from vasa_jax.training.config import RunConfig, from_json
from vasa_jax.training.optimizer import make_optimizer
from vasa_jax.training.state import TrainState, init_state

PART_BYTES = 15 << 20
AVERAGE, DIFFERENCE, MOMENTS, EXACT = 16, 6, 4, 23  # bits of the fraction
NARROW_BYTES = 6.2  # of a parameter, all told, once packed (measured on lite: 5.7)


@dataclasses.dataclass(frozen=True)
class Carried:
  """What came out of the parts.

  Attributes:
    run: the run's settings.
    step: updates done.
    seconds: of training, over all starts.
    meta: what the checkpoint knew: versions, commit, devices.
  """

  run: RunConfig
  step: int
  seconds: float
  meta: dict[str, Any]


def run_type(name: str) -> type[RunConfig]:
  """The settings class of `'face'` or `'motion'`."""
  if name == 'face':
    from experiments.face_run import FaceRun

    return FaceRun
  from experiments.motion_run import MotionRun

  return MotionRun


@functools.lru_cache(maxsize=8)
def _abstract_params(name: str, model: Any) -> Any:
  # The stage's own `init`, but without its data, of which only shapes are wanted.
  if name == 'face':
    from vasa_jax.face.autoencoder import init_params
  else:
    from vasa_jax.motion.step import init_params
  return jax.eval_shape(lambda key: init_params(model, key), jax.random.key(0))


def abstract_state(name: str, run: RunConfig) -> TrainState:
  """Shapes of the whole training state of `'face'` or `'motion'`; nothing computed."""
  optimizer = make_optimizer(run)
  return jax.eval_shape(
    lambda params: init_state(params, optimizer, run.ema_decay),
    _abstract_params(name, run.model),
  )


def count_params(state: TrainState) -> int:
  """Parameters of a (possibly abstract) state."""
  return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(state.params))


def shorten(values: np.ndarray, bits: int) -> np.ndarray:
  """float32 values rounded to `bits` of the fraction (to nearest; 23 changes nothing).

  The relative error is at most 2^-(bits + 1).
  """
  drop = EXACT - bits
  if not drop:
    return values
  raw = np.ascontiguousarray(values, np.float32).view(np.uint32)
  half = np.uint32(1 << (drop - 1))
  mask = np.uint32(0xFFFFFFFF << drop & 0xFFFFFFFF)
  return ((raw + half) & mask).view(np.float32)


def _squeeze(data: bytes) -> bytes:
  # Exponents repeat, fractions do not: counting symbols is all that pays, and is fast.
  coder = zlib.compressobj(1, strategy=zlib.Z_HUFFMAN_ONLY)
  return coder.compress(data) + coder.flush()


def _planes(values: np.ndarray) -> Iterator[bytes]:
  """First bytes of all values, then second, ... each squeezed; b'' if all zero."""
  raw = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
  for plane in raw.reshape(-1, values.dtype.itemsize).T:
    yield _squeeze(plane.tobytes()) if plane.any() else b''


def _leaves(state: TrainState) -> list[tuple[str, Any]]:
  flat = jax.tree_util.tree_leaves_with_path(state)
  return [(jax.tree_util.keystr(path), leaf) for path, leaf in flat]


def encode(state: TrainState, exact: bool) -> dict[str, bytes]:
  """The state as named byte strings; `decode` is the way back."""
  state = jax.tree.map(np.asarray, state)
  bits = {'params': EXACT, 'ema': EXACT, 'opt_state': EXACT}
  if not exact:
    bits = {'params': AVERAGE, 'ema': AVERAGE, 'opt_state': MOMENTS}
    if state.ema is not None:
      bits['params'] = DIFFERENCE
      # Against the average as it will be read, so that its rounding adds no error.
      average = jax.tree.map(lambda a: _short(a, AVERAGE), state.ema)
      difference = jax.tree.map(_minus, state.params, average)
      state = state.replace(params=difference, ema=average)
  files = {'exact': json.dumps(exact).encode()}
  for name, leaf in _leaves(state):
    field = name.strip('.').partition('[')[0].partition('.')[0]
    for i, plane in enumerate(_planes(_short(leaf, bits.get(field, EXACT)))):
      files[f'state/{name}/{i}'] = plane
  return files


def _matrix(leaf: np.ndarray) -> bool:
  return leaf.dtype == np.float32 and leaf.ndim > 1


def _short(leaf: np.ndarray, bits: int) -> np.ndarray:
  return shorten(leaf, bits) if _matrix(leaf) else leaf


def _minus(value: np.ndarray, base: np.ndarray) -> np.ndarray:
  return value - base if _matrix(value) else value


def _plus(value: np.ndarray, base: np.ndarray) -> np.ndarray:
  return value + base if _matrix(value) else value


def decode(files: zipfile.ZipFile, target: TrainState) -> TrainState:
  """The state that `encode` wrote, in the shapes of `target`.

  Raises:
    KeyError, ValueError: it is of another model.
  """
  leaves = []
  for name, like in _leaves(target):
    dtype, size = np.dtype(like.dtype), math.prod(like.shape)
    raw = np.zeros((size, dtype.itemsize), np.uint8)
    for i in range(dtype.itemsize):
      if plane := files.read(f'state/{name}/{i}'):
        raw[:, i] = np.frombuffer(zlib.decompress(plane), np.uint8)
    leaves.append(raw.reshape(-1).view(dtype).reshape(like.shape))
  state = jax.tree.unflatten(jax.tree.structure(target), leaves)
  if not json.loads(files.read('exact')) and state.ema is not None:
    state = state.replace(params=jax.tree.map(_plus, state.params, state.ema))
  return state


def read_checkpoint(name: str, run: RunConfig, workdir: str | Path) -> Restored | None:
  """The newest checkpoint of a run in host memory, or None."""
  with Checkpoints(workdir, run.keep) as checkpoints:
    if checkpoints.latest() is None:
      return None
    shapes = abstract_state(name, run)
    return checkpoints.restore(
      jax.tree.map(lambda a: np.empty(a.shape, a.dtype), shapes)
    )


def state_bytes(states: Iterable[TrainState]) -> int:
  """Bytes of (possibly abstract) states in memory."""
  leaves = jax.tree.leaves(list(states))
  return sum(math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize for leaf in leaves)


def run_texts(
  workdir: Path, found: Restored, meta: Mapping[str, Any]
) -> dict[str, str]:
  """What is carried beside the state, by name inside the archive."""
  info = {'step': found.step, 'loader': found.loader, 'meta': dict(meta)}
  texts = {'checkpoint.json': json.dumps(info)}
  for name in ('config.json', 'metrics.jsonl'):
    if (workdir / name).exists():
      texts[name] = (workdir / name).read_text()
  return texts


def write_parts(
  out: Path, name: str, files: dict[str, bytes], texts: dict[str, str]
) -> list[Path]:
  """Writes `out/name.state.NNN` and removes those of an earlier, longer one.

  Args:
    out: an existing folder.
    name: of the stage.
    files: from `encode`.
    texts: `config.json`, `checkpoint.json` and what else is to be carried.
  """
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_STORED) as archive:
    for inside, data in files.items():
      archive.writestr(inside, data)
    for inside, text in texts.items():
      archive.writestr(inside, text, zipfile.ZIP_DEFLATED)
  data, made = buffer.getvalue(), []
  try:
    for i, start in enumerate(range(0, len(data), PART_BYTES)):
      made.append(out / f'{name}.state.{i:03d}')
      part = out / f'.{made[-1].name}'
      part.write_bytes(data[start : start + PART_BYTES])
      part.replace(made[-1])
    for old in set(out.glob(f'{name}.state.*')) - set(made):
      old.unlink()
  except OSError as error:
    raise UserError(f'cannot write to {out}: {error.strerror or error}') from error
  return made


def unpack(folder: str | Path, name: str, workdir: Path) -> Carried | None:
  """Puts `folder/name.state.*` back into a work folder; None where there are none.

  Afterwards `experiments.train` and `experiments.export` take the folder as any other.

  Raises:
    UserError: a part is missing or damaged, or of another version of the model.
  """
  parts = sorted(Path(folder).glob(f'{name}.state.*'))
  if not parts:
    return None
  try:
    joined = io.BytesIO(b''.join(part.read_bytes() for part in parts))
    with zipfile.ZipFile(joined) as archive:
      run = from_json(run_type(name), archive.read('config.json').decode())
      info = json.loads(archive.read('checkpoint.json'))
      state = decode(archive, abstract_state(name, run))
      workdir.mkdir(parents=True, exist_ok=True)
      for text in ('config.json', 'metrics.jsonl'):
        if text in archive.namelist():
          (workdir / text).write_bytes(archive.read(text))
  except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, OSError) as error:
    raise UserError(
      f'{folder}/{name}.state.*: a part is missing or damaged, or of another version '
      f'({error}); copy all parts again, or start without them'
    ) from error
  with Checkpoints(workdir, run.keep) as checkpoints:
    checkpoints.save(info['step'], state, info['loader'], info['meta'])
    checkpoints.wait()
  meta = info['meta']
  return Carried(run, int(info['step']), float(meta.get('seconds', 0.0)), meta)
