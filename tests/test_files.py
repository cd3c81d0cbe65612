"""Small files, written whole or not at all, by one writer or several at once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vasa_jax.files import write_whole

ROOT = Path(__file__).parents[1]
WRITER = """
import sys
from vasa_jax.files import write_whole
for _ in range(300):
  write_whole(sys.argv[1], sys.argv[2] * 100_000)
"""
KILLED = """
import os, signal, sys
from vasa_jax.files import write_whole
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write_whole(sys.argv[1], sys.argv[2])
"""


def _start(program: str, *words: str) -> subprocess.Popen:
  return subprocess.Popen([sys.executable, '-c', program, *words], cwd=ROOT)


def test_text_and_bytes_into_a_folder_that_is_made(tmp_path):
  file = tmp_path / 'a' / 'b'
  write_whole(file, 'ö')
  assert file.read_bytes() == 'ö'.encode()
  write_whole(str(file), b'\0')
  assert file.read_bytes() == b'\0' and os.listdir(file.parent) == ['b']


@pytest.mark.parametrize('mask', [0o022, 0o077])
def test_who_may_read_is_as_with_open(tmp_path, mask):
  before = os.umask(mask)
  try:
    write_whole(tmp_path / 'ours', 'x')
    (tmp_path / 'plain').write_text('x')
  finally:
    os.umask(before)
  modes = [(tmp_path / name).stat().st_mode for name in ('ours', 'plain')]
  assert modes[0] == modes[1] and modes[0] & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize('other_fails', [False, True])
def test_a_writer_that_comes_between(tmp_path, monkeypatch, other_fails):
  """The other one begins and ends while the first has its part, not yet the name."""
  file = tmp_path / 'config.json'
  replace = os.replace

  def fails(*_):
    raise OSError

  def between(part, path):
    monkeypatch.setattr(os, 'replace', fails if other_fails else replace)
    if other_fails:
      with pytest.raises(OSError):
        write_whole(file, 'other')
    else:
      write_whole(file, 'other')
      assert file.read_text() == 'other'
    replace(part, path)

  monkeypatch.setattr(os, 'replace', between)
  write_whole(file, 'first')
  assert file.read_text() == 'first' and os.listdir(tmp_path) == ['config.json']


def test_two_processes_at_once(tmp_path):
  file = tmp_path / 'config.json'
  writers = [_start(WRITER, str(file), letter) for letter in 'ab']
  seen = set()
  while any(writer.poll() is None for writer in writers):
    if file.exists():
      seen.add(file.read_text())
  assert [writer.returncode for writer in writers] == [0, 0]
  whole = {letter * 100_000 for letter in 'ab'}
  assert seen and seen <= whole and file.read_text() in whole
  assert os.listdir(tmp_path) == ['config.json']


@pytest.mark.parametrize('error', [OSError, KeyboardInterrupt])
def test_what_is_broken_off_leaves_the_old_file_alone(tmp_path, monkeypatch, error):
  file = tmp_path / 'config.json'
  write_whole(file, 'old')

  def broken(*_):
    raise error

  monkeypatch.setattr(os, 'replace', broken)
  with pytest.raises(error):
    write_whole(file, 'new')
  assert file.read_text() == 'old' and os.listdir(tmp_path) == ['config.json']


def test_a_kill_leaves_the_old_file_and_the_next_write_goes_on(tmp_path):
  file = tmp_path / 'config.json'
  write_whole(file, 'old')
  assert _start(KILLED, str(file), 'new').wait() == -signal.SIGKILL
  assert file.read_text() == 'old'
  (part,) = tmp_path.glob('.config.json.*.part')
  write_whole(file, 'newer')
  assert file.read_text() == 'newer' and part.read_text() == 'new'
