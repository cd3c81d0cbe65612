import hashlib
import subprocess
import sys

import pytest

from data_pipelines import builder, schema
from data_pipelines.synthetic import beam, recipe, synthesize

TINY = recipe.Recipe(
  clips=3, size=32, seed=1, stills=1.0, frames=2, supersample=1, art=0.5,
  voices=('formant:man',),
)  # fmt: skip


def digests(folder):
  files = [p for p in sorted(folder.iterdir()) if 'array_record' in p.name]
  return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.slow
def test_beam_makes_the_bytes_of_one_machine(tmp_path):
  folders = [tmp_path / name for name in ('one', 'beam')]
  assert synthesize.synthesize(TINY, folders[0], workers=0) == 3
  # in a process of its own: Beam warns of much that is not ours
  command = [
    sys.executable, '-m', 'data_pipelines.synthetic.beam', '--clips', '3', '--size',
    '32', '--seed', '1', '--stills', '1', '--frames', '2', '--supersample', '1',
    '--art', '0.5', '--voices', 'formant:man', '--out', str(folders[1]), '--',
    '--runner=BundleBasedDirectRunner',
  ]  # fmt: skip
  for _ in range(2):  # the second time nothing is left to do
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith('3 clips in 1 shards')
  assert digests(folders[0]) == digests(folders[1])
  clips = [schema.from_example(e) for e in builder.open_clips(folders[1])]
  assert [clip.clip_id for clip in clips] == [f'train-1-{i:06d}' for i in range(3)]
  assert not list(folders[1].glob('*.part'))


def test_a_finished_shard_is_left_alone(tmp_path, monkeypatch):
  name = builder.shard_path('', 'train', 0, 1).name
  (tmp_path / name).write_bytes(b'there')
  monkeypatch.setattr(beam, 'render_clip', None)
  found = beam.render_shard(0, TINY, str(tmp_path))
  assert found == builder.ShardInfo('train', 0, 3, 5)
