"""The graph runner against closed forms, on graphs that are written here."""

import base64
import json

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.teachers import graph


def text(value):
  return {'s': base64.b64encode(value.encode()).decode()}


def node(name, op, inputs=(), **attr):
  return {'name': name, 'op': op, 'input': list(inputs), 'attr': attr}


def ints(*values):
  return {'list': {'i': [str(v) for v in values]}}


def write(folder, nodes, weights):
  """A tfjs model of two shards; returns its path."""
  entries, data = [], b''
  for name, value in weights.items():
    value = np.asarray(value)
    entries.append(
      {'name': name, 'shape': list(value.shape), 'dtype': str(value.dtype)}
    )
    data += value.tobytes()
  (folder / 'a.bin').write_bytes(data[:7])  # a shard may end inside a number
  (folder / 'b.bin').write_bytes(data[7:])
  model = {
    'modelTopology': {'node': [*nodes, *(node(n, 'Const') for n in weights)]},
    'weightsManifest': [{'paths': ['a.bin', 'b.bin'], 'weights': entries}],
  }
  path = folder / 'model.json'
  path.write_text(json.dumps(model))
  return path


def answer(folder, nodes, weights, x):
  arrays = graph.read_graph(write(folder, nodes, weights))
  return np.asarray(graph.run_graph(arrays)(np.asarray(x, np.float32)))


SLIDE = {'strides': ints(1, 1, 1, 1), 'padding': text('SAME')}


def test_convolution_with_bias_and_rectifier(tmp_path):
  rng = np.random.default_rng(0)
  x = rng.normal(size=(1, 4, 5, 2)).astype(np.float32)
  kernel = rng.normal(size=(1, 1, 2, 3)).astype(np.float32)
  bias = np.array([0.1, -0.2, 0.3], np.float32)
  fused = {'list': {'s': [text('BiasAdd')['s'], text('Relu')['s']]}}
  nodes = [
    # Listed before its input: the order is the reader's business.
    node('end', '_FusedConv2D', ['x:0', 'k', 'b'], fused_ops=fused, **SLIDE),
    node('x', 'Placeholder'),
  ]
  got = answer(tmp_path, nodes, {'k': kernel, 'b': bias}, x)
  np.testing.assert_allclose(got, np.maximum(x @ kernel[0, 0] + bias, 0), atol=1e-6)


def test_depthwise_keeps_channels_apart(tmp_path):
  x = np.zeros((1, 5, 5, 2), np.float32)
  x[0, 2, 2] = 1, 10
  kernel = np.arange(18, dtype=np.float32).reshape(3, 3, 2, 1)
  nodes = [
    node('x', 'Placeholder'),
    node('end', 'DepthwiseConv2dNative', ['x', 'k'], **SLIDE),
  ]
  got = answer(tmp_path, nodes, {'k': kernel}, x)[0, 1:4, 1:4]
  turned = kernel[::-1, ::-1, :, 0]  # what a single point leaves behind
  np.testing.assert_allclose(got, turned * (1, 10))


def test_pools_ignore_the_padding(tmp_path):
  x = -np.arange(1, 17, dtype=np.float32).reshape(1, 4, 4, 1)
  window = {'ksize': ints(1, 3, 3, 1), 'strides': ints(1, 2, 2, 1)}
  window['padding'] = text('SAME')
  for name, combine in (('MaxPool', np.max), ('AvgPool', np.mean)):
    nodes = [node('x', 'Placeholder'), node('end', name, ['x'], **window)]
    got = answer(tmp_path, nodes, {}, x)
    table = x[0, :, :, 0]
    # Three wide, two apart: the even padding of one lies at the far end.
    wanted = [[combine(table[i : i + 3, j : j + 3]) for j in (0, 2)] for i in (0, 2)]
    np.testing.assert_allclose(got[0, :, :, 0], wanted, rtol=1e-6)


def test_head_sums_to_one(tmp_path):
  x = np.random.default_rng(1).normal(size=(2, 3, 3, 4)).astype(np.float32)
  nodes = [
    node('x', 'Placeholder'),
    node('double', 'AddV2', ['x', 'x']),
    node('mean', 'Mean', ['double', 'axes'], keep_dims={'b': False}),
    node('soft', 'Softmax', ['mean']),
    node('end', 'Identity', ['soft']),
  ]
  got = answer(tmp_path, nodes, {'axes': np.array([1, 2], np.int32)}, x)
  wanted = np.exp(2 * x.mean((1, 2)))
  np.testing.assert_allclose(got, wanted / wanted.sum(1, keepdims=True), rtol=1e-5)


def test_unknown_operation_is_named(tmp_path):
  nodes = [node('x', 'Placeholder'), node('end', 'Frobnicate', ['x'])]
  arrays = graph.read_graph(write(tmp_path, nodes, {}))
  with pytest.raises(UserError, match='Frobnicate'):
    graph.run_graph(arrays)


def test_a_cut_shard_is_refused(tmp_path):
  path = write(tmp_path, [node('x', 'Placeholder')], {'k': np.ones(9, np.float32)})
  (tmp_path / 'b.bin').write_bytes(b'')
  with pytest.raises(UserError, match='model.json'):
    graph.read_graph(path)
