"""Arrays of published weights from disk: npz, safetensors, pickles of numpy arrays.

A pickle can run any code when it is opened, so a bare `pickle.load` never happens here:
`NumpyUnpickler` builds numpy arrays and plain containers and refuses every other name.
Names are flat on the outside, `a/b/c`, and nested dictionaries inside a Linen module.
"""

import io
import os
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.files import write_whole

# The whole vocabulary a pickle of numpy arrays needs. Old files say `numpy.core`, which
# numpy 2 keeps only behind a warning: both spellings lead to the same function.
_ALLOWED = {
  ('numpy', 'ndarray'): np.ndarray,
  ('numpy', 'dtype'): np.dtype,
  ('numpy.core.multiarray', '_reconstruct'): np._core.multiarray._reconstruct,
  ('numpy._core.multiarray', '_reconstruct'): np._core.multiarray._reconstruct,
}


class NumpyUnpickler(pickle.Unpickler):
  """Reads dictionaries, lists, numbers, text and numpy arrays; refuses the rest."""

  def find_class(self, module: str, name: str) -> Any:
    try:
      return _ALLOWED[module, name]
    except KeyError:
      raise pickle.UnpicklingError(f'it asks for {module}.{name}') from None


def load_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
  """Reads a weights file by its suffix.

  Args:
    path: `.npz`, `.safetensors`, or a pickle of numpy arrays (`.pkl`, `.pickle`,
      `.ckpt`).

  Returns:
    Flat name `a/b/c` to array.

  Raises:
    UserError: the file is missing, cut short, of another kind, or a pickle that holds
      anything but arrays.
  """
  path = Path(path)
  if not path.is_file():
    raise UserError(f'no weights file at {path}')
  try:
    if path.suffix == '.npz':
      # Opened here: numpy leaves its own handle open when the file is cut short.
      with path.open('rb') as file, np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
    if path.suffix == '.safetensors':
      from safetensors import SafetensorError
      from safetensors.numpy import load_file

      try:
        return load_file(path)
      except SafetensorError as error:
        raise ValueError(str(error)) from error
    if path.suffix in ('.pkl', '.pickle', '.ckpt'):
      with path.open('rb') as file:
        return flatten(NumpyUnpickler(file).load())
  except (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError,
    zipfile.BadZipFile, pickle.UnpicklingError,
  ) as error:  # fmt: skip
    raise UserError(f'cannot read the weights in {path}: {error}') from error
  raise UserError(
    f'{path.name} is not a weights file this project reads (npz, safetensors, pickle)'
  )


def flatten(tree: Mapping[str, Any], prefix: str = '') -> dict[str, np.ndarray]:
  """Nested dictionaries of numeric arrays to flat names `a/b/c`.

  Raises:
    ValueError: something in the tree is not a numeric array.
  """
  if not isinstance(tree, Mapping):
    raise ValueError(f'expected a dictionary of arrays, found {type(tree).__name__}')
  flat = {}
  for name, value in tree.items():
    if isinstance(value, Mapping):
      flat.update(flatten(value, f'{prefix}{name}/'))
    elif isinstance(value, np.ndarray) and value.dtype.kind in 'biuf':
      flat[f'{prefix}{name}'] = value
    else:
      raise ValueError(f'{prefix}{name} is not a numeric array')
  return flat


def nest(flat: Mapping[str, np.ndarray]) -> dict[str, Any]:
  """Flat names `a/b/c` to the nested dictionaries of a Linen module."""
  tree: dict[str, Any] = {}
  for name, value in flat.items():
    *folders, leaf = name.split('/')
    node = tree
    for folder in folders:
      node = node.setdefault(folder, {})
    node[leaf] = value
  return tree


def save_npz(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
  """Writes `arrays` to a file that is seen whole or not at all.

  Raises:
    UserError: the folder cannot be written.
  """
  data = io.BytesIO()
  np.savez(data, **arrays)
  try:
    write_whole(path, data.getvalue())
  except OSError as error:
    raise UserError(f'cannot write {path}: {error.strerror or error}') from error
