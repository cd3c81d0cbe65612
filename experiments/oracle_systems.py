"""Face models that the oracle asks: training runs, exported weights, anybody's own.

Somebody else's face model comes as a Python file with

    def get_adapter():
      return FaceAdapter(encode, decode, perceive), SIDE

`vasa_jax.metrics.oracle.FaceAdapter` says what the three functions take and give
(`perceive` reads pose and dynamics off a picture, and is None for a model that takes
the anchored labels); SIDE is that of its square pictures in pixels. What is inside, JAX
or not, does not matter: arrays go in and come out.
"""

import argparse
import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vasa_jax.errors import UsageError, UserError
from vasa_jax.metrics.oracle import FaceAdapter


class System(NamedTuple):
  """A face model that is asked.

  Attributes:
    name: in tables and of files.
    adapter: the model.
    side: of its pictures, pixels.
    version: what it was when it was asked; another one is asked anew.
  """

  name: str
  adapter: FaceAdapter
  side: int
  version: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """The arguments that name systems."""
  add = parser.add_argument
  add('sweep', type=Path, nargs='?', help='workdir of a sweep or of a run')
  add('--weights', action='append', default=[], metavar='DIR', help='or embedded')
  add('--adapter', action='append', default=[], metavar='NAME=FILE',
      help='a Python file with get_adapter()')  # fmt: skip
  add('--own-eyes', action='store_true', help='never tell a model the labels')


def systems(args: argparse.Namespace) -> Iterator[System]:
  """The systems that the arguments name, each built when it is its turn.

  Raises:
    UsageError: none is named, or a folder or file is none.
  """
  runs = [] if args.sweep is None else runs_in(args.sweep)
  if not (runs or args.weights or args.adapter):
    raise UsageError('name a sweep, --weights or --adapter: nobody would be asked')
  for run in runs:
    yield of_run(run, args.own_eyes)
  for folder in args.weights:
    yield of_weights(folder, args.own_eyes)
  for words in args.adapter:
    yield of_file(words)


def runs_in(folder: Path) -> list[Path]:
  """A run's folder, or those of a sweep's runs.

  Raises:
    UsageError: there is none.
  """
  if (folder / 'config.json').is_file():
    return [folder]
  runs = sorted(p.parent for p in folder.glob('*/config.json'))
  runs = [run for run in runs if (run / 'checkpoints').is_dir()]
  if not runs:
    raise UsageError(f'{folder} holds no run, nor does a folder in it')
  return runs


def of_run(run: Path, own_eyes: bool = False) -> System:
  """A run's averaged parameters, of its newest checkpoint."""
  from vasa_jax.face.config import FaceConfig
  from vasa_jax.face.step import model_params
  from vasa_jax.metrics.adapters import face_adapter
  from vasa_jax.training.checkpoint import restore_params
  from vasa_jax.training.config import from_json

  settings = json.loads((run / 'config.json').read_text())
  config = from_json(FaceConfig, json.dumps(settings['model']))
  params = model_params(restore_params(run))
  steps = (p.name for p in (run / 'checkpoints').iterdir() if p.name.isdigit())
  return System(
    run.name, face_adapter(config, params, own_eyes), config.size,
    str(max(map(int, steps))),
  )  # fmt: skip


def of_weights(folder: str, own_eyes: bool = False) -> System:
  """The face model of a weights folder, or of the `embedded` one."""
  from vasa_jax.inference.bundle import load_bundle
  from vasa_jax.metrics.adapters import face_adapter

  bundle = load_bundle(None if folder == 'embedded' else folder)
  adapter = face_adapter(bundle.face_config, bundle.face_params, own_eyes)
  name = 'embedded' if folder == 'embedded' else Path(folder).name
  return System(name, adapter, bundle.face_config.size, bundle.digest)


def of_file(words: str) -> System:
  """A face model of somebody's own, `NAME=FILE`.

  Raises:
    UsageError: not of this form, no such file, or it gives no adapter.
  """
  name, equals, path = words.partition('=')
  if not (name and equals) or '/' in name:
    raise UsageError(f'--adapter {words}: write it as NAME=FILE')
  if not Path(path).is_file():
    raise UsageError(f'--adapter {words}: no such file')
  try:
    found = runpy.run_path(path)
    adapter, side = found['get_adapter']()
  except UserError:
    raise
  except Exception as error:  # whatever somebody else's code raises
    raise UsageError(
      f'{path}: get_adapter() did not give an adapter and a side '
      f'({type(error).__name__}: {error})'
    ) from error
  if not isinstance(adapter, FaceAdapter):
    raise UsageError(f'{path}: get_adapter() gave {type(adapter).__name__}, no adapter')
  return System(name, adapter, int(side), str(Path(path).stat().st_mtime_ns))
