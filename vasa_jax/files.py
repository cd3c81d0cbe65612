"""Small files, written whole or not at all.

A kill or a full disk in the middle of a write must not leave a config, a history of
figures or weights half there: the next start reads them. Checkpoints are orbax's own
care.
"""

import os
from pathlib import Path

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
  data = data.encode() if isinstance(data, str) else data
  if '://' in str(path):
    from etils import epath

    path = epath.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return
  path = Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
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
