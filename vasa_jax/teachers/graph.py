"""Runs a small frozen net that was published as a tfjs graph model, in JAX.

Such a model is a JSON file (nodes with `op`, `input` and `attr`, and a list of the
weights) beside shards of raw weights. `read_graph` turns both into plain arrays that
fit into an npz; `run_graph` evaluates the nodes in order. Only the operations that our
judges need are known, and any other is named in the error.
"""

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vasa_jax.errors import UserError
from vasa_jax.types import Array

NODES = 'nodes.json'  # the entry of the arrays that holds the graph, as bytes
_POOLED = {'MaxPool': (-jnp.inf, lax.max), 'AvgPool': (0.0, lax.add)}
_IMAGE = ('NHWC', 'HWIO', 'NHWC')


def read_graph(path: Path) -> dict[str, np.ndarray]:
  """Reads `model.json` and the shards beside it.

  Returns:
    The weights by name, and under `NODES` the graph's nodes as uint8 JSON in an order
    in which every node comes after its inputs.

  Raises:
    UserError: not a tfjs graph model, quantised, or a shard is missing or cut short.
  """
  try:
    model = json.loads(path.read_text())
    arrays = {}
    for group in model['weightsManifest']:
      data = b''.join((path.parent / name).read_bytes() for name in group['paths'])
      start = 0
      for entry in group['weights']:
        if 'quantization' in entry:
          raise UserError(f'{path.name}: quantised weights are not read')
        dtype = np.dtype(entry['dtype'])
        count = int(np.prod(entry['shape'], dtype=int))
        value = np.frombuffer(data, dtype, count, start).reshape(entry['shape'])
        arrays[entry['name']] = value
        start += value.nbytes
    nodes = _ordered(model['modelTopology']['node'])
  except (OSError, KeyError, TypeError, ValueError) as error:
    raise UserError(f'{path.name} is not a tfjs graph model: {error}') from error
  kept = [
    {
      'name': node['name'],
      'op': node['op'],
      'input': [_source(name) for name in node.get('input', [])],
      'attr': {key: _plain(value) for key, value in node.get('attr', {}).items()},
    }
    for node in nodes
  ]
  arrays[NODES] = np.frombuffer(json.dumps(kept).encode(), np.uint8)
  return arrays


def run_graph(arrays: Mapping[str, np.ndarray]) -> Callable[[Array], Array]:
  """The net as a function of its one input to its last node's value.

  Args:
    arrays: of `read_graph`.

  Returns:
    `(b, ...)` float32 to `(b, ...)`; jit it.

  Raises:
    UserError: the graph holds an operation that is not known here.
  """
  nodes = json.loads(arrays[NODES].tobytes())
  for node in nodes:
    if node['op'] not in _OPERATIONS:
      raise UserError(f'operation {node["op"]} of the graph is not known')

  def run(x: Array) -> Array:
    values = {}
    for node in nodes:
      if node['op'] == 'Placeholder':
        value = x
      elif node['op'] == 'Const':
        value = arrays[node['name']]
      else:
        inputs = [values[name] for name in node['input']]
        value = _OPERATIONS[node['op']](inputs, node['attr'])
      values[node['name']] = value
    return value

  return run


def _source(name: str) -> str:
  """`node:0` and `^node` to `node`."""
  return name.split(':')[0].lstrip('^')


def _ordered(nodes: list[dict]) -> list[dict]:
  """Nodes that lead to the output, inputs first; the output is read by nobody."""
  by_name = {node['name']: node for node in nodes}
  read = {_source(name) for node in nodes for name in node.get('input', [])}
  ends = [node for node in nodes if node['name'] not in read and node['op'] != 'Const']
  if len(ends) != 1:
    raise ValueError(f'{len(ends)} outputs, one expected')
  order, stack = {}, [(ends[0], False)]
  while stack:
    node, ready = stack.pop()
    if node['name'] in order:
      continue
    if ready:
      order[node['name']] = node
      continue
    stack.append((node, True))
    stack += [(by_name[_source(name)], False) for name in node.get('input', [])]
  return list(order.values())


def _plain(value: dict):
  """An attribute without its wrapper: text, number, truth value or a list of these."""
  kind, content = next(iter(value.items()))
  if kind == 'list':
    entries = next(iter(content.items()), None)
    return [_plain({entries[0]: entry}) for entry in entries[1]] if entries else []
  if kind == 's':
    return base64.b64decode(content).decode()
  return int(content) if kind == 'i' else content


def _convolve(inputs, attr, depthwise=False):
  x, kernel, *rest = inputs
  groups = 1
  if depthwise:  # (h, w, c, m) to (h, w, 1, c m)
    groups = kernel.shape[2]
    kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
  if attr['padding'] not in ('SAME', 'VALID'):
    raise UserError(f'padding {attr["padding"]} of the graph is not known')
  y = lax.conv_general_dilated(
    x, kernel, attr['strides'][1:3], attr['padding'],
    rhs_dilation=(attr.get('dilations') or [1] * 4)[1:3],
    dimension_numbers=_IMAGE, feature_group_count=groups,
  )  # fmt: skip
  return _finish(y, rest, attr)


def _finish(y, rest, attr):
  """What is fused to a convolution: bias and rectifier."""
  for name in attr.get('fused_ops', []):
    if name == 'BiasAdd':
      y = y + rest[0]
    elif name == 'Relu':
      y = jax.nn.relu(y)
    else:
      raise UserError(f'fused operation {name} of the graph is not known')
  return y


def _pool(inputs, attr, name):
  start, combine = _POOLED[name]
  window = tuple(attr['ksize']), tuple(attr['strides']), attr['padding']
  y = lax.reduce_window(inputs[0], start, combine, *window)
  if name == 'MaxPool':
    return y
  return y / lax.reduce_window(jnp.ones_like(inputs[0]), start, combine, *window)


def _mean(inputs, attr):
  axes = tuple(int(axis) for axis in np.ravel(inputs[1]))
  return jnp.mean(inputs[0], axes, keepdims=bool(attr.get('keep_dims', False)))


_OPERATIONS = {
  'Placeholder': None,
  'Const': None,
  'Identity': lambda inputs, attr: inputs[0],
  'AddV2': lambda inputs, attr: inputs[0] + inputs[1],
  'Relu': lambda inputs, attr: jax.nn.relu(inputs[0]),
  'Softmax': lambda inputs, attr: jax.nn.softmax(inputs[0]),
  'Mean': _mean,
  'MaxPool': lambda inputs, attr: _pool(inputs, attr, 'MaxPool'),
  'AvgPool': lambda inputs, attr: _pool(inputs, attr, 'AvgPool'),
  '_FusedConv2D': _convolve,
  'Conv2D': _convolve,
  'DepthwiseConv2dNative': lambda inputs, attr: _convolve(inputs, attr, True),
  'FusedDepthwiseConv2dNative': lambda inputs, attr: _convolve(inputs, attr, True),
}
