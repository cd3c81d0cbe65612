"""Eight emotion scores of a face, by the small public net of the `human` library.

The net (MIT, seven classes over a grey 64 px face; `vasa_jax.metrics.emotion` runs the
same one on a device) is fetched once with `python -m experiments.fetch_weights emotion`
and run here in NumPy, 15 ms a face, so that workers need no JAX. It does not know
contempt, whose score is therefore 0. Without its weights a face is neutral, and the
labels say that emotion was not measured.
"""

import functools
import json
from collections.abc import Callable

import numpy as np

EMOTIONS = (
  'anger', 'contempt', 'disgust', 'fear', 'happiness', 'neutral', 'sadness', 'surprise',
)  # fmt: skip
NEUTRAL = EMOTIONS.index('neutral')
HUMAN = 'human'
NOT_MEASURED = 'not measured'


def unmeasured(count: int) -> np.ndarray:
  """`(count, 8)` of plain neutral."""
  return np.eye(len(EMOTIONS), dtype=np.float32)[np.full(count, NEUTRAL)]


@functools.cache
def load_reader() -> Callable[[list, list], np.ndarray] | None:
  """The net: pictures and their meshes to scores; None where it is not fetched.

  Its arguments are n pictures `(h, w, 3)` uint8 and n meshes `(468, 3)` in px; it
  returns `(n, 8)` float32 that sum to 1.

  Raises:
    UserError: the file is there and damaged.
  """
  from vasa_jax.metrics.emotion_view import CLASSES, crop_face
  from vasa_jax.teachers.cache import stored_path

  path = stored_path('emotion')
  if not path.is_file():
    return None
  run = _load_graph(path)
  place = [EMOTIONS.index(name) for name in CLASSES]

  def read(pictures, meshes) -> np.ndarray:
    scores = np.zeros((len(pictures), len(EMOTIONS)), np.float32)
    for row, picture, points in zip(scores, pictures, meshes, strict=True):
      row[place] = run(crop_face(picture, points)[None])[0]
    return scores

  return read


def _load_graph(path):
  """A fetched tfjs graph (`vasa_jax.teachers.graph`) as a NumPy function."""
  import zipfile

  from data_pipelines.errors import UserError

  try:
    with np.load(path) as file:
      arrays = {name: file[name] for name in file.files}
    nodes = json.loads(arrays['nodes.json'].tobytes())
  except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
    raise UserError(
      f'{path} is damaged ({error}): delete it and run python -m '
      'experiments.fetch_weights emotion'
    ) from error
  unknown = {node['op'] for node in nodes} - set(_OPERATIONS) - {'Const', 'Placeholder'}
  if unknown:
    raise UserError(f'{path}: operations {sorted(unknown)} are not known here')

  def run(x: np.ndarray) -> np.ndarray:
    values = {}
    for node in nodes:
      name = node['name']
      if node['op'] == 'Const':
        values[name] = arrays[name]
      elif node['op'] == 'Placeholder':
        values[name] = x
      else:
        inputs = [values[n] for n in node['input']]
        values[name] = _OPERATIONS[node['op']](inputs, node['attr'])
    return values[name]

  return run


def _windows(x, size, attr, empty):
  """`(b, h', w', c, kh, kw)` views, padded and strided as TensorFlow does."""
  strides = attr['strides'][1:3]
  if attr['padding'] == 'SAME':
    pads = [(0, 0)]
    for length, side, stride in zip(x.shape[1:3], size, strides, strict=True):
      total = max((-(-length // stride) - 1) * stride + side - length, 0)
      pads.append((total // 2, total - total // 2))
    x = np.pad(x, [*pads, (0, 0)], constant_values=empty)
  views = np.lib.stride_tricks.sliding_window_view(x, tuple(size), (1, 2))
  return views[:, :: strides[0], :: strides[1]]


def _convolve(inputs, attr):
  x, kernel, *bias = inputs
  kh, kw, wide, out = kernel.shape
  seen = _windows(x, (kh, kw), attr, 0.0)
  flat = kernel.transpose(2, 0, 1, 3).reshape(wide * kh * kw, out)
  y = seen.reshape(-1, wide * kh * kw) @ flat
  y = y.reshape(*seen.shape[:3], out)
  for name in attr.get('fused_ops', []):
    y = y + bias[0] if name == 'BiasAdd' else np.maximum(y, 0)
  return y


def _depthwise(inputs, attr):
  x, kernel = inputs
  size = kernel.shape[:2]
  seen = _windows(x, size, attr, 0.0)
  return sum(
    seen[..., i, j] * kernel[i, j, :, 0] for i in range(size[0]) for j in range(size[1])
  )


def _max_pool(inputs, attr):
  return _windows(inputs[0], attr['ksize'][1:3], attr, -np.inf).max((-2, -1))


def _softmax(inputs, attr):
  e = np.exp(inputs[0] - inputs[0].max(-1, keepdims=True))
  return e / e.sum(-1, keepdims=True)


_OPERATIONS = {
  'Identity': lambda inputs, attr: inputs[0],
  'AddV2': lambda inputs, attr: inputs[0] + inputs[1],
  'Relu': lambda inputs, attr: np.maximum(inputs[0], 0),
  'Softmax': _softmax,
  'Mean': lambda inputs, attr: inputs[0].mean(tuple(np.ravel(inputs[1]))),
  'MaxPool': _max_pool,
  '_FusedConv2D': _convolve,
  'DepthwiseConv2dNative': _depthwise,
}
