"""Run settings as frozen dataclasses, read from Python files, changed by `--set a.b=c`.

An unknown name or a value of the wrong type is an error that names the nearest valid
name or the type that was expected; nothing is ever silently ignored.
"""

import ast
import dataclasses
import difflib
import importlib.util
import json
import math
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from vasa_jax.errors import UsageError

if TYPE_CHECKING:
  from vasa_jax.training.job import Job

T = TypeVar('T')

# May differ when a run is taken up again: where to stop and what to write down, not
# what is learned. `steps` and `minutes` stretch the learning-rate schedule to the new
# end.
RESUMABLE = frozenset(
  'steps minutes log_every save_every preview_every eval_every keep mode devices '
  'fsdp_min_mib profile_at profile_steps'.split()
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
  """What every training run has; a stage subclasses it with its own fields and `job`.

  Attributes:
    steps: updates in all.
    minutes: wall-clock limit over all starts of the run, or None. Whichever of `steps`
      and `minutes` comes first ends the run; the cosine follows whichever is further
      on.
    seed: seed of initialisation, noise and data order.
    batch_size: samples per update over all devices of all hosts.
    micro_batches: parts that a device's share of a batch is cut into, one after the
      other, their gradients averaged: the memory of a part, the update of the whole.
    optimizer: 'adamw' or 'sgd'.
    learning_rate: peak value.
    schedule: 'cosine' or 'constant', both after warm-up.
    warmup_steps: updates of linear warm-up.
    final_lr_ratio: end of the cosine, as a share of the peak.
    beta1, beta2: AdamW moments.
    weight_decay: decoupled, on arrays with two axes or more.
    clip_norm: limit of the gradient's norm, for each player by itself; 0 is off.
    critic_rate: learning rate of the critic, where there is one, as a multiple.
    ema_decay: decay of the parameter average; 0 keeps none.
    log_every, save_every, preview_every, eval_every: in updates; 0 is only at the end.
    keep: checkpoints kept; older ones are deleted.
    mode: 'pmap', 'jit' (state replicated) or 'fsdp' (jit, large arrays sharded).
    devices: local devices to use; 0 is all.
    fsdp_min_mib: arrays smaller than this stay replicated under 'fsdp'.
    profile_at, profile_steps: first update, and how many, that are recorded for a trace
      viewer (TensorBoard, Perfetto) in `profile/`; 0 records none.
  """

  steps: int = 1000
  minutes: float | None = None
  seed: int = 0
  batch_size: int = 8
  micro_batches: int = 1
  optimizer: Literal['adamw', 'sgd'] = 'adamw'
  learning_rate: float = 1e-3
  schedule: Literal['cosine', 'constant'] = 'cosine'
  warmup_steps: int = 0
  final_lr_ratio: float = 0.01
  beta1: float = 0.9
  beta2: float = 0.999
  weight_decay: float = 0.0
  clip_norm: float = 1.0
  critic_rate: float = 1.0
  ema_decay: float = 0.0
  log_every: int = 50
  save_every: int = 1000
  preview_every: int = 0
  eval_every: int = 0
  keep: int = 2
  mode: Literal['pmap', 'jit', 'fsdp'] = 'pmap'
  devices: int = 0
  fsdp_min_mib: float = 4.0
  profile_at: int = 0
  profile_steps: int = 5

  def job(self) -> 'Job':
    """The stage's functions for these settings."""
    raise UsageError(
      f'{type(self).__name__} is not a stage: get_config() must return a run that '
      'defines job(), such as FaceRun or MotionRun'
    )


def _load(file: str | Path) -> types.ModuleType:
  path = Path(file)
  if not path.is_file():
    raise UsageError(f'config file {path} does not exist')
  spec = importlib.util.spec_from_file_location(f'_config_{path.stem}', path)
  if spec is None or spec.loader is None:
    raise UsageError(f'config file {path} is not a Python file (.py)')
  module = importlib.util.module_from_spec(spec)
  try:
    spec.loader.exec_module(module)
  except UsageError:
    raise
  except Exception as error:
    raise UsageError(
      f'config file {path} failed: {type(error).__name__}: {error}'
    ) from error
  return module


def load_config(file: str | Path, kind: type = RunConfig) -> Any:
  """Calls `get_config()` of a Python file.

  Args:
    file: config file.
    kind: what it has to give; a union of types is one too.

  Raises:
    UsageError: no such file, no `get_config`, or it gives something else.
  """
  module = _load(file)
  if not hasattr(module, 'get_config'):
    raise UsageError(f'config file {file} has no function get_config()')
  config = module.get_config()
  if not isinstance(config, kind):
    raise UsageError(
      f'get_config() of {file} must return a {_type_name(kind)}, not '
      f'{type(config).__name__}'
    )
  return config


def load_sweep(file: str | Path) -> list[tuple[str, dict[str, Any]]]:
  """The `(name, overrides)` pairs that `sweep()` of a config file yields, in order."""
  module = _load(file)
  if not hasattr(module, 'sweep'):
    raise UsageError(f'config file {file} has no function sweep()')
  items = [(str(name), dict(overrides)) for name, overrides in module.sweep()]
  names = [name for name, _ in items]
  for name in names:
    if names.count(name) > 1:
      raise UsageError(f'sweep() of {file} uses the name {name!r} twice')
    if not name or set(name) & set('/\\ ') or name.startswith('.'):
      raise UsageError(
        f'sweep() of {file}: {name!r} cannot name a folder; use letters, digits, _ - .'
      )
  return items


def _type_name(kind: Any) -> str:
  return kind.__name__ if isinstance(kind, type) else str(kind).replace('typing.', '')


def _coerce(key: str, value: Any, kind: Any) -> Any:
  """`value` (text from a command line, or an object) as `kind`, or a UsageError."""

  def wrong() -> UsageError:
    return UsageError(f'{key}={value!r}: expected {_type_name(kind)}')

  origin, args = typing.get_origin(kind), typing.get_args(kind)
  text = value.strip() if isinstance(value, str) else None
  if kind is Any:
    return value
  if origin in (typing.Union, types.UnionType):
    if type(None) in args and (value is None or text in ('None', 'none', 'null')):
      return None
    for option in args:
      if option is type(None):
        continue
      try:
        return _coerce(key, value, option)
      except UsageError:
        continue
    raise wrong()
  if origin is Literal:
    for option in args:
      if value == option or text == str(option):
        return option
    choices = ', '.join(map(str, args))
    raise UsageError(f'{key}={value!r}: expected one of {choices}')
  if dataclasses.is_dataclass(kind):
    if isinstance(value, kind):
      return value
    if isinstance(value, Mapping):
      return _from_dict(kind, value, key)
    raise UsageError(
      f'{key} is a group of settings; set one of them, as {key}.NAME=...'
    )
  if kind is bool:
    table = {'true': True, '1': True, 'false': False, '0': False}
    found = value if isinstance(value, bool) else table.get((text or '').lower())
    if found is None:
      raise wrong()
    return found
  if kind in (int, float):
    if isinstance(value, bool) or (kind is int and isinstance(value, float)):
      raise wrong()
    try:
      number = kind(value)
    except (TypeError, ValueError):
      raise wrong() from None
    if not math.isfinite(number):
      raise wrong()
    return number
  if kind is str:
    if not isinstance(value, str):
      raise wrong()
    return value
  if origin in (tuple, list):
    if text is not None:
      try:
        value = ast.literal_eval(text)
      except (ValueError, SyntaxError):
        value = tuple(part.strip() for part in text.split(','))
    if not isinstance(value, tuple | list):
      value = (value,)
    if origin is list or len(args) == 2 and args[1] is Ellipsis:
      kinds = [args[0]] * len(value)
    else:
      kinds = list(args)
    if len(kinds) != len(value):
      raise wrong()
    return origin(_coerce(key, v, k) for v, k in zip(value, kinds, strict=True))
  if origin is dict and isinstance(value, Mapping):
    return {k: _coerce(f'{key}.{k}', v, args[1]) for k, v in value.items()}
  if isinstance(kind, type) and isinstance(value, kind):
    return value
  raise wrong()


def _unknown(config: Any, name: str, prefix: str) -> UsageError:
  names = flatten_names(config)
  full = f'{prefix}{name}'
  near = difflib.get_close_matches(full, names, n=1, cutoff=0.0)
  # A bare name that exists deeper down is what was meant.
  near = [n for n in names if n.rsplit('.', 1)[-1] == name][:1] or near
  hint = f'; did you mean {near[0]}?' if near else ''
  return UsageError(f'unknown setting {full}{hint}')


def flatten_names(config: Any, prefix: str = '') -> list[str]:
  """Dotted names of all settings of a dataclass, nested ones included."""
  names = []
  for field in dataclasses.fields(config):
    value = getattr(config, field.name, None)
    if dataclasses.is_dataclass(value):
      names += flatten_names(value, f'{prefix}{field.name}.')
    else:
      names.append(f'{prefix}{field.name}')
  return names


def _set(config: T, path: list[str], value: Any, prefix: str, root: Any) -> T:
  name, rest = path[0], path[1:]
  if not dataclasses.is_dataclass(config) or name not in {
    field.name for field in dataclasses.fields(config)
  }:
    raise _unknown(root, '.'.join(path), prefix)
  if rest:
    inner = _set(getattr(config, name), rest, value, f'{prefix}{name}.', root)
  else:
    kind = typing.get_type_hints(type(config))[name]
    inner = _coerce(f'{prefix}{name}', value, kind)
  return dataclasses.replace(config, **{name: inner})


def apply_overrides(config: T, overrides: Iterable[str] | Mapping[str, Any]) -> T:
  """`config` with settings replaced, in order; the last one wins.

  Args:
    config: a frozen dataclass, possibly nested.
    overrides: `['a.b=c', ...]` as typed, or `{'a.b': value}` as a sweep yields them.

  Raises:
    UsageError: unknown name (with the nearest valid one), wrong type, or no `=`.
  """
  if not isinstance(overrides, Mapping):
    pairs = []
    for item in overrides:
      name, equals, value = item.partition('=')
      if not equals or not name.strip():
        raise UsageError(f'--set {item}: write it as NAME=VALUE')
      pairs.append((name.strip(), value))
  else:
    pairs = list(overrides.items())
  for name, value in pairs:
    try:
      config = _set(config, name.split('.'), value, '', config)
    except (ValueError, AssertionError) as error:
      raise UsageError(f'{name}={value}: {error}') from error
  return config


def to_dict(config: Any) -> dict[str, Any]:
  """Settings as plain JSON values, with the class's name under `run`."""
  return {'run': type(config).__name__, **json.loads(json.dumps(_plain(config)))}


def _plain(config: Any) -> dict[str, Any]:
  return dataclasses.asdict(config)


def to_json(config: Any) -> str:
  """`config.json` of a run: stable order, one setting a line."""
  return json.dumps(to_dict(config), indent=2) + '\n'


def _from_dict(kind: type[T], values: Mapping[str, Any], prefix: str = '') -> T:
  hints = typing.get_type_hints(kind)
  fields = {field.name for field in dataclasses.fields(kind)}
  made = {}
  for name, value in values.items():
    key = f'{prefix}.{name}' if prefix else name
    if name not in fields:
      near = difflib.get_close_matches(name, sorted(fields), n=1, cutoff=0.0)
      raise UsageError(f'unknown setting {key}; did you mean {near[0]}?')
    made[name] = _coerce(key, value, hints[name])
  return kind(**made)


def from_json(kind: type[T], text: str) -> T:
  """The dataclass that `to_json` wrote; missing settings take their defaults."""
  values = json.loads(text)
  name = values.pop('run', kind.__name__)
  if name != kind.__name__:
    raise UsageError(f'these settings are of a {name}, not of a {kind.__name__}')
  return _from_dict(kind, values)


def differing(old: Mapping[str, Any], new: Mapping[str, Any], prefix='') -> list[str]:
  """Dotted names of the settings that differ between two `to_dict` results, sorted."""
  names = []
  for name in sorted(set(old) | set(new)):
    a, b = old.get(name), new.get(name)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
      names += differing(a, b, f'{prefix}{name}.')
    elif a != b:
      names.append(f'{prefix}{name}')
  return names
