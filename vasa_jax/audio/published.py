"""Published weights of an audio net under our names: what loaders of such nets share.

A loader writes down, row by row, which published arrays make which of our parameters.
Everything a file lacks, holds beyond that, or has in another shape is one error.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.teachers import torch_file
from vasa_jax.teachers.loader import load_arrays, nest

WEIGHTS = ('model.safetensors', 'pytorch_model.bin')


class Row(NamedTuple):
  """One of our parameters.

  Attributes:
    ours: its path, `layers_0/qkv/kernel`.
    theirs: names of the published arrays that it is made of.
    how: makes it of them, in that order.
  """

  ours: str
  theirs: tuple[str, ...]
  how: Callable[..., np.ndarray] = np.asarray


def conv(weight: np.ndarray) -> np.ndarray:
  """A 1-D kernel, PyTorch's `(out, in, k)` to `(k, in, out)`."""
  return weight.transpose(2, 1, 0)


def norm_rows(ours: str, theirs: str) -> list[Row]:
  """Scale and bias of a norm."""
  return [Row(f'{ours}/scale', (f'{theirs}.weight',)), bias_row(ours, theirs)]


def dense_rows(ours: str, theirs: str) -> list[Row]:
  """Kernel and bias of a linear map."""
  return [
    Row(f'{ours}/kernel', (f'{theirs}.weight',), np.transpose),
    bias_row(ours, theirs),
  ]


def conv_rows(ours: str, theirs: str, bias: bool = True) -> list[Row]:
  """Kernel and bias of a convolution."""
  kernel = Row(f'{ours}/kernel', (f'{theirs}.weight',), conv)
  return [kernel, bias_row(ours, theirs)] if bias else [kernel]


def bias_row(ours: str, theirs: str) -> Row:
  """A bias."""
  return Row(f'{ours}/bias', (f'{theirs}.bias',))


def qkv_rows(ours: str, names: Sequence[str], key_bias: bool = True) -> list[Row]:
  """Queries, keys and values as one map; a key without bias gets zeros."""

  def kernel(*weights):
    return np.concatenate(weights).T

  def bias(*biases):
    q, v = biases[0], biases[-1]
    return np.concatenate([q, biases[1] if key_bias else np.zeros_like(q), v])

  biased = names if key_bias else (names[0], names[2])
  return [
    Row(f'{ours}/kernel', tuple(f'{name}.weight' for name in names), kernel),
    Row(f'{ours}/bias', tuple(f'{name}.bias' for name in biased), bias),
  ]


def convert(
  rows: Sequence[Row], state: Mapping[str, np.ndarray], shapes: Any, what: str
) -> dict:
  """Nested parameters of published arrays.

  Args:
    rows: all of our parameters.
    state: published name to array; nothing that the rows do not name.
    shapes: nested parameters as `jax.eval_shape` gives them.
    what: the file, for errors.

  Raises:
    UserError: names are missing or unknown, or shapes differ.
  """
  wanted = {name for row in rows for name in row.theirs}
  for names, problem in (
    (wanted - set(state), 'lacks'),
    (set(state) - wanted, 'holds what this net does not have:'),
  ):
    if names:
      raise UserError(f'{what} {problem} {listed(names)}')
  flat = {
    row.ours: row.how(*(np.asarray(state[n], np.float32) for n in row.theirs))
    for row in rows
  }
  expected = flat_shapes(shapes)
  if set(expected) != set(flat):
    raise UserError(
      f'{what}: its configuration does not fit: {listed(set(expected) ^ set(flat))}'
    )
  for name, shape in expected.items():
    if flat[name].shape != shape:
      raise UserError(
        f'{what}: {name} has shape {flat[name].shape}, its configuration says {shape}'
      )
  return nest(flat)


def flat_shapes(shapes: Any) -> dict[str, tuple[int, ...]]:
  """Nested arrays or their shapes to the shapes by flat name."""
  return {
    '/'.join(key.key for key in keys): leaf.shape
    for keys, leaf in jax.tree_util.tree_leaves_with_path(shapes)
  }


def listed(names: Collection[str]) -> str:
  """The first names of many."""
  names = sorted(names)
  more = f' and {len(names) - 3} more' if len(names) > 3 else ''
  return ', '.join(names[:3]) + more


def weights_file(path: Path, names: Sequence[str] = WEIGHTS) -> Path:
  """The weights file that `path` is, or that lies in the folder `path`.

  Raises:
    UserError: there is none.
  """
  if path.is_file():
    return path
  for name in names:
    if (path / name).is_file():
      return path / name
  if not path.is_dir():
    raise UserError(f'no weights at {path}')
  raise UserError(f'{path}: holds none of {", ".join(names)}')


def read_state(file: Path) -> dict[str, np.ndarray]:
  """Published name to array, from safetensors or a PyTorch file.

  Raises:
    UserError: it cannot be read.
  """
  if file.suffix in torch_file.SUFFIXES:
    return torch_file.load_torch(file)
  return load_arrays(file)


def read_json(file: Path) -> dict[str, Any]:
  """A JSON object.

  Raises:
    UserError: the file is missing or holds something else.
  """
  try:
    found = json.loads(file.read_text())
  except FileNotFoundError:
    raise UserError(f'no {file.name} beside the weights: {file} is needed') from None
  except (OSError, ValueError) as error:
    raise UserError(f'cannot read {file}: {error}') from error
  if not isinstance(found, dict):
    raise UserError(f'cannot read {file}: it holds no settings')
  return found
