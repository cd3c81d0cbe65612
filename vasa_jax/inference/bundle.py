"""Trained weights as a folder.

    config.json          both configs and what is known about the training
    face.safetensors     parameters of the face model, flat names `a/b/c`
    motion.safetensors   parameters of the motion model, likewise
    ear.safetensors      what the motion model hears with, unless that is log-mel or a
                         published checkpoint (`audio/ear_file.py`)
    MODEL_CARD.md        for people

Arrays may be float16 or 8 bits a weight on disk; in memory they are float32. Nothing in
the folder is ever executed.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import vasa_jax
from vasa_jax.audio import ear_file
from vasa_jax.errors import UserError
from vasa_jax.files import write_whole
from vasa_jax.teachers.eight_bits import packed, unpacked

EMBEDDED = Path(__file__).parents[1] / 'weights'
FORMAT = 1
_PARTS = ('face', 'motion')


@dataclasses.dataclass(frozen=True)
class Bundle:
  """Both models with their parameters.

  Attributes:
    face_config, motion_config: the models' frozen dataclasses.
    face_params, motion_params: nested dictionaries of float32 arrays.
    meta: what `config.json` says of the training (JSON values).
    name: of the folder, `embedded` for the shipped one.
    digest: first 16 hex digits of the sha256 over the data files.
    ear: the file `ear.safetensors`, if the motion model hears with one of its own;
      None is the embedded one.
  """

  face_config: Any
  face_params: Any
  motion_config: Any
  motion_params: Any
  meta: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  name: str = 'unsaved'
  digest: str = ''
  ear: Path | None = None

  @property
  def hears(self) -> str:
    """What the motion model was trained to hear with, for `audio.hearing.hear`.

    Of a published checkpoint the kind alone: only the user knows where it lies.
    """
    kind = self.motion_config.hears
    return f'ear:{self.ear}' if kind == 'ear' and self.ear else kind


def load_bundle(path: str | Path | None = None) -> Bundle:
  """Reads a weights folder.

  Args:
    path: the folder; None is the one that ships with the package.

  Raises:
    UserError: something is missing, cut off, or does not fit the config.
  """
  from vasa_jax.inference import models
  from vasa_jax.teachers.loader import nest

  folder = EMBEDDED if path is None else Path(path)
  configs, meta = read_config(folder)
  text = (folder / 'config.json').read_bytes()
  layout, params, sha = json.loads(text).get('layout', {}), {}, hashlib.sha256(text)
  for part in _PARTS:
    file = folder / f'{part}.safetensors'
    arrays = _read_arrays(file)
    # Tracing both models for their shapes takes 2 s of CPU time; weights that this very
    # version has checked while it wrote them need it no more.
    if layout.get(part) != _layout(configs[part], arrays):
      _check(file, arrays, models.shapes(part, configs[part]))
    params[part] = nest(arrays)
    sha.update(file.read_bytes())
  ear = None
  if configs['motion'].hears == 'ear':
    ear = folder / ear_file.NAME
    if not ear.is_file():
      raise UserError(f'{ear}: missing; get the weights again')
    sha.update(ear.read_bytes())
  return Bundle(
    configs['face'],
    params['face'],
    configs['motion'],
    params['motion'],
    meta,
    'embedded' if path is None else folder.resolve().name,
    sha.hexdigest()[:16],
    ear,
  )


def save_bundle(folder: str | Path, bundle: Bundle, dtype: str = 'float16') -> None:
  """Writes a weights folder; each file is complete or not there.

  Args:
    folder: made if it is missing.
    bundle: what to write; its `name` and `digest` are not stored.
    dtype: of floating arrays on disk, 'float16', 'float32', or 'int8' for 8 bits a
      weight.

  The model card is left alone if there is one: people write it.

  Raises:
    UserError: the parameters do not fit the configs, or the folder cannot be written.
  """
  from safetensors.numpy import save

  from vasa_jax.inference import models
  from vasa_jax.teachers.loader import flatten
  from vasa_jax.training.config import to_dict

  folder = Path(folder)
  configs = {'face': bundle.face_config, 'motion': bundle.motion_config}
  trees = {'face': bundle.face_params, 'motion': bundle.motion_params}
  flat = {part: flatten(models.to_numpy(trees[part])) for part in _PARTS}
  for part in _PARTS:
    name = folder / f'{part}.safetensors'
    _check(name, flat[part], models.shapes(part, configs[part]))
  text = {
    'format': FORMAT,
    **{part: to_dict(configs[part]) for part in _PARTS},
    'layout': {part: _layout(configs[part], flat[part]) for part in _PARTS},
    'meta': dict(bundle.meta),
  }
  try:
    folder.mkdir(parents=True, exist_ok=True)
    for part in _PARTS:
      arrays = flat[part]
      if dtype == 'int8':
        stored = packed(dict(sorted(arrays.items())))
      else:
        stored = {name: _narrow(name, a, dtype) for name, a in sorted(arrays.items())}
      write_whole(folder / f'{part}.safetensors', save(stored))
    if bundle.motion_config.hears == 'ear':
      heard = (bundle.ear or ear_file.EMBEDDED).read_bytes()
      write_whole(folder / ear_file.NAME, heard)
    write_whole(folder / 'config.json', (json.dumps(text, indent=2) + '\n').encode())
    card = folder / 'MODEL_CARD.md'
    if not card.exists():
      write_whole(card, b'# Model card\n\nUnpublished weights; see config.json.\n')
  except OSError as error:
    raise UserError(f'{folder}: cannot be written ({error.strerror})') from None


def read_config(folder: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
  """Returns ({'face': config, 'motion': config}, meta) of a weights folder."""
  from vasa_jax.inference import models
  from vasa_jax.training.config import from_json

  folder = Path(folder)
  if not folder.is_dir():
    raise UserError(f'{folder}: no such weights folder')
  file = folder / 'config.json'
  try:
    values = json.loads(file.read_text(encoding='utf-8'))
    if values['format'] != FORMAT:
      raise UserError(
        f'{file}: format {values["format"]} is unknown here; update vasa_jax'
      )
    configs = {
      part: from_json(models.config_type(part), json.dumps(values[part]))
      for part in _PARTS
    }
    return configs, dict(values.get('meta', {}))
  except FileNotFoundError:
    raise UserError(f'{file}: missing; this is not a weights folder') from None
  except UserError as error:
    raise UserError(f'{file}: {error}') from None
  except (OSError, ValueError, KeyError, TypeError) as error:
    raise UserError(f'{file}: damaged ({error}); get the weights again') from None


def _read_arrays(file: Path) -> dict[str, np.ndarray]:
  from safetensors import SafetensorError
  from safetensors.numpy import load

  try:
    arrays = unpacked(load(file.read_bytes()))
  except FileNotFoundError:
    raise UserError(f'{file}: missing; get the weights again') from None
  except (OSError, SafetensorError, ValueError, KeyError) as error:
    raise UserError(f'{file}: damaged or cut off ({error}); get it again') from None
  wide = {}
  for name, array in arrays.items():
    if array.dtype.kind == 'f' or array.dtype.name == 'bfloat16':
      array = array.astype(np.float32)
      if not np.isfinite(array).all():
        raise UserError(f'{file}: values of {name} are no numbers; get it again')
    wide[name] = array
  return wide


def _check(
  file: Path, arrays: Mapping[str, np.ndarray], wanted: Mapping[str, tuple[int, ...]]
) -> None:
  """Raises an error that names the first array that does not fit the config."""
  for name in sorted(set(wanted) | set(arrays)):
    if name not in arrays:
      raise UserError(f'{file}: {name} is missing; config.json is of other weights')
    if name not in wanted:
      raise UserError(f'{file}: {name} is not part of the model that config.json names')
    if arrays[name].shape != tuple(wanted[name]):
      raise UserError(
        f'{file}: {name} has shape {arrays[name].shape}, '
        f'config.json asks for {tuple(wanted[name])}'
      )


def _layout(config: Any, arrays: Mapping[str, np.ndarray]) -> str:
  """Digest of what decides whether arrays fit: version, config, names and shapes."""
  shapes = sorted((name, *array.shape) for name, array in arrays.items())
  text = repr((vasa_jax.__version__, config, shapes))
  return hashlib.sha256(text.encode()).hexdigest()[:16]


def _narrow(name: str, array: np.ndarray, dtype: str) -> np.ndarray:
  if array.dtype.kind != 'f':
    return np.ascontiguousarray(array)
  # Statistics divide and multiply what the networks see: kept exact, they cost nothing.
  if array.ndim < 2 or np.abs(array).max(initial=0) > np.finfo(np.float16).max:
    dtype = 'float32'
  return np.ascontiguousarray(array.astype(dtype))
