"""The time-boxed command: settings on another machine, signals, a rehearsal."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from experiments import carry, timebox
from experiments.ahead import Ahead, Pool
from experiments.motion_run import MotionRun
from experiments.timeboxing import box, stage
from vasa_jax.errors import UsageError, UserError
from vasa_jax.motion import config as motion_config
from vasa_jax.training.config import to_json
from vasa_jax.training.loop import prepare_workdir

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'experiments' / 'configs'
TINY = [
  *('--face-config', str(CONFIGS / 'face_tiny.py')),
  *('--motion-config', str(CONFIGS / 'motion_tiny.py')),
]


def parse(*words):
  return timebox.parse(['--minutes', '1', '--out', 'out', *TINY, *map(str, words)])


class Numbers:
  """Batches 1, 2, ...; remembers that it was closed."""

  def __init__(self, fail_at=None):
    self.last, self.filled, self.closed, self.fail_at = 0, 0, False, fail_at

  def __iter__(self):
    return self

  def __next__(self):
    self.last += 1
    if self.last == self.fail_at:
      raise ValueError('no more paint')
    return self.last

  def fill(self, people, progress):
    assert not progress
    if people == self.fail_at:
      raise ValueError('a renderer died')
    self.filled = people

  def get_state(self):
    return {'step': self.last}

  def close(self):
    self.closed = True


def test_ahead_keeps_order_and_closes():
  source = Numbers(fail_at=9)
  ahead = Ahead(source)
  assert [next(ahead) for _ in range(4)] == [1, 2, 3, 4]
  assert 4 <= ahead.get_state()['step'] <= 4 + 4
  assert [next(ahead) for _ in range(4)] == [5, 6, 7, 8]
  with pytest.raises(ValueError, match='no more paint'):
    next(ahead)
  ahead.close()
  assert source.closed
  assert 'vasa-prefetch' not in {thread.name for thread in threading.enumerate()}


def test_pool_fills_and_tells_of_failures():
  source = Numbers()
  pool = Pool(source, 5)
  assert pool.ready() is source and source.filled == 5
  pool.close()
  assert source.closed
  broken = Pool(Numbers(fail_at=3), 5)
  with pytest.raises(UserError, match='a renderer died'):
    broken.ready()


def test_settings_of_a_first_call():
  face = stage.make_run('face', parse('--workers', 3, '--vgg', 'v.npz'))
  assert (face.source, face.workers, face.perceptual_weights) == ('live', 3, 'v.npz')
  assert face.model.dtype == 'float32'  # a CPU
  assert (face.batch_size, face.drivers) == (4, 2)  # the config's, on a CPU
  assert (face.eval_every, face.preview_every) == (0, 0) and face.steps >= 1_000_000
  changed = parse('--set-face', 'batch_size=2', 'steps=7', '--set-motion', 'seed=5')
  assert stage.make_run('face', changed).batch_size == 2
  assert stage.make_run('face', changed).steps == 7
  assert stage.make_run('motion', changed).seed == 5


def test_settings_on_an_accelerator(monkeypatch):
  monkeypatch.setattr('jax.default_backend', lambda: 'gpu')
  run = stage.make_run('face', parse('--workers', 4))
  assert (run.batch_size, run.drivers, run.pool_start) == (16, 3, 32)
  assert run.model.dtype == 'bfloat16'
  # What was begun elsewhere keeps what is learned, and takes on the machine.
  earlier = dataclasses.replace(run, learning_rate=3e-4, batch_size=2, seed=9)
  again = stage.make_run('face', parse('--workers', 4), earlier)
  assert (again.learning_rate, again.seed, again.batch_size) == (3e-4, 9, 16)


def test_only_the_machine_may_change(tmp_path):
  run = MotionRun(model=motion_config.tiny(), cache='there', batch_size=4)
  # as an older version wrote it: without a setting that is new
  old = json.loads(to_json(run))
  del old['held_out_clips']
  (tmp_path / 'config.json').write_text(json.dumps(old))
  model = dataclasses.replace(run.model, dtype='bfloat16')
  moved = dataclasses.replace(run, cache='here', batch_size=64, model=model)
  stage.settle(tmp_path, moved)
  prepare_workdir(moved, tmp_path)
  other = dataclasses.replace(moved, learning_rate=0.5, cache='nowhere')
  stage.settle(tmp_path, other)
  with pytest.raises(UsageError, match='learning_rate differ'):
    prepare_workdir(other, tmp_path)


def test_what_cannot_be_carried_is_refused_at_once(tmp_path, capsys, monkeypatch):
  words = ['--minutes', '1', '--out', str(tmp_path), '--face-share', '0', *TINY]
  assert timebox.main([*words, '--resume', str(tmp_path / 'none')]) == 2
  assert 'holds no *.state.000' in capsys.readouterr().err
  monkeypatch.setattr(carry, 'NARROW_BYTES', 1e6)  # as a large model would be
  monkeypatch.setattr(box.Box, 'train', None)
  assert timebox.main(words) == 2
  said = capsys.readouterr().err
  assert said.count('\n') == 1 and 'MiB of 60; train one stage' in said


def test_usage():
  for words in (['--minutes', '0'], ['--face-share', '1.5'], ['--speech', '1']):
    with pytest.raises(SystemExit) as end:
      parse(*words)
    assert end.value.code == 2


def test_rates_are_medians_of_this_call(tmp_path):
  lines = [(10, 5.0), (20, 0.1), (30, 8.0), (40, 10.0), (50, 12.0)]
  text = ''.join(
    json.dumps({'step': s, 'samples_per_second': r, 'data_wait': 0.5}) + '\n'
    for s, r in lines
  )
  (tmp_path / 'm').write_text(text + '{"step": 60, "eval/loss": 1.0}\n')
  assert box.rates(tmp_path / 'm', after=10) == {
    'samples_per_second': 10.0, 'data_wait': 0.5,
  }  # fmt: skip
  assert box.rates(tmp_path / 'm', after=60) == {}
  assert box.rates(tmp_path / 'none', after=0) == {}


def test_row_says_what_is_known():
  face = {'dtype': 'bfloat16', 'samples_per_second': 12.34, 'data_wait': 0.5}
  table = {'device': '1 x toy', 'stages': {'face': face}}
  assert box.row(table) == '| 1 x toy | bfloat16 | 12.3 | - | 50% | - | - |'
  face['figures'] = {'psnr': 23.456}
  assert '| 23.46 |' in box.row(table)


@pytest.fixture
def earlier(tmp_path):
  """What a call left of stage 2."""
  from tests.experiments.test_carry import random_like

  run = stage.make_run('motion', parse())
  state = random_like(carry.abstract_state('motion', run))
  folder = tmp_path / 'earlier'
  folder.mkdir()
  meta = {'seconds': 33.0, 'tail': {stage.device_name(): 4.0}}
  info = {'step': 12, 'loader': {'step': 12}, 'meta': meta}
  texts = {'checkpoint.json': json.dumps(info), 'config.json': to_json(run)}
  carry.write_parts(folder, 'motion', carry.encode(state, exact=True), texts)
  return folder


def call(out, resume, *words):
  return timebox.main(
    ['--minutes', '1', '--out', str(out), '--resume', str(resume), *TINY, *words]
  )


def test_a_signal_leaves_what_there_is(earlier, tmp_path, monkeypatch, capsys):
  def train(box):
    assert [stage.name for stage in box.stages] == ['motion']
    assert box.stages[0].first_step == 12 and box.stages[0].first_seconds == 33
    assert abs(box.reserve - (4.0 * 1.2 + 3)) < 1e-6  # as measured by the call before
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(30)
    raise AssertionError('nobody heard the signal')

  monkeypatch.setattr(box.Box, 'train', train)
  before = signal.getsignal(signal.SIGTERM)
  assert call(tmp_path / 'out', earlier, '--face-share', '0') == 0
  assert signal.getsignal(signal.SIGTERM) is before
  table = json.loads((tmp_path / 'out' / 'table.json').read_text())
  assert table['stopped_by'] == 'SIGTERM'
  assert table['stages']['motion']['step'] == 12
  found = carry.unpack(tmp_path / 'out', 'motion', tmp_path / 'run')
  assert (found.step, found.seconds) == (12, 33.0)
  assert 'motion step 12' in capsys.readouterr().out


def test_failure_and_the_stage_that_was_not_asked_for(
  earlier, tmp_path, monkeypatch, capsys
):
  def train(box):
    raise UserError('loss became nan at step 3')

  monkeypatch.setattr(box.Box, 'train', train)
  (earlier / 'face.state.000').write_bytes(b'of another stage')
  assert call(tmp_path / 'out', earlier, '--face-share', '0') == 1
  assert capsys.readouterr().err == 'error: loss became nan at step 3\n'
  # Both are still there: one written anew, one passed on as it came.
  assert (tmp_path / 'out' / 'face.state.000').read_bytes() == b'of another stage'
  assert carry.unpack(tmp_path / 'out', 'motion', tmp_path / 'run').step == 12


BLOCKED = """
import sys
from importlib.abc import MetaPathFinder
blocked = ('av grain tensorflow_datasets array_record ai_edge_litert tqdm PIL '
           'safetensors tensorboardX skimage').split()
