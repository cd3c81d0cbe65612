"""The speed benchmarks: what they print, and that they measure what they say."""

import json
import sys
import time

import jax
import jax.numpy as jnp
import pytest

from experiments.benchmarks import (
  ceiling,
  convolution,
  face,
  peer_ditto,
  peer_liveportrait,
)
from vasa_jax.face.autoencoder import init_params, without_spectral_norm
from vasa_jax.face.config import PRESETS

# Answers like `peer_child.py` without PyTorch or a peer.
CHILD = """
import json, sys
print(json.dumps({'torch': '0', 'gflop': 2.0, 'arguments': sys.argv[1:]}), flush=True)
for i, _ in enumerate(sys.stdin):
  print(json.dumps({'seconds': 0.5 + i}), flush=True)
"""


def test_ceiling_counts_what_a_product_costs(monkeypatch):
  monkeypatch.setattr(ceiling, 'SIZES', {'cpu': (256,), 'accelerator': (256,)})
  # A clock that says each repeat took a millisecond: 60 products of 256 (2e9 / 256^3
  # is 119, rounded) and 2 * 256^3 operations a product.
  monkeypatch.setattr(ceiling, 'seconds', lambda call, repeats: [1e-3] * repeats)
  assert ceiling.ceiling('float32', 1) == pytest.approx(119 * 2 * 256**3 / 1e6)


def test_seconds_leave_the_first_call_out():
  calls = []

  def call():
    calls.append(time.sleep(0.05 if not calls else 0.001))
    return jnp.zeros(())

  times = ceiling.seconds(call, 3)
  assert len(calls) == 4 and len(times) == 3 and max(times) < 0.05


def test_ceiling_prints_both_types(monkeypatch, capsys):
  monkeypatch.setattr(ceiling, 'SIZES', {'cpu': (64,), 'accelerator': (64,)})
  assert ceiling.main(['--repeats', '1']) == 0
  found = json.loads(capsys.readouterr().out)
  assert found['float32_gflops'] > 0 and found['bfloat16_gflops'] > 0
  assert found['platform'] == jax.default_backend()


def test_convolution_prints_a_row_a_way_and_a_table(monkeypatch, capsys):
  monkeypatch.setattr(convolution, 'ceiling', lambda dtype: 1.0)
  monkeypatch.setattr(convolution, 'SHAPES', {'small': ((3, 4, 4, 2), 5, 3, 1)})
  words = '--shapes small --how direct sliced --repeats 1 --table'
  assert convolution.main(words.split()) == 0
  head, one, two, *table = capsys.readouterr().out.splitlines()
  assert json.loads(head)['dtype'] == 'float32'
  rows = [json.loads(line) for line in (one, two)]
  assert [row['how'] for row in rows] == ['direct', 'sliced']
  for row in rows:
    assert row['gflop'] == pytest.approx(2 * 48 * 27 * 2 * 5 / 1e9, abs=5e-4)
    assert row['forward']['wall_ms'] > 0 and row['gradient']['temporary_mib'] >= 0
  assert table[0] == '| shape | GFLOP | direct | sliced |'
  assert table[2].startswith('| `small` |') and table[2].count('**') == 4


def test_random_weights_fit_the_model_in_use():
  config = face.config_for_use('tiny', 'float32')
  wanted = jax.eval_shape(lambda k: init_params(config, k), jax.random.key(0))
  found = face.random_params(config)
  assert jax.tree.structure(found) == jax.tree.structure(wanted)
  jax.tree.map(
    lambda a, b: pytest.fail() if a.shape != b.shape else None, found, wanted
  )
  # What benchmarks leave out is what use leaves out.
  folded, _ = without_spectral_norm(PRESETS['paper'](), {})
  assert not folded.spectral_norm
  assert not face.config_for_use('paper', 'bfloat16').spectral_norm


def test_figures_are_those_of_one_item():
  program = face.Program(lambda: jnp.zeros(()), 8.0, 2.0, 3.0)
  found = face.figures(program, 4, 100.0, 2)
  assert found['gflop'] == 2.0 and found['gigabytes'] == 0.5
  assert found['ms'] * found['per_second'] == pytest.approx(1e3, rel=0.6)
  assert found['share_of_ceiling'] == pytest.approx(found['gflops'] / 100, abs=1e-3)


def test_program_is_weighed_before_it_is_optimised():
  side = 8

  def product(x):
    return jnp.dot(x, x), jnp.dot(x, x)  # XLA keeps one of them

  program = face.compiled_program(jax.jit(product), jnp.ones((side, side)))
  assert program.gflop == pytest.approx(2 * 2 * side**3 / 1e9)
  assert program.gigabytes > 0
  assert program.call()[0].shape == (side, side)


