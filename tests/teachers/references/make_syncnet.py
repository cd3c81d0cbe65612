"""Writes syncnet.npz: what PyTorch makes of SyncNet's layout with random weights.

    python tests/teachers/references/make_syncnet.py   (needs torch; tests do not)

The weights are not stored: `random_state` makes the same ones on every machine. Of each
layer's output 64 values at places drawn by `places` are kept, of the vectors all.
"""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
# (name, number in the Sequential, in, out, kernel); the norm has the next number
TRUNKS = {
  'netcnnaud': (
    ('sound1', 0, 1, 64, (3, 3)), ('sound2', 4, 64, 192, (3, 3)),
    ('sound3', 8, 192, 384, (3, 3)), ('sound4', 11, 384, 256, (3, 3)),
    ('sound5', 14, 256, 256, (3, 3)), ('sound6', 18, 256, 512, (5, 4)),
  ),
  'netcnnlip': (
    ('lip1', 0, 3, 96, (5, 7, 7)), ('lip2', 4, 96, 256, (1, 5, 5)),
    ('lip3', 8, 256, 256, (1, 3, 3)), ('lip4', 11, 256, 256, (1, 3, 3)),
    ('lip5', 14, 256, 256, (1, 3, 3)), ('lip6', 18, 256, 512, (1, 6, 6)),
  ),
}  # fmt: skip


def random_state() -> dict[str, np.ndarray]:
  """A state dict of the published names and shapes, scaled so that signals live."""
  random = np.random.RandomState(11)
  state = {}

  def add(name, shape, scale, around=0.0):
    values = around + scale * random.standard_normal(shape)
    state[name] = values.astype(np.float32)

  def norm(at, size):
    add(f'{at}.weight', (size,), 0.1, 1.0)
    add(f'{at}.bias', (size,), 0.3)
    add(f'{at}.running_mean', (size,), 0.3)
    state[f'{at}.running_var'] = random.uniform(0.5, 2, size).astype(np.float32)

  for trunk, layers in TRUNKS.items():
    for _, at, inside, out, kernel in layers:
      fan = inside * int(np.prod(kernel))
      add(f'{trunk}.{at}.weight', (out, inside, *kernel), np.sqrt(2 / fan))
      add(f'{trunk}.{at}.bias', (out,), 0.1)
      norm(f'{trunk}.{at + 1}', out)
  for head in ('netfcaud', 'netfclip'):
    for at, out in ((0, 512), (3, 1024)):
      add(f'{head}.{at}.weight', (out, 512), np.sqrt(2 / 512))
      add(f'{head}.{at}.bias', (out,), 0.1)
    norm(f'{head}.1', 512)
  return state


def inputs() -> tuple[np.ndarray, np.ndarray]:
  """Pictures `(1, 6, 224, 224, 3)` in 0..2 and cepstra `(2, 13, 20)`."""
  random = np.random.RandomState(12)
  pictures = random.uniform(0, 2, (1, 6, 224, 224, 3)).astype(np.float32)
  return pictures, random.standard_normal((2, 13, 20)).astype(np.float32)


def places(name: str, size: int) -> np.ndarray:
  """Which 64 values of a layer's flat output are kept."""
  return np.random.RandomState(sum(name.encode())).randint(0, size, 64)


def main():
  import torch
  from torch import nn

  def sound_trunk():
    return nn.Sequential(
      nn.Conv2d(1, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(1, 1),
      nn.Conv2d(64, 192, 3, padding=1), nn.BatchNorm2d(192), nn.ReLU(),
      nn.MaxPool2d(3, (1, 2)),
      nn.Conv2d(192, 384, 3, padding=1), nn.BatchNorm2d(384), nn.ReLU(),
      nn.Conv2d(384, 256, 3, padding=1), nn.BatchNorm2d(256), nn.ReLU(),
      nn.Conv2d(256, 256, 3, padding=1), nn.BatchNorm2d(256), nn.ReLU(),
      nn.MaxPool2d(3, 2),
      nn.Conv2d(256, 512, (5, 4)), nn.BatchNorm2d(512), nn.ReLU(),
    )  # fmt: skip

  def lip_trunk():
    same = {'kernel_size': (1, 3, 3), 'padding': (0, 1, 1)}
    pool = {'kernel_size': (1, 3, 3), 'stride': (1, 2, 2)}
    return nn.Sequential(
      nn.Conv3d(3, 96, (5, 7, 7), (1, 2, 2)), nn.BatchNorm3d(96), nn.ReLU(),
      nn.MaxPool3d(**pool),
      nn.Conv3d(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1)), nn.BatchNorm3d(256),
      nn.ReLU(), nn.MaxPool3d(**pool, padding=(0, 1, 1)),
      nn.Conv3d(256, 256, **same), nn.BatchNorm3d(256), nn.ReLU(),
      nn.Conv3d(256, 256, **same), nn.BatchNorm3d(256), nn.ReLU(),
      nn.Conv3d(256, 256, **same), nn.BatchNorm3d(256), nn.ReLU(),
      nn.MaxPool3d(**pool),
      nn.Conv3d(256, 512, (1, 6, 6)), nn.BatchNorm3d(512), nn.ReLU(),
    )  # fmt: skip

  def head():
    return nn.Sequential(
      nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024)
    )

  net = nn.ModuleDict(
    {'netcnnaud': sound_trunk(), 'netfcaud': head(), 'netfclip': head(),
     'netcnnlip': lip_trunk()}
  ).eval()  # fmt: skip
  state = {k: torch.from_numpy(v) for k, v in random_state().items()}
  missing = net.load_state_dict(state, strict=False).missing_keys
  assert all(name.endswith('num_batches_tracked') for name in missing), missing
  pictures, cepstra = inputs()
  kept = {}

  def run(trunk, head, x):
    layers = TRUNKS[trunk]
    ends = [at for _, at, *_ in layers[1:]] + [len(net[trunk])]
    done = 0
    for (name, *_), end in zip(layers, ends, strict=True):
      for module in net[trunk][done:end]:
        x = module(x)
      done = end
      last = x.movedim(1, -1)  # channels last
      flat = last.reshape(-1).numpy()
      kept[name] = flat[places(name, flat.size)]
      kept[f'{name}/shape'] = np.array(last.shape)
    return net[head](x.flatten(1)).numpy()

  with torch.no_grad():
    clip = torch.from_numpy(pictures[0]).permute(3, 0, 1, 2)  # c t h w
    windows = torch.stack([clip[:, i : i + 5] for i in range(2)])
    kept['lip'] = run('netcnnlip', 'netfclip', windows)
    kept['sound'] = run('netcnnaud', 'netfcaud', torch.from_numpy(cepstra)[:, None])
  np.savez_compressed(HERE / 'syncnet.npz', **kept)


if __name__ == '__main__':
  main()
