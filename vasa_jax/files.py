"""Small files, written whole or not at all.

A kill or a full disk in the middle of a write must not leave a config, a history of
figures or weights half there: the next start reads them. Checkpoints are orbax's own
care.
"""

import os
import secrets
from pathlib import Path

from vasa_jax.errors import UserError


def write_whole(path: str | Path, data: bytes | str) -> None:
  """Replaces `path` by `data` in one go; the old content stays if that fails.

  Every writer has a part of its own, so of several at once one wins, whole. A process
  that is killed leaves its part behind: `.NAME.*.part`, which nothing reads.

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
  # By hand: the standard library's temporary files are readable by their owner alone.
  own = f'{os.getpid()}.{secrets.token_hex(4)}'
  part = path.parent / f'.{path.name}.{own}.part'
  try:
    part.write_bytes(data)
    os.replace(part, path)
  except BaseException:  # Ctrl-C too
    part.unlink(missing_ok=True)
    raise


def refused(path: str | Path, error: OSError) -> UserError:
  """The line for somebody whose disk does not take `path`."""
  return UserError(
    f'cannot write {path}: {error.strerror or error}; free space or fix the '
    'permission, then run the same command again to go on'
  )