@pytest.mark.slow
def test_face_measures_every_part(tmp_path, capsys):
  out = tmp_path / 'face.json'
  words = f'--presets tiny --train tiny --batches 1 2 --repeats 1 --json {out}'
  assert face.main([*words.split(), '--dtypes', 'float32']) == 0
  rows = json.loads(out.read_text())['rows']
  assert [(row['what'], row['batch']) for row in rows] == [
    ('encode', 1), ('decode', 1), ('decode', 2), ('train, 2 drivers', 2),
  ]  # fmt: skip
  assert all(row['ms'] > 0 and row['gflop'] > 0 for row in rows)
  # Work is counted by the frame, whatever the batch.
  assert rows[2]['gflop'] == pytest.approx(rows[1]['gflop'], rel=0.1)
  lines = capsys.readouterr().out.splitlines()
  assert len(lines) == 2 + len(rows)


@pytest.fixture
def peer(tmp_path, monkeypatch):
  (tmp_path / 'src/modules').mkdir(parents=True)
  (tmp_path / 'src/modules/spade_generator.py').touch()
  child = tmp_path / 'child.py'
  child.write_text(CHILD)
  monkeypatch.setattr(peer_liveportrait, 'CHILD', child)
  return str(tmp_path)


def test_peer_is_timed_by_itself_when_asked(peer):
  other = peer_liveportrait.Peer(sys.executable, peer, 'float32', 2)
  assert other.told['arguments'] == [peer, 'float32', '2']
  assert [other.seconds(), other.seconds()] == [0.5, 1.5]
  other.close()
  assert other._process.returncode == 0


def test_peers_take_turns_and_the_first_does_not_count(monkeypatch):
  monkeypatch.setattr(peer_liveportrait, 'PAUSE', 0)
  order = []

  def side(name):
    return lambda: order.append(name) or len(order)

  ours, theirs = peer_liveportrait.take_turns(side('a'), side('b'), 2)
  assert order == list('ababab')
  assert (ours, theirs) == ([3, 5], [4, 6])


def test_peer_prints_both_and_their_ratio(peer, monkeypatch, capsys):
  monkeypatch.setattr(peer_liveportrait, 'PAUSE', 0)
  monkeypatch.setattr(peer_liveportrait, 'ceiling', lambda dtype: 7.0)
  program = face.Program(lambda: jnp.zeros(()), 1.0, 1.0, 1.0)
  monkeypatch.setattr(face, 'decode_program', lambda *_: program)
  words = ['--source', peer, '--torch-python', sys.executable, '--repeats', '3']
  assert peer_liveportrait.main(words) == 0
  text = capsys.readouterr().out
  found, end = json.JSONDecoder().raw_decode(text)
  ours, theirs = found['sides'].values()
  assert theirs['seconds'] == 2.5 and theirs['gflops'] == pytest.approx(0.8)
  assert found['ours_is_faster_by'] > 1
  assert text[end:].count('\n|') == 4


@pytest.mark.parametrize('missing', ['source', 'python', 'child'])
def test_peer_that_cannot_start_is_one_line(missing, peer, tmp_path, capsys):
  python = str(tmp_path / 'none') if missing == 'python' else sys.executable
  source = str(tmp_path / 'src') if missing == 'source' else peer
  if missing == 'child':
    (tmp_path / 'child.py').write_text('raise SystemExit(3)')
  assert peer_liveportrait.main(['--source', source, '--torch-python', python]) == 1
  error = capsys.readouterr().err
  assert error.startswith('error: ') and error.count('\n') == 1


@pytest.mark.parametrize('main', [ceiling.main, convolution.main, face.main])
def test_wrong_usage(main, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['--repeats', '0'])
  assert stop.value.code == 2
  assert 'must be 1 or more' in capsys.readouterr().err


def test_ditto_is_timed_by_frame_and_evaluation(tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(peer_liveportrait, 'PAUSE', 0)
  (tmp_path / 'core/models/modules').mkdir(parents=True)
  (tmp_path / 'core/models/modules/LMDM.py').touch()
  child = tmp_path / 'child.py'
  told = "'torch': '0', 'gflop': 9.8, 'frames': 80, 'evaluations': 2"
  child.write_text(CHILD.replace("'torch': '0', 'gflop': 2.0", told))
  monkeypatch.setattr(peer_ditto.Ditto, 'child', lambda self: child)
  words = ['--torch-python', sys.executable, '--preset', 'tiny', '--repeats', '1']
  assert peer_ditto.main(['--source', str(tmp_path), *words]) == 0
  text = capsys.readouterr().out
  found = json.loads(text[: text.rindex('}') + 1])
  theirs = found['sides']['Ditto LMDM, PyTorch']
  assert theirs['window'] == 1.5  # the first answer, 0.5, does not count
  assert theirs['step_frame'] == pytest.approx(1500 / 10 / 80, abs=1e-3)
  assert theirs['evaluation'] == pytest.approx(1500 / 10 / 80 / 2, abs=1e-3)
  ours = found['sides']['tiny, JAX']
  assert ours['frames'] == 8 and ours['evaluation'] < ours['step_frame']
  assert '| Ditto LMDM, PyTorch | 1.5 |' in text
  assert peer_ditto.main(['--source', str(tmp_path / 'core'), *words]) == 1
  assert 'not a checkout of Ditto' in capsys.readouterr().err
