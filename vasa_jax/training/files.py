"""Small files of a run, written whole or not at all.

A kill or a full disk in the middle of a write must not leave a config or a history of
figures half there: the next start reads them. Checkpoints are orbax's own care.
"""

import os
from pathlib import Path

from etils import epath

from vasa_jax.errors import UserError


def write_whole(path: str | Path, data: bytes | str) -> None:
  """Replaces `path` by `data` in one go; the old content stays if that fails.

  Args:
    path: local or remote; its folder is made. An object store replaces whole files
      anyway.
    data: text is written as UTF-8.

  Raises:
    OSError: as the file system says it.
  """
  path = epath.Path(path)
  data = data.encode() if isinstance(data, str) else data
  path.parent.mkdir(parents=True, exist_ok=True)
  if '://' in str(path):
    path.write_bytes(data)
    return
  part = path.parent / f'.{path.name}.part'
  try:
    part.write_bytes(data)
    os.replace(part, path)
  except OSError:
    part.unlink(missing_ok=True)
    raise


def refused(path: str | Path, error: OSError) -> UserError:
  """The line for somebody whose disk does not take `path`."""
  return UserError(
    f'cannot write {path}: {error.strerror or error}; free space or fix the '
    'permission, then run the same command again to go on'
  )