class Block(MetaPathFinder):
  def find_spec(self, name, path=None, target=None):
    if name.partition('.')[0] in blocked:
      raise ModuleNotFoundError(name)
if __name__ == '__main__':  # renderers are started from a file
  sys.meta_path.insert(0, Block())
  from experiments.timebox import main
  sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_rehearsal_without_the_optional_packages(tmp_path):
  """Two calls, the second goes on; as on a machine that has little."""
  script = tmp_path / 'blocked.py'
  script.write_text(BLOCKED)
  environment = os.environ | {
    'JAX_PLATFORMS': 'cpu',
    'PYTHONPATH': str(ROOT),
    'JAX_DISABLE_MOST_OPTIMIZATIONS': '1',
    'JAX_COMPILATION_CACHE_DIR': str(tmp_path / 'cache'),
  }
  sets = '--speech', '20', '--set-face', 'pool_start=3', 'log_every=2'
  tables = []
  for i, resume in enumerate(([], ['--resume', str(tmp_path / 'out0')])):
    more = [
      f'steps={6 * (i + 1)}',
      '--set-motion',
      f'steps={6 * (i + 1)}',
      'log_every=2',
    ]
    words = ['--minutes', '30', '--out', str(tmp_path / f'out{i}'), *resume, *TINY]
    done = subprocess.run(
      [sys.executable, str(script), *words, *sets, *more],
      cwd=ROOT,
      env=environment,
      capture_output=True,
      text=True,
      timeout=2400,
    )
    assert done.returncode == 0, done.stderr
    tables.append(json.loads((tmp_path / f'out{i}' / 'table.json').read_text()))
  for name in ('face', 'motion'):
    first, second = (table['stages'][name] for table in tables)
    assert (first['step'], second['step']) == (6, 12)
    assert second['steps_here'] == 6 and second['figures']
  files = list((tmp_path / 'out1').iterdir())
  assert {f.name for f in files} == {
    'face.state.000', 'motion.state.000', 'face.png', 'motion.png', 'table.json',
  }  # fmt: skip
  found = carry.unpack(tmp_path / 'out1', 'face', tmp_path / 'run')
  text = (tmp_path / 'run' / 'metrics.jsonl').read_text()
  assert found.step == 12 and text.count('eval/psnr') == 2
