"""Small trained judges as one file each: safetensors in half precision, with a card.

The file's metadata hold the net's config and what it was trained on; nothing in it can
run. `experiments.ship_judge` writes it from a run.
"""

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.files import write_whole
from vasa_jax.teachers.loader import flatten, nest


class Shipped(NamedTuple):
  """A judge's file.

  Attributes:
    config: fields of the net's config.
    params: nested, float32.
    about: what it was trained on, in words.
    digest: of the file; another net has another one.
  """

  config: dict[str, Any]
  params: dict[str, Any]
  about: str
  digest: str


def load_shipped(path: str | os.PathLike) -> Shipped:
  """Reads what `save_shipped` wrote.

  Raises:
    UserError: no such file, or it is damaged.
  """
  from safetensors import SafetensorError, safe_open

  path = Path(path)
  if not path.is_file():
    raise UserError(f'no weights file at {path}')
  try:
    with safe_open(path, framework='numpy') as file:
      card = file.metadata() or {}
      arrays = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
    config = json.loads(card['config'])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
  except (SafetensorError, OSError, KeyError, ValueError) as error:
    raise UserError(f'cannot read the weights in {path}: {error}') from error
  for name, value in config.items():
    if isinstance(value, list):
      config[name] = tuple(value)
  return Shipped(config, nest(arrays), card.get('about', ''), digest)


def save_shipped(path: str | os.PathLike, config: Any, params: Any, about: str) -> None:
  """Writes a judge's file whole, arrays as float16.

  Args:
    path: the file, `.safetensors`.
    config: the net's dataclass.
    params: nested arrays.
    about: what it was trained on.

  Raises:
    UserError: it cannot be written.
  """
  from safetensors.numpy import save

  arrays = {
    # What is not contiguous would be stored in the order of its memory.
    name: np.ascontiguousarray(value, np.float16)
    for name, value in flatten(params).items()
  }
  card = {'config': json.dumps(dataclasses.asdict(config)), 'about': about}
  try:
    write_whole(path, save(arrays, card))
  except OSError as error:
    raise UserError(f'cannot write {path}: {error.strerror or error}') from error
