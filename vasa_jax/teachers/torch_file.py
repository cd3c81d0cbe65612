"""Reads the arrays of a PyTorch checkpoint without PyTorch, and without running it.

Both forms that `torch.save` has written: the zip archive (since 1.6) and the older run
of pickles with raw storages behind it. Only the names that tensors and plain containers
need are known to the unpickler; a file that asks for more is refused. Names come out as
in the state dict, `layer1.0.conv1.weight`.
"""

import collections
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import ml_dtypes
import numpy as np

from vasa_jax.errors import UserError

SUFFIXES = ('.pt', '.pth', '.bin', '.model', '.tar')
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {
  'DoubleStorage': np.float64, 'FloatStorage': np.float32, 'HalfStorage': np.float16,
  'LongStorage': np.int64, 'IntStorage': np.int32, 'ShortStorage': np.int16,
  'CharStorage': np.int8, 'ByteStorage': np.uint8, 'BoolStorage': np.bool_,
  'BFloat16Storage': ml_dtypes.bfloat16,
}  # fmt: skip


class _Storage(NamedTuple):
  """A piece of memory that the file names; its bytes may come later."""

  key: str
  dtype: Any


class _Tensor(NamedTuple):
  """A view of a storage, in elements."""

  storage: _Storage
  offset: int
  size: tuple[int, ...]
  stride: tuple[int, ...]


def _tensor(storage, offset, size, stride, *more):
  del more  # requires_grad, hooks, metadata
  return _Tensor(storage, offset, tuple(size), tuple(stride))


def _parameter(data, *more):
  del more
  return data


_KNOWN = {
  ('collections', 'OrderedDict'): collections.OrderedDict,
  ('torch._utils', '_rebuild_tensor_v2'): _tensor,
  ('torch._utils', '_rebuild_tensor'): _tensor,
  ('torch._utils', '_rebuild_parameter'): _parameter,
  ('torch', 'Size'): tuple,
}


class _Unpickler(pickle.Unpickler):
  def find_class(self, module: str, name: str) -> Any:
    if module in ('torch', 'torch.storage') and name in _STORAGES:
      return _STORAGES[name]
    try:
      return _KNOWN[module, name]
    except KeyError:
      raise pickle.UnpicklingError(f'it asks for {module}.{name}') from None

  def persistent_load(self, pid: Any) -> _Storage:
    kind, dtype, key, *_ = pid
    if kind != 'storage':
      raise pickle.UnpicklingError(f'it refers to {kind!r}')
    return _Storage(str(key), dtype)


def _view(tensor: _Tensor, data: bytes) -> np.ndarray:
  flat = np.frombuffer(data, tensor.storage.dtype)
  last = tensor.offset + sum(
    (n - 1) * step for n, step in zip(tensor.size, tensor.stride, strict=True)
  )
  if 0 in tensor.size:
    return np.zeros(tensor.size, flat.dtype)
  if min((*tensor.stride, tensor.offset), default=0) < 0 or last >= len(flat):
    raise ValueError('a tensor reaches beyond its storage')
  strides = [step * flat.itemsize for step in tensor.stride]
  view = np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.size, strides)
  return np.array(view)


def _zipped(file: BinaryIO) -> tuple[Any, dict[str, bytes]]:
  with zipfile.ZipFile(file) as archive:
    names = archive.namelist()
    (table,) = [n for n in names if n.endswith('/data.pkl') or n == 'data.pkl']
    root = table.removesuffix('data.pkl')
    if f'{root}byteorder' in names and archive.read(f'{root}byteorder') != b'little':
      raise ValueError('its numbers are big-endian')
    with archive.open(table) as stream:
      tree = _Unpickler(stream).load()
    return tree, {
      n.removeprefix(f'{root}data/'): archive.read(n)
      for n in names
      if n.startswith(f'{root}data/')
    }


def _legacy(file: BinaryIO) -> tuple[Any, dict[str, bytes]]:
  if _Unpickler(file).load() != _LEGACY_MAGIC:
    raise ValueError('it is no PyTorch checkpoint')
  _Unpickler(file).load()  # protocol
  system = _Unpickler(file).load()
  if not system.get('little_endian', True):
    raise ValueError('its numbers are big-endian')
  dtypes: dict[str, Any] = {}

  class Noting(_Unpickler):
    def persistent_load(self, pid):
      storage = super().persistent_load(pid)
      dtypes[storage.key] = storage.dtype
      return storage

  tree = Noting(file).load()
  data = {}
  for key in _Unpickler(file).load():
    count = int.from_bytes(file.read(8), 'little')
    data[str(key)] = file.read(count * np.dtype(dtypes[str(key)]).itemsize)
  return tree, data


def _flat(tree: Any, prefix: str = ''):
  if isinstance(tree, _Tensor):
    yield prefix.removesuffix('.'), tree
  elif isinstance(tree, dict):
    for name, value in tree.items():
      yield from _flat(value, f'{prefix}{name}.')


def load_torch(path: str | os.PathLike) -> dict[str, np.ndarray]:
  """All tensors of a checkpoint by their names, joined with dots.

  A whole checkpoint (`{'state_dict': {...}, 'epoch': 3}`) gives `state_dict.NAME`;
  what is not a tensor is left out.

  Raises:
    UserError: the file is missing, damaged, or holds more than tensors.
  """
  path = Path(path)
  try:
    with path.open('rb') as file:
      zipped = zipfile.is_zipfile(file)
      file.seek(0)
      tree, data = (_zipped if zipped else _legacy)(file)
    return {name: _view(t, data[t.storage.key]) for name, t in _flat(tree)}
  except FileNotFoundError:
    raise UserError(f'no weights file at {path}') from None
  except (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError,
    zipfile.BadZipFile, pickle.UnpicklingError,
  ) as error:  # fmt: skip
    raise UserError(f'cannot read the weights in {path}: {error}') from error
