"""Keeps traced programs between runs, beside the compiled ones.

The compilation cache spares XLA's work, but a run would still spend seconds on tracing
the models in Python, only to find out which compiled program it needs. `kept` is
`jax.jit` that writes what it traced (`jax.export`) to the user's cache folder, and
reads it the next time. A file is named by everything that its program depends on: the
package's own code, the versions, the configuration, the shapes.

Only on CPU, where it was measured, and only where `compilation.enable_cache` found a
folder that belongs to the user alone; elsewhere it is `jax.jit`.
"""

import contextlib
import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import flax
import jax
import jaxlib
from jax import export

from vasa_jax.face.enlarge import Layers
from vasa_jax.face.pixel_path import PixelCode
from vasa_jax.files import write_whole
from vasa_jax.inference.compilation import cache_folder
from vasa_jax.motion.conditions import Wishes
from vasa_jax.motion.windows import Past
from vasa_jax.types import FaceCode, Motion

PACKAGE = Path(__file__).parents[1]
DIGEST = 32  # bytes of a SHA-256, which stands before a program
MOST = 64  # files of up to 5 MB; a new version of the package needs new ones
TRACED = ('face', 'inference', 'motion', 'nn')  # folders whose code is in a program


def passes(*kinds: type) -> None:
  """Lets programs that are kept take and return these structs of arrays."""
  for kind in kinds:
    export.register_pytree_node_serialization(
      kind,
      serialized_name=f'{kind.__module__}.{kind.__qualname__}',
      serialize_auxdata=lambda _: b'',
      deserialize_auxdata=lambda _: (),
    )


passes(FaceCode, Layers, Motion, Past, PixelCode, Wishes)


def kept(
  function: Callable[..., Any], about: Any = None, static_argnames: Sequence[str] = ()
) -> Callable[..., Any]:
  """`jax.jit(function)`, whose traces outlive the process.

  Args:
    function: of pytrees of arrays; it must not depend on anything that is neither an
      argument nor in `about` nor in the package's code.
    about: what else it depends on, as the configuration; its `repr` counts.
    static_argnames: keyword arguments that are not arrays.
  """
  return _Kept(function, about, tuple(static_argnames))


def noted(make: Callable[[], Any], about: Any) -> Any:
  """What `make()` returns, which outlives the process.

  Args:
    make: returns what JSON can hold; tuples become lists. As the function of `kept`.
    about: what it depends on beside the package's code; its `repr` counts.
  """
  folder = _folder()
  if folder is None:
    return make()
  path = folder / f'{_digest(about, {}, ())}.program'
  found = _read(path)
  if found is None:
    made = make()
    _write(path, json.dumps(made).encode())
    return made
  return json.loads(found)


class _Kept:
  """See `kept`."""

  def __init__(self, function, about, static: tuple[str, ...]):
    self._function, self._about, self._static = function, about, static
    self._programs: dict[Any, Callable[..., Any]] = {}

  def __call__(self, *args: Any, **kwargs: Any) -> Any:
    static = {name: kwargs.pop(name) for name in self._static}
    leaves, tree = jax.tree.flatten((args, kwargs))
    shapes = tuple(map(_shape, leaves))
    signature = tree, shapes, tuple(static.items())
    program = self._programs.get(signature)
    if program is None:
      program = self._programs[signature] = self._program(args, kwargs, static)
    return program(*args, **kwargs)

  def _program(self, args, kwargs, static) -> Callable[..., Any]:
    function = functools.partial(self._function, **static)
    folder = _folder()
    if folder is None:
      return jax.jit(function)
    shapes = jax.tree.map(_shape, (args, kwargs))
    path = folder / f'{_digest(self._about, static, shapes)}.program'
    found = _read(path)
    if found is None:
      exported = export.export(jax.jit(function))(*args, **kwargs)
      _write(path, bytes(exported.serialize()))
    else:
      exported = export.deserialize(bytearray(found))
    return jax.jit(exported.call)


def _shape(leaf: Any) -> str:
  """Type and shape alone: NumPy's and JAX's arrays need one program, not two."""
  kind = jax.typeof(leaf)
  return f'{kind.dtype}{list(kind.shape)}'


def _folder() -> Path | None:
  """The folder of compiled programs if `enable_cache` has turned it on."""
  if jax.default_backend() != 'cpu':
    return None
  folder = cache_folder()
  return folder if jax.config.jax_compilation_cache_dir == str(folder) else None


def _write(path: Path, program: bytes) -> None:
  """Keeps a program, and drops the oldest ones; where it cannot, nothing is kept."""
  with contextlib.suppress(OSError):  # The next run only starts more slowly.
    write_whole(path, hashlib.sha256(program).digest() + program)
    _drop_oldest(path.parent)


def _drop_oldest(folder: Path) -> None:
  """Leaves the `MOST` files that were written or read last."""
  found = sorted(folder.glob('*.program'), key=lambda path: path.stat().st_mtime)
  for path in found[:-MOST]:
    path.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
  """What an earlier run has written; None without a file, or with a damaged one."""
  try:
    kept = path.read_bytes()
  except OSError:
    return None
  digest, program = kept[:DIGEST], kept[DIGEST:]
  if hashlib.sha256(program).digest() != digest:
    return None
  with contextlib.suppress(OSError):
    path.touch()
  return program


@functools.cache
def _sources() -> str:
  """Digest of the code that programs are traced from."""
  found = hashlib.sha256((PACKAGE / 'types.py').read_bytes())
  for folder in TRACED:
    for path in sorted((PACKAGE / folder).rglob('*')):
      if path.suffix in ('.py', '.npz'):
        name = path.relative_to(PACKAGE).as_posix()
        found.update(name.encode() + path.read_bytes())
  return found.hexdigest()


def _digest(about: Any, static: dict[str, Any], shapes: Any) -> str:
  settings = jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision
  versions = jax.__version__, jaxlib.__version__, flax.__version__
  parts = versions, _sources(), settings, about, static, shapes
  return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
