"""The net in NumPy against the same graph in JAX, and what happens without it."""

import json

import numpy as np
import pytest

from data_pipelines.errors import UserError
from data_pipelines.perceive import emotion
from vasa_jax.teachers.graph import NODES, run_graph


def _small_graph() -> dict:
  """Every operation of the emotion net once, over 64 px."""
  rng = np.random.default_rng(0)
  arrays = {
    'k1': rng.normal(size=(3, 3, 1, 4)), 'b1': rng.normal(size=4),
    'kd': rng.normal(size=(3, 3, 4, 1)), 'k2': rng.normal(size=(1, 1, 4, 7)) * 0.3,
    'b2': rng.normal(size=7), 'k3': rng.normal(size=(1, 1, 4, 7)) * 0.3,
    'axes': np.array([1, 2]),
  }  # fmt: skip
  arrays = {
    name: v.astype(np.int32 if name == 'axes' else np.float32)
    for name, v in arrays.items()
  }

  def conv(stride, padding, *fused):
    return {'strides': [1, stride, stride, 1], 'padding': padding, 'fused_ops': fused}

  nodes = [{'name': 'x', 'op': 'Placeholder', 'input': [], 'attr': {}}]
  nodes += [{'name': n, 'op': 'Const', 'input': [], 'attr': {}} for n in arrays]
  pool = {'ksize': [1, 3, 3, 1], **conv(2, 'SAME')}
  for name, op, inputs, attr in (
    ('c1', '_FusedConv2D', ['x', 'k1', 'b1'], conv(2, 'VALID', 'BiasAdd', 'Relu')),
    ('d', 'DepthwiseConv2dNative', ['c1', 'kd'], conv(1, 'SAME')),
    ('r', 'Relu', ['d'], {}),
    ('c2', '_FusedConv2D', ['r', 'k2', 'b2'], conv(1, 'SAME', 'BiasAdd')),
    ('p', 'MaxPool', ['c2'], pool),
    ('c3', '_FusedConv2D', ['c1', 'k3', 'b2'], conv(2, 'SAME', 'BiasAdd')),
    ('a', 'AddV2', ['p', 'c3'], {}),
    ('m', 'Mean', ['a', 'axes'], {}),
    ('s', 'Softmax', ['m'], {}),
    ('o', 'Identity', ['s'], {}),
  ):
    nodes.append({'name': name, 'op': op, 'input': inputs, 'attr': attr})
  arrays[NODES] = np.frombuffer(json.dumps(nodes).encode(), np.uint8)
  return arrays


@pytest.fixture
def stored(tmp_path, monkeypatch):
  monkeypatch.setenv('VASA_CACHE', str(tmp_path))
  emotion.load_reader.cache_clear()
  (tmp_path / 'teachers').mkdir()
  yield tmp_path / 'teachers' / 'emotion.npz'
  emotion.load_reader.cache_clear()


def test_same_numbers_as_the_graph_in_jax(tmp_path):
  arrays = _small_graph()
  path = tmp_path / 'graph.npz'
  np.savez(path, **arrays)
  x = np.random.default_rng(1).normal(size=(2, 64, 64, 1)).astype(np.float32)
  ours = emotion._load_graph(path)(x)
  np.testing.assert_allclose(ours, run_graph(arrays)(x), atol=2e-6)
  assert ours.std() > 0.01  # it does depend on something


def test_scores_stand_in_the_order_of_the_records(stored, cut_out):
  from vasa_jax.types import EMOTIONS

  assert emotion.EMOTIONS == EMOTIONS
  np.savez(stored, **_small_graph())
  read = emotion.load_reader()
  points = np.random.default_rng(2).uniform(60, 190, (468, 3))
  scores = read([cut_out()] * 2, [points] * 2)
  assert scores.shape == (2, 8) and scores[0, 1] == 0  # contempt is not known
  np.testing.assert_allclose(scores.sum(1), 1, atol=1e-6)


def test_without_the_net_it_says_so(stored, read_crop, cut_out):
  assert emotion.load_reader() is None
  read = read_crop(cut_out())
  assert read.emotion_by == emotion.NOT_MEASURED
  np.testing.assert_array_equal(read.emotion, emotion.unmeasured(2))


def test_a_damaged_file_is_one_line(stored):
  stored.write_bytes(b'nothing')
  with pytest.raises(UserError, match='fetch_weights emotion'):
    emotion.load_reader()
