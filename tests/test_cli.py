import json
import os
import subprocess
import sys

import numpy as np
import pytest

import vasa_jax
from vasa_jax import cli
from vasa_jax.errors import UserError


def _run(capsys, *argv):
  code = cli.main([str(arg) for arg in argv])
  done = capsys.readouterr()
  return code, done.out, done.err


def test_help_and_version_are_quick_and_import_no_jax():
  program = (
    'import sys; from vasa_jax import cli; code = cli.main(["--help"]);'
    'sys.exit(code or "jax" in sys.modules or "numpy" in sys.modules)'
  )
  best = np.inf
  for _ in range(3):
    before = os.times().children_user
    done = subprocess.run([sys.executable, '-c', program], capture_output=True)
    best = min(best, os.times().children_user - before)
    assert done.returncode == 0, done.stderr
  assert best < 0.3
  assert b'generate' in done.stdout


def test_version(capsys):
  code, out, _ = _run(capsys, '--version')
  assert (code, out) == (0, f'vasa {vasa_jax.__version__}\n')


@pytest.mark.parametrize(
  'argv',
  [
    [],
    ['nonsense'],
    ['generate', 'a.jpg'],
    ['generate', 'a.jpg', 'b.wav'],
    ['generate', 'a.jpg', 'b.wav', '-o', 'c.mp4', '--seed', 'x'],
    ['generate', 'a.jpg', 'b.wav', '-o', 'c.mp4', '--seed', '-1'],
    ['generate', 'a.jpg', 'b.wav', '-o', 'c.mp4', '--gaze', '5'],
    ['generate', 'a.jpg', 'b.wav', '-o', 'c.mp4', '--distance', 'nan'],
    ['generate', 'a.jpg', 'b.wav', '-o', 'c.avi'],
    ['info'],
  ],
)
def test_wrong_usage_is_2(capsys, argv):
  code, _, err = _run(capsys, *argv)
  assert code == 2 and err and 'Traceback' not in err


def test_wrong_controls_are_2_before_anything_is_loaded(capsys, tmp_path):
  face, voice = tmp_path / 'a.jpg', tmp_path / 'a.wav'
  face.write_bytes(b'')
  voice.write_bytes(b'')
  base = ['generate', face, voice, '-o', tmp_path / 'o.mp4']
  for more, says in (
    (['--emotion', 'joy:1'], 'unknown emotion joy'),
    (['--gaze', '80,0'], 'between -60 and 60'),
    (['--distance', '9'], 'between 0.5 and 2'),
  ):
    code, _, err = _run(capsys, *base, *more)
    assert code == 2 and says in err and err.count('\n') == 1


def test_failures_are_1_with_one_line(capsys, tmp_path):
  base = ['generate', 'no.jpg', 'no.wav', '-o']
  for argv, says in (
    ([*base, tmp_path / 'o.mp4'], 'no.jpg: no such file'),
    ([*base, tmp_path / 'x' / 'o.mp4'], 'no such folder'),
    (['info', tmp_path / 'none'], 'neither a preset'),
    (['info', tmp_path], 'not a weights folder'),
    (
      ['encode', 'no.jpg', '-o', tmp_path / 'c.npz', '--weights', tmp_path / 'none'],
      'no such weights folder',
    ),
  ):
    code, _, err = _run(capsys, *argv)
    assert code == 1 and says in err and err.count('\n') == 1
    assert 'Traceback' not in err
  assert os.listdir(tmp_path) == []


def test_debug_shows_the_traceback(tmp_path):
  with pytest.raises(UserError):
    cli.main(['info', str(tmp_path / 'none'), '--debug'])


@pytest.mark.parametrize(
  ('error', 'says'),
  [
    (KeyboardInterrupt(), 'stopped'),
    (MemoryError(), 'out of memory'),
    (ValueError('a\nb'), 'unexpected ValueError: a b'),
  ],
)
def test_what_nobody_foresaw_is_one_line(capsys, monkeypatch, error, says):
  def fail(*_):
    raise error

  monkeypatch.setattr(cli, '_info', fail)
  code, _, err = _run(capsys, 'info', 'tiny')
  assert code == 1 and says in err and err.count('\n') == 1


def test_info_of_a_preset(capsys):
  code, out, _ = _run(capsys, 'info', 'tiny', '--json')
  found = json.loads(out)
  assert code == 0
  assert {'face_params', 'motion_params', 'parts', 'flops_per_frame'} <= set(found)
  parts = found['parts']
  for model in ('face', 'motion'):
    counts = [n for name, n in parts.items() if name.startswith(f'{model}/')]
    assert sum(counts) == found[f'{model}_params'] > 0
  assert found['flops_per_frame'] > 1e6
  code, out, _ = _run(capsys, 'info', 'tiny')
  assert code == 0 and 'M parameters' in out
