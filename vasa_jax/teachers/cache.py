"""Where fetched weights lie (no JAX: data workers look there too)."""

import os
from pathlib import Path


def cache_folder() -> Path:
  """`$VASA_CACHE`, else `vasa_jax` in the user's cache folder (XDG)."""
  if chosen := os.environ.get('VASA_CACHE'):
    return Path(chosen)
  base = os.environ.get('XDG_CACHE_HOME')
  return Path(base if base else Path.home() / '.cache') / 'vasa_jax'


def stored_path(name: str) -> Path:
  """Where the converted file of the weights `name` is kept; it may not exist."""
  return cache_folder() / 'teachers' / f'{name}.npz'
