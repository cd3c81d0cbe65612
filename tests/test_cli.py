import json
import os
import subprocess
import sys
from types import SimpleNamespace

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
    ['generate', 'a.jpg', 'b.wav', '-o', 'c.mp4', '--seed', '1', '--seeds', '2'],
    ['generate', 'a.jpg', 'b.wav', '-o', 'c.mp4', '--seeds', '1,1'],
    ['generate', 'a.jpg', 'b.wav', '-o', 'c.mp4', '--seeds', '1,x'],
    ['generate', 'a.jpg', 'b.wav', '-o', 'c.mp4', '--drive', 'x', '--drive-parts', 'y'],
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
    (['--emotion', 'hunger:1'], 'unknown emotion hunger'),
    (['--gaze', '80,0'], 'between -60 and 60'),
    (['--distance', '9'], 'between 0.5 and 2'),
    (['--drive-parts', 'pose'], 'name a --drive too'),
    (['--paste-back', '--size', '512'], 'leave out --size'),
    (['--drive', 'portrait', '--drive-parts', 'pose', '--distance', '1'], 'no effect'),
    (['--drive', 'portrait', '--gaze', '1,1'], '--gaze has no effect'),
    (['--drive', 'portrait', '--emotion', 'sad'], '--emotion has no effect'),
  ):
    code, _, err = _run(capsys, *base, *more)
    assert code == 2 and says in err and err.count('\n') == 1


def test_every_control_reaches_the_face(capsys, monkeypatch, tmp_path):
  face, voice, fixed = (tmp_path / name for name in ('a.jpg', 'a.wav', 'f.json'))
  face.write_bytes(b'')
  voice.write_bytes(b'')
  fixed.write_text('{"pose": {"yaw": 5}}')
  (tmp_path / 'c.json').write_text('{"gaze": [{"time": 0, "value": [1, 2]}]}')
  asked = []

  class Face:
    def talk(self, portrait, audio, out, **settings):
      asked.append((out.name, settings))
      return SimpleNamespace(path=out, seconds=1.0, notes=('once',))

  monkeypatch.setattr(cli, '_load', lambda weights, hears: Face())
  words = [
    'generate', face, voice, '-o', tmp_path / 'o.mp4', '--seeds', '3,11', '--steps',
    '10', '--guidance-audio', '0.5', '--guidance-gaze', '2', '--size', '128',
    '--guidance-emotion', '1.5',
    '--controls', tmp_path / 'c.json', '--distance', '1.2', '--emotion', 'happy:0.6',
    '--emotion', 'sad', '--allow-silence',
  ]  # fmt: skip
  code, out, err = _run(capsys, *words)
  assert (code, err) == (0, 'vasa: note: once\n') and out.count('synthetic') == 2
  assert [name for name, _ in asked] == ['o_3.mp4', 'o_11.mp4']
  for seed, (_, given) in zip((3, 11), asked, strict=True):
    del given['progress']
    assert given == {
      'seed': seed, 'size': 128, 'steps': 10, 'guidance_audio': 0.5,
      'guidance_gaze': 2.0, 'guidance_distance': None, 'guidance_emotion': 1.5,
      'allow_silence': True, 'paste_back': False, 'distance': 1.2,
      'gaze': [{'time': 0, 'value': [1, 2]}], 'emotion': {'happy': 0.6, 'sad': 1.0},
    }  # fmt: skip
  code, *_ = _run(
    capsys, *words[:5], '--drive', fixed, '--drive-parts', 'pose', '--gaze=-10,5',
    '--paste-back',
  )  # fmt: skip
  name, given = asked[-1]
  assert (code, name, given['seed']) == (0, 'o.mp4', 0)
  assert given['gaze'] == [-10, 5] and given['drive_parts'] == 'pose'
  assert given['drive'] == str(fixed) and given['paste_back'] and not given['size']


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
