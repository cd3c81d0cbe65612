"""Keeps compiled programs between runs, in the user's own cache folder.

What lies in that folder is executed, so it must belong to the user alone: a folder that
others can write is not used.
"""

import os
import stat
from pathlib import Path


def cache_folder() -> Path:
  """`compiled` in `$VASA_CACHE`, else in `vasa_jax` in the user's cache (XDG)."""
  if chosen := os.environ.get('VASA_CACHE'):
    return Path(chosen) / 'compiled'
  base = os.environ.get('XDG_CACHE_HOME')
  return Path(base if base else Path.home() / '.cache') / 'vasa_jax' / 'compiled'


def enable_cache() -> Path | None:
  """Turns JAX's compilation cache on; returns its folder, None where there can be none.

  No cache is no error: the run only starts more slowly.
  """
  import jax

  try:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = folder.stat()
    # os.getuid is missing on Windows, whose profile folders are private already.
    if hasattr(os, 'getuid') and (
      state.st_uid != os.getuid() or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    ):
      return None
    if not os.access(folder, os.W_OK | os.X_OK):
      return None
  except (OSError, RuntimeError):
    return None
  jax.config.update('jax_compilation_cache_dir', str(folder))
  # Small programs count too: a start consists of many of them.
  jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.1)
  jax.config.update('jax_persistent_cache_min_entry_size_bytes', -1)
  return folder
