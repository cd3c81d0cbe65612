"""A `FaceCode` in a file: what does not move of a portrait, for the Python API."""

import io
import json
import zipfile
from pathlib import Path

import jax
import numpy as np

import vasa_jax
from vasa_jax.errors import UsageError, UserError
from vasa_jax.files import write_whole
from vasa_jax.inference.bundle import Bundle
from vasa_jax.inference.talking_face import TalkingFace
from vasa_jax.types import FaceCode


def save_code(
  path: str | Path, code: FaceCode, bundle: Bundle, portrait_sha256: str
) -> None:
  """Writes a `FaceCode` as `.npz`, with a statement of what it was made from.

  Raises:
    UserError: no such folder, or it cannot be written.
    UsageError: the name does not end in .npz.
  """
  path = Path(path)
  if path.suffix != '.npz':
    raise UsageError(f'{path}: the code is an NPZ file; give a name that ends in .npz')
  if not path.parent.is_dir():
    raise UserError(f'{path.parent}: no such folder; make it first')
  leaves = jax.tree_util.tree_leaves_with_path(code)
  arrays = {_leaf_name(keys): np.asarray(leaf) for keys, leaf in leaves}
  about = {
    'version': vasa_jax.__version__,
    'weights': f'{bundle.name} {bundle.digest}'.strip(),
    'portrait_sha256': portrait_sha256,
  }
  data = io.BytesIO()
  np.savez(data, about=np.array(json.dumps(about)), **arrays)
  try:
    write_whole(path, data.getvalue())
  except OSError as error:
    raise UserError(f'{path}: cannot be written ({error.strerror})') from None


def load_code(path: str | Path, face: TalkingFace) -> FaceCode:
  """Reads what `save_code` wrote, for the same model.

  Raises:
    UserError: not such a file, or made with a model of another shape.
  """
  wanted = face.face.code_shapes()
  leaves, structure = jax.tree_util.tree_flatten_with_path(wanted)
  try:
    # Opened here: numpy leaves a damaged file open.
    with open(path, 'rb') as raw, np.load(raw, allow_pickle=False) as file:
      arrays = [file[_leaf_name(keys)] for keys, _ in leaves]
  except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
    raise UserError(f'{path}: not a face code of this model ({error})') from None
  for (keys, leaf), array in zip(leaves, arrays, strict=True):
    if array.shape != leaf.shape:
      raise UserError(
        f'{path}: {_leaf_name(keys)} has shape {array.shape}, this model needs '
        f'{leaf.shape}; encode the portrait again'
      )
  return jax.tree_util.tree_unflatten(structure, arrays)


def _leaf_name(keys: tuple) -> str:
  return '/'.join(str(getattr(key, 'name', getattr(key, 'key', key))) for key in keys)
