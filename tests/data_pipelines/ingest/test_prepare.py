"""The command: the same bytes always, and one line for everything that goes wrong."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import pytest

from data_pipelines import builder, prepare, schema
from data_pipelines.errors import UserError
from data_pipelines.ingest import inputs, packing, staging
from data_pipelines.ingest.config import Config
from tests.data_pipelines.ingest import drawn_videos as drawn

ROOT = pathlib.Path(__file__).parents[3]
CONFIG = Config(size=64, min_sharpness=0.0, max_seconds=4.0)
HERE = prepare.Work(0)


def digests(folder):
  """Of everything that a corpus is: shards, catalogue, reports, page."""
  files = [p for p in folder.rglob('*') if p.is_file() and p.name != '.lock']
  return {
    str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
    for p in sorted(files)
  }


@pytest.fixture(scope='module')
def videos(tmp_path_factory) -> pathlib.Path:
  """Three people in four files, one of them twice, and two files that are none."""
  folder = tmp_path_factory.mktemp('videos')
  (folder / 'ann').mkdir()
  (folder / 'bob').mkdir()
  drawn.speaker(folder / 'ann' / '1.mp4', 6.0, person=0, seed=1)
  drawn.speaker(folder / 'ann' / '2.mkv', 3.0, person=0, seed=2)
  drawn.speaker(folder / 'bob' / '1.mp4', 5.0, person=1, seed=3)
  drawn.speaker(folder / 'cid.mp4', 3.0, person=2, seed=4)
  drawn.speaker(folder / 'copy.mp4', 3.0, person=2, seed=4, size=(240, 426), height=64)
  (folder / 'broken.mp4').write_bytes(b'\0' * 1000)
  (folder / 'empty.webm').write_bytes(b'')
  (folder / 'notes.txt').write_text('not looked at')
  return folder


@pytest.fixture(scope='module')
def made(videos, tmp_path_factory):
  """What an undisturbed run makes."""
  out = tmp_path_factory.mktemp('made')
  lines = []
  sources = inputs.find_videos([videos])
  done = prepare.prepare(sources, out, CONFIG, work=HERE, eyes=drawn.eyes,
                         tell=lines.append)  # fmt: skip
  return out, done, lines


def test_videos_become_a_corpus(made, videos):
  out, done, lines = made
  clips = [schema.from_example(e) for e in builder.open_clips(out)]
  assert (done.videos, done.shards, done.clips) == (7, 1, len(clips))
  assert done.people == len({clip.identity for clip in clips}) == 4
  assert sum(len(clip) for clip in clips) == 25 * (6 + 3 + 5 + 3)
  assert all(len(clip.audio) == 640 * len(clip) for clip in clips)
  assert len(lines) == 7
  ends = {line.split(': ')[0][len(str(videos)) + 1 :]: line for line in lines}
  assert 'broken file (not a video' in ends['broken.mp4']
  assert 'broken file (the file is empty)' in ends['empty.webm']
  assert ends['ann/1.mp4'].endswith('2 clips')
  page = (out / 'report.html').read_text()
  for words in ('broken file', 'duplicate', '>videos</td><td>7</td>', 'data:image'):
    assert words in page
  assert 'http' not in page.split('<svg')[0] and '<script' not in page
  assert not list(out.rglob('*.records')) and not list(out.rglob('*.part'))


def test_a_second_run_does_nothing(made, videos, monkeypatch):
  out, done, _ = made
  before = digests(out)
  times = {p: p.stat().st_mtime_ns for p in out.rglob('*') if p.name != '.lock'}
  again = prepare.prepare(
    inputs.find_videos([videos]), out, CONFIG, work=HERE, eyes=drawn.eyes
  )
  assert again == done._replace(videos=0, shards=0)
  assert digests(out) == before
  assert times == {p: p.stat().st_mtime_ns for p in times}


@contextlib.contextmanager
def running(videos, out, workers: int, *how: str):
  """A run in a process of its own, which is killed in the end."""
  command = [sys.executable, '-m', 'tests.data_pipelines.ingest.drawn_videos']
  command += [str(videos), str(out), str(workers), *how]
  with tempfile.TemporaryFile('w+') as said:
    run = subprocess.Popen(command, cwd=ROOT, stderr=said)
    try:
      yield run
    finally:
      run.kill()
      run.wait()
      said.seek(0)
      print(said.read())


def finish(videos, out, workers: int, *how: str) -> None:
  with running(videos, out, workers, *how) as run:
    assert run.wait(timeout=500) == 0


def wait_until(true, run) -> None:
  end = time.monotonic() + 300  # a busy machine is no failure
  while not true():
    assert run.poll() is None and time.monotonic() < end
    time.sleep(0.005)


def test_two_workers_and_two_kills_give_the_same_bytes(made, videos, tmp_path):
  out = tmp_path / 'out'
  with running(videos, out, 0, 'slow') as run:
    wait_until(lambda: list(out.rglob('*.part')), run)  # in the middle of a video
  with running(videos, out, 0) as run:
    wait_until(lambda: len(list(out.rglob('videos/*.json'))) >= 3, run)
  assert not list(out.glob('*array_record*'))
  finish(videos, out, 2)
  assert digests(out) == digests(made[0])


def test_a_kill_while_shards_are_written(made, videos, tmp_path, monkeypatch):
  """Between any two files that packing writes or deletes a run can be resumed."""
  monkeypatch.setattr(packing, 'SHARD_CLIPS', 2)
  sources = inputs.find_videos([videos])

  def run(out):
    return prepare.prepare(sources, out, CONFIG, work=HERE, eyes=drawn.eyes)

  class Killed(BaseException):
    pass

  whole = tmp_path / 'whole'
  assert run(whole).shards == 3
  real = builder.write_shard
  for after in (False, True):  # before a shard is there; before records are forgotten
    killed = tmp_path / f'killed{after}'
    for _ in range(3):
      written = []

      def write(path, records, after=after, written=written):
        if after or written:
          written or real(path, records)
          raise Killed
        written.append(path)
        real(path, records)

      monkeypatch.setattr(builder, 'write_shard', write)
      try:
        run(killed)
      except Killed:
        pass
    monkeypatch.setattr(builder, 'write_shard', real)
    assert run(killed).videos == 0
    assert digests(killed) == digests(whole)


def test_beam_makes_the_same_bytes(made, videos, tmp_path):
  out = tmp_path / 'out'
  finish(videos, out, 0, 'beam')
  assert digests(out) == digests(made[0])


def _files(out: pathlib.Path) -> set[str]:
  return {p.name for p in out.rglob('*')} if out.exists() else set()


@pytest.mark.slow
def test_ten_kills_at_random_moments(made, videos, tmp_path):
  out = tmp_path / 'out'
  moments = random.Random(7)
  kills = 0
  for _ in range(10):
    before, more = _files(out), moments.randint(1, 3)
    with running(videos, out, 1, 'slow') as run:
      while run.poll() is None and len(_files(out) - before) < more:
        time.sleep(0.005)
      time.sleep(moments.uniform(0.0, 0.3))
      kills += run.poll() is None
  assert kills >= 6  # the rest came after the end
  finish(videos, out, 2)
  assert digests(out) == digests(made[0])


def test_the_same_folder_elsewhere_has_the_same_names(videos, tmp_path):
  there = tmp_path / 'there'
  there.symlink_to(videos)
  keys = [s.key for s in inputs.find_videos([videos])]
  assert keys == [s.key for s in inputs.find_videos([f'{there}/'])]
  assert len(keys) == len(set(keys)) == 7 and keys == sorted(keys)
  twice = inputs.find_videos([videos, videos / 'cid.mp4'])
  assert [s.key for s in twice] == keys
  two = inputs.find_videos([videos / 'ann' / '1.mp4', videos / 'bob' / '1.mp4'])
  assert len({s.key for s in two}) == 2


def test_folders_name_people(videos, tmp_path):
  sources = inputs.find_videos([videos], people='folder')
  assert {s.person for s in sources} == {'ann', 'bob', ''}
  wanted = [s for s in sources if s.person == 'ann']
  done = prepare.prepare(wanted, tmp_path, CONFIG, work=HERE, eyes=drawn.eyes)
  assert done.people == 1


def test_another_corpus_is_not_mixed_in(made, videos):
  out = made[0]
  before = digests(out)
  sources = inputs.find_videos([videos])
  for other, some in ((Config(size=32), sources), (CONFIG, sources[1:])):
    with pytest.raises(UserError, match='holds another video corpus'):
      prepare.prepare(some, out, other, work=HERE, eyes=drawn.eyes)
  assert digests(out) == before


def test_two_runs_do_not_share_a_folder(made, videos):
  with inputs.locked(made[0]):
    with pytest.raises(UserError, match='another run is at work'):
      prepare.prepare(
        inputs.find_videos([videos]), made[0], CONFIG, work=HERE, eyes=drawn.eyes
      )


def test_a_full_disk_is_told_before_anything_is_damaged(videos, tmp_path, monkeypatch):
  sources = inputs.find_videos([videos])

  def run():
    return prepare.prepare(sources, tmp_path, CONFIG, work=HERE, eyes=drawn.eyes)

  room = staging.shutil.disk_usage(tmp_path)
  tight = room._replace(free=10 << 20)
  monkeypatch.setattr(staging.shutil, 'disk_usage', lambda path: tight)
  with pytest.raises(UserError, match='10 MB are free.*goes on'):
    run()
  assert not list(tmp_path.rglob('*.json*')) or not list(tmp_path.rglob('videos/*'))
  monkeypatch.setattr(staging.shutil, 'disk_usage', lambda path: room)

  full = OSError(28, os.strerror(28))
  real, synced = os.fsync, []

  def fsync(file):
    synced.append(file)
    if len(synced) == 5:
      raise full
    real(file)

  monkeypatch.setattr(os, 'fsync', fsync)
  with pytest.raises(UserError, match='the disk is full'):
    run()
  monkeypatch.setattr(os, 'fsync', real)
  assert not list(tmp_path.rglob('*.part'))
  assert run().clips == 6


def test_records_that_were_damaged_are_named(videos, tmp_path, monkeypatch):
  sources = [s for s in inputs.find_videos([videos]) if s.path.endswith('cid.mp4')]

  def stop(*_):
    raise KeyboardInterrupt

  monkeypatch.setattr(packing, 'write_shards', stop)
  with pytest.raises(KeyboardInterrupt):
    prepare.prepare(sources, tmp_path, CONFIG, work=HERE, eyes=drawn.eyes)
  monkeypatch.undo()
  (path,) = tmp_path.rglob('*.records')
  data = bytearray(path.read_bytes())
  data[100] ^= 1
  path.write_bytes(data)
  with pytest.raises(UserError, match='is damaged; delete cid-.*json'):
    prepare.prepare(sources, tmp_path, CONFIG, work=HERE, eyes=drawn.eyes)
  next(tmp_path.glob('videos/*.json')).unlink()
  assert prepare.prepare(
    sources, tmp_path, CONFIG, work=HERE, eyes=drawn.eyes
  ).clips  # fmt: skip


def test_the_command_fails_in_one_line(tmp_path, capsys):
  out = str(tmp_path / 'out')
  empty = tmp_path / 'videos'
  empty.mkdir()
  assert prepare.main([str(tmp_path / 'no'), '--out', out]) == 1
  assert prepare.main([str(empty), '--out', out]) == 1
  (empty / 'a.mp4').write_bytes(b'x')
  blocked = tmp_path / 'file'
  blocked.write_text('')
  assert prepare.main([str(empty), '--out', str(blocked / 'out')]) == 1
  assert prepare.main([str(empty), '--out', out, '--set', 'min_sped=1']) == 2
  assert prepare.main([str(empty), '--out', out, '--set', 'max_yaw=far']) == 2
  assert prepare.main([str(empty), '--out', out, '--size', '7']) == 2
  assert prepare.main([str(empty), '--out', out, '--held-out', '2']) == 2
  lines = capsys.readouterr().err.strip().splitlines()
  assert len(lines) == 7 and all(line.startswith('prepare: ') for line in lines)


def test_nothing_kept_is_an_error_with_a_report(tmp_path):
  (tmp_path / 'a.mp4').write_bytes(b'x')
  out = tmp_path / 'out'
  for _ in range(2):
    with pytest.raises(UserError, match='none of 1 videos gave a clip'):
      prepare.prepare(
        inputs.find_videos([tmp_path / 'a.mp4']), out, CONFIG, work=HERE,
        eyes=drawn.eyes,
      )  # fmt: skip
  assert 'broken file' in (out / 'report.html').read_text()
  (found,) = (out / 'videos').glob('*.json')
  assert json.loads(found.read_text())['reason'] == 'broken file'


def test_people_are_held_out_whole(videos, tmp_path):
  sources = inputs.find_videos([videos])
  prepare.prepare(sources, tmp_path, CONFIG, 0.5, HERE, drawn.eyes)
  people = {
    split: {e['identity'] for e in builder.open_clips(tmp_path, split)}
    for split in ('train', 'validation')
  }
  assert people['train'] and people['validation']
  assert not people['train'] & people['validation']
