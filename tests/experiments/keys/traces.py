"""What a setting may change, as text that can be compared: programs, shapes, values.

A program is its jaxpr with all constants: two settings that give the same text compute
the same.
"""

import hashlib
import re
from typing import Any

import jax
import numpy as np


def program(function, *args) -> str:
  """The jaxpr of a function and its constants; args may be shapes."""
  closed = jax.make_jaxpr(function)(*args)
  text = re.sub(r'0x[0-9a-f]+', '', str(closed))  # places in memory
  return digest(text, *closed.consts)


def values(tree: Any) -> str:
  """Structure, shapes and numbers of a tree of arrays."""
  leaves = jax.tree_util.tree_leaves_with_path(tree)
  return digest(*(str(path) for path, _ in leaves), *(leaf for _, leaf in leaves))


def digest(*parts: Any) -> str:
  """One short text of texts and arrays."""
  found = hashlib.sha256()
  for part in parts:
    if not isinstance(part, str):
      part = np.asarray(part)
      found.update(f'{part.shape}{part.dtype}'.encode())
      part = part.tobytes()
    else:
      part = part.encode()
    found.update(part)
  return found.hexdigest()
