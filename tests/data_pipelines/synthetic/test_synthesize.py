import dataclasses
import hashlib
import json
import subprocess
import sys
import time

import numpy as np
import pytest

from data_pipelines import builder, schema
from data_pipelines.errors import UserError
from data_pipelines.synthetic import recipe, synthesize

TINY = recipe.Recipe(
  clips=3, size=32, seed=1, stills=0.34, frames=4, supersample=1, seconds=(0.3, 0.6),
  voices=('formant:man', 'formant:woman'),
)  # fmt: skip


def digests(folder):
  files = [p for p in sorted(folder.iterdir()) if 'array_record' in p.name]
  return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope='module')
def made(tmp_path_factory):
  folder = tmp_path_factory.mktemp('made')
  assert synthesize.synthesize(TINY, folder, workers=0) == 3
  return folder


def test_a_corpus_reads_back_with_exact_labels(made):
  clips = [schema.from_example(e) for e in builder.open_clips(made)]
  assert [c.clip_id for c in clips] == [f'train-1-{i:06d}' for i in range(3)]
  assert len({c.identity for c in clips}) == 3
  stills = [c for c in clips if not c.truth.text]
  assert len(stills) == 1 and len(stills[0]) == 4
  for clip in clips:
    assert schema.decode_picture(clip.frames[0]).shape == (32, 32, 3)
    assert np.abs(clip.truth.shape).max() > 0.1
    assert clip.landmarks.shape == (len(clip), 468, 2)
    assert json.loads(clip.truth.camera)['fov'] > 10
    assert 'cloth_' in clip.truth.worn
    seen = clip.truth.points[..., 2] > 0
    assert seen.mean() > 0.2
    inside = clip.truth.points[seen][:, :2]
    assert inside.min() >= 0 and inside.max() <= 1
  talk = next(c for c in clips if c.truth.text)
  assert talk.truth.voice.startswith('formant:') and np.abs(talk.audio).max() > 1000
  assert 8 <= len(talk) <= 15
  assert abs(talk.truth.phone_times[-1, 1] - len(talk) / 25) < 0.04


def test_the_bytes_do_not_depend_on_the_workers(made, tmp_path):
  synthesize.synthesize(TINY, tmp_path, workers=2)
  assert digests(tmp_path) == digests(made)


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path):
  small = dataclasses.replace(TINY, clips=40, stills=1.0)
  folders = [tmp_path / name for name in ('whole', 'killed')]
  synthesize.synthesize(small, folders[0], workers=1)
  command = [
    sys.executable, '-m', 'data_pipelines.synthetic.synthesize', '--clips', '40',
    '--size', '32', '--seed', '1', '--stills', '1', '--frames', '4', '--supersample',
    '1', '--out', str(folders[1]), '--voices', 'formant:man', 'formant:woman',
  ]  # fmt: skip
  first = subprocess.Popen([*command, '--workers', '2'])
  while first.poll() is None and not list(folders[1].glob('*record-00000-of-00003')):
    time.sleep(0.05)
  first.kill()
  first.wait()
  subprocess.run([*command, '--workers', '7'], check=True)
  assert digests(folders[0]) == digests(folders[1])


def test_an_interrupted_run_goes_on(made, tmp_path, monkeypatch):
  monkeypatch.setattr(recipe, 'SHARD_CLIPS', 1)
  real = synthesize.render_clip
  rendered = []

  def stops_at_two(index, of):
    rendered.append(index)
    if index == 2 and len(rendered) == 3:
      raise KeyboardInterrupt
    return real(index, of)

  monkeypatch.setattr(synthesize, 'render_clip', stops_at_two)
  with pytest.raises(KeyboardInterrupt):
    synthesize.synthesize(TINY, tmp_path, workers=0)
  with pytest.raises(UserError, match='no finished corpus'):
    builder.open_clips(tmp_path)
  assert not list(tmp_path.glob('*.part'))
  assert synthesize.synthesize(TINY, tmp_path, workers=0) == 1
  assert rendered == [0, 1, 2, 2]
  assert synthesize.synthesize(TINY, tmp_path, workers=0) == 0
  whole = [builder.open_clips(folder)[2]['audio'] for folder in (made, tmp_path)]
  np.testing.assert_array_equal(*whole)


def test_another_recipe_is_not_mixed_in(made):
  other = dataclasses.replace(TINY, size=48)
  before = digests(made)
  with pytest.raises(UserError, match='another train corpus'):
    synthesize.synthesize(other, made, workers=0)
  assert digests(made) == before


def test_the_command_fails_in_one_line(tmp_path, capsys):
  blocked = tmp_path / 'file'
  blocked.write_text('')
  small = ['--clips', '1', '--size', '32', '--workers', '0']
  out = str(blocked / 'corpus')
  assert synthesize.main([*small, '--out', out]) == 1
  assert synthesize.main([*small, '--out', out, '--voices', 'flite:nobody']) == 1
  assert synthesize.main(['--clips', '-2', '--out', out]) == 2
  lines = capsys.readouterr().err.strip().splitlines()
  assert len(lines) == 3 and all(line.startswith('synthesize: ') for line in lines)
  with pytest.raises(SystemExit) as stopped:
    synthesize.main(['--clips', 'many', '--out', out])
  assert stopped.value.code == 2


def test_rendering_imports_neither_jax_nor_a_data_set_library():
  code = (
    'import sys\n'
    'from data_pipelines.synthetic import clips, live, synthesize\n'
    'clips.render_stills(3, 2, 32, 1, art=0.5)\n'
    "heavy = {'jax', 'grain', 'tensorflow_datasets', 'array_record', 'tqdm', 'av'}\n"
    'print(sorted(heavy & set(sys.modules)))\n'
  )
  done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
  assert done.returncode == 0, done.stderr
  assert done.stdout.strip() == '[]'
